"""What a `.rrd` file holds, as Rerun's own reader tells it."""

from collections import defaultdict
from importlib.util import find_spec

import numpy as np
import pytest

needs_rerun = pytest.mark.skipif(
    find_spec("rerun_bindings") is None, reason="rerun-sdk is not installed: pip install 'robself[view]'"
)


def rows_of(file):
    """{entity: [(stamp in ns, {component: value}), ...] in the order of the stamps}; nothing static."""
    from rerun.chunk import RrdReader

    rows = defaultdict(list)
    for chunk in RrdReader(file).stream():
        if chunk.is_static:
            continue
        batch = chunk.to_record_batch()
        stamps = batch.column("stamp").cast("int64").to_pylist()
        values = {name: batch.column(name).to_pylist() for name in batch.schema.names if ":" in name}
        for index, stamp in enumerate(stamps):
            rows[chunk.entity_path].append((stamp, {name: each[index] for name, each in values.items()}))
    return {entity: sorted(each, key=lambda row: row[0]) for entity, each in rows.items()}


def pixels(row, dtype, kind="DepthImage"):
    """The image of a row, (h, w) or (h, w, 3)."""
    ((form,), (data,)) = row[f"{kind}:format"], row[f"{kind}:buffer"]
    return np.array(data, np.uint8).view(dtype).reshape(form["height"], form["width"], -1).squeeze()
