"""What a ladder is given: ways of giving it, and what it says of that which cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import primeta as pm
from primeta.errors import BadInput, BadTable, NotFound, PrimetaError
from primeta.reactivation.door import campaign_of, follow_given
from primeta.reactivation.records import FollowUp

ORDERS = {
    "order_id": ["1", "2", "3"],
    "customer_id": ["a", "b", "c"],
    "ordered_at": ["2026-01-02", "2025-12-02", "2026-01-20"],
    "revenue": [10.0, 20.0, 30.0],
}
ASSIGNED = {
    "customer_id": ["a", "b", "c", "d"],
    "arm": ["none", "none", "mail", "mail"],
    "assigned_at": ["2026-01-01"] * 4,
}
QUESTION: dict[str, Any] = {
    "until": "2026-03-31",
    "control": "none",
    "window": "14d",
    "horizon": "84d",
    "margin": 0.4,
}


def counted(orders: Any = ORDERS, assigned: Any = ASSIGNED, **changed: Any) -> FollowUp:
    more = {
        name: changed.pop(name)
        for name in ("lines", "visits", "messages", "reactions", "columns")
        if name in changed
    }
    return follow_given(orders, assigned, campaign_of(**{**QUESTION, **changed}), **more)


def refused(error: type[PrimetaError], *words: str, **given: Any) -> None:
    with pytest.raises(error) as raised:
        counted(**given)
    for word in words:
        assert word in str(raised.value)


# Ways of giving it


def test_files_globs_and_tables_give_the_same(tmp_path: Path):
    wanted = counted().sums["revenue"].sum(axis=(0, 2, 3)).tolist()
    assert wanted == [10, 30]
    orders, assigned = pa.table(ORDERS), pa.table(ASSIGNED)
    pq.write_table(orders.slice(0, 1), tmp_path / "orders-1.parquet")
    pq.write_table(orders.slice(1), tmp_path / "orders-2.parquet")
    csv.write_csv(assigned, tmp_path / "assigned.csv")
    glob = counted(str(tmp_path / "orders-*.parquet"), tmp_path / "assigned.csv")
    listed = counted([tmp_path / "orders-1.parquet", tmp_path / "orders-2.parquet"], assigned)
    for found in (glob, listed):
        assert found.sums["revenue"].sum(axis=(0, 2, 3)).tolist() == wanted


def test_ids_keep_their_zeros_in_csv(tmp_path: Path):
    (tmp_path / "orders.csv").write_text(
        "customer_id,ordered_at,revenue\n007,2026-01-02,10\n8,2026-01-02,20\n"
    )
    (tmp_path / "assigned.csv").write_text(
        "customer_id,arm,assigned_at\n007,none,2026-01-01\n8,mail,2026-01-01\n"
    )
    found = counted(tmp_path / "orders.csv", tmp_path / "assigned.csv")
    assert found.sums["revenue"].sum(axis=(0, 2, 3)).tolist() == [10, 20]


def test_columns_of_their_own_names():
    orders = {"client": ["a"], "at": ["2026-01-02"], "paid": [10.0]}
    assigned = {"client": ["a", "c"], "group": ["none", "mail"], "date": ["2026-01-01"] * 2}
    names = {
        "customer_id": "client",
        "arm": "group",
        "assigned_at": "date",
        "ordered_at": "at",
        "orders.revenue": "paid",
    }
    for columns in (
        names,
        {**{k: v for k, v in names.items() if "." not in k}, "orders": {"revenue": "paid"}},
    ):
        assert counted(orders, assigned, columns=columns).sums["revenue"].sum() == 10
    refused(BadTable, "no table has a column 'sum'", columns={"revenue": "sum"})
    refused(BadTable, "'sum' (asked for as orders.revenue)", "order_id", columns={"orders.revenue": "sum"})
    refused(BadInput, "'turnover' is no canonical column", columns={"turnover": "revenue"})
    refused(BadTable, "arm, assigned_at not found", "it has customer_id", assigned={"customer_id": ["a"]})


def test_pm_ladder_is_one_call():
    found = pm.ladder(ORDERS, ASSIGNED, **QUESTION)
    assert {rung.rung for rung in found.facts.rungs} == {0, 1, 2, 3, 4}
    # an arm of two people answers nothing above the claims
    assert {rung.why_not for rung in found.facts.rungs if rung.rung >= 2} == {"small-arm"}


def test_without_a_control_only_the_claims_are_known():
    found = pm.ladder(ORDERS, ASSIGNED, **{**QUESTION, "control": ""})
    known = {rung.rung for rung in found.facts.rungs if rung.value_per_assigned == rung.value_per_assigned}
    assert known == {0, 1}
    assert {rung.why_not for rung in found.facts.rungs if rung.rung >= 2} == {"no-control"}


def test_follow_up_shorter_than_the_window_is_told_and_no_number():
    many = 40
    assigned = {
        "customer_id": [f"c{at}" for at in range(2 * many)],
        "arm": ["none"] * many + ["mail"] * many,
        "assigned_at": ["2026-03-25"] * 2 * many,
    }
    orders = {"customer_id": ["c1", "c50"], "ordered_at": ["2026-03-26"] * 2, "revenue": [10.0, 20.0]}
    found = pm.ladder(orders, assigned, **QUESTION)
    second = [rung for rung in found.facts.rungs if rung.rung == 2]
    assert {rung.why_not for rung in second} == {"short-follow-up"}
    assert all(rung.value_per_assigned != rung.value_per_assigned for rung in second)


# What cannot be used


def test_customers_in_several_arms():
    assigned = {name: [*values, "a" if name == "customer_id" else ("mail" if name == "arm" else "2026-02-01")]
                for name, values in ASSIGNED.items()}  # fmt: skip
    refused(BadTable, "customer a stands in two arms, mail and none", assigned=assigned)


@pytest.mark.parametrize("column", ["customer_id", "arm", "assigned_at"])
def test_a_gap_in_the_assignments(column: str):
    assigned = {**ASSIGNED, column: [*ASSIGNED[column][:3], None]}
    refused(BadTable, f"{column} is empty or unreadable in 1 of 4 rows", assigned=assigned)


def test_an_unreadable_time():
    assigned = {**ASSIGNED, "assigned_at": [*ASSIGNED["assigned_at"][:3], "soon"]}
    refused(BadTable, "assigned_at is empty or unreadable in 1 of 4 rows", "customer d", assigned=assigned)


def test_a_control_that_is_no_arm():
    refused(NotFound, "--control nome", "mail, none", "Is it 'none'?", control="nome")


def test_a_promo_code_or_a_cost_of_no_arm():
    refused(NotFound, "--promo-code sms", promo_code={"sms": "X"})
    refused(NotFound, "--contact-cost sms", contact_cost={"sms": 1.0})
    refused(BadTable, "no column promo_code", promo_code={"mail": "X"})


def test_a_code_that_nobody_used_is_noted():
    found = counted({**ORDERS, "promo_code": [None, "A", "B"]}, promo_code={"mail": "BACK"})
    assert ("code-unseen", {"arm": "mail", "code": "BACK"}) in [
        (note.code, dict(note.values)) for note in found.notes
    ]


def test_several_experiments_and_none_named():
    assigned = {**ASSIGNED, "experiment": ["x", "x", "y", "y"]}
    refused(BadInput, "holds 2 experiments: x, y", assigned=assigned)
    refused(NotFound, "no experiment 'z'", "x, y", assigned=assigned, experiment="z")


def test_everybody_in_the_control():
    refused(BadInput, "everybody is in the arm none", assigned={**ASSIGNED, "arm": ["none"] * 4})


def test_by_that_cannot_split():
    refused(BadTable, "--by value", "no such column", by="value")
    many = {
        "customer_id": [str(at) for at in range(30)],
        "arm": ["none", "mail"] * 15,
        "assigned_at": ["2026-01-01"] * 30,
        "value": [str(at) for at in range(30)],
    }
    refused(BadInput, "30 different values", assigned=many, by="value")
    twice = {
        "customer_id": ["a", "a", "c"],
        "arm": ["none", "none", "mail"],
        "assigned_at": ["2026-01-01"] * 3,
        "value": ["x", "y", "x"],
    }
    refused(BadTable, "customer a has two values of value", assigned=twice, by="value")


def test_times_that_cannot_be():
    refused(BadInput, "nobody was assigned up to 2025-06-30", "2026-01-01", until="2025-06-30")
    early = {**ORDERS, "ordered_at": ["2025-01-02", "2025-02-02", "2025-03-02"]}
    refused(
        BadInput,
        "the log of orders ends on 2025-03-02, before the first assignment on 2026-01-01",
        orders=early,
    )
    late = {**ORDERS, "ordered_at": ["2026-06-01"] * 3}
    refused(BadInput, "before the first order on 2026-06-01", orders=late)


def test_no_id_in_common():
    other = {**ORDERS, "customer_id": ["+7-1", "+7-2", "+7-3"]}
    refused(BadTable, "no customer of the assignments has an order", "a, b, c", "+7-1", orders=other)


def test_orders_of_which_none_can_be_used():
    refused(BadTable, "no order can be used", orders={**ORDERS, "revenue": [None] * 3})
    refused(
        BadTable,
        "no order can be used",
        "3 without a customer",
        orders={**ORDERS, "customer_id": ["guest"] * 3},
    )


def test_discounts_with_the_wrong_sign():
    refused(
        BadTable, "discount is below zero in 2 of 3 orders", orders={**ORDERS, "discount": [-1.0, -2.0, 0.0]}
    )


def test_a_margin_with_gaps_needs_another():
    orders = {**ORDERS, "margin": [4.0, None, 5.0]}
    refused(BadTable, "margin is empty or unreadable in 1 of 3 rows", orders=orders, margin=None)
    assert counted(orders).sums["money"].sum() == 9


def test_no_orders_after_any_assignment_is_noted():
    found = counted({**ORDERS, "customer_id": ["x", "b", "x"]})
    assert "no-orders-after" in {note.code for note in found.notes}
    assert found.sums["orders"].sum() == 0


def test_lines_that_cannot_stand_for_orders():
    refused(
        BadTable,
        "must carry customer_id, ordered_at",
        orders=None,
        lines={"order_id": ["1"], "revenue": [1.0]},
    )
    lines = {"order_id": ["1"], "category": ["hats"]}
    without = {name: values for name, values in ORDERS.items() if name != "order_id"}
    refused(BadTable, "no order_id by which to find them", orders=without, lines=lines)
    refused(BadInput, "orders are missing", orders=None)


def test_reactions_need_their_messages():
    reactions = {"message_id": ["m"], "kind": ["opened"], "happened_at": ["2026-01-02"]}
    refused(BadTable, "give --messages too", reactions=reactions)
    messages = {"customer_id": ["c"], "sent_at": ["2026-01-01"]}
    refused(BadTable, "without a column message_id", reactions=reactions, messages=messages)


def test_a_file_that_is_not_there(tmp_path: Path):
    refused(BadTable, "no such file", orders=tmp_path / "none.csv")
    refused(BadTable, "no file matches", orders=str(tmp_path / "*.parquet"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"window": "400d"}, "--window of 400 days is longer than --horizon of 84"),
        ({"window": "soon"}, "--window: a number of days"),
        ({"horizon": 0}, "--horizon: 1 to"),
        ({"until": "yesterday"}, "--until: a day such as"),
        ({"margin": 40}, "--margin is a share"),
        ({"margin": float("nan")}, "--margin is a share"),
        ({"annual_discount": -0.5}, "--annual-discount"),
        ({"level": 95}, "--level"),
        ({"contact_cost": {"mail": -1}}, "--contact-cost mail=-1"),
        ({"shares": {"mail": 1.5}}, "--shares mail=1.5"),
        ({"promo_code": {"mail": " "}}, "--promo-code mail"),
        ({"timezone": "Europe/Moskow"}, "Is it 'Europe/Moscow'?"),
    ],
)
def test_options_that_cannot_be(given: dict[str, Any], words: str):
    with pytest.raises(BadInput) as raised:
        campaign_of(**{**QUESTION, **given})
    assert words in str(raised.value)


def test_options_in_several_spellings():
    found = campaign_of(until="2026-03-31", window="4w", horizon=180, attribution="3 days", margin=-0.1)
    assert (found.window_days, found.horizon_days, found.attribution_days, found.margin) == (28, 180, 3, -0.1)


def test_two_currencies():
    refused(BadTable, "several currencies (EUR, RUB)", orders={**ORDERS, "currency": ["RUB", "EUR", "RUB"]})


def test_a_message_written_twice_costs_once():
    messages = {
        "message_id": ["m", "m"],
        "customer_id": ["c"] * 2,
        "sent_at": ["2026-01-01"] * 2,
        "cost": [0.5] * 2,
    }
    assert counted(messages=messages).sums["contact"].sum() == 0.5


def test_orders_a_century_away_break_nothing():
    orders = {**ORDERS, "ordered_at": ["1890-01-01", "2025-12-02", "2026-01-20"]}
    assert counted(orders).sums["revenue"].sum() == 30
