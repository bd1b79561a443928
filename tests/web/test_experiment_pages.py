"""Experiments in the browser: what a page says of each state, the declaration, the acts, and who was faster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace
from fake_experiments import NAMES

from primeta.config import parse_config
from primeta.experiments.declare import EXPERIMENT_KEYS, plan_from_texts
from primeta.experiments.records import STATES
from primeta.web.app import create_app
from primeta.web.experiment_complaints import EXPECTED, complaints
from primeta.web.experiment_form import PLAIN, Rows, form_of_plan, name_of, percent_text, texts_from
from primeta.web.page import templates
from primeta.web.reader import Reader
from primeta.workspace.views import EXPERIMENT_STATUSES

FORM = {
    "name": "Вечерний пуш!", "hypothesis": "A push at 17:00 brings people", "owner": "Anna Kim", "by": "Oleg Petrov",
    "starts": "2026-11-23", "last": "2027-01-03", "entry": "arrival", "population": "", "segments": "age",
    "rows": "3.1.1", "control": "1",
    "arm-name-1": "control", "arm-share-1": "20%", "arm-cost-1": "", "arm-what-1": "",
    "arm-name-2": "dinner", "arm-share-2": "40%", "arm-cost-2": "1,2", "arm-what-2": "a push; with a dinner",
    "arm-name-3": "discount", "arm-share-3": "40%", "arm-cost-3": "9", "arm-what-3": "",
    "primary": "revenue_per_customer", "window_days": "30", "smallest_effect": "2%", "value": "",
    "guard-metric-1": "average_order_value", "guard-days-1": "14", "guard-margin-1": "1,5%",
    "other-metric-1": "orders_per_customer", "other-days-1": "",
    "design": "anytime", "looks": "7", "level": "95%", "power": "80%", "planned_n": "", "covariate_days": "28",
    "caps": "", "strata": "", "layer": "", "slots": "", "holdout": "", "ramp": "100%", "salt": "", "hash": "md5",
}  # fmt: skip


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a size takes longer than a page waits for it."""
    monkeypatch.setattr("primeta.web.background.PATIENCE_SECONDS", 60.0)


def spaced(text: str) -> str:
    """With plain spaces, and without what keeps a sign beside its number."""
    return text.replace("\u00a0", " ").replace("\u2060", "")


def address(name: str) -> str:
    return f"/experiments/{name}"


# What pages say


def test_the_list_leads_with_what_runs_and_what_waits(browser: Browser):
    page = Page(browser.get("/experiments").text)
    # The invented ones: evening-push goes on; reminder has an answer, morning-sms is invalid: both wait.
    assert "One experiment runs, and two wait for a decision." in page.texts
    for name in NAMES:
        assert name in page.texts
    # It ends on 29 November; thirty days later the last window has passed: 30 December.
    assert "7,400 of 12,000 customers, 44 days left" in page.texts


def test_the_list_in_russian_counts_in_the_right_forms(browser: Browser):
    page = Page(browser.get("/experiments?lang=ru").text)
    assert "Один эксперимент идёт, два ждут решения." in page.texts
    assert "осталось 44 дня" in spaced(" ".join(page.texts))


def test_lessons_are_found_by_their_words_and_carry_their_figures(browser: Browser):
    page = Page(browser.get("/experiments?q=friday").text)
    told = spaced(" ".join(page.texts))
    assert "The discount only moved purchases from Friday to Saturday." in page.texts
    assert re.search(r"Revenue per customer, 30 days: letter [+−]", told)
    nothing = browser.get("/experiments?q=zebra").text
    assert "No lesson has these words." in nothing


def test_a_running_test_leads_with_the_finding_and_draws_its_doubt(browser: Browser):
    html = browser.get(address("evening-push")).text
    page = Page(html)
    heading = spaced(html.partition("<h1>")[2].partition("</h1>")[0])
    assert heading.startswith("Go on: Revenue per customer, 30 days")
    assert "After 3 looks" in html
    # Three arms: the control is grey, the others carry their letters and colours.
    assert [entry["class"].split() for entry in page.all("span") if entry.get("class", "").startswith("arm")][
        :3
    ] == [
        ["arm"],
        ["arm", "a"],
        ["arm", "b"],
    ]
    assert "Segments do not decide" in html
    assert "age 18–34" in html
    assert "guardrail: may not fall by more than 4%" in html
    assert 'class="guard" data-guard="open">not shown yet' in html
    assert "The arms are as large as planned" in page.texts


def test_arms_of_another_size_than_planned_are_told_before_any_figure(browser: Browser):
    html = browser.get(address("morning-sms")).text
    assert html.index('role="alert"') < html.index('id="effects"')
    assert "No figure below can be believed" in html


def test_a_plan_says_how_long_it_takes_and_what_it_can_show(browser: Browser):
    html = browser.get(address("two-letters")).text
    page = Page(html)
    # Invented past: mean 1300, sd 700, 40% explained away; 900 customers now and 120 a week. 2% is 26.
    assert any("to ₽1,326" in text for text in page.texts)
    assert "How long, and what it can show" in page.texts
    assert "/experiments/two-letters/size-chart" in html
    assert "Start version 1" in page.texts
    assert "Once it runs and its first day has come" in html
    chart = browser.get("/experiments/two-letters/size-chart?width=700").json()
    assert chart["width"] == 700


def test_a_size_that_takes_long_is_worked_out_beside_the_page(workspace: FakeWorkspace, monkeypatch):
    import threading

    go = threading.Event()
    real = workspace.tests.size

    def slow(*arguments, **options):
        go.wait(20)
        return real(*arguments, **options)

    monkeypatch.setattr(workspace.tests, "size", slow)
    monkeypatch.setattr("primeta.web.background.PATIENCE_SECONDS", 0.05)
    browser = Browser(create_app(workspace, now=lambda: NOW))  # type: ignore[arg-type]
    html = browser.get(address("two-letters")).text
    assert "This page reloads by itself." in html
    assert 'http-equiv="refresh"' in html
    go.set()
    for _ in range(100):
        html = browser.get(address("two-letters")).text
        if 'http-equiv="refresh"' not in html:
            break
    assert "customers are needed" in html


def test_a_size_that_cannot_be_told_says_why(workspace: FakeWorkspace, browser: Browser, monkeypatch):
    from primeta.errors import BadTable

    def none(*_arguments, **_options):
        raise BadTable("the tables hold no dated row")

    monkeypatch.setattr(workspace.tests, "size", none)
    html = browser.get(address("two-letters")).text
    assert "It cannot be told how long it takes" in html
    assert "the tables hold no dated row" in html


def test_a_decided_test_shows_the_figures_that_the_decision_rests_on(browser: Browser):
    page = Page(browser.get(address("short-form")).text)
    texts = " ".join(page.texts)
    assert "Letter has reached 5% of the customers." in page.texts
    assert "To 25% of the customers" in page.texts
    assert "The data can be trusted" in texts
    assert "Shown, and it pays." in page.texts


def test_a_halted_rollout_says_who_and_why_and_asks_for_a_reason_to_go_on(browser: Browser):
    page = Page(browser.get(address("big-banner")).text)
    assert "The rollout of letter is halted at 5% of the customers." in page.texts
    assert "The shops ran out of dinners." in page.texts
    assert "Reopen the rollout" in page.texts


def test_today_brings_what_has_an_answer(browser: Browser):
    page = Page(browser.get("/").text)
    links = [entry["href"] for entry in page.all("a")]
    assert "/experiments/reminder#decide" in links
    assert "/experiments/evening-push" in links


def test_a_card_lists_its_experiments_and_fills_the_declaration(browser: Browser, workspace: FakeWorkspace):
    card = Page(browser.get("/trends/t-1").text)
    links = [entry["href"] for entry in card.all("a")]
    assert "/experiments/evening-push" in links
    assert "/declare?trend=t-1" in links
    html = browser.get("/declare?trend=t-1").text
    page = Page(html)
    assert workspace.text["hypothesis"] in html
    assert '<option value="items_per_order" selected>' in html
    assert next(entry for entry in page.all("input") if entry.get("name") == "trend")["value"] == "t-1"


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_shape_in_the_style_sheet(browser: Browser, state: str):
    css = browser.get("/static/pages.css").text
    assert f'.verdict[data-state="{state}"]' in css


def test_every_status_has_its_words_in_both_languages():
    from primeta.experiments.views_words import text

    for status in EXPERIMENT_STATUSES:
        assert text(status, "en") != text(status, "ru")


# The declaration


def written(workspace: FakeWorkspace, name: str = "Вечерний-пуш"):
    return workspace.experiment(name, now=NOW)


def test_a_form_becomes_a_plan(browser: Browser, workspace: FakeWorkspace):
    answer = browser.send("/declare", FORM)
    assert "The plan of Вечерний-пуш is saved." in Page(answer.text).texts
    plan = written(workspace).plan
    assert [(arm.name, arm.share, arm.cost) for arm in plan.arms] == [
        ("control", 0.2, 0.0),
        ("dinner", 0.4, 1.2),
        ("discount", 0.4, 9.0),
    ]
    assert plan.arm("dinner").what == "a push; with a dinner"
    # People name the last day; the plan ends on the day after it.
    assert plan.ends.isoformat() == "2027-01-04"
    assert [(goal.name, goal.role) for goal in plan.goals] == [
        ("revenue_per_customer.30d", "primary"),
        ("average_order_value.14d", "guardrail"),
        ("orders_per_customer.30d", "secondary"),
    ]
    guard = plan.goals[1].margin
    assert guard is not None
    assert (guard.value, guard.relative) == (-0.015, True)
    # Planned looks belong to the other design, so what stood there is not held against this one.
    assert (plan.design, plan.looks) == ("anytime", 1)
    assert written(workspace).status == "draft"


@pytest.mark.parametrize(
    ("changed", "field", "english", "russian"),
    [
        ({"name": "!"}, "name", "Give it a short name", "Дайте короткое имя"),
        ({"hypothesis": ""}, "hypothesis", "Write what you expect", "Напишите, чего вы ждёте"),
        ({"owner": ""}, "owner", "Name who answers for it.", "Назовите"),
        ({"by": ""}, "by", "Say who you are.", "Назовите себя."),
        ({"starts": "soon"}, "starts", "Name a day.", "Укажите день."),
        ({"last": "2026-11-01"}, "last", "The last day comes before the first one.", "Последний день раньше"),
        ({"primary": ""}, "primary", "Choose the one metric that decides.", "Выберите одну метрику"),
        ({"primary": "reven"}, "primary", "There is no metric “reven” here.", "Метрики «reven» здесь нет."),
        ({"window_days": "0"}, "window_days", "From 1 to 730 days.", "От 1 до 730 дней."),
        ({"window_days": "many"}, "window_days", "“many” is no number.", "«many» — не число."),
        ({"smallest_effect": "0"}, "smallest_effect", "is above zero", "больше нуля"),
        ({"smallest_effect": "-2%"}, "smallest_effect", "up is good", "рост — это хорошо"),
        ({"arm-share-3": "30%"}, "arm-share-3", "The shares make 90%", "В сумме доли дают 90%"),
        ({"arm-share-2": "much"}, "arm-share-2", "“much” is no number.", "«much» — не число."),
        ({"arm-cost-2": "dear"}, "arm-cost-2", "“dear” is no number.", "«dear» — не число."),
        ({"arm-name-3": "dinner"}, "arm-name-3", "This is there twice.", "Это указано дважды."),
        ({"guard-margin-1": ""}, "guard-margin-1", "how much worse it may get", "насколько хуже"),
        ({"guard-margin-1": "0"}, "guard-margin-1", "Leave some room", "Оставьте запас"),
        ({"guard-margin-1": "+2%"}, "guard-margin-1", "forbid an improvement", "запретите улучшение"),
        ({"guard-metric-1": "revenue_per_customer", "guard-days-1": "30"}, "guard-metric-1", "the main metric already", "уже главная метрика"),
        ({"other-metric-1": "retention_30", "other-days-1": "7"}, "other-days-1", "looks 30 days ahead by itself", "дней: 30"),
        ({"design": "sequential", "looks": "1"}, "looks", "Plan from 2 to 100 looks.", "Назначьте от 2 до 100 взглядов."),
        ({"level": "95"}, "level", "Between 50% and 100%.", "Больше 50% и меньше 100%."),
        ({"planned_n": "1,000"}, "planned_n", "can be read in two ways", "можно прочесть двояко"),
        ({"segments": "aeg"}, "segments", "perhaps age?", "может быть, age?"),
        ({"layer": "", "slots": "0 : 0.5"}, "slots", "name the layer too", "назовите и слой"),
        ({"ramp": "0"}, "ramp", "Above 0%, at most 100%.", "Больше 0%, не больше 100%."),
        ({"holdout": "1"}, "holdout", "From 0% up, below 100%.", "От 0%, но меньше 100%."),
        ({"caps": "revenue_per_customer"}, "caps", "One metric a line", "Одна метрика в строке"),
        ({"caps": "churn = 5"}, "caps", "Only metrics of this experiment", "только метрикам этого эксперимента"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_beside_its_field_in_both_languages_with_the_text_kept(
    workspace, monkeypatch, changed, field, english, russian
):
    # The other state knows no facts, so it cannot know the customers' attributes.
    monkeypatch.setattr("primeta.workspace.experiments.attributes_of", lambda _ws: ("age", "region"))
    given = {**FORM, **changed}
    for lang, words in (("en", english), ("ru", russian)):
        browser = Browser(create_app(workspace, now=lambda: NOW))
        browser.get(f"/declare?lang={lang}")
        answer = browser.send("/declare", given)
        assert answer.status_code == 400
        html = answer.text
        beside = html.partition(f'id="wrong-f-{field}"')[2] or html.partition('<p class="wrong">')[2]
        assert words in beside.partition("</p>")[0].replace("&#39;", "'"), (field, lang)
        assert "A push at 17:00 brings people" in html or "hypothesis" in changed
        assert not (lang == "ru" and re.search(r"was expected|was given|expected one of", html))
    assert [view.name for view in workspace.experiments()] == sorted(
        NAMES, key=lambda name: _place(workspace, name)
    )


def _place(workspace: FakeWorkspace, name: str) -> int:
    return [view.name for view in workspace.experiments()].index(name)


def test_all_mistakes_are_told_at_once(browser: Browser):
    answer = browser.send("/declare", {**FORM, "hypothesis": "", "arm-share-2": "x", "primary": ""})
    assert answer.text.count('class="wrong" id=') == 3
    assert "3 fields need another look." in answer.text


def test_every_key_of_a_declaration_can_be_complained_about():
    """A key that the form has no field for would lose its complaint."""
    own = {"arms", "control", "ends", "guardrails", "metrics"}
    assert set(EXPERIMENT_KEYS) == set(PLAIN) | own
    assert own <= set(EXPECTED)
    for key in EXPECTED:
        assert key in {*PLAIN, *own, "name"}


def test_a_plan_becomes_a_form_and_the_same_plan_again():
    config = parse_config("[workspace]\nname = 'x'\nmargin = 0.3\n", Path("primeta.toml"))
    texts = {
        "hypothesis": "h", "owner": "o", "starts": "2026-12-01", "ends": "2027-01-01",
        "arms": "control; 1/3; ; what\na; 1/3; 0.5; x; y\nb; 1/3", "control": "a", "primary": "churn",
        "guardrails": "average_order_value:14 = -2%\nretention_30 = 0.01", "metrics": "orders_per_customer:7, revenue_per_customer",
        "segments": "age", "design": "sequential", "looks": "5", "level": "0.9", "holdout": "0.05", "planned_n": "9000",
        "caps": "revenue_per_customer = 1000",
    }  # fmt: skip
    plan = plan_from_texts(config, "x", texts)
    form, rows = form_of_plan(plan)
    assert plan_from_texts(config, "x", texts_from(form, rows)) == plan


def test_a_share_is_shown_as_the_same_number():
    assert percent_text(0.5) == "50%"
    assert percent_text(1 / 3) == repr(1 / 3)


def test_names_and_rows_of_the_form():
    assert name_of("Вечерний пуш, 17:00 ") == "Вечерний-пуш-17-00"
    assert Rows.read("3.2.1") == Rows(arms=3, guards=2, others=1)
    assert Rows.read("9000.x.1") == Rows()
    assert Rows.read("900.1.1").arms == 20


@pytest.mark.parametrize(("kind", "field"), [("arms", "arm-name-4"), ("guards", "guard-metric-2"), ("others", "other-metric-2")])  # fmt: skip
def test_a_button_adds_a_row_without_a_script_and_without_complaints(browser: Browser, kind: str, field: str):
    answer = browser.send("/declare", {**FORM, "hypothesis": "", "more": kind})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert any(entry.get("name") == field for entry in (*page.all("input"), *page.all("select")))
    assert 'class="wrong"' not in answer.text
    assert 'value="discount"' in answer.text


def test_a_name_that_is_taken_is_refused_beside_it(browser: Browser, workspace: FakeWorkspace):
    before = workspace.experiment("reminder").revision
    answer = browser.send("/declare", {**FORM, "name": "reminder"})
    assert answer.status_code == 409
    assert "An experiment of this name is there already" in answer.text
    assert workspace.experiment("reminder").revision == before


def fields_of(html: str) -> dict[str, str]:
    """The fields of a form as a browser would send them back."""
    page = Page(html)
    found = {
        entry["name"]: entry.get("value", "")
        for entry in page.all("input")
        if entry.get("name") and (entry.get("type") != "radio" or "checked" in entry)
    }
    for part in html.split("<select ")[1:]:
        name = part.partition('name="')[2].partition('"')[0]
        chosen = re.search(r'<option value="([^"]*)" selected', part.partition("</select>")[0])
        found[name] = chosen[1] if chosen else ""
    for part in html.split("<textarea ")[1:]:
        name = part.partition('name="')[2].partition('"')[0]
        found[name] = part.partition(">")[2].partition("</textarea>")[0]
    return {name: value for name, value in found.items() if name not in ("csrf", "back", "more")}


def test_saving_what_is_there_changes_nothing(browser: Browser, workspace: FakeWorkspace):
    fields = fields_of(browser.get("/experiments/two-letters/edit").text)
    answer = browser.send("/experiments/two-letters/edit", {**fields, "by": "Anna Kim"})
    assert "Nothing was changed." in answer.text
    assert len(workspace.experiment("two-letters").versions) == 1


def test_a_draft_is_changed_into_a_new_version(browser: Browser, workspace: FakeWorkspace):
    fields = fields_of(browser.get("/experiments/two-letters/edit").text)
    answer = browser.send("/experiments/two-letters/edit", {**fields, "power": "90%", "by": "Anna Kim"})
    view = workspace.experiment("two-letters")
    assert (view.plan.power, len(view.versions)) == (0.9, 2)
    assert "Version 2 declared. Changed: power." in Page(answer.text).texts


def test_a_running_test_is_never_altered_by_the_form(browser: Browser, workspace: FakeWorkspace):
    html = browser.get("/experiments/reminder/edit").text
    assert "Version 1 runs on as it was started" in html
    answer = browser.send(
        "/experiments/reminder/edit", {**fields_of(html), "smallest_effect": "1%", "by": "Anna Kim"}
    )
    page = Page(answer.text)
    assert "reminder runs on unaltered; your plan is kept beside it as a draft." in page.texts
    assert "Version 2 is a draft beside it" in page.texts
    view = workspace.experiment("reminder")
    assert (view.version, view.status, view.plan.primary.smallest.value) == (1, "running", 0.02)  # type: ignore[union-attr]
    assert view.draft is not None


def test_two_people_at_one_plan_lose_nothing(browser: Browser, workspace: FakeWorkspace):
    fields = fields_of(browser.get("/experiments/two-letters/edit").text)
    browser.send("/experiments/two-letters/edit", {**fields, "power": "90%", "by": "Oleg Petrov"})
    answer = browser.send("/experiments/two-letters/edit", {**fields, "power": "70%", "by": "Anna Kim"})
    assert answer.status_code == 409
    assert "Somebody changed this experiment while you were writing" in answer.text
    assert 'value="70%"' in answer.text
    assert workspace.experiment("two-letters").plan.power == 0.9
    again = browser.send("/experiments/two-letters/edit", {**fields_of(answer.text), "by": "Anna Kim"})
    assert again.status_code == 200
    assert workspace.experiment("two-letters").plan.power == 0.7


# The acts


def sent(browser: Browser, name: str, act: str, **fields: str):
    html = browser.get(address(name)).text
    version = re.search(r'name="version" value="(\d+)"', html)
    assert version is not None
    return browser.send(f"{address(name)}/{act}", {"version": version[1], "by": "Anna Kim", **fields})


def test_a_plan_is_started(browser: Browser, workspace: FakeWorkspace):
    answer = sent(browser, "two-letters", "start", plan="1")
    assert "two-letters runs." in Page(answer.text).texts
    assert workspace.experiment("two-letters").started_at is not None


def test_nothing_is_done_by_nobody(browser: Browser, workspace: FakeWorkspace):
    for name, act, fields in (
        ("two-letters", "start", {"plan": "1"}),
        ("reminder", "stop", {"reason": "x"}),
        ("reminder", "decide", {"state": "scale", "arm": "letter"}),
        ("short-form", "rollout", {"move": "next"}),
        ("saturday", "lesson", {"text": "x"}),
    ):
        before = workspace.experiment(name).revision
        answer = sent(browser, name, act, **{**fields, "by": ""})
        assert answer.status_code == 400
        assert "Say who you are." in answer.text
        assert workspace.experiment(name).revision == before


def test_a_test_is_stopped_with_a_reason(browser: Browser, workspace: FakeWorkspace):
    assert sent(browser, "evening-push", "stop", reason="").status_code == 400
    answer = sent(browser, "evening-push", "stop", reason="The shops ran out")
    assert "evening-push is stopped: nobody enters any more." in Page(answer.text).texts
    assert workspace.experiment("evening-push", now=NOW).status == "ended"


def test_the_decision_of_the_figures_is_confirmed(browser: Browser, workspace: FakeWorkspace):
    answer = sent(browser, "reminder", "decide", state="scale", arm="letter", reason="")
    assert "Decided about reminder." in Page(answer.text).texts
    decision = workspace.experiment("reminder").decision
    assert decision is not None
    assert (decision.state, decision.arm, decision.overruled) == ("scale", "letter", False)


def test_who_decides_otherwise_says_why(browser: Browser, workspace: FakeWorkspace):
    answer = sent(browser, "reminder", "decide", state="futile", arm="letter", reason="")
    assert answer.status_code == 400
    assert "The figures say otherwise: write why you decide so." in answer.text
    assert workspace.experiment("reminder").decision is None
    told = sent(
        browser, "reminder", "decide", state="futile", arm="letter", reason="The sender is being replaced"
    )
    page = Page(told.text)
    assert "The figures said otherwise:" in " ".join(page.texts)
    # What is not scaled leaves a lesson that is found again.
    assert "The sender is being replaced" in browser.get("/experiments?q=sender").text


def test_an_unsound_test_is_not_scaled(browser: Browser, workspace: FakeWorkspace):
    answer = sent(browser, "morning-sms", "decide", state="scale", arm="letter", reason="I like it")
    assert answer.status_code == 400
    assert "the arms are not as large as planned" in answer.text
    assert "I like it</textarea>" in answer.text
    assert workspace.experiment("morning-sms").decision is None


def test_a_rollout_goes_step_by_step_and_halts_where_a_gate_fails(
    browser: Browser, workspace: FakeWorkspace, monkeypatch
):
    monkeypatch.setattr("primeta.workspace.rollout._was_looked_at", lambda _ws, _view: None)
    monkeypatch.setattr(
        "primeta.workspace.rollout.data_guards", lambda _ws, now: {"doctor": "", "facts-stopped": ""}
    )
    answer = sent(browser, "short-form", "rollout", move="next")
    assert "short-form: 25% of the customers from now on." in Page(answer.text).texts
    monkeypatch.setattr(
        "primeta.workspace.rollout.data_guards", lambda _ws, now: {"doctor": "orders: duplicate-keys, 7"}
    )
    halted = sent(browser, "short-form", "rollout", move="next")
    page = Page(halted.text)
    assert "The rollout of short-form is halted." in page.texts
    assert "orders: duplicate-keys, 7" in page.texts
    assert workspace.experiment("short-form").share == 0.25
    assert sent(browser, "short-form", "rollout", move="reopen", reason="").status_code == 400
    opened = sent(browser, "short-form", "rollout", move="reopen", reason="The duplicates are gone")
    assert "The rollout of short-form goes on." in Page(opened.text).texts


def test_a_rollout_is_halted_by_hand(browser: Browser, workspace: FakeWorkspace):
    assert sent(browser, "short-form", "rollout", move="halt", reason="").status_code == 400
    sent(browser, "short-form", "rollout", move="halt", reason="Complaints at the till")
    assert workspace.experiment("short-form").status == "halted"
    assert "Complaints at the till" in browser.get(address("short-form")).text


def test_a_lesson_is_written_down(browser: Browser, workspace: FakeWorkspace):
    answer = sent(browser, "saturday", "lesson", text="Saturdays are full anyway")
    assert "Written down." in Page(answer.text).texts
    assert [lesson.text for lesson in workspace.lessons("full")] == ["Saturdays are full anyway"]


def test_who_looked_at_an_older_page_is_told_and_nothing_is_done(browser: Browser, workspace: FakeWorkspace):
    answer = browser.send(
        address("reminder") + "/decide", {"version": "1", "by": "Anna Kim", "state": "scale", "arm": "letter"}
    )
    assert answer.status_code == 409
    assert "Somebody changed this experiment meanwhile" in answer.text
    assert workspace.experiment("reminder").decision is None


def test_looking_and_checking_are_jobs(browser: Browser):
    look = browser.send("/looks", {})
    assert "The look is about to begin" in look.text
    check = browser.send("/certificate", {})
    assert "The check is about to begin" in check.text


def test_what_people_write_is_text_and_never_markup(browser: Browser):
    evil = "<script>alert(1)</script> {{ 7*7 }} {name}"
    browser.send("/declare", {**FORM, "name": "evil", "hypothesis": evil, "arm-what-2": evil, "by": evil})
    sent(browser, "saturday", "lesson", text=evil)
    for path in ("/experiments", "/experiments/evil", "/experiments/evil/edit", "/experiments/saturday"):
        html = browser.get(path).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html


def test_an_experiment_that_is_not_there_is_a_page(browser: Browser):
    for path in (
        "/experiments/none",
        "/experiments/none/edit",
        "/experiments/none/chart",
        "/declare?trend=none",
    ):
        assert browser.get(path).status_code == 404


# How often are we wrong


def test_the_certificate_says_which_metric_cannot_be_trusted(browser: Browser):
    page = Page(browser.get("/certificate").text)
    texts = " ".join(page.texts)
    assert "1 of 2 metrics hold; these do not: “Revenue per customer”." in page.texts
    # 240 of 2,000 tests without an effect found one.
    assert "12.0%" in texts
    assert "no: 12% of tests find an effect where there is none" in texts
    assert "cannot tell: no rows in voices" in texts


def test_before_the_first_check_the_page_offers_one(new: Browser):
    html = new.get("/certificate").text
    assert 'action="/certificate"' in html


def test_a_reader_has_a_sentence_for_each_complaint_or_shows_what_was_told():
    from primeta.experiments.declare import Problem

    config = parse_config("[workspace]\nname = 'x'\n", Path("primeta.toml"))
    reader = Reader(lang="ru", theme="", zone=config.zone, currency="RUB")
    told = complaints(reader, [Problem(key="population", message="it asks for a table")], {}, Rows())
    assert told["population"].endswith("it asks for a table.")
    assert templates().filters["capital"]("x") == "X"
