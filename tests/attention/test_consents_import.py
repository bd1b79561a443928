"""Rows of consents become entries with the proof that they have, and not more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from primeta.attention.import_consents import Counts, events_of
from primeta.attention.ledger import checked, text_hash
from primeta.errors import BadInput

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
# As DuckDB gives it: UTC without a zone.
WHEN = datetime(2025, 3, 1, 9, tzinfo=UTC).replace(tzinfo=None)
TEXT = "Согласен получать рекламу"


def row(**told):
    """A full row; `told` says what is different."""
    base = {
        "customer_id": "007", "processing": "marketing", "channel": "email", "state": "given", "happened_at": WHEN,
        "text": TEXT, "version": "3", "surface": "checkout", "legal_basis": "consent", "language": "ru",
        "controller": None, "text_hash": None,
    }  # fmt: skip
    return tuple({**base, **told}.values())


def taken(*rows, **options):
    counts = Counts()
    events = [checked(event) for event in events_of(rows, counts, now=NOW, by="Olga", **options)]
    return events, counts


def test_a_row_with_proof_is_a_consent_and_its_text_is_kept_once():
    events, counts = taken(row(), row(customer_id="8"))
    assert [event.kind for event in events] == ["notice", "consent", "consent"]
    assert events[0].payload["text"] == TEXT
    assert events[1].payload["text_hash"] == text_hash(TEXT)
    assert "text" not in events[1].payload
    assert (counts.rows, counts.given, counts.claims) == (2, 2, 0)


@pytest.mark.parametrize("missing", ["surface", "text"])
def test_without_proof_it_is_a_claim(missing):
    _, counts = taken(row(**{missing: None}))
    assert (counts.given, counts.claims) == (0, 1)


def test_a_named_person_may_take_claims_upon_himself_with_a_reason():
    (event,), counts = taken(row(text=None), accepted_by="Olga Petrova", accepted_reason="paper, box 12")
    assert (counts.accepted, counts.claims) == (1, 0)
    assert event.payload["accepted_by"] == "Olga Petrova"
    with pytest.raises(BadInput, match="both the name and the reason"):
        taken(row(), accepted_by="Olga Petrova")


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ({"state": "subscribed maybe"}, "unknown_state"),
        ({"processing": "newsletters"}, "unknown_processing"),
        ({"happened_at": None}, "undated"),
        ({"text_hash": "00" * 32}, "wrong_hash"),
        ({"happened_at": WHEN.replace(year=2030)}, "future"),
        ({"customer_id": None}, "without_customer"),
    ],
)
def test_what_is_odd_is_counted_with_an_example_and_gives_nothing(told, count):
    events, counts = taken(row(**told))
    assert getattr(counts, count) == 1
    assert count in counts.examples
    if count != "future":
        assert counts.given == 0
    assert len([event for event in events if event.kind == "consent"]) == (count != "without_customer")


@pytest.mark.parametrize(
    ("said", "state"),
    [("Unsubscribed", "withdrawn"), ("opt out", "withdrawn"), ("FALSE", "withdrawn"), ("отказ", "refused"),
     ("да", "given"), ("never", "never"), ("", "never")],
)  # fmt: skip
def test_states_in_other_words(said, state):
    events, _ = taken(row(state=said))
    assert events[-1].payload["state"] == state


def test_an_undated_opt_out_is_as_late_as_the_latest_row():
    latest = datetime(2026, 5, 1, tzinfo=UTC)
    (event,), _ = taken(row(state="withdrawn", happened_at=None, text=None), undated_at=latest)
    assert (event.happened_at, event.payload["state"]) == (latest, "withdrawn")


def test_the_same_row_is_the_same_event_and_another_is_not():
    first, again, other = taken(row())[0][-1], taken(row())[0][-1], taken(row(channel="push"))[0][-1]
    assert first.key == again.key != other.key
    undated = row(happened_at=None)
    assert taken(undated)[0][-1].key == taken(undated)[0][-1].key


def test_all_channels_may_be_written_as_a_word():
    assert taken(row(channel="all"))[0][-1].payload["channel"] == ""


def test_counts_are_told_in_both_languages():
    from primeta.attention.import_consents import ImportedConsents

    _, counts = taken(row(), row(customer_id="8", text=None), row(customer_id="9", state="withdrawn"))
    done = ImportedConsents(counts=counts, new=4, duplicates=0, conflicts=0, source="f.csv")
    assert (
        done.line("en")
        == "3 rows: 1 consents count, 1 are claims without proof and allow nothing, 1 are against."
    )
    assert "ничего не разрешают: 1" in done.line("ru")
    assert done.as_dict()["claims"] == 1
    assert "согласия с подтверждением" in done.table("ru").text()
