"""Pages of interviews, farms and sources: what they show, what they never show, and what they do."""

from __future__ import annotations

import re

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace
from fake_people import QUOTE

from primeta.web.app import create_app

NEWER = {"en": "Newer facts have come", "ru": "Пришли новые данные"}
AGAIN = {"en": "Try again", "ru": "Попробовать ещё раз"}
NOT_YET = {"en": "This is not worked out yet.", "ru": "Это пока не посчитано."}


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


def test_without_identities_the_page_says_what_to_add(browser: Browser, language: str):
    text = browser.get("/reactivation/sunday/farms").text
    assert "no identities are mapped" in text
    # another attempt would say the same
    assert AGAIN[language] not in text


def test_what_is_not_worked_out_yet_says_so_and_offers_one_act(
    browser: Browser, workspace: FakeWorkspace, language: str
):
    text = browser.get("/reactivation/saturday/interviews").text
    assert NOT_YET[language] in text
    assert text.count('class="button main"') == 1
    told = browser.send("/reactivation/saturday/interviews", {}, follow=False)
    assert told.status_code == 303
    identity, _, back = told.headers["location"].rpartition("/")[2].partition("?back=")
    assert workspace.job(identity).kind == "interviews"
    assert back.startswith("%2Freactivation%2Fsaturday%2Finterviews")
    assert "/reactivation/saturday/interviews" in browser.get(told.headers["location"]).text


def test_an_attempt_that_failed_says_why_and_may_be_repeated(
    browser: Browser, workspace: FakeWorkspace, language: str
):
    text = browser.get("/reactivation/saturday/farms").text
    assert "c7 stands in two arms" in text
    assert AGAIN[language] in text
    told = browser.send("/reactivation/saturday/farms", {}, follow=False).headers["location"]
    assert workspace.job(told.rpartition("/")[2].partition("?")[0]).kind == "farms"


@pytest.mark.parametrize(
    "path", ["/reactivation/two-letters/interviews", "/reactivation/two-letters/farms", "/acquisition"]
)
def test_newer_facts_are_told_beside_what_is_kept(
    browser: Browser, workspace: FakeWorkspace, language: str, path: str
):
    assert NEWER[language] not in browser.get(path).text
    assert browser.get(f"/api/v1{path}").headers["primeta-stale"] == "false"
    workspace.called.stale = True
    assert NEWER[language] in browser.get(path).text
    answer = browser.get(f"/api/v1{path}")
    assert answer.headers["primeta-stale"] == "true"
    # the fake's `AT`
    assert answer.headers["last-modified"] == "Mon, 16 Nov 2026 06:00:00 GMT"


def test_sources_are_a_job_of_their_own(browser: Browser, workspace: FakeWorkspace):
    told = browser.send("/acquisition", {}, follow=False).headers["location"]
    identity = told.rpartition("/")[2].partition("#")[0]
    assert workspace.job(identity).kind == "sources"
    assert 'href="/acquisition"' in browser.get(f"/jobs/{identity}").text


def test_before_the_first_watch_sources_say_what_to_do(new: Browser):
    assert "primeta watch" in new.get("/acquisition").text


def test_sources_lead_with_the_ranking_that_flips(browser: Browser, language: str):
    text = browser.get("/acquisition").text.replace("\u00a0", " ")
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
        ("/api/v1/acquisition?cohort=all", "sources"),
    ):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert key in answer.json()


def test_over_http_what_is_not_worked_out_is_a_refusal_that_names_the_job(browser: Browser):
    missing = browser.get("/api/v1/reactivation/saturday/interviews")
    assert missing.status_code == 404
    assert '{"kind": "interviews"} to /api/v1/jobs' in missing.json()["error"]
    # no job would help
    refused = browser.get("/api/v1/reactivation/sunday/farms")
    assert refused.status_code == 400
    assert "no identities are mapped" in refused.json()["error"]
