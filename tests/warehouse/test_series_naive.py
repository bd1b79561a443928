"""Series against each metric worked out in plain Python, and standard errors against a bootstrap."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from naive_metrics import per_customer, ratio
from warehouse_workspace import random_company, write_company

from primeta.facts import GRAINS, Period
from primeta.warehouse.build_series import build_series
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import refresh_facts
from primeta.warehouse.metrics import available_metrics
from primeta.warehouse.moments import ratio as ratio_of_moments


@pytest.mark.slow
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), days=st.sampled_from([75, 130, 200]), grain=st.sampled_from(GRAINS))
# March: the e-mail of one month reports no delivery, so what was sent counts as delivered
@example(seed=320312, days=75, grain="week")
def test_every_metric_and_slice_equals_plain_python(tmp_path_factory, seed, days, grain):
    check(tmp_path_factory.mktemp("naive"), seed, days, grain)


def test_churn_and_reactivation_equal_plain_python_over_two_years(tmp_path):
    # Two years of history: the base is the 365 days of DESIGN §4
    seen = check(
        tmp_path,
        seed=3,
        days=800,
        grain="month",
        names=("churn", "reactivation_rate", "revenue_per_customer"),
    )
    assert seen == {"churn", "reactivation_rate", "revenue_per_customer"}


def check(folder, seed, days, grain, names=()):
    company = random_company(seed, days=days, customers=12 if days > 300 else 30)
    config = write_company(company, folder)
    with open_warehouse(config) as warehouse:
        refresh_facts(warehouse)
        metrics = available_metrics(warehouse, config)
        metrics = {name: metric for name, metric in metrics.items() if not names or name in names}
        found = build_series(warehouse, config, metrics, grain=grain)
    for series in found:
        for at, start in enumerate(series.starts.astype(object)):
            period = Period(start, grain)
            rows = per_customer(
                company, series.metric, period.start, period.end,
                base_days=found.base_days, channel=series.slice.channel,
            )  # fmt: skip
            rows = {c: pair for c, pair in rows.items() if _inside(c, series.slice)}
            value, se = ratio(rows)
            assert series.value[at] == pytest.approx(value, rel=1e-9, nan_ok=True), (series.key, period.code)
            assert series.se[at] == pytest.approx(se, rel=1e-6, nan_ok=True), (series.key, period.code)
            assert series.customers[at] == sum(y != 0 for _, y in rows.values())
    return {series.metric for series in found if np.isfinite(series.value).any()}


def _inside(customer, part):
    own = {"region": f"r{int(customer) % 2}", "age": f"a{int(customer) % 3}"}
    return all(own[name] == value for name, value in part.segment)


def test_both_halves_together_are_the_whole(tmp_path):
    company = random_company(5, days=120)
    config = write_company(company, tmp_path)
    with open_warehouse(config) as warehouse:
        metrics = available_metrics(warehouse, config)
        series = build_series(
            warehouse, config, {"orders_per_customer": metrics["orders_per_customer"]}, grain="week"
        )
    whole = series[0]
    # DESIGN §7, bucket: first 13 hexadecimal digits of md5(salt:unit) over 2^52
    from hashlib import md5

    first = {
        c
        for c in {o["customer_id"] for o in company.orders}
        if int(md5(f"halves:{c}".encode()).hexdigest()[:13], 16) / 2**52 < 0.5
    }
    period = Period(whole.starts[-1].astype(object), "week")
    rows = per_customer(company, "orders_per_customer", period.start, period.end, base_days=series.base_days)
    for half, members in enumerate((first, set(rows) - first)):
        value, se = ratio({c: pair for c, pair in rows.items() if c in members})
        assert whole.half_value[half, -1] == pytest.approx(value, rel=1e-9)
        assert whole.half_se[half, -1] == pytest.approx(se, rel=1e-6, nan_ok=True)


def test_delta_method_error_agrees_with_a_bootstrap_over_customers():
    rng = np.random.default_rng(20261121)
    y = rng.poisson(2, 800) + 1.0
    x = rng.gamma(2.0, 3.0, 800) * y + rng.normal(0, 2, 800)
    moments = np.array([len(x), len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()])
    _, se = ratio_of_moments(moments)
    draws = rng.integers(0, 800, size=(4000, 800))
    boot = (x[draws].sum(axis=1) / y[draws].sum(axis=1)).std()
    # 4,000 draws know a standard deviation to about 1/√8000 = 1.1%; three of these
    assert float(se) == pytest.approx(boot, rel=0.035)


def test_interval_of_two_errors_covers_the_truth_95_times_in_100():
    # 2,000 repetitions of 300 customers; binomial band around .954: three errors of .0047 and the
    # known slight shortfall of the delta method at n = 300
    rng = np.random.default_rng(7)
    y = rng.poisson(3, (2000, 300)) + 1.0
    x = 5.0 * y + rng.normal(0, 4, (2000, 300))
    moments = np.stack([np.full(2000, 300.0), np.full(2000, 300.0), x.sum(1), y.sum(1), (x * x).sum(1), (y * y).sum(1), (x * y).sum(1)], axis=1)  # fmt: skip
    value, se = ratio_of_moments(moments)
    covered = float((np.abs(value - 5.0) <= 2 * se).mean())
    assert 0.935 <= covered <= 0.97


def test_an_empty_denominator_is_unknown_and_never_zero():
    value, se = ratio_of_moments(np.zeros(7))
    assert math.isnan(value)
    assert math.isnan(se)


def test_a_slice_below_the_smallest_is_left_out_with_its_reason(tmp_path):
    company = random_company(9, days=120)
    config = write_company(company, tmp_path)
    text = config.path.read_text(encoding="utf-8").replace("smallest = 0", "smallest = 7")
    config.path.write_text(text, encoding="utf-8")
    from primeta.config import load_config

    config = load_config(tmp_path)
    with open_warehouse(config) as warehouse:
        metrics = available_metrics(warehouse, config)
        series = build_series(
            warehouse, config, {"orders_per_customer": metrics["orders_per_customer"]}, grain="week"
        )
    watched = {entry.slice.code for entry in series}
    left_out = {entry.slice: entry.reason["en"] for entry in series.left_out}
    # 30 customers in 2 regions of 15 and 6 crossings of 5
    assert watched == {"all", "region=r0", "region=r1"}
    assert "below 7" in left_out["region=r0&age=a0"]


def test_an_unfinished_week_is_no_point(tmp_path):
    company = random_company(2, days=75)
    config = write_company(company, tmp_path)
    with open_warehouse(config) as warehouse:
        metrics = available_metrics(warehouse, config)
        series = build_series(
            warehouse, config, {"average_order_value": metrics["average_order_value"]}, grain="week"
        )
    last = max(order["day"] for order in company.orders)
    assert series[0].starts[-1].astype(object) + timedelta(days=7) <= last + timedelta(days=1)
    # 2023-01-02 is a Monday, and 75 days from it end within the week of 2023-03-13
    assert series[0].starts[-1].astype(object) == date(2023, 3, 6)
    assert Counter(entry.slice.code for entry in series)["all"] == 1
