"""A stage whose loss has stopped falling goes on to its falling learning rate."""

import pytest
from small_pairs import small_config, small_pair

from robself.online import OnlineSuperResolver
from robself.plateau import LEAST_GAIN, Plateau
from robself.schedule import Schedule, Stage


def first_reached(losses, patience):
    plateau = Plateau(patience)
    return next((i for i, loss in enumerate(losses) if plateau.reached(i, loss)), None)


def test_a_loss_that_stays_is_a_plateau_after_the_patience():
    assert first_reached([1.0] * 50, patience=8) == 8


def test_a_loss_that_falls_is_none_until_it_stays():
    falling = [0.9**i for i in range(30)]
    assert first_reached(falling, patience=8) is None
    assert 30 < first_reached(falling + falling[-1:] * 60, patience=8) < 60


def test_noise_is_no_progress():
    noise = [1 + 0.4 * LEAST_GAIN * (-1) ** i for i in range(50)]
    assert first_reached(noise, patience=8) == 8


def test_without_patience_there_is_no_plateau():
    assert first_reached([1.0] * 1000, patience=None) is None


@pytest.mark.parametrize(("decay", "expected"), [("linear", 5 + 50), ("paper", 5 + 1)])
def test_a_stage_skips_the_rest_of_its_constant_half(decay, expected):
    def iterations(patience):
        stage = Stage(1.0, 100, learning_rate=1e-9, decay=decay, patience=patience)
        resolver = OnlineSuperResolver(
            small_config(), schedule=Schedule((stage,), (stage,), optimiser="adam")
        )
        return resolver.keyframe(small_pair()).info["iterations"]

    assert iterations(None) == 100
    assert iterations(5) == expected
