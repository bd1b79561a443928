"""A workspace certified: from its own facts, kept for pages, done as a job."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from primeta.errors import BadInput, NotFound
from primeta.experiments.certify import Asked
from primeta.show.result import plain
from primeta.workspace import open_workspace
from primeta.workspace.jobs import next_job, run_job

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
QUICK = Asked(splits=200, looks=5)
TOML = """[workspace]
name = "shop"
language = "ru"
currency = "RUB"
margin = 0.3
[tables.orders]
from = "orders.parquet"
[watch]
metrics = ["revenue_per_customer", "average_order_value"]
"""


def shop_at(folder: Path, *, customers: int = 600, days: int = 300) -> Path:
    """Customers who each order in their own rhythm up to the last day of February 2026."""
    rng = np.random.default_rng(7)
    folder.mkdir()
    (folder / "primeta.toml").write_text(TOML, encoding="utf-8")
    who = np.repeat(np.arange(customers), rng.poisson(rng.gamma(3.0, 3.0, customers)))
    first = datetime(2026, 3, 1, tzinfo=UTC) - timedelta(days=days)
    at = [first + timedelta(minutes=int(minute)) for minute in rng.integers(0, days * 1440, len(who))]
    pq.write_table(
        pa.table(
            {
                "order_id": [f"o{number}" for number in range(len(who))],
                "customer_id": [f"{number:05d}" for number in who],
                "ordered_at": at,
                "revenue": rng.lognormal(6, 0.7, len(who)).round(2),
            }
        ),
        folder / "orders.parquet",
    )
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    return shop_at(tmp_path_factory.mktemp("certify") / "shop")


@pytest.fixture
def ws(shop):
    workspace = open_workspace(shop)
    yield workspace
    workspace.close()


def test_all_watched_metrics_are_certified_on_their_last_finished_window(ws):
    told = []
    found = ws.certify(now=NOW, asked=QUICK, progress=lambda *step: told.append(step))
    assert [entry.name for entry in found.metrics] == ["revenue_per_customer", "average_order_value"]
    assert found.ok
    assert (found.window_days, found.currency, found.at) == (28, "RUB", "2026-03-01T09:30:00Z")
    entry = found.metrics[0]
    # Rows come up to 28 February, which may still be filling: 27 February is the last of 28 whole days.
    assert (entry.about["since"], entry.about["until"]) == ("2026-01-31", "2026-02-28")
    assert 300 < entry.base <= 600
    assert entry.label("ru") == "Выручка на клиента (ARPU)"
    assert found.hashed is not None
    assert found.hashed.ok
    assert told[0][:2] == ("facts", 0)
    assert {name for name, _, _ in told} == {"facts", "certify"}
    assert told[-1][1] == told[-1][2]


def test_it_is_kept_and_the_same_seed_gives_it_again(ws, shop):
    made = ws.certify(now=NOW, metrics=["revenue_per_customer"], asked=QUICK)
    kept = ws.last_certificate()
    assert plain(kept.as_dict()) == plain(made.as_dict())
    assert json.loads((shop / "cache" / "certify.json").read_text()) == plain(made.as_dict())
    again = ws.certify(now=NOW, metrics=["revenue_per_customer"], asked=QUICK)
    assert plain(again.as_dict()) == plain(made.as_dict())


def test_a_certificate_that_is_lost_or_broken_is_simply_not_there(ws, shop):
    path = shop / "cache" / "certify.json"
    path.parent.mkdir(exist_ok=True)
    for content in ("{", "[]", '{"metrics": [{}]}', "null"):
        path.write_text(content)
        assert ws.last_certificate() is None
    path.unlink()
    assert ws.last_certificate() is None


def test_a_metric_by_name_need_not_be_watched_and_says_what_it_lacks(ws):
    names = ["orders_per_customer", "open_rate", "ltv", "reactivation_rate"]
    found = ws.certify(now=NOW, metrics=names, asked=QUICK)
    why = {entry.name: entry.why_not for entry in found.metrics}
    assert why == {
        "orders_per_customer": "",
        "open_rate": "needs",
        "ltv": "needs",
        "reactivation_rate": "two-years",
    }
    by_name = {entry.name: entry for entry in found.metrics}
    assert found.verdict(by_name["open_rate"], "ru") == "сказать нельзя: нужно messages, reactions"
    with pytest.raises(NotFound, match="there is no metric 'revenue'; there are revenue_per_customer"):
        ws.certify(now=NOW, metrics=["revenue"], asked=QUICK)
    with pytest.raises(BadInput, match="window"):
        ws.certify(now=NOW, window_days=0, asked=QUICK)


def test_days_that_are_not_over_do_not_count(ws):
    found = ws.certify(
        now=datetime(2026, 2, 20, 12, tzinfo=UTC), metrics=["orders_per_customer"], asked=QUICK
    )
    assert date.fromisoformat(found.metrics[0].about["until"]) == date(2026, 2, 20)


def test_it_runs_as_a_job_and_can_be_stopped(ws):
    ws.start_job("certify", now=NOW)
    job = next_job(ws, now=NOW)

    def work(progress):
        return {"ok": ws.certify(now=NOW, asked=QUICK, progress=progress).ok}

    done = run_job(ws, job, work, clock=lambda: NOW)
    assert (done.state, done.result) == ("done", {"ok": True})

    ws.start_job("certify", now=NOW)
    job = next_job(ws, now=NOW)
    ws.cancel_job(job.id)
    assert run_job(ws, job, work, clock=lambda: NOW).state == "cancelled"
