"""Whom to write: what is learnt, what it is worth, what is refused."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from primeta.errors import BadInput, BadTable
from primeta.reactivation.whom.door import verdict, whom
from primeta.reactivation.whom.features import from_orders
from primeta.reactivation.whom.result import Policy, Whom

ZERO = datetime(2025, 1, 6, tzinfo=UTC)


def lottery(n: int = 1500, seed: int = 1, *, effect: float = 8.0) -> dict[str, np.ndarray]:
    """Half written to; the message works on who bought lately, and drives away who did not: risk is the wrong rule."""
    rng = np.random.default_rng(seed)
    recency = rng.integers(1, 13, n).astype(float)
    arm = np.where(rng.random(n) < 0.5, "mail", "none")
    works = np.where(recency <= 4, effect, -0.3 * effect)
    money = rng.gamma(0.5, 10.0, n) + np.where(arm == "mail", works, 0.0)
    return {
        "arm": arm,
        "money": money,
        "recency": recency,
        "source": rng.choice(["ads", "shop", "friend"], n),
        "same": np.ones(n),
    }


ASKED = {"control": "none", "outcome": "money", "features": ["recency", "source"], "repeats": 1}


@pytest.fixture(scope="module")
def found() -> Whom:
    return whom(lottery(), **ASKED, risk="recency", recency="recency", cost={"mail": 1.0}, currency="RUB")


# What is found


def test_choosing_by_uplift_wins_where_those_at_most_risk_cannot_be_won_back(found):
    # Ascarza (2018): the true values are (8 − 1)/3 ≈ 2.33 by a perfect choice, (8·4 − 2.4·8)/12 − 1 ≈ 0.07 to all
    assert found.recommended == "learned"
    assert found.why_not == ""
    learned, everybody = found.of("learned"), found.of("all")
    assert learned.low < 7 / 3 < learned.high
    assert everybody.low < (8 * 4 - 2.4 * 8) / 12 - 1 < everybody.high
    assert learned.share == pytest.approx(1 / 3, abs=0.1)  # a line errs beside the step
    assert found.of("risk").high < learned.low
    assert found.qini.low > 0
    assert found.qini.rules["risk"][2] < 0


def test_all_rivals_stand_beside_it_with_their_differences(found):
    assert [p.name for p in found.policies] == ["learned", "all", "none", "risk", "recency", "random"]
    for rival in found.policies[1:]:
        assert rival.ahead == pytest.approx(found.of("learned").value - rival.value)
        assert rival.ahead_low < rival.ahead < rival.ahead_high
    assert found.of("none").value == 0


def test_the_curve_runs_from_nobody_to_everybody_and_tenths_add_up_to_it(found):
    first, last = found.qini.curve[0], found.qini.curve[-1]
    assert (first.share, first.value) == (0, 0)
    assert last.share == 1
    assert last.value == pytest.approx(found.of("all").value)
    assert np.mean([t.value for t in found.calibration]) == pytest.approx(last.value)
    # the trapezoid over the curve's own points is the area but for what bends within a twentieth
    values = [p.value for p in found.qini.curve]
    trapezoid = float(np.mean([(a + b) / 2 for a, b in itertools.pairwise(values)]))
    assert trapezoid - last.value / 2 == pytest.approx(found.qini.area, abs=0.02)


def test_what_decides_leads_the_features(found):
    assert next(iter(found.features)) == "recency"
    assert sum(found.features.values()) == pytest.approx(1)


def test_everybodys_row_tells_his_rank_and_arm(found):
    rows = found.rows.to_pylist()
    assert sorted(row["rank"] for row in rows) == list(range(1, 1501))
    assert {row["arm"] for row in rows} == {"mail", "none"}
    top = min(rows, key=lambda row: row["rank"])
    assert top["uplift"] == max(row["uplift"] for row in rows)
    assert all((row["uplift"] > 0) == (row["arm"] == "mail") for row in rows)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_it_speaks_in_words_and_pictures(found, lang):
    assert "₽" in found.line(lang)
    assert len(found.table(lang).rows) == 6
    assert found.picture(lang).title == found.line(lang)
    assert "nan" not in found.table(lang).text().lower()
    spec = found.picture(lang).draw("light", 400)
    assert spec["width"] == 400


def test_the_order_of_rows_does_not_matter():
    columns = lottery(240) | {"customer_id": np.array([f"c{at}" for at in range(240)])}
    turned = {name: values[::-1] for name, values in columns.items()}
    one, two = (whom(each, **ASKED) for each in (columns, turned))
    assert one.qini == two.qini
    assert one.rows["customer_id"].to_pylist() == columns["customer_id"].tolist()
    assert two.rows["uplift"].to_pylist() == one.rows["uplift"].to_pylist()[::-1]


def test_where_it_works_alike_for_all_a_simple_rule_is_recommended():
    columns = lottery(800, 5)
    rng = np.random.default_rng(5)
    columns["money"] = rng.gamma(2.0, 2.0, 800) + np.where(columns["arm"] == "mail", 4.0, 0.0)
    result = whom(columns, **ASKED)
    assert result.recommended == "all"
    assert result.recommended_sure
    assert result.why_not == "not-surely-better"
    assert {row["arm"] for row in result.rows.to_pylist()} == {"mail"}


def test_with_several_arms_each_customer_gets_his_own():
    rng = np.random.default_rng(2)
    n = 1500
    arm, new = rng.choice(["a", "b", "none"], n), rng.integers(0, 2, n)
    money = (
        rng.gamma(1, 3, n)
        + np.where((arm == "a") & (new == 1), 6, 0)
        + np.where((arm == "b") & (new == 0), 6, 0)
    )
    result = whom(
        {"arm": arm, "money": money, "new": new}, control="none", outcome="money", features=["new"], repeats=1
    )
    assert result.recommended == "learned"
    assert {p.name for p in result.policies} >= {"all:a", "all:b"}
    assert result.arm_shares["a"] == pytest.approx(new.mean(), abs=0.01)
    assert {row["arm"] for row in result.rows.to_pylist()} == {"a", "b"}


def test_uneven_probabilities_are_weighed_and_not_guessed():
    # Written to with .8 where the message loses 5, with .2 where it wins 5: unweighted it looks like a loss, it is nought.
    rng = np.random.default_rng(4)
    n = 2000
    good = rng.integers(0, 2, n)
    chance = np.where(good == 1, 0.2, 0.8)
    mail = rng.random(n) < chance
    money = rng.gamma(1, 2, n) + np.where(mail, np.where(good == 1, 5.0, -5.0), 0.0)
    rows = {
        "arm": np.where(mail, "mail", "none"),
        "money": money,
        "good": good,
        "p": np.where(mail, chance, 1 - chance),
    }
    result = whom(rows, control="none", outcome="money", features=["good"], propensity="p", repeats=1)
    assert result.of("all").low < 5 * (2 * good.mean() - 1) < result.of("all").high
    assert result.of("learned").value == pytest.approx(5 * good.mean(), abs=0.6)
    with pytest.raises(BadInput, match=r"good.*differs.*lottery"):
        whom(rows, control="none", outcome="money", features=["good"], repeats=1)


@pytest.mark.slow
def test_hillstroms_values_are_the_published_lifts_and_choosing_among_them_is_not_surely_better(
    shared_data: Path,
):
    # REFERENCE.md, "Hillstrom spend per customer assigned": .7698 (se .1452), .4244 (se .1303)
    result = whom(
        str(shared_data / "hillstrom" / "hillstrom.csv.gz"), arm="segment", control="No E-Mail", outcome="spend",
        features=["recency", "newbie"], recency="recency", repeats=1,
    )  # fmt: skip
    for arm, lift, se in (("Mens", 0.7698, 0.1452), ("Womens", 0.4244, 0.1303)):
        policy = result.of(f"all:{arm} E-Mail")
        assert policy.value == pytest.approx(lift, abs=0.01)
        assert (policy.high - policy.low) / 2 / 1.96 == pytest.approx(se, rel=0.03)
    assert result.recommended == "all:Mens E-Mail"
    assert result.why_not == "not-surely-better"


test_hillstroms_values_are_the_published_lifts_and_choosing_among_them_is_not_surely_better = (
    pytest.mark.slow(
        test_hillstroms_values_are_the_published_lifts_and_choosing_among_them_is_not_surely_better
    )
)


# The verdict


def _policy(name: str, value: float, ahead: tuple[float, float] = (0, 0)) -> Policy:
    return Policy(
        name=name,
        value=value,
        low=value - 1,
        high=value + 1,
        ahead=sum(ahead) / 2,
        ahead_low=ahead[0],
        ahead_high=ahead[1],
    )


def test_the_learned_policy_must_surely_beat_every_simple_rule():
    learned = _policy("learned", 5)
    wins = [learned, _policy("all", 3, (1, 3)), _policy("none", 0, (4, 6))]
    assert verdict(wins) == ("learned", True, "")
    assert verdict([*wins[:1], _policy("all", 3, (-1, 5)), wins[2]]) == ("all", True, "not-surely-better")
    assert verdict([*wins[:1], _policy("all", 8, (-4, -2)), wins[2]]) == ("all", True, "worse-than-simple")
    assert verdict([learned, _policy("all", -3, (-1, 9)), _policy("none", 0, (-1, 1))]) == (
        "none", True, "not-surely-better",
    )  # fmt: skip


# From an order log


def _log(n: int = 400) -> tuple[pa.Table, pa.Table]:
    rng = np.random.default_rng(9)
    rows = []
    for customer in range(n):
        times = np.cumsum(rng.exponential(40, rng.integers(1, 6)))
        times = 20 + rng.integers(0, 200) + times[-1] - times
        rows += [(f"c{customer}", ZERO - timedelta(days=float(t)), 40.0, 10.0) for t in times]
        if rng.random() < 0.3:
            rows.append((f"c{customer}", ZERO + timedelta(days=float(rng.integers(0, 30))), 40.0, 10.0))
    names = ("customer_id", "ordered_at", "revenue", "discount")
    orders = pa.table(
        {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    )
    arms = np.where(np.arange(n) % 2 == 1, "mail", "none").tolist()
    customers = [f"c{customer}" for customer in range(n)]
    return orders, pa.table({"customer_id": customers, "arm": arms, "assigned_at": [ZERO] * n})


def test_from_orders_the_money_is_margin_less_discount_and_contact_over_the_horizon():
    orders, assignments = _log()
    result = whom(
        orders=orders, assignments=assignments, until="2025-06-30", control="none", horizon="90d", margin=0.5,
        cost={"mail": 2.0}, repeats=1,
    )  # fmt: skip
    after = {
        c
        for c, t in zip(orders["customer_id"].to_pylist(), orders["ordered_at"].to_pylist(), strict=True)
        if t >= ZERO
    }
    arm = dict(zip(assignments["customer_id"].to_pylist(), assignments["arm"].to_pylist(), strict=True))
    # an order: 40 paid of 50 at a margin of .5 leaves 40 − 25 = 15; one each at most
    mean = {a: 15 * sum(arm[c] == a for c in after) / 200 for a in ("mail", "none")}
    assert result.of("all").value == pytest.approx(mean["mail"] - 2 - mean["none"], abs=0.35)
    assert {"risk", "recency"} <= {p.name for p in result.policies if not p.why_not}
    assert "recency_days" in result.features
    assert result.horizon == 90


def test_nothing_after_the_assignment_enters_the_features():
    orders, assignments = _log(200)
    before = orders.filter(pa.compute.less(orders["ordered_at"], ZERO))
    asked = pa.table(
        {
            "customer_id": assignments["customer_id"],
            "assigned_at": assignments["assigned_at"],
        }
    )
    one, two = from_orders(orders, asked), from_orders(before, asked)
    assert one.known.names == two.known.names
    np.testing.assert_array_equal(one.known.columns, two.known.columns)


def test_history_is_counted_to_the_assignment():
    # by hand: orders 100, 60 and 30 days before; 10 of 50 off in the last
    rows = pa.table(
        {
            "customer_id": ["a"] * 3 + ["b"],
            "ordered_at": [ZERO - timedelta(days=d) for d in (100, 60, 30, 5)],
            "revenue": [50.0, 50.0, 40.0, 10.0],
            "discount": [0.0, 0.0, 10.0, 0.0],
        }
    )
    asked = pa.table(
        {"customer_id": ["b", "a"], "assigned_at": pa.array([ZERO] * 2, pa.timestamp("us", "UTC"))}
    )
    history = from_orders(rows, asked)
    a = dict(zip(history.known.names, history.known.columns[1], strict=True))
    assert a["recency_days"] == 30
    assert a["rhythm_days"] == 35
    assert a["discount_share"] == pytest.approx(10 / 150)
    assert history.recency.tolist() == [5, 30]


# What cannot be told, and what is refused


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"control": ""}, "no-control"),
        ({"features": ["same"]}, "no-features"),
    ],
)
def test_what_cannot_be_told_says_why(change, why):
    result = whom(lottery(300), **(ASKED | change))
    assert result.why_not == why
    assert result.recommended == ""
    assert np.isnan(result.qini.area)
    assert result.as_dict()["recommended"] is None
    assert result.line("ru").startswith("Сказать нельзя")


def test_an_arm_of_ten_people_cannot_tell_and_beside_others_is_left_out():
    columns = lottery(300)
    columns["arm"] = np.array(["mail"] * 10 + ["none"] * 290)
    assert whom(columns, **ASKED).why_not == "small-arm"
    columns["arm"] = np.array(["tiny"] * 10 + ["mail"] * 140 + ["none"] * 150)
    result = whom(columns, **ASKED)
    assert "tiny" not in result.arms
    assert result.n == 290
    assert any("tiny" in text for text in result.remarks("en"))


def _changed(**columns) -> dict[str, np.ndarray]:
    return lottery(300) | columns


def _holed(value: float) -> np.ndarray:
    money = lottery(300)["money"].copy()
    money[7] = value
    return money


@pytest.mark.parametrize(
    ("rows", "change", "error", "match"),
    [
        (_changed(money=_holed(np.nan)), {}, BadTable, "row 8 .*money is empty"),
        (_changed(money=_holed(np.inf)), {}, BadTable, "row 8 .*money is inf"),
        (_changed(), {"control": "nobody"}, BadTable, "arms are mail, none"),
        (_changed(), {"outcome": "profit"}, BadTable, "no column 'profit'"),
        (_changed(), {"features": ["age"]}, BadTable, "no column 'age'"),
        (_changed(p=np.zeros(300)), {"propensity": "p"}, BadTable, "row 1 .*p is 0"),
        (_changed(p=np.where(np.arange(300) == 3, np.nan, 0.5)), {"propensity": "p"}, BadTable, "row 4 .*p is empty"),
        (_changed(name=np.array([f"n{at}" for at in range(300)])), {"features": ["name"]}, BadTable, "not a kind"),
        (_changed(visit=np.ones(300)), {"features": ["visit"]}, BadInput, "after the assignment"),
        (_changed(), {"features": ["money"]}, BadInput, "is the outcome"),
        (_changed(), {"cost": {"push": 1.0}}, BadInput, "no such arm"),
        (_changed(), {"cost": {"mail": -1.0}}, BadInput, "0 or more"),
        (_changed(), {"features": []}, BadInput, "known before"),
        (_changed(), {"level": 2.0}, BadInput, "level"),
        (_changed(), {"out": "rows.txt"}, BadInput, r"rows\.txt: .*\.csv or \.parquet"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_message(rows, change, error, match):
    with pytest.raises(error, match=match):
        whom(rows, **(ASKED | change))


def test_a_feature_that_only_the_treated_have_is_refused():
    columns = lottery(300)
    mail = columns["arm"] == "mail"
    with pytest.raises(BadInput, match=r"clicks.*empty for all of 'none'"):
        whom(columns | {"clicks": np.where(mail, 1.0, np.nan)}, **(ASKED | {"features": ["clicks"]}))
    with pytest.raises(BadInput, match=r"letters.*differs"):
        whom(columns | {"letters": mail * 1.0}, **(ASKED | {"features": ["letters"]}))
    twin = 2 * columns["money"] + 1
    with pytest.raises(BadInput, match=r"twin.*(outcome itself|differs)"):
        whom(columns | {"twin": twin}, **(ASKED | {"features": ["twin"]}))
