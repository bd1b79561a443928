"""Pages of what is said over a real workspace: what a file brings is listed, found, marked and logged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from browser import CSRF_COOKIE, Browser, Page

from primeta.web.app import create_app
from primeta.workspace.workspace import Workspace, open_workspace

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
TOML = """
[workspace]
name = "Kalina"
language = "en"
timezone = "Europe/Moscow"

[sources.posts]
reader = "table"
kind = "community"
at = "posts.csv"
owner = "CRM talk"

[sources.tickets]
reader = "table"
kind = "support"
at = "tickets.csv"

[sources.gone]
at = "reports/*.pdf"
kind = "research"
"""
POSTS = """id,said_at,text,url
1,2026-11-10T10:00:00Z,The next release asks for promotional push apart from service push,https://example.org/report/1
2,2026-11-11T10:00:00Z,The next release asks for promotional push apart from service push,https://example.org/report/2
3,2026-11-12T10:00:00Z,Coffee subscriptions bring people in the morning <script>alert(1)</script>,javascript:alert(2)
"""
TICKETS = """id,said_at,text,customer_id,score
7,2026-11-12T10:00:00Z,The courier was late again and nobody told me,secret-customer,2
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder: Path = tmp_path_factory.mktemp("kalina")
    for name, text in (("primeta.toml", TOML), ("posts.csv", POSTS), ("tickets.csv", TICKETS)):
        (folder / name).write_text(text, encoding="utf-8")
    made = open_workspace(folder)
    made.collect(now=NOW)
    return made


@pytest.fixture
def browser(workspace: Workspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


@pytest.mark.parametrize("path", ["/topics", "/reading", "/search", "/search?q=push", "/voices", "/sources", "/log", "/api/v1/reading", "/api/v1/topics", "/api/v1/voices"])  # fmt: skip
def test_every_page_answers_and_names_no_customer(browser: Browser, path: str):
    answer = browser.get(path)
    assert answer.status_code == 200
    assert "secret-customer" not in answer.text
    assert "<script>alert" not in answer.text
    assert 'href="javascript:alert' not in answer.text


def test_a_copy_is_folded_under_who_spoke_first(browser: Browser):
    text = browser.get("/reading?kind=community").text
    assert "and 1 retelling" in text
    assert text.count('<li id="d-') == 2


def test_a_source_without_files_says_so(browser: Browser):
    text = browser.get("/sources").text
    assert "reports/*.pdf" in text
    assert "silent since" not in text


def test_a_story_is_found_marked_and_logged_once(browser: Browser, workspace: Workspace):
    hit = browser.get("/api/v1/search?q=courier").json()["hits"][0]
    assert hit["kind"] == "support"
    assert browser.send(f"/reading/{hit['id']}/keep", {"by": "Anna Kim"}).status_code == 200
    assert f'id="{hit["id"]}"' in browser.get("/reading?show=kept").text
    for _ in range(2):
        assert browser.send(f"/reading/{hit['id']}/log", {"by": "Anna Kim"}).status_code == 200
    assert [note.origin for note in workspace.notes() if "courier" in note.text] == ["voice"]


def test_a_photo_is_kept_with_a_sign_and_a_web_page_is_refused(browser: Browser, workspace: Workspace):
    browser.get("/log")
    fields = {"csrf": browser.cookies[CSRF_COOKIE], "text": "A shelf without tags", "origin": "hand",
              "happened_at": "2026-11-15", "direction": "up", "by": "Anna Kim"}  # fmt: skip
    photo = b"\x89PNG\r\n\x1a\n" + bytes(64)
    answer = browser.request("POST", "/log", data=fields, files=[("files", ("shelf.png", photo))])
    shown = [given["src"] for given in Page(answer.text).all("img")]
    assert browser.get(shown[0]).content == photo
    before = len(workspace.notes())
    answer = browser.request(
        "POST", "/log", data=fields | {"text": "x"}, files=[("files", ("a.png", b"<html>"))]
    )
    assert answer.status_code == 400
    assert "This was not saved" in answer.text
    assert len(workspace.notes()) == before


def test_the_calendar_answers_under_the_address_that_the_page_of_data_shows(browser: Browser):
    address = browser.get("/data").text.partition("http://localhost/calendar/")[2].partition("<")[0]
    assert browser.get(f"/calendar/{address}").text.startswith("BEGIN:VCALENDAR")
    assert browser.get("/calendar/" + "x" * 43 + ".ics").status_code == 404
