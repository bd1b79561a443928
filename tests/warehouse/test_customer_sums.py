"""Each customer's part of a metric over a past window, against the same in plain Python."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from naive_metrics import per_customer
from warehouse_workspace import random_company, write_company

from primeta.warehouse.customer_sums import Past, past_sums
from primeta.warehouse.duck import connect
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import refresh_facts
from primeta.warehouse.metrics import available_metrics

DAYS = 28
SAME_AS_WATCHED = (
    "revenue_per_customer",
    "orders_per_customer",
    "margin_per_customer",
    "average_order_value",
    "discount_share",
    "items_per_order",
    "visits_per_customer",
    "open_rate",
)
"""Their sums over a window mean the same in a series and in an experiment."""


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    company = random_company(11, days=260, customers=60)
    config = write_company(company, tmp_path_factory.mktemp("past"))
    with open_warehouse(config) as warehouse:
        facts = refresh_facts(warehouse).facts
        metrics = available_metrics(warehouse, config)
    found, read = past_sums(config, facts, list(metrics.values()), days=DAYS, seed=0)
    return company, config, facts, metrics, {entry.metric.name: entry for entry in found}, read


def in_base(company, start, days):
    """Customers with an order that is no return in the days before the window."""
    first = start - timedelta(days=days)
    return {o["customer_id"] for o in company.orders if not o["is_return"] and first <= o["day"] < start}


def ordered(company, start, end):
    return {o["customer_id"] for o in company.orders if not o["is_return"] and start <= o["day"] < end}


@pytest.mark.parametrize("name", SAME_AS_WATCHED)
def test_sums_equal_plain_python(past, name):
    company, _, _, _, found, read = past
    entry = found[name]
    ids = read.names(entry.customers)
    assert set(ids) == in_base(company, entry.since, read.base_days)
    assert entry.until - entry.since == timedelta(days=DAYS)
    before = entry.since - timedelta(days=DAYS)
    for start, end, columns in (
        (entry.since, entry.until, (entry.numerator, entry.denominator)),
        (
            before,
            entry.since,
            (entry.before[:, 0], entry.before[:, 1] if entry.denominator is not None else None),
        ),
    ):
        naive = per_customer(company, name, start, end, base_days=10_000)
        x, y = columns
        assert x == pytest.approx([naive.get(c, (0.0, 0.0))[0] for c in ids])
        if y is not None:
            assert y == pytest.approx([naive.get(c, (0.0, 0.0))[1] for c in ids])


def test_shares_ask_what_an_experiment_asks_did_he_order(past):
    company, _, _, _, found, read = past
    for name, days, turned in (("conversion", 7, False), ("retention_30", 30, False), ("churn", 90, True)):
        entry = found[name]
        assert entry.denominator is None
        assert entry.share
        assert entry.until - entry.since == timedelta(days=days)
        bought = ordered(company, entry.since, entry.until)
        ids = read.names(entry.customers)
        assert entry.numerator.tolist() == [float((c in bought) != turned) for c in ids]
        earlier = ordered(company, entry.since - timedelta(days=DAYS), entry.since)
        assert entry.before[:, 0].tolist() == [float((c in earlier) != turned) for c in ids]


def test_a_window_of_opened_messages_ends_when_their_reactions_are_known(past):
    # Reactions count within 72 hours of their message.
    _, _, facts, _, found, _ = past
    whole = min(facts.complete["messages"], facts.complete["orders"])
    assert found["open_rate"].until == whole - timedelta(days=3)


def test_what_cannot_be_had_says_why(past):
    _, config, facts, metrics, found, _ = past
    # Silent for 90 days within a base of 365 needs two years of orders; there are 260 days.
    assert found["reactivation_rate"].why_not == "two-years"
    long, _ = past_sums(config, facts, [metrics["revenue_per_customer"]], days=200, seed=0)
    assert long[0].why_not == "short-history"
    assert long[0].figures["days"] > long[0].figures["known"]
    assert len(long[0].numerator) == 0


def test_a_base_that_is_too_large_is_thinned_by_a_seeded_lot(past):
    _, config, facts, metrics, found, _ = past
    metric = metrics["revenue_per_customer"]
    whole = found[metric.name]

    def some(seed):
        connection = connect()
        try:
            read = Past(connection, config, facts, [metric], until=None, seed=seed, most=10)
            return read.sums(metric, days=DAYS)
        finally:
            connection.close()

    few = some(1)
    assert (len(few.customers), few.base) == (10, whole.base)
    assert np.array_equal(few.customers, some(1).customers)
    assert not np.array_equal(few.customers, some(2).customers)
    at = np.searchsorted(whole.customers, few.customers)
    assert few.numerator.tolist() == whole.numerator[at].tolist()
