"""Forms from elsewhere, foreign host names, headers, ways out."""

from __future__ import annotations

import pytest
from browser import Browser
from fake import NOW, FakeWorkspace

from primeta.web.app import create_app
from primeta.web.security import local_path

NOTE = {"text": "Heard", "origin": "voice", "happened_at": "2026-11-15", "direction": "up", "by": "Anna Kim"}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/tokens.css", "/api/v1/trends", "/api/v1/nowhere"])
def test_every_response_carries_a_strict_policy(browser: Browser, path: str):
    headers = browser.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_a_form_without_the_token_is_refused(browser: Browser, workspace: FakeWorkspace):
    browser.get("/log")
    before = len(workspace.notes())
    for fields in (NOTE, {**NOTE, "csrf": ""}, {**NOTE, "csrf": "x" * 43}):
        assert browser.request("POST", "/log", data=fields).status_code == 403
    assert len(workspace.notes()) == before


def test_a_form_of_another_site_is_refused_even_with_the_token(browser: Browser, workspace: FakeWorkspace):
    before = len(workspace.notes())
    for origin in ("https://evil.example", "null"):
        assert browser.send("/log", NOTE, headers={"Origin": origin}).status_code == 403
    assert len(workspace.notes()) == before
    assert browser.send("/log", NOTE, headers={"Origin": "http://localhost"}).status_code == 200


def test_without_a_cookie_no_token_is_right(workspace: FakeWorkspace):
    stranger = Browser(create_app(workspace, now=lambda: NOW))
    assert stranger.request("POST", "/log", data={**NOTE, "csrf": ""}).status_code == 403
    assert stranger.request("POST", "/log", data={**NOTE, "csrf": "a" * 43}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/trends/t-1/decide",
        "/trends/t-1/edit",
        "/trends/t-1/signals",
        "/trends/new",
        "/signals/s-1/join",
        "/watch",
        "/settings",
        "/data",
        "/jobs/j-1/cancel",
    ],
)
def test_every_form_wants_the_token(browser: Browser, path: str):
    assert browser.request("POST", path, data={}).status_code == 403


def test_the_tokens_cookie_is_strict(browser: Browser):
    cookie = next(
        value for value in browser.get("/").headers.get_list("set-cookie") if "primeta_csrf" in value
    )
    assert "samesite=strict" in cookie.casefold()
    assert "httponly" in cookie.casefold()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.nip.io", ""]
)
def test_a_foreign_host_name_is_refused(workspace: FakeWorkspace, host: str):
    browser = Browser(create_app(workspace, now=lambda: NOW))
    answer = browser.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("host", ["localhost", "localhost:8765", "127.0.0.1:8765", "[::1]:8765", "LOCALHOST"])
def test_the_names_of_loopback_are_ours(browser: Browser, host: str):
    assert browser.get("/", headers={"Host": host}).status_code == 200


def test_a_name_given_to_serve_is_ours_too(workspace: FakeWorkspace):
    browser = Browser(create_app(workspace, now=lambda: NOW, hosts=("primeta.office",)))
    assert browser.get("/", headers={"Host": "primeta.office:8765"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\r\nSet-Cookie: x=1",
    ],
)
def test_one_is_never_sent_to_another_site(path: str):
    assert local_path(path) == "/"


def test_a_path_of_ours_is_kept():
    assert local_path("/signals?show=gone") == "/signals?show=gone"


@pytest.mark.parametrize("toast", ["garbage", "W10=", "WyJkb25lLnNhdmVkIiwgW11d", "WyJ0LnhzcyIsIHt9XQ=="])
def test_a_forged_toast_says_nothing(browser: Browser, toast: str):
    answer = browser.get("/", headers={"Cookie": f"primeta_toast={toast}"})
    assert answer.status_code == 200
    assert 'class="toast"' not in answer.text


def test_a_body_of_another_type_changes_nothing_over_the_api(browser: Browser, workspace: FakeWorkspace):
    before = len(workspace.notes())
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Origin": "https://evil.example"},
    ):
        answer = browser.request(
            "POST", "/api/v1/log", content='{"text":"x","origin":"voice","by":"a"}', headers=headers
        )
        assert answer.status_code in (403, 422)
    assert len(workspace.notes()) == before
