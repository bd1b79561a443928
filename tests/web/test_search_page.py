"""Search: words marked, by what it was found, filters kept, nothing found, and what a query may not do."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace

from primeta.errors import BadInput
from primeta.web.app import create_app
from primeta.web.pages.search import marked

WORD = {"en": "night", "ru": "ночам"}


@pytest.fixture
def workspace(language: str) -> FakeWorkspace:
    return FakeWorkspace(language)


@pytest.fixture
def browser(workspace: FakeWorkspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


def test_searched_words_are_marked_and_it_says_what_found_them(browser: Browser, language: str):
    text = browser.get("/search", params={"q": WORD[language]}).text
    assert f"<mark>{WORD[language]}</mark>" in text
    assert {"en": "by words and by meaning", "ru": "по словам и по смыслу"}[language] in text.replace(
        "\u00a0", " "
    )


def test_pieces_of_a_snippet_are_escaped_each():
    assert (
        str(marked((("a <b>", False), ("<i>", True), ("&", False))))
        == "a &lt;b&gt;<mark>&lt;i&gt;</mark>&amp;"
    )


def test_a_long_snippet_is_cut():
    assert len(str(marked((("x" * 1000, False), ("y", True))))) < 450


def test_filters_reach_the_search_and_stay_in_the_form(
    browser: Browser, workspace: FakeWorkspace, monkeypatch
):
    asked: dict[str, Any] = {}
    found = workspace.search

    def search(query: str, **options: Any) -> Any:
        asked.update(options)
        return found(query, **options)

    monkeypatch.setattr(workspace, "search", search)
    name = workspace.said.words["press"]
    text = browser.get(
        "/search", params={"q": "push", "kind": "law", "source": name, "since": "2026-10-01", "until": "soon"}
    ).text
    assert (asked["kinds"], asked["sources"]) == (("law",), (name,))
    assert (str(asked["since"]), asked["until"]) == ("2026-10-01", None)
    assert 'value="2026-10-01"' in text
    assert '<details class="filters" open>' in text


def test_an_empty_field_asks_nothing(browser: Browser, workspace: FakeWorkspace, monkeypatch):
    def never(*_arguments: Any, **_options: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(workspace, "search", never)
    assert browser.get("/search?q=%20").status_code == 200


def test_nothing_found_offers_another_way(browser: Browser, language: str):
    text = browser.get("/search?q=zzz&kind=law").text
    assert {"en": "Nothing was found for “zzz”", "ru": "По запросу «zzz» ничего не нашлось"}[language] in text
    assert 'href="/search?q=zzz"' in text


def test_a_query_that_cannot_be_read_says_why_and_keeps_the_words(
    browser: Browser, workspace: FakeWorkspace, monkeypatch
):
    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise BadInput("after:soon is not a day")

    monkeypatch.setattr(workspace, "search", refuse)
    answer = browser.get("/search?q=after:soon")
    assert answer.status_code == 400
    assert "after:soon is not a day" in answer.text
    assert 'value="after:soon"' in answer.text


def test_a_hit_leads_to_the_form_that_writes_it_down(browser: Browser, language: str):
    page = Page(browser.get("/search", params={"q": WORD[language]}).text)
    hrefs = [attributes["href"] for attributes in page.all("a")]
    assert "/log?document=d-0000000000000006" in hrefs


def test_search_over_http(browser: Browser, language: str):
    found = browser.get("/api/v1/search", params={"q": WORD[language], "limit": 5}).json()
    assert found["hits"][0]["id"] == "d-0000000000000006"
    assert browser.get("/api/v1/search").status_code == 422
