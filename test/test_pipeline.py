"""The chain the node and the replay run: keyframe or track, cold or warm, for each pair of a stream."""

import pytest
from small_pairs import ENOUGH, assert_sound, coarse_pair, same_bits, small_resolver

from robself.errors import Interrupted
from robself.keyframes import KeyframeConfig, KeyframePolicy
from robself.online import Budget
from robself.pair import Pair
from robself.pipeline import CUT, IN_VAIN, Pipeline
from robself.schedule import Schedule, Stage

SECOND = 10**9
PAIR = coarse_pair()
WALL = Pair.from_images(PAIR.source * 0 + 700, PAIR.guide)  # which bicubic explains without error
# 70 iterations, as ENOUGH has them, where tracking shall succeed; fewer where it does not matter.
COLD, BRIEF_COLD, WARM, TRACK = (
    ("keyframe", "cold", 70),
    ("keyframe", "cold", 5),
    ("keyframe", "warm", 3),
    ("track", "warm", 0),
)


def small_pipeline(first=70, resolver=None, on_reset=lambda reason: None, **policy):
    resolver = resolver or small_resolver(schedule=ENOUGH, residual=True, channels=8)
    policy = KeyframePolicy(KeyframeConfig(**policy))
    return Pipeline(resolver, policy, Budget(iterations=first), Budget(iterations=3), on_reset)


def kinds(pipeline, pairs):
    results = [pipeline.process(pair) for pair in pairs]
    for pair, result in zip(pairs, results, strict=True):
        assert_sound(result, pair.size)
    return [(r.info["mode"], r.info["start"], r.info["iterations"]) for r in results]


def test_by_default_every_pair_is_a_keyframe_the_first_cold():
    assert kinds(small_pipeline(first=5), [PAIR] * 3) == [BRIEF_COLD, WARM, WARM]


def test_pairs_between_keyframes_are_tracked():
    chosen = kinds(small_pipeline(every_n=3), [PAIR] * 7)
    assert chosen == [COLD, TRACK, TRACK, WARM, TRACK, TRACK, WARM]


def test_keyframes_come_by_the_stamps_of_the_pairs():
    pairs = [coarse_pair(stamp=int(t * SECOND)) for t in (0, 0.4, 1.1, 1.2)]
    chosen = kinds(small_pipeline(every_n=100, interval_seconds=1.0), pairs)
    assert chosen == [COLD, TRACK, WARM, TRACK]


def test_without_a_fixed_rate_a_slow_stream_is_tracked_until_the_scene_changes():
    slow = [coarse_pair(edge=0.45 + 0.002 * index) for index in range(12)]
    farther = [coarse_pair(edge=0.45, far=1900.0)] * 3
    chosen = kinds(small_pipeline(every_n=0, consistency_ratio=2.0), slow + farther)
    assert chosen == [COLD, *[TRACK] * 12, WARM, TRACK]


def test_a_pair_that_trusted_weights_do_not_explain_is_optimised_cold_after_all():
    reasons = []
    pipeline = small_pipeline(every_n=0, on_reset=reasons.append)
    assert kinds(pipeline, [PAIR, PAIR]) == [COLD, TRACK] and not reasons
    assert kinds(pipeline, [WALL]) == [COLD] and reasons == [CUT]


def test_weights_that_did_not_understand_their_own_keyframe_are_kept_at_a_cut():
    reasons = []
    pipeline = small_pipeline(1, small_resolver(schedule=ENOUGH, channels=8), reasons.append, every_n=0)
    assert kinds(pipeline, [PAIR, WALL, WALL]) == [("keyframe", "cold", 1), WARM, WARM] and not reasons


def test_weights_that_explain_nothing_for_a_while_are_given_up_each_time_after_twice_as_long(monkeypatch):
    monkeypatch.setattr("robself.pipeline.FIRST_PATIENCE", 4)
    reasons = []
    pipeline = small_pipeline(first=5, on_reset=reasons.append)
    keyframe = pipeline.resolver.keyframe

    def in_vain(*given):
        result = keyframe(*given)
        result.info.update(fallback=True, unexplained=True)
        return result

    monkeypatch.setattr(pipeline.resolver, "keyframe", in_vain)
    first, second = ([BRIEF_COLD, *[WARM] * patience] for patience in (4, 8))
    assert kinds(pipeline, [PAIR] * 15) == [*first, *second, BRIEF_COLD]
    assert reasons == [IN_VAIN] * 2


def test_a_cut_between_keyframes_makes_the_next_one_cold():
    reasons = []
    pipeline = small_pipeline(on_reset=reasons.append)
    assert kinds(pipeline, [PAIR, PAIR, WALL]) == [COLD, WARM, WARM] and reasons == [CUT]
    assert kinds(pipeline, [PAIR, PAIR]) == [COLD, WARM] and reasons == [CUT]


@pytest.mark.parametrize(
    "changed", [coarse_pair((3, 4), (9, 16)), coarse_pair((3, 2))], ids=["guide", "source"]
)
def test_a_change_of_either_size_starts_cold(changed):
    pipeline = small_pipeline(first=5)
    pipeline.process(PAIR)
    result = pipeline.process(changed)
    assert result.info["start"] == "cold"
    assert same_bits(result, small_pipeline(first=5).process(changed)), "nothing is left of the other size"


def test_after_a_reset_the_next_pair_is_a_cold_keyframe():
    pipeline = small_pipeline(first=5, every_n=100)
    first = pipeline.process(PAIR)
    pipeline.reset()
    again = pipeline.process(PAIR)
    assert again.info["start"] == "cold" and same_bits(first, again)


def test_a_keyframe_that_was_stopped_is_still_due():
    pipeline = small_pipeline(first=5, every_n=100)
    with pytest.raises(Interrupted):
        pipeline.process(PAIR, should_stop=lambda: True)
    assert kinds(pipeline, [PAIR]) == [BRIEF_COLD]


def test_after_a_divergence_the_next_pair_is_a_cold_keyframe():
    resolver = small_resolver(schedule=Schedule((Stage(1.0, 5, 1e25),), (Stage(1.0, 5),)))
    pipeline = small_pipeline(5, resolver, every_n=100)
    assert pipeline.process(PAIR).info["stopped_by"] == "divergence"
    assert kinds(pipeline, [PAIR])[0][:2] == ("keyframe", "cold")


def test_progress_of_keyframes_is_passed_on():
    seen = []
    small_pipeline(first=5).process(PAIR, on_progress=seen.append)
    assert seen[0].iteration == 0


def test_a_stream_of_a_moving_scene_stays_sound():
    pairs = [coarse_pair(edge=0.3 + 0.05 * index) for index in range(8)]
    pairs[3] = WALL
    chosen = kinds(small_pipeline(every_n=4, consistency_ratio=3.0), pairs)
    assert chosen[0] == COLD and {kind[0] for kind in chosen} == {"keyframe", "track"}
