"""Credit as it is kept beside a customer's state: what each channel bears, read in microseconds and refreshed later.

Compact JSON: `{"f": 1, "p": policy's version, "a": microseconds since 1970, "n": number of the last entry of the
ledger that it knows, "m": mark of the model, "c": {channel: [value, low, high, welcome,
drive_away, blind, level, model, touches, why_not, rest]}}`, rest being microseconds since 1970 or null, with "s", the whole state of credit, where it is kept too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import msgspec

from primeta.attention.credit import CreditEvent
from primeta.attention.records import Credit, Level, Policy

FORMAT = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAN = float("nan")


class _Kept(msgspec.Struct, gc=False):
    f: int
    p: int
    a: int
    c: dict[str, tuple[Any, ...]]
    n: int = 0
    m: str = ""


_decode = msgspec.json.Decoder(_Kept).decode
_FIGURES = ("value", "low", "high", "welcome", "drive_away", "blind")


def pack_credit(
    credits: Mapping[str, Credit],
    *,
    policy: Policy,
    at: datetime,
    number: int = 0,
    model: str = "",
    state: Mapping[str, Any] | None = None,
) -> bytes:
    """By channel, as worked out at a moment under a policy.

    Args:
        number: Of the last entry of the ledger that it knows.
        model: Mark of the model that worked it out.
    """
    kept: dict[str, Any] = {
        "f": FORMAT,
        "p": policy.version,
        "a": (at - EPOCH) // timedelta(microseconds=1),
        "n": number,
        "m": model,
        "c": {
            channel: [
                *(_number(getattr(credit, name)) for name in _FIGURES),
                credit.level,
                credit.model,
                credit.touches,
                credit.why_not,
                None
                if credit.rest_until is None
                else (credit.rest_until - EPOCH) // timedelta(microseconds=1),
            ]
            for channel, credit in credits.items()
        },
    }
    if state is not None:
        kept["s"] = state
    return msgspec.json.encode(kept)


def kept_channels(kept: bytes) -> tuple[str, ...]:
    """The channels of which anything is kept."""
    return tuple(_decode(kept).c)


def unpack_credit(kept: bytes | None, *, channel: str, policy: Policy) -> Credit | None:
    """Of one channel; None where nothing is kept of it."""
    if kept is None:
        return None
    told = _decode(kept)
    row = told.c.get(channel)
    if row is None:
        return None
    value, low, high, welcome, drive_away, blind, level, model, touches, why_not, *rest = row
    # what an earlier version kept knows of no rest
    until = rest[0] if rest else None
    credit = Credit(
        value=_NAN if value is None else value,
        low=_NAN if low is None else low,
        high=_NAN if high is None else high,
        welcome=_NAN if welcome is None else welcome,
        drive_away=_NAN if drive_away is None else drive_away,
        blind=_NAN if blind is None else blind,
        level=level,
        model=model,
        touches=touches,
        as_of=EPOCH + timedelta(0, 0, told.a),
        why_not=why_not,
        rest_until=None if until is None else EPOCH + timedelta(0, 0, until),
    )
    if told.p == policy.version:
        return credit
    # The policy has changed since: what the same credit allows is worked out anew.
    from primeta.attention.credit import level_of

    return replace(credit, level=level_of(credit, policy, channel=channel))


def unpack_all(kept: bytes, *, policy: Policy) -> dict[str, Credit]:
    """Of every channel of which anything is kept."""
    found = ((name, unpack_credit(kept, channel=name, policy=policy)) for name in _decode(kept).c)
    return {name: credit for name, credit in found if credit is not None}


class _Row(msgspec.Struct, array_like=True, gc=False):
    value: msgspec.Raw
    low: msgspec.Raw
    high: msgspec.Raw
    welcome: msgspec.Raw
    drive_away: msgspec.Raw
    blind: msgspec.Raw
    level: Level
    model: msgspec.Raw = msgspec.Raw()
    touches: int = 0
    why_not: str = ""
    rest: int | None = None


class _Levels(msgspec.Struct, gc=False):
    p: int
    c: dict[str, _Row]


_levels = msgspec.json.Decoder(_Levels).decode


def level_kept(kept: bytes | None, *, channel: str, policy: Policy) -> Level | Literal["resting"] | None:
    """What is kept of one channel allows; `resting`: ask `decide`; None where nothing is kept of it."""
    if kept is None:
        return None
    told = _levels(kept)
    row = told.c.get(channel)
    if row is None:
        return None
    if row.rest is not None and policy.rest_when_blind:
        return "resting"
    if told.p == policy.version:
        return row.level
    credit = unpack_credit(kept, channel=channel, policy=policy)
    return None if credit is None else credit.level


def is_fresh(
    kept: bytes | None, *, number: int, policy: Policy, model: str, now: datetime, at_most: timedelta
) -> bool:
    """Whether what is kept knows the newest entry, this policy and this model, and is not too old."""
    if kept is None:
        return False
    told = _decode(kept)
    age = now - (EPOCH + timedelta(0, 0, told.a))
    return (told.n, told.p, told.m) == (number, policy.version, model) and age <= at_most


class Told(Protocol):
    """What `credit_events` looks at of an entry."""

    @property
    def kind(self) -> str: ...
    @property
    def happened_at(self) -> datetime: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...
    @property
    def salt(self) -> str: ...


CREDIT_KINDS = ("touch", "reaction", "broken", "kept")


def credit_events(entries: Iterable[Told]) -> list[CreditEvent]:
    """What entries of the ledger say to credit: human clicks and replies welcome, opt-outs and complaints drive away."""
    found = []
    channels: dict[str, str] = {}
    kept = [entry for entry in entries if entry.salt]
    for entry in kept:
        told = entry.payload
        if entry.kind == "touch" and not told.get("withheld") and not told.get("unverifiable"):
            channels[str(told["message_id"])] = str(told["channel"])
            found.append(
                CreditEvent(
                    kind="touch",
                    at=entry.happened_at,
                    channel=str(told["channel"]),
                    purpose=told["purpose"],
                    message_id=str(told["message_id"]),
                )
            )
    for entry in kept:
        told = entry.payload
        if entry.kind in ("broken", "kept"):
            found.append(
                CreditEvent(kind=entry.kind, at=entry.happened_at, channel=str(told.get("channel") or ""))  # type: ignore[arg-type]
            )
        elif entry.kind == "reaction" and not told.get("machine"):
            kind = {
                "clicked": "welcomed",
                "replied": "welcomed",
                "unsubscribed": "drove-away",
                "complained": "drove-away",
            }
            came = kind.get(str(told.get("kind")))
            message = str(told.get("message_id") or "")
            channel = str(told.get("channel") or channels.get(message, ""))
            if came and channel:
                found.append(
                    CreditEvent(kind=came, at=entry.happened_at, channel=channel, message_id=message)  # type: ignore[arg-type]
                )
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
