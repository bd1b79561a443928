"""Every page, without a script: structure, words, states, and that nothing comes from outside."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from browser import Browser, Page
from fake import FakeWorkspace

PAGES = (
    "/",
    "/signals",
    "/signals?show=noticed",
    "/signals?show=gone",
    "/signals/s-1",
    "/signals/s-4",
    "/signals/n-1",
    "/signals/n-2",
    "/trends",
    "/trends/radar",
    "/trends/new",
    "/trends/t-1",
    "/trends/t-4",
    "/trends/t-5",
    "/trends/t-6",
    "/trends/t-1/edit",
    "/log",
    "/metrics",
    "/metrics/items_per_order",
    "/metrics/revenue_per_customer?slice=age%3D18-34&grain=month",
    "/data",
    "/experiments",
    "/experiments?q=revenue",
    "/experiments/evening-push",
    "/experiments/reminder",
    "/experiments/two-letters",
    "/experiments/saturday",
    "/experiments/short-form",
    "/experiments/big-banner",
    "/experiments/morning-sms",
    "/experiments/evening-push/edit",
    "/experiments/two-letters/edit",
    "/declare",
    "/declare?trend=t-1",
    "/certificate",
    "/reactivation",
    "/reactivation/two-letters",
    "/reactivation/sunday",
    "/reactivation/saturday",
    "/reactivation/two-letters/moment",
    "/reactivation/two-letters/sequence",
    "/reactivation/two-letters/discount",
    "/reactivation/two-letters/whom",
    "/reactivation/sunday/moment",
    "/reactivation/sunday/sequence",
    "/reactivation/sunday/discount",
    "/reactivation/sunday/whom",
    "/reactivation/saturday/moment",
    "/lapse",
    "/reactivation/two-letters/interviews",
    "/reactivation/two-letters/farms",
    "/reactivation/sunday/farms",
    "/acquisition",
    "/topics",
    "/topics/tp-1",
    "/topics/tp-2",
    "/topics/tp-3",
    "/reading",
    "/reading?show=all&page=2",
    "/reading?show=all&q=nothing-like-this",
    "/search",
    "/search?q=push",
    "/search?q=nothing-like-this",
    "/voices",
    "/voices?weeks=26&by=age",
    "/sources",
    "/log?document=d-0000000000000001",
)
NEW_PAGES = (
    "/",
    "/signals",
    "/trends",
    "/trends/radar",
    "/trends/new",
    "/log",
    "/metrics",
    "/metrics/items_per_order",
    "/experiments",
    "/reactivation",
    "/lapse",
    "/declare",
    "/certificate",
    "/topics",
    "/reading",
    "/search",
    "/voices",
    "/sources",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_title_one_h1_and_its_language(read, language: str, path: str):
    answer = read(path)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.unbalanced == []
    assert answer.text.partition("</head>")[0].count("<title>") == 1
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.all("html")[0]["lang"] == language
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}


@pytest.mark.parametrize("path", NEW_PAGES)
def test_before_the_first_watch_a_page_says_what_belongs_here_and_offers_one_action(new: Browser, path: str):
    answer = new.get(path)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.unbalanced == []
    assert len(page.all("h1")) == 1
    main = answer.text.partition("<main")[2]
    assert 'class="button' in main


@pytest.mark.parametrize("path", PAGES)
def test_every_input_has_a_label_and_every_id_is_used_once(read, path: str):
    page = Page(read(path).text)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    # Both drawings of the radar carry the same arcs for their names; one of them is shown.
    assert len(ids) == len(set(ids))
    labelled = {attributes["for"] for attributes in page.all("label") if "for" in attributes}
    fields = [
        attributes
        for tag in ("input", "textarea", "select")
        for attributes in page.all(tag)
        if attributes.get("type") not in ("hidden", "radio")
    ]
    assert all(attributes.get("id") in labelled for attributes in fields)
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby", "popovertarget"):
            for target in attributes.get(name, "").split():
                assert target in ids


@pytest.mark.parametrize("path", PAGES)
def test_every_picture_has_its_numbers_as_a_name_or_is_hidden_beside_them(read, path: str):
    html = read(path).text
    depth = 0
    for opening, closing in re.findall(r"<svg([^>]*)>|(</svg>)", html):
        if closing:
            depth -= 1
            continue
        if depth == 0:
            named = re.search(r'role="img" aria-label="[^"]+"', opening)
            assert named or 'aria-hidden="true"' in opening
        depth += 1
    assert depth == 0


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/nowhere",
        "/static/tokens.css",
        "/static/components.css",
        "/static/pages.css",
        "/static/charts.js",
    ],
)
def test_no_response_names_an_outside_address(read, path: str):
    text = read(path).text
    outside = set(re.findall(r"(?:https?:)?//[a-zA-Z0-9][^\s\"'<>)]*", text))
    # The namespace of SVG is a name, not an address; the second is the link that a person wrote in a note or a source
    # gave; the last is our own, in the bookmarklet and the calendar's feed.
    known = ("http://www.w3.org/", "https://example.org/report", "http://localhost/")
    assert {address for address in outside if not address.startswith(known)} == set()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_inline_style_or_script(read, path: str):
    page = Page(read(path).text)
    assert page.all("style") == []
    assert all("src" in attributes for attributes in page.all("script"))
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)


def test_the_places_are_those_that_exist(read):
    page = Page(read("/").text)
    paths = [attributes["href"] for attributes in page.all("a")]
    for place in ("/", "/signals", "/trends", "/topics", "/metrics", "/data"):
        assert place in paths
        assert read(place).status_code == 200


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_every_link_leads_somewhere(read):
    """Every link of every page, each followed once."""
    targets = set()
    for path in PAGES:
        for attributes in Page(read(path).text).all("a"):
            href = attributes["href"].partition("#")[0]
            if href.startswith("?"):
                targets.add(path.partition("?")[0] + href)
            elif href.startswith("/"):
                targets.add(href)
    # Links that only change the language lead to the page itself.
    targets = {target for target in targets if "lang=" not in target}
    assert len(targets) > 30
    for target in sorted(targets):
        assert read(target).status_code == 200, target


def test_today_leads_with_the_finding(browser: Browser):
    text = browser.get("/").text
    # The invented week: two grades rose, one was refuted, one is new; three trends wait, one review is late.
    assert "Two signs grew stronger, one lost its ground, one is new." in text
    assert "Three decisions wait, and one review is overdue." in text


def test_today_in_russian_counts_in_the_right_forms(browser: Browser):
    text = browser.get("/?lang=ru").text
    assert "Два сигнала окрепли" in text
    assert "Три решения ждут, одна оценка просрочена." in text
    assert "просрочено на 11" in text


def test_a_number_comes_with_its_interval_and_a_guess_looks_like_one(browser: Browser):
    text = browser.get("/trends/t-1").text
    assert '<span class="n guess"><b>+₽11m</b> <span class="ci">−2\u00a0to\u00a025</span></span>' in text
    assert 'data-basis="guess"' in text
    assert "a guess: Anna Kim, 9\u00a0Nov" in text


def test_what_is_unknown_is_said_with_its_reason_and_never_as_zero(browser: Browser):
    text = browser.get("/trends/t-1").text
    assert "cannot tell: it is not measured in these slices" in text
    glance = browser.get("/").text
    assert "there is too little history to expect anything" in glance


def test_where_money_cannot_be_told_today_shows_the_change_and_why(
    browser: Browser, workspace: FakeWorkspace
):
    trend = workspace.trend("t-2")
    assert trend.weighing is not None
    unknown = replace(
        trend.weighing.scenarios[0], p10=math.nan, p50=math.nan, p90=math.nan, why_not="inputs-missing"
    )
    weighing = replace(trend.weighing, scenarios=(unknown, *trend.weighing.scenarios[1:]))
    workspace.put_trend(replace(trend, weighing=weighing))
    texts = Page(browser.get("/").text).texts
    # October, as the fake has it: 4.2% further in the direction of the change, which is down.
    assert "−4.2%" in texts
    assert "against expected, Oct\u00a02026" in texts
    assert any(text.startswith("money: cannot tell yet: an input is missing") for text in texts)


def test_the_card_shows_all_eleven_fields_and_marks_the_missing_one(browser: Browser):
    page = Page(browser.get("/trends/t-1").text)
    assert "10 of 11 fields" in page.texts
    terms = [text for text in page.texts if text in ("Name", "Short description", "Signal sources", "Metrics to track", "Hypothesis of CRM impact", "Experiment plan", "Resources and technology", "Risk assessment", "Decision criteria", "Review date", "Owner")]  # fmt: skip
    assert len(set(terms)) == 11
    assert "Not written yet." in page.texts


def test_why_this_grade_opens_without_a_script(browser: Browser):
    page = Page(browser.get("/trends/t-1").text)
    button = next(attributes for attributes in page.all("button") if attributes.get("popovertarget") == "why")
    assert button
    assert any(attributes.get("id") == "why" and "popover" in attributes for _, attributes in page.elements)
    assert "Months beyond the smallest effect that matters: 3 of 3; 2 are needed." in page.texts


def test_the_radar_is_told_as_a_list_too(browser: Browser):
    page = Page(browser.get("/trends/radar").text)
    assert "an answer in 7 weeks" in page.texts
    assert "no answer in sight" in page.texts
    # The refuted trend is on the board, not on the radar.
    assert FakeWorkspace("en").text["coffee"] not in page.texts


def test_a_failed_reading_of_the_data_says_what_failed_and_what_to_do(new: Browser):
    answer = new.get("/data")
    assert answer.status_code == 503
    assert "data/orders.parquet: no such file" in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/trends/none", 404),
        ("/signals/none", 404),
        ("/metrics/none", 404),
        ("/jobs/none", 404),
    ],
)
def test_a_missing_thing_is_a_page_in_the_readers_language(read, language: str, path: str, status: int):
    answer = read(path)
    assert answer.status_code == status
    assert {"en": "There is nothing at this address", "ru": "По этому адресу ничего нет"}[
        language
    ] in answer.text


def test_a_defect_of_ours_is_a_page_with_all_headers(workspace: FakeWorkspace, browser: Browser, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(workspace, "overview", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "This is our mistake" in answer.text
    assert "content-security-policy" in answer.headers
