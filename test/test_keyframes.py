"""When a pair becomes a keyframe: by count, by time between stamps, by consistency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robself.keyframes import KeyframeConfig, KeyframePolicy
from robself.pair import Pair

SECOND = 10**9


def pair_at(stamp=None):
    return Pair.from_images(np.ones((2, 2), np.float32), np.zeros((4, 4, 3), np.uint8), stamp=stamp)


def decisions(config, stamps, consistencies):
    """Which pairs of a stream become keyframes; a pair's consistency is the same either way."""
    policy, chosen = KeyframePolicy(config), []
    for stamp, consistency in zip(stamps, consistencies, strict=True):
        pair = pair_at(stamp)
        chosen.append(policy.due(pair))
        if chosen[-1]:
            policy.keyframe_done(pair)
        else:
            policy.tracked(consistency)
    return chosen


@given(st.integers(1, 9))
def test_every_nth_pair_is_a_keyframe_beginning_with_the_first(n):
    chosen = decisions(KeyframeConfig(every_n=n), [None] * 30, [1.0] * 30)
    assert chosen == [index % n == 0 for index in range(30)]


def test_by_default_every_pair_is_a_keyframe():
    assert all(decisions(KeyframeConfig(), [None] * 5, [1.0] * 5))


def test_a_keyframe_comes_at_the_latest_an_interval_after_the_last():
    stamps = [int(t * SECOND) for t in (0, 0.5, 0.99, 1.0, 1.5, 2.2, 2.9, 3.2)]
    config = KeyframeConfig(every_n=1000, interval_seconds=1.0)
    chosen = decisions(config, stamps, [1.0] * 8)
    assert chosen == [True, False, False, True, False, True, False, True]


def test_pairs_without_stamps_know_no_interval():
    config = KeyframeConfig(every_n=4, interval_seconds=0.001)
    assert decisions(config, [None] * 8, [1.0] * 8) == [True, False, False, False] * 2


def test_time_that_jumps_back_ends_the_interval():
    config = KeyframeConfig(every_n=1000, interval_seconds=1.0)
    stamps = [100 * SECOND, 100 * SECOND + 1, 5 * SECOND, 5 * SECOND + 1]
    assert decisions(config, stamps, [1.0] * 4) == [True, False, True, False]


def test_a_tracked_pair_much_worse_than_the_first_makes_the_next_one_a_keyframe():
    config = KeyframeConfig(every_n=1000, consistency_ratio=2.0)
    consistencies = [0.1, 1.0, 1.9, 2.0, 2.1, 0.3, 3.0, 5.9, 6.1, 1.0]
    chosen = decisions(config, [None] * 10, consistencies)
    assert chosen == [True, False, False, False, False, True, False, False, False, True]


def test_without_a_fixed_rate_consistency_and_interval_decide():
    config = KeyframeConfig(every_n=0, interval_seconds=100.0, consistency_ratio=2.0)
    consistencies = [1.0] * 20 + [2.1] + [1.0] * 9
    chosen = decisions(config, [index * SECOND for index in range(130)], consistencies + [1.0] * 100)
    assert [index for index, one in enumerate(chosen) if one] == [0, 21, 121]


def test_nothing_asked_for_is_one_keyframe():
    assert sum(decisions(KeyframeConfig(every_n=0), [SECOND] * 50, [1.0, *range(1, 50)])) == 1


def test_the_first_pair_after_a_reset_is_a_keyframe():
    policy = KeyframePolicy(KeyframeConfig(every_n=1000, interval_seconds=1.0, consistency_ratio=2.0))
    policy.keyframe_done(pair_at(0))
    policy.tracked(1.0)
    policy.tracked(10.0)
    policy.reset()
    assert policy.due(pair_at(1))
    policy.keyframe_done(pair_at(1))
    assert not policy.due(pair_at(2)), "nothing of the time before the reset is left"


@pytest.mark.parametrize(
    "wrong",
    [{"every_n": -1}, {"interval_seconds": -1}, {"consistency_ratio": -0.1}, {"every": 2}],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        KeyframeConfig(**wrong)
