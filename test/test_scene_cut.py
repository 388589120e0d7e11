"""A cut from one real scene to another: what the old weights give, and what starting anew does."""

import copy

import pytest
from real_data import real_file

from robself.bench.inputs import case_from_file, rmse_of, robot_config
from robself.datasets.cropping import central_crop
from robself.keyframes import KeyframeConfig, KeyframePolicy
from robself.online import Budget, OnlineSuperResolver
from robself.pipeline import CUT, Pipeline

pytestmark = pytest.mark.data


def test_a_cut_while_tracking_is_optimised_cold_and_better_than_warm():
    files = (real_file("cases", f"c192_{scene}_x4_mis.npz") for scene in ("Aloe", "Art"))
    aloe, art = (central_crop(case_from_file(file), (64, 64)) for file in files)
    reasons = []
    pipeline = Pipeline(
        OnlineSuperResolver(robot_config(aloe, 0), "cpu"),
        KeyframePolicy(KeyframeConfig(every_n=0)),
        Budget(iterations=60),
        on_reset=reasons.append,
    )
    pipeline.process(aloe.pair())
    warm = copy.deepcopy(pipeline.resolver).keyframe(art.pair())
    cut = pipeline.process(art.pair())
    assert (cut.info["mode"], cut.info["start"], reasons) == ("keyframe", "cold", [CUT])
    assert rmse_of(cut.sr, art) < 0.85 * rmse_of(warm.sr, art)
    after = pipeline.process(art.pair())
    assert (after.info["mode"], reasons) == ("track", [CUT]), "it is known now"
