"""Datasets to evaluate on, each read as named `Case`s."""

from robself.datasets.case import Case
from robself.datasets.opening import LOADERS, Dataset, open_dataset

__all__ = ["LOADERS", "Case", "Dataset", "open_dataset"]
