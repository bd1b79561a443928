"""Topics in the state: frozen once, renewed after, with the documents that speak of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from primeta.signals.signal import Block
from primeta.signals.texts.records import FrozenTopic, Quote, Share, Topic
from primeta.store import topics as rows
from primeta.store.database import Database

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def database(state_url):
    found = Database(state_url)
    found.migrate()
    yield found
    found.close()


def a_topic(identity: str = "t-1", **changes) -> Topic:
    values = {
        "id": identity, "terms": ("сводка", "newsletters"), "since": date(2026, 1, 5), "first_seen": NOW,
        "noticed_at": NOW, "owners": ("a", "b"), "origins": ("outside", "voice"), "documents": 3, "stories": 2,
        "e_value": 1e300, "second_origin": 40.0, "grade": "holding", "type": "technological",
        "applies_from": date(2026, 9, 1),
        "months": (Block(code="2026-02", effect=4.0, low=float("nan"), high=9.0, e_value=20.0, passes=True),),
        "shares": (Share(week=date(2026, 1, 5), owner="a", origin="outside", stories=1, volume=9),),
        "quotes": (Quote(text="…", source="a", owner="a", url="https://a.example", published_at=NOW, document="d-1"),),
    }  # fmt: skip
    return Topic(**{**values, **changes})


def first_sight(topic: Topic) -> FrozenTopic:
    return FrozenTopic(
        terms=topic.terms, since=topic.since, first_seen=topic.first_seen, noticed_at=topic.noticed_at,
        owners=topic.owners, documents=("d-1", "d-2"),
    )  # fmt: skip


def save(database: Database, topic: Topic, documents: tuple[str, ...]) -> tuple[str, ...]:
    with database.write() as connection:
        return rows.save_topics(
            connection, {topic.id: (first_sight(topic), topic)}, {topic.id: documents},
            promise_start=date(2026, 1, 5), seen_until=NOW,
        )  # fmt: skip


def test_a_topic_comes_back_as_it_was_saved(database):
    topic = a_topic()
    assert save(database, topic, ("d-1", "d-2")) == ("t-1",)
    with database.read() as connection:
        (back,) = rows.load_topics(connection, "t-1")
        assert rows.load_topics(connection, "t-2") == ()
        assert rows.load_frozen_topics(connection) == {"t-1": first_sight(topic)}
    assert replace(back, months=()) == replace(topic, months=())
    assert back.months[0].low != back.months[0].low  # unknown stays unknown


def test_what_was_frozen_is_never_written_again(database):
    topic = a_topic()
    save(database, topic, ("d-1",))
    later = a_topic(terms=("else",), since=date(2026, 2, 2), stories=9, grade="repeating")
    assert save(database, later, ("d-1",)) == ()
    with database.read() as connection:
        assert rows.load_frozen_topics(connection) == {"t-1": first_sight(topic)}
        (back,) = rows.load_topics(connection)
    assert (back.stories, back.grade) == (9, "repeating")


def test_documents_of_a_topic_follow_it(database):
    save(database, a_topic(), ("d-1", "d-2", "d-3"))
    save(database, a_topic("t-2"), ("d-3",))
    save(database, a_topic(), ("d-2", "d-3", "d-4"))
    with database.read() as connection:
        assert rows.load_topic_documents(connection) == {"t-1": ("d-2", "d-3", "d-4"), "t-2": ("d-3",)}
        assert rows.load_topic_documents(connection, "t-2") == {"t-2": ("d-3",)}
