"""PDF reports: chapters and pages, dates, running heads, broken words; what is no text says so."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pypdf
import pytest
from pdf_files import pdf

from primeta.sources.pdf import pages_of, read_pdf
from primeta.sources.pdf_text import hyphens_joined, paragraphs, without_furniture
from primeta.sources.records import Source

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SOURCE = Source(name="report", reader="pdf", kind="industry_report", at="r.pdf", owner="Acme")
NAMES = ("price", "points", "cards", "mail", "push", "shops", "apps", "bags", "tea", "milk", "bread")
URL = "https://acme.example/report.pdf"


def report(count: int = 12, **told) -> bytes:
    body = (
        "Shoppers return sooner.",
        "They come for the price and",
        "stay for what they get.",
        "All of it is old.",
    )
    first = ("Acme Research", "# Loyalty in Retail", "Published 3 March 2026", *body, "1")
    rest = [
        ("Acme Research", f"Chapter on {name}", *body, f"What {name} means.", str(page))
        for page, name in zip(
            range(2, count + 1),
            ["price", "points", "cards", "mail", "push", "shops", "apps", "bags", "tea", "milk", "bread"],
        )
    ]
    return pdf([first, *rest], **told)


def read(raw: bytes):
    return read_pdf(raw, source=SOURCE, url=URL, seen_at=NOW)


def test_without_chapters_five_pages_are_a_document_and_its_address_names_the_page():
    found = read(report())
    assert [document.url for document in found.documents] == [f"{URL}#page={page}" for page in (1, 6, 11)]
    assert [document.attributes["pages"] for document in found.documents] == ["1–5", "6–10", "11–12"]
    assert found.troubles == ()


def test_a_quote_is_found_on_its_page_by_where_pages_start():
    document = read(report()).documents[0]
    starts = [int(each) for each in document.attributes["page_starts"].split(",")]
    assert len(starts) == 5
    assert starts[1] <= document.text.index("Chapter on price") < starts[2]
    assert starts[4] <= document.text.index("What mail means") < len(document.text)


def test_chapters_of_the_outline_are_documents():
    found = read(report(chapters=[("Summary", 0), ("Prices", 4), ("Outlook", 9)], title="Retail 2026"))
    assert [document.title for document in found.documents] == [
        "Retail 2026: Summary", "Retail 2026: Prices", "Retail 2026: Outlook",
    ]  # fmt: skip
    assert [document.url.rsplit("=")[-1] for document in found.documents] == ["1", "5", "10"]


def test_the_title_is_the_largest_line_where_the_file_names_a_program():
    assert read(report(title="Microsoft Word - draft7.docx")).documents[0].title == "Loyalty in Retail"


def test_date_and_author_are_those_of_the_file_else_of_its_first_page_and_never_to_come():
    told = read(report(created="D:20260215103000+03'00'", author="J. Doe")).documents[0]
    assert (told.published_at, told.author) == (datetime(2026, 2, 15, 7, 30, tzinfo=UTC), "J. Doe")
    assert read(report()).documents[0].published_at == datetime(2026, 3, 3, tzinfo=UTC)
    # The clock of whoever made it was wrong: the page says otherwise.
    assert read(report(created="D:20310101000000Z")).documents[0].published_at == datetime(
        2026, 3, 3, tzinfo=UTC
    )
    future = read(pdf([["Quarterly report about loyalty", "and prices."]], created="D:20310101000000Z"))
    assert future.documents[0].published_at is None
    assert [trouble.code for trouble in future.troubles] == ["future-date"]


def test_the_same_file_has_the_same_ids_and_next_months_report_at_the_same_address_others():
    ids = [document.id for document in read(report()).documents]
    assert ids == [document.id for document in read(report()).documents]
    assert not set(ids) & {document.id for document in read(report(author="other")).documents}


def test_locked_scanned_broken_and_other_files_say_what_is_wrong():
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(report(2)))
    writer.encrypt("secret", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    for raw, code in (
        (locked.getvalue(), "encrypted"),
        (pdf([[], []]), "no-text"),
        (b"%PDF-1.4 and then nothing", "unreadable"),
        (b"<html>sign in</html>", "not-a-pdf"),
    ):
        found = read(raw)
        assert found.documents == ()
        assert [trouble.code for trouble in found.troubles] == [code]
        assert found.troubles[0].permanent


def test_a_file_locked_with_an_empty_password_opens():
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(report(2)))
    writer.encrypt("", owner_password="secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    assert read(out.getvalue()).documents


def test_some_pictures_among_pages_are_told():
    found = read(pdf([["A page with enough words to read it."], []]))
    assert [
        (trouble.code, trouble.values["entries"]) for trouble in found.troubles if trouble.code != "no-date"
    ] == [("some-pages-without-text", 1)]


def test_time_that_runs_out_keeps_what_was_read():
    got = pages_of(report(), within=0.0)
    assert not isinstance(got, str)
    assert (got.pages, got.total, got.in_time) == ((), 12, False)


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("иссле-\nдование", "исследование"),
        ("more of-\nten", "more often"),
        ("по-\nновому", "по-новому"),
        ("long-\nterm", "long-term"),
        ("Санкт-\nПетербург", "Санкт-Петербург"),
        ("про\u00ad\nграмма", "программа"),
    ],
)
def test_words_broken_at_the_end_of_a_line_are_whole(broken, whole):
    assert hyphens_joined(broken) == whole


def test_running_heads_and_page_numbers_go_whatever_their_number():
    words = ["apples", "pears", "plums", "figs"]
    pages = [
        f"Отчёт 2026 | стр. {n}\nГлава о {w}\nтекст про {w}\nещё про {w}\n{n} из 4"
        for n, w in enumerate(words, 1)
    ]
    assert without_furniture(pages)[1] == "Глава о pears\nтекст про pears\nещё про pears"


def test_lines_become_paragraphs_and_points_stay():
    page = "Customers who joined came back more often than\nothers did before them.\n• first point\n• second point"
    assert paragraphs(page).split("\n") == [
        "Customers who joined came back more often than others did before them.", "• first point", "• second point",
    ]  # fmt: skip
