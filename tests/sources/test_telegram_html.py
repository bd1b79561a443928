"""Telegram Desktop's HTML export: who spoke, in runs of messages too; forwards, replies, polls, files, the next file."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

from telegram_fixtures import EXPORT_HTML

from primeta.sources.identity import document_id
from primeta.sources.records import Brought, Source
from primeta.sources.telegram import read_telegram
from primeta.sources.telegram_html import LARGEST, read_html_here, read_telegram_html
from primeta.sources.telegram_text import telegram_form

SOURCE = Source(name="news", reader="telegram", kind="community", at="exports/messages*.html", owner="news")
SEEN = datetime(2026, 4, 1, tzinfo=UTC)


def read(text: str) -> Brought:
    return read_html_here(text.encode(), source=SOURCE, seen_at=SEEN)


def test_messages_are_documents() -> None:
    brought = read(EXPORT_HTML)
    first, second, forwarded, also, poll, file = brought.documents
    assert first.text == "Скидки кончились\nВот отчёт #розница"
    assert first.links == ("https://shop.example/a",)
    assert (first.author, first.owner) == ("Анна", "Новости розницы")
    assert first.published_at == datetime(2026, 3, 3, 7, 15, tzinfo=UTC)
    assert first.id == document_id("news", "Новости розницы/11")
    assert first.attributes == {"categories": "розница"}
    assert (second.author, second.text) == ("Анна", "И ещё одно")
    assert second.attributes == {"reply_to": document_id("news", "Новости розницы/5")}
    assert (forwarded.author, forwarded.forwarded_from, forwarded.text) == (
        "Борис",
        "Деловой канал",
        "Первая часть",
    )
    assert (also.author, also.forwarded_from, also.text) == ("Борис", "Деловой канал", "Вторая часть")
    assert poll.text == "Нужны ли скидки?\n— да\n— нет"
    assert (file.title, file.text, file.forwarded_from) == ("Отчёт за март.pdf", "", "")
    # The poll's time has no zone.
    assert poll.published_at == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert [(trouble.code, trouble.values["entries"]) for trouble in brought.troubles] == [("no-zone", 1)]


def test_ids_are_those_of_the_other_forms_where_the_public_name_is_known() -> None:
    source = Source(
        name="news", reader="telegram", kind="social", at="https://t.me/Retail_News", owner="Retail_News"
    )
    first = read_html_here(EXPORT_HTML.encode(), source=source, seen_at=SEEN).documents[0]
    assert first.id == document_id("news", "retail_news/11")
    assert first.url == "https://t.me/Retail_News/11"


def test_the_next_file_is_named_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "messages2.html"
    path.write_text(EXPORT_HTML, encoding="utf-8")
    assert read_telegram(path, source=SOURCE, seen_at=SEEN).follow == ()
    (tmp_path / "messages3.html").write_text("x", encoding="utf-8")
    assert read_telegram(path, source=SOURCE, seen_at=SEEN).follow == (str(tmp_path / "messages3.html"),)
    path.write_text(EXPORT_HTML.replace("messages3.html", "../../etc/passwd"), encoding="utf-8")
    assert read_telegram(path, source=SOURCE, seen_at=SEEN).follow == ()


def test_what_is_no_export_is_told() -> None:
    for nothing in ("", "<p>x</p>", "\x00", "<html><title>Exported Data</title></html>"):
        assert [trouble.code for trouble in read(nothing).troubles] == ["not-telegram"]
    large = read_telegram_html(b" " * (LARGEST + 1), source=SOURCE, seen_at=SEEN)
    assert [trouble.code for trouble in large.troubles] == ["too-large"]
    assert telegram_form(EXPORT_HTML.encode()) == "html"


def test_a_file_that_breaks_off_is_read_so_far() -> None:
    brought = read(EXPORT_HTML[: EXPORT_HTML.index("Вторая часть")])
    assert [document.text for document in brought.documents][:3] == [
        "Скидки кончились\nВот отчёт #розница", "И ещё одно", "Первая часть",
    ]  # fmt: skip


def test_random_damage_neither_crashes_nor_hangs() -> None:
    rng = random.Random(6)
    whole = EXPORT_HTML.encode()
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(broken))
            piece = rng.choice(
                (b"<", b">", b'"', b"</div>", b"<div class='message default clearfix'>", b"\xff", b"<p>" * 99)
            )
            broken[at : at + rng.choice((0, 1, 200))] = piece
        read_html_here(bytes(broken), source=SOURCE, seen_at=SEEN)
