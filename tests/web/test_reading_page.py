"""The reading list: retellings folded, marks by plain forms, filters, pages; nothing from outside is markup."""

from __future__ import annotations

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace
from fake_texts import HOSTILE

from primeta.errors import BadInput
from primeta.web.app import create_app
from primeta.web.texts_rows import clipped, safe_url

FIRST = "d-0000000000000001"
SECOND = "d-0000000000000002"


@pytest.fixture
def workspace(language: str) -> FakeWorkspace:
    return FakeWorkspace(language)


@pytest.fixture
def browser(workspace: FakeWorkspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


def test_retellings_are_folded_and_each_says_why_it_is_one(browser: Browser, language: str):
    text = browser.get("/reading?show=kept").text
    assert {"en": "and 6 retellings", "ru": "и ещё 6 пересказов"}[language] in text
    assert len(Page(text).all("details")) == 1
    for words in {
        "en": ("word for word", "nearly the same words", "a forward", "refers to the same page", "the same owner", "in other words"),
        "ru": ("слово в слово", "почти те же слова", "пересланное", "ссылка на ту же страницу", "тот же владелец", "другими словами"),
    }[language]:  # fmt: skip
        assert words in text


def test_a_mark_is_kept_with_its_person_and_the_next_story_comes_into_view(
    browser: Browser, workspace: FakeWorkspace
):
    path = f"/reading/{SECOND}/dismiss?to=d-0000000000000003"
    answer = browser.send(path, {"by": "Anna Kim", "back": "/reading?show=unread&kind="}, follow=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/reading?show=unread&kind=#d-0000000000000003"
    assert workspace.said.marks[SECOND] == ("dismissed", "Anna Kim")
    assert f'id="{SECOND}"' not in browser.get("/reading").text
    assert f'id="{SECOND}"' in browser.get("/reading?show=dismissed").text


@pytest.mark.parametrize(
    ("act", "mark"), [("read", "read"), ("keep", "kept"), ("dismiss", "dismissed"), ("unread", "unread")]
)
def test_each_act_sets_its_mark(browser: Browser, workspace: FakeWorkspace, act: str, mark: str):
    assert browser.send(f"/reading/{FIRST}/{act}", {"by": "Anna Kim"}).status_code == 200
    assert workspace.said.marks[FIRST][0] == mark


def test_one_press_logs_a_sign(browser: Browser, workspace: FakeWorkspace):
    before = len(workspace.notes())
    answer = browser.send(f"/reading/{SECOND}/log", {"by": "Anna Kim", "back": "/reading"})
    assert answer.status_code == 200
    assert len(workspace.notes()) == before + 1
    note = workspace.notes()[0]
    assert (note.origin, note.url) == ("outside", "https://example.org/report/2")
    assert f'href="/signals/{note.id}"' in browser.get("/reading").text


def test_nobody_marks_anything(browser: Browser, workspace: FakeWorkspace, language: str):
    answer = browser.send(f"/reading/{FIRST}/keep", {"by": ""})
    assert answer.status_code == 400
    assert {"en": "Say who you are.", "ru": "Назовите себя."}[language] in answer.text
    assert workspace.said.marks == {}


def test_an_act_that_is_none_and_a_way_back_that_leads_away(browser: Browser):
    assert browser.send(f"/reading/{FIRST}/publish", {"by": "Anna Kim"}).status_code == 404
    for back in ("https://evil.example/", "//evil.example", "/jobs/j-1", ""):
        answer = browser.send(
            f"/reading/{FIRST}/keep?to=x%22y", {"by": "Anna Kim", "back": back}, follow=False
        )
        assert answer.headers["location"].startswith("/reading")


def test_filters_narrow_the_list_and_pages_keep_them(browser: Browser, workspace: FakeWorkspace):
    everything = Page(browser.get("/reading?show=all&kind=industry_report").text)
    links = [attributes["href"] for attributes in everything.all("a")]
    # 16 stories of reports, eight a page
    assert "?show=all&kind=industry_report&page=2" in links
    law = browser.get("/reading?kind=law").text
    assert law.count('<li id="d-') == 1
    assert browser.get("/reading?kind=nothing&page=x&source=none&show=odd").status_code == 200
    name = workspace.said.words["rival"]
    assert browser.get("/reading", params={"source": name}).text.count('<li id="d-') == 1


def test_nothing_found_says_what_to_do(browser: Browser, language: str):
    text = browser.get("/reading?q=zzz").text
    assert {"en": "Nothing fits these filters.", "ru": "Под эти условия ничего не подходит."}[
        language
    ] in text


def test_what_a_feed_writes_is_letters_and_never_markup(browser: Browser):
    for path in (
        "/reading",
        "/topics/tp-1",
        "/search?q=script",
        "/voices",
        "/log?document=d-0000000000000008",
    ):
        text = browser.get(path).text
        assert HOSTILE not in text, path
        assert "&lt;script&gt;" in text, path


def test_links_to_other_sites_tell_where_they_lead_and_tell_the_site_nothing(browser: Browser):
    for path in ("/reading?show=all", "/topics/tp-1", "/search?q=push"):
        outside = [
            attributes for attributes in Page(browser.get(path).text).all("a")
            if attributes["href"].startswith("http")
        ]  # fmt: skip
        assert all(set(link["rel"].split()) == {"noopener", "noreferrer", "nofollow"} for link in outside)
    assert '<span class="host">example.org</span>' in browser.get("/reading").text


def test_no_page_and_no_document_names_a_customer(browser: Browser):
    # the fake's voices are of the customer c7
    for path in (
        "/reading?show=all",
        "/topics/tp-1",
        "/api/v1/reading",
        "/api/v1/documents/d-0000000000000006",
    ):
        answer = browser.get(path)
        assert "customer_id" not in answer.text
        assert '"c7"' not in answer.text
        assert ">c7<" not in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//x.example",
        "/log",
        "ftp://x.example",
        "http://",
        "http://[",
        "https://",
        "http://:80/",
        "http://x.example/\njavascript:alert(1)",
        "http://x.example\x00",
        "",
    ],
)
def test_only_web_addresses_become_links(url: str):
    assert safe_url(url) == ""


def test_web_addresses_stay_as_they_are():
    assert safe_url(" https://example.org/a?b=1#c ") == "https://example.org/a?b=1#c"


def test_a_text_is_cut_between_words():
    assert clipped("one two three four", 12) == "one two…"
    assert clipped("one  two\nthree", 40) == "one two three"


def test_marks_over_http(browser: Browser, workspace: FakeWorkspace):
    sent = {"mark": "kept", "by": "Anna Kim"}
    assert browser.request("POST", f"/api/v1/documents/{SECOND}/mark", json=sent).status_code == 200
    assert workspace.said.marks[SECOND] == ("kept", "Anna Kim")
    assert browser.request("POST", f"/api/v1/documents/{SECOND}/mark", data=sent).status_code == 403
    assert (
        browser.request("POST", f"/api/v1/documents/{SECOND}/mark", json={"mark": "x", "by": "y"}).status_code
        == 422
    )
    logged = browser.request("POST", f"/api/v1/documents/{SECOND}/log", json={"by": "Anna Kim"})
    assert logged.status_code == 201
    stories = browser.get("/api/v1/reading?mark=kept").json()["stories"]
    assert {"copies", "mark", "topics", "trust"} <= stories[0].keys()


def test_a_condition_that_cannot_be_read_says_why_and_keeps_the_words(
    browser: Browser, workspace: FakeWorkspace, monkeypatch
):
    def refuse(**_options):
        raise BadInput("kind 'zzz': expected law, …")

    monkeypatch.setattr(workspace, "reading", refuse)
    answer = browser.get("/reading?q=kind:zzz")
    assert answer.status_code == 400
    assert "expected law" in answer.text
    assert 'value="kind:zzz"' in answer.text
