"""Events worked out before the transaction that writes them: checked, salted, committed to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, NamedTuple

from primeta.attention.chain import canonical, commitment_of, salts, stamp
from primeta.attention.ledger import Event, check_outside, checked_payload, whole_text
from primeta.attention.plain_payload import is_in_order
from primeta.privacy.keys import Keys


class Prepared(NamedTuple):
    """An event that is checked, with its salt, its commitment and the digest of its key."""

    event: Event
    text: str
    """The payload, canonical."""
    happened_at: str
    """As it is hashed."""
    salt: str
    commitment: str
    digest: bytes


def prepare(events: Iterable[Event], keys: Keys) -> list[Prepared]:
    """All that can be worked out before the transaction. A payload that several events share is checked once.

    Raises:
        BadInput: as `attention.ledger.checked`.
    """
    given = list(events)
    payloads: dict[tuple[str, int], tuple[dict[str, Any], str]] = {}
    prepared: list[Prepared] = []
    for event, salt in zip(given, salts(len(given)), strict=True):
        check_outside(event)
        payload: Mapping[str, Any] = event.payload
        if is_in_order(event.kind, payload):
            text = canonical(payload)
        else:
            shared = (event.kind, id(event.payload))
            if shared not in payloads:
                checked = checked_payload(event)
                payloads[shared] = (checked, canonical(checked))
            payload, text = payloads[shared]
        prepared.append(_prepared(_whole(event, payload), text, salt, keys))
    return prepared


def under_own_key(entry: Prepared, keys: Keys) -> Prepared:
    """The same event under a key that its content makes: told again it is known."""
    event = entry.event
    content = f"{event.kind}\n{event.customer_id}\n{event.happened_at.isoformat()}\n{entry.text}"
    mark = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    key = f"{event.key[:400]}#{mark}"
    return _prepared(
        Event(
            key=key,
            kind=event.kind,
            customer_id=event.customer_id,
            happened_at=event.happened_at,
            payload=event.payload,
            by=event.by,
        ),
        entry.text,
        entry.salt,
        keys,
    )


def same(first: Prepared, second: Prepared) -> bool:
    """Whether both say the same."""
    one, two = first.event, second.event
    return first.text == second.text and (one.kind, one.customer_id, one.happened_at) == (
        two.kind,
        two.customer_id,
        two.happened_at,
    )


def _whole(event: Event, payload: Mapping[str, Any]) -> Event:
    """The event with texts and time in order; itself, where they are."""
    if (
        payload is event.payload
        and event.happened_at.tzinfo is UTC
        and event.key.isascii()
        and event.customer_id.isascii()
        and event.by.isascii()
    ):
        return event
    return Event(
        key=whole_text(event.key),
        kind=event.kind,
        customer_id=whole_text(event.customer_id),
        happened_at=event.happened_at.astimezone(UTC),
        payload=payload,
        by=whole_text(event.by),
    )


def _prepared(event: Event, text: str, salt: str, keys: Keys) -> Prepared:
    when = stamp(event.happened_at)
    commitment = commitment_of(
        salt=salt,
        key=event.key,
        kind=event.kind,
        customer_id=event.customer_id,
        happened_at=when,
        payload=text,
    )
    return Prepared(event, text, when, salt, commitment, keys.event_digest(event.key))
