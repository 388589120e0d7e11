"""The call of the README: two images in, a `Result` out, whatever their sizes and holes."""

import inspect
import random

import numpy as np
import pytest
import torch
from small_pairs import assert_sound, same_bits, scene

import robself
from robself.errors import ConfigError, InputError, RobSelfError

DEPTH, GUIDE = scene((18, 24))
SOURCE = DEPTH.reshape(9, 2, 12, 2).mean((1, 3))


def super_resolve(source=SOURCE, guide=GUIDE, iterations=3, device="cpu", **options):
    return robself.super_resolve(source, guide, iterations=iterations, device=device, **options)


def test_the_signature_is_the_contracts():
    parameters = inspect.signature(robself.super_resolve).parameters
    assert list(parameters)[:2] == ["source", "guide"]
    defaults = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert (
        defaults.items()
        >= {
            "preset": "robot",
            "variant": "re",
            "schedule": "coarse_to_fine",
            "scale": None,
            "iterations": None,
            "budget_seconds": None,
            "seed": 0,
            "device": "auto",
            "progress": False,
        }.items()
    )


@pytest.mark.parametrize("variant", ["re", "de"])
@pytest.mark.parametrize("preset", robself.presets())
def test_every_preset_super_resolves(preset, variant):
    result = super_resolve(preset=preset, variant=variant, iterations=2)
    assert_sound(result, (18, 24))
    assert (result.info["preset"], result.info["variant"]) == (preset, variant)


def test_info_says_what_was_done_and_by_what():
    info = super_resolve(schedule="paper", seed=7).info
    assert (info["iterations"], info["schedule"], info["seed"], info["device"]) == (3, "paper", 7, "cpu")
    assert (info["mode"], info["start"], info["stopped_by"]) == ("keyframe", "cold", "schedule")
    assert info["loss_before"] > 0 and info["loss_after"] > 0 and info["seconds"] > 0
    assert info["versions"].keys() >= {"python", "torch", "numpy", "robself"}
    assert torch.__version__.startswith(info["versions"]["torch"])  # PyPI leaves out the "+cu130"
    assert isinstance(info["fallback"], bool)


@pytest.mark.parametrize(
    ("source_size", "size"),
    [
        ((1, 1), (1, 1)),
        ((1, 1), (7, 5)),
        ((1, 12), (3, 24)),
        ((9, 1), (20, 1)),
        ((5, 7), (13, 18)),  # 2.6 and 2.571
        ((6, 8), (6, 32)),  # a factor per axis
        ((7, 5), (7, 5)),  # nothing to gain but the alignment
        ((11, 9), (12, 31)),
    ],
    ids=lambda size: "{}x{}".format(*size),
)
def test_any_source_in_any_larger_guide(source_size, size):
    source = np.random.default_rng(0).uniform(1, 2, source_size).astype(np.float32)
    guide = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert_sound(super_resolve(source, guide), size)


def test_millimetres_as_uint16_are_the_same_as_float32():
    source = np.round(SOURCE).astype(np.uint16)
    source[2, 3] = 0
    result = super_resolve(source)
    assert same_bits(result, super_resolve(source.astype(np.float32)))
    assert not result.valid[4:6, 6:8].any() and result.valid.sum() == 18 * 24 - 4
    assert 800 < np.nanmedian(result.sr) < 1600, "in the source's unit"


def test_metres_and_millimetres_give_the_same_picture():
    in_mm, in_m = super_resolve(), super_resolve(SOURCE / 1000)
    np.testing.assert_allclose(in_m.sr, in_mm.sr / 1000, rtol=1e-3)


@pytest.mark.parametrize(
    ("variant", "invalid"), [("re", np.inf), ("re", -np.inf), ("re", 0.0), ("re", -1e9), ("de", -np.inf)]
)
def test_what_an_invalid_pixel_holds_changes_no_bit_of_the_result(variant, invalid):
    holes = np.random.default_rng(0).random(SOURCE.shape) < 0.3
    results = [
        super_resolve(np.where(holes, value, SOURCE), variant=variant, schedule="paper")
        for value in (np.nan, invalid)
    ]
    assert same_bits(*results)
    for name in ("loss_before", "loss_after", "consistency_after", "consistency_bicubic"):
        assert results[0].info[name] == results[1].info[name] > 0
    np.testing.assert_array_equal(results[0].valid, ~np.kron(holes, np.ones((2, 2), bool)))
    assert_sound(results[0], (18, 24))


def test_one_valid_pixel_is_spread_by_nobodys_guess():
    source = np.zeros((9, 12), np.float32)
    source[4, 6] = 1234.0
    result = super_resolve(source)
    assert result.valid.sum() == 4
    np.testing.assert_allclose(result.sr[8:10, 12:14], 1234.0, rtol=0.01)


@pytest.mark.parametrize("value", [0.1, 1234.0, 65535.0])
def test_a_constant_source_comes_back_constant(value):
    result = super_resolve(np.full((9, 12), value, np.float32))
    np.testing.assert_allclose(result.sr, value, rtol=1e-6)


def test_flat_images_are_no_reason_to_fail():
    assert_sound(super_resolve(guide=np.full((18, 24, 3), 128, np.uint8)), (18, 24))
    assert_sound(super_resolve(guide=np.zeros((18, 24), np.uint8)), (18, 24))


def test_dark_near_infrared_pixels_are_values():
    dark = SOURCE - SOURCE.min()
    assert super_resolve(dark, preset="task3_x2").valid.all()
    assert super_resolve(dark, modality="nir").valid.all()
    assert not super_resolve(dark).valid.all()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = (super_resolve(seed=seed) for seed in (3, 3, 4))
    assert same_bits(first, again)
    assert not np.array_equal(first.translated, other.translated)


def test_the_callers_random_numbers_neither_matter_nor_change():
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
        results.append(super_resolve())
        drawn = torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()
        torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
        assert drawn == (torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random())
    assert same_bits(*results)


def test_the_callers_images_are_not_changed():
    source, guide = SOURCE.copy(), GUIDE.copy()
    source[0, 0] = np.nan
    before = source.tobytes(), guide.tobytes()
    super_resolve(source, guide)
    assert (source.tobytes(), guide.tobytes()) == before


@pytest.mark.parametrize(
    ("scale", "size"), [(None, (18, 24)), (1, (9, 12)), (2.5, (22, 30)), (1.3, (12, 16)), (4, (36, 48))]
)
def test_scale_sets_the_size_and_resizes_the_guide_to_fit(scale, size):
    result = super_resolve(scale=scale, iterations=1)
    assert_sound(result, size)


def test_a_scale_that_the_guide_already_has_changes_nothing():
    assert same_bits(super_resolve(scale=2), super_resolve())


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"scale": 0.5}, "scale: 0.5, expected at least 1"),
        ({"scale": float("nan")}, "scale: nan"),
        ({"scale": float("inf")}, "scale: inf"),
        ({"iterations": 0}, "iterations: 0, expected at least 1"),
        ({"budget_seconds": 0}, "budget_seconds: 0, expected more than 0"),
        ({"budget_seconds": float("nan")}, "budget_seconds: nan"),
        ({"preset": "fast"}, "preset: 'fast' is unknown"),
        ({"variant": "RE"}, "variant: 'RE' is unknown"),
        ({"schedule": "fine"}, "schedule: 'fine' is unknown"),
        ({"modality": "lidar"}, "modality: 'lidar' is unknown"),
        ({"device": "cuda:63"}, "device: 'cuda:63' cannot be used"),
    ],
)
def test_an_unusable_option_is_one_line_saying_what_was_expected(option, complaint):
    with pytest.raises(ConfigError, match=complaint) as raised:
        super_resolve(**option)
    assert isinstance(raised.value, RobSelfError) and "\n" not in str(raised.value)


@pytest.mark.parametrize("scale", [None, 3])
@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        ({"source": np.zeros((9, 12), np.float32)}, "none of its 108 pixels is valid"),
        ({"source": np.zeros((0, 12), np.float32)}, "source: shape"),
        ({"source": SOURCE[None]}, "source: shape"),
        ({"source": SOURCE.astype(np.int32)}, "source: type int32"),
        ({"guide": GUIDE[:0]}, "guide: shape"),
        ({"guide": GUIDE[0, 0]}, "guide: shape"),
        ({"guide": np.zeros((18, 24, 7), np.uint8)}, "guide: shape"),
        ({"guide": np.zeros((18, 24, 4), np.uint8)}, "guide: shape"),
        ({"guide": GUIDE.astype(np.int64)}, "guide: type int64, expected uint8"),
        ({"guide": GUIDE > 9}, "guide: type bool, expected uint8"),
    ],
)
def test_an_unusable_image_is_refused_with_or_without_a_scale(images, complaint, scale):
    with pytest.raises(InputError, match=complaint):
        super_resolve(scale=scale, **images)


def test_a_guide_smaller_than_the_source_is_refused():
    with pytest.raises(InputError, match="guide: 12x8 is smaller than the source's 12x9"):
        super_resolve(guide=GUIDE[:8, :12])


def test_progress_goes_to_stderr_or_to_a_function(capsys):
    seen = []
    quiet = super_resolve(progress=seen.append)
    assert seen and seen[0].iteration == 0
    assert capsys.readouterr() == ("", "")
    loud = super_resolve(progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "100 %" in err
    assert same_bits(quiet, loud)


def test_a_budget_of_seconds_ends_the_work():
    result = super_resolve(iterations=None, budget_seconds=0.5)
    assert result.info["stopped_by"] == "deadline"
    assert result.info["seconds"] < 30  # the deadline, one iteration and the prediction
