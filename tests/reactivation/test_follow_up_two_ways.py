"""The follow-up that SQL makes of files and the one that arrays give are the same, sum by sum."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.reactivation_worlds import campaign_of, follow_up

from primeta.reactivation.door import follow_given
from primeta.reactivation.records import FollowUp, Tail
from primeta.worlds.reactivation import ReactivationWorld, simulate_reactivation
from primeta.worlds.reactivation_tables import tables_of

KEPT_APART = {"visits"}
"""What the arrays do not hold."""


def both(name: str, *, customers: int = 600) -> tuple[ReactivationWorld, FollowUp, FollowUp]:
    world = simulate_reactivation(name, seed=3, customers=customers)
    campaign = campaign_of(world, annual_discount=0.1)
    tables = tables_of(world)
    by_sql = follow_given(tables["orders"], tables["assignments"], campaign, messages=tables["messages"])
    return world, by_sql, follow_up(world, campaign)


@pytest.mark.parametrize("name", ["staggered", "relapse", "farms"])
def test_both_ways_agree(name: str) -> None:
    # staggered has goods that come back, relapse second contacts, farms a code for one order
    _, sql, arrays = both(name)
    assert (sql.arms, sql.edges, sql.seen_days, sql.has_code) == (
        arrays.arms,
        arrays.edges,
        arrays.seen_days,
        arrays.has_code,
    )
    assert np.array_equal(sql.n, arrays.n)
    assert np.array_equal(sql.at_risk, arrays.at_risk)
    assert sql.n.sum() == 600
    for measure, table in sql.sums.items():
        if measure not in KEPT_APART:
            assert np.allclose(table, arrays.sums[measure], atol=1e-6), measure
    assert sql.sums["orders"].sum() > 100
    for trait, table in arrays.traits.items():
        assert np.allclose(sql.traits[trait], table, atol=1e-6), trait
        assert np.allclose(sql.traits_squared[trait], arrays.traits_squared[trait], atol=1e-6), trait
    for one, other in ((sql.window, arrays.window), (sql.seen, arrays.seen)):
        assert np.array_equal(one.n, other.n)
        assert np.allclose(one.mean, other.mean)
        assert np.allclose(one.scatter, other.scatter)
    for one, other in zip(sql.discounts, arrays.discounts, strict=True):
        assert np.allclose(np.sort(one[0]), np.sort(other[0]))
        assert np.array_equal(np.sort(one[1]), np.sort(other[1]))
    assert np.allclose(states(sql.tail), states(arrays.tail))


def states(tail: Tail) -> np.ndarray:
    halfway = tail.halfway
    assert halfway is not None
    rows = np.stack(
        [
            *(np.nan_to_num(getattr(tail, name), nan=-1.0) for name in ("arm", "bucket", "followed")),
            *(
                np.nan_to_num(getattr(tail, name), nan=-1.0)
                for name in ("returned_at", "later", "last", "count")
            ),
            *(np.nan_to_num(halfway[name], nan=-1.0) for name in halfway),
        ]
    )
    return rows[:, np.lexsort(rows[:6][::-1])]


def test_a_log_cut_earlier_is_followed_less() -> None:
    world = simulate_reactivation("plain", seed=3, customers=600)
    short, whole = follow_up(world), follow_up(world, campaign_of(world, full=True))
    assert short.seen_days == 182
    assert whole.seen_days == whole.campaign.horizon_days
    assert whole.sums["orders"].sum() > short.sums["orders"].sum()
    assert np.allclose(whole.window.mean, short.window.mean)
