"""The panel of terms: what is kept in the folder, what is counted, and that the folder may be lost."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from primeta.signals.texts.panel_build import SCHEMA, TermStore, build, local_days, told_rows
from primeta.signals.texts.records import Story
from primeta.signals.texts.terms import TermReader
from primeta.sources.records import Document

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def said(name, text, *, days=0.0, owner="а", kind="community"):
    at = MONDAY + timedelta(days=days)
    return Document(
        id=name, source=owner, owner=owner, kind=kind, published_at=at, seen_at=at + timedelta(hours=1), title="",
        text=text,
    )  # fmt: skip


def alone(*documents):
    return [Story(first=one.id, owner=one.owner, members=(one.id,)) for one in documents]


def counts(built, term):
    """(owner, week) → stories of a term."""
    code = TermReader().spoken(term)[-1][0]
    candidate = int(np.flatnonzero(built.codes == code)[0])
    at = np.flatnonzero(built.panel.candidate == candidate)
    owners, weeks = built.panel.owners, built.panel.weeks
    return {
        (owners[built.panel.owner[i]], weeks[built.panel.week[i]]): int(built.panel.stories[i])
        for i in at.tolist()
    }


DOCUMENTS = [
    said("1", "тихий режим", days=0),
    said("2", "тихого режима нет", days=1),
    said("3", "о тихом режиме", days=8, owner="б", kind="law"),
    said("4", "о тихом режиме снова", days=9, owner="б", kind="law"),
    said("5", "магазин", days=15, owner="б", kind="law"),
]
UNTIL = MONDAY + timedelta(weeks=4)


def test_stories_are_counted_by_term_owner_and_week():
    built = build(told_rows(DOCUMENTS, (), reader=TermReader()), until=UNTIL, grain="week")
    assert built.panel.weeks == tuple(date(2026, 1, 5) + timedelta(weeks=i) for i in range(4))
    assert counts(built, "тихий режим") == {("а", date(2026, 1, 5)): 2, ("б", date(2026, 1, 12)): 2}
    volume = dict(zip(built.panel.owners, built.panel.volume.tolist(), strict=True))
    assert volume == {"а": [2, 0, 0, 0], "б": [0, 2, 1, 0]}
    assert dict(zip(built.panel.owners, built.panel.origins, strict=True)) == {
        "а": "outside",
        "б": "regulator",
    }
    # «магазин» is told once: fewer than three
    assert built.pruned >= 1
    # all of a small panel's rare terms are told of, each story of theirs
    rare = built.panel.rare
    assert rare is not None
    assert (rare.terms, rare.sampled) == (built.pruned, built.pruned)
    assert len(np.unique(rare.term)) == rare.sampled
    assert np.bincount(rare.term).max() < 3


def test_a_copy_counts_for_nobody_and_the_story_for_who_spoke_first():
    stories = [Story(first="1", owner="первый", members=("1", "3"), why={"3": "forward"})]
    built = build(told_rows(DOCUMENTS, stories, reader=TermReader()), until=UNTIL, grain="week")
    assert built.panel.copies is not None
    assert sorted(built.panel.copies[built.panel.owner == built.panel.owners.index("первый")].tolist()) == [
        1,
        1,
    ]
    assert counts(built, "тихий режим") == {
        ("первый", date(2026, 1, 5)): 1, ("а", date(2026, 1, 5)): 1, ("б", date(2026, 1, 12)): 1,
    }  # fmt: skip


def test_an_unfinished_week_and_what_comes_later_are_not_counted():
    rows = told_rows(DOCUMENTS, (), reader=TermReader())
    built = build(rows, until=MONDAY + timedelta(days=8, hours=12), grain="week", rarest=1)
    assert built.panel.weeks == (date(2026, 1, 5),)
    assert counts(built, "тихий режим") == {("а", date(2026, 1, 5)): 2}


def test_days_where_texts_span_little_time_and_weeks_where_they_span_much():
    few = build(told_rows(DOCUMENTS, (), reader=TermReader()), until=UNTIL)
    assert (few.grain, len(few.panel.weeks)) == ("day", 28)
    many = [*DOCUMENTS, said("6", "склад", days=16 * 7)]
    assert build(told_rows(many, (), reader=TermReader()), until=UNTIL + timedelta(weeks=20)).grain == "week"


def test_days_are_cut_in_the_zone():
    # Moscow is three hours ahead; New York falls back on 2 November 2025 at 06:00 UTC
    at = np.array([datetime(2026, 1, 4, 22, tzinfo=UTC), datetime(2025, 11, 2, 4, 30, tzinfo=UTC)])
    stamps = np.array([round(one.timestamp() * 1e6) for one in at])
    moscow, york = (local_days(stamps, ZoneInfo(zone)) for zone in ("Europe/Moscow", "America/New_York"))
    epoch = date(1970, 1, 1).toordinal()
    assert [date.fromordinal(epoch + int(day)) for day in moscow] == [date(2026, 1, 5), date(2025, 11, 2)]
    assert [date.fromordinal(epoch + int(day)) for day in york] == [date(2026, 1, 4), date(2025, 11, 2)]


def same(one, other):
    return one.sort_by("id").equals(other.sort_by("id"))


def test_a_store_filled_day_by_day_holds_what_one_filled_at_once_holds(tmp_path):
    whole, daily = TermStore(tmp_path / "whole"), TermStore(tmp_path / "daily")
    whole.add(DOCUMENTS, alone(*DOCUMENTS))
    for one in reversed(DOCUMENTS):
        daily.add([one], alone(one))
    daily.add(DOCUMENTS[:2], alone(*DOCUMENTS[:2]))
    assert same(whole.table(), daily.table())
    assert daily.documents() == 5
    assert sorted(path.name for path in (tmp_path / "daily").iterdir()) == [
        "2026-01-05.parquet", "2026-01-12.parquet", "2026-01-19.parquet",
    ]  # fmt: skip


def test_a_story_that_turns_out_to_be_a_copy_moves(tmp_path):
    store = TermStore(tmp_path)
    store.add(DOCUMENTS, alone(*DOCUMENTS))
    joined = Story(first="1", owner="а", members=("1", "3", "4"))
    late = said("0", "тихий режим включили", days=2)
    store.add([late], [*alone(late), joined])
    built = build(store.table(), until=UNTIL, grain="week")
    assert counts(built, "тихий режим") == {("а", date(2026, 1, 5)): 3}


def test_a_document_that_is_read_again_replaces_itself_and_one_that_is_erased_is_gone(tmp_path):
    store = TermStore(tmp_path)
    store.add(DOCUMENTS, alone(*DOCUMENTS))
    store.add([said("2", "совсем о другом", days=1)], alone(DOCUMENTS[1]))
    assert store.documents() == 5
    assert (
        counts(build(store.table(), until=UNTIL, grain="week"), "тихий режим")[("а", date(2026, 1, 5))] == 1
    )
    assert store.remove(["1", "nobody"]) == 1
    assert store.documents() == 4


def test_the_folder_may_be_deleted(tmp_path):
    store = TermStore(tmp_path / "texts")
    assert store.table().num_rows == 0
    store.add(DOCUMENTS, alone(*DOCUMENTS))
    before = store.table()
    shutil.rmtree(tmp_path / "texts")
    assert store.table().num_rows == 0
    store.add(DOCUMENTS, alone(*DOCUMENTS))
    assert store.table().equals(before)


def test_a_writer_that_is_killed_leaves_whole_weeks(tmp_path, monkeypatch):
    store = TermStore(tmp_path)
    store.add(DOCUMENTS[:2], alone(*DOCUMENTS[:2]))
    before = store.table()

    def die(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("primeta.signals.texts.panel_build.pq.write_table", die)
    with pytest.raises(KeyboardInterrupt):
        store.add([said("9", "режим", days=1)])
    monkeypatch.undo()
    assert TermStore(tmp_path).table().equals(before)
    assert not list(tmp_path.glob("*.part"))


def test_nothing_gives_an_empty_panel():
    built = build(SCHEMA.empty_table(), until=UNTIL)
    assert (built.panel.candidates, built.panel.weeks, built.panel.owners) == (0, (), ())
