"""Searching everything that was collected, and the reading list."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest

from primeta.config import parse_config
from primeta.errors import BadInput, NotFound
from primeta.sources.records import Document, Source
from primeta.store.database import Database
from primeta.store.documents import save_documents
from primeta.store.schema import topic_documents, topics
from primeta.store.sources import SourceState, save_state
from primeta.workspace import Workspace
from primeta.workspace.text_index import FOLDER, update_index, vector_file, word_index

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
TEXT = """
[workspace]
name = "Kalina"
currency = "RUB"
timezone = "Europe/Moscow"
margin = 0.25
language = "ru"
[goals]
revenue_per_customer = 1
"""


def workspace(state_url: str, folder) -> Workspace:
    path = folder / "primeta.toml"
    path.write_text(TEXT, encoding="utf-8")
    database = Database(state_url)
    database.migrate()
    return Workspace(parse_config(TEXT, path), database)


def told(
    title: str, text: str = "", *, source: str = "канал", kind="social", days_ago: float = 1, url: str = ""
) -> Document:
    name = "d-" + hashlib.sha256(f"{source}{title}{text}".encode()).hexdigest()[:16]
    at = NOW - timedelta(days=days_ago)
    return Document(id=name, source=source, owner=source.upper(), kind=kind, published_at=at, seen_at=NOW, title=title,
                    text=text, url=url)  # fmt: skip


FIRST = told("Магазин отменил скидки", "Постоянные клиенты больше не получают скидок.", days_ago=3)
COPY = told("Магазин отменил скидки", "Клиенты больше не получают скидок!", source="пересказ", days_ago=2)
LAW = told(
    "Закон о рассылках принят", "Согласие станет обязательным.", source="duma", kind="law", days_ago=10
)
ENGLISH = told(
    "Free shipping is over",
    "The retailer ended free shipping.",
    source="retail",
    kind="competitor",
    days_ago=1,
)
ALL = (FIRST, COPY, LAW, ENGLISH)


def save(ws: Workspace, *documents: Document, stories: dict[str, tuple[str, str]] | None = None) -> None:
    with ws.database.write() as connection:
        save_documents(connection, documents, stories=stories or {})


@pytest.fixture
def ws(tmp_path):
    found = workspace(f"sqlite:///{tmp_path / 'state.sqlite'}", tmp_path)
    save(found, *ALL, stories={COPY.id: (FIRST.id, "near")})
    yield found
    found.close()


def titles(found) -> list[str]:
    return [hit.document.title for hit in found.hits]


def test_words_in_any_form_with_copies_folded(ws):
    found = ws.search("скидкам", now=NOW)
    first = found.hits[0]
    assert (first.document.id, first.copies) == (FIRST.id, 1)
    assert "words" in first.by
    assert ("скидок", True) in first.snippet
    assert found.searched == 4
    assert [hit.document.id for hit in found.hits].count(COPY.id) == 0


def test_a_russian_question_finds_an_english_text(ws):
    found = ws.search("бесплатная доставка закончилась", now=NOW)
    hit = next(hit for hit in found.hits if hit.document.id == ENGLISH.id)
    assert hit.by == ("meaning",)
    assert found.hits[0] is hit


def test_conditions_of_the_query_and_of_the_options(ws):
    assert titles(ws.search("kind:law", now=NOW)) == [LAW.title]
    assert titles(ws.search("закон", kinds=["law"], now=NOW)) == [LAW.title]
    assert ws.search("скидки source:пересказ", now=NOW).hits[0].document.id == COPY.id
    assert ws.search("скидки", sources=["ПЕРЕСКАЗ"], now=NOW).hits[0].document.id == COPY.id
    assert titles(ws.search("before:2026-11-07", now=NOW)) == [LAW.title]
    assert LAW.title not in titles(ws.search("закон", since=date(2026, 11, 8), now=NOW))
    assert titles(ws.search("", until=date(2026, 11, 6), now=NOW)) == [LAW.title]
    assert ENGLISH.title not in titles(ws.search("shipping -retailer", now=NOW))
    assert titles(ws.search('"постоянные клиенты"', now=NOW)) == [FIRST.title]
    assert [hit.by for hit in ws.search("-скидки after:2026-01-01", now=NOW).hits] == [(), ()]


@pytest.mark.parametrize("query", ["", "   ", "!!!", "kind:gossip"])
def test_nothing_asked_is_told(ws, query: str):
    with pytest.raises(BadInput):
        ws.search(query, now=NOW)


def test_an_unknown_source_is_told_with_those_that_there_are(ws):
    with pytest.raises(NotFound, match="пересказ"):
        ws.search("слово source:nobody", now=NOW)


def test_a_source_that_has_brought_nothing_yet_is_no_mistake(ws):
    quiet = Source(name="quiet", reader="feed", kind="social", at="https://example.com", owner="quiet")
    with ws.database.write() as connection:
        save_state(connection, SourceState(source=quiet))
    assert ws.search("скидки", sources=["quiet"], now=NOW).hits == ()


def test_the_index_grows_with_what_comes_and_may_be_deleted(ws):
    assert update_index(ws).words == 4
    assert update_index(ws).words == 0
    save(ws, told("Кофе подорожал"))
    assert titles(ws.search("кофе", now=NOW))[0] == "Кофе подорожал"
    for path in (ws.folder / FOLDER).iterdir():
        path.unlink()
    assert titles(ws.search("кофе", now=NOW))[0] == "Кофе подорожал"
    # The near copy has the first one's vector.
    assert len(vector_file(ws)) == 4
    assert len(word_index(ws)) == 5


def test_an_index_of_another_state_is_begun_anew(ws, tmp_path):
    update_index(ws)
    (tmp_path / "again").mkdir()
    other = workspace(f"sqlite:///{tmp_path / 'again' / 'state.sqlite'}", tmp_path)
    save(other, told("Чай подешевел"), told("Кофе подорожал"), told("Сахар"), told("Соль"))
    assert titles(other.search("чай", now=NOW))[0] == "Чай подешевел"
    assert len(word_index(other)) == 4
    other.close()


def test_a_document_read_anew_is_found_by_what_it_says_now(ws):
    update_index(ws)
    save(ws, dataclasses.replace(LAW, title="Реклама в лифтах", text=""))
    update_index(ws, renewed=[LAW.id])
    assert ws.search("лифт", now=NOW).hits[0].document.id == LAW.id
    assert LAW.id not in [hit.document.id for hit in ws.search("рассылки", now=NOW).hits if "words" in hit.by]
    assert [hit.document.id for hit in ws.search("реклама лифт", now=NOW).hits].count(LAW.id) == 1


def test_what_has_no_vector_yet_is_found_by_words_and_told(ws):
    assert update_index(ws, most_vectors=0).left == 4
    index = update_index(ws, most_vectors=2)
    assert (index.vectors, index.left) == (2, 2)
    # A killed update goes on where it stopped.
    assert update_index(ws).vectors == 2


def test_as_document_and_for_people(ws):
    found = ws.search("скидки", now=NOW)
    assert set(found.as_dict()) == {"query", "searched", "why_not", "hits"}
    assert found.as_dict()["hits"][0]["snippet"]
    assert "КАНАЛ" in found.table("ru").text()
    assert "4" in found.line("en")


# The reading list, on both databases


@pytest.fixture
def both(state_url, tmp_path):
    found = workspace(state_url, tmp_path)
    save(found, *ALL, stories={COPY.id: (FIRST.id, "near")})
    with found.database.write() as connection:
        for name, kind, trust in (
            ("канал", "social", 0.5),
            ("duma", "law", 1.0),
            ("retail", "competitor", 0.1),
        ):
            source = Source(
                name=name, reader="feed", kind=kind, at="https://example.com", owner=name, trust=trust
            )
            save_state(connection, SourceState(source=source))
    yield found
    found.close()


def test_unread_first_then_trust_and_recency(both):
    page = both.reading(now=NOW)
    assert (page.total, page.unread, page.page, page.pages) == (3, 3, 1, 1)
    # Worth trust × ½^(days / 3): .5 × ½^(3/3) = .25, 1 × ½^(10/3) = .099, .1 × ½^(1/3) = .079.
    assert [item.first.id for item in page.items] == [FIRST.id, LAW.id, ENGLISH.id]
    assert [(copy.document.id, copy.why) for copy in page.items[0].copies] == [(COPY.id, "near")]
    both.mark_document(COPY.id, "read", by="Анна", now=NOW)
    page = both.reading(now=NOW)
    assert [item.first.id for item in page.items] == [LAW.id, ENGLISH.id, FIRST.id]
    assert (page.unread, page.items[-1].mark) == (2, "read")


def test_filters_of_the_reading_list(both):
    def seen(**options) -> list[str]:
        return [item.first.id for item in both.reading(now=NOW, **options).items]

    assert seen(kind="law") == [LAW.id]
    assert seen(source="пересказ") == [FIRST.id]
    assert seen(query="скидки")[:1] == [FIRST.id]
    assert seen(page=9) == [FIRST.id, LAW.id, ENGLISH.id]
    both.mark_document(LAW.id, "dismissed", by="Анна", now=NOW)
    assert LAW.id not in seen()
    assert seen(mark="dismissed") == [LAW.id]
    both.mark_document(LAW.id, "unread", by="Анна", now=NOW)
    assert LAW.id in seen(mark="unread")
    for wrong in ({"mark": "loved"}, {"kind": "gossip"}):
        with pytest.raises(BadInput):
            seen(**wrong)


def test_stories_of_a_topic(both):
    with both.database.write() as connection:
        row = {"id": "t-1", "promise_start": date(2026, 1, 1), "frozen": {}, "topic": {}, "grade": "noticed"}
        connection.execute(topics.insert(), {**row, "seen_until": NOW.replace(tzinfo=None)})
        connection.execute(topic_documents.insert(), {"topic": "t-1", "document": COPY.id})
    (item,) = both.reading(topic="t-1", now=NOW).items
    assert (item.first.id, item.topics) == (FIRST.id, ("t-1",))


def test_a_note_is_made_of_a_story_once(both):
    note = both.log_document(COPY.id, by="Анна", now=NOW, direction="down")
    assert both.log_document(FIRST.id, by="Борис", now=NOW) == note
    (kept,) = both.notes()
    assert (kept.origin, kept.source, kept.subject) == ("outside", "КАНАЛ", FIRST.title)
    assert (kept.happened_at, kept.direction, kept.by) == (date(2026, 11, 13), "down", "Анна")
    assert kept.text == f"{FIRST.title}\n{FIRST.text}"
    item = both.reading_item(FIRST.id)
    assert (item.logged, item.mark) == (note.id, "kept")
    assert both.log_document(LAW.id, by="Анна", now=NOW).origin == "regulator"


def test_a_note_may_go_to_a_trend_at_once(both):
    trend = both.new_trend(name="Конец скидок", by="Анна", now=NOW)
    note = both.log_document(FIRST.id, by="Анна", now=NOW, trend=trend.id)
    assert both.trend(trend.id).signals == (note.id,)


def test_a_text_dated_ahead_was_seen_today(both):
    ahead = told("Завтрашняя новость", days_ago=-3)
    save(both, ahead)
    assert both.log_document(ahead.id, by="Анна", now=NOW).happened_at == date(2026, 11, 16)


def test_what_is_not_there(both):
    for ask in (both.document, both.reading_item):
        with pytest.raises(NotFound):
            ask("d-0000000000000000")
    with pytest.raises(BadInput):
        both.mark_document(FIRST.id, "loved", by="Анна", now=NOW)
    assert both.document(LAW.id) == LAW
