"""Folders in the layout that an evaluation leaves, for tests of its report."""

import json

import cv2
import numpy as np

from robself.evaluation.report.results import Results

SIZE, LOW = (36, 48), (9, 12)
CASES = ("aloe", "<script>x", "a|b_*c*")
METHODS = ("bicubic", "nearest", "robself_de", "p2p")  # p2p is not run
# By method, seed and case; bicubic and nearest know no seed.
RMSE = {
    ("bicubic", 0): (4.0, 6.0, 2.0),
    ("nearest", 0): (8.0, 9.0, 3.0),
    ("robself_de", 0): (2.0, 3.0, 1.0),
    ("robself_de", 1): (3.0, 4.0, 2.0),
}


def truth():
    """(36, 48): a box before a wall, and a hole."""
    image = np.full(SIZE, 3.0, np.float32)
    image[10:22, 14:30] = 1.5
    image[:4, :4] = np.nan
    return image


def record(case, method, seed=0, rmse=None, **changes):
    scores = {} if rmse is None else {"rmse": rmse, "delta1": 1 - rmse / 100, "niqe": None, "pixels": 1700}
    return {
        "case": case,
        "group": "",
        "method": method,
        "seed": seed,
        "setting": {},
        "scores": scores,
        "seconds": 0.5,
        "iterations": 20 if method == "robself_de" else None,
        "peak_memory_bytes": 3 * 2**20,
        "info": {},
        "prediction": None,
        "error": None,
    } | changes


def runs():
    return [
        record(case, method, seed, value)
        for (method, seed), values in RMSE.items()
        for case, value in zip(CASES, values, strict=True)
    ]


def write(folder, records, methods=METHODS, **facts):
    content = {
        "config": {"dataset": "/data/small", "methods": list(methods), "seeds": 2},
        "versions": {"numpy": np.__version__},
        "machine": {"cpus": 2},
        "runs": records,
        "summary": {},
    }
    folder.mkdir(exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(content | facts))
    return folder


def with_images(folder, records, **inputs):
    """The records, their inputs and predictions on the disk; the predictions differ in one corner."""
    (folder / "inputs").mkdir(parents=True)
    source = cv2.resize(truth(), LOW[::-1], interpolation=cv2.INTER_NEAREST)
    guide = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    images = {"source": source, "guide": guide, "truth": truth()} | inputs
    images = {name: image for name, image in images.items() if image is not None}
    for case in {entry["case"] for entry in records}:
        np.savez(folder / "inputs" / f"{case}.npz", **images)
    for index, entry in enumerate(records):
        entry["prediction"] = f"predictions/{entry['method']}/{index}.npz"
        (folder / entry["prediction"]).parent.mkdir(parents=True, exist_ok=True)
        sr = truth() + np.float32(0.1)
        sr[26:34, 36:46] += index
        np.savez(folder / entry["prediction"], sr=sr, aligned_guide=guide)
    return records


def results_of(folder, records, methods=METHODS):
    return Results.read(write(folder, records, methods))
