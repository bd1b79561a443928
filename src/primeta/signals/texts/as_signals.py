"""A topic as signals, so that texts are followed, graded and confirmed by the same rules as metrics.

One signal for each origin (voice, outside, competitor, regulator) whose owners carry evidence of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from primeta.signals.texts.records import Topic

CORE = 40
"""Documents that are frozen at first sight to know a topic again by."""
SAME = 0.5
"""Share of the smaller side's documents, or words, from which two topics are one."""
SAME_DAYS = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenTopic:
    """What was fixed when a topic was first seen, so that nobody can move the goal later."""

    terms: tuple[str, ...]
    since: date
    first_seen: datetime
    noticed_at: datetime
    owners: tuple[str, ...]
    documents: tuple[str, ...]
    """Its documents of that time, the first CORE by id of time."""


def freeze(topic: Topic, documents: Collection[str]) -> FrozenTopic:
    """First sight of a topic; `documents` in the order of time."""
    return FrozenTopic(
        terms=topic.terms,
        since=topic.since,
        first_seen=topic.first_seen,
        noticed_at=topic.noticed_at,
        owners=topic.owners,
        documents=tuple(documents)[:CORE],
    )
