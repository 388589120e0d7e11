"""Who says where the guide camera is: static transforms, parameters, nobody."""

import math
from types import SimpleNamespace as Message

import cv2
import numpy as np
import pytest

from robself.errors import InputError
from robself.extrinsics import Extrinsics, KnownExtrinsics
from robself.frame_tree import FrameTree


def stamped(parent, child, vector_degrees=(0.0, 0.0, 0.0), translation=(0.0, 0.0, 0.0)):
    """A `geometry_msgs/TransformStamped`: axis times angle as a quaternion."""
    half = np.deg2rad(vector_degrees) / 2
    angle = np.linalg.norm(half)
    x, y, z = half / angle * math.sin(angle) if angle else (0.0, 0.0, 0.0)
    return Message(
        header=Message(frame_id=parent),
        child_frame_id=child,
        transform=Message(
            translation=Message(**dict(zip("xyz", translation, strict=True))),
            rotation=Message(x=x, y=y, z=z, w=math.cos(angle)),
        ),
    )


def turn(*vector_degrees):
    return cv2.Rodrigues(np.deg2rad(vector_degrees))[0]


@pytest.fixture
def frames():
    """A camera as drivers publish it: both optical frames below frames of their own, below the base."""
    tree = FrameTree()
    tree.add(
        [
            stamped("depth", "depth_optical", (0, 0, -90), (0.0, 0.0, 0.01)),
            stamped("base", "depth", (3, 0, 0), (0.0, 0.05, 0.0)),
            stamped("base", "rgb", (0, 5, 0), (0.02, 0.0, 0.0)),
        ]
    )
    tree.add([stamped("rgb", "rgb_optical", (0, 0, -90))])
    return tree


def test_transforms_are_chained_over_the_common_ancestor(frames):
    way = frames.transform("rgb_optical", "depth_optical")
    np.testing.assert_allclose(
        way.rotation, turn(0, 0, 90) @ turn(0, -5, 0) @ turn(3, 0, 0) @ turn(0, 0, -90), atol=1e-12
    )
    in_base = turn(3, 0, 0) @ [0, 0, 0.01] + [0, 0.05, 0]
    expected = turn(0, 0, 90) @ turn(0, -5, 0) @ (in_base - [0.02, 0, 0])
    np.testing.assert_allclose(way.translation, expected, atol=1e-12)


def test_up_and_down_a_single_branch(frames):
    up = frames.transform("base", "depth_optical")
    np.testing.assert_allclose(up.rotation, turn(3, 0, 0) @ turn(0, 0, -90), atol=1e-12)
    down = frames.transform("depth_optical", "base")
    np.testing.assert_allclose(down.rotation @ up.rotation, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(down.rotation @ up.translation + down.translation, 0, atol=1e-12)


def test_frames_that_nothing_connects_have_no_transform(frames):
    frames.add([stamped("elsewhere", "lonely")])
    for frame in ("lonely", "unheard_of", ""):
        assert frames.transform("rgb_optical", frame) is None


def test_a_leading_slash_of_old_recordings_is_the_same_frame(frames):
    assert frames.transform("/rgb_optical", "/depth_optical") is not None


def test_a_later_transform_replaces_an_earlier_one(frames):
    frames.add([stamped("base", "rgb", (0, 7, 0))])
    np.testing.assert_allclose(frames.transform("base", "rgb").rotation, turn(0, 7, 0), atol=1e-12)


def test_circles_and_transforms_without_a_rotation_hang_nothing(frames):
    broken = stamped("base", "broken")
    broken.transform.rotation.w = 0.0
    frames.add([broken, stamped("depth_optical", "base")])
    assert frames.transform("base", "broken") is None
    assert frames.transform("nowhere", "depth_optical") is None


def test_static_transforms_are_asked_before_the_parameters(frames):
    known = KnownExtrinsics((0.1, 0.0, 0.0), (0.0, 0.0, 0.0), frames)
    assert known("depth_optical", "rgb_optical").origin == "static transforms"
    assert not known.may_improve("depth_optical", "rgb_optical")
    given = known("depth_optical", "unheard_of")
    assert given.origin == "the parameters" and known.may_improve("depth_optical", "unheard_of")
    np.testing.assert_allclose(given.rotation, turn(math.degrees(0.1), 0, 0))


def test_without_either_no_turn_is_assumed_and_nobody_said_so():
    assumed = KnownExtrinsics()("depth_optical", "rgb_optical")
    assert assumed.origin is None
    np.testing.assert_array_equal(assumed.rotation, np.eye(3))
    assert not KnownExtrinsics().may_improve("depth_optical", "rgb_optical")


def test_equal_extrinsics_are_equal_and_a_reflection_is_none():
    assert Extrinsics(turn(1, 2, 3)) == Extrinsics(turn(1, 2, 3)) != Extrinsics(turn(1, 2, 4))
    with pytest.raises(InputError, match="expected a 3x3 rotation"):
        Extrinsics(np.diag([1.0, 1.0, -1.0]))
