"""Any entry that is changed, removed, inserted or reordered is found, and said which; erasure is not a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.chain import (
    START,
    Head,
    canonical,
    check,
    commitment_of,
    link,
    numbers_in,
    ranges_of,
    salts,
    stamp,
)
from primeta.attention.records import Entry

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def chained(count: int, *, erased: tuple[int, ...] = (), names: tuple[int, ...] | None = None) -> list[Entry]:
    """So many entries; those in `erased` are empty and the last entry names `names` of them (default: all)."""
    entries, before = [], START
    for number, salt in enumerate(salts(count), start=1):
        moment = NOW + timedelta(minutes=number)
        last = number == count and bool(erased)
        payload = {"numbers": ranges_of(erased if names is None else names)} if last else {"n": number}
        kind = "erased" if last else "touch"
        told = {"key": f"k{number}", "kind": kind, "customer_id": f"c{number % 3}"}
        when = stamp(moment)
        commitment = commitment_of(salt=salt, payload=canonical(payload), happened_at=when, **told)
        before = link(
            before,
            number=number,
            kind=kind,
            happened_at=when,
            learnt_at=when,
            by="test",
            commitment=commitment,
        )
        entry = Entry(
            number=number, payload=payload, salt=salt, commitment=commitment, chain=before, by="test",
            happened_at=moment, learnt_at=moment, **told,
        )  # fmt: skip  # type: ignore[arg-type]
        if number in erased:
            entry = replace(entry, key="", customer_id="", payload={}, salt="")
        entries.append(entry)
    return entries


def head_of(entries: list[Entry]) -> Head:
    return Head(number=entries[-1].number, chain=entries[-1].chain)


def faults(entries: list[Entry], **told) -> list[tuple[int, str]]:
    return [(fault.number, fault.kind) for fault in check(entries, **told).faults]


def test_an_untouched_chain_is_whole():
    entries = chained(9)
    found = check(entries, head=head_of(entries), anchors=[head_of(entries[:4])])
    assert (found.ok, found.entries, found.erased) == (True, 9, 0)


CHANGES = {
    "key": "k0", "kind": "offer", "customer_id": "someone else", "payload": {"n": 99}, "by": "Mallory",
    "happened_at": NOW, "learnt_at": NOW + timedelta(days=1), "salt": "00" * 32, "commitment": "00" * 32,
    "chain": "00" * 32,
}  # fmt: skip


@pytest.mark.parametrize("column", CHANGES)
def test_a_change_of_any_column_is_found_at_its_entry(column):
    entries = chained(9)
    entries[4] = replace(entries[4], **{column: CHANGES[column]})
    assert 5 in {number for number, _ in faults(entries)}


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.data())
def test_whatever_is_removed_inserted_or_reordered_is_found(count, data):
    entries = chained(count)
    head = head_of(entries)
    place = data.draw(st.integers(0, count - 1))
    how = data.draw(st.sampled_from(("remove", "insert", "swap", "swap numbers", "empty")))
    if how == "remove":
        gone = entries.pop(place)
        expected = gone.number
    elif how == "insert":
        entries.insert(place, replace(entries[place], payload={"n": -1}))
        expected = entries[place].number
    elif how == "empty":
        entries[place] = replace(entries[place], key="", customer_id="", payload={}, salt="")
        expected = place + 1
    else:
        other = data.draw(st.integers(0, count - 1).filter(lambda at: at != place))
        one, two = entries[place], entries[other]
        if how == "swap numbers":
            one, two = replace(one, number=two.number), replace(two, number=one.number)
        entries[place], entries[other] = two, one
        expected = None
    found = check(entries, head=head)
    assert not found.ok
    assert expected is None or expected in {fault.number for fault in found.faults}


def test_a_chain_that_was_written_anew_does_not_match_a_saved_anchor():
    entries, forged = chained(9), chained(9)
    assert check(forged, head=head_of(forged)).ok
    assert faults(forged, anchors=[head_of(entries[:6])]) == [(6, "anchor")]
    assert faults(entries[:5], anchors=[head_of(entries)]) == [(9, "anchor-missing")]


def test_a_cut_off_end_does_not_match_the_head():
    entries = chained(9)
    assert faults(entries[:8], head=head_of(entries)) == [(9, "head")]


def test_erased_entries_leave_the_chain_whole_where_an_entry_says_so():
    assert check(chained(9, erased=(2, 3, 7))).ok
    assert check(chained(9, erased=(2, 3, 7))).erased == 3
    # Entry 7 was emptied, but only 2 and 3 were erased.
    assert faults(chained(9, erased=(2, 3, 7), names=(2, 3))) == [(7, "unerased")]


def test_half_an_erasure_is_a_change():
    entries = chained(9, erased=(2,))
    entries[1] = replace(entries[1], customer_id="c2")
    assert faults(entries) == [(2, "changed")]


def test_a_guess_cannot_be_checked_once_the_salt_is_gone():
    """The commitment of the same content under another salt is another."""
    told = {"key": "k", "kind": "touch", "customer_id": "c", "happened_at": stamp(NOW), "payload": "{}"}
    assert len({commitment_of(salt=salt, **told) for salt in salts(3)}) == 3  # type: ignore[arg-type]


def test_texts_that_run_into_each_other_are_told_apart():
    told = {"salt": "00" * 32, "happened_at": stamp(NOW), "payload": "{}", "kind": "touch"}
    one = commitment_of(key="a", customer_id="bc", **told)  # type: ignore[arg-type]
    assert one != commitment_of(key="ab", customer_id="c", **told)  # type: ignore[arg-type]


@given(st.sets(st.integers(1, 60)))
def test_ranges_name_the_same_numbers(numbers):
    assert numbers_in(ranges_of(numbers), below=61) == numbers


def test_at_most_so_many_faults_are_listed_and_all_are_counted():
    entries = [replace(entry, payload={"n": 0}) for entry in chained(50)]
    found = check(entries, most=5)
    assert (len(found.faults), found.found) == (5, 50)
