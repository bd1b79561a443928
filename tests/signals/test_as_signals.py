"""A topic becomes signals: one for each origin that carries it, known again at every watch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from primeta.signals.texts.as_signals import as_first_seen, by_origin, freeze, recognised, topic_signals
from primeta.signals.texts.emergence import emerge
from primeta.signals.texts.panel import Panel
from primeta.signals.texts.records import Topic
from primeta.signals.texts.topics import FoundTopic

MONDAY = date(2024, 1, 1)
WEEKS, ONSET, QUIET = 90, 60, 60
OWNERS = ("a", "b", "c", "d", "tickets", "rival")
ORIGINS = ("outside", "outside", "outside", "outside", "voice", "competitor")


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Candidate 0: three outside owners and the tickets from ONSET on; 1: one outside owner alone; the rest quiet."""
    rng = np.random.default_rng(3)
    volume = rng.poisson(12, (len(OWNERS), WEEKS))
    counts = rng.poisson(0.12, (QUIET + 2, len(OWNERS), WEEKS))
    counts[:2] = 0
    counts[0, [0, 1, 2, 4], ONSET:] = rng.poisson(1.5, (4, WEEKS - ONSET))
    counts[1, 3, ONSET:] = rng.poisson(2.5, WEEKS - ONSET)
    volume = np.maximum(volume, counts.sum(axis=0))
    candidate, owner, week = np.nonzero(counts)
    return Panel(
        weeks=tuple(MONDAY + timedelta(weeks=n) for n in range(WEEKS)),
        owners=OWNERS,
        origins=ORIGINS,  # pyright: ignore[reportArgumentType]
        volume=volume,
        candidate=candidate,
        owner=owner,
        week=week,
        stories=counts[candidate, owner, week],
        candidates=QUIET + 2,
    )


def found(
    candidate: int, owners: tuple[str, ...], *, terms=("newsletters", "unread", "summary", "fold")
) -> FoundTopic:
    since = MONDAY + timedelta(weeks=ONSET)
    moment = datetime.combine(since + timedelta(weeks=4), datetime.min.time(), UTC)
    topic = Topic(
        id=f"t-{candidate}", terms=terms, since=since, first_seen=moment - timedelta(weeks=4), noticed_at=moment,
        owners=owners, origins=tuple(dict.fromkeys(ORIGINS[OWNERS.index(owner)] for owner in owners)),  # pyright: ignore[reportArgumentType]
        documents=40, stories=40, e_value=1e6, second_origin=50.0, grade="holding",
    )  # fmt: skip
    names = tuple(f"d-{candidate}-{n}" for n in range(40))
    return FoundTopic(
        topic=topic, documents=names, stories=names, weekly=np.zeros(WEEKS, np.int64), share_before=0.0,
        share_since=0.1, candidates=(candidate,),
    )  # fmt: skip


def signals_of(panel: Panel, one: FoundTopic, **more):
    whole = emerge(panel, error=0.1)
    sides = by_origin(whole, promise=52)
    frozen = freeze(one.topic, one.documents)
    return topic_signals(one, identity=one.topic.id, frozen=frozen, whole=whole, sides=sides, **more)


def test_each_side_that_carries_a_topic_gives_a_signal_and_the_others_none(panel):
    sides = {entry.frozen.origin: entry for entry in signals_of(panel, found(0, ("a", "b", "c", "tickets")))}
    assert set(sides) == {"outside", "voice"}
    assert all(entry.grade in ("holding", "repeating") and entry.e_value >= 20 for entry in sides.values())
    assert sides["outside"].owners == ("a", "b", "c")
    assert sides["voice"].owners == ("tickets",)
    # Planted: 1.5 a week of about 12 for three of four owners, none before.
    assert sides["outside"].observed == pytest.approx(3 * 1.5 / (4 * 12), rel=0.25)
    assert sides["outside"].expected == pytest.approx(0, abs=0.002)
    assert (
        sides["outside"].low <= sides["outside"].observed - sides["outside"].expected <= sides["outside"].high
    )
    assert sides["outside"].second_owner >= 10


def test_one_owner_alone_holds_and_is_no_second_origin(panel):
    from primeta.trends.evidence import stands_alone

    (alone,) = signals_of(panel, found(1, ("d",)))
    assert alone.grade in ("holding", "repeating")
    assert alone.second_owner < 10
    assert not stands_alone(alone)


def test_a_side_that_was_seen_before_is_given_again_whatever_its_evidence(panel):
    one = found(0, ("a", "b", "c", "tickets", "rival"))
    assert {entry.frozen.origin for entry in signals_of(panel, one)} == {"outside", "voice"}
    again = {entry.frozen.origin: entry for entry in signals_of(panel, one, known={"t-0-competitor"})}
    assert again["competitor"].grade == "noticed"


def test_a_quiet_topic_is_only_noticed(panel):
    (quiet,) = signals_of(panel, found(5, ("a", "b")))
    assert quiet.grade == "noticed"


def test_a_topic_is_known_again_by_its_documents_or_its_words_near_its_onset():
    one = found(0, ("a", "b"))
    frozen = freeze(one.topic, one.documents)
    renamed = replace(one, topic=replace(one.topic, id="t-9", terms=("other", "words")))
    assert recognised([renamed], {"t-0": frozen}) == {"t-9": "t-0"}
    moved = replace(one, documents=("x",) * 3, topic=replace(one.topic, id="t-8"))
    assert recognised([moved], {"t-0": frozen}) == {"t-8": "t-0"}
    year = replace(moved, topic=replace(moved.topic, since=one.topic.since + timedelta(days=365)))
    assert recognised([year], {"t-0": frozen}) == {}
    # Two that are like one known topic: the likest is it, the other is new.
    assert recognised([moved, replace(one, topic=replace(one.topic, id="t-7"))], {"t-0": frozen}) == {
        "t-7": "t-0"
    }


def test_what_was_frozen_stays_and_nothing_begins_after_it_was_noticed():
    one = found(0, ("a", "b"))
    frozen = freeze(one.topic, one.documents)
    later = replace(one.topic, id="t-9", since=one.topic.since + timedelta(days=14), stories=99)
    shown = as_first_seen(later, "t-0", frozen)
    assert (shown.id, shown.since, shown.noticed_at, shown.stories) == (
        "t-0",
        frozen.since,
        frozen.noticed_at,
        99,
    )
    late = replace(one.topic, since=one.topic.noticed_at.date() + timedelta(days=30))
    assert freeze(late, one.documents).since == one.topic.noticed_at.date()
