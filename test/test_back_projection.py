"""Back-projection against its definition, written out with OpenCV and block means."""

import cv2
import numpy as np
import pytest
import torch
from small_pairs import small_pair

from robself.back_projection import back_projected
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.preparation import observe


def observation_of(pair):
    return observe(pair, Normalisation.of(pair), 1.0, torch.device("cpu"))


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_each_step_adds_the_enlarged_difference_to_the_source(steps):
    pair = small_pair((9, 12), (36, 48))
    observation = observation_of(pair)
    sr = expected = np.random.default_rng(0).normal(size=(36, 48)).astype(np.float32)
    for _ in range(steps):
        missing = observation.source[0, 0].numpy() - expected.reshape(9, 4, 12, 4).mean((1, 3))
        expected = expected + cv2.resize(missing, (48, 36), interpolation=cv2.INTER_CUBIC)
    result = back_projected(torch.from_numpy(sr)[None, None], observation, steps)[0, 0].numpy()
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_what_explains_the_source_is_left_alone():
    pair = small_pair((9, 12), (36, 48))
    observation = observation_of(pair)
    sr = observation.source.repeat_interleave(4, 2).repeat_interleave(4, 3)
    torch.testing.assert_close(back_projected(sr, observation, 3), sr, atol=1e-5, rtol=0)


def test_invalid_source_pixels_add_nothing():
    pair = small_pair((9, 12), (36, 48))
    source = pair.source.copy()
    source[:, 6:] = np.nan
    observation = observation_of(Pair.from_images(source, pair.guide))
    sr = torch.zeros(1, 1, 36, 48)
    result = back_projected(sr, observation, 1)
    assert result[..., :20].abs().max() > 0.1
    assert (result[..., 32:] == 0).all(), "the kernel reaches two source pixels beyond the valid ones"
