"""Small datasets in the layouts that docs/datasets.md shows."""

import cv2
import numpy as np
from small_pairs import scene

from robself.datasets.degradation import block_mean
from robself.image_files import write_colour, write_values

SIZE = (36, 48)


def put_source(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_values(path, values)


def put_guide(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_colour(path, rgb)


def put_disparity(path, values):
    """An 8-bit PNG as Middlebury's, 0 = unknown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values.astype(np.uint8))


def put_archive(path, *, scale=4, hom=None, edge=0.45, **extra):
    depth, guide = scene(SIZE, edge=edge)
    content = {"lr": block_mean(depth, scale), "guide": guide, "gt": depth, "scale": scale} | extra
    if hom is not None:
        content["hom"] = hom
    np.savez(path, **{key: value for key, value in content.items() if value is not None})


def make_middlebury(folder):
    for index, name in enumerate(["Wood1", "Aloe", "Cloth3"]):
        depth, guide = scene(SIZE, near=60 + 10 * index, far=200)
        disparity = np.rint(depth)
        disparity[:9, :6] = 0
        put_disparity(folder / name / "disp1.png", disparity)
        put_guide(folder / name / "view1.png", guide)
        put_guide(folder / name / "view5.png", guide)
    (folder / "no_truth").mkdir()
    put_guide(folder / "no_truth" / "view1.png", guide)
    return folder


def make_archives(folder):
    hom = np.array([[1.01, 0.02, -3], [-0.01, 0.99, 2], [1e-5, 0, 1]])
    for name, edge in {"Art": 0.4, "Midd": 0.5}.items():
        for scale in (2, 4):
            black = np.zeros((*SIZE, 3), np.uint8)  # not what the truth shows, like any moved guide
            moved = folder / f"{name}_x{scale}_mis.npz"
            put_archive(moved, scale=scale, hom=hom, edge=edge, guide=black)
            put_archive(folder / f"{name}_x{scale}_aligned.npz", scale=scale, hom=np.eye(3), edge=edge)
    put_archive(folder / "real_nir_1.npz", scale=3)
    return folder


def put_group(folder, modality, near):
    depth, guide = scene((48, 64), near=near)
    by_two = block_mean(depth, 2)
    if modality == "depth":
        raw = block_mean(depth, 4)
        put_source(folder / "lr_filled.png", raw)
        raw[0, 0] = np.nan
        put_source(folder / "lr_raw.png", raw)
    else:
        put_source(folder / "lr.png", block_mean(depth, 4) - block_mean(depth, 4).min())
    put_source(folder / f"x2_{modality}.png", by_two)
    put_guide(folder / "x2_rgb.png", np.ascontiguousarray(guide[::2, ::2]))
    put_guide(folder / "x4_rgb.png", guide)


def make_realmissr(folder):
    for subset, modality in {"RGB-Depth": "depth", "RGB-NIR": "nir"}.items():
        for group, count in {"simple": 2, "complex": 3}.items():
            for index in range(count):
                put_group(folder / subset / group / f"{index + 1:03d}", modality, 500 + 100 * index)
    return folder
