"""When to write: money per lapsed customer as a curve over the days from the lapse to the contact.

Everybody who was assigned counts from his lapse on, also who came back before his day and was never written to: a
later day saves such contacts, and loses those who are gone by then. Both are in the curve.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from primeta.errors import BadTable
from primeta.reactivation.policy.inputs import SMALL_ARM, Lapsed
from primeta.reactivation.policy.outcomes import Measured, measured
from primeta.reactivation.policy.result import Action, Point, PolicyResult, Rival, Segment
from primeta.reactivation.records import NAN, Note
from primeta.stats.best_set import may_be_best
from primeta.stats.monotone_dose import rising
from primeta.stats.multiplicity import adjusted_holm
from primeta.stats.natural_spline import basis
from primeta.stats.weighted_fit import WeightedFit, weighted_fit, without_features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_DELAYS = 8
"""Up to so many delays, each is a knot of the curve, and its height there is that arm's own mean."""
KNOTS = 5
"""Where the delay was drawn from a range: at equal shares of the customers."""
POINTS = 40


def moment_of(lapsed: Lapsed) -> PolicyResult:
    """What `door.moment` answers, of customers that were read already."""
    terms = lapsed.terms
    delays_told(lapsed)
    whole = _curve(lapsed, None)
    if not terms.by or whole.why_not:
        return whole
    points, segments = list(whole.curve), []
    for value in sorted(set(lapsed.segment.tolist())):
        part = _curve(lapsed.select(lapsed.segment == value), value)
        points += part.curve
        segments.append(
            Segment(
                by=value,
                n=part.n,
                recommended=part.recommended,  # pyright: ignore[reportArgumentType]
                recommended_low=part.recommended_low,
                recommended_high=part.recommended_high,
                value=part.value,
                low=part.low,
                high=part.high,
                p=part.extra.get("p", NAN),
                p_adjusted=NAN,
                why_not=part.why_not,
            )
        )
    adjusted = adjusted_holm(np.array([entry.p for entry in segments]))
    segments = [replace(entry, p_adjusted=float(p)) for entry, p in zip(segments, adjusted, strict=True)]
    return replace(whole, curve=tuple(points), segments=tuple(segments), by=terms.by)


def delays_told(lapsed: Lapsed) -> None:
    """Raises BadTable where a treated customer's delay is not known."""
    missing = np.isnan(lapsed.delay) & ~lapsed.is_control
    if not missing.any():
        return
    first = int(np.flatnonzero(missing)[0])
    if missing.all() or np.isnan(lapsed.delay).all():
        raise BadTable(
            "the assignments carry no delay_days: the moment is measured from the days between the lapse "
            "(assigned_at) and the planned contact, as they were drawn. Add the column."
        )
    raise BadTable(
        f"delay_days of customer {lapsed.customer[first]} (arm {lapsed.arm[first]}) is missing "
        f"({int(missing.sum()):,} such in all). Only the control has none; name it by --control, or fill the delay in."
    )


def _curve(lapsed: Lapsed, by: str | None) -> PolicyResult:
    terms = lapsed.terms
    control = lapsed.is_control
    delay = np.where(control, np.nan, lapsed.delay)
    levels, at = np.unique(delay[~control], return_inverse=True)
    drawn_from_range = len(levels) > MOST_DELAYS
    if drawn_from_range:
        cuts = np.unique(np.quantile(delay[~control], np.linspace(0, 1, MOST_DELAYS + 1)[1:-1]))
        at = np.searchsorted(cuts, delay[~control], side="right")
    cell = np.zeros(lapsed.n, dtype=np.int64)
    cell[~control] = 1 + at
    counts = np.bincount(cell, minlength=2 if len(levels) == 0 else int(cell.max()) + 1)
    plain = PolicyResult(
        kind="moment",
        basis="over-control",
        control=terms.control,
        horizon=terms.horizon,
        level=terms.level,
        n=lapsed.n,
        arms={name: int((lapsed.arm == name).sum()) for name in sorted(set(lapsed.arm.tolist()))},
        currency=terms.currency,
        notes=lapsed.notes,
    )
    if not terms.control or not control.any():
        return replace(plain, why_not="no-control")
    if len(levels) == 0:
        return replace(plain, why_not="no-contact-arm")
    small = (
        []
        if drawn_from_range
        else [float(x) for x, n in zip(levels, counts[1:], strict=True) if n < SMALL_ARM]
    )
    if counts[0] < SMALL_ARM or len(small) == len(levels):
        points = tuple(
            Point(x=float(x), by=by, n=int(n), why_not="small-arm") for x, n in zip(levels, counts[1:])
        )
        return replace(plain, why_not="small-arm", curve=() if drawn_from_range else points)
    kept = np.ones(lapsed.n, dtype=bool)
    kept[np.isin(delay, small)] = False
    used = lapsed.select(kept)
    seen = measured(used, cell=np.unique(cell[kept], return_inverse=True)[1])
    plain = replace(plain, notes=(*seen.notes, *_other_things(used)))
    if seen.why_not:
        return replace(plain, why_not=seen.why_not)
    tried = levels[~np.isin(levels, small)]
    if drawn_from_range:
        knots = np.unique(np.quantile(delay[~control], np.linspace(0, 1, KNOTS)))
        plain = replace(plain, notes=(*plain.notes, Note("drawn-from-range")))
    else:
        knots = tried
        plain = replace(plain, notes=(*plain.notes, *(Note("small-delay", {"days": x}) for x in small)))
    fit = _fit(seen, delay[kept], knots, np.unique(cell[kept], return_inverse=True)[1])
    grid = _grid(tried, drawn_from_range)
    # the first coefficient is never; the curve is the difference from it
    contrast = np.column_stack([-np.ones(len(grid)), basis(grid, knots)])
    value, low, high, p = fit.contrast(contrast, level=terms.level)
    returned, lost = _silence(lapsed, grid)
    candidates = np.arange(len(grid)) if drawn_from_range else np.flatnonzero(np.isin(grid, tried))
    rows = np.vstack([np.zeros(contrast.shape[1]), contrast[candidates]])
    may = may_be_best(rows @ fit.coefficient, rows @ fit.covariance @ rows.T, level=terms.level)
    best = int(np.argmax(rows @ fit.coefficient))
    set_of: list[Action] = [float(grid[i]) for i in candidates[may[1:]]]
    if may[0]:
        set_of.insert(0, "never")
    points = [
        Point(
            x=float(x),
            by=by,
            value=float(value[i]),
            low=float(low[i]),
            high=float(high[i]),
            n=int((delay == x).sum()),
            tried=bool(drawn_from_range or x in tried),
            best=float(x) in set_of,
            returned=float(returned[i]),
            lost=float(lost[i]),
        )
        for i, x in enumerate(grid)
    ]
    points += [Point(x=x, by=by, n=int((delay == x).sum()), why_not="small-arm") for x in small]
    days = [x for x in set_of if isinstance(x, float)]
    recommended: Action = "never" if best == 0 else float(grid[candidates[best - 1]])
    mine = rows[best]
    own = [float(part[0]) for part in fit.contrast(mine[None], level=terms.level)]
    return replace(
        plain,
        curve=tuple(sorted(points, key=lambda point: point.x if isinstance(point.x, float) else 0.0)),
        recommended=recommended,
        recommended_low=min(days) if days else "never",
        recommended_high=max(days) if days else "never",
        best_set=tuple(set_of),
        value=own[0],
        low=own[1],
        high=own[2],
        rivals=_rivals(fit, tried if not drawn_from_range else grid, knots, mine, terms.level),
        extra={"p": float(min(1.0, len(candidates) * np.nanmin(p[candidates])))},
    )


def _fit(seen: Measured, delay: Floats, knots: Floats, group: Ints) -> WeightedFit:
    """Heights: of never, then at each knot."""
    share = seen.counts / len(seen.taken)
    # Arms of equal probability get weight 1, so that the weights undo only what the lottery made uneven.
    weight = share[seen.taken] / seen.probability
    treated = np.isfinite(delay)
    design = np.zeros((len(delay), 1 + len(knots)))
    design[~treated, 0] = 1.0
    design[treated, 1:] = basis(delay[treated], knots)
    outcome = without_features(seen.outcome, group, seen.features, weight)
    return weighted_fit(design, outcome, weight, group)


def _grid(tried: Floats, drawn_from_range: bool) -> Floats:
    """Days at which the curve is read: whole ones, at most about `POINTS`, and all that were tried."""
    low, high = float(tried.min()), float(tried.max())
    step = max(1.0, np.ceil((high - low) / POINTS))
    days = np.arange(np.ceil(low), high + 1e-9, step)
    ends = [low, high]
    return np.unique(np.concatenate([days, ends if drawn_from_range else tried]))


def _silence(lapsed: Lapsed, days: Floats) -> tuple[Floats, Floats]:
    """Shares, by each day, of those who had come back by themselves and of those who were lost.

    Everybody counts as long as he has not been written to. *Lost* reads the hazard of coming back by oneself: if those
    who are still there came at the hazard of the first days, the hazard h(t) of the silent would say that
    1 − h(t) / h(0) of them are gone; h is made to fall.
    """
    clear = np.where(lapsed.is_control, np.inf, np.nan_to_num(lapsed.delay, nan=np.inf))
    end = np.minimum(np.minimum(clear, lapsed.followed), lapsed.edges[-1])
    time = np.minimum(lapsed.returned, end)
    event = lapsed.returned < end
    width = max(3.0, float(days[-1]) / 8)
    edges = np.arange(0.0, float(days[-1]) + 2 * width, width)
    exposure = np.array([np.clip(time - a, 0, width).sum() for a in edges[:-1]])
    events = np.histogram(time[event], edges)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(exposure > 0, events / exposure, np.nan)
    known = np.isfinite(rate)
    fall = np.full(len(rate), np.nan)
    fall[known] = -rising(-rate[known], exposure[known])
    hazard = (
        np.interp(days, (edges[:-1] + edges[1:])[known] / 2, fall[known])
        if known.any()
        else np.full(len(days), np.nan)
    )
    order = np.sort(time[event])
    # Kaplan & Meier (1958)
    at_risk = (
        np.array([(time >= t).sum() for t in np.unique(order)])
        if len(order) < 2000
        else _risk(time, np.unique(order))
    )
    distinct, died = np.unique(order, return_counts=True)
    silent = np.cumprod(1 - died / np.maximum(at_risk, 1)) if len(distinct) else np.ones(0)
    place = np.searchsorted(distinct, days, side="left")
    still = np.concatenate([[1.0], silent])[place]
    first = fall[known][0] if known.any() else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = np.where(first > 0, 1 - hazard / first, np.nan)
    return 1 - still, still * np.clip(gone, 0.0, 1.0)


def _risk(time: Floats, at: Floats) -> Ints:
    return len(time) - np.searchsorted(np.sort(time), at, side="left")


def _rivals(fit: WeightedFit, tried: Floats, knots: Floats, mine: Floats, level: float) -> tuple[Rival, ...]:
    first, last = float(tried.min()), float(tried.max())
    named: list[tuple[str, Action, Floats]] = [
        ("at-once" if first < 1 else "earliest", first, np.r_[-1.0, basis([first], knots)[0]]),
        ("never", "never", np.zeros(1 + len(knots))),
        ("latest", last, np.r_[-1.0, basis([last], knots)[0]]),
    ]
    found = []
    for name, x, row in named:
        own = [float(part[0]) for part in fit.contrast(row[None], level=level)]
        ahead = [float(part[0]) for part in fit.contrast((mine - row)[None], level=level)]
        found.append(
            Rival(
                name=name,
                x=x,
                value=own[0],
                low=own[1],
                high=own[2],
                ahead=ahead[0],
                ahead_low=ahead[1],
                ahead_high=ahead[2],
            )
        )
    return tuple(found)


def _other_things(lapsed: Lapsed) -> tuple[Note, ...]:
    """Whether channel or discount differed beside the delay."""
    treated = ~lapsed.is_control
    channels = {name for name in lapsed.channel[treated] if name}
    depths = set(np.round(lapsed.depth[treated & np.isfinite(lapsed.depth)], 6).tolist())
    return tuple(
        Note("other-things-vary", {"what": what})
        for what, values in (("channel", channels), ("discount", depths))
        if len(values) > 1
    )
