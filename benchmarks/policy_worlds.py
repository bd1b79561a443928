"""Experiments on the moment, the sequence and the discount in simulated worlds, as the analysis takes them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from primeta.reactivation.policy.inputs import Lapsed, Terms
from primeta.stats.staggered import block_edges
from primeta.worlds.dose import FIRST_DAY, DoseWorld, Lapses, drawn_segments, order_rows, simulate_lapses

Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[np.object_]
SEGMENTS = ("casual", "loyal")


def terms_of(world: DoseWorld, *, control: str = "control", by: str = "") -> Terms:
    return Terms(
        control=control,
        horizon=world.horizon,
        until=date(2027, 12, 31),
        margin=world.margin,
        contact_costs={"*": world.contact_cost} if world.contact_cost else {},
        by=by,
    )


def as_lapsed(
    lapses: Lapses,
    world: DoseWorld,
    arm: Objects,
    probability: Floats,
    *,
    terms: Terms,
    second_probability: Floats | None = None,
    followed: Floats | None = None,
) -> Lapsed:
    """Simulated customers as `read_lapsed` would give them."""
    n = lapses.n
    edges = np.array(block_edges(world.horizon), dtype=np.int64)
    followed = np.full(n, world.horizon + 50.0) if followed is None else followed
    known = lapses.order_day < np.minimum(world.horizon, followed[lapses.order_customer])
    who, day = lapses.order_customer[known], lapses.order_day[known]
    price, off = lapses.order_list[known], lapses.order_discount[known]
    block = np.searchsorted(edges[1:-1], day, side="right")
    k = len(edges) - 1

    def sums(value: Floats) -> Floats:
        return np.bincount(who * k + block, value, minlength=n * k).reshape(n, k).astype(np.float64)

    returned = np.full(n, np.inf)
    np.minimum.at(returned, who, day)
    second = np.array(
        [
            name if name is not None and now < end else None
            for name, now, end in zip(lapses.second, itertools.repeat(lapses.second_day), followed)
        ],
        dtype=object,
    )
    has = np.array([name is not None for name in second])
    return Lapsed(
        terms=terms,
        customer=np.array([f"c{i}" for i in range(n)], dtype=object),
        arm=arm,
        probability=probability,
        delay=lapses.delay,
        depth=np.where(np.isnan(lapses.delay), np.nan, lapses.depth),
        channel=lapses.channel,
        segment=np.array(SEGMENTS, dtype=object)[lapses.segment]
        if terms.by
        else np.full(n, "", dtype=object),
        followed=followed,
        returned=returned,
        edges=edges,
        sums={
            "money": sums(world.margin * price - off),
            "revenue": sums(price - off),
            "discount": sums(off),
            "orders": sums(np.ones(len(who))),
        },
        features=np.log1p(lapses.before),
        sent=np.zeros((n, 0)),
        second_arm=second,
        second_probability=np.where(
            has, second_probability if second_probability is not None else np.nan, np.nan
        ),
        second_day=np.where(has, lapses.second_day, np.nan),
    )


def moment_test(
    world: DoseWorld,
    n: int,
    *,
    delays: Sequence[float],
    never: float = 0.25,
    rng: np.random.Generator,
    by: str = "",
    entry_days: float = 0.0,
) -> tuple[Lapsed, Lapses]:
    """n customers, a share `never` left alone, the others on one of the days.

    Args:
        entry_days: They lapse over so many days, and the log ends 30 days after the first has lived through the
            horizon: late ones are followed for less.
    """
    segment = drawn_segments(world, n, rng=rng)
    shares = np.r_[never, np.full(len(delays), (1 - never) / len(delays))]
    which = rng.choice(len(shares), size=n, p=shares)
    delay = np.r_[np.nan, np.asarray(delays, dtype=float)][which]
    names = np.array(["control", *[f"d{d:g}" for d in delays]], dtype=object)
    lapses = simulate_lapses(
        world,
        segment=segment,
        delay=delay,
        depth=np.zeros(n),
        channel=np.full(n, "email", dtype=object),
        rng=rng,
    )
    followed = None
    if entry_days:
        followed = world.horizon + 30.0 - rng.uniform(0, entry_days, n)
    lapsed = as_lapsed(
        lapses, world, names[which], shares[which], terms=terms_of(world, by=by), followed=followed
    )
    return lapsed, lapses


def sequence_test(
    world: DoseWorld,
    n: int,
    *,
    firsts: Sequence[str] = ("email", "push"),
    seconds: Sequence[str] = ("email", "push", "call"),
    uneven: bool = False,
    control: float = 0.2,
    rng: np.random.Generator,
    by: str = "",
) -> tuple[Lapsed, Lapses]:
    """A two-stage experiment: the second stage on day 14 for the silent.

    Args:
        uneven: Loyal customers get the first channel with .7, and the second ones unevenly after each first.
    """
    segment = drawn_segments(world, n, rng=rng)
    ones, twos = len(firsts), len(seconds)
    first_p = np.full((n, ones + 1), (1 - control) / ones)
    first_p[:, 0] = control
    if uneven:
        rest = (1 - control) * 0.3 / max(ones - 1, 1)
        first_p[segment == 1, 1:] = rest
        first_p[segment == 1, 1] = (1 - control) * 0.7
    which = _drawn(first_p, rng)
    second_p = np.full((ones + 1, twos), 1 / twos)
    if uneven:
        for a in range(1, ones + 1):
            weight = np.roll(np.arange(1, twos + 1, dtype=float), a)
            second_p[a] = weight / weight.sum()
    next_one = _drawn(second_p[which], rng)
    delay = np.where(which == 0, np.nan, 0.0)
    second = np.array(
        [None if w == 0 else seconds[b] for w, b in zip(which, next_one, strict=True)], dtype=object
    )
    channel = np.array(["email", *firsts], dtype=object)[which]
    lapses = simulate_lapses(
        world, segment=segment, delay=delay, depth=np.zeros(n), channel=channel, second=second, rng=rng
    )
    names = np.array(["control", *firsts], dtype=object)[which]
    rows = np.arange(n)
    lapsed = as_lapsed(
        lapses,
        world,
        names,
        first_p[rows, which],
        terms=terms_of(world, control="control" if control else "", by=by),
        second_probability=second_p[which, next_one],
    )
    return lapsed, lapses


def _drawn(p: Floats, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    return (rng.random(len(p))[:, None] > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1).astype(np.int64)


def discount_test(
    world: DoseWorld,
    n: int,
    *,
    delays: Sequence[float],
    depths: Sequence[float],
    control: float = 0.15,
    rng: np.random.Generator,
    by: str = "segment",
) -> tuple[Lapsed, Lapses]:
    """A factorial of depth × day since the lapse beside a control that is never contacted."""
    segment = drawn_segments(world, n, rng=rng)
    treated = rng.random(n) >= control
    day = np.asarray(delays, dtype=float)[rng.integers(len(delays), size=n)]
    at = rng.integers(len(depths), size=n)
    depth = np.where(treated, np.asarray(depths, dtype=float)[at], 0.0)
    lapses = simulate_lapses(
        world,
        segment=segment,
        delay=np.where(treated, day, np.nan),
        depth=depth,
        channel=np.full(n, "email", dtype=object),
        rng=rng,
    )
    names = np.array([f"off{d:g}" for d in depths], dtype=object)[at]
    arm = np.where(treated, names, "control").astype(object)
    probability = np.where(treated, (1 - control) / len(depths), control)
    return as_lapsed(lapses, world, arm, probability, terms=terms_of(world, by=by)), lapses


def tables_of(
    lapses: Lapses, lapsed: Lapsed, *, until: float, entry: Floats | None = None
) -> tuple[dict[str, list], dict[str, list]]:
    """The same experiment as the two tables that a team would have: orders and assignments.

    Args:
        until: Days from the first lapse to the end of the log. entry: (n,) day on which each lapses.
    """
    entry = np.zeros(lapses.n) if entry is None else entry
    rows: dict[str, list] = {
        name: []
        for name in (
            "experiment", "customer_id", "arm", "assigned_at", "probability", "stage", "delay_days", "channel",
            "discount", "segment",
        )
    }  # fmt: skip

    def add(at: int, arm: str, day: float, probability: float, stage: str, delay: float | None) -> None:
        depth = None if np.isnan(lapsed.depth[at]) else float(lapsed.depth[at])
        values = (
            "comeback", str(lapsed.customer[at]), arm, FIRST_DAY + timedelta(days=float(entry[at] + day)), probability,
            stage, delay, None, depth, SEGMENTS[lapses.segment[at]],
        )  # fmt: skip
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)

    for at in range(lapses.n):
        delay = None if np.isnan(lapsed.delay[at]) else float(lapsed.delay[at])
        add(at, str(lapsed.arm[at]), 0.0, float(lapsed.probability[at]), "1", delay)
        if lapsed.second_arm[at] is not None:
            second = float(lapsed.second_probability[at])
            add(at, str(lapsed.second_arm[at]), float(lapsed.second_day[at]), second, "2", None)
    return order_rows(lapses, until=until, entry=entry), rows
