"""pydantic's findings as one line: what key, what value, what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from robself.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
BOUNDS = (("gt", "more than"), ("ge", "at least"), ("lt", "less than"), ("le", "at most"))
OUT_OF_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


def validated(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """`values` as an instance of `model`.

    Args:
        where: what the values belong to, a file or a command, to begin the message with.

    Raises:
        ConfigError: the first unknown key, wrong type or value out of range, with what is allowed.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if not key:
        raise ConfigError(f"{where}: {_expectation(first['msg'])}")
    if first["type"] == "extra_forbidden":
        raise ConfigError(f"{where}: {unknown('key', key, keys(model))}")
    if first["type"] == "missing":
        raise ConfigError(f"{where}: {key} is missing")
    allowed = _range(model, first["loc"]) if first["type"] in OUT_OF_RANGE else _expectation(first["msg"])
    raise ConfigError(f"{where}: {key}: {first['input']!r}: {allowed}")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The line for a name that is not among the `known`, with the closest ones or all of them."""
    known = list(known)
    close = get_close_matches(name, known, cutoff=0.55)
    hint = f"did you mean {' or '.join(close)}?" if close else f"expected one of {', '.join(known)}"
    return f"unknown {what} {name!r}, {hint}"


def keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted names of the model's fields, nested ones included."""
    names: list[str] = []
    for name, field in model.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            names += keys(nested, f"{prefix}{name}.")
        else:
            names.append(prefix + name)
    return names


def _range(model: type[BaseModel], place: Sequence[str | int]) -> str:
    """All bounds of a number, of which pydantic tells the one that was crossed."""
    constraints: Sequence[Any] = ()
    for part in place:
        if isinstance(part, str):
            field = model.model_fields[part]
            model = constraints_of = field.annotation
            constraints = field.metadata
        else:  # of a list, whose items are Annotated
            constraints = get_args(constraints_of)[0].__metadata__[0].metadata
    told = [
        f"{text} {getattr(one, name):g}" for one in constraints for name, text in BOUNDS if hasattr(one, name)
    ]
    return f"expected {' and '.join(told)}"


def _expectation(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should be", "expected", 1)
    return message.replace("List should have", "expected", 1)
