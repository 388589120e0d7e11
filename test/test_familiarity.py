"""What warm weights were not learned for starts anew, and says why."""

import numpy as np
import pytest
from small_pairs import coarse_pair, small_resolver

from robself.familiarity import Familiarity
from robself.guide_view import GuideView
from robself.online import Budget
from robself.pair import Pair
from robself.pipeline import Pipeline
from robself.registered_pipeline import RegisteredPipeline

PAIR = coarse_pair()
WALL = Pair.from_images(np.full_like(PAIR.source, 700), PAIR.guide)
DARK = Pair.from_images(PAIR.source, np.zeros_like(PAIR.guide))
POINT = Pair.from_images(np.where(np.arange(12).reshape(3, 4) == 5, 900, np.nan), PAIR.guide)


def misfit(learned, pair, modality="depth"):
    familiarity = Familiarity(modality)
    familiarity.learn(learned)
    return familiarity.misfit(pair)


@pytest.mark.parametrize("pair", [PAIR, WALL, DARK, POINT, coarse_pair(edge=0.7)])
def test_poorer_and_similar_pairs_are_no_strangers_to_what_was_learned_on_a_rich_one(pair):
    assert misfit(PAIR, pair) is None


@pytest.mark.parametrize("learned, role", [(WALL, "source"), (POINT, "source"), (DARK, "guide")])
@pytest.mark.parametrize("modality", ["depth", "nir"])
def test_what_was_learned_on_images_without_content_fits_no_scene(learned, role, modality):
    assert f"the {role}'s values are" in misfit(learned, PAIR, modality)


def test_another_size_fits_not():
    assert misfit(PAIR, coarse_pair((3, 2))) == "the size of the images changed"
    assert misfit(PAIR, coarse_pair((3, 4), (9, 16))) == "the size of the images changed"


@pytest.mark.parametrize("first", [WALL, DARK, POINT], ids=["wall", "dark", "point"])
def test_a_scene_after_images_without_content_starts_cold_with_a_reason(first):
    reasons = []
    pipeline = RegisteredPipeline(
        Pipeline(small_resolver(), None, Budget(2), Budget(2), reasons.append),
        GuideView(0.0, (0.0, 0.0, 0.0), lambda line: None),
        "depth",
    )
    pairs = (first, PAIR, PAIR, first, PAIR)
    starts = [pipeline.process(pair.source, pair.guide, None, None).info["start"] for pair in pairs]
    assert starts == ["cold", "cold", "warm", "warm", "warm"]
    (reason,) = reasons
    assert "values are" in reason
