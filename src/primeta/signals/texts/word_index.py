"""Which documents hold which words, in any of their forms: SQLite's full-text index over words in their usual form.

Documents are ranked by the share of the question that they cover, then by BM25 (Robertson & Zaragoza 2009), a word of
the title counting three times. What a person typed never
becomes a part of the index's query language: it is cut into words first, and each is quoted.
"""

from __future__ import annotations

import math
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
MOST_TERMS = 24
"""Words of a question that count."""
_LOOKED_THROUGH = 50_000
_WEIGHED = 500
"""Documents with some of the words whose cover is worked out."""
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

    def search(
        self,
        words: Sequence[str],
        phrases: Sequence[str] = (),
        *,
        without: Sequence[str] = (),
        limit: int,
        among: Sequence[int] | None = None,
    ) -> list[tuple[str, float]]:
        """Documents that hold all phrases, nothing of `without` and as much as can be of the words.

        Args:
            among: Numbers of the documents that may be found; None: all.
        Returns:
            (id, share of the question that the document covers), the best first: each word of the question weighs as
            much as it is rare (inverse document frequency); documents that cover as much stand in the order of BM25.
        """
        if not self.is_usable():
            return []
        terms = _terms(words)
        with self._open() as connection:
            where = ""
            if among is not None:
                connection.execute("create temp table among (number integer primary key)")
                connection.executemany(
                    "insert or ignore into among values (?)", ((number,) for number in among)
                )
                where = "and rows.number in (select number from among)"
            found: dict[int, tuple[str, float]] = {}

            def take(query: str, most: int) -> None:
                cursor = connection.execute(
                    f"select rows.row, rows.id, bm25(words, {TITLE}, 1.0) as score from words "
                    f"join rows on rows.row = words.rowid where words match ? {where} order by score limit ?",
                    (query, most),
                )
                for row, name, score in cursor:
                    found.setdefault(row, (name, score))

            weights = self._weights(connection, terms) if len(terms) > 1 else {}
            terms = list(weights) or terms
            if query := _query(terms, phrases, without, " AND "):
                take(query, limit)
            if len(terms) < 2 or len(found) >= limit:
                return [(name, 1.0) for name, _ in found.values()]
            take(_query(self._telling(terms, weights), phrases, without, " OR "), max(limit, _WEIGHED))
            connection.execute("create temp table found (row integer primary key)")
            connection.executemany("insert into found values (?)", ((row,) for row in found))
            covered = dict.fromkeys(found, 0.0)
            for term in terms:
                held = connection.execute(
                    "select rowid from words where words match ? and rowid in (select row from found)",
                    (term,),
                )
                for (row,) in held:
                    covered[row] += weights[term][1]
        whole = sum(weight for _, weight in weights.values()) or 1.0
        order = sorted(found, key=lambda row: (-round(covered[row], 9), found[row][1], -row))
        return [(found[row][0], covered[row] / whole) for row in order[:limit]]

    @staticmethod
    def _weights(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, tuple[int, float]]:
        """Term → documents that hold it, and its weight; what every fifth text holds is left out where more is asked."""
        whole = int(connection.execute("select count(*) from rows").fetchone()[0])
        most = max(1_000, whole // 5)
        found: dict[str, tuple[int, float]] = {}
        for term in terms:
            counted = connection.execute(
                "select count(*) from (select 1 from words where words match ? limit ?)", (term, most + 1)
            )
            number = int(counted.fetchone()[0])
            found[term] = number, math.log1p((max(0, whole - number) + 0.5) / (number + 0.5))
        telling = {term: weight for term, weight in found.items() if weight[0] <= most}
        return telling or found

    @staticmethod
    def _telling(terms: Sequence[str], weights: dict[str, tuple[int, float]]) -> list[str]:
        """The rarest terms; a document that holds only words which every tenth text has is no answer."""
        kept: list[str] = []
        held = 0
        for term in sorted(terms, key=lambda term: weights[term][0]):
            held += weights[term][0]
            if kept and held > _LOOKED_THROUGH:
                break
            kept.append(term)
        return kept

    def holding(self, phrases: Sequence[str], *, among: Sequence[str]) -> set[str]:
        """Which of these ids hold all the phrases."""
        expression = _query((), phrases, (), "")
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


def _terms(words: Sequence[str]) -> list[str]:
    """The index's terms for words; stop words count only where nothing else is asked."""
    telling = [word for word in words if not all(token in STOP for token in tokens(word))] or list(words)
    return [term for term in dict.fromkeys(map(word_term, telling)) if term][:MOST_TERMS]


def _query(terms: Sequence[str], phrases: Sequence[str], without: Sequence[str], joint: str) -> str:
    needed = [term for term in map(phrase_term, phrases) if term]
    if terms:
        needed.append("(" + joint.join(terms) + ")")
    if not needed:
        return ""
    refused = [term for term in map(phrase_term, without) if term]
    asked = " AND ".join(needed)
    return f"({asked}) NOT ({' OR '.join(refused)})" if refused else asked
