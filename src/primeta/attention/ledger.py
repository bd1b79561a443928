"""What may be written into the ledger: an event of one kind, checked field by field before it is chained."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, get_args

from primeta.attention.records import PROCESSINGS, PURPOSES, EntryKind, ReactionKind
from primeta.errors import BadInput

KINDS: tuple[str, ...] = get_args(EntryKind)
MEANS = ("stop-all", "stop-channel", "only-channels", "less-often", "delete-data")
"""What a wish may mean: write nothing more, nothing on these channels, only on these, less often, forget me."""
VERDICTS = ("confirmed", "released")
LONGEST_KEY = 512
LONGEST_PAYLOAD = 200_000
"""Letters of canonical JSON: a text as shown fits, a file does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is to be written; `store.ledger.append` gives it number, `learnt_at`, salt and chain."""

    key: str
    """The sender's own id of the event: told twice it is one entry. Make one with `key_of` where there is none."""
    kind: EntryKind
    customer_id: str
    """Empty where it is about nobody in particular, such as `erased`."""
    happened_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    by: str = "primeta"
    """A person, or the system that told it; never the customer's name."""


def checked(event: Event) -> Event:
    """The same event with its texts in order: channels in small letters, times in UTC, unknown values marked.

    A consent, reaction or touch with a processing or a purpose that Primeta does not know is kept with
    `unverifiable: true`: nothing is lost and nothing is allowed by it. See `fold` for the safe side.

    Raises:
        BadInput: no such kind, a field that the kind needs is missing, of the wrong type or not known.
    """
    check_outside(event)
    return Event(
        key=whole_text(event.key),
        kind=event.kind,
        customer_id=whole_text(event.customer_id),
        happened_at=event.happened_at.astimezone(UTC),
        payload=checked_payload(event),
        by=whole_text(event.by),
    )


def check_outside(event: Event) -> None:
    """All but the payload.

    Raises:
        BadInput: as `checked`.
    """
    key, customer_id = event.key, event.customer_id
    if event.kind not in FIELDS:
        raise BadInput(f"{event.kind!r} is no kind of entry; expected one of {', '.join(KINDS)}")
    if not key or len(key) > LONGEST_KEY or "\0" in key:
        raise BadInput(
            f"{_where(event)}: an entry needs a key of 1 to {LONGEST_KEY} letters: the sender's own id of the event"
        )
    if event.happened_at.tzinfo is None:
        raise BadInput(f"{_where(event)}: happened_at {event.happened_at.isoformat()} has no time zone")
    if not 1900 <= event.happened_at.year <= 9000:
        raise BadInput(
            f"{_where(event)}: happened_at {event.happened_at.isoformat()} is no time of a customer; check the year"
        )
    if not customer_id and event.kind not in WITHOUT_CUSTOMER:
        raise BadInput(f"{_where(event)}: customer_id is empty; say whom it is about")
    if "\0" in customer_id or "\0" in event.by:
        raise BadInput(f"{_where(event)}: customer_id or by holds a zero byte")


def checked_payload(event: Event) -> dict[str, Any]:
    """The payload in order; depends on kind and payload alone.

    Raises:
        BadInput: as `checked`.
    """
    payload = _clean(event.payload, event)
    _check_fields(event.kind, payload, event)
    if sum(len(value) for value in payload.values() if isinstance(value, str)) > LONGEST_PAYLOAD:
        raise BadInput(f"{_where(event)}: at most {LONGEST_PAYLOAD:,} letters fit into an entry")
    return payload


def _where(event: Event) -> str:
    return f"{event.kind} {event.key[:80]!r}" if event.key else event.kind


def key_of(*parts: object) -> str:
    """A key for an event whose sender has none: the same parts give the same key."""
    text = "\x1f".join(part.isoformat() if isinstance(part, datetime) else str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def text_hash(text: str) -> str:
    """SHA-256 of a text as shown, in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


EVENT_KEYS = ("key", "kind", "customer_id", "happened_at", "payload", "by")


def event_of(told: Any, *, by: str, zone: tzinfo) -> Event:
    """An event as a system tells it: a JSON object with EVENT_KEYS. What it says is checked when it is written.

    Args:
        by: Who told, where the object does not say.
        zone: Of a time that carries none.
    Raises:
        BadInput: it is no such object.
    """
    if not isinstance(told, Mapping) or not isinstance(told.get("payload", {}), Mapping):
        raise BadInput(f"an object with {', '.join(EVENT_KEYS)} was expected")
    unknown = [name for name in told if name not in EVENT_KEYS]
    if unknown:
        raise BadInput(
            f"{unknown[0]!r} is not known; expected {', '.join(EVENT_KEYS)}. What an event says stands in its payload."
        )
    try:
        moment = datetime.fromisoformat(str(told["happened_at"]))
    except (KeyError, ValueError):
        raise BadInput(
            f"happened_at is {told.get('happened_at')!r}; expected a time such as 2026-11-26T09:30:00Z"
        ) from None
    return Event(
        key=str(told.get("key") or ""),
        kind=str(told.get("kind", "")),  # type: ignore[arg-type]
        customer_id="" if told.get("customer_id") is None else str(told["customer_id"]),
        happened_at=moment if moment.tzinfo else moment.replace(tzinfo=zone),
        payload=told.get("payload", {}),
        by=str(told.get("by") or by),
    )


# Fields

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_flag(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_maybe_count(value: Any) -> bool:
    return value is None or _is_count(value)


def _is_hours(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) == 2 and all(_is_count(hour) and hour <= 24 for hour in value)
    )


def _is_ranges(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(_is_count(number) for number in pair)
        for pair in value
    )


def _one_of(*choices: str) -> Check:
    return lambda value: value in choices


STATES = ("given", "withdrawn", "refused", "never")
_PROOF = {
    "text": _is_text, "version": _is_text, "language": _is_text, "surface": _is_text, "text_hash": _is_text,
    "controller": _is_text, "legal_basis": _is_text, "source": _is_text, "unverifiable": _is_flag,
}  # fmt: skip
_MESSAGE = {
    "channel": _is_text,
    "purpose": _is_text,
    "campaign": _is_text,
    "programme": _is_text,
    "team": _is_text,
}

# Kind → (what it needs, what it may have besides). Decisions and promises may carry anything more.
FIELDS: dict[str, tuple[dict[str, Check], dict[str, Check] | None]] = {
    "notice": ({"name": _is_filled}, _PROOF),
    "consent": (
        {"processing": _is_filled, "channel": _is_text, "state": _one_of(*STATES)},
        {**_PROOF, "accepted_by": _is_text, "accepted_reason": _is_text, "message_id": _is_text, "wish": _is_text},
    ),
    "preference": (
        {},
        {
            "topics": lambda value: value is None or _is_texts(value),
            "channels": lambda value: value is None or _is_texts(value),
            "max_per_week": _is_maybe_count,
            "hours": _is_hours,
            "language": lambda value: value is None or _is_text(value),
            "surface": _is_text,
            "wish": _is_text,
            # What he read when he chose; `language` is what he chose.
            "text": _is_text,
            "version": _is_text,
            "text_hash": _is_text,
            "shown_in": _is_text,
            "message_id": _is_text,
        },
    ),
    "promise": ({"name": _is_filled, "version": _is_count, "text": _is_text}, None),
    "wish": (
        {"means": _one_of(*MEANS), "sentence": _is_text},
        {
            "channels": _is_texts, "max_per_week": _is_maybe_count, "found_in": _is_text, "language": _is_text,
            "found_by": _is_text,
        },
    ),
    "wish-confirmed": (
        {"wish": _is_filled, "verdict": _one_of(*VERDICTS)},
        {"max_per_week": _is_maybe_count, "channels": _is_texts, "note": _is_text},
    ),
    "decision": ({"allowed": lambda value: isinstance(value, bool), "rule": _is_filled}, None),
    "touch": (
        {"message_id": _is_filled, "channel": _is_filled, "purpose": _is_filled},
        {
            **_MESSAGE, "cost": _is_number, "withheld": _is_flag, "probability": _is_number, "personal": _is_flag,
            "unverifiable": _is_flag, "title": _is_text, "text": _is_text,
        },
    ),
    "reaction": (
        {"message_id": _is_text, "kind": _is_filled},
        {**_MESSAGE, "machine": _is_flag, "unverifiable": _is_flag, "surface": _is_text},
    ),
    "kept": ({"promise": _is_filled, "version": _is_count}, {**_MESSAGE, "message_id": _is_text, "code": _is_text}),
    "broken": (
        {"promise": _is_filled, "version": _is_count},
        {**_MESSAGE, "message_id": _is_text, "code": _is_text, "knowable": _is_flag},
    ),
    "access": ({"what": _is_filled}, {"request": _is_text}),
    "suppressed": ({"reason": _is_text}, {"digest": _is_text, "request": _is_text}),
    "erased": (
        {"numbers": _is_ranges},
        {
            "digest": _is_text, "reason": _is_text, "request": _is_text, "receipt": _is_text, "retention": _is_text,
            "before": _is_text,
        },
    ),
}  # fmt: skip
_KNOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "consent": ("processing", PROCESSINGS),
    "touch": ("purpose", PURPOSES),
    "reaction": ("kind", get_args(ReactionKind)),
}
WITHOUT_CUSTOMER = ("suppressed", "erased", "decision", "kept", "broken", "promise", "notice")


def _check_fields(kind: str, payload: dict[str, Any], event: Event) -> None:
    needs, may = FIELDS[kind]
    for name, check in needs.items():
        if name not in payload:
            raise BadInput(f"{_where(event)}: {name} is missing; expected {', '.join(needs)}")
        if not check(payload[name]):
            raise _unusable(event, name, payload[name])
    for name, value in payload.items():
        if name in needs or may is None:
            continue
        if name not in may:
            raise BadInput(f"{_where(event)}: {name!r} is not known; expected {', '.join((*needs, *may))}")
        if not may[name](value):
            raise _unusable(event, name, value)
    if isinstance(payload.get("channel"), str):
        payload["channel"] = payload["channel"].strip().lower()
    if isinstance(payload.get("channels"), list):
        payload["channels"] = sorted({entry.strip().lower() for entry in payload["channels"]})
    known = _KNOWN.get(kind)
    if known is not None and payload[known[0]] not in known[1]:
        payload["unverifiable"] = True
    if payload.get("text") and kind in ("consent", "notice"):
        shown = text_hash(payload["text"])
        if payload.setdefault("text_hash", shown) != shown:
            raise BadInput(
                f"{_where(event)}: text_hash {payload['text_hash'][:16]}… is not that of the text; expected SHA-256 "
                f"of the text as shown in UTF-8, {shown[:16]}…, or leave it out"
            )


def _unusable(event: Event, name: str, value: Any) -> BadInput:
    return BadInput(f"{_where(event)}: {name} = {_short(value)} cannot be used{_expected(event.kind, name)}")


def _expected(kind: str, name: str) -> str:
    choices = {
        ("consent", "state"): STATES,
        ("wish", "means"): MEANS,
        ("wish-confirmed", "verdict"): VERDICTS,
    }.get((kind, name))
    if choices:
        return f"; expected one of {', '.join(choices)}"
    if name == "hours":
        return "; expected two hours from 0 to 24, such as [9, 21]"
    return ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _clean(payload: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """Only what JSON has: times as texts, numbers that are numbers, texts without broken letters."""
    plain: dict[str, Any] = {}
    try:
        for name, value in payload.items():
            if type(name) is not str or not name.isascii():
                name = whole_text(str(name))
            plain[name] = value if type(value) is str and value.isascii() else _plain(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"{_where(event)}: the payload cannot be kept ({error})") from None
    return plain


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, float):
        # Unknown is null, in JSON and in the ledger.
        return value if value - value == 0 else None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no zone")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {whole_text(str(name)): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        entries = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(entry) for entry in entries]
    if hasattr(value, "item"):
        return _plain(value.item())
    raise TypeError(f"{type(value).__name__} is no JSON")


def whole_text(value: str) -> str:
    """Half a surrogate pair cannot be written to a database."""
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode("utf-8")
