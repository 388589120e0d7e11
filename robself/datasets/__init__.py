"""Datasets to evaluate on, each read as named `Case`s."""

from robself.datasets.case import Case

__all__ = ["Case"]
