"""Voices: themes with their shares, what customers did afterwards in observational words, segments."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace

from primeta.web import background
from primeta.web.app import create_app


@pytest.fixture
def workspace(language: str) -> FakeWorkspace:
    return FakeWorkspace(language)


@pytest.fixture
def browser(workspace: FakeWorkspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


def test_the_largest_theme_is_the_headline(browser: Browser, language: str):
    text = browser.get("/voices").text.replace("\u00a0", " ")
    words = {
        "en": "Most of all customers speak of “courier, late”: 31% of voices",
        "ru": "Чаще всего клиенты говорят про «курьер, опоздал»: 31% голосов",
    }
    assert words[language] in text


def test_what_they_did_afterwards_has_an_interval_and_no_cause(browser: Browser, language: str):
    text = browser.get("/voices").text.replace("\u00a0", " ")
    # 41% against 52%, from −17 to −5 points
    assert {"en": "−11.0 pts", "ru": "−11,0 п. п."}[language] in text
    told = {
        "en": ("less often than others like them, within 60 days", "nobody was drawn by lot"),
        "ru": ("реже, чем похожие на них клиенты, за 60 дней", "жребия не было"),
    }
    for words in told[language]:
        assert words in text
    for cause in ("because of", "caused", "led to", "из-за того", "привело", "вызвал"):
        assert cause not in text


def test_an_interval_that_holds_zero_is_no_difference(browser: Browser, language: str):
    text = browser.get("/voices").text.replace("\u00a0", " ")
    words = {"en": "no difference can be told within 60 days", "ru": "за 60 дней разницы не видно"}
    assert text.count(words[language]) == 3


def test_what_cannot_be_told_says_why(browser: Browser, language: str):
    text = browser.get("/voices").text
    assert {"en": "too few customers said it", "ru": "это сказали слишком мало клиентов"}[language] in text


def test_segments_are_named_as_people_name_them(browser: Browser, language: str):
    text = browser.get("/voices?by=age").text.replace("\u00a0", " ")
    assert {"en": "age 18–34", "ru": "возраст 18–34"}[language] in text
    assert browser.get("/voices?by=password&weeks=x").status_code == 200


def test_a_theme_leads_to_its_topic(browser: Browser):
    hrefs = [attributes["href"] for attributes in Page(browser.get("/voices").text).all("a")]
    assert "/topics/tp-1" in hrefs
    assert "#th-1" in hrefs


def test_without_voices_the_page_says_where_they_come_from(new: Browser, language: str):
    text = new.get("/voices").text
    assert {"en": "No ticket, review or comment", "ru": "не прочитано ни одного обращения"}[language] in text


def test_a_long_reading_is_told_and_the_page_comes_back_by_itself(
    browser: Browser, workspace: FakeWorkspace, monkeypatch
):
    go_on = threading.Event()
    voices = workspace.voices

    def slow(**options: Any) -> Any:
        go_on.wait(20)
        return voices(**options)

    monkeypatch.setattr(workspace, "voices", slow)
    monkeypatch.setattr(background, "PATIENCE_SECONDS", 0.01)
    try:
        assert 'http-equiv="refresh"' in browser.get("/voices?weeks=4").text
    finally:
        go_on.set()
    monkeypatch.setattr(background, "PATIENCE_SECONDS", 10)
    assert 'http-equiv="refresh"' not in browser.get("/voices?weeks=4").text


def test_voices_over_http_say_what_they_are(browser: Browser):
    found = browser.get("/api/v1/voices?by=age").json()
    assert found["basis"] == "observational"
    # the third theme's first week is unknown
    assert found["themes"][2]["weekly"][0] is None
