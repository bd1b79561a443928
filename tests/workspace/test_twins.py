"""One subject in two languages: offered where each topic is the nearest to the other, never what was refused."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from primeta.signals.texts.records import Quote, Topic
from primeta.store.trends import Membership
from primeta.workspace import twins as these
from primeta.workspace.texts_views import TopicView

NOW = datetime(2026, 11, 16, tzinfo=UTC)
# Two directions of meaning: folded newsletters and a refill station.
MEANING = {
    "рассылки": (1, 0),
    "newsletters": (0.9, 0.1),
    "розлив": (0, 1),
    "refill": (0.2, 0.9),
    "offer": (-1, -0.2),
}


def topic(term: str, trend: str = "", signals: tuple[str, ...] | None = None) -> TopicView:
    quote = Quote(text=term, source="s", owner="o", url="", published_at=NOW, document="d-1")
    one = Topic(
        id=f"t-{term}", terms=(term,), since=date(2026, 1, 5), first_seen=NOW, noticed_at=NOW,
        origins=("outside",), owners=("o",), documents=9, stories=9, e_value=50.0, second_origin=1.0,
        grade="holding", quotes=(quote,),
    )  # fmt: skip
    own = (f"s-{term}",) if signals is None else signals
    return TopicView(topic=one, signals=own, trend=trend, trend_name=trend, documents=())


@pytest.fixture(autouse=True)
def meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(these.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(these, "_vector", lambda text: np.array(MEANING[text], dtype=float))


def workspace(
    monkeypatch: pytest.MonkeyPatch, *views: TopicView, refused: tuple[tuple[str, str], ...] = ()
) -> Any:
    known = tuple(
        Membership(trend_id=trend, signal_id=signal, state="refused", by="Anna Kim", at=NOW)
        for trend, signal in refused
    )
    monkeypatch.setattr(these.rows, "load_memberships", lambda _connection: known)
    return SimpleNamespace(topics=lambda now: views, database=SimpleNamespace(read=lambda: nullcontext()))


def names(found: tuple[TopicView, ...]) -> list[str]:
    return [view.topic.terms[0] for view in found]


def test_each_is_offered_what_is_nearest_to_it(monkeypatch: pytest.MonkeyPatch):
    ws = workspace(
        monkeypatch, topic("рассылки"), topic("розлив"), topic("newsletters"), topic("refill"), topic("offer")
    )
    assert names(these.twins(ws, "t-рассылки", now=NOW)) == ["newsletters"]
    assert names(these.twins(ws, "t-newsletters", now=NOW)) == ["рассылки"]
    assert names(these.twins(ws, "t-refill", now=NOW)) == ["розлив"]
    # Nothing in Russian is near to it.
    assert these.twins(ws, "t-offer", now=NOW) == ()
    assert these.twins(ws, "t-none", now=NOW) == ()


def test_what_is_one_trend_or_was_refused_is_not_offered(monkeypatch: pytest.MonkeyPatch):
    pair = topic("рассылки", "t-1"), topic("newsletters", "t-1")
    assert these.twins(workspace(monkeypatch, *pair), "t-рассылки", now=NOW) == ()
    apart = topic("рассылки", "t-1"), topic("newsletters", "t-2")
    assert names(these.twins(workspace(monkeypatch, *apart), "t-рассылки", now=NOW)) == ["newsletters"]
    for refused in (("t-1", "s-newsletters"), ("t-2", "s-рассылки")):
        ws = workspace(monkeypatch, *apart, refused=(refused,))
        assert these.twins(ws, "t-рассылки", now=NOW) == ()
        assert these.twins(ws, "t-newsletters", now=NOW) == ()


def test_what_has_no_signal_cannot_be_joined(monkeypatch: pytest.MonkeyPatch):
    ws = workspace(monkeypatch, topic("рассылки"), topic("newsletters", signals=()))
    assert these.twins(ws, "t-рассылки", now=NOW) == ()
    assert these.twins(ws, "t-newsletters", now=NOW) == ()


def test_without_the_package_of_vectors_nothing_is_offered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(these.importlib.util, "find_spec", lambda _name: None)
    assert (
        these.twins(workspace(monkeypatch, topic("рассылки"), topic("newsletters")), "t-рассылки", now=NOW)
        == ()
    )


def test_without_quotes_the_words_speak(monkeypatch: pytest.MonkeyPatch):
    bare = [replace(topic(term).topic, quotes=()) for term in ("рассылки", "newsletters")]
    assert these.likeness(*bare) == pytest.approx(0.9)
