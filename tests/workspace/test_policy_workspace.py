"""Moment, sequence, discount and whom in a workspace: from its facts, as from the files; kept; told apart by what varied."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import primeta as pm
from primeta.errors import BadInput
from primeta.show.result import plain
from primeta.warehouse.facts_store import load_facts
from primeta.workspace import open_workspace
from primeta.workspace.reactivation import until_of
from primeta.workspace.reactivation_assigned import assigned
from primeta.workspace.reactivation_policy import policies_of_all

ZERO = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
TOML = """\
[workspace]
name = "Kalina"
currency = "RUB"
timezone = "Europe/Moscow"
margin = 0.4

[tables.orders]
from = "orders.parquet"

[tables.assignments]
from = "assignments.parquet"

[reactivation]
horizon_days = 90

[reactivation.contact_costs.when]
"*" = 2
"""


def write(folder: Path) -> None:
    """150 customers left alone, 150 written to on day 0, 150 on day 10 (`when`); two arms without a name for either
    (`other`): 40 customers each. Orders are those of nobody's design."""
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for place in range(450):
        arm, delay = (("plain", None), ("day0", 0.0), ("day10", 10.0))[place % 3]
        rows.append(
            {"experiment": "when", "customer_id": f"w{place:03d}", "arm": arm, "assigned_at": ZERO, "probability": 1 / 3,
             "delay_days": delay, "tier": ("gold", "tin")[place % 2]}
        )  # fmt: skip
    rows += [
        {"experiment": "other", "customer_id": f"o{place:03d}", "arm": ("x", "y")[place % 2], "assigned_at": ZERO,
         "probability": None, "delay_days": None, "tier": None}
        for place in range(80)
    ]  # fmt: skip
    orders = []
    for row in rows:
        for day in np.flatnonzero(rng.random(240) < 0.01):
            at = ZERO + timedelta(days=int(day) - 80, hours=12)
            orders.append(
                {"order_id": f"b{len(orders)}", "customer_id": row["customer_id"], "ordered_at": at,
                 "revenue": round(float(rng.gamma(4, 250)), 2)}
            )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "assignments.parquet")
    pq.write_table(pa.Table.from_pylist(orders), folder / "orders.parquet")
    (folder / "primeta.toml").write_text(TOML, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from primeta.warehouse.engine import open_warehouse
    from primeta.warehouse.facts_store import refresh_facts

    made = tmp_path_factory.mktemp("policy")
    write(made)
    with open_warehouse(open_workspace(made).config) as warehouse:
        refresh_facts(warehouse, now=NOW)
    return made


def test_experiments_without_a_plan_are_listed_with_what_they_varied(folder: Path):
    ws = pm.open(folder)
    when = ws.campaign("when", now=NOW)
    assert (when.kind, when.varied, when.customers) == ("assignments", ("moment",), 450)
    assert when.arms == ("day0", "day10", "plain")
    # nobody has told yet who was left alone, and no name says so
    assert when.control == ""
    assert ws.campaign("other", now=NOW).varied == ()
    facts = load_facts(folder / "facts")
    entry = assigned(ws, facts).named("when")
    assert entry is not None
    assert (entry.delays, entry.splits) == ((0.0, 10.0), ("tier",))
    assert entry.first == date(2026, 6, 1)


def test_the_workspace_says_what_the_files_say_and_keeps_it(folder: Path, tmp_path: Path):
    ws = pm.open(folder)
    with pytest.raises(BadInput, match="which arm was left alone"):
        ws.moment("when", now=NOW)
    assert policies_of_all(ws, now=NOW) == (0, ())
    ws.tell_control("when", "plain", by="Anna", now=NOW)
    assert ws.campaign("when", now=NOW).control == "plain"
    found = ws.moment("when", now=NOW)
    until = until_of(load_facts(folder / "facts"))  # type: ignore[arg-type]
    same = pm.moment(
        folder / "orders.parquet", folder / "assignments.parquet", until=until, control="plain", horizon="90d",
        margin=0.4, by="tier", contact_cost={"*": 2.0}, experiment="when", timezone="Europe/Moscow", currency="RUB",
    )  # fmt: skip
    assert plain(found.as_dict()) == plain(same.as_dict())
    assert found.by == "tier"
    view = ws.policy_view("when", "moment", now=NOW)
    assert view.result is not None
    assert not view.stale
    assert plain(view.result.as_dict()) == plain(found.as_dict())
    assert policies_of_all(ws, now=NOW) == (0, ())
    # another question is answered and not kept
    assert ws.moment("when", now=NOW, horizon_days=60, by="").horizon == 60
    assert ws.policy_view("when", "moment", now=NOW).result.horizon == 90  # type: ignore[union-attr]


def test_whom_is_not_promised_where_nobody_was_said_to_be_left_alone(folder: Path):
    ws = pm.open(folder)
    with pytest.raises(BadInput, match="do not say which arm was left alone"):
        ws.whom("other", now=NOW, kept_only=True)


def test_another_control_makes_what_is_kept_old(folder: Path):
    ws = pm.open(folder)
    ws.tell_control("when", "plain", by="", now=NOW)
    ws.moment("when", now=NOW)
    ws.tell_control("when", "day0", by="", now=NOW)
    assert ws.policy_view("when", "moment", now=NOW).stale
    with pytest.raises(BadInput, match="no arm 'nobody'"):
        ws.tell_control("when", "nobody", by="", now=NOW)
    with pytest.raises(BadInput, match="no experiment 'ghost'"):
        ws.tell_control("ghost", "x", by="", now=NOW)


def test_what_was_not_varied_or_not_known_is_refused_in_words(folder: Path):
    ws = pm.open(folder)
    ws.tell_control("when", "plain", by="", now=NOW)
    with pytest.raises(BadInput, match="did not vary the discount"):
        ws.discount("when", now=NOW)
    with pytest.raises(BadInput, match="drawn a second time"):
        ws.sequence("when", now=NOW)
    with pytest.raises(BadInput, match="That is: tier"):
        ws.moment("when", now=NOW, by="height")
    with pytest.raises(BadInput, match="was not written down"):
        ws.whom("when", now=NOW, features=["height"])


def test_the_ladder_climbs_with_the_control_that_was_told(folder: Path):
    ws = pm.open(folder)
    ws.tell_control("when", "plain", by="", now=NOW)
    ladder = ws.ladder("when", now=NOW, window_days=28)
    assert ladder.facts.arms == ("plain", "day0", "day10")
    # 2 for each contact, once per assigned customer
    assert dict(ladder.facts.campaign.contact_costs) == {"day0": 2.0, "day10": 2.0}


def test_a_plan_takes_its_sizes_from_the_workspace(folder: Path):
    ws = pm.open(folder)
    example = ws.plan_example("other", "discount", now=NOW)
    assert example.command.startswith("primeta reactivation discount --plan --depths 0,0.1,0.2 --delays 7,28")
    # no flow of lapse is worked out here, so no sizes are invented
    assert "--eligible-per-week" not in example.command
    assert example.plan.why_not == "no-size"
