"""`primeta reactivation whom` in a terminal: JSON keys, the file, one message for bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("whom") / "lottery.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        put = csv.writer(file)
        put.writerow(["customer_id", "segment", "spend", "recency"])
        for at in range(400):
            mail, recency = int(rng.integers(0, 2)), int(rng.integers(1, 13))
            spend = rng.gamma(0.5, 8) + (12 * mail if recency < 5 else 0)
            put.writerow([f"{at:04d}", "mail" if mail else "none", round(spend, 2), recency])
    return path


ASKED = ("--arm", "segment", "--control", "none", "--outcome", "spend", "--features", "recency", "--recency", "recency",
         "--cost", "mail=5", "--repeats", "1")  # fmt: skip


def test_it_prints_the_keys_that_scripts_rely_on_and_writes_a_row_a_customer(primeta, table, tmp_path):
    out = tmp_path / "whom.csv"
    done = primeta("reactivation", "whom", str(table), *ASKED, "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document["qini"]) == {"area", "low", "high", "curve", "rules"}
    assert set(document["qini"]["curve"][0]) == {"share", "value", "low", "high"}
    assert {"name", "value", "low", "high", "share"} <= set(document["policies"][0])
    assert document["recommended"] == "learned"
    assert document["why_not"] is None
    assert len(document["calibration"]) == 10
    assert document["features"] == [{"name": "recency", "importance": 1.0}]
    risk = next(policy for policy in document["policies"] if policy["name"] == "risk")
    assert (risk["value"], risk["why_not"]) == (None, "no-risk")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 400
    assert rows[0]["customer_id"] == "0000"
    assert set(rows[0]) == {"customer_id", "uplift", "rank", "arm", "learned_arm"}


def test_it_speaks_russian(primeta, table):
    done = primeta("reactivation", "whom", str(table), *ASKED, "--currency", "RUB", "--language", "ru")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Отбирайте по отклику")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give orders and assignments, or one ready table"),
        (("--orders", "a.csv", "--assignments", "b.csv"), "until"),
        (("nowhere.csv", *ASKED), "no such file"),
    ],
)
def test_bad_input_is_one_message(primeta, arguments, told):
    done = primeta("reactivation", "whom", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
