"""The metrics there are, those a team declares, and why one cannot be had."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from naive_metrics import ratio
from warehouse_workspace import random_company, write_company

from primeta.config import load_config
from primeta.errors import BadConfig, NotFound
from primeta.facts import Period
from primeta.warehouse.build_series import build_series
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.metrics import METRICS, available_metrics, declared_metrics, unavailable_metrics

# DESIGN §4, "Metrics": every name that orders, lines, messages, reactions and visits allow
NAMES = [
    "revenue_per_customer",
    "orders_per_customer",
    "margin_per_customer",
    "average_order_value",
    "conversion",
    "retention_7",
    "retention_30",
    "retention_90",
    "churn",
    "reactivation_rate",
    "discount_share",
    "full_price_share",
    "items_per_order",
    "categories_per_customer",
    "visits_per_customer",
    "open_rate",
    "click_rate",
    "click_to_open",
    "unsubscribe_rate",
    "complaint_rate",
]


def with_toml(config, extra):
    config.path.write_text(config.path.read_text(encoding="utf-8") + extra, encoding="utf-8")
    return load_config(config.folder)


def test_the_metrics_of_the_design_are_there_with_names_in_both_languages(tmp_path):
    assert [metric.name for metric in METRICS] == NAMES
    assert all(set(metric.label) == {"en", "ru"} and metric.smallest_effect > 0 for metric in METRICS)
    config = write_company(random_company(1, days=60), tmp_path)
    with open_warehouse(config) as warehouse:
        assert set(available_metrics(warehouse, config)) == set(NAMES)
        # the two that DESIGN names beside them and that are no ratio of two sums here
        assert set(unavailable_metrics(warehouse, config)) == {"nps", "ltv"}


def test_what_a_metric_lacks_is_said(tmp_path):
    config = write_company(random_company(1, days=60), tmp_path)
    config = replace(config, margin=None, tables={"orders": config.tables["orders"]})
    with open_warehouse(config) as warehouse:
        reasons = unavailable_metrics(warehouse, config)
        assert reasons["margin_per_customer"] == "needs orders.margin"
        assert reasons["open_rate"] == "needs messages, reactions"
        assert unavailable_metrics(warehouse, config, lang="ru")["visits_per_customer"] == "нужно visits"
        assert "revenue_per_customer" in available_metrics(warehouse, config)


def test_a_metric_of_the_teams_own_equals_plain_python(tmp_path):
    company = random_company(4, days=100)
    config = with_toml(
        write_company(company, tmp_path),
        """
[metrics.big_baskets]
numerator = { table = "orders", sum = "1", where = "revenue > 25 AND NOT is_return" }
denominator = "orders"
unit = "share"
good = "up"
label.en = "Big baskets"
label.ru = "Крупные корзины"
""",
    )
    with open_warehouse(config) as warehouse:
        metrics = available_metrics(warehouse, config)
        series = build_series(warehouse, config, {"big_baskets": metrics["big_baskets"]}, grain="month")[0]
    assert metrics["big_baskets"].label_in("ru") == "Крупные корзины"
    for at, start in enumerate(series.starts.astype(object)):
        period = Period(start, "month")
        rows: dict[str, tuple[float, float]] = {}
        for order in company.orders:
            if period.start <= order["day"] < period.end and not order["is_return"]:
                x, y = rows.get(order["customer_id"], (0.0, 0.0))
                rows[order["customer_id"]] = (x + (order["revenue"] > 25), y + 1)
        assert (series.value[at], series.se[at]) == pytest.approx(ratio(rows), rel=1e-9)
    assert np.isfinite(series.value).all()


def test_a_built_in_metric_can_be_changed_in_part(tmp_path):
    config = with_toml(
        write_company(random_company(1, days=40), tmp_path), "\n[metrics.churn]\nsmallest_effect = 0.1\n"
    )
    changed = declared_metrics(config)["churn"]
    assert (changed.smallest_effect, changed.numerator, changed.good) == (0.1, "churned", "down")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('[metrics.x]\nnumerator = "revenue"\n', "denominator"),
        ('[metrics.x]\nnumerator = "revenu"\ndenominator = "base"\n', "no sum called 'revenu'"),
        ('[metrics.x]\nnumerator = { table = "orders", sum = "paid" }\ndenominator = "base"\n', "paid.*orders has order_id"),
        ('[metrics.x]\nnumerator = { table = "voices", sum = "1" }\ndenominator = "base"\n', "sums can be taken over"),
        ('[metrics.x]\nnumerator = "revenue"\ndenominator = "base"\ngood = "high"\n', "one of up, down, neither"),
        ('[metrics.x]\nnumerator = "revenue"\ndenominator = "base"\nsmallest = 1\n', "smallest: this key is not known"),
        ("[metrics.churn]\nsmallest_effect = 0\n", "a share such as 0.02"),
        ("[metrics.churn]\nby_channel = true\n", "only sums over messages"),
    ],
)  # fmt: skip
def test_a_metric_that_cannot_be_names_its_line(tmp_path, extra, message):
    config = with_toml(write_company(random_company(1, days=40), tmp_path), f"\n{extra}")
    with (
        open_warehouse(config) as warehouse,
        pytest.raises(BadConfig, match=rf"primeta\.toml, line \d+.*{message}"),
    ):
        available_metrics(warehouse, config)


def test_watching_a_metric_that_does_not_exist(tmp_path):
    config = with_toml(write_company(random_company(1, days=40), tmp_path), '\n[watch]\nmetrics = ["arpu"]\n')
    with (
        open_warehouse(config) as warehouse,
        pytest.raises(NotFound, match=r"no metric 'arpu'.*revenue_per_customer"),
    ):
        available_metrics(warehouse, config)
