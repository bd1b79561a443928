"""People's part of the loop on both databases: log, make, attach, edit, decide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from primeta.config import parse_config
from primeta.errors import BadInput, Conflict, NotFound
from primeta.store.database import Database
from primeta.workspace import Workspace
from primeta.workspace.jobs import next_job, run_job, start_job

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
TEXT = """
[workspace]
name = "Kalina"
currency = "RUB"
timezone = "Europe/Moscow"
margin = 0.25
[goals]
revenue_per_customer = 1
"""


@pytest.fixture
def ws(state_url, tmp_path):
    path = tmp_path / "primeta.toml"
    path.write_text(TEXT, encoding="utf-8")
    database = Database(state_url)
    database.migrate()
    yield Workspace(parse_config(TEXT, path), database)
    database.close()


def trend_of(ws: Workspace, name: str = "Dinner after work"):
    return ws.new_trend(name=name, by="Anna", now=NOW)


def test_a_note_is_written_once_and_its_words_come_back(ws):
    def log():
        return ws.log_signal(
            text="Люди просят готовый ужин", origin="voice", source="звонки", by="Анна", now=NOW
        )

    assert log() == log()
    (note,) = ws.notes()
    assert (note.text, note.origin, note.happened_at) == (
        "Люди просят готовый ужин",
        "voice",
        date(2026, 11, 16),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "  "},
        {"origin": "metric"},
        {"origin": "neighbour"},
        {"by": ""},
        {"happened_at": date(2026, 11, 20)},
        {"direction": "left"},
    ],
)
def test_a_note_that_cannot_be_is_refused_and_nothing_is_kept(ws, changes):
    values = {"text": "x", "origin": "voice", "by": "Anna", "now": NOW, **changes}
    with pytest.raises(BadInput):
        ws.log_signal(**values)
    assert ws.notes() == ()


def test_a_trend_is_found_by_id_name_or_beginning(ws):
    made = trend_of(ws)
    other = trend_of(ws, "Dinner by subscription")
    assert ws.trend(made.id).id == ws.trend("dinner after work").id == ws.trend("Dinner a").id == made.id
    with pytest.raises(NotFound, match="several") as error:
        ws.trend("dinner")
    assert other.id in str(error.value)


def test_a_note_attached_to_a_trend_is_its_evidence_and_history(ws):
    trend = trend_of(ws)
    note = ws.log_signal(text="dinner", origin="voice", by="Anna", now=NOW, trend=trend.id)
    after = ws.trend(trend.id)
    assert [entry.origin for entry in after.evidence.origins] == ["voice"]
    assert after.signals == (note.id,)
    assert [event.kind for event in after.history] == ["new", "signal"]
    refused = ws.attach(trend.id, note.id, by="Oleg", now=NOW, refuse=True)
    assert refused.evidence.origins == ()
    assert refused.signals == ()


def test_the_card_takes_fields_parts_and_guesses(ws):
    trend = trend_of(ws)
    changes = {
        "hypothesis": "A push at 17:00 raises orders by 2%",
        "review": "2026-12-14",
        "metrics": "orders_per_customer, average_order_value",
        "mechanism": "people cook less",
        "adoption": "20%:35%:50%",
        "compliance": "90",
    }
    after = ws.edit_card(trend.id, changes=changes, by="Anna", now=NOW, version=1)
    assert after.card.review == date(2026, 12, 14)
    assert after.card.metrics == ("orders_per_customer", "average_order_value")
    assert after.card.decomposition == {"mechanism": "people cook less"}
    assert after.weighing is not None
    adoption = next(entry for entry in after.weighing.inputs if entry.name == "adoption")
    assert (adoption.value, adoption.basis, adoption.by) == (0.35, "guess", "Anna")
    assert after.weighing.filter("compliance").score == 90
    with pytest.raises(Conflict, match="version 2"):
        ws.edit_card(trend.id, changes={"risks": "tired"}, by="Oleg", now=NOW, version=1)
    with pytest.raises(BadInput, match="no field"):
        ws.edit_card(trend.id, changes={"colour": "red"}, by="Oleg", now=NOW)


def test_a_decision_takes_the_trend_off_the_waiting_list_until_it_is_overdue(ws):
    trend = trend_of(ws)
    ws.decide(
        trend.id,
        answer="observe",
        criteria="orders +2%",
        due=date(2026, 11, 20),
        owner="Anna",
        by="Anna",
        now=NOW,
    )
    assert ws.overview(now=NOW).overdue == ()
    late = ws.overview(now=NOW + timedelta(days=7))
    assert [entry.id for entry in late.overdue] == [trend.id]
    assert late.overdue[0].decision.days_late(late.today) == 3


@pytest.mark.parametrize("changes", [{"answer": "perhaps"}, {"criteria": " "}, {"owner": ""}])
def test_a_decision_without_its_parts_is_refused(ws, changes):
    trend = trend_of(ws)
    values = {"answer": "reject", "criteria": "+2%", "due": date(2026, 12, 1), "owner": "Anna", **changes}
    with pytest.raises(BadInput):
        ws.decide(trend.id, by="Anna", now=NOW, **values)
    assert ws.trend(trend.id).decisions == ()


def test_an_empty_workspace_has_a_digest_that_says_so(ws):
    for language in ("en", "ru"):
        page = ws.digest(now=NOW, language=language)
        assert page.text
        assert page.markdown.startswith("# ")
        assert page.html.startswith("<!doctype html>")
    assert "Nothing has been watched yet" in ws.digest(now=NOW, language="en").text


def test_a_job_runs_once_tells_how_far_it_is_and_ends_visibly(ws):
    job = start_job(ws, "watch", now=NOW)
    assert start_job(ws, "watch", now=NOW).id == job.id
    taken = next_job(ws, now=NOW)
    assert taken is not None
    assert next_job(ws, now=NOW) is None

    def work(*, progress):
        progress("detect", 1, 1)
        raise BadInput("the file is gone")

    ended = run_job(ws, taken, work, clock=lambda: NOW)
    assert (ended.state, ended.message, ended.done) == ("failed", "the file is gone", 1)


def test_a_job_whose_process_died_fails_visibly_and_can_be_started_again(ws):
    job = start_job(ws, "watch", now=NOW)
    next_job(ws, now=NOW)
    later = NOW + timedelta(minutes=5)
    again = start_job(ws, "watch", now=later)
    assert again.id != job.id
    assert ws.job(job.id).state == "failed"


def test_a_cancelled_job_stops_at_its_next_beat(ws):
    job = start_job(ws, "watch", now=NOW)
    taken = next_job(ws, now=NOW)
    ws.cancel_job(job.id)

    def work(*, progress):
        progress("detect", 0, 10)
        raise AssertionError("went on after it was cancelled")

    assert taken is not None
    assert run_job(ws, taken, work, clock=lambda: NOW).state == "cancelled"
