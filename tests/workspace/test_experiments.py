"""An experiment's life on both databases: declared, started, looked at, decided, rolled out, learnt from."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select, text

from primeta.config import parse_config
from primeta.errors import BadConfig, BadInput, Conflict, NotFound, Refused
from primeta.experiments.records import Amount
from primeta.store.database import Database
from primeta.store.experiments import Look
from primeta.store.schema import experiment_events, looks, plan_versions
from primeta.warehouse.rules import RULES
from primeta.workspace import Workspace
from primeta.workspace.experiments import experiments_of, plan_for_texts, plan_problems
from primeta.workspace.rollout import CRITICAL, halt_where_broken

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
HEAD = """\
[workspace]
name = "Kalina"
currency = "RUB"
timezone = "Europe/Moscow"
margin = 0.25
"""
DINNER = """
[experiments.dinner]
hypothesis = "10% off at 17:00 brings the evening shop back"
owner = "Anna"
starts = 2026-12-01
ends = 2027-01-12
primary = "orders_per_customer"
[experiments.dinner.arms]
control = 0.5
ten = { share = 0.5, cost = 1.2 }
[experiments.dinner.guardrails]
average_order_value = "-2%"
"""
VALUES = {
    "hypothesis": "10% off at 17:00 brings the evening shop back",
    "owner": "Anna",
    "starts": date(2026, 12, 1),
    "ends": date(2027, 1, 12),
    "primary": "orders_per_customer",
    "arms": {"control": 0.5, "ten": 0.5},
    "guardrails": {"average_order_value": "-2%"},
}
SOUND = {"doctor": "", "facts-stopped": ""}


def opened(url: str, folder, body: str = "") -> Workspace:
    path = folder / "primeta.toml"
    path.write_text(HEAD + body, encoding="utf-8")
    database = Database(url)
    database.migrate()
    return Workspace(parse_config(HEAD + body, path), database)


@pytest.fixture
def ws(tmp_path):
    made = opened(f"sqlite:///{tmp_path / 'state.sqlite'}", tmp_path)
    yield made
    made.close()


@pytest.fixture
def on_both(state_url, tmp_path):
    """A workspace whose state is on SQLite, then on PostgreSQL."""
    made = opened(state_url, tmp_path)
    yield made
    made.close()


def rewritten(ws: Workspace, body: str) -> Workspace:
    """The same state, after somebody edited the file."""
    ws.config.path.write_text(HEAD + body, encoding="utf-8")
    return Workspace(parse_config(HEAD + body, ws.config.path), ws.database)


def declare(ws: Workspace, name: str = "dinner", *, by: str = "Anna", **changes):
    return ws.declare_experiment(ws.plan_experiment(name, {**VALUES, **changes}), by=by, now=NOW)


def running(ws: Workspace, name: str = "dinner", **changes):
    declare(ws, name, **changes)
    return ws.start_experiment(name, by="Anna", now=NOW)


def seen(
    day: int = 1,
    *,
    version: int = 1,
    state: str = "scale",
    guard: tuple[float, float] = (0.5, 2.5),
    ratio_ok: bool = True,
    evidence: float = 0.0,
) -> Look:
    """A look `day` days after the start of the plan; `guard` bounds the guardrail's difference beyond its margin."""
    at = datetime(2026, 12, 1, 6, tzinfo=UTC) + timedelta(days=day)
    primary = {"metric": "orders_per_customer.30d", "arm": "ten", "role": "primary", "difference": 0.1, "low": 0.02,
               "high": 0.18, "control_mean": 1.3, "arm_mean": 1.4, "n_control": 100, "n_arm": 101}  # fmt: skip
    guarded = {"metric": "average_order_value.30d", "arm": "ten", "role": "guardrail", "difference": -0.5,
               "decision_low": -1.5, "decision_high": 0.5, "beyond_low": guard[0], "beyond_high": guard[1]}  # fmt: skip
    return Look(
        version=version,
        seen_until=at,
        at=at + timedelta(hours=1),
        analysis={
            "checks": {"sample_ratio": {"p": 0.4 if ratio_ok else 1e-9, "ok": ratio_ok}},
            "effects": [primary, guarded],
            "decisions": [{"arm": "ten", "state": state}],
            "decision": {"state": state, "arm": "ten" if state == "scale" else None},
        },
        counts={"control": 100, "ten": 101},
        ratio_evidence=evidence,
        facts_version=f"v{day}",
    )


def decided(ws: Workspace):
    running(ws)
    ws.save_look("dinner", seen())
    return ws.decide_experiment("dinner", state="scale", by="Anna", now=NOW + timedelta(days=20))


# Declaring


def test_a_declared_experiment_is_a_draft_with_one_version(ws):
    view = declare(ws)
    assert (view.status, view.version, [event.kind for event in view.events]) == ("draft", 1, ["declared"])
    assert view.basis.timezone == "Europe/Moscow"
    assert view.basis.metrics["orders_per_customer"].numerator == "orders"
    assert [entry.name for entry in ws.experiments()] == ["dinner"]
    assert ws.experiment("Din").name == "dinner"


def test_the_same_plan_twice_is_one_version_and_a_changed_draft_is_the_next(on_both):
    ws = on_both
    assert declare(ws) == declare(ws)
    view = declare(ws, power=0.9, by="Oleg")
    assert [(entry.version, entry.by) for entry in view.versions] == [(1, "Anna"), (2, "Oleg")]
    assert view.events[-1].what["changed"] == ["power"]
    assert [view.state_of(1), view.state_of(2)] == ["superseded", "draft"]
    assert view.plan.power == 0.9


def test_a_plan_made_by_hand_is_checked_before_it_is_kept(ws):
    plan = replace(ws.plan_experiment("dinner", VALUES), ends=date(2026, 11, 1))
    with pytest.raises(BadInput, match="before anybody can enter"):
        ws.declare_experiment(plan, by="Anna", now=NOW)
    assert ws.experiments() == ()
    with pytest.raises(BadInput, match="--by"):
        declare(ws, by=" ")


def test_an_unknown_experiment_is_not_found_and_near_ones_are_named(ws):
    with pytest.raises(NotFound, match="none yet"):
        ws.experiment("dinner")
    declare(ws)
    declare(ws, "dinner_by_subscription")
    assert ws.experiment("dinner").name == "dinner"
    with pytest.raises(NotFound, match="several experiments match"):
        ws.experiment("din")
    with pytest.raises(NotFound, match="expected one of: dinner"):
        ws.experiment("diner")


def test_an_experiment_from_a_trend_takes_its_hypothesis_and_stands_in_its_history(ws):
    trend = ws.new_trend(name="Dinner after work", by="Anna", now=NOW)
    ws.edit_card(trend.id, changes={"hypothesis": "A push at 17:00 helps"}, by="Anna", now=NOW)
    values = {key: value for key, value in VALUES.items() if key != "hypothesis"}
    plan = ws.plan_experiment("dinner", {**values, "trend": "dinner after"})
    assert (plan.trend, plan.hypothesis) == (trend.id, "A push at 17:00 helps")
    ws.declare_experiment(plan, by="Anna", now=NOW)
    ws.start_experiment("dinner", by="Anna", now=NOW)
    ws.save_look("dinner", seen())
    ws.decide_experiment("dinner", state="scale", by="Oleg", now=NOW)
    told = [(event.kind, event.who) for event in ws.trend(trend.id).history][-2:]
    assert told == [("experiment", "Anna"), ("experiment-end", "Oleg")]
    assert ws.trend(trend.id).history[-1].what["experiment"] == "dinner"
    assert [view.name for view in experiments_of(ws, trend.id)] == ["dinner"]
    with pytest.raises(NotFound, match="no trend"):
        ws.plan_experiment("dinner", {**VALUES, "trend": "Breakfast"})


def test_a_form_says_what_is_wrong_with_its_trend_too(ws):
    texts = {"trend": "Breakfast", "owner": "Anna"}
    assert {problem.key for problem in plan_problems(ws, "dinner", texts)} >= {"trend", "arms", "primary"}
    good = {**texts, "trend": "", "hypothesis": "x", "starts": "2026-12-01", "ends": "2027-01-12",
            "primary": "churn", "arms": "control; 50%\nten; 50%"}  # fmt: skip
    assert plan_problems(ws, "dinner", good) == ()
    assert plan_for_texts(ws, "dinner", good).primary.smallest == Amount(-0.02, relative=True)


# Nothing that runs is altered


def stored_plan(ws: Workspace, name: str, version: int) -> str:
    """The row of a version, as text."""
    with ws.database.read() as connection:
        key = (plan_versions.c.experiment == name) & (plan_versions.c.version == version)
        return str(connection.execute(select(plan_versions).where(key)).mappings().one())


def test_a_plan_changed_after_its_start_is_refused_and_kept_beside(on_both):
    ws = on_both
    running(ws)
    before = stored_plan(ws, "dinner", 1)
    for _ in range(2):
        with pytest.raises(Refused, match="version 2, a draft"):
            declare(ws, power=0.9)
    view = ws.experiment("dinner")
    assert (view.status, view.version, view.plan.power) == ("running", 1, 0.8)
    assert view.draft is not None
    assert (view.draft.version, view.draft.plan.power) == (2, 0.9)
    assert [view.state_of(1), view.state_of(2)] == ["running", "draft"]
    assert stored_plan(ws, "dinner", 1) == before


def test_a_changed_file_leaves_the_running_one_alone_and_says_so_until_it_is_settled(ws):
    file = rewritten(ws, DINNER)
    assert [(note.code, note.version) for note in file.sync_experiments(now=NOW)] == [("new", 1)]
    assert file.sync_experiments(now=NOW) == ()
    file.start_experiment("dinner", by="Anna", now=NOW)
    changed = rewritten(ws, DINNER.replace("share = 0.5, cost = 1.2", "share = 0.5, cost = 2"))
    for _ in range(2):
        (note,) = changed.sync_experiments(now=NOW)
        assert (note.code, note.version, note.runs) == ("kept-beside", 2, 1)
        for lang in ("en", "ru"):
            assert "dinner" in note.line(lang)
    assert len(ws.experiment("dinner").versions) == 2
    assert ws.experiment("dinner").plan.arm("ten").cost == 1.2
    (back,) = file.sync_experiments(now=NOW)
    assert (back.code, back.runs) == ("as-before", 1)
    assert file.sync_experiments(now=NOW) == ()
    (gone,) = rewritten(ws, "").sync_experiments(now=NOW)
    assert gone.code == "gone"


def test_a_changed_definition_of_a_metric_does_not_reach_into_a_running_experiment(ws):
    file = rewritten(ws, DINNER)
    file.sync_experiments(now=NOW)
    file.start_experiment("dinner", by="Anna", now=NOW)
    redefined = rewritten(ws, DINNER + '\n[metrics.orders_per_customer]\nnumerator = "visits"\n')
    (note,) = redefined.sync_experiments(now=NOW)
    assert note.code == "kept-beside"
    view = ws.experiment("dinner")
    assert view.basis.metrics["orders_per_customer"].numerator == "orders"
    assert view.draft is not None
    assert view.draft.basis.metrics["orders_per_customer"].numerator == "visits"


def test_a_file_that_did_not_change_does_not_undo_what_a_person_declared(ws):
    file = rewritten(ws, DINNER)
    file.sync_experiments(now=NOW)
    file.declare_experiment(file.plan_experiment("dinner", {**VALUES, "power": 0.9}), by="Oleg", now=NOW)
    assert file.sync_experiments(now=NOW) == ()
    assert ws.experiment("dinner").plan.power == 0.9


def test_a_wrong_section_takes_over_nothing_of_the_file(ws):
    second = DINNER.replace("dinner", "supper").replace("orders_per", "order_per")
    with pytest.raises(BadConfig, match="did you mean orders_per_customer"):
        rewritten(ws, DINNER + second).sync_experiments(now=NOW)
    assert ws.experiments() == ()


def test_a_trend_of_the_file_is_remembered_when_its_card_is_renamed(ws):
    trend = ws.new_trend(name="Dinner after work", by="Anna", now=NOW)
    file = rewritten(ws, DINNER.replace('owner = "Anna"', 'owner = "Anna"\ntrend = "Dinner after work"'))
    file.sync_experiments(now=NOW)
    assert ws.experiment("dinner").plan.trend == trend.id
    ws.edit_card(trend.id, changes={"name": "Late dinner"}, by="Anna", now=NOW)
    assert file.sync_experiments(now=NOW) == ()
    other = rewritten(ws, DINNER.replace('owner = "Anna"', 'owner = "Anna"\ntrend = "Breakfast"'))
    with pytest.raises(BadConfig, match=r"line 10: .* trend: no trend 'Breakfast'"):
        other.sync_experiments(now=NOW)


# Two people at once


def test_who_changes_what_he_has_not_seen_is_told_who_was_faster(on_both):
    ws = on_both
    old = declare(ws)
    declare(ws, power=0.9, by="Oleg")
    with pytest.raises(Conflict, match="Oleg: declared"):
        ws.declare_experiment(
            ws.plan_experiment("dinner", {**VALUES, "power": 0.7}), by="Anna", now=NOW, revision=old.revision
        )
    with pytest.raises(Conflict, match="Oleg declared version 2"):
        ws.start_experiment("dinner", by="Anna", now=NOW, version=1)
    with pytest.raises(Conflict, match="Oleg: declared"):
        ws.start_experiment("dinner", by="Anna", now=NOW, revision=old.revision)
    assert ws.experiment("dinner").status == "draft"


def test_of_two_who_change_at_the_same_moment_one_is_told(on_both, monkeypatch):
    ws = on_both
    from primeta.workspace import experiments

    declare(ws)
    gate, said = Barrier(2), []
    read = experiments.change_of

    def read_together(*args, **more):
        made = read(*args, **more)
        gate.wait(10)
        return made

    monkeypatch.setattr(experiments, "change_of", read_together)

    def start(who: str) -> None:
        try:
            ws.start_experiment("dinner", by=who, now=NOW)
            said.append("done")
        except Conflict:
            said.append("told")

    people = [Thread(target=start, args=(who,)) for who in ("Anna", "Oleg")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(said) == ["done", "told"]
    assert [event.kind for event in ws.experiment("dinner").events] == ["declared", "started"]


# Starting and stopping


def test_started_and_stopped_twice_is_started_and_stopped_once(ws):
    assert running(ws) == ws.start_experiment("dinner", by="Oleg", now=NOW)
    stopped = ws.stop_experiment("dinner", by="Anna", now=NOW, reason="the push was wrong")
    assert stopped == ws.stop_experiment("dinner", by="Oleg", now=NOW)
    assert (stopped.status, stopped.stopped_at) == ("ended", NOW)
    assert stopped.events[-1].what == {"reason": "the push was wrong"}
    with pytest.raises(Refused, match="declare a new version"):
        ws.start_experiment("dinner", by="Anna", now=NOW)


def test_a_new_version_runs_after_the_old_was_stopped_and_says_that_its_arms_are_the_same(ws):
    running(ws)
    with pytest.raises(Refused):
        declare(ws, power=0.9)
    for version in (None, 2):
        with pytest.raises(Refused, match="stop it before version 2"):
            ws.start_experiment("dinner", by="Anna", now=NOW, version=version)
    ws.stop_experiment("dinner", by="Anna", now=NOW)
    view = ws.start_experiment("dinner", by="Anna", now=NOW)
    assert (view.status, view.version, view.plan.power) == ("running", 2, 0.9)
    assert view.events[-1].what["same_arms_as"] == 1
    assert [view.state_of(1), view.state_of(2)] == ["ended", "running"]


def test_an_experiment_ends_when_the_last_window_has_passed(ws):
    running(ws)
    # entries until 12 January, 30 days of window
    assert ws.experiment("dinner").last_day == date(2027, 2, 11)
    for day, status in ((10, "running"), (11, "ended")):
        now = datetime(2027, 2, day, 12, tzinfo=UTC)
        assert ws.experiment("dinner", now=now).status == status
        assert ws.experiments(now=now)[0].status == status


def test_a_late_start_is_written_down_and_one_after_the_end_is_refused(ws):
    declare(ws)
    with pytest.raises(Refused, match="nobody can enter any more"):
        ws.start_experiment("dinner", by="Anna", now=datetime(2027, 1, 12, tzinfo=UTC))
    view = ws.start_experiment("dinner", by="Anna", now=datetime(2026, 12, 4, tzinfo=UTC))
    assert view.late_days == 3


def test_what_was_never_started_is_neither_stopped_nor_decided(ws):
    declare(ws)
    for verb in (
        lambda: ws.stop_experiment("dinner", by="Anna", now=NOW),
        lambda: ws.decide_experiment("dinner", state="harm", by="Anna", now=NOW, reason="x"),
        lambda: ws.save_look("dinner", seen()),
        lambda: ws.roll_out("dinner", by="Anna", now=NOW, guards=SOUND),
    ):
        with pytest.raises(Refused):
            verb()


def test_two_experiments_of_a_layer_do_not_hold_the_same_slots(ws):
    running(ws, layer="push", slots=[0.0, 0.5])
    declare(ws, "supper", layer="push", slots=[0.4, 0.8])
    with pytest.raises(Refused, match=r"layer push: dinner holds the slots 0–0\.5"):
        ws.start_experiment("supper", by="Anna", now=NOW)
    declare(ws, "supper", layer="push", slots=[0.5, 0.8])
    assert ws.start_experiment("supper", by="Anna", now=NOW).status == "running"
    declare(ws, "brunch", layer="mail", slots=[0.0, 1.0])
    assert ws.start_experiment("brunch", by="Anna", now=NOW).status == "running"


# Looks


def test_a_look_is_frozen_and_the_same_facts_are_the_same_look(on_both):
    ws = on_both
    running(ws)
    first = ws.save_look("dinner", seen(1, state="continue"))
    assert ws.save_look("dinner", seen(1, state="harm")) == first
    second = ws.save_look("dinner", seen(2))
    view = ws.experiment("dinner")
    assert [(look.number, look.state) for look in view.looks] == [(1, "continue"), (2, "scale")]
    assert view.looks == (first, second)
    assert [event.kind for event in view.events] == ["declared", "started", "looked", "looked"]
    assert [look.number for look in ws.experiments()[0].looks] == [2]


def test_evidence_against_the_planned_shares_never_falls(ws):
    # Valid at every look is the largest bet so far (Lindon & Malek 2022), not the last one.
    running(ws)
    found = [ws.save_look("dinner", seen(day, evidence=bet)) for day, bet in ((1, 0.5), (2, 3.0), (3, -1.0))]
    assert [look.ratio_evidence for look in found] == [0.5, 3.0, 3.0]


def test_looks_go_forward_and_are_at_what_runs(ws):
    running(ws)
    ws.save_look("dinner", seen(5))
    with pytest.raises(BadInput, match="forward in time"):
        ws.save_look("dinner", seen(4))
    with pytest.raises(Refused, match="version 2 cannot be saved; version 1 runs"):
        ws.save_look("dinner", seen(6, version=2))


def test_a_look_is_saved_though_a_person_wrote_meanwhile(ws, monkeypatch):
    from primeta.workspace import experiments

    running(ws)
    write, faster = experiments.Change.write, iter([True, False, False])

    def write_second(change, verb, what):
        if verb == "look" and next(faster):
            ws.lesson("dinner", "Mondays are slow", by="Anna", now=NOW)
        write(change, verb, what)

    monkeypatch.setattr(experiments.Change, "write", write_second)
    assert ws.save_look("dinner", seen()).number == 1
    kinds = [event.kind for event in ws.experiment("dinner").events]
    assert kinds == ["declared", "started", "lesson", "looked"]


# Deciding


def test_a_decision_keeps_the_numbers_that_it_was_made_from(on_both):
    ws = on_both
    view = decided(ws)
    assert view.status == "decided"
    assert view.decision is not None
    assert (view.decision.state, view.decision.arm, view.decision.by, view.decision.look) == (
        "scale",
        "ten",
        "Anna",
        1,
    )
    assert not view.decision.overruled
    assert view.stopped_at == view.decision.at
    ws.save_look("dinner", seen(9, state="continue"))
    later = ws.experiment("dinner")
    assert later.decided_look is not None
    assert later.decided_look.state == "scale"


def test_who_decides_against_the_analysis_says_why(ws):
    running(ws)
    ws.save_look("dinner", seen(state="continue"))
    with pytest.raises(BadInput, match="the analysis says continue; say why you decide harm"):
        ws.decide_experiment("dinner", state="harm", by="Anna", now=NOW)
    view = ws.decide_experiment("dinner", state="harm", by="Anna", now=NOW, reason="the press wrote about it")
    assert view.decision is not None
    assert view.decision.overruled
    assert ws.experiments()[0].status == "decided"


def test_a_later_decision_supersedes_and_the_earlier_one_stays_readable(ws):
    decided(ws)
    ws.save_look("dinner", seen(8, state="harm"))
    view = ws.decide_experiment("dinner", state="harm", by="Oleg", now=NOW + timedelta(days=30))
    assert view.decision is not None
    assert (view.decision.state, view.decision.look) == ("harm", 2)
    assert [e.what["state"] for e in view.events if e.kind == "decided"] == ["scale", "harm"]


def test_to_go_on_is_a_decision_that_ends_nothing(ws):
    running(ws)
    ws.save_look("dinner", seen(state="continue"))
    view = ws.decide_experiment("dinner", state="continue", by="Anna", now=NOW)
    assert (view.status, view.stopped_at) == ("running", None)


@pytest.mark.parametrize(
    ("looked", "changes", "error", "told"),
    [
        (None, {"state": "scale"}, Refused, "nobody has looked"),
        (None, {"state": "harm"}, BadInput, "say why you decide harm"),
        (seen(), {"state": "win"}, BadInput, "scale, harm, futile, continue, invalid"),
        (seen(), {"state": "scale", "arm": "control"}, BadInput, "cannot be scaled; expected one of ten"),
        (seen(), {"state": "harm", "arm": "tn", "reason": "x"}, BadInput, "no arm 'tn'"),
        (seen(ratio_ok=False), {"state": "scale", "reason": "I want to"}, Refused, "not as large as planned"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_and_nothing_is_kept(ws, looked, changes, error, told):
    running(ws)
    if looked is not None:
        ws.save_look("dinner", looked)
    with pytest.raises(error, match=told):
        ws.decide_experiment("dinner", by="Anna", now=NOW, **changes)
    assert ws.experiment("dinner").decision is None


# Lessons


def test_what_did_not_pass_leaves_a_lesson_with_its_numbers_that_is_found_again(on_both):
    ws = on_both
    running(ws)
    ws.save_look("dinner", seen(state="futile"))
    ws.decide_experiment(
        "dinner", state="futile", by="Anna", now=NOW, reason="Вечером всё равно идут мимо: скидка не нужна"
    )
    view = ws.lesson("dinner", "Ещё раз пробовать только зимой", by="Oleg", now=NOW + timedelta(days=1))
    assert ws.lesson("dinner", "Ещё раз пробовать только зимой", by="Oleg", now=NOW) == view
    assert not view.wants_lesson
    newest, first = ws.lessons()
    assert (newest.by, first.by, first.state, first.look) == ("Oleg", "Anna", "futile", 1)
    assert first.figures[0]["difference"] == 0.1
    assert first.metric == "orders_per_customer.30d"
    for query, found in (
        ("скидка", 1),  # a word of the lesson
        ("еще зимой", 1),  # ё is е
        ("evening", 2),  # the hypothesis
        ("orders_per_customer", 2),  # the metric
        ("заказов на клиента", 2),  # its Russian name
        ("dinner", 2),
        ("скидка evening", 1),
        ("breakfast", 0),
        ("", 2),
    ):
        assert len(ws.lessons(query)) == found, query


def test_a_failed_experiment_without_a_reason_asks_for_its_lesson(ws):
    running(ws)
    ws.save_look("dinner", seen(state="futile"))
    assert ws.decide_experiment("dinner", state="futile", by="Anna", now=NOW).wants_lesson
    with pytest.raises(BadInput, match="lesson is empty"):
        ws.lesson("dinner", "  ", by="Anna", now=NOW)


# Rolling out


def test_a_winner_is_rolled_out_step_by_step_each_seen_before_the_next(on_both):
    ws = on_both
    decided(ws)
    shares = []
    for day in (30, 40, 50, 60):
        view = ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=day), guards=SOUND)
        shares.append((view.share, view.status, view.steps[-1].by))
        if not view.rolled_out:
            with pytest.raises(Refused, match="nobody has looked at dinner since its step"):
                ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=day + 1), guards=SOUND)
            ws.save_look("dinner", seen(day - 10, state="futile"))
    assert shares == [(share, "rolling", "Anna") for share in (0.05, 0.25, 0.5, 1.0)]
    assert [gate.name for gate in view.gates] == [
        "sample-ratio",
        "verdict",
        "guardrail:average_order_value.30d",
        "doctor",
        "facts-stopped",
    ]
    with pytest.raises(Refused, match="everybody already"):
        ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=70), guards=SOUND)


@pytest.mark.parametrize(
    ("look", "guards", "why"),
    [
        (seen(2, ratio_ok=False), SOUND, "sample-ratio"),
        (seen(2, state="harm"), SOUND, "verdict"),
        (seen(2, guard=(-0.1, 3)), SOUND, "guardrail:average_order_value.30d"),
        (replace(seen(2), analysis={}), SOUND, "sample-ratio, verdict, guardrail:average_order_value.30d"),
        (seen(2), {"doctor": "orders: duplicate-keys, 7", "facts-stopped": ""}, "doctor"),
        (seen(2), {**SOUND, "complaints": "twice as many"}, "complaints"),
    ],
)
def test_a_gate_that_fails_halts_the_rollout_and_says_why(ws, look, guards, why):
    decided(ws)
    ws.save_look("dinner", look)
    view = ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=30), guards=guards)
    assert (view.status, view.share, view.steps[-1].why, view.steps[-1].by) == ("halted", 0, why, "primeta")
    assert [gate.name for gate in view.gates if not gate.ok] == why.split(", ")
    assert view.events[-1].what["asked_by"] == "Anna"
    with pytest.raises(Refused, match="reopen it"):
        ws.roll_out("dinner", by="Anna", now=NOW, guards=SOUND)


def test_a_look_that_breaks_a_gate_halts_a_rollout_by_itself(ws):
    decided(ws)
    ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=30), guards=SOUND)
    ws.save_look("dinner", seen(40, guard=(-2, -1)))
    view = ws.experiment("dinner")
    assert (view.status, view.share) == ("halted", 0.05)
    assert view.steps[-1].why == "guardrail:average_order_value.30d"
    assert view.steps[-1].by == "primeta"
    ws.save_look("dinner", seen(41, guard=(-2, -1)))
    assert len(ws.experiment("dinner").steps) == 2


def test_data_that_broke_between_two_steps_halt_the_rollout(ws):
    decided(ws)
    assert not halt_where_broken(ws, "dinner", now=NOW)
    ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=30), guards=SOUND)
    assert not halt_where_broken(ws, "dinner", now=NOW, guards=SOUND)
    assert halt_where_broken(ws, "dinner", now=NOW, guards={"facts-stopped": "2026-12-01"})
    assert ws.experiment("dinner").steps[-1].why == "facts-stopped"


def test_a_halted_rollout_goes_on_after_a_person_reopened_it(ws):
    decided(ws)
    ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=30), guards=SOUND)
    halted = ws.halt_rollout("dinner", reason="the stock ran out", by="Oleg", now=NOW + timedelta(days=31))
    assert halted == ws.halt_rollout("dinner", reason="again", by="Anna", now=NOW)
    assert (halted.status, halted.share, halted.steps[-1].why) == ("halted", 0.05, "the stock ran out")
    ws.save_look("dinner", seen(40))
    with pytest.raises(BadInput, match="reason is empty"):
        ws.reopen_rollout("dinner", reason="", by="Anna", now=NOW)
    ws.reopen_rollout("dinner", reason="delivered", by="Anna", now=NOW + timedelta(days=41))
    view = ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=42), guards=SOUND)
    assert [(step.state, step.share) for step in view.steps] == [
        ("passed", 0.05),
        ("halted", 0.05),
        ("reopened", 0.05),
        ("passed", 0.25),
    ]


@pytest.mark.parametrize(
    ("share", "error", "told"),
    [(0.5, Refused, "the next step is 5%"), (0, BadInput, "above 0"), (1.5, BadInput, "at most 1")],
)
def test_a_step_is_neither_skipped_nor_made_up(ws, share, error, told):
    decided(ws)
    with pytest.raises(error, match=told):
        ws.roll_out("dinner", by="Anna", now=NOW, guards=SOUND, share=share)
    view = ws.roll_out("dinner", by="Anna", now=NOW, guards=SOUND, share=0.01)
    assert view.share == 0.01
    with pytest.raises(BadInput, match="1% already"):
        ws.roll_out("dinner", by="Anna", now=NOW, guards=SOUND, share=0.01)


def test_only_a_winner_is_rolled_out(ws):
    running(ws)
    ws.save_look("dinner", seen(state="harm"))
    ws.decide_experiment("dinner", state="harm", by="Anna", now=NOW)
    with pytest.raises(Refused, match="only a winner"):
        ws.roll_out("dinner", by="Anna", now=NOW, guards=SOUND)


def test_the_next_test_does_not_hide_a_rollout(ws):
    decided(ws)
    ws.roll_out("dinner", by="Anna", now=NOW + timedelta(days=30), guards=SOUND)
    declare(ws, power=0.9)
    with pytest.raises(Refused, match="a name of its own"):
        ws.start_experiment("dinner", by="Anna", now=NOW)
    assert ws.experiment("dinner").status == "rolling"


def test_the_state_of_the_data_is_examined_before_a_step(ws, tmp_path):
    body = '\n[tables.orders]\nfrom = "orders.csv"\n'
    (tmp_path / "orders.csv").write_text(
        "order_id,customer_id,ordered_at,revenue\n1,a,2026-11-01,10\n1,b,2026-11-02,20\n", encoding="utf-8"
    )
    decided(ws)
    view = rewritten(ws, body).roll_out("dinner", by="Anna", now=NOW + timedelta(days=30))
    gates = {gate.name: gate for gate in view.gates}
    assert view.status == "halted"
    assert gates["doctor"].figures["why"] == "orders: duplicate-keys, 1"
    assert gates["facts-stopped"].figures["why"] == "never watched"


def test_the_critical_rules_are_rules_of_the_doctor():
    assert set(CRITICAL) <= set(RULES)


# Who did what


def test_every_verb_leaves_its_line_in_the_audit(on_both):
    ws = on_both
    decided(ws)
    ws.lesson("dinner", "x", by="Anna", now=NOW)
    ws.roll_out("dinner", by="Anna", now=NOW, guards=SOUND)
    ws.halt_rollout("dinner", reason="x", by="Oleg", now=NOW)
    with ws.database.read() as connection:
        told = connection.execute(text("select who, verb from audit order by id")).all()
    assert [tuple(row) for row in told] == [
        ("Anna", "experiment declare"),
        ("Anna", "experiment start"),
        ("primeta", "experiment look"),
        ("Anna", "experiment decide"),
        ("Anna", "experiment lesson"),
        ("Anna", "experiment roll out"),
        ("Oleg", "experiment roll out"),
    ]


# Whatever the order


class Life(RuleBasedStateMachine):
    """Any order of declaring, starting, looking, deciding and stopping, by hand and from the file."""

    workspace: Workspace
    names = itertools.count()

    @initialize()
    def begin(self):
        self.name = f"test{next(self.names)}"
        self.rows: dict[int, str] = {}
        self.events: list = []
        self.day = 0

    def now(self) -> datetime:
        self.day += 1
        return NOW + timedelta(minutes=self.day)

    def file(self, power: float) -> Workspace:
        body = DINNER.replace("dinner", self.name).replace(
            'owner = "Anna"', f'owner = "Anna"\npower = {power}'
        )
        return rewritten(self.workspace, body)

    def known(self) -> bool:
        return bool(self.rows)

    @rule(power=st.sampled_from([0.7, 0.8, 0.9]))
    def declare(self, power):
        plan = self.workspace.plan_experiment(self.name, {**VALUES, "power": power})
        self.attempt(lambda: self.workspace.declare_experiment(plan, by="Anna", now=self.now()))

    @rule(power=st.sampled_from([0.7, 0.8, 0.9]))
    def sync(self, power):
        self.file(power).sync_experiments(now=self.now())

    @precondition(known)
    @rule()
    def start(self):
        self.attempt(lambda: self.workspace.start_experiment(self.name, by="Anna", now=self.now()))

    @precondition(known)
    @rule()
    def stop(self):
        self.attempt(lambda: self.workspace.stop_experiment(self.name, by="Oleg", now=self.now()))

    @precondition(known)
    @rule(state=st.sampled_from(["scale", "futile", "continue"]))
    def look(self, state):
        version = self.workspace.experiment(self.name).version
        self.day += 1
        self.attempt(
            lambda: self.workspace.save_look(self.name, seen(self.day, version=version, state=state))
        )

    @precondition(known)
    @rule(state=st.sampled_from(["scale", "harm", "continue"]))
    def decide(self, state):
        self.attempt(
            lambda: self.workspace.decide_experiment(
                self.name, state=state, by="Anna", now=self.now(), reason="so"
            )
        )

    @precondition(known)
    @rule()
    def roll_out(self):
        self.attempt(lambda: self.workspace.roll_out(self.name, by="Anna", now=self.now(), guards=SOUND))

    def attempt(self, verb):
        with contextlib.suppress(Refused):
            verb()

    @invariant()
    def nothing_that_was_written_has_changed(self):
        with self.workspace.database.read() as connection:
            plans, told = (
                connection.execute(
                    select(table).where(table.c.experiment == self.name).order_by(*table.primary_key.columns)
                )
                .mappings()
                .all()
                for table in (plan_versions, experiment_events)
            )
        for row in plans:
            assert self.rows.setdefault(row["version"], str(row)) == str(row)
        assert len(plans) == len(self.rows)
        lines = [str(row) for row in told]
        assert lines[: len(self.events)] == self.events
        assert [row["number"] for row in told] == list(range(1, len(told) + 1))
        self.events = lines
        if plans:
            view = self.workspace.experiment(self.name)
            started = [row["version"] for row in told if row["kind"] == "started"]
            assert view.version == (started[-1] if started else len(plans))
            assert len(started) == len(set(started))


@pytest.mark.slow
def test_in_any_order_of_verbs_what_was_declared_stays_as_it_was(tmp_path):
    ws = opened(f"sqlite:///{tmp_path / 'state.sqlite'}", tmp_path)
    Life.workspace = ws
    machine = Life.TestCase
    machine.settings = settings(
        max_examples=25,
        stateful_step_count=14,
        deadline=None,
        derandomize=True,  # whether any order reaches a look must not hang on chance
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    machine().runTest()
    with ws.database.read() as connection:
        assert connection.execute(select(looks).limit(1)).first() is not None
    ws.close()
