"""Promises as they are written: a JSON list of objects, each checked key by key and told by its place and line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Literal

from primeta.attention.policy import span_of
from primeta.attention.records import PURPOSES, Promise
from primeta.errors import BadInput, BadTable, NotFound

KEYS = (
    "promise", "name", "text", "version", "channel", "purpose", "customers", "max", "window", "hours", "purposes_only",
    "channels_only", "programmes_only", "personal_only", "deliver", "by", "stop_within", "valid_from", "valid_to",
)  # fmt: skip
Fail = Callable[[str], Exception]


def read_promises(path: Path | str, *, zone: tzinfo = UTC) -> tuple[Promise, ...]:
    """The promises of a JSON file.

    Args:
        zone: Of times without one; a day begins at its midnight there.
    Raises:
        NotFound: there is no such file.
        BadTable: it is no JSON list of promises; names the promise and, where it can, the line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"there is no file of promises {path}") from None
    except UnicodeDecodeError as error:
        raise BadTable(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    try:
        listed = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadTable(f"{path}, line {error.lineno}: not valid JSON: {error.msg}") from None
    except RecursionError:
        raise BadTable(f"{path}: nested too deeply; a list of promises was expected") from None
    return promises_from(listed, where=str(path), text=text, zone=zone)


def promises_from(
    listed: Any, *, where: str = "promises", text: str = "", zone: tzinfo = UTC
) -> tuple[Promise, ...]:
    """The promises of a list of objects; those that are a `Promise` already pass through.

    Args:
        where: The file, to begin a message.
        text: The file's text, from which lines are told.
    Raises:
        BadTable: as `read_promises`.
    """
    if not isinstance(listed, list | tuple):
        raise BadTable(
            f'{where}: a list such as [{{"promise": "p1", "text": "…", "max": 2, "window": "7d"}}] was expected'
        )
    found: list[Promise] = []
    seen: set[tuple[str, int]] = set()
    for place, told in enumerate(listed, start=1):

        def fail(message: str, place: int = place, told: Any = told) -> Exception:
            name = told.get("promise", "") if isinstance(told, dict) else ""
            line = _line_of(text, str(name)) if name else None
            there = f"{where}, line {line}" if line else f"{where}, promise {place}"
            return BadTable(f"{there}: {message}")

        if not isinstance(told, Promise | Mapping):
            raise fail(f"an object was expected, {told!r} was given")
        promise = told if isinstance(told, Promise) else promise_from(told, zone=zone, fail=fail)
        if (promise.name, promise.version) in seen:
            raise fail(
                f"the promise {promise.name!r} stands here twice in version {promise.version}; give it another version"
            )
        seen.add((promise.name, promise.version))
        found.append(promise)
    return tuple(found)


def promise_from(
    told: Mapping[str, Any], *, customer_id: str = "", zone: tzinfo = UTC, fail: Fail | None = None
) -> Promise:
    """One promise from its keys.

    Args:
        customer_id: To whom alone it was made; empty: as it says itself.
        fail: Makes the error, with its place; by default BadInput.
    Raises:
        BadInput: a key is unknown or has a wrong value.
    """
    name = str(told.get("promise") or told.get("name") or "")
    complain = fail or (lambda message: BadInput(f"promise {name!r}: {message}"))
    if not name:
        raise complain('a promise needs a name: "promise": "p1"')
    if fail is not None and (unknown := [key for key in told if key not in KEYS]):
        raise complain(f"{name}: the key {unknown[0]!r} is not known; expected some of {', '.join(KEYS)}")

    def wrong(key: str, expected: str) -> Exception:
        return complain(f"{name}: {key}: {expected} was expected, {told[key]!r} was given")

    def text(key: str) -> str | None:
        value = told.get(key)
        if value is not None and not isinstance(value, str):
            raise wrong(key, "a text in quotes or null")
        return value or None

    def texts(key: str, choices: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = told.get(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
            raise wrong(key, "a list of texts")
        if not value:
            raise wrong(key, "at least one text (an empty list allows nothing; leave the key out)")
        if choices and set(value) - set(choices):
            raise wrong(key, f"a list of {', '.join(choices)}")
        return tuple(value)

    def whole(key: str, otherwise: int | None, least: int) -> int | None:
        value = told.get(key)
        if value is None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise wrong(key, f"a whole number from {least}")
        return value

    def span(key: str) -> timedelta | None:
        if told.get(key) is None:
            return None
        if key == "stop_within" and told[key] in ("0m", "0h", "0d"):
            return timedelta(0)
        try:
            return span_of(told[key])
        except (ValueError, OverflowError):
            raise wrong(key, "a span such as 24h, 7d or 2w") from None

    def time(key: str) -> datetime | None:
        value = told.get(key)
        if value is None:
            return None
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day, tzinfo=zone)
        else:
            try:
                moment = datetime.fromisoformat(str(value))
            except ValueError:
                raise wrong(key, "a day or time such as 2026-01-01") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)

    purpose = text("purpose")
    if purpose is not None and purpose not in PURPOSES:
        raise wrong("purpose", f"one of {', '.join(PURPOSES)} or null")
    most, window = whole("max", None, 0), span("window")
    if (most is None) != (window is None):
        raise complain(f"{name}: max and window go together, such as max 2 and window 7d")
    if bool(told.get("deliver")) != bool(told.get("by")):
        raise complain(f"{name}: deliver and by go together: what was promised to come, and up to when")
    customers = told.get("customers", "all")
    if customer_id:
        customers = (customer_id,)
    elif customers is None or customers == "all":
        customers = "all"
    elif isinstance(customers, list | tuple):
        customers = tuple(str(one) for one in customers)
    else:
        raise wrong("customers", '"all" or a list of ids')
    personal = told.get("personal_only", False)
    if not isinstance(personal, bool | None):
        raise wrong("personal_only", "true or false")
    begins, ends = time("valid_from"), time("valid_to")
    if begins is not None and ends is not None and ends <= begins:
        raise complain(f"{name}: it ends (valid_to) before it begins (valid_from)")
    channel = text("channel")
    return Promise(
        name=name,
        text=str(told.get("text") or ""),
        version=whole("version", 1, 0) or 1,
        channel=channel.strip().lower() if channel else None,
        purpose=purpose,  # type: ignore[arg-type]
        customers=customers,
        max=most,
        window=window,
        hours=_hours(told, wrong),
        purposes_only=texts("purposes_only", PURPOSES),  # type: ignore[arg-type]
        channels_only=tuple(name.strip().lower() for name in texts("channels_only")),
        programmes_only=texts("programmes_only"),
        personal_only=bool(personal),
        deliver=text("deliver") or "",
        by=time("by"),
        stop_within=span("stop_within"),
        valid_from=begins,
        valid_to=ends,
    )


def _hours(told: Mapping[str, Any], wrong: Callable[[str, str], Exception]) -> tuple[int, int] | None:
    value = told.get("hours")
    if value is None:
        return None
    whole = isinstance(value, list | tuple) and len(value) == 2
    if (
        not whole
        or not all(isinstance(hour, int) and 0 <= hour <= 24 for hour in value)
        or value[0] == value[1]
    ):
        raise wrong("hours", "two different hours such as [9, 21]")
    return (value[0], value[1])


def in_force(promises: Iterable[Promise]) -> tuple[Promise, ...]:
    """The same with an end where a newer version of the same name begins; one replaced before it began falls away.

    A version without `valid_from` has been there always. Customers named in both versions are held to the newer one;
    where the older was made to all and the newer to some, these are held to both. Sorted by name and version.
    """
    by_name: dict[str, list[Promise]] = {}
    for promise in promises:
        by_name.setdefault(promise.name, []).append(promise)
    found: list[Promise] = []
    for name in sorted(by_name):
        for promise in sorted(by_name[name], key=_rank):
            newer = [one for one in by_name[name] if one.version > promise.version]
            found += _until_replaced(promise, newer)
    return tuple(found)


def _rank(promise: Promise) -> tuple[int, tuple[str, ...]]:
    return promise.version, () if promise.customers == "all" else promise.customers


def _until_replaced(promise: Promise, newer: Sequence[Promise]) -> list[Promise]:
    """A promise with the end that newer versions give it, customers with different ends apart."""
    always = datetime.min.replace(tzinfo=UTC)

    def ended(customers: Literal["all"] | tuple[str, ...], ends: list[datetime]) -> list[Promise]:
        end = min(ends if promise.valid_to is None else [*ends, promise.valid_to], default=None)
        if end is not None and end <= (promise.valid_from or always):
            return []
        return [replace(promise, customers=customers, valid_to=end)]

    for_all = [one.valid_from or always for one in newer if one.customers == "all"]
    if promise.customers == "all":
        return ended("all", for_all)
    alike: dict[tuple[datetime, ...], list[str]] = {}
    for customer in promise.customers:
        own = [
            one.valid_from or always for one in newer if one.customers != "all" and customer in one.customers
        ]
        alike.setdefault(tuple(sorted({*for_all, *own})), []).append(customer)
    return [one for ends, customers in sorted(alike.items()) for one in ended(tuple(customers), list(ends))]


def _line_of(text: str, name: str) -> int | None:
    """The line on which a promise is named."""
    quoted = json.dumps(name, ensure_ascii=False)
    for number, line in enumerate(text.splitlines(), start=1):
        if quoted in line and ('"promise"' in line or '"name"' in line):
            return number
    return None
