"""The ladder: what a campaign claims, what it did against its control, and what remains of it later, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import chdtrc

from primeta.reactivation.behaviour import behaviour
from primeta.reactivation.climb import climb, followed_by_all
from primeta.reactivation.estimates import (
    VALUE,
    Mean,
    assigned,
    gap,
    of_segment,
    per_assigned,
    pooled,
)
from primeta.reactivation.records import (
    NAN,
    Between,
    Curve,
    Differs,
    FollowUp,
    LadderFacts,
    Note,
    PerBuyer,
    Returners,
    Rung,
    Rung4,
)
from primeta.reactivation.returners import normal_again, returners
from primeta.stats.effects import sample_ratio_p
from primeta.stats.multiplicity import adjusted_holm

UNFAIR_P = 0.001
"""A split, or a difference before assignment, so unlikely that the lottery itself is doubted."""
ASSUMES: Mapping[int, tuple[str, ...]] = {
    0: ("all-returns-are-ours",),
    1: ("after-is-because",),
    2: ("window-goes-on",),
    3: ("alike-afterwards",),
    4: ("tail-follows-model",),
}


def climb_ladder(follow_up: FollowUp, rung4: Rung4 | None) -> LadderFacts:
    """All rungs of a campaign, and of each of its segments.

    Args:
        rung4: What the tail model found (`tail.rung_four`), or None where it was not asked.
    Returns:
        Nothing is raised for what cannot be told: the numbers are NaN and `why_not` says why.
    """
    whole = _facts(pooled(follow_up), rung4, segment="")
    if not follow_up.campaign.by:
        return whole
    given = rung4.segments if rung4 else ()
    parts = [
        _facts(of_segment(follow_up, place), given[place] if given else None, segment=name)
        for place, name in enumerate(follow_up.segments)
    ]
    parts, differs = _with_multiplicity(follow_up, parts, given)
    return replace(whole, segments=tuple(parts), differs=differs)


def _facts(follow_up: FollowUp, rung4: Rung4 | None, *, segment: str) -> LadderFacts:
    campaign = follow_up.campaign
    arms = follow_up.arms
    treated = [place for place in range(len(arms)) if not (follow_up.has_control and place == 0)]
    values = {2: campaign.window_days, 3: follow_up.seen_days}
    means = {
        rung: [_value(follow_up, place, days) for place in range(len(arms))] for rung, days in values.items()
    }
    rungs = [
        *(_claim(follow_up, place, number, segment) for number in (0, 1) for place in treated),
        *(
            _measured(follow_up, place, number, means[number], segment)
            for number in (2, 3)
            for place in treated
        ),
        *_modelled(follow_up, rung4, treated, segment),
    ]
    rungs = _with_away(rungs)
    between = _between(follow_up, means, rung4)
    best, sure = _best(follow_up, rungs, between)
    back = tuple(returners(follow_up, place, segment=segment) for place in treated)
    normal = [normal_again(follow_up, place, segment=segment) for place in treated]
    curves = () if segment else _curves(follow_up, treated, rung4)
    counts = [round(assigned(follow_up, place)) for place in range(len(arms))]
    planned = [campaign.shares.get(arm, 0.0) for arm in arms]
    split = sample_ratio_p(counts, planned) if min(planned) > 0 and min(counts) > 0 else NAN
    balance, balance_p = _balance(follow_up)
    found = () if segment else _noticed(follow_up, treated, rungs, back, curves, best, split, balance_p)
    return LadderFacts(
        campaign=campaign,
        arms=arms,
        n=tuple(counts),
        seen_days=follow_up.seen_days,
        rungs=tuple(rungs),
        behaviour=tuple(row for place in treated for row in behaviour(follow_up, place, segment=segment)),
        returners=back,
        normal_again=tuple(row for row in normal if row is not None),
        best=best,
        best_sure=sure,
        climb=climb(follow_up, rungs),
        curves=curves,
        checks=rung4.checks if rung4 is not None else (),
        segment=segment,
        between=between,
        trap=_trap(follow_up, segment),
        followed_least=float(followed_by_all(follow_up)),
        sample_ratio_p=split,
        balance=balance,
        balance_p=balance_p,
        contamination={
            arm: float(share)
            for name, table in follow_up.contamination.items()
            if name == "share" or len(follow_up.contamination) == 1
            for arm, share in zip(arms, np.asarray(table).reshape(-1), strict=True)
        },
        notes=(*(() if segment else follow_up.notes), *found),
    )


# Rungs


def _value(follow_up: FollowUp, arm: int, days: int) -> Mean:
    return per_assigned(follow_up, arm, VALUE, until_day=days)


def _claim(follow_up: FollowUp, arm: int, number: int, segment: str) -> Rung:
    """Rungs 0 and 1: what the arm's own orders bring, with nothing beside them."""
    campaign = follow_up.campaign
    lead = "attributed_" if number == 1 else ""
    days, n = campaign.window_days, assigned(follow_up, arm)
    value, revenue, orders = (
        per_assigned(follow_up, arm, what, until_day=days, least=1)
        for what in (
            {lead + "money": 1.0, "contact": -1.0},
            {lead + "revenue": 1.0},
            {lead + "orders": 1.0},
        )
    )
    return Rung(
        rung=number,
        arm=follow_up.arms[arm],
        n=round(n),
        value_per_assigned=value.value,
        revenue_per_assigned=revenue.value,
        orders_per_assigned=orders.value,
        money=value.value * n,
        window=days,
        until=campaign.until,
        observed=value.value,
        assumes=ASSUMES[number],
        why_not=value.why_not,
        segment=segment,
    )


def _measured(follow_up: FollowUp, arm: int, number: int, means: Sequence[Mean], segment: str) -> Rung:
    """Rungs 2 and 3: the difference of all assigned from all of the control."""
    campaign = follow_up.campaign
    days = campaign.window_days if number == 2 else follow_up.seen_days
    n = assigned(follow_up, arm)
    row = Rung(
        rung=number,
        arm=follow_up.arms[arm],
        n=round(n),
        value_per_assigned=NAN,
        revenue_per_assigned=NAN,
        orders_per_assigned=NAN,
        window=days,
        until=campaign.until,
        assumes=ASSUMES[number],
        segment=segment,
    )
    if not follow_up.has_control:
        return replace(row, why_not="no-control")
    found = gap(means[arm], means[0], level=campaign.level)
    if number == 3 and days < campaign.window_days and found.why_not in ("", "short-follow-up"):
        return replace(row, why_not="short-follow-up")
    if not math.isfinite(found.difference):
        return replace(row, why_not=found.why_not)
    revenue, orders = (
        gap(
            *(per_assigned(follow_up, place, {name: 1.0}, until_day=days) for place in (arm, 0)),
            level=campaign.level,
        )
        for name in ("revenue", "orders")
    )
    control_low, control_high = means[0].interval(campaign.level)
    reached = any(np.any(np.asarray(shares) > 0) for shares in follow_up.contamination.values())
    return replace(
        row,
        value_per_assigned=found.difference,
        revenue_per_assigned=revenue.difference,
        orders_per_assigned=orders.difference,
        low=found.low,
        high=found.high,
        p=found.p,
        money=found.difference * n,
        observed=found.difference,
        modelled=0.0,
        control=means[0].value,
        control_low=control_low,
        control_high=control_high,
        assumes=(*ASSUMES[number], *(("contaminated",) if number == 3 and reached else ())),
        why_not=found.why_not,
    )


def _modelled(follow_up: FollowUp, rung4: Rung4 | None, treated: Sequence[int], segment: str) -> list[Rung]:
    """Rung 4 as it was given; where it was not, its place with the reason."""
    given = {rung.arm: rung for rung in (rung4.rungs if rung4 else ())}
    why = "no-control" if not follow_up.has_control else "not-modelled"
    if rung4 is not None and rung4.why_not and follow_up.has_control:
        why = rung4.why_not
    rows = []
    for place in treated:
        arm = follow_up.arms[place]
        empty = Rung(
            rung=4,
            arm=arm,
            n=round(assigned(follow_up, place)),
            value_per_assigned=NAN,
            revenue_per_assigned=NAN,
            orders_per_assigned=NAN,
            window=follow_up.campaign.horizon_days,
            until=follow_up.campaign.until,
            assumes=ASSUMES[4],
            why_not=why,
            segment=segment,
        )
        rows.append(given.get(arm, empty))
    return rows


def _with_away(rungs: Sequence[Rung]) -> list[Rung]:
    """How far each rung is from the one below, in money."""
    # a rung that gives its seen part only is no step above the one below
    money = {(rung.rung, rung.arm): NAN if rung.why_not and rung.rung == 4 else rung.money for rung in rungs}
    return [
        replace(rung, away=money[rung.rung, rung.arm] - money.get((rung.rung - 1, rung.arm), NAN))
        if rung.rung
        else rung
        for rung in rungs
    ]


# Who leads


def _between(
    follow_up: FollowUp, means: Mapping[int, Sequence[Mean]], rung4: Rung4 | None
) -> tuple[Between, ...]:
    arms = follow_up.arms
    first = 1 if follow_up.has_control else len(arms)
    rows = []
    for number in (2, 3):
        if number == 3 and follow_up.seen_days < follow_up.campaign.window_days:
            continue
        for place in range(first, len(arms)):
            for other in range(place + 1, len(arms)):
                found = gap(means[number][place], means[number][other], level=follow_up.campaign.level)
                if math.isfinite(found.difference):
                    rows.append(
                        Between(
                            rung=number,
                            arm=arms[place],
                            other=arms[other],
                            difference=found.difference,
                            low=found.low,
                            high=found.high,
                        )
                    )
    for (arm, other), (difference, low, high) in (rung4.between if rung4 else {}).items():
        if follow_up.campaign.control not in (arm, other) and math.isfinite(difference):
            rows.append(Between(rung=4, arm=arm, other=other, difference=difference, low=low, high=high))
    return tuple(rows)


def _best(
    follow_up: FollowUp, rungs: Sequence[Rung], between: Sequence[Between]
) -> tuple[dict[str, str | None], dict[str, bool]]:
    """The leader of rungs 1 to 4, and whether it is told from the next one."""
    control = follow_up.campaign.control
    best: dict[str, str | None] = {}
    sure: dict[str, bool] = {}
    for number in (1, 2, 3, 4):
        known = sorted(
            (
                rung
                for rung in rungs
                if rung.rung == number
                and math.isfinite(rung.value_per_assigned)
                and not (number == 4 and rung.why_not)
            ),
            key=lambda rung: -rung.value_per_assigned,
        )
        key = f"rung{number}"
        best[key], sure[key] = None, False
        if not known:
            continue
        first = known[0]
        if first.value_per_assigned <= 0 and control:
            best[key] = control
            sure[key] = number > 1 and all(rung.high < 0 for rung in known)
            continue
        best[key] = first.arm
        if number > 1:
            ahead = [ends_between(between, number, first.arm, rung.arm)[0] for rung in known[1:2]]
            sure[key] = all(low > 0 for low in (first.low, *ahead))
    return best, sure


def ends_between(rows: Sequence[Between], rung: int, arm: str, other: str) -> tuple[float, float, float]:
    """low, difference, high of one arm less another; NaN where they were not compared."""
    for row in rows:
        if row.rung == rung and (row.arm, row.other) == (arm, other):
            return row.low, row.difference, row.high
        if row.rung == rung and (row.other, row.arm) == (arm, other):
            return -row.high, -row.difference, -row.low
    return NAN, NAN, NAN


# Beside the rungs


def _trap(follow_up: FollowUp, segment: str) -> tuple[PerBuyer, ...]:
    """Revenue per buyer by arm, which is what a report on those who returned compares."""
    days = follow_up.campaign.window_days
    rows = []
    base = NAN
    for place, arm in enumerate(follow_up.arms):
        revenue, share = (
            per_assigned(follow_up, place, {name: 1.0}, until_day=days)
            for name in ("revenue", "first_returns")
        )
        if place == 0 and follow_up.has_control:
            base = revenue.value
        if revenue.known and share.known and share.value > 0:
            rows.append(
                PerBuyer(
                    arm=arm,
                    buyers=share.value * assigned(follow_up, place),
                    revenue_per_buyer=revenue.value / share.value,
                    revenue_per_assigned=revenue.value,
                    difference=revenue.value - base,
                    segment=segment,
                )
            )
    return tuple(rows)


def _curves(follow_up: FollowUp, treated: Sequence[int], rung4: Rung4 | None) -> tuple[Curve, ...]:
    if not follow_up.has_control or follow_up.seen_days <= 0:
        return ()
    days = [day for day in follow_up.edges if day <= follow_up.seen_days]
    found = []
    measures: tuple[tuple[str, Mapping[str, float]], ...] = (("money", VALUE), ("orders", {"orders": 1.0}))
    beyond = {(curve.arm, curve.measure): curve for curve in (rung4.curves if rung4 else ())}
    for measure, what in measures:
        theirs = [per_assigned(follow_up, 0, what, until_day=day) for day in days[1:]]
        for place in treated:
            mine = [per_assigned(follow_up, place, what, until_day=day) for day in days[1:]]
            gaps = [gap(a, c, level=follow_up.campaign.level) for a, c in zip(mine, theirs, strict=True)]
            if not all(math.isfinite(g.difference) for g in gaps):
                continue
            curve = Curve(
                arm=follow_up.arms[place],
                day=np.array(days, dtype=np.int64),
                difference=np.array([0.0, *(g.difference for g in gaps)]),
                low=np.array([0.0, *(g.low for g in gaps)]),
                high=np.array([0.0, *(g.high for g in gaps)]),
                modelled=np.zeros(len(days), dtype=np.bool_),
                measure="money" if measure == "money" else "orders",
            )
            found.append(_joined(curve, beyond.get((curve.arm, curve.measure))))
    return tuple(found)


def _joined(seen: Curve, beyond: Curve | None) -> Curve:
    """The seen part, then what a model adds after it."""
    if beyond is None:
        return seen
    later = beyond.day > seen.day[-1]
    return replace(
        seen,
        day=np.concatenate([seen.day, beyond.day[later]]),
        difference=np.concatenate([seen.difference, beyond.difference[later]]),
        low=np.concatenate([seen.low, beyond.low[later]]),
        high=np.concatenate([seen.high, beyond.high[later]]),
        modelled=np.concatenate([seen.modelled, beyond.modelled[later]]),
    )


def _balance(follow_up: FollowUp) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
    """Means by arm of what was known before, and how likely such differences are after a lottery (Wald)."""
    n = follow_up.n[0].sum(axis=-1)
    means: dict[str, tuple[float, ...]] = {}
    p: dict[str, float] = {}
    for name, table in follow_up.before.items():
        if name.endswith("²"):
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.asarray(table)[0] / n
            means[name] = tuple(float(value) for value in mean)
            squares = follow_up.before.get(name + "²")
            if squares is None:
                continue
            own = (np.asarray(squares)[0] / n - mean**2) / (n - 1)
        use = (n > 1) & (own > 0)
        if use.sum() < 2:
            continue
        weight = 1 / own[use]
        middle = (weight * mean[use]).sum() / weight.sum()
        p[name] = float(chdtrc(int(use.sum()) - 1, (weight * (mean[use] - middle) ** 2).sum()))
    return means, p


def _noticed(
    follow_up: FollowUp,
    treated: Sequence[int],
    rungs: Sequence[Rung],
    back: Sequence[Returners],
    curves: Sequence[Curve],
    best: Mapping[str, str | None],
    split: float,
    balance_p: Mapping[str, float],
) -> tuple[Note, ...]:
    """What a reader of the rungs must know beside them."""
    notes = []
    if split < UNFAIR_P:
        notes.append(Note("sample-ratio", {"p": split}))
    moved = [name for name, p in balance_p.items() if p < UNFAIR_P]
    if moved and follow_up.has_control:
        notes.append(Note("unbalanced", {"known": moved[0], "p": balance_p[moved[0]]}))
    for row in back:
        low, high = row.needless_bounds
        if math.isfinite(row.needless_discount) and not (low <= row.needless_discount <= high):
            notes.append(Note("needless-outside", {"arm": row.arm}))
        if row.induced_high < 0:
            notes.append(Note("driven-away", {"arm": row.arm, "share": row.induced_share}))
    if follow_up.has_control and not any(follow_up.has_code) and any(row.discount > 0 for row in back):
        notes.append(Note("no-codes"))
    for place in treated:
        notes += _pulled_forward(follow_up, place)
        if (
            follow_up.has_control
            and any(follow_up.has_code)
            and not follow_up.has_code[place]
            and back[place - treated[0]].discount
        ):
            notes.append(Note("no-code", {"arm": follow_up.arms[place]}))
    overtaking = _overtaking(curves, best)
    if overtaking is not None:
        notes.append(overtaking)
    return tuple(notes)


def _pulled_forward(follow_up: FollowUp, arm: int) -> list[Note]:
    """More orders within the window, fewer after it, both told from zero: they were only made earlier."""
    window, seen = follow_up.campaign.window_days, follow_up.seen_days
    if not follow_up.has_control or seen <= window:
        return []
    level = follow_up.campaign.level
    early, later = (
        gap(
            *(
                per_assigned(follow_up, place, {"orders": 1.0}, from_day=first, until_day=last)
                for place in (arm, 0)
            ),
            level=level,
        )
        for first, last in ((0, window), (window, seen))
    )
    if early.low > 0 and later.high < 0:
        values = {"arm": follow_up.arms[arm], "early": early.difference, "later": later.difference}
        return [Note("pulled-forward", values)]
    return []


def _overtaking(curves: Sequence[Curve], best: Mapping[str, str | None]) -> Note | None:
    """The day from which the later leader stays ahead of who led in the window."""
    leader, before = best.get("rung3"), best.get("rung2")
    money = {curve.arm: curve for curve in curves if curve.measure == "money"}
    if leader is None or before is None or before not in money or leader == before or leader not in money:
        return None
    mine = money[leader]
    theirs = money[before].difference
    size = min(len(mine.difference), len(theirs))
    seen = ~mine.modelled[:size]
    behind = np.flatnonzero((mine.difference[:size] <= theirs[:size]) & seen)
    place = int(behind[-1]) + 1 if len(behind) else 0
    if place >= int(seen.sum()):
        return None
    return Note("overtakes", {"arm": leader, "other": before, "day": int(mine.day[place])})


# Segments


def _with_multiplicity(
    follow_up: FollowUp, parts: Sequence[LadderFacts], rung4: Sequence[Rung4]
) -> tuple[list[LadderFacts], tuple[Differs, ...]]:
    """Holm's p over all segments and arms of a rung; where an arm's effect differs between them."""
    places = [
        (rung.rung, part, at)
        for part, facts in enumerate(parts)
        for at, rung in enumerate(facts.rungs)
        if rung.rung >= 2
    ]
    rows = [list(facts.rungs) for facts in parts]
    for number in (2, 3, 4):
        mine = [(part, at) for rung, part, at in places if rung == number]
        adjusted = adjusted_holm(np.array([rows[part][at].p for part, at in mine]))
        for (part, at), p in zip(mine, adjusted, strict=True):
            rows[part][at] = replace(rows[part][at], p_adjusted=float(p))
    found = [replace(facts, rungs=tuple(own)) for facts, own in zip(parts, rows, strict=True)]
    level = follow_up.campaign.level
    differs = [
        row
        for number, known in ((2, None), (3, None), (4, rung4))
        for row in _differs(
            number, _effects(follow_up, number) if known is None else _expected(follow_up, known), level=level
        )
    ]
    return found, tuple(differs)


Effects = Mapping[str, Mapping[str, tuple[float, float, float]]]
"""Arm → segment → its difference from the control, the standard error of that and its customers."""


def _effects(follow_up: FollowUp, number: int) -> Effects:
    """On rung 2 or 3."""
    if not follow_up.has_control:
        return {}
    days = follow_up.campaign.window_days if number == 2 else follow_up.seen_days
    level = follow_up.campaign.level
    parts = [of_segment(follow_up, place) for place in range(len(follow_up.segments))]
    known: dict[str, dict[str, tuple[float, float, float]]] = {}
    for arm, name in enumerate(follow_up.arms[1:], start=1):
        rows = known[name] = {}
        for segment, part in zip(follow_up.segments, parts, strict=True):
            found = gap(_value(part, arm, days), _value(part, 0, days), level=level)
            if math.isfinite(found.se):
                rows[segment] = (found.difference, found.se, assigned(part, arm))
    return known


def _expected(follow_up: FollowUp, rung4: Sequence[Rung4]) -> Effects:
    """On rung 4, in those segments where the whole of it can be told; their models know nothing of each other."""
    known: dict[str, dict[str, tuple[float, float, float]]] = {name: {} for name in follow_up.arms[1:]}
    for segment, told in zip(follow_up.segments if rung4 else (), rung4, strict=True):
        for rung in told.rungs:
            error = told.errors.get(rung.arm, NAN)
            if math.isfinite(error):
                known[rung.arm][segment] = (rung.value_per_assigned, error, float(rung.n))
    return known


def _differs(number: int, effects: Effects, *, level: float) -> list[Differs]:
    """Arm by arm, where at least two segments can tell."""
    known = {name: rows for name, rows in effects.items() if len(rows) > 1}
    p = {name: heterogeneity(np.array(list(rows.values())))[0] for name, rows in known.items()}
    adjusted = dict(zip(p, adjusted_holm(np.array(list(p.values()))), strict=True)) if p else {}
    return [
        Differs(
            rung=number,
            arm=name,
            p=p[name],
            p_adjusted=float(adjusted[name]),
            segments=_apart(rows, level=level, arms=len(known)) if adjusted[name] < 1 - level else (),
        )
        for name, rows in known.items()
    ]


def _apart(rows: Mapping[str, tuple[float, float, float]], *, level: float, arms: int) -> tuple[str, ...]:
    """The segments to set apart, so that what remains is alike: the one furthest from the rest first.

    One odd segment moves "the others" of every other one, so that all would seem to differ; taken out, the others
    agree. Each step asks for the level anew, shared between the arms.
    """
    left, named = dict(rows), []
    while len(left) > 1:
        overall, alone = heterogeneity(np.array(list(left.values())))
        if overall * arms >= 1 - level:
            break
        if len(left) == 2:
            named += left
            break
        furthest = list(left)[int(np.argmin(alone))]
        named.append(furthest)
        del left[furthest]
    return tuple(name for name in rows if name in named)


def heterogeneity(rows: np.ndarray) -> tuple[float, list[float]]:
    """p of "the same in every segment", and of "the same here as in all others together", for each.

    Args:
        rows: (S, 3) an effect, its standard error and its customers, by segment.
    Source:
        Cochran (1954), "The combination of estimates from different experiments": Q = Σ (x − x̄)² / se² against χ²
        with one degree of freedom fewer; the same with two groups for one segment and the rest.
    """
    value, se, size = rows.T
    weight = 1 / se**2
    middle = (weight * value).sum() / weight.sum()
    overall = float(chdtrc(len(rows) - 1, (weight * (value - middle) ** 2).sum()))
    alone = []
    for place in range(len(rows)):
        others = np.arange(len(rows)) != place
        share = size[others] / size[others].sum()
        rest, noise = (share * value[others]).sum(), (share**2 * se[others] ** 2).sum()
        alone.append(float(chdtrc(1, (value[place] - rest) ** 2 / (se[place] ** 2 + noise))))
    return overall, alone
