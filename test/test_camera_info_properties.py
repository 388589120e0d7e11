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
BINNING = st.integers(0, 8)


def numbers(*lengths):
    return st.sampled_from(lengths).flatmap(lambda n: st.lists(ANYTHING, min_size=n, max_size=n))


@st.composite
def infos(draw):
    """Messages with every field wrong now and then."""
    focal, width, height = draw(st.floats(50, 2000)), draw(SIZE), draw(SIZE)
    k = [focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1]
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=draw(st.text(max_size=8))),
        width=width,
        height=height,
        distortion_model=draw(st.sampled_from(["", *COEFFICIENTS, "thin_prism"])),
        d=draw(st.one_of(st.just([]), st.lists(st.floats(-0.1, 0.1), max_size=15), numbers(4, 5, 8))),
        k=draw(st.one_of(st.just(k), numbers(9))),
        r=draw(st.one_of(st.just([0.0] * 9), st.just(np.eye(3).ravel().tolist()), numbers(9))),
        p=draw(st.one_of(st.just([0.0] * 12), numbers(12))),
        binning_x=draw(BINNING),
        binning_y=draw(BINNING),
        roi=SimpleNamespace(
            x_offset=draw(SIZE), y_offset=draw(SIZE), width=draw(SIZE), height=draw(SIZE), do_rectify=False
        ),
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
