"""Interviews, farms and sources of a workspace: over its facts, lists kept, quotes on trends without an id."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.workspace.test_reactivation_workspace import NOW, STARTS, TOML, write

from primeta.errors import BadTable, NotFound, Refused
from primeta.show.result import plain
from primeta.workspace import open_workspace

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
