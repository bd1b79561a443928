"""Records to JSON and back, by their type annotations."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(record: Any) -> Any:
    """Plain lists, dicts and texts. NaN becomes "NaN": PostgreSQL's JSON has no such number."""
    return _named_floats(
        _adapter(type(record)).dump_python(record, mode="json", fallback=_plain, warnings=False)
    )


def from_json(kind: type[T], document: Any) -> T:
    """The record that `to_json` wrote."""
    return _adapter(kind).validate_python(document)


def _plain(value: Any) -> Any:
    """numpy's scalars are no JSON; their Python equals are."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _named_floats(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {key: _named_floats(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_named_floats(entry) for entry in value]
    return value
