"""Pages of interviews, farms and sources: what they show, what they never show, and what they do."""

from __future__ import annotations

import re

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace
from fake_people import QUOTE

from primeta.web.app import create_app


@pytest.fixture
def workspace(language: str) -> FakeWorkspace:
    return FakeWorkspace(language)


@pytest.fixture
def browser(workspace: FakeWorkspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


def test_interviews_show_groups_reasons_quotes_and_the_guide(browser: Browser, language: str):
    text = browser.get("/reactivation/two-letters/interviews").text
    page = Page(text)
    assert QUOTE[language] in text
    assert "A1" in text
    for words in {
        "en": (
            "came back alone",
            "quality let down",
            "I am not selling anything",
            "40% came because of us (30 to 50)",
        ),
        "ru": ("вернулись сами", "подвело качество", "Я ничего не продаю", "40% (от 30 до 50)"),
    }[language]:
        assert words in text.replace("\u00a0", " ").replace("A came", "a came")
    assert len(page.all("details")) >= 4


def test_the_list_comes_as_a_file_and_only_after_a_press(browser: Browser):
    page = browser.get("/reactivation/two-letters/interviews")
    # tokens against forgery are random letters
    assert "c7" not in re.sub(r'nonce="[^"]*"|value="[^"]{20,}"', "", page.text)
    done = browser.send("/reactivation/two-letters/interviews/calls", {})
    assert done.status_code == 200
    assert done.headers["content-type"].startswith("text/csv")
    assert done.text.splitlines()[1] == "A1,c7"


def test_farms_say_what_is_seen_and_accuse_nobody(browser: Browser, language: str):
    text = browser.get("/reactivation/two-letters/farms").text
    assert "g1" in text
    assert "HELLO" in text
    for word in ("fraud", "мошен", "обман"):
        assert word not in text.lower()


def test_without_identities_the_page_says_what_to_add(browser: Browser):
    text = browser.get("/reactivation/sunday/farms").text
    assert "no identities are mapped" in text


def test_sources_lead_with_the_ranking_that_flips(browser: Browser, language: str):
    text = browser.get("/sources").text.replace("\u00a0", " ")
    page = Page(text)
    assert page.all("h1")
    words = {
        "en": "“partner” brings most first orders; a customer of “search” is worth more",
        "ru": "Больше всего первых заказов приводит «partner», но клиент из «search» приносит больше",
    }
    assert words[language] in text
    assert {"en": "not yet in 120 days", "ru": "за 120 дн. ещё нет"}[language] in text


def test_the_same_documents_come_over_http(browser: Browser):
    for path, key in (
        ("/api/v1/reactivation/two-letters/interviews", "groups"),
        ("/api/v1/reactivation/two-letters/farms", "clusters"),
        ("/api/v1/sources?cohort=all", "sources"),
    ):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert key in answer.json()
