"""`primeta ltv` and `primeta reactivation lapse` in a terminal: JSON keys, files, one message for bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.reactivation.order_worlds import day, order_world


@pytest.fixture(scope="module")
def orders(tmp_path_factory) -> Path:
    world = order_world(250, np.random.default_rng(7), end=730)
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("client;date;revenue\n")
        for customer, offset in zip(world.customer, world.offset):
            file.write(f"{customer:04d};{day(int(offset)):%d.%m.%Y};{10 + customer % 7},50\n")
    return path


def test_ltv_prints_the_keys_that_scripts_rely_on_and_writes_a_row_a_customer(primeta, orders, tmp_path):
    out = tmp_path / "customers.csv"
    done = primeta(
        "ltv", str(orders), "--until", str(day(700)), "--unit", "week", "--model", "mbg-nbd", "--horizon", "26",
        "--margin", ".4", "--annual-discount", ".1", "--columns", "customer_id=client,ordered_at=date",
        "--bootstrap", "100", "--out", str(out), "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["model"] == "mbg-nbd"
    assert set(document["parameters"]) == {"r", "alpha", "a", "b"}
    assert document["customers"] == 250
    assert document["value_of"] == "margin"
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 250
    assert rows[0]["customer_id"] == "0000"
    total = sum(float(row["expected_orders"]) for row in rows)
    assert total == pytest.approx(document["expected_orders"], rel=1e-6)
    assert sum(float(row["value"]) for row in rows) == pytest.approx(document["value"], rel=1e-6)


def test_lapse_speaks_russian_and_writes_a_file_to_assign_on(primeta, orders, tmp_path):
    out = tmp_path / "lapsed.csv"
    done = primeta(
        "reactivation", "lapse", "--orders", str(orders), "--until", str(day(700)), "--days", "60", "--weeks", "4",
        "--columns", "customer_id=client,ordered_at=date", "--out", str(out), "--language", "ru",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "60 дн." in done.stdout
    assert "Вернулись" in done.stdout
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 250
    assert rows[0]["customer_id"] == "0000"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ltv", "nowhere.csv"], "no such file"),
        (["reactivation", "lapse"], "--orders"),
    ],
)
def test_bad_input_is_one_message_and_status_2(primeta, arguments, says):
    done = primeta(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert says in done.stderr
