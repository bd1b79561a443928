"""What people do: every form by post, redirect, get; complaints beside their cause with the text kept."""

from __future__ import annotations

import pytest
from browser import Browser, Page
from fake import FakeWorkspace

from primeta.errors import BadInput

DECISION = {
    "answer": "experiment",
    "criteria": "Orders per customer at least 2% above control",
    "due": "2027-01-18",
    "owner": "Anna Kim",
    "by": "Oleg Petrov",
    "reason": "",
}


def test_a_decision_is_recorded_and_told(browser: Browser, workspace: FakeWorkspace):
    first = browser.send("/trends/t-1/decide", DECISION, follow=False)
    assert (first.status_code, first.headers["location"]) == (303, "/trends/t-1#main")
    page = Page(browser.get("/trends/t-1").text)
    assert "Decided: experiment, to be judged on 18\u00a0Jan\u00a02027." in page.texts
    decision = workspace.trend("t-1").decision
    assert decision is not None
    assert (decision.answer, decision.owner, decision.decided_by) == ("experiment", "Anna Kim", "Oleg Petrov")
    # The toast is told once.
    assert "Decided: experiment" not in browser.get("/trends/t-1").text


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"answer": "maybe"}, "Choose one of the four answers."),
        ({"criteria": ""}, "Write what must be seen by that day"),
        ({"criteria": "More orders, margin not lower"}, "How much? Name a number"),
        ({"due": "2026-11-16"}, "This day has passed"),
        ({"due": "soon"}, "Name the day on which it is judged."),
        ({"owner": ""}, "Name who answers for it."),
        ({"by": ""}, "Say who you are."),
        ({"answer": "reject"}, "Write why, so that it is not reopened."),
    ],
)
def test_a_wrong_decision_is_shown_again_with_its_complaint_and_its_text(
    browser, workspace, changed, complaint
):
    answer = browser.send("/trends/t-1/decide", {**DECISION, **changed})
    assert answer.status_code == 400
    assert complaint in answer.text
    assert {**DECISION, **changed}["criteria"] in answer.text
    assert workspace.trend("t-1").decision is None
    assert 'class="wrong"' in answer.text


def test_a_complaint_names_its_field_for_a_screen_reader(browser: Browser):
    page = Page(browser.send("/trends/t-1/decide", {**DECISION, "criteria": "More orders"}).text)
    area = next(attributes for attributes in page.all("textarea") if attributes["name"] == "criteria")
    assert area["aria-invalid"] == "true"
    assert area["aria-describedby"] == "wrong-f-criteria"


def test_a_note_is_written_down_and_attached(browser: Browser, workspace: FakeWorkspace):
    fields = {
        "text": "Три покупателя спросили про доставку к ужину", "origin": "voice", "subject": "", "source": "магазин 12",
        "happened_at": "2026-11-15", "url": "", "direction": "up", "trend": "t-1", "by": "Anna Kim",
    }  # fmt: skip
    answer = browser.send("/log", fields)
    assert answer.status_code == 200
    assert "Written down: Три покупателя спросили про доставку к ужину." in answer.text
    assert workspace.notes()[0].id in workspace.trend("t-1").signals
    assert workspace.notes()[0].source == "магазин 12"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"text": "  "}, "Write at least a few words."),
        ({"origin": "metric"}, "Choose where it comes from."),
        ({"happened_at": "2026-11-17"}, "This day is in the future"),
        ({"url": "javascript:alert(1)"}, "A link begins with http:// or https://."),
        ({"by": ""}, "Say who you are."),
    ],
)
def test_a_wrong_note_is_shown_again_with_its_complaint(browser, workspace, changed, complaint):
    fields = {
        "text": "Heard at the till",
        "origin": "voice",
        "happened_at": "2026-11-15",
        "direction": "up",
        "by": "Anna Kim",
        "url": "",
    }
    before = len(workspace.notes())
    answer = browser.send("/log", {**fields, **changed})
    assert answer.status_code == 400
    assert complaint in answer.text
    assert len(workspace.notes()) == before


def test_what_the_workspace_refuses_is_told_with_the_text_kept(browser, workspace, monkeypatch):
    def refuse(**_values):
        raise BadInput("text is longer than 20000 characters")

    monkeypatch.setattr(workspace, "log_signal", refuse)
    fields = {
        "text": "Heard at the till",
        "origin": "voice",
        "happened_at": "2026-11-15",
        "direction": "up",
        "by": "Anna Kim",
    }
    answer = browser.send("/log", fields)
    assert answer.status_code == 400
    assert "This was not saved" in answer.text
    assert "text is longer than 20000 characters" in answer.text
    assert "Heard at the till</textarea>" in answer.text


def test_a_trend_begins_from_a_signal(browser: Browser, workspace: FakeWorkspace):
    answer = browser.send(
        "/signals/s-4/join", {"trend": "", "name": "Sunday mailing tires", "by": "Anna Kim"}
    )
    assert "“Sunday mailing tires” has a card now." in answer.text
    assert workspace.trends()[-1].signals == ("s-4",)


def test_attaching_needs_a_trend_or_a_name(browser: Browser):
    answer = browser.send("/signals/s-4/join", {"trend": "", "name": "", "by": "Anna Kim"})
    assert answer.status_code == 400
    assert "Choose a trend, or name a new one." in answer.text


def test_a_suggestion_is_attached_or_refused(browser: Browser, workspace: FakeWorkspace):
    browser.send("/trends/t-1/signals", {"attach": "s-3", "by": "Anna Kim"})
    assert "s-3" in workspace.trend("t-1").signals
    answer = browser.send("/trends/t-1/signals", {"refuse": "s-3", "by": "Anna Kim"})
    assert "s-3" not in workspace.trend("t-1").signals
    assert "it will not be offered again" in answer.text


def test_a_new_trend_by_hand(browser: Browser, workspace: FakeWorkspace):
    browser.send(
        "/trends/new",
        {"name": "Readers ask for paper", "type": "socio-cultural", "by": "Anna Kim", "signals": ""},
    )
    assert workspace.trends()[-1].card.name == "Readers ask for paper"
    answer = browser.send("/trends/new", {"name": "", "type": "socio-cultural", "by": "Anna Kim"})
    assert answer.status_code == 400
    assert "Give it a name" in answer.text


def written(browser: Browser) -> dict[str, str]:
    """The fields of the edit form as a browser would send them back."""
    html = browser.get("/trends/t-1/edit").text
    page = Page(html)
    fields = {
        entry["name"]: entry.get("value", "")
        for entry in page.all("input")
        if "name" in entry and entry["name"] not in ("csrf", "back")
    }
    for part in html.split("<textarea ")[1:]:
        name = part.partition('name="')[2].partition('"')[0]
        fields[name] = (
            part.partition(">")[2].partition("</textarea>")[0].replace("&#39;", "'").replace("&#34;", '"')
        )
    return {**fields, "type": "behavioural", "by": "Anna Kim"}


def test_only_what_a_person_changed_is_saved(browser: Browser, workspace: FakeWorkspace, monkeypatch):
    saved = {}
    keep = workspace.edit_card

    def spy(trend, **values):
        saved.update(values)
        return keep(trend, **values)

    monkeypatch.setattr(workspace, "edit_card", spy)
    answer = browser.send("/trends/t-1/edit", {**written(browser), "risks": "It tires people."})
    assert "is saved" in answer.text
    assert saved["changes"] == {"risks": "It tires people."}
    assert saved["version"] == 3


def test_metrics_are_written_by_their_names(browser: Browser, workspace: FakeWorkspace, monkeypatch):
    saved = {}
    monkeypatch.setattr(workspace, "edit_card", lambda trend, **values: saved.update(values))
    fields = written(browser)
    assert fields["metrics"] == "Items per order\nOrders per customer"
    browser.send(
        "/trends/t-1/edit", {**fields, "metrics": "items per order\r\nRetention, 30 days\r\nnew_one"}
    )
    assert saved["changes"] == {"metrics": ["items_per_order", "retention_30", "new_one"]}


def test_an_untouched_card_is_not_saved_again(browser: Browser, workspace: FakeWorkspace):
    answer = browser.send("/trends/t-1/edit", written(browser))
    assert "Nothing was changed." in answer.text
    assert workspace.trend("t-1").version == 3


def test_two_people_at_one_card_lose_nothing(browser: Browser, workspace: FakeWorkspace):
    mine = {**written(browser), "risks": "Mine."}
    browser.send("/trends/t-1/edit", {**written(browser), "risks": "Theirs."})
    answer = browser.send("/trends/t-1/edit", mine)
    assert answer.status_code == 409
    assert "Somebody saved this card while you were writing" in answer.text
    assert ">Mine.</textarea>" in answer.text
    assert "Now in the card: Theirs." in Page(answer.text).texts or "Theirs." in answer.text
    assert workspace.trend("t-1").card.risks == "Theirs."
    # The form now carries the newer version, so that saving again is a decision.
    again = browser.send("/trends/t-1/edit", {**mine, "version": "4"})
    assert again.status_code == 200
    assert workspace.trend("t-1").card.risks == "Mine."


def test_what_people_write_is_text_and_never_markup(browser: Browser, workspace: FakeWorkspace):
    evil = "<script>alert(1)</script> {{ 7*7 }} {name}"
    browser.send("/trends/new", {"name": evil, "type": "commercial", "by": evil, "signals": ""})
    made = workspace.trends()[-1].id
    for path in ("/trends", f"/trends/{made}", f"/trends/{made}/edit", "/trends/radar", "/log"):
        html = browser.get(path).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html


def test_a_watch_is_started_followed_and_stopped(browser: Browser, workspace: FakeWorkspace):
    answer = browser.send("/watch", {})
    assert answer.url.path == "/jobs/j-1"
    assert "The watch is about to begin" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    stopped = browser.send("/jobs/j-1/cancel", {})
    assert "The watch was stopped" in stopped.text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", "7 of 12"),
        ("done", "The watch is done"),
        ("failed", "What Primeta knew before is as it was."),
    ],
)
def test_a_job_says_how_far_it_is_and_how_it_ended(browser, workspace, state, words):
    workspace.put_job(id="j-9", kind="watch", state=state, done=7, total=12, message="the disk is full")
    text = browser.get("/jobs/j-9").text
    assert words in text
    if state == "failed":
        assert "the disk is full" in text


def test_the_theme_is_kept_and_one_goes_back_to_where_one_was(browser: Browser):
    answer = browser.send("/settings", {"theme": "dark", "back": "/signals?show=gone"}, follow=False)
    assert answer.headers["location"] == "/signals?show=gone#main"
    assert 'data-theme="dark"' in browser.get("/").text
    browser.send("/settings", {"theme": "light", "back": "/"})
    assert 'data-theme="light"' in browser.get("/").text


def test_the_language_is_chosen_by_the_link_and_kept(browser: Browser):
    assert '<html lang="en"' in browser.get("/").text
    assert '<html lang="ru"' in browser.get("/signals?show=gone&lang=ru").text
    assert '<html lang="ru"' in browser.get("/").text
    assert '<html lang="ru"' in browser.get("/?lang=xx").text


def test_a_name_is_remembered_for_the_next_form(browser: Browser):
    browser.send("/trends/t-1/signals", {"attach": "s-3", "by": "Oleg Petrov"})
    assert '<option value="Oleg Petrov" selected>' in browser.get("/log").text
