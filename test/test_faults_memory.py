"""Memory that does not suffice: once more in smaller tiles, then flagged upsampling; recovery by itself."""

import gc
import weakref

import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticStatus
from faults import OUT_OF_MEMORY
from faulty_node import faulty_node
from robot import values_of
from robself_ros.msg import Status
from small_pairs import assert_sound, same_bits, small_pair, small_resolver
from torch.nn.modules.module import register_module_forward_pre_hook

from robself.errors import MemoryExhausted
from robself.memory_shortage import ran_out, with_second_chance
from robself.network import RobSelf
from robself.online import Budget
from robself.pipeline import Pipeline

PAIR = small_pair()


class Exhausted:
    """Forward passes fail, each time or only those of so many pixels."""

    def __init__(self, hooked, error=MemoryError, above=0):
        self.above, self.error, self.failed = above, error, 0
        hooked(register_module_forward_pre_hook, self.before)

    def before(self, module, inputs):
        if isinstance(module, RobSelf) and inputs[0].numel() > self.above:
            self.failed += 1
            raise self.error()


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
def test_a_pair_without_memory_is_tried_twice_enlarged_and_flagged_and_the_next_goes_well(hooked, error):
    pipeline, undisturbed = (Pipeline(small_resolver()) for _ in range(2))
    for each in (pipeline, undisturbed):
        each.process(PAIR)
    exhausted = Exhausted(hooked, error)
    result = pipeline.process(PAIR)
    exhausted.above = float("inf")
    assert exhausted.failed == 2
    assert_sound(result, PAIR.size)
    assert (result.info["mode"], result.info["fallback"]) == ("pass_through", True)
    assert result.info["failure"].startswith("not enough memory, in smaller tiles neither: ")
    assert "\n" not in result.info["failure"]
    assert same_bits(pipeline.process(PAIR), undisturbed.process(PAIR)), "warm as it was"


def test_smaller_tiles_are_tried_once_and_kept(hooked):
    pair = small_pair((8, 160), (16, 320))
    resolver = small_resolver()
    exhausted = Exhausted(hooked, above=16 * 320 - 1)
    result = resolver.keyframe(pair, Budget(iterations=4))
    assert result.info["tiles"] > 1 and result.info["mode"] == "keyframe"
    assert exhausted.failed == 1
    assert resolver.keyframe(pair, Budget(iterations=1)).info["tiles"] > 1
    assert exhausted.failed == 1


def test_the_second_try_finds_nothing_left_of_the_first():
    class Large:
        pass

    kept = []

    def run():
        mine = Large()
        if not kept:
            kept.append(weakref.ref(mine))
            raise MemoryError
        gc.collect()
        return kept[0]() is None

    assert with_second_chance(run, lambda: None)


def test_other_errors_are_not_taken_for_a_lack_of_memory(hooked):
    assert not ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    Exhausted(hooked, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        Pipeline(small_resolver()).process(PAIR)


def test_a_resolver_alone_says_in_one_line_that_memory_did_not_suffice(hooked):
    Exhausted(hooked, OUT_OF_MEMORY["memory_of_cpu"])
    with pytest.raises(MemoryExhausted, match=r"^not enough memory, .*you tried to allocate"):
        small_resolver().keyframe(PAIR)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_memory_that_a_gpu_really_lacks_is_recognised():
    with pytest.raises(MemoryExhausted):
        with_second_chance(lambda: torch.empty(2**46, device="cuda"), lambda: None)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with faulty_node(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.mark.ros
def test_a_node_goes_on_in_smaller_tiles(node):
    images = {"source": node.robot.source(size=(16, 300)), "guide": node.robot.guide(size=(32, 600))}
    node.status(**images)
    with node.failing("memory_of_whole_images"):
        status = node.status(**images)
    assert (status.mode, status.warm) == (Status.KEYFRAME, True)


@pytest.mark.ros
def test_a_node_flags_the_pair_tells_an_error_and_recovers(node):
    node.status()
    with node.failing("memory_of_cpu"):
        status, report = node.status_and_report(DiagnosticStatus.ERROR)
    assert (status.mode, status.fallback) == (Status.PASS_THROUGH, True)
    assert np.isfinite(status.consistency_after)
    assert "plain upsampling was published: not enough memory" in report.message
    assert int(values_of(report)["fallbacks for want of memory"]) >= 1
    status = node.status()
    assert (status.mode, status.warm) == (Status.KEYFRAME, True)
