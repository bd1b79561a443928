"""Topics: the list, one topic with who spoke first, its evidence, joining it to a trend, refusing a suggestion."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace

from primeta.signals.signal import GRADES
from primeta.signals.texts.topics_words import WORDS
from primeta.web.app import create_app
from primeta.web.reader import Reader
from primeta.web.texts_pictures import topic_picture
from primeta.web.texts_rows import sightings, wanted_of, weekly_shares


@pytest.fixture
def workspace(language: str) -> FakeWorkspace:
    return FakeWorkspace(language)


@pytest.fixture
def browser(workspace: FakeWorkspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


@pytest.fixture
def reader(workspace: FakeWorkspace, language: str) -> Reader:
    return Reader(lang=language, theme="", zone=workspace.config.zone, currency="RUB")


def test_a_cascade_of_reposts_is_one_source(browser: Browser, language: str):
    row = (
        browser.get("/topics").text.partition("/topics/tp-3")[2].partition("</li>")[0].replace("\u00a0", " ")
    )
    # 63 messages of one owner
    for words in {
        "en": ("one source", "63 messages, 1 story"),
        "ru": ("один источник", "63 сообщения, 1 без повторов"),
    }[language]:
        assert words in row


def test_a_topic_leads_with_the_finding_and_counts_copies_apart(browser: Browser, language: str):
    text = browser.get("/topics/tp-1").text.replace("\u00a0", " ")
    told = {
        "en": ("five independent sources speak more of it, since 5 Oct 2026", "41 messages, 5 independent sources", "29 of them repeat others"),
        "ru": ("с 5 октября 2026 чаще говорят пять независимых источников", "41 сообщение, 5 независимых источников", "29 из них повторяют другие"),
    }  # fmt: skip
    for words in told[language]:
        assert words in text


def test_who_spoke_first_stands_first_and_the_others_follow_by_days(workspace: FakeWorkspace, reader: Reader):
    view = workspace.topic("tp-1")
    seen = sightings(reader, view)
    assert [entry.owner for entry in seen] == list(view.topic.owners)
    # 41 days before the fake's now; the week of 12 October is known of the second
    assert (seen[0].at.isoformat(), seen[0].days_later, seen[0].by_week) == ("2026-10-06", 0, False)
    assert (seen[1].at.isoformat(), seen[1].days_later, seen[1].by_week) == ("2026-10-12", 6, True)


def test_where_only_the_week_is_known_nobody_is_later_by_less_than_nothing(
    workspace: FakeWorkspace, reader: Reader
):
    view = workspace.topic("tp-1")
    # the second owner's week begins the day before the first one's post
    monday = [
        replace(share, week=share.week - timedelta(weeks=1)) if share.owner == "crm_talk" else share
        for share in view.topic.shares
    ]
    seen = sightings(reader, replace(view, topic=replace(view.topic, shares=tuple(monday))))
    assert seen[0].owner == "platform.example"
    assert seen[1].days_later == 0


def test_what_would_confirm_it_is_told_in_plain_words(workspace: FakeWorkspace, reader: Reader):
    assert [entry.met for entry in wanted_of(reader, workspace.topic("tp-1").topic)] == [True, True, True]
    # one regulator, two weeks: strong enough, not repeated, nobody else
    assert [entry.met for entry in wanted_of(reader, workspace.topic("tp-2").topic)] == [True, False, False]
    assert [entry.met for entry in wanted_of(reader, workspace.topic("tp-3").topic)] == [False, False, False]


def test_a_rule_shows_from_when_it_applies(browser: Browser, language: str):
    text = browser.get("/topics/tp-2").text.replace("\u00a0", " ")
    # 1 March 2027 is 105 days after 16 November 2026
    assert {"en": "applies from 1 Mar 2027, 105 days left", "ru": "действует с 1 марта 2027"}[
        language
    ] in text
    assert 'href="/trends/t-6"' in text


def test_the_weekly_share_is_of_all_that_was_said(workspace: FakeWorkspace):
    shares = weekly_shares(workspace.topic("tp-2").topic)
    # one owner with 14 stories a week: nothing for ten weeks, then 1, 1, 2
    assert shares == pytest.approx([0.0] * 10 + [1 / 14, 1 / 14, 2 / 14])


def test_the_picture_tells_its_numbers_and_draws_each_source(
    workspace: FakeWorkspace, reader: Reader, language: str
):
    topic = workspace.topic("tp-1").topic
    picture = topic_picture(reader, topic, title="Title")
    assert picture is not None
    assert all(owner in picture.description for owner in topic.owners)
    for width in (360, 760):
        drawing = picture.specification("dark", width=width)
        rows = [row for layer in drawing["layer"] for row in layer.get("data", {}).get("values", [])]
        rows += [row for more in drawing.get("datasets", {}).values() for row in more]
        names = [row["label"] for row in rows if row.get("x") == 0 and "label" in row]
        assert names[:5] == list(topic.owners)
    assert topic_picture(reader, replace(topic, shares=()), title="Title") is None


def test_the_chart_comes_as_a_specification_and_is_missing_where_nothing_is_known(browser: Browser):
    assert browser.get("/topics/tp-1/chart?width=500").json()["width"] == 500
    assert browser.get("/topics/none/chart").status_code == 404
    assert browser.get("/topics/none").status_code == 404


def test_a_side_of_a_topic_leads_to_the_topic(browser: Browser):
    answer = browser.get("/signals/s-10", follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/topics/tp-1")


def test_signals_of_topics_stand_apart_with_their_share(browser: Browser, language: str):
    text = browser.get("/signals").text
    said = text.partition('id="said"')[2].partition("</table>")[0]
    assert said.count('href="/topics/tp-1"') == 2
    # 2% before, 9% now, by the fake
    assert {"en": "9.0%", "ru": "9,0%"}[language] in said


def test_joining_takes_all_sides_of_a_topic_and_its_type(browser: Browser, workspace: FakeWorkspace):
    answer = browser.send("/topics/tp-1/join", {"name": "Push asks first", "by": "Anna Kim"}, follow=False)
    made = workspace.trend(answer.headers["location"].rpartition("/")[2].partition("#")[0])
    assert made.signals == ("s-9", "s-10")
    assert made.card.type == "technological"


def test_a_suggestion_is_accepted_or_refused_with_its_reasons(
    browser: Browser, workspace: FakeWorkspace, language: str
):
    text = browser.get("/topics/tp-1").text
    assert 'name="refuse" value="t-3"' in text
    assert (
        browser.send("/topics/tp-1/join", {"trend": "t-3", "by": "Anna Kim"}, follow=False).status_code == 303
    )
    assert {"s-9", "s-10"} <= set(workspace.trend("t-3").signals)
    assert (
        browser.send("/topics/tp-1/join", {"refuse": "t-3", "by": "Anna Kim"}, follow=False).status_code
        == 303
    )
    assert not {"s-9", "s-10"} & set(workspace.trend("t-3").signals)


def test_the_same_in_another_language_is_joined_in_one_click(
    browser: Browser, workspace: FakeWorkspace, language: str
):
    text = browser.get("/topics/tp-2").text
    assert {"en": "The same in Russian?", "ru": "То же по-английски?"}[language] in text
    assert 'href="/topics/tp-1"' in text
    assert 'name="twin" value="tp-1"' in text
    answer = browser.send("/topics/tp-2/join", {"twin": "tp-1", "by": "Anna Kim"}, follow=False)
    assert answer.headers["location"].startswith("/trends/t-6")
    assert {"s-9", "s-10"} <= set(workspace.trend("t-6").signals)
    browser.send("/topics/tp-2/join", {"not_twin": "tp-1", "by": "Anna Kim"})
    assert not {"s-9", "s-10"} & set(workspace.trend("t-6").signals)


def test_a_topic_that_is_over_has_died_down_and_was_not_refuted(browser: Browser, language: str):
    reader_words = {"en": ("died down", "refuted"), "ru": ("сошла на нет", "опровергнут")}[language]
    assert WORDS[language]["refuted"] == reader_words[0]
    assert reader_words[1] not in browser.get("/topics").text


@pytest.mark.parametrize("fields", [{"by": "Anna Kim"}, {"trend": "t-3", "by": ""}])
def test_joining_says_what_is_missing(browser: Browser, fields: dict[str, str]):
    assert browser.send("/topics/tp-1/join", fields).status_code == 400


def test_a_topic_without_a_signal_cannot_be_joined_yet(browser: Browser):
    assert browser.send("/topics/tp-3/join", {"trend": "t-3", "by": "Anna Kim"}).status_code == 400


def test_topics_over_http_carry_the_names_that_others_build_on(browser: Browser):
    found = browser.get("/api/v1/topics").json()["topics"][0]
    # DESIGN, public surface: topics[] {terms, since, first_seen, origins, documents, e_value, quotes[] {…}}
    assert {"terms", "since", "first_seen", "origins", "documents", "e_value", "quotes"} <= found.keys()
    assert set(found["quotes"][0]) >= {"text", "source", "url", "published_at"}
    assert found["grade"] in GRADES
    one = browser.get("/api/v1/topics/tp-1").json()
    assert {"shares", "weeks", "newest"} <= one.keys()
    assert browser.get("/api/v1/topics/none").status_code == 404


def test_the_places_lead_to_what_is_said(browser: Browser):
    page = Page(browser.get("/reading").text)
    here = [attributes["href"] for attributes in page.all("a") if attributes.get("aria-current") == "page"]
    assert here == ["/topics", "/reading"]


def test_a_trend_that_texts_have_seen_shows_who_speaks_of_it(browser: Browser, workspace: FakeWorkspace):
    browser.send("/topics/tp-1/join", {"name": "Push asks first", "by": "Anna Kim"}, follow=False)
    made = list(workspace.trends())[-1]
    text = browser.get(f"/trends/{made.id}").text
    assert "platform.example" in text.partition('class="chart"')[2].partition("</figure>")[0]
    assert 'href="/signals/s-9"' in text
    assert browser.get(f"/trends/{made.id}/chart").status_code == 200
