"""Where the state may hold something about a customer, column by column, and how it is found and taken out.

Every column of letters or bytes is named here: a test fails where a new one is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import JSON as Json
from sqlalchemy import Connection, LargeBinary, String, Table, delete, select, update

from primeta.store.schema import (
    attention_states,
    document_marks,
    documents,
    metadata,
    reservations,
    topic_documents,
    touch_marks,
)

Holds = Literal["nothing", "his", "words"]
"""Codes, ids of our own, names of the team; rows of a customer, found by his id (the ledger's are emptied, all others
deleted); words or documents in which his id, the text of his message or a quote of him may stand."""

HIS = {
    "ledger": "key customer_id payload salt",
    "attention_states": "customer_id state credit zone pseudonym",
    "reservations": "message_id customer_id channel purpose campaign programme state by",
    "touch_marks": "message_id reviewer customer_id mark note channel purpose campaign programme",
    "documents": "id source owner kind title text url author language links forwarded_from customer_id attributes raw "
    "story why",
    "document_marks": "document mark note by",
    "topic_documents": "topic document",
}
WORDS = {
    "attention_counts": "document",
    "attention_replays": "document",
    "audit": "what",
    "cards": "card",
    "decisions": "criteria reason",
    "deliveries": "answer accepted",
    "events": "what",
    "experiment_events": "what",
    "fetches": "url trouble",
    "jobs": "message result",
    "looks": "counts analysis",
    "notes": "text subject source url files",
    "rollout_steps": "why gates",
    "runs": "summary",
    "signals": "frozen evidence",
    "text_sources": "trouble part_troubles known position",
    "topics": "frozen topic",
    "trends": "evidence weighing",
}
NOTHING = {
    "attention_counts": "name by",
    "attention_drafts": "state policy seal by",
    "attention_policies": "policy seal origin by note",
    "attention_replays": "id by policy seal mark code",
    "audit": "who verb",
    "cards": "trend_id by",
    "decisions": "trend_id answer owner decided_by",
    "deliveries": "channel subject state why",
    "delivery_hours": "channel",
    "erasures": "digest state by work done",
    "events": "trend_id who kind mark",
    "experiment_events": "experiment who kind mark",
    "experiments": "name created_by",
    "feeds": "name id token by",
    "fetches": "source state digest media encoding",
    "grade_moves": "signal_id was now",
    "inputs": "trend_id name by",
    "jobs": "id kind state",
    "ledger": "key_digest kind commitment chain by",
    "ledger_head": "chain",
    "looks": "experiment facts_version code_version",
    "memberships": "trend_id signal_id state by",
    "notes": "id origin direction by",
    "plan_versions": "experiment plan basis seal by",
    "privacy_keys": "name secret",
    "rollout_steps": "experiment state by",
    "runs": "facts_version",
    "signals": "id grade",
    "suppressions": "digest reason",
    "text_sources": "name definition",
    "topics": "id grade",
    "trends": "id created_by",
}
CLASSES: dict[str, Holds] = {
    f"{table}.{column}": holds
    for holds, tables in (("nothing", NOTHING), ("his", HIS), ("words", WORDS))
    for table, columns in tables.items()
    for column in columns.split()
}  # type: ignore[assignment]

SHORTEST_ID = 5
"""Letters of an id that is looked for as a word in texts; a shorter one is taken out where it stands as an id."""
SHORTEST_QUOTE = 20
_SURELY = 40
"""Letters that two texts do not share by chance."""
_SAYS_WHO = ("customer_id", "customer", "customers", "message_id")
_SAYS_WHAT = ("text", "quote", "quotes", "title", "said", "sentence")


def columns_of_letters() -> tuple[str, ...]:
    """Every column of the state that can hold letters or bytes."""
    return tuple(
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, String | Json | LargeBinary)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """By what traces of a customer are recognised."""

    ids: frozenset[str]
    """His id, pseudonym and the ids of his messages and documents."""
    texts: tuple[str, ...] = ()
    """What he wrote."""
    words: frozenset[str] | None = None
    """Ids that are looked for as words within texts; None: all that are long enough."""

    def is_named(self, value: str, key: str) -> bool:
        return value in self.ids and (len(value) >= SHORTEST_ID or key in _SAYS_WHO)

    def is_quoted(self, value: str, key: str) -> bool:
        said = " ".join(value.rstrip("…").split())
        long = len(said) >= _SURELY or (key in _SAYS_WHAT and len(said) >= SHORTEST_QUOTE)
        for text in self.texts:
            if said and said == text:
                return True
            if long and said in text:
                return True
            if len(text) >= SHORTEST_QUOTE and text in said:
                return True
        return False

    @property
    def long_ids(self) -> tuple[str, ...]:
        looked_for = self.ids if self.words is None else self.words
        return tuple(one for one in looked_for if len(one) >= SHORTEST_ID)


def person_of(ids: Iterable[str], texts: Iterable[str]) -> Person:
    """Empty ids and texts are nobody's."""
    return Person(
        ids=frozenset(one for one in ids if one),
        texts=tuple(said for text in texts if (said := " ".join(text.split()))),
    )


def without_person(value: Any, person: Person, key: str = "") -> tuple[Any, int]:
    """A JSON document without him: entries of lists that name or quote him go, other places become empty.

    Returns:
        The document and in how many places he stood.
    """
    if isinstance(value, str):
        if person.is_named(value, key) or person.is_quoted(value, key):
            return "", 1
        found = 0
        for one in person.long_ids:
            if one in value:
                value, times = re.subn(_word(one), "…", value)
                found += times
        return value, found
    if isinstance(value, dict):
        told: dict[str, Any] = {}
        found = 0
        for name, entry in value.items():
            if person.is_named(name, "customers"):
                found += 1
                continue
            told[name], there = without_person(entry, person, name)
            found += there
        return told, found
    if isinstance(value, list):
        kept: list[Any] = []
        found = 0
        for entry in value:
            inside, there = without_person(entry, person, key)
            if there and _is_about(entry, person, key):
                found += 1
                continue
            found += there
            kept.append(inside)
        return kept, found
    return value, 0


def _is_about(entry: Any, person: Person, key: str) -> bool:
    """Whether an entry of a list is his and goes whole."""
    if isinstance(entry, str):
        return person.is_named(entry, key) or person.is_quoted(entry, key)
    return isinstance(entry, dict) and any(
        isinstance(value, str) and (person.is_named(value, name) or person.is_quoted(value, name))
        for name, value in entry.items()
    )


def _word(one: str) -> str:
    return rf"(?<![\w@.-]){re.escape(one)}(?![\w@-])"


def take_out(connection: Connection, person: Person) -> dict[str, int]:
    """Take him out of every column that holds words.

    Returns:
        Table → in how many places he stood.
    """
    counts: dict[str, int] = {}
    for name, columns in WORDS.items():
        table = metadata.tables[name]
        keys = list(table.primary_key.columns)
        wanted = [table.c[column] for column in columns.split()]
        for row in connection.execute(select(*keys, *wanted)).all():
            changed: dict[str, Any] = {}
            for column, value in zip(wanted, row[len(keys) :], strict=True):
                kept, found = without_person(value, person, column.name)
                if found:
                    changed[column.name] = kept
                    counts[name] = counts.get(name, 0) + found
            if changed:
                same = [column == value for column, value in zip(keys, row[: len(keys)], strict=True)]
                connection.execute(update(table).where(*same).values(changed))
    return counts


def forget_rows(
    connection: Connection, customer_id: str, ids_of_documents: Collection[str]
) -> dict[str, int]:
    """Delete his rows; the ledger's are emptied elsewhere. Copies of what he said become tellings of their own.

    Returns:
        Table → rows.
    """
    counts = {
        table.name: connection.execute(delete(table).where(table.c.customer_id == customer_id)).rowcount
        for table in (reservations, touch_marks, attention_states)
    }
    for name in ids_of_documents:
        for table in (document_marks, topic_documents):
            counts[table.name] = counts.get(table.name, 0) + _delete_of(connection, table, name)
        connection.execute(
            update(documents)
            .where(documents.c.story == name, documents.c.id != name)
            .values(story=documents.c.id, why="")
        )
    counts["documents"] = connection.execute(
        delete(documents).where(documents.c.customer_id == customer_id)
    ).rowcount
    return {name: count for name, count in counts.items() if count}


def _delete_of(connection: Connection, table: Table, document: str) -> int:
    return connection.execute(delete(table).where(table.c.document == document)).rowcount
