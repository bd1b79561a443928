"""One pass of sums over an engine: against numpy, by group, with what the checks need beside."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pytest

from primeta.errors import BadTable
from primeta.experiments.analyse import Rules, analyse
from primeta.warehouse import sums
from primeta.warehouse.duck import connect
from primeta.warehouse.sums import glance, grouped_moments, quiet_ibis


def table_of(**columns):
    connection = connect()
    connection.register("given", pa.table(columns))
    with quiet_ibis():
        return ibis.duckdb.from_connection(connection).table("given")


def customers(n: int, seed: int = 1, *, start: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    before = rng.gamma(1.0, 10.0, n)
    return {
        "arm": np.where(rng.random(n) < 0.3, "control", "a"),
        "spent": start + before + rng.gamma(1.0, 10.0, n),
        "orders": rng.poisson(2.0, n),
        "before": before,
    }


@pytest.mark.parametrize("start", [0.0, 1e9])
def test_moments_by_group_are_numpys(start):
    rows = customers(5_000, start=start)
    found = grouped_moments(
        table_of(**rows),
        by=["arm"],
        blocks={"ratio": ["spent", "orders", "before"], "one": ["orders"]},
        third=[("spent", "spent", "spent"), ("spent", "orders", "orders")],
    )
    assert found.keys == [("a",), ("control",)]
    for place, arm in enumerate(("a", "control")):
        mine = {name: values[rows["arm"] == arm] for name, values in rows.items()}
        stacked = np.stack([mine[name].astype(float) for name in ("spent", "orders", "before")])
        block = found.blocks["ratio"][place]
        assert block.n == stacked.shape[1]
        np.testing.assert_allclose(block.mean, stacked.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(block.scatter, np.cov(stacked) * (stacked.shape[1] - 1), rtol=1e-6)
        apart = stacked - stacked.mean(axis=1, keepdims=True)
        for triple, (a, b, c) in (
            (("spent", "spent", "spent"), (0, 0, 0)),
            (("spent", "orders", "orders"), (0, 1, 1)),
        ):
            expected = (apart[a] * apart[b] * apart[c]).mean()
            assert found.third[triple][place] == pytest.approx(expected, rel=1e-5)
    assert not any(flags.any() for flags in found.broken.values())
    only = found.only(lambda key: key[0] == "control")
    assert only.keys == [("control",)]
    assert only.blocks["one"].n.tolist() == [(rows["arm"] == "control").sum()]


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e200])
def test_a_value_that_is_no_finite_number_or_too_large_is_seen_in_its_own_group(value):
    rows = customers(1_000)
    rows["spent"][np.flatnonzero(rows["arm"] == "a")[3]] = value
    found = grouped_moments(table_of(**rows), by=["arm"], blocks={"m": ["spent", "before"]})
    assert found.broken["spent"][0]
    # 1e200 moves the point about which all are summed
    assert found.broken["spent"][1] == np.isfinite(value)
    assert found.broken["before"].tolist() == [False, False]
    with pytest.raises(BadTable, match=r"'spent'.*no finite numbers"):
        analyse(pa.table(rows), arm="arm", control="control", metrics={"m": "spent"})
    if not np.isfinite(value):
        # a cap would hide it from the sums
        with pytest.raises(BadTable, match=r"'spent'.*no finite numbers"):
            analyse(
                pa.table(rows),
                arm="arm",
                control="control",
                metrics={"m": "spent"},
                rules=Rules(caps={"m": 50.0}),
            )


def test_an_infinite_value_of_somebody_who_took_no_part_harms_nobody():
    rows = customers(1_000)
    arms = rows["arm"].astype(object)
    arms[:5] = None
    rows["spent"][:5] = np.inf
    found = analyse(
        pa.table({**rows, "arm": pa.array(arms)}), arm="arm", control="control", metrics={"m": "spent"}
    )
    assert np.isfinite(found.effects[0].se)
    assert "no-arm:5" in found.notes


def test_further_aggregates_are_read_in_the_same_pass():
    rows = customers(500)
    table = table_of(**rows)
    found = grouped_moments(
        table,
        by=["arm"],
        blocks={"m": ["spent"]},
        beside={"most": table.spent.max(), "n": table.orders.count()},
    )
    for place, arm in enumerate(("a", "control")):
        assert found.beside["most"][place] == rows["spent"][rows["arm"] == arm].max()
        assert found.beside["n"][place] == (rows["arm"] == arm).sum()


def test_the_first_rows_tell_about_where_the_means_lie_and_who_has_no_value():
    rows = customers(500)
    before = pa.array(rows["before"], mask=np.arange(500) % 7 == 0)
    seen = glance(table_of(**{**rows, "before": before}), ["spent", "before"])
    assert seen.empty == {"before"}
    assert seen.means["spent"] == pytest.approx(rows["spent"].mean())


@pytest.mark.parametrize("where", ["among the first rows", "only later"])
def test_an_unknown_covariate_stands_at_the_usual_one_wherever_it_is(where, monkeypatch):
    """The same answer as with the mean of the known ones written into the table."""
    rows = customers(2_000)
    monkeypatch.setattr(sums, "SAMPLE", 500)
    unknown = np.arange(2_000) % 5 == 0
    if where == "only later":
        unknown &= np.arange(2_000) > 1_500
    usual = rows["before"][~unknown].mean()
    given = pa.table({**rows, "before": pa.array(rows["before"], mask=unknown)})
    filled = pa.table({**rows, "before": np.where(unknown, usual, rows["before"])})
    how = {"arm": "arm", "control": "control", "metrics": {"m": "spent"}, "covariates": {"m": "before"}}
    one, other = (analyse(table, **how) for table in (given, filled))
    assert one.effects[0].difference == pytest.approx(other.effects[0].difference, rel=1e-9)
    assert one.effects[0].se == pytest.approx(other.effects[0].se, rel=1e-9)
    assert f"covariate-empty:before:{unknown.sum()}" in one.notes


def test_segments_do_not_change_how_skewed_the_whole_is():
    rows = customers(3_000)
    rows["city"] = np.where(rows["spent"] > 25, "x", "y")
    how = {"arm": "arm", "control": "control", "metrics": {"m": "spent", "r": "spent/orders"}}
    plain = analyse(pa.table(rows), **how)
    apart = analyse(pa.table(rows), **how, by="city")
    for one, other in zip(plain.effects, apart.effects):
        assert other.decision_low == pytest.approx(one.decision_low, rel=1e-9)
        assert other.decision_high == pytest.approx(one.decision_high, rel=1e-9)
        # a control of 30% whose customers are skewed: not Welch's interval to the last digit
        assert other.decision_low != pytest.approx(one.always_low + 1, rel=1e-3)
