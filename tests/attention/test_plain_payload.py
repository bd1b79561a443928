"""Touches and reactions that are recognised at a glance are written as the general checks would write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.chain import canonical, commitment_of, stamp
from primeta.attention.fold import Told, extend, fold, newcomer
from primeta.attention.ledger import Event, checked, checked_payload
from primeta.attention.plain_payload import is_in_order
from primeta.attention.records import PURPOSES, Entry, ReactionKind
from primeta.errors import BadInput
from primeta.privacy.keys import Keys
from primeta.store.prepared import prepare

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TEXTS = st.one_of(
    st.sampled_from(
        ["", "push", " Push", "EMAIL", "весна", "m\ud83d", "a\0b", *PURPOSES, *get_args(ReactionKind)]
    ),
    st.text(max_size=8),
)
VALUES = st.one_of(
    TEXTS,
    TEXTS,
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from([NOW, ["a"], object()]),
)
LIKELY = {
    "message_id": TEXTS,
    "channel": st.sampled_from(["push", "email", "", "Push "]),
    "purpose": st.sampled_from([*PURPOSES, "unknown"]),
    "kind": st.sampled_from([*get_args(ReactionKind), "spam"]),
    "campaign": TEXTS,
    "probability": st.one_of(st.floats(), st.integers(0, 1), st.none()),
    "withheld": st.one_of(st.booleans(), st.none()),
    "machine": st.booleans(),
}
PAYLOADS = st.one_of(
    st.fixed_dictionaries(
        {name: LIKELY[name] for name in ("message_id", "channel", "purpose")},
        optional={name: LIKELY[name] for name in ("campaign", "probability", "withheld")},
    ),
    st.fixed_dictionaries(
        {name: LIKELY[name] for name in ("message_id", "kind")},
        optional={name: LIKELY[name] for name in ("channel", "machine", "purpose")},
    ),
    st.dictionaries(st.sampled_from([*LIKELY, "unverifiable", "colour", "cost"]), VALUES, max_size=5),
)


def told(kind: str, payload: dict) -> Event:
    return Event(key="k", kind=kind, customer_id="7", happened_at=NOW, payload=payload)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(["touch", "reaction", "consent"]), payload=PAYLOADS)
def test_what_is_in_order_at_a_glance_the_general_checks_hand_back_as_it_is(kind, payload):
    if is_in_order(kind, payload):
        assert checked_payload(told(kind, payload)) == payload
        assert canonical(checked_payload(told(kind, payload))) == canonical(payload)


def test_what_tables_tell_mostly_is_in_order():
    touch = {
        "message_id": "m1",
        "channel": "push",
        "purpose": "offer",
        "campaign": "весна",
        "probability": 0.5,
    }
    assert is_in_order("touch", touch)
    assert is_in_order(
        "reaction", {"message_id": "m1", "kind": "clicked", "channel": "push", "machine": False}
    )
    for change in (
        {"channel": "Push"},
        {"purpose": "gift"},
        {"probability": float("nan")},
        {"colour": "red"},
    ):
        assert not is_in_order("touch", {**touch, **change})


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(["touch", "reaction"]),
    payload=PAYLOADS,
    key=st.text(min_size=1, max_size=5).filter(lambda key: "\0" not in key),
    hours=st.integers(-12, 12),
)
def test_what_is_prepared_commits_to_what_was_checked(kind, payload, key, hours):
    event = Event(
        key=key, kind=kind, customer_id="ё7", happened_at=(NOW + timedelta(hours=hours)), payload=payload
    )
    try:
        expected = checked(event)
    except BadInput:
        with pytest.raises(BadInput):
            prepare([event], Keys(b"k" * 32))
        return
    (one,) = prepare([event], Keys(b"k" * 32))
    assert one.event == expected
    assert one.text == canonical(expected.payload)
    assert one.commitment == commitment_of(
        salt=one.salt,
        key=expected.key,
        kind=kind,
        customer_id=expected.customer_id,
        happened_at=stamp(expected.happened_at),
        payload=one.text,
    )


@settings(max_examples=60, deadline=None)
@given(payloads=st.lists(st.tuples(st.sampled_from(["touch", "reaction"]), PAYLOADS), max_size=8))
def test_a_state_extended_by_what_is_told_is_the_fold_of_its_entries(payloads):
    entries = []
    for number, (kind, payload) in enumerate(payloads, start=1):
        try:
            plain = checked_payload(told(kind, payload))
        except BadInput:
            continue
        entries.append(
            Entry(
                number=number,
                key=f"k{number}",
                kind=kind,
                customer_id="7",
                happened_at=NOW - timedelta(hours=number),
                learnt_at=NOW,
                payload=plain,
                salt="s",
                commitment="",
                chain="",
                by="x",
            )
        )
    brief = [
        Told(e.key, e.kind, e.customer_id, e.happened_at, e.learnt_at, e.payload, e.salt) for e in entries
    ]
    assert extend(newcomer("7"), brief) == fold(entries, customer_id="7")
