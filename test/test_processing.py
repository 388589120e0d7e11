"""What a pair costs no more than it must, and what a node that is deactivated gives back."""

import gc
from weakref import WeakSet

import pytest
import torch
from robot import GUIDE_SIZE, SOURCE_SIZE, camera_info, image

from robself.network import RobSelf
from robself_ros.cameras import Cameras
from robself_ros.parameters import BudgetParameters, KeyframeParameters, NodeParameters
from robself_ros.processing import Job, Processing

pytestmark = pytest.mark.ros


def networks():
    """All that live, and forgotten with them."""
    return WeakSet(one for one in gc.get_objects() if type(one) is RobSelf)


def busy(device, iterations=1, translates=lambda: True):
    """After one keyframe."""
    cameras = Cameras({"source": False, "guide": False}, print)
    for role, size in (("source", SOURCE_SIZE), ("guide", GUIDE_SIZE)):
        cameras.take(role, camera_info(size, float(size[1])))
    budget = BudgetParameters(first_seconds=0.0, first_iterations=iterations)
    parameters = NodeParameters(device=device, budget=budget, keyframe=KeyframeParameters(every_n=3))
    processing = Processing(parameters, cameras, print, print, print, translates)
    assert processing(some_job(), lambda: False).result.info["iterations"] == iterations
    return processing


def some_job():
    draw = torch.Generator().manual_seed(0)
    source = torch.randint(900, 2000, SOURCE_SIZE, generator=draw).to(torch.uint16).numpy()
    guide = torch.randint(0, 255, (*GUIDE_SIZE, 3), generator=draw, dtype=torch.uint8).numpy()
    source, guide = image(source, "16UC1"), image(guide, "rgb8")
    for message in (source, guide):
        message.header.stamp.sec = 1
    return Job(source, guide)


def test_a_tracked_pair_is_translated_only_if_somebody_wants_it():
    wanted = iter([False, False, True])  # the keyframe, and two tracked pairs
    processing = busy("cpu", 20, lambda: next(wanted))
    without, with_it = (processing(some_job(), lambda: False).result for _ in range(2))
    assert without.info["mode"] == with_it.info["mode"] == "track"
    assert without.translated is None and with_it.translated.shape == GUIDE_SIZE


def test_a_model_that_is_freed_is_gone_at_once():
    earlier = networks()
    processing = busy("cpu")
    ours = WeakSet(one for one in networks() if one not in earlier)
    assert len(ours) == 1
    gc.disable()  # nothing may wait for the collector: it knows nothing of a device's memory
    try:
        processing.free()
        assert len(ours) == 0
    finally:
        gc.enable()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_model_that_is_freed_leaves_nothing_on_the_device():
    """Beside what CUDA's libraries keep from the first time on."""
    left = []
    for _ in range(2):
        processing = busy("cuda")
        used = torch.cuda.memory_allocated()
        processing.free()
        left.append(torch.cuda.memory_allocated())
        assert left[-1] < used
    assert left[1] <= left[0]
