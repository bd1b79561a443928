"""Hillstrom's e-mail test through the files interface: rung 2 is the published lift, revenue per buyer the trap."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

import primeta as pm
from primeta.cli.app import run
from primeta.reactivation.ladder_result import Ladder

CONTROL, MENS, WOMENS = "No E-Mail", "Mens E-Mail", "Womens E-Mail"
# REFERENCE.md, "Hillstrom spend per customer assigned": difference and standard error
PUBLISHED = {MENS: (0.7698, 0.1452), WOMENS: (0.4244, 0.1303)}
# the same row: spend per buyer
PER_BUYER = {MENS: 113.53, WOMENS: 121.89}


@pytest.fixture(scope="module")
def files(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Orders and assignments: the data set has no ids and no times, only what was spent in the two weeks after."""
    source = shared_data / "hillstrom" / "hillstrom.csv.gz"
    folder = tmp_path_factory.mktemp("hillstrom")
    orders, assignments = folder / "orders.csv", folder / "assignments.csv"
    with (
        gzip.open(source, "rt", encoding="utf-8") as rows,
        orders.open("w", encoding="utf-8", newline="") as bought,
        assignments.open("w", encoding="utf-8", newline="") as dealt,
    ):
        put_order, put_arm = csv.writer(bought), csv.writer(dealt)
        put_order.writerow(["order_id", "customer_id", "ordered_at", "revenue"])
        put_arm.writerow(["customer_id", "arm", "assigned_at", "newbie"])
        for number, row in enumerate(csv.DictReader(rows)):
            put_arm.writerow([number, row["segment"], "2008-03-20 00:00:00", row["newbie"]])
            if float(row["spend"]) > 0:
                put_order.writerow(
                    [f"o{number}", number, f"2008-03-{21 + number % 10} 12:00:00", row["spend"]]
                )
    return orders, assignments


@pytest.fixture(scope="module")
def found(files) -> Ladder:
    orders, assignments = files
    return pm.ladder(
        str(orders),
        str(assignments),
        control=CONTROL,
        window="14d",
        horizon="14d",
        until="2008-04-02",
        by="newbie",
    )


@pytest.mark.parametrize("arm", PUBLISHED)
def test_rung_2_is_the_published_lift(found, arm):
    row = next(entry for entry in found.facts.rungs if entry.rung == 2 and entry.arm == arm)
    lift, se = PUBLISHED[arm]
    assert row.revenue_per_assigned == pytest.approx(lift, abs=5e-5)
    # no margin is known, so that money is revenue; both arms are of a size
    assert row.value_per_assigned == pytest.approx(lift, abs=5e-5)
    assert (row.high - row.low) / 2 / 1.96 == pytest.approx(se, rel=0.01)


def test_comparing_buyers_alone_would_have_picked_the_other_mail(found):
    document = found.as_dict()["trap"]
    rows = {row["arm"]: row for row in document["arms"]}
    for arm, value in PER_BUYER.items():
        assert rows[arm]["revenue_per_buyer"] == pytest.approx(value, abs=5e-3)
        assert rows[arm]["difference"] == pytest.approx(PUBLISHED[arm][0], abs=5e-5)
    assert (document["would_pick"], document["honest"]) == (WOMENS, MENS)
    assert any("Trap" in remark for remark in found.remarks("en"))
    assert any("Ловушка" in remark for remark in found.remarks("ru"))


def test_the_leader_is_the_mens_mail_and_it_is_told_from_the_womens(found):
    # .7698 − .4244 = .345; the arms' own standard errors give .164: 2.1 of them
    assert found.facts.best["rung2"] == MENS
    assert found.facts.best_sure["rung2"]


def test_the_command_gives_the_same(files, found, capsys):
    orders, assignments = files
    asked = [
        "reactivation", "ladder", "--orders", str(orders), "--assignments", str(assignments), "--control", CONTROL,
        "--window", "14d", "--horizon", "14d", "--until", "2008-04-02", "--json",
    ]  # fmt: skip
    with pytest.raises(SystemExit) as left:
        run(asked)
    assert not left.value.code
    document = json.loads(capsys.readouterr().out)
    told = {(row["rung"], row["arm"]): row["revenue_per_assigned"] for row in document["rungs"]}
    assert told[2, MENS] == pytest.approx(PUBLISHED[MENS][0], abs=5e-5)
    assert document["trap"]["would_pick"] == WOMENS


def test_segments_by_what_was_known_before_are_there(found):
    assert [part.segment for part in found.facts.segments] == ["0", "1"]
    assert sum(part.n[0] for part in found.facts.segments) == found.facts.n[0]
