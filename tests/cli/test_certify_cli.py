"""`primeta certify`: what it says, what it exits with, and the keys that scripts rely on."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest
from test_bad_input import ORDERS, is_refusal, some_orders, workspace

QUICK = ("--splits", "200", "--looks", "0")
KEYS = (
    "name",
    "n",
    "false_positives",
    "fp_low",
    "fp_high",
    "coverage",
    "coverage_low",
    "coverage_high",
    "power",
    "power_promised",
    "variance_kept",
    "capped_at",
    "n_from",
    "ok",
    "verdict",
    "why_not",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("cli") / "shop"
    return str(workspace(folder, orders()))


def orders(weeks: int = 40, customers: int = 260) -> str:
    """Everybody orders once a week, for a sum that chance decides."""
    rng, first = np.random.default_rng(1), date(2025, 1, 6)
    lines = [
        f"o{week}-{who};c{who};{first + timedelta(days=7 * week + who % 7)};{rng.gamma(2.0, 20.0):.2f}"
        for week in range(weeks)
        for who in range(customers)
    ]
    return ORDERS + "\n".join(lines) + "\n"


def test_it_prints_a_document_with_the_promised_keys_and_nothing_else(primeta, shop):
    done = primeta("certify", shop, *QUICK, "--metric", "orders_per_customer", "--metric", "revenue_per_customer",
                   "--seed", "3", "--json")  # fmt: skip
    document = json.loads(done.stdout)
    assert done.stderr == ""
    assert (document["seed"], document["splits"], document["window"], document["level"]) == (3, 200, 28, 0.95)
    names = [entry["name"] for entry in document["metrics"]]
    assert names == ["orders_per_customer", "revenue_per_customer"]
    for entry in document["metrics"]:
        assert set(KEYS) <= entry.keys()
    # Four orders in four weeks, all alike.
    assert document["metrics"][0]["why_not"] == "no-variance"
    assert document["metrics"][0]["false_positives"] is None
    assert document["metrics"][1]["ok"] is True
    assert done.returncode == 0


def test_the_last_one_is_shown_in_the_language_asked_for(primeta, shop):
    first = primeta("certify", shop, *QUICK, "--metric", "revenue_per_customer")
    assert "The metric holds" in first.stdout
    last = primeta("certify", shop, "--last", "--language", "ru", "--sizes")
    assert last.returncode == 0
    assert "Метрика выдержала проверку" in last.stdout
    assert "\nВыручка на клиента (ARPU)\nВ ветке" in last.stdout


def test_it_leaves_with_one_where_nothing_holds(primeta, shop):
    done = primeta("certify", shop, *QUICK, "--metric", "orders_per_customer")
    assert done.returncode == 1
    assert "No metric can be certified here" in done.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--metric", "revenu"), ("there is no metric 'revenu'",)),
        (("--splits", "5"), ("splits", "100")),
        (("--share", "0"), ("share", ".5")),
        (("--window", "0"), ("window", "365")),
        (("--level", "1"), ("level", ".95")),
    ],
)
def test_what_cannot_be_is_refused(primeta, shop, options, says):
    is_refusal(primeta("certify", shop, *options), says)


def test_the_last_one_must_have_been_made(primeta, tmp_path):
    folder = workspace(tmp_path / "new", some_orders(weeks=2))
    is_refusal(primeta("certify", str(folder), "--last"), ("no certificate", "primeta certify"))
