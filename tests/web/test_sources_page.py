"""Sources: how each does, what failed and what to do; the first one; collecting as a job; delivery and the calendar."""

from __future__ import annotations

import pytest
from browser import Browser
from fake import NOW, FakeWorkspace

from primeta.web.app import create_app


@pytest.fixture
def workspace(language: str) -> FakeWorkspace:
    return FakeWorkspace(language)


@pytest.fixture
def browser(workspace: FakeWorkspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


def test_the_page_leads_with_what_does_not_answer_and_says_what_to_do(browser: Browser, language: str):
    text = browser.get("/sources").text
    # the fake's nine sources: one failed for good (410), one is tried again (403)
    assert {"en": "Two of 9 sources do not answer", "ru": "Два из 9 источников не отвечают"}[language] in text
    for words in {
        "en": ("gone for good (410)", "does not let us in (403)", "counts as unknown, not as nothing"),
        "ru": ("больше не будет (410)", "нас не пускает (403)", "считается неизвестным, а не нулём"),
    }[language]:
        assert words in text


def test_every_state_of_health_has_a_word_and_a_shape(browser: Browser):
    text = browser.get("/sources").text
    for health in ("well", "quiet", "failing", "stopped", "paused", "never"):
        assert f'data-health="{health}"' in text


def test_a_source_without_documents_has_no_share(browser: Browser):
    # the yearly study was never read: a dot instead of 0%
    row = browser.get("/sources").text.partition('data-health="never"')[2].partition("</tr>")[0]
    assert '<span class="faint">·</span>' in row


def test_thirteen_weeks_are_told_as_numbers_too(browser: Browser):
    assert "3, 5, 2, 4, 6, 5, 4, 7, 5, 6, 8, 6, 7" in browser.get("/sources").text


def test_collecting_is_a_job_that_leads_back(browser: Browser, workspace: FakeWorkspace):
    told = browser.send("/sources/collect", {}, follow=False).headers["location"]
    identity = told.rpartition("/")[2].partition("#")[0]
    assert workspace.job(identity).kind == "collect"
    assert 'href="/sources"' in browser.get(f"/jobs/{identity}").text


def test_without_a_source_every_page_of_texts_shows_how_to_declare_one(new: Browser):
    for path in ("/sources", "/topics", "/reading", "/search"):
        text = new.get(path).text
        assert "[sources.retail-news]" in text, path
        assert 'action="/sources/collect"' in text, path


def test_the_example_of_a_first_source_is_one_that_primeta_takes(new: Browser, tmp_path):
    import html

    from primeta.config import parse_config
    from primeta.sources.declare import declared_sources

    shown = new.get("/sources").text.partition('tabindex="0">')[2].partition("</pre>")[0]
    config = parse_config(f'[workspace]\nname = "x"\n\n{html.unescape(shown)}', tmp_path / "primeta.toml")
    found = declared_sources(config)
    assert [(source.reader, source.kind) for source in found.values()] == [
        ("feed", "industry_report"), ("telegram", "community"), ("page", "competitor"), ("table", "support"),
    ]  # fmt: skip


def test_delivery_says_what_went_and_what_did_not(browser: Browser, language: str):
    text = browser.get("/data").text
    assert {"en": "the login or token was not accepted", "ru": "логин или токен не подошёл"}[language] in text
    # the address may hold a secret: only the service is named
    assert "tgram" in text
    assert "TOKEN" not in text


def test_the_calendar_answers_under_its_secret_only(browser: Browser):
    answer = browser.get("/calendar/first-secret.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.text.startswith("BEGIN:VCALENDAR")
    assert browser.get("/calendar/guess.ics").status_code == 404
    assert browser.get("/calendar/.ics").status_code == 404


def test_another_address_of_the_calendar_takes_the_old_one_back(browser: Browser):
    assert "/calendar/first-secret.ics" in browser.get("/data").text
    assert browser.send("/delivery/calendar", {}).status_code == 200
    assert "/calendar/second-secret.ics" in browser.get("/data").text
    assert browser.get("/calendar/first-secret.ics").status_code == 404


def test_over_http_a_source_tells_its_trouble_as_a_code(browser: Browser):
    found = {entry["name"]: entry for entry in browser.get("/api/v1/sources").json()["sources"]}
    assert len(found) == 9
    stopped = next(entry for entry in found.values() if entry["health"] == "stopped")
    assert "gone" in str(stopped)
    assert browser.request("POST", "/api/v1/jobs", json={"kind": "collect"}).status_code == 202
