"""Which documents hold which words, in any of their forms: SQLite's full-text index over words in their usual form.

Ranking is BM25 (Robertson & Zaragoza 2009), a word of the title counting three times. What a person typed never
becomes a part of the index's query language: it is cut into words first, and each is quoted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from primeta.signals.texts.plain_words import STOP, lemma, tokens

VERSION = 1
TITLE = 3.0
LONGEST = 20_000
"""Characters of a text that are indexed."""
_LIKELY = 0.15
_FORMS = 40

_SCHEMA = f"""
create virtual table words using fts5(
    title, body, content='', columnsize=1, tokenize="unicode61 remove_diacritics 0 tokenchars '·%$€£₽¥+'"
);
create table rows (row integer primary key, id text not null unique, number integer not null);
create index rows_number on rows (number);
pragma user_version = {VERSION};
"""


def usual_forms(text: str) -> str:
    """What is indexed of a text: its words and numbers in order, each in its usual form."""
    return " ".join(_one_word(lemma(token)) for token in tokens(text[:LONGEST]))


def _one_word(word: str) -> str:
    # The index would cut a word at a sign that it does not know; a quote would end a quoted word.
    return word.replace('"', "")


@lru_cache(maxsize=10_000)
def readings(word: str) -> tuple[str, ...]:
    """Usual forms under which a searched word may have been indexed, the likeliest first.

    «банки» reads as «банк» and as «банка»: the index holds one reading of each form, the search looks for all likely
    ones.
    """
    first = lemma(word)
    if not "\u0400" <= word[:1] <= "\u04ff":
        return (first,)
    from primeta.signals.texts.plain_words import _morphology

    found = {first: None}
    parses = _morphology().parse(word)
    for parse in parses[:4]:
        if parse.score < _LIKELY:
            continue
        normal = parse.normal_form.replace("ё", "е")
        found.setdefault(normal, None)
        for form in parse.lexeme[:_FORMS]:
            other = lemma(form.word.replace("ё", "е"))
            if other in found or other == normal:
                continue
            # The form is indexed under another word: it counts where it is likely to be ours all the same.
            if any(
                p.score >= _LIKELY and p.normal_form.replace("ё", "е") == normal
                for p in _morphology().parse(form.word)
            ):
                found.setdefault(other, None)
    return tuple(found)


class WordIndex:
    """The index in one SQLite file; it may be deleted at any time and is then filled again.

    A document that was changed is indexed again under a new row; the old row points to nothing from then on.
    """

    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
        try:
            # What a power failure loses of it is indexed again: it need not be on the disk at once.
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            if connection.execute("pragma user_version").fetchone()[0] == 0 and write:
                connection.executescript(_SCHEMA)
            yield connection
        finally:
            connection.close()

    def is_usable(self) -> bool:
        """Whether there is an index of this version that can be read."""
        if not self.path.exists():
            return False
        try:
            with self._open() as connection:
                return (
                    connection.execute("pragma user_version").fetchone()[0] == VERSION
                    and connection.execute("select count(*) from rows where row < 0").fetchone() is not None
                )
        except sqlite3.DatabaseError:
            return False

    def clear(self) -> None:
        """Begin anew."""
        for name in (self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))):
            name.unlink(missing_ok=True)

    def add(self, documents: Iterable[tuple[int, str, str, str]]) -> None:
        """Index documents in one transaction.

        Args:
            documents: (number, id, title, text); of a known id the new words count.
        """
        rows = [
            (number, name, usual_forms(title), usual_forms(text)) for number, name, title, text in documents
        ]
        with self._open(write=True) as connection:
            connection.execute("begin immediate")
            try:
                at = connection.execute("select coalesce(max(id), 0) from words_docsize").fetchone()[0]
                connection.executemany("delete from rows where id = ?", [(name,) for _, name, _, _ in rows])
                connection.executemany(
                    "insert into words (rowid, title, body) values (?, ?, ?)",
                    [(at + place, title, body) for place, (_, _, title, body) in enumerate(rows, 1)],
                )
                connection.executemany(
                    "insert into rows (row, id, number) values (?, ?, ?)",
                    [(at + place, name, number) for place, (number, name, _, _) in enumerate(rows, 1)],
                )
                connection.execute("commit")
            except BaseException:
                connection.execute("rollback")
                raise

    def last(self) -> tuple[int, str]:
        """Number and id of the newest document in it; (0, "") where it is empty."""
        if not self.is_usable():
            return 0, ""
        with self._open() as connection:
            found = connection.execute("select number, id from rows order by number desc limit 1").fetchone()
        return (int(found[0]), str(found[1])) if found else (0, "")

    def __len__(self) -> int:
        if not self.is_usable():
            return 0
        with self._open() as connection:
            return int(connection.execute("select count(*) from rows").fetchone()[0])

    def search(self, expression: str, *, limit: int, among: Sequence[int] | None = None) -> list[str]:
        """Ids of the documents that fit, the best first.

        Args:
            expression: Made by `all_of`, `any_of`: nobody else writes it.
            among: Numbers of the documents that may be found; None: all.
        """
        if not expression or not self.is_usable():
            return []
        with self._open() as connection:
            where = ""
            if among is not None:
                connection.execute("create temp table among (number integer primary key)")
                connection.executemany(
                    "insert or ignore into among values (?)", ((number,) for number in among)
                )
                where = "and rows.number in (select number from among)"
            found = connection.execute(
                "select rows.id from words join rows on rows.row = words.rowid "
                f"where words match ? {where} order by bm25(words, {TITLE}, 1.0), rows.number desc limit ?",
                (expression, limit),
            )
            return [row[0] for row in found]

    def holding(self, expression: str, *, among: Sequence[str]) -> set[str]:
        """Which of these ids fit."""
        if not expression or not among or not self.is_usable():
            return set()
        with self._open() as connection:
            connection.execute("create temp table among (id text primary key)")
            connection.executemany("insert or ignore into among values (?)", ((name,) for name in among))
            found = connection.execute(
                "select rows.id from words join rows on rows.row = words.rowid "
                "where words match ? and rows.id in (select id from among)",
                (expression,),
            )
            return {row[0] for row in found}


def _quoted(word: str) -> str:
    return '"' + _one_word(word) + '"'


def word_term(word: str) -> str:
    """The index's term for one word, as typed: any of its readings; of «e-mail», its parts side by side."""
    parts = tokens(word)
    if not parts:
        return ""
    if len(parts) > 1:
        return phrase_term(word)
    return "(" + " OR ".join(_quoted(reading) for reading in readings(parts[0])) + ")"


def phrase_term(phrase: str) -> str:
    """Words side by side in this order, in any form."""
    parts = tokens(phrase)
    if len(parts) == 1:
        return word_term(phrase)
    return _quoted(" ".join(_one_word(lemma(part)) for part in parts)) if parts else ""


def expression(
    *, words: Sequence[str], phrases: Sequence[str], without: Sequence[str] = (), every: bool
) -> str:
    """A query of the index: all or any of the words, all phrases, nothing of `without`; empty where nothing is asked.

    Stop words count only where nothing else is asked.
    """
    telling = [word for word in words if not all(token in STOP for token in tokens(word))] or list(words)
    terms = [term for term in map(word_term, dict.fromkeys(telling)) if term]
    needed = [term for term in map(phrase_term, phrases) if term]
    if terms:
        needed.append("(" + (" AND " if every else " OR ").join(terms) + ")")
    if not needed:
        return ""
    asked = " AND ".join(needed)
    refused = [term for term in map(phrase_term, without) if term]
    return f"({asked}) NOT ({' OR '.join(refused)})" if refused else asked
