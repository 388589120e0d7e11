"""Settings that are refused at once, with key, value and what is allowed: what the tests of each part leave out."""

import pytest
from test_cli import TOPICS, files  # noqa: F401  a fixture

from robself.cli import run
from robself.errors import ConfigError
from robself_ros.parameters import NodeParameters
from robself_ros.validation import validated

REPLAY = {
    "--distance nan": "distance: nan, expected 0 to 1000",
    "--factor-max nan": "factor_max: nan, expected 1 to 16",
    "--factor nan": "factor: nan, expected 0 (from the sizes), or 1 to 16",
    "--rpy 0 nan 0": "rpy: (0.0, nan, 0.0), expected -3.14159 to 3.14159",
    "--xyz 0 0 11": "xyz: (0.0, 0.0, 11.0), expected -10 to 10",
    "--slop nan": "slop_seconds: nan",
    "--depth-max nan": "depth_max nan m: expected 0 <= min < max",
    "--budget nan": "budget: nan, expected more than 0",
    "--seed -1": "Invalid value for '--seed'",
    "--variant ra": "variant: 'ra' is unknown, expected one of re, de",
    "--schedule slow": "schedule: 'slow' is unknown, expected one of coarse_to_fine, paper",
    "--modality sound": "modality: 'sound' is unknown, expected one of depth, nir",
}


@pytest.mark.parametrize(("option", "told"), REPLAY.items(), ids=REPLAY)
def test_a_command_refuses_what_is_out_of_range(files, capsys, option, told):  # noqa: F811
    assert run(["replay", "rec.mcap", *TOPICS, "-o", "out", *option.split()]) == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1 and not (files / "out").exists()


NODE = {
    "sync": ({"slop": 2.0}, "sync.slop: 2.0: expected more than 0 and at most 1"),
    "extrinsics": ({"rpy": [9.0, 0.0, 0.0]}, "rpy.0: 9.0: expected at least -3.14159 and at most 3.14159"),
    "depth_max": (float("nan"), "depth_max: nan: expected more than 0"),
    "calibration": (
        {"save_to": "/none/mine.yaml"},
        "'/none/mine.yaml': there is no folder /none, expected a file in",
    ),
}


@pytest.mark.parametrize(("name", "value", "told"), [(name, *rest) for name, rest in NODE.items()], ids=NODE)
def test_the_node_tells_all_bounds_of_what_is_out_of_range(name, value, told):
    with pytest.raises(ConfigError) as caught:
        validated(NodeParameters, {name: value}, "parameters")
    assert told in str(caught.value)
