"""Acquisition sources: LTV, cost, return on spend and payback beside first orders; where the ranking flips."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import primeta as pm
from primeta.errors import BadInput, BadTable
from primeta.reactivation.acquisition_result import Payback
from primeta.show.result import plain

FIRST = date(2024, 1, 1)
UNTIL = date(2025, 6, 30)


def fixed(**more):
    """By hand: 40 customers of "ads" on 1 Jan 2024 who order for 100 once; 30 of "friends" who order for 100 on days 0,
    10 and 50 of their time; spend 60 and 150 each."""
    orders, customers = [], []
    for n in range(40):
        customers.append((f"a{n:02d}", "ads"))
        orders.append((f"a{n:02d}", FIRST, 100.0, 0.0))
    for n in range(30):
        customers.append((f"f{n:02d}", "friends"))
        start = FIRST + timedelta(days=n % 3)
        orders += [(f"f{n:02d}", start + timedelta(days=after), 80.0, 20.0) for after in (0, 10, 50)]
    return {
        "orders": pa.table(dict(zip(("customer_id", "ordered_at", "revenue", "discount"), zip(*orders)))),
        "customers": pa.table(dict(zip(("customer_id", "source"), zip(*customers)))),
        "spend": pa.table(
            {"source": ["ads", "friends"], "day": [FIRST, FIRST], "money": [40 * 60.0, 30 * 150.0]}
        ),
        "until": UNTIL,
        **more,
    }


def by_name(found):
    return {row.source: row for row in found.sources}


def test_money_cost_return_and_payback_by_hand():
    found = pm.acquisition(**fixed())
    rows = by_name(found)
    ads, friends = rows["ads"], rows["friends"]
    assert (ads.customers, ads.observed, ads.cost) == (40, 100.0, 60.0)
    assert (friends.customers, friends.observed, friends.cost) == (30, 240.0, 150.0)
    # the horizon has been lived through: nothing is modelled
    assert (ads.modelled, friends.modelled) == (0.0, 0.0)
    assert {told.days: told.value for told in friends.returns} == pytest.approx(
        {30: 160 / 150, 90: 240 / 150, 180: 240 / 150, 365: 240 / 150}
    )
    assert ads.payback.day == 0
    # 80 on day 0, 160 from day 10 on
    assert friends.payback.day == 10
    assert friends.discount_share == pytest.approx(0.2)
    assert ads.discount_share == 0.0


def test_margin_is_of_the_list_price():
    found = by_name(pm.acquisition(**fixed(), margin=0.4))
    # 3 × (80 − .6 × 100)
    assert found["friends"].observed == pytest.approx(60.0)
    assert found["friends"].payback == Payback(day=None, low=None, high=None, seen=545, why_not="not-yet")
    assert "not yet in 545 days" in pm.acquisition(**fixed(), margin=0.4).table().text()


def with_margins(values):
    given = fixed()
    orders = given.pop("orders")
    return given | {"orders": orders.append_column("margin", pa.array(values(orders.num_rows), pa.float64()))}


@pytest.mark.parametrize("margin", [None, 0.4])
def test_an_empty_column_of_margins_is_as_none(margin: float | None):
    # A workspace's orders always carry the column; it is empty where nobody mapped it.
    found = pm.acquisition(**with_margins(lambda rows: [None] * rows), margin=margin)
    without = pm.acquisition(**fixed(), margin=margin)
    assert (found.money_of, found.sources) == (without.money_of, without.sources)


def test_orders_without_a_margin_of_their_own_take_the_given_one():
    def every_other(rows):
        return [None if row % 2 else 7.0 for row in range(rows)]

    with pytest.raises(BadTable, match=r"margin is empty or unreadable in 65 of 130 rows.*--margin"):
        pm.acquisition(**with_margins(every_other))
    found = by_name(pm.acquisition(**with_margins(every_other), margin=0.4))
    # half of the 40 orders of 100 bring 7, the others 40
    assert found["ads"].observed == pytest.approx((7 + 40) / 2)


def test_the_ranking_flips_where_fewer_customers_are_worth_more_for_sure():
    found = pm.acquisition(**fixed())
    rows = by_name(found)
    # after cost 100 − 60 = 40 against 240 − 150 = 90
    assert (rows["ads"].rank_customers, rows["ads"].rank_worth) == (1, 2)
    assert (rows["friends"].rank_customers, rows["friends"].rank_worth) == (2, 1)
    (flip,) = found.flips
    assert (flip.more, flip.better, flip.difference) == ("ads", "friends", 50.0)
    assert "a customer of “friends” is worth more after the cost" in found.line()
    assert "за вычетом затрат" in found.line("ru")


def test_returned_goods_take_their_money_back_and_are_no_order():
    given = fixed()
    back = pa.table(
        {
            "customer_id": ["a00", "nobody"],
            "ordered_at": [FIRST + timedelta(days=5)] * 2,
            "revenue": [-100.0, -5.0],
            "discount": [0.0, 0.0],
        }
    )
    given["orders"] = pa.concat_tables([given["orders"], back])
    rows = by_name(pm.acquisition(**given))
    assert rows["ads"].observed == pytest.approx(3900 / 40)
    # who only returned something was never acquired
    assert sum(row.customers for row in rows.values()) == 70


def test_a_source_without_spend_is_not_ranked_among_those_with_a_cost_and_said():
    given = fixed()
    given["spend"] = pa.table({"source": ["ads", "tv"], "day": [FIRST] * 2, "money": [2400.0, 10.0]})
    found = pm.acquisition(**given)
    rows = by_name(found)
    assert np.isnan(rows["friends"].cost)
    assert rows["friends"].payback.why_not == "no-spend"
    assert rows["friends"].rank_worth == 0
    assert found.unspent == ("tv",)
    assert "No spend is known of: friends" in found.table().text()


def test_customers_acquired_before_spend_was_known_cost_nothing_that_is_known():
    given = fixed()
    given["spend"] = pa.table(
        {"source": ["friends"], "day": [FIRST + timedelta(days=1)], "money": [20 * 150.0]}
    )
    found = pm.acquisition(**given)
    # 20 of 30 came on 2 and 3 January: too few to tell
    assert np.isnan(by_name(found)["friends"].cost)
    assert found.spend_since == FIRST + timedelta(days=1)


def test_few_customers_are_told_as_such():
    given = fixed()
    given["customers"] = pa.table({"customer_id": ["a00"], "source": ["ads"]})
    found = pm.acquisition(**given)
    rows = by_name(found)
    assert rows["ads"].why_not == "few"
    assert np.isnan(rows["ads"].ltv)
    assert rows["?"].customers == 69
    assert found.unknown == 69
    document = plain(found.as_dict())
    assert [row["source"] for row in document["sources"]] == [None, "ads"]
    assert document["sources"][1]["ltv"] is None


def simulated(seed: int, n: int, *, until: int = 400):
    """Exponential gaps of 40 days on average, dropping out with .2 after each order, 10 a piece; entries over 300 days."""
    rng = np.random.default_rng(seed)
    who, when = [], []
    for customer in range(n):
        at = float(rng.integers(0, 300))
        while at < until:
            who.append(customer)
            when.append(at)
            if rng.random() < 0.2:
                break
            at += rng.exponential(40.0)
    names = [f"c{customer:05d}" for customer in range(n)]
    return {
        "orders": pa.table(
            {
                "customer_id": [names[customer] for customer in who],
                "ordered_at": [FIRST + timedelta(days=int(at)) for at in when],
                "revenue": rng.gamma(4, 2.5, len(who)),
            }
        ),
        "customers": pa.table({"customer_id": names, "source": [("x", "y")[at % 2] for at in range(n)]}),
        "until": FIRST + timedelta(days=until - 1),
    }


def test_ltv_of_customers_half_seen_agrees_with_what_is_then_seen():
    # the same customers seen to the end of their horizon, half a year later
    short, long = simulated(3, 1_500, until=330), simulated(3, 1_500, until=600)
    promised = by_name(pm.acquisition(**short, horizon="240d", cohort="all", model="mbg-nbd"))
    seen = by_name(pm.acquisition(**long, horizon="240d", cohort="all", model="mbg-nbd"))
    for source in ("x", "y"):
        assert promised[source].modelled > 0
        assert seen[source].modelled == 0
        assert promised[source].low < seen[source].observed < promised[source].high


@pytest.mark.slow
def test_intervals_of_ltv_cover_the_truth():
    # truth by 40,000 customers seen whole; 60 bases of 400, two alike sources: binomial band at 1 in 10,000
    whole = simulated(99, 40_000, until=700)
    truth = pm.acquisition(**whole, horizon="240d", cohort="all", model="mbg-nbd")
    value = float(np.mean([row.observed for row in truth.sources]))
    inside = flips = 0
    for seed in range(60):
        found = pm.acquisition(**simulated(seed, 400), horizon="240d", cohort="all", model="mbg-nbd")
        inside += sum(row.low <= value <= row.high for row in found.sources)
        flips += bool(found.flips)
    assert inside >= stats.binom.ppf(1e-4, 120, 0.95)
    assert flips <= stats.binom.ppf(1 - 1e-4, 60, 0.05)


def test_cohorts_are_cut_by_the_first_order():
    found = pm.acquisition(**simulated(1, 400), cohort="quarter")
    x = [row for row in found.cohorts if row.source == "x"]
    assert [row.cohort for row in x] == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    assert sum(row.customers for row in x) == 200
    # the youngest have not lived through a year
    assert x[-1].returns[-1].why_not == "young"
    assert pm.acquisition(**simulated(1, 400), cohort="all").cohorts == ()


def test_farms_of_a_source_are_told():
    given = fixed()
    given["identities"] = pa.table(
        {
            "customer_id": [f"a{n:02d}" for n in range(20)],
            "kind": ["device"] * 20,
            "value_hash": ["one"] * 20,
        }
    )
    rows = by_name(pm.acquisition(**given))
    assert rows["ads"].farm_share == 0.5
    assert rows["friends"].farm_share == 0.0


def test_bad_input_is_one_message():
    with pytest.raises(BadTable, match="source not found"):
        pm.acquisition(**{**fixed(), "customers": pa.table({"customer_id": ["a"]})})
    with pytest.raises(BadInput, match="--cohort week"):
        pm.acquisition(**fixed(), cohort="week")
    with pytest.raises(BadInput, match="--model gpt"):
        pm.acquisition(**fixed(), model="gpt")
    with pytest.raises(BadInput, match="--returns 900d"):
        pm.acquisition(**fixed(), returns=["900d"])
    with pytest.raises(BadTable, match="negative spend"):
        pm.acquisition(**{**fixed(), "spend": pa.table({"source": ["ads"], "day": [FIRST], "money": [-1.0]})})


def test_no_order_up_to_that_day_cannot_be_told():
    found = pm.acquisition(**fixed(until=date(2020, 1, 1)))
    assert found.why_not == "no-customers"
    assert "Cannot tell" in found.line()
    assert found.as_dict()["sources"] == []
