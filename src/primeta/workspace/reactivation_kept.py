"""Answers as they are kept in `cache/reactivation/`: JSON that becomes the same records again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np

from primeta.errors import BadInput, Refused
from primeta.workspace.files import write_whole

T = TypeVar("T")
What = TypeVar("What", bound=str)
FORMAT = 1
FOLDER = "cache/reactivation"
Progress = Callable[[str, int, int], None]


class NotKept(Refused):
    """Only what is kept was asked for, and this is not: it would have to be worked out.

    Args:
        what: In words, such as "the ladder of autumn".
        usual: The question is the one whose answer is kept once a job has worked it out.
    """

    def __init__(self, what: str, *, usual: bool) -> None:
        self.usual = usual
        super().__init__(
            f"{what} is not worked out yet"
            if usual
            else f"{what}: this is another question than the one whose answer is kept"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record as it was kept: of which question, on which facts, when."""

    record: Any
    mark: str
    """Changes with everything that the record is made of."""
    at: datetime


def file_name(name: str) -> str:
    """A campaign in the name of a file: campaigns may be called anything, so theirs is quoted and told apart."""
    return f"{quote(name, safe='')[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def keep(path: Path, record: Any, *, mark: str, at: datetime) -> None:
    """Write a record whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {"format": FORMAT, "mark": mark, "at": at.isoformat(), "record": encoded(record)}
    write_whole(path, json.dumps(body, ensure_ascii=False))


def kept(path: Path, kind: type[T]) -> Kept | None:
    """What was kept there; None where there is nothing, or where another version wrote it."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return _read(path, kind, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _read(path: Path, kind: type[Any], _changed: int, _size: int) -> Kept | None:
    """A file is written whole under a new inode, so that its time and size tell one from another."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != FORMAT:
            return None
        return Kept(
            record=decoded(kind, body["record"]), mark=body["mark"], at=datetime.fromisoformat(body["at"])
        )
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        # A cache: what cannot be read is worked out again.
        return None


def each(
    wanted: Sequence[tuple[What, str]], work: Callable[[What, str], object], progress: Progress | None
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Work out one answer after another; one that cannot be worked out does not stop the rest.

    Args:
        wanted: (what, campaign).
    Returns:
        How many were worked out; (campaign, why not) of those that could not be.
    """
    failed: list[tuple[str, str]] = []
    for place, (what, name) in enumerate(wanted):
        if progress is not None:
            progress(what, place, len(wanted))
        try:
            work(what, name)
        except (BadInput, Refused) as error:
            failed.append((name, str(error)))
    if progress is not None and wanted:
        progress(wanted[-1][0], len(wanted), len(wanted))
    return len(wanted) - len(failed), tuple(failed)


def encoded(value: Any) -> Any:
    """Plain JSON; what JSON has no word for is tagged."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {entry.name: encoded(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return [encoded(entry) for entry in value.tolist()]
    if isinstance(value, Mapping):
        return {"$pairs": [[encoded(key), encoded(entry)] for key, entry in value.items()]}
    if isinstance(value, tuple | list):
        return [encoded(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, date):
        return {"$day": value.isoformat()}
    if isinstance(value, Path):
        return {"$path": str(value)}
    return value


def decoded(kind: Any, value: Any) -> Any:
    """The record of a kind from its JSON.

    Raises:
        KeyError, TypeError, ValueError: it is the JSON of something else.
    """
    if isinstance(value, dict):
        if "$float" in value:
            return float(value["$float"])
        if "$day" in value:
            return date.fromisoformat(value["$day"])
        if "$moment" in value:
            return datetime.fromisoformat(value["$moment"])
        if "$path" in value:
            return Path(value["$path"])
        if "$pairs" in value:
            key, entry = _pair(kind)
            return {decoded(key, one): decoded(entry, other) for one, other in value["$pairs"]}
        return _record(kind, value)
    if isinstance(value, list):
        return _several(kind, value)
    return value


def _record(kind: Any, value: dict[str, Any]) -> Any:
    kind = next((entry for entry in _choices(kind) if dataclasses.is_dataclass(entry)), None)
    if kind is None:
        raise TypeError("a record of a known kind was expected")
    hints = _hints(kind)
    return kind(**{name: decoded(hints[name], entry) for name, entry in value.items()})


def _several(kind: Any, value: list[Any]) -> Any:
    for choice in _choices(kind):
        origin, parts = typing.get_origin(choice), typing.get_args(choice)
        if origin is np.ndarray:
            dtype = typing.get_args(parts[1])[0]
            return np.array([decoded(Any, entry) for entry in value], dtype=dtype)
        if origin is tuple:
            if len(parts) == 2 and parts[1] is Ellipsis:
                return tuple(decoded(parts[0], entry) for entry in value)
            return tuple(decoded(part, entry) for part, entry in zip(parts, value, strict=True))
    return [decoded(Any, entry) for entry in value]


def _pair(kind: Any) -> tuple[Any, Any]:
    """Kinds of key and value of the mapping that a kind is or may be."""
    for choice in _choices(kind):
        parts = typing.get_args(choice)
        origin = typing.get_origin(choice)
        if len(parts) == 2 and isinstance(origin, type) and issubclass(origin, Mapping):
            return parts[0], parts[1]
    return Any, Any


def _choices(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.get_args(kind)
    return (kind,)


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
