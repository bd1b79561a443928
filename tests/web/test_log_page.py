"""The form of a sign: filled by a bookmarklet, with files, limits, and the same token as all forms."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import CSRF_COOKIE, Browser, Page
from fake import FakeWorkspace

from primeta.web.pages import log_form

NOTE = {"text": "Heard", "origin": "voice", "happened_at": "2026-11-15", "direction": "up", "by": "Anna Kim"}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)


def value_of(text: str, name: str) -> str:
    return next(given.get("value", "") for given in Page(text).all("input") if given.get("name") == name)


def test_a_bookmarklet_fills_the_form_and_saves_nothing(browser: Browser, workspace: FakeWorkspace):
    before = len(workspace.notes())
    given = {
        "url": "https://example.org/report/9?a=1&b=2",
        "title": "A rival’s “club” <b>",
        "text": "He said\n<i>so</i>",
    }
    text = browser.get("/log", params=given).text
    assert value_of(text, "url") == given["url"]
    assert value_of(text, "subject") == given["title"]
    assert "He said\n&lt;i&gt;so&lt;/i&gt;" in text
    assert '<option value="outside" selected>' in text
    assert len(workspace.notes()) == before


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "x" * 9000])
def test_an_address_that_is_none_is_left_out(browser: Browser, url: str):
    assert value_of(browser.get("/log", params={"url": url}).text, "url") == ""


def test_too_long_a_text_is_cut_and_not_refused(browser: Browser):
    answer = browser.get("/log", params={"text": "x" * 50_000, "title": "y" * 5_000})
    assert answer.status_code == 200
    assert len(value_of(answer.text, "subject")) == log_form.LONGEST_TITLE


def test_the_bookmarklet_leads_to_this_address_and_nowhere_else(browser: Browser):
    hrefs = [given["href"] for given in Page(browser.get("/log").text).all("a")]
    code = next(html.unescape(href) for href in hrefs if href.startswith("javascript:"))
    assert re.findall(r"https?://[^']*", code) == ["http://localhost/log?url="]
    assert "encodeURIComponent(location.href)" in code


def test_the_policy_is_as_strict_as_on_any_page(browser: Browser):
    policies = {
        browser.get(path).headers["content-security-policy"] for path in ("/signals", "/log", "/reading")
    }
    assert len(policies) == 1
    assert "unsafe" not in policies.pop()


def test_a_document_fills_the_form_and_the_sign_stays_tied_to_it(browser: Browser, workspace: FakeWorkspace):
    identity = "d-0000000000000004"
    text = browser.get(f"/log?document={identity}").text
    assert '<option value="regulator" selected>' in text
    fields = {name: value_of(text, name) for name in ("url", "source", "subject", "happened_at", "document")}
    assert fields["happened_at"] == "2026-10-27"
    browser.send("/log", {**NOTE, **fields, "origin": "regulator"})
    assert identity in workspace.said.logged
    # another day is another sign: it is not the document's
    browser.send(
        "/log",
        {
            **NOTE,
            **fields,
            "origin": "regulator",
            "happened_at": "2026-10-01",
            "document": "d-0000000000000005",
        },
    )
    assert "d-0000000000000005" not in workspace.said.logged


def send_files(browser: Browser, files: list[tuple[str, bytes]], **changed: str):
    browser.get("/log")
    fields = {"csrf": browser.cookies[CSRF_COOKIE], **NOTE, **changed}
    return browser.request("POST", "/log", data=fields, files=[("files", file) for file in files])


def test_a_photo_comes_with_the_sign_and_is_shown(browser: Browser, workspace: FakeWorkspace):
    answer = send_files(browser, [("shelf.png", PICTURE), ("words.txt", b"text")])
    assert answer.status_code == 200
    note = workspace.notes()[0]
    assert [file.name for file in note.files] == ["shelf.png", "words.txt"]
    images = [given["src"] for given in Page(answer.text).all("img")]
    assert images == [f"/signals/{note.id}/files/{note.files[0].digest}"]
    shown = browser.get(images[0])
    assert (shown.headers["content-type"], shown.content) == ("image/png", PICTURE)
    saved = browser.get(f"/signals/{note.id}/files/{note.files[1].digest}")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment")
    assert browser.get(f"/signals/{note.id}/files/none").status_code == 404


def test_a_form_with_files_needs_the_token_too(browser: Browser, workspace: FakeWorkspace):
    before = len(workspace.notes())
    assert send_files(browser, [("a.png", PICTURE)], csrf="x" * 43).status_code == 403
    assert len(workspace.notes()) == before


def test_files_over_the_limits_are_refused_and_nothing_is_saved(
    browser: Browser, workspace: FakeWorkspace, monkeypatch
):
    before = len(workspace.notes())
    many = [(f"{number}.png", PICTURE) for number in range(log_form.MOST_FILES + 1)]
    assert send_files(browser, many).status_code == 400
    monkeypatch.setattr(log_form, "LARGEST", 2_000)
    answer = send_files(browser, [("a.png", bytes(3_000))])
    assert answer.status_code == 400
    assert "larger than" in answer.text
    assert len(workspace.notes()) == before


def test_a_broken_upload_is_the_senders_mistake(browser: Browser):
    browser.get("/log")
    answer = browser.request(
        "POST",
        "/log",
        content=b"--x\r\nnonsense",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code in (400, 403)


def test_a_form_without_files_is_taken_as_before(browser: Browser, workspace: FakeWorkspace):
    assert browser.send("/log", NOTE).status_code == 200
    assert workspace.notes()[0].files == ()


def test_the_bookmarks_query_is_what_the_form_reads(browser: Browser):
    """What the bookmark would open, opened: the names of its parameters are those of the form."""
    hrefs = [given["href"] for given in Page(browser.get("/log").text).all("a")]
    code = next(html.unescape(href) for href in hrefs if href.startswith("javascript:"))
    names = re.findall(r"[?&](\w+)='", code)
    opened = urlsplit(
        "http://localhost/log?" + "&".join(f"{name}=https://example.org/report/1" for name in names)
    )
    assert sorted(parse_qs(opened.query)) == ["text", "title", "url"]
    assert (
        value_of(browser.get(f"{opened.path}?{opened.query}").text, "url") == "https://example.org/report/1"
    )
