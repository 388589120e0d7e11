"""Whatever a parameter or a preset is set to: it is taken, or refused with its name and what is allowed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from robself.config import ModelConfig, RobSelfConfig, presets
from robself.errors import ConfigError
from robself_ros.parameters import NodeParameters
from robself_ros.validation import keys, validated

NAMES = keys(NodeParameters)
VALUES = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=10),
    st.booleans(),
    st.none(),
    st.lists(st.floats(-20, 20), max_size=4),
)


def nested(name, value):
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


def entry(model: BaseModel, name: str):
    for part in name.split("."):
        model = getattr(model, part)
    return model


@given(st.sampled_from(NAMES), VALUES)
def test_a_parameter_is_taken_as_given_or_refused_by_name(name, value):
    try:
        taken = entry(validated(NodeParameters, nested(name, value), "node"), name)
    except ConfigError as error:
        message = str(error)
        assert message.startswith("node: ") and "\n" not in message
        # What does not fit another parameter is told with both.
        assert name.rpartition(".")[2] in message
        assert "expected" in message or "there is no" in message
        return
    assert tuple(taken) == tuple(value) if isinstance(value, list) else taken == value


@given(st.text(min_size=1, max_size=20))
def test_an_unknown_parameter_is_refused_by_name(name):
    assume(name not in NAMES and name not in NodeParameters.model_fields)
    with pytest.raises(ConfigError) as caught:
        validated(NodeParameters, {name: 1}, "node")
    assert str(caught.value).startswith(f"node: unknown key {name!r}, ")


@given(st.sampled_from(sorted(ModelConfig.model_fields)), VALUES, st.sampled_from(presets()))
def test_a_networks_setting_is_taken_or_refused(name, value, preset):
    settings = RobSelfConfig.from_preset(preset).model.model_dump()
    try:
        model = validated(ModelConfig, {**settings, name: value}, preset)
    except ConfigError as error:
        assert str(error).startswith(f"{preset}: ") and "\n" not in str(error)
        return
    assert model.large_kernel % 2 == model.small_kernel % 2 == 1
    assert model.small_kernel <= model.large_kernel and model.channels >= 4
