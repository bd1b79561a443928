"""Quotes of a topic: short, of different owners, holding its words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from primeta.signals.texts.quotes import cut, quotes_of
from primeta.signals.texts.terms import TermReader
from primeta.sources.records import Document

READER = TermReader()
CODES = {code: 2.0 if " " in form else 1.0 for code, form in READER.spoken("тихий режим")}


def said(name, text, owner, day, title=""):
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return Document(
        id=name, source=f"@{owner}", owner=owner, kind="social", published_at=at, seen_at=at, title=title, text=text,
        url=f"https://example.org/{name}",
    )  # fmt: skip


DOCUMENTS = [
    said("1", "Погода хорошая. Нашёл режим. И ещё о делах.", "а", 0),
    said("2", "Всем привет! Включил тихий режим и доволен. Пока.", "б", 1),
    said("3", "Тихий режим спасает.", "б", 2),
    said("4", "В тихом режиме нет пушей.", "в", 3),
    said("5", "Ничего о нём.", "г", 4),
]


def test_the_earliest_and_the_most_telling_of_different_owners():
    found = quotes_of(DOCUMENTS, CODES, reader=READER)
    assert [quote.text for quote in found] == [
        "Нашёл режим.", "Включил тихий режим и доволен.", "В тихом режиме нет пушей.",
    ]  # fmt: skip
    assert [quote.owner for quote in found] == ["а", "б", "в"]
    assert (found[1].source, found[1].url, found[1].document) == ("@б", "https://example.org/2", "2")


def test_what_was_repeated_often_is_more_central():
    found = quotes_of(DOCUMENTS[1:], CODES, reader=READER, most=2, copies={"4": 9})
    assert [quote.document for quote in found] == ["2", "4"]


def test_one_owner_is_quoted_up_to_three_times():
    mine = [said(str(at), f"Тихий режим, день {word}.", "а", at) for at, word in enumerate("абвгд")]
    assert len(quotes_of(mine, CODES, reader=READER)) == 3


def test_the_same_words_are_quoted_once():
    twice = [said("1", "Тихий режим!", "а", 0), said("2", "Тихий режим!", "б", 1)]
    assert [quote.document for quote in quotes_of(twice, CODES, reader=READER)] == ["1"]


def test_a_sentence_is_quoted_rather_than_a_title_that_says_as_much():
    (quote,) = quotes_of(
        [said("1", "Тихий режим включён.", "а", 0, title="Тихий режим")], CODES, reader=READER
    )
    assert quote.text == "Тихий режим включён."


def test_long_sentences_are_cut_between_words():
    text = cut("слово " * 100, longest=50)
    assert len(text) <= 50
    assert text.endswith("слово…")
    assert quotes_of([], CODES, reader=READER) == ()
