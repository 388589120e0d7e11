"""Presets as Sec. 5.2 to 5.4 print them, and names that are unknown."""

import pytest
import torch

import robself
from robself.config import ModelConfig, RobSelfConfig
from robself.device import choose_device, compute_type
from robself.errors import ConfigError, RobSelfError

# preset: levels i, large kernel m, small kernel n, eta, separate heads, modality
PAPER = {
    "task1_x4": (4, 7, 5, 0.7, False, "depth"),  # Sec. 5.2
    "task1_x8": (5, 13, 7, 0.7, False, "depth"),
    "task2_x2": (3, 7, 5, 0.7, False, "depth"),  # Sec. 5.3
    "task2_x4": (4, 7, 5, 0.7, False, "depth"),
    "task3_x2": (4, 3, 3, None, True, "nir"),  # Sec. 5.4
    "task3_x4": (5, 3, 3, None, True, "nir"),
}


@pytest.mark.parametrize("variant", ["re", "de"])
@pytest.mark.parametrize("preset", PAPER)
def test_presets_are_the_papers_settings(preset, variant):
    config = RobSelfConfig.from_preset(preset, variant)
    model = config.model
    assert (
        model.levels,
        model.large_kernel,
        model.small_kernel,
        model.eta,
        model.separate_heads,
        config.modality,
    ) == PAPER[preset]
    assert model.channels == 64 and not model.residual
    assert (config.preset, config.variant, model.variant) == (preset, variant, variant)


def test_presets_are_the_papers_tasks_and_robot():
    assert robself.presets() == [*PAPER, "robot", "robot_nir"]


def test_defaults_are_robself_re_coarse_to_fine_seed_0():
    config = RobSelfConfig.from_preset("robot")
    assert (config.variant, config.schedule, config.modality, config.seed) == (
        "re",
        "coarse_to_fine",
        "depth",
        0,
    )


def test_a_tasks_preset_serves_the_other_modality_with_the_same_network():
    for preset, other in (("task3_x2", "depth"), ("robot", "nir")):
        own, serving = RobSelfConfig.from_preset(preset), RobSelfConfig.from_preset(preset, modality=other)
        assert (serving.modality, serving.model) == (other, own.model)


def test_robot_nir_is_the_papers_network_for_nir_with_half_the_channels():
    config = RobSelfConfig.from_preset("robot_nir")
    paper = RobSelfConfig.from_preset("task3_x4").model
    assert config.model == paper.model_copy(update={"channels": 32}) and config.modality == "nir"


@pytest.mark.parametrize(
    ("setting", "known"),
    [
        ({"name": "task1_x3"}, "task1_x4, .*robot"),
        ({"name": ""}, "task1_x4, .*robot"),
        ({"name": "robot", "variant": "Re"}, "re, de"),
        ({"name": "robot", "schedule": "fast"}, "coarse_to_fine, paper"),
        ({"name": "robot", "modality": "thermal"}, "depth, nir"),
    ],
)
def test_an_unknown_name_is_refused_naming_the_known_ones(setting, known):
    *_, (key, value) = setting.items()
    with pytest.raises(ConfigError, match=f"'{value}' is unknown, expected one of {known}") as raised:
        RobSelfConfig.from_preset(**setting)
    assert str(raised.value).startswith("preset" if key == "name" else key)
    assert isinstance(raised.value, RobSelfError)


def test_the_network_of_an_unknown_preset_is_refused_alike():
    with pytest.raises(ConfigError, match="expected one of"):
        robself.RobSelf.from_preset("task9")
    with pytest.raises(ConfigError, match="expected one of re, de"):
        robself.RobSelf.from_preset("robot", variant="xx")


@pytest.mark.parametrize("seed", ["x", -1, 2**63])
def test_a_seed_that_is_no_number_of_63_bits_is_a_typed_error(seed):
    with pytest.raises(ConfigError, match=f"seed: {seed!r}"):
        RobSelfConfig.from_preset("robot", seed=seed)


def test_configurations_do_not_change_and_know_all_their_fields():
    config = RobSelfConfig.from_preset("robot")
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 1
    with pytest.raises(ValueError, match="Extra inputs"):
        ModelConfig(kernel=3)


@pytest.mark.parametrize("kernel", ["large_kernel", "small_kernel"])
def test_an_even_kernel_has_no_centre_and_is_refused(kernel):
    with pytest.raises(ValueError, match="odd"):
        ModelConfig(**{kernel: 4})


def test_a_small_kernel_larger_than_the_large_one_is_refused():
    with pytest.raises(ValueError, match="small_kernel"):
        ModelConfig(large_kernel=5, small_kernel=7)


def test_auto_takes_the_gpu_where_there_is_one():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:63", "gpu", "", "cuda:x", "meta"])
def test_a_device_that_cannot_compute_is_refused_naming_those_that_can(name):
    with pytest.raises(ConfigError, match=f"device: '{name}' .*expected auto, cpu or cuda") as raised:
        choose_device(name)
    assert "\n" not in str(raised.value)


def test_the_device_says_which_type_it_multiplies():
    assert compute_type(torch.device("cpu")) in (torch.float32, torch.bfloat16)


@pytest.mark.parametrize(
    ("capability", "dtype"), [((6, 1), torch.float32), ((7, 5), torch.float32), ((8, 7), torch.bfloat16)]
)
def test_gpus_before_ampere_compute_in_float32_as_they_only_emulate_bfloat16(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    assert compute_type(torch.device("cuda")) == dtype
