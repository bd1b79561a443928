"""The loop in the terminal: what people do, and the JSON keys that scripts rely on (DESIGN §6)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from primeta.signals.signal import Frozen, Signal
from primeta.store import signals as signal_rows
from primeta.workspace import open_workspace

NOW = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.fixture
def run(primeta, monkeypatch):
    """What a command says; its exit status is checked."""
    monkeypatch.setenv("LOGNAME", "anna")

    def call(*arguments: str, status: int = 0) -> str:
        done = primeta(*arguments)
        assert done.returncode == status, done.stderr
        return done.stdout

    return call


@pytest.fixture
def shop(run, tmp_path):
    folder = tmp_path / "shop"
    run("init", str(folder), "--currency", "RUB", "--timezone", "Europe/Moscow")
    ws = open_workspace(folder)
    signal = Signal(
        id="orders_per_customer-down-1a2b3c4d",
        frozen=Frozen(
            about="orders_per_customer",
            slice="age=35-44",
            direction="down",
            since=date(2026, 10, 5),
            smallest_effect=0.02,
            first_seen=NOW,
            expected=1.31,
            origin="metric",
        ),
        observed=1.2,
        expected=1.31,
        low=-0.2,
        high=-0.02,
        e_value=912.0,
        grade="holding",
    )
    with ws.database.write() as connection:
        signal_rows.save_signals(connection, [signal], promise_start=date(2026, 1, 5), seen_until=NOW)
    ws.close()
    return str(folder)


def test_signals_hold_the_keys_of_the_design_and_unknown_is_null(run, shop):
    run("log", shop, "people ask for a ready dinner", "--origin", "voice")
    metric, note = json.loads(run("signals", shop, "--json"))["signals"]
    keys = [
        "id",
        "about",
        "slice",
        "since",
        "direction",
        "observed",
        "expected",
        "low",
        "high",
        "e_value",
        "grade",
        "origin",
    ]  # DESIGN §6, `signals`
    assert set(keys) <= set(metric)
    assert set(keys) <= set(note)
    assert (metric["since"], metric["first_seen"]) == ("2026-10-05", "2026-11-16T00:00:00Z")
    assert metric["halves"] == [None, None]
    assert (note["origin"], note["e_value"]) == ("voice", None)


def test_the_whole_loop_of_a_person(run, shop):
    made = run("trend", "new", shop, "Fewer orders", "--signal", "orders_per_customer-down-1a2b3c4d").strip()
    note = run("log", shop, "less often", "--origin", "voice", "--source", "calls").strip()
    run("trend", "attach", shop, "Fewer", note)
    run("trend", "edit", shop, made, "hypothesis=A push raises orders by 2%", "review=2026-12-14")
    run(
        "decide", shop, made, "--answer", "experiment", "--criteria", "+2% orders", "--due", "2027-01-18",
        "--owner", "Anna",
    )  # fmt: skip
    (trend,) = json.loads(run("trends", shop, "--json"))["trends"]
    keys = [
        "id",
        "name",
        "type",
        "grade",
        "origins",
        "weeks",
        "months",
        "quarters",
        "filters",
        "money",
        "decision",
        "due",
        "owner",
    ]
    assert set(keys) <= set(trend)  # DESIGN §6, `trends`
    assert set(trend["money"]) >= {"p10", "p50", "p90", "basis"}
    assert trend["money"]["p50"] is None
    assert (trend["decision"], trend["due"], trend["owner"]) == ("experiment", "2027-01-18", "Anna")
    assert trend["origins"] == ["metric", "voice"]
    assert set(trend["filters"]) == {"relevance", "economic", "feasibility", "horizon", "compliance"}
    assert "Fewer orders" in run("trends", shop)
    assert "эксперимент" in run("trends", shop, "--language", "ru")


def test_a_digest_comes_in_three_dresses_and_into_a_file(run, shop, tmp_path):
    assert run("digest", shop, "--format", "markdown").startswith("# ")
    out = tmp_path / "digest.html"
    assert run("digest", shop, "--format", "html", "--out", str(out), "--language", "ru") == ""
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert 'lang="ru"' in page
    assert "http" not in page
    assert json.loads(run("digest", shop, "--json"))["week"] is None


def test_a_card_changed_by_somebody_else_is_not_overwritten(run, shop):
    made = run("trend", "new", shop, "Fewer orders").strip()
    run("trend", "edit", shop, made, "owner=Oleg", "--version", "1")
    run("trend", "edit", shop, made, "owner=Anna", "--version", "1", status=2)
    (trend,) = json.loads(run("trends", shop, "--json"))["trends"]
    assert trend["owner"] == "Oleg"
