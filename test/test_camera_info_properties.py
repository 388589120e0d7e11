"""Whatever a camera_info says: a model that projects, or one line about what is wrong with it."""

import math
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from robself.camera_model import COEFFICIENTS, CameraModel
from robself.errors import InputError

ANYTHING = st.one_of(st.floats(-1e4, 1e4), st.sampled_from([0.0, 1.0, math.nan, math.inf, -300.0, 300.0]))
SIZE = st.integers(0, 5000)
EYE = np.eye(3).ravel().tolist()
FIELDS = ("width", "height", "distortion_model", "d", "k", "r", "p", "binning_x", "roi")


def numbers(values):
    """One of them replaced, or all."""
    one = st.builds(
        lambda at, by: [*values[:at], by, *values[at + 1 :]], st.integers(0, len(values) - 1), ANYTHING
    )
    return st.one_of(
        one, st.just([0.0] * len(values)), st.lists(ANYTHING, min_size=len(values), max_size=len(values))
    )


@st.composite
def infos(draw):
    """Messages that are right but for one or two fields."""
    width, height = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
    focal = draw(st.floats(50, 2000))
    k = [focal, 0.0, width / 2, 0.0, focal, height / 2, 0.0, 0.0, 1.0]
    p = [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]
    model = draw(st.sampled_from(sorted(COEFFICIENTS)))
    fields = {
        "width": width,
        "height": height,
        "distortion_model": model,
        "d": draw(st.lists(st.floats(-0.1, 0.1), min_size=4, max_size=4)) if model == "equidistant" else [],
        "k": k,
        "r": EYE,
        "p": p,
        "binning_x": draw(st.integers(0, 8)),
        "binning_y": draw(st.integers(0, 8)),
        "roi": [0, 0, 0, 0],
    }
    wrong = {
        "width": SIZE,
        "height": SIZE,
        "distortion_model": st.sampled_from(["", "thin_prism", *COEFFICIENTS]),
        "d": st.lists(ANYTHING, max_size=15),
        "k": numbers(k),
        "r": numbers(EYE),
        "p": numbers(p),
        "binning_x": SIZE,
        "roi": st.lists(SIZE, min_size=4, max_size=4),
    }
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=2)):
        fields[name] = draw(wrong[name])
    roi = dict(zip(("x_offset", "y_offset", "width", "height"), fields.pop("roi"), strict=True))
    return SimpleNamespace(
        **fields, roi=SimpleNamespace(**roi, do_rectify=False), header=SimpleNamespace(frame_id="camera")
    )


@given(infos())
def test_a_camera_info_is_used_or_refused_in_one_line(info):
    try:
        camera = CameraModel.from_camera_info(info)
    except InputError as error:
        assert str(error).startswith("camera_info of ") and "\n" not in str(error)
        return
    assert camera.width > 0 and camera.height > 0 and camera.K[0, 0] > 0 and camera.K[1, 1] > 0
    assert all(np.isfinite(matrix).all() for matrix in (camera.K, camera.R, camera.P, camera.D))
    assert len(camera.D) in COEFFICIENTS[camera.model]
    assert CameraModel.from_camera_info(again(info, camera)) == camera


def again(info, camera):
    """The message that the camera would give itself."""
    fields = camera.camera_info_fields()
    return SimpleNamespace(**{**fields, "roi": SimpleNamespace(**fields["roi"])}, header=info.header)
