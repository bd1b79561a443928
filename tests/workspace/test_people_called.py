"""Interviews, farms and sources of a workspace: over its facts, lists kept, quotes on trends without an id."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.workspace.test_reactivation_workspace import NOW, STARTS, TOML, write

from primeta.errors import BadInput, BadTable, NotFound, Refused
from primeta.show.result import plain
from primeta.workspace import open_workspace
from primeta.workspace.people_called import farms_of_all, interviews_of_all, sources_of_all
from primeta.workspace.reactivation_kept import NotKept
from primeta.workspace.reactivation_views import SourcesView

CUT = datetime(2026, 5, 31, tzinfo=UTC)
MORE = """
[tables.identities]
from = "identities.parquet"

[tables.spend]
from = "spend.parquet"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A started experiment of 400 customers from two sources; eight accounts share a phone."""
    folder = tmp_path_factory.mktemp("called")
    write(folder)
    customers = pq.read_table(folder / "customers.parquet")
    names = customers["customer_id"].to_pylist()
    orders = pq.read_table(folder / "orders.parquet").to_pylist()
    # half of them stay away after the experiment began; nobody but the arm was written to
    away = [row for row in orders if row["ordered_at"] < CUT or int(row["customer_id"][1:]) % 4 > 1]
    pq.write_table(pa.Table.from_pylist(away), folder / "orders.parquet")
    messages = pq.read_table(folder / "messages.parquet").to_pylist()
    other = [row for row in messages if row["campaign"] == "spring sms"]
    pq.write_table(pa.Table.from_pylist(other), folder / "messages.parquet")
    source = pa.array([("search", "partner")[at % 2] for at in range(len(names))])
    pq.write_table(customers.append_column("source", source), folder / "customers.parquet")
    phones = ["shared" if at < 8 else f"p{at}" for at in range(len(names))]
    pq.write_table(
        pa.table({"customer_id": names, "kind": ["phone"] * len(names), "value_hash": phones}),
        folder / "identities.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "source": ["search", "partner"],
                "day": [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
                "money": [20_000.0, 90_000.0],
            }
        ),
        folder / "spend.parquet",
    )
    (folder / "primeta.toml").write_text(
        TOML.replace("[reactivation]", MORE + "\n[reactivation]", 1), "utf-8"
    )
    ws = open_workspace(folder)
    ws.sync_experiments(now=NOW)
    ws.start_experiment("win_back", by="Anna", now=datetime(2026, 6, 1, 6, tzinfo=UTC))
    ws.look("win_back", now=NOW)
    ws.close()
    return folder


def rough(found: Any) -> Any:
    """Its document without the last digits: sums over several threads come in any order."""

    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: cut(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [cut(entry) for entry in value]
        return round(value, 6) if isinstance(value, float) else value

    return cut(plain(found.as_dict()))


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "ws"))


def test_the_list_is_drawn_once_and_answers_and_quotes_go_on_from_it(folder: Path, tmp_path: Path):
    ws = open_workspace(folder)
    out = tmp_path / "calls.csv"
    found = ws.interviews("win_back", now=NOW, each=4, out=out)
    assert {group.stratum for group in found.groups if group.calls} == {"left", "silent", "self", "us"}
    again = ws.interviews("win_back", now=NOW, each=9, seed="other")
    assert plain(again.as_dict())["calls"] == plain(found.as_dict())["calls"]
    said = STARTS + timedelta(days=70)
    calls = [call.call for call in found.calls if not call.reserve]
    answers = pa.table(
        {
            "call": calls,
            "said_at": [said] * len(calls),
            "reason": ["quality", "price"] * (len(calls) // 2) + ["price"] * (len(calls) % 2),
            "quote": [f"the words of {call}" for call in calls],
        }
    )
    told = ws.interviews("win_back", now=NOW, answers=answers)
    assert told.reasons is not None
    assert len(told.reasons.answers) == len(calls)
    trend = ws.new_trend(name="Quality lets down", by="Anna", now=NOW)
    # answers are kept: they need not be given again
    notes = ws.attach_quotes("win_back", trend.id, by="Anna", now=NOW, reason="quality")
    assert len(notes) == (len(calls) + 1) // 2
    assert {note.origin for note in notes} == {"voice"}
    assert set(ws.trend(trend.id).signals) >= {note.id for note in notes}
    # the same quote is one note however often it is attached
    assert [
        note.id for note in ws.attach_quotes("win_back", trend.id, by="Anna", now=NOW, reason="quality")
    ] == [note.id for note in notes]
    ids = pq.read_table(next((folder / "interviews").glob("*.calls.parquet")))["customer_id"].to_pylist()
    text = json.dumps(plain(told.as_dict())) + "".join(note.text + note.source for note in notes)
    assert not [name for name in ids if name in text]
    with pytest.raises(NotFound, match="no quote with the reason 'moved'"):
        ws.attach_quotes("win_back", trend.id, by="Anna", now=NOW, reason="moved")
    ws.close()


def test_interviews_are_worked_out_once_and_kept_until_what_they_are_made_of_changes(
    folder: Path, tmp_path: Path
):
    ws = open_workspace(folder)
    assert ws.interviews_view("win_back", now=NOW).result is None
    assert interviews_of_all(ws, now=NOW) == (2, ())
    view = ws.interviews_view("win_back", now=NOW)
    assert view.result is not None
    assert (view.at, view.stale) == (NOW, False)
    assert rough(view.result) == rough(ws.interviews("win_back", now=NOW, keep=False, fresh=True))
    # working it out for pages writes no list with ids down
    assert not (folder / "interviews").exists()
    assert interviews_of_all(ws, now=NOW) == (0, ())
    found = ws.interviews("win_back", now=NOW, out=tmp_path / "calls.csv")
    assert not ws.interviews_view("win_back", now=NOW).stale
    answers = pa.table({"call": [found.calls[0].call], "said_at": [STARTS + timedelta(days=70)], "reason": ["price"], "quote": ["dear"]})  # fmt: skip
    told = ws.interviews("win_back", now=NOW, answers=answers)
    view = ws.interviews_view("win_back", now=NOW)
    assert not view.stale
    assert view.result is not None
    # the record comes back the same
    assert plain(view.result.as_dict()) == plain(told.as_dict())
    assert view.result.line("ru") == told.line("ru")
    # a reason of one's own is kept with the answers that carry it
    own = answers.set_column(2, "reason", pa.array(["mood"]))
    told = ws.interviews("win_back", now=NOW, answers=own, codes={"mood": "a mood"})
    view = ws.interviews_view("win_back", now=NOW)
    assert not view.stale
    assert view.result is not None
    again = ws.interviews("win_back", now=NOW, after_days=89)
    assert again.reasons is not None
    assert again.reasons.name("mood", "en") == "a mood"
    assert plain(view.result.as_dict()) == plain(told.as_dict())
    # another list than the usual one
    ws.interviews("win_back", now=NOW, each=3, fresh=True)
    assert ws.interviews_view("win_back", now=NOW).stale
    assert interviews_of_all(ws, now=NOW) == (1, ())
    ids = pq.read_table(next((folder / "interviews").glob("*.calls.parquet")))["customer_id"].to_pylist()
    text = "".join(path.read_text("utf-8") for path in (folder / "cache" / "reactivation").glob("*.json"))
    assert not [name for name in ids if name in text]
    ws.close()


@pytest.mark.slow
def test_farms_of_all_campaigns_are_those_of_each(folder: Path):
    ws = open_workspace(folder)
    assert farms_of_all(ws, now=NOW) == (2, ())
    for name in ("win_back", "spring sms"):
        view = ws.farms_view(name, now=NOW)
        assert view.result is not None
        assert not view.stale
        assert rough(view.result) == rough(ws.farms(now=NOW, experiment=name, fresh=True))
    assert farms_of_all(ws, now=NOW) == (0, ())
    # one more account shares the phone: the table is not among the facts, its file tells
    rows = pq.read_table(folder / "identities.parquet").to_pylist()
    rows[8]["value_hash"] = "shared"
    pq.write_table(pa.Table.from_pylist(rows), folder / "identities.parquet")
    assert ws.farms_view("win_back", now=NOW).stale
    assert ws.farms(now=NOW, experiment="win_back").clusters[0].customers == 9
    ws.close()


@pytest.mark.slow
def test_sources_are_kept_by_cohort(folder: Path):
    ws = open_workspace(folder)
    assert ws.sources_view().result is None
    assert sources_of_all(ws, now=NOW) == 4
    for cohort in ("month", "all"):
        view = ws.sources_view(cohort)
        assert view.result is not None
        assert (view.result.cohort, view.at, view.stale) == (cohort, NOW, False)
        again = ws.sources(cohort=cohort, now=NOW, fresh=True)
        assert plain(again.as_dict()) == plain(ws.sources_view(cohort).result.as_dict())
    assert sources_of_all(ws, now=NOW) == 0
    with pytest.raises(BadInput, match="cohort 'week'"):
        ws.sources_view("week")
    spend = pq.read_table(folder / "spend.parquet").to_pylist()
    pq.write_table(pa.Table.from_pylist([{**row, "money": 1.0} for row in spend]), folder / "spend.parquet")
    assert ws.sources_view().stale
    ws.close()


def test_why_something_cannot_be_worked_out_is_kept_until_the_facts_change(folder: Path):
    settings = folder / "primeta.toml"
    table = '[tables.spend]\nfrom = "spend.parquet"\n'
    text = settings.read_text("utf-8")
    settings.write_text(text.replace(table, table.replace("spend.parquet", "gone.parquet")), "utf-8")
    ws = open_workspace(folder)
    with pytest.raises(BadInput, match="gone"):
        sources_of_all(ws, now=NOW)
    view = ws.sources_view()
    assert "gone" in view.problem
    assert view.at == NOW
    ws.close()
    settings.write_text(text, "utf-8")
    ws = open_workspace(folder)
    assert ws.sources_view() == SourcesView()
    ws.close()


def test_what_only_is_kept_is_given_and_anything_else_refused(folder: Path):
    ws = open_workspace(folder)
    for ask in (lambda **more: ws.ladder("win_back", now=NOW, **more), lambda **more: ws.lapse(now=NOW, **more), lambda **more: ws.whom("win_back", now=NOW, **more)):  # fmt: skip
        with pytest.raises(NotKept, match="not worked out yet") as refused:
            ask(kept_only=True)
        assert refused.value.usual
    found = ws.ladder("win_back", now=NOW)
    same = ws.ladder("win_back", now=NOW, kept_only=True, window_days=28)
    assert plain(same.as_dict()) == plain(found.as_dict())
    with pytest.raises(NotKept, match="another question"):
        ws.ladder("win_back", now=NOW, kept_only=True, window_days=14)
    ws.lapse(now=NOW)
    with pytest.raises(NotKept, match="another question"):
        ws.lapse(now=NOW, kept_only=True, days=45)
    ws.close()


def test_farms_of_a_workspace_with_the_effects_of_its_experiment(built: Path):
    ws = open_workspace(built)
    found = ws.farms(now=NOW, experiment="win_back")
    assert found.clusters[0].customers == 8
    assert {row.rung for row in found.effects} >= {0, 1, 2}
    ws.close()


def test_sources_of_a_workspace_use_its_margin_and_currency(built: Path):
    ws = open_workspace(built)
    found = ws.sources(horizon="180d", cohort="all")
    assert {row.source for row in found.sources} == {"search", "partner"}
    assert found.money_of == "margin"
    rows = {row.source: row for row in found.sources}
    # every customer was acquired since: 20,000 over the customers of search
    assert rows["search"].cost == pytest.approx(20_000 / rows["search"].customers)
    assert "₽" in found.table("en").text()
    ws.close()


def test_what_is_missing_is_said(tmp_path: Path):
    write(tmp_path)
    (tmp_path / "primeta.toml").write_text(TOML, encoding="utf-8")
    ws = open_workspace(tmp_path)
    with pytest.raises(Refused, match="primeta watch"):
        ws.sources()
    ws.sync_experiments(now=NOW)
    ws.start_experiment("win_back", by="Anna", now=datetime(2026, 6, 1, 6, tzinfo=UTC))
    ws.look("win_back", now=NOW)
    with pytest.raises(BadTable, match="no identities are mapped"):
        ws.farms(now=NOW)
    with pytest.raises(BadTable, match="source not found"):
        ws.sources()
    ws.close()
