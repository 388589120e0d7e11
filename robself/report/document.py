"""A page as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def html(template: str, filters: dict[str, Callable[..., Any]], **values: Any) -> str:
    """A template of `robself/templates`, filled in; everything but the template's own text is escaped."""
    # Names and settings come from recordings, files and users.
    environment = Environment(
        loader=PackageLoader("robself"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= filters
    return environment.get_template(template).render(**values)


def data_uri(kind: str, data: bytes) -> str:
    """A file's content in the place of its address; `kind` as in "image/png"."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
