"""Experiments in the state, on SQLite and PostgreSQL: sealed plans, one numbered history, frozen looks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text, update

from primeta.errors import Conflict
from primeta.experiments.declare import Basis
from primeta.experiments.records import Amount, Arm, Goal, Plan, Step
from primeta.store import experiments as rows
from primeta.store.database import Database
from primeta.store.experiments import (
    KINDS,
    ExperimentEvent,
    Gate,
    Look,
    PlanVersion,
    RolloutStep,
    Stored,
)
from primeta.store.schema import experiment_events, plan_versions
from primeta.warehouse.metric import Measure, Metric

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
PLAN = Plan(
    name="ужин",
    hypothesis="Скидка вернёт вечерние покупки",
    owner="Анна",
    starts=date(2026, 12, 1),
    ends=date(2027, 1, 12),
    arms=(Arm(name="control", share=1 / 3), Arm(name="ten", share=2 / 3, cost=1.2, what="−10%")),
    control="control",
    goals=(
        Goal(
            metric="paid",
            window_days=30,
            role="primary",
            smallest=Amount(0.02, relative=True),
            value=0.25,
        ),
        Goal(metric="churn", window_days=90, role="guardrail", margin=Amount(0.001)),
    ),
    slots=(0.25, 0.5),
    layer="push",
    segments=("age",),
)
BASIS = Basis(
    metrics={
        "paid": Metric(
            name="paid",
            numerator=Measure(table="orders", sum="revenue", where="channel = 'web'"),
            denominator="base",
            unit="money",
            good="up",
            smallest_effect=0.02,
        )
    },
    timezone="Europe/Moscow",
    currency="RUB",
    margin=0.25,
)


@pytest.fixture
def database(state_url):
    opened = Database(state_url)
    opened.migrate()
    yield opened
    opened.close()


def version(number: int = 1, plan: Plan = PLAN) -> PlanVersion:
    return PlanVersion(version=number, plan=plan, basis=BASIS, by="Анна", at=NOW)


def event(number: int, kind: str = "declared", mark: str = "", **what) -> ExperimentEvent:
    return ExperimentEvent(
        number=number, version=1, at=NOW, who="Анна", kind=kind, what=what, mark=mark or f"{kind} {number}"
    )


def look(number: int = 1, **changes) -> Look:
    values = {
        "version": 1,
        "number": number,
        "seen_until": NOW + timedelta(days=number),
        "at": NOW + timedelta(days=number),
        "analysis": {"decision": {"state": "continue", "arm": None}, "effects": [{"difference": 0.1 + 0.2}]},
        "counts": {"control": 100, "ten": 201},
        "ratio_evidence": 0.5,
        "facts_version": "v1",
        "code_version": "0.2",
    }
    return Look(**{**values, **changes})


def declared(database: Database) -> None:
    with database.write() as connection:
        rows.add_experiment(connection, "ужин", by="Анна", at=NOW)
        rows.add_version(connection, "ужин", version())
        rows.add_events(connection, "ужин", [event(1)])


def stored(database: Database, **how) -> Stored:
    with database.read() as connection:
        (found,) = rows.load_experiments(connection, ("ужин",), **how)
    return found


def test_everything_comes_back_as_it_was_written(database):
    declared(database)
    step = RolloutStep(
        step=Step(share=0.05, by="Анна", at=NOW, state="passed"),
        decision=3,
        gates=(Gate(name="doctor", ok=True, figures={"why": ""}),),
    )
    with database.write() as connection:
        rows.add_look(connection, "ужин", look())
        rows.add_step(connection, "ужин", 2, step)
        rows.add_events(connection, "ужин", [event(2, "rolled", share=0.05)])
    found = stored(database)
    assert found.versions == (version(),)
    assert found.looks == (look(),)
    assert found.steps == (step,)
    assert [entry.what for entry in found.events] == [{}, {"share": 0.05}]
    assert (found.created_at, found.created_by) == (NOW, "Анна")


def test_an_unknown_number_of_a_look_is_none_and_not_a_word(database):
    declared(database)
    with database.write() as connection:
        rows.add_look(connection, "ужин", look(analysis={"effects": [{"low": float("nan"), "n": 3}]}))
    assert stored(database).looks[0].analysis == {"effects": [{"low": None, "n": 3}]}


def test_a_list_reads_only_the_newest_look_of_each_version(database):
    declared(database)
    with database.write() as connection:
        for number in (1, 2, 3):
            rows.add_look(connection, "ужин", look(number))
        rows.add_look(connection, "ужин", look(1, version=2))
    assert [(entry.version, entry.number) for entry in stored(database).looks] == [(1, 3), (2, 1)]
    every = stored(database, all_looks=True).looks
    assert [(entry.version, entry.number) for entry in every] == [(1, 1), (1, 2), (1, 3), (2, 1)]


def test_two_people_who_write_the_same_line_of_the_history_are_told(database):
    declared(database)
    with database.write() as connection:
        rows.add_events(connection, "ужин", [event(2, "started")])
    with pytest.raises(Conflict, match="somebody else meanwhile"), database.write() as connection:
        rows.add_events(connection, "ужин", [event(2, "stopped")])
    assert [entry.kind for entry in stored(database).events] == ["declared", "started"]


def test_what_happens_once_is_written_once(database):
    declared(database)
    with database.write() as connection:
        rows.add_events(connection, "ужин", [event(2, "started", "started 1")])
    with pytest.raises(Conflict), database.write() as connection:
        rows.add_look(connection, "ужин", look())
        rows.add_events(connection, "ужин", [event(3, "started", "started 1")])
    assert stored(database).looks == ()


@pytest.mark.parametrize(
    "again",
    [
        lambda c: rows.add_experiment(c, "ужин", by="Олег", at=NOW),
        lambda c: rows.add_version(c, "ужин", version(plan=replace(PLAN, owner="Олег"))),
        lambda c: rows.add_look(c, "ужин", look(1, facts_version="v2")),
        lambda c: rows.add_look(c, "ужин", look(2, seen_until=NOW + timedelta(days=1))),
    ],
)
def test_nothing_is_written_over(database, again):
    declared(database)
    with database.write() as connection:
        rows.add_look(connection, "ужин", look())
    before = stored(database)
    with pytest.raises(Conflict), database.write() as connection:
        again(connection)
    assert stored(database) == before


def test_a_plan_that_was_altered_by_hand_is_noticed(database):
    declared(database)
    with database.write() as connection:
        changed = connection.execute(text("select plan from plan_versions")).scalar_one()
        changed = changed if isinstance(changed, str) else json.dumps(changed)
        connection.execute(
            text("update plan_versions set plan = :plan"), {"plan": changed.replace("0.02", "0.01")}
        )
    with pytest.raises(Conflict, match="changed by hand"):
        stored(database)


def test_a_plan_of_an_older_primeta_is_read_with_the_defaults_of_what_it_did_not_know(database):
    # A later version adds a field to the plan: what was stored before lacks it, and is no other plan for that.
    declared(database)
    plan, basis = (rows.to_json(entry) for entry in (PLAN, BASIS))
    del plan["ramp"]
    with database.write() as connection:
        connection.execute(update(plan_versions).values(plan=plan, seal=rows.seal(plan, basis)))
    assert stored(database).versions == (version(),)


def test_every_kind_of_line_fits_its_column():
    assert max(map(len, KINDS)) <= experiment_events.c.kind.type.length


def test_an_older_state_is_brought_up_and_keeps_what_it_held(state_url):
    # The state of version 0.1.0 had revision 0001 and no experiments.
    from alembic import command

    database = Database(state_url)
    database.migrate()
    with database.write() as connection:
        configuration = database._alembic()
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "0001")
        connection.execute(
            text(
                "insert into trends (id, created_at, created_by, evidence) "
                "values ('t-1', '2026-01-01', 'Anna', '{}')"
            )
        )
    database.migrate()
    declared(database)
    with database.read() as connection:
        assert connection.scalar(text("select count(*) from trends")) == 1
    assert len(stored(database).versions) == 1
    database.close()
