"""Which channel first, and what next for those who stay silent: strategies compared within one two-stage experiment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from primeta.errors import BadTable
from primeta.experiments.ids import unit_text
from primeta.reactivation.policy.inputs import SMALL_ARM, Lapsed
from primeta.reactivation.policy.off_policy import NO_CONTACT, folds_by_id, wanted_by
from primeta.reactivation.policy.outcomes import (
    check_costs,
    contact_of,
    features_of,
    outcome_of,
    probabilities,
)
from primeta.reactivation.policy.result import Point, PolicyResult, Rival, Segment, Valued
from primeta.reactivation.records import NAN, Note
from primeta.stats.best_set import may_be_best
from primeta.stats.doubly_robust import estimate
from primeta.stats.multiplicity import adjusted_holm
from primeta.stats.two_stages import augmented_influences, weighted_influences

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strategies:
    """The strategies that the experiment holds, with each customer's influence on their values."""

    names: tuple[str, ...]
    firsts: tuple[str, ...]
    seconds: tuple[str, ...]
    """"" where the first step has no second."""
    influence: Floats
    """(n, S), doubly robust; over the control where there is one."""
    weighted: Floats
    """(n, S), by weights alone."""
    total: Floats
    """(n, S), doubly robust, all the money."""
    weights: Floats
    """(n, S) one over the probability of what each got, where it fits; the control's in the first column, where
    there is one."""
    outcome: Floats
    """(n,)"""
    fit: Ints
    """(S,) customers who did just this."""
    effective: Floats
    """(S,) customers of equal weight who would tell as much."""
    notes: tuple[Note, ...]
    why_not: str = ""
    small: tuple[int, ...] = ()
    """Strategies with too few customers."""


def sequence_of(lapsed: Lapsed) -> PolicyResult:
    """What `door.sequence` answers, of customers that were read already."""
    _second_only_for_the_silent(lapsed)
    whole = _compared(lapsed, None)
    if not lapsed.terms.by or whole.why_not:
        return whole
    points, segments = list(whole.curve), []
    for value in sorted(set(lapsed.segment.tolist())):
        part = _compared(lapsed.select(lapsed.segment == value), value)
        points += part.curve
        segments.append(
            Segment(
                by=value,
                n=part.n,
                recommended=part.recommended,  # pyright: ignore[reportArgumentType]
                recommended_low=None,
                recommended_high=None,
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
    return replace(whole, curve=tuple(points), segments=tuple(segments), by=lapsed.terms.by)


def _second_only_for_the_silent(lapsed: Lapsed) -> None:
    wrong = np.isfinite(lapsed.second_day) & (lapsed.returned < lapsed.second_day)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise BadTable(
            f"customer {lapsed.customer[at]} came back on day {lapsed.returned[at]:.1f} since the lapse and was assigned "
            f"a second stage on day {lapsed.second_day[at]:.1f} ({int(wrong.sum()):,} such customers in all). The second "
            f"stage is only for those who stayed silent after the first: take these rows out if nothing was sent."
        )
    if lapsed.terms.control:
        again = lapsed.is_control & (lapsed.second_arm != None)  # noqa: E711
        if again.any():
            at = int(np.flatnonzero(again)[0])
            raise BadTable(
                f"customer {lapsed.customer[at]} is in the control and has a second stage ({int(again.sum()):,} such in "
                f"all). The control is never contacted; call an arm that is contacted late something else."
            )


def strategies_of(lapsed: Lapsed) -> Strategies:
    """Strategies and influences; rows of arms that are too small are NaN."""
    terms = lapsed.terms
    firsts = sorted(set(lapsed.arm.tolist()) - {terms.control})
    arms = ((terms.control,) if terms.control else ()) + tuple(firsts)
    place = {name: at for at, name in enumerate(arms)}
    first = np.array([place[name] for name in lapsed.arm], dtype=np.int64)
    seconds = tuple(sorted({name for name in lapsed.second_arm if name is not None}))
    where = {name: at for at, name in enumerate(seconds)}
    second = np.array([-1 if name is None else where[name] for name in lapsed.second_arm], dtype=np.int64)
    check_costs(lapsed, arms)
    features = features_of(lapsed)
    everybody = np.ones(lapsed.n, dtype=bool)
    p1, notes1, why1 = probabilities(lapsed.probability, first, [everybody], features, arms, lapsed.customer)
    silent = [(first == a) & (second >= 0) for a in range(len(arms))]
    silent = [rows for rows in silent if rows.any()]
    p2, notes2, why2 = probabilities(
        lapsed.second_probability, np.maximum(second, 0), silent, features, seconds or ("",), lapsed.customer
    )
    notes = [*lapsed.notes, *notes1, *(note for note in notes2 if note not in notes1)]
    pairs: list[tuple[int, int]] = []
    for name in firsts:
        after = np.unique(second[(first == place[name]) & (second >= 0)])
        pairs += [(place[name], int(b)) for b in after] or [(place[name], -1)]
    cell = np.unique(first * (len(seconds) + 1) + second + 1, return_inverse=True)[1].astype(np.int64)
    outcome, late = outcome_of(lapsed.sums["money"] - contact_of(lapsed), lapsed, cell)
    mature = float((lapsed.followed >= lapsed.edges[-1]).mean())
    if mature < 1:
        notes.append(Note("partly-followed", {"share": mature, "days": int(lapsed.edges[-1])}))
    notes += _never_second(lapsed, second)
    names = tuple(_name(arms[a], seconds[b] if b >= 0 else "") for a, b in pairs)
    fit = np.array(
        [int(((first == a) & ((second < 0) | (second == b) | (b < 0))).sum()) for a, b in pairs],
        dtype=np.int64,
    )
    just = [
        int(((first == a) & (second == b)).sum()) if b >= 0 else int((first == a).sum()) for a, b in pairs
    ]
    small = tuple(at for at, count in enumerate(just) if count < SMALL_ARM)
    why_not = why1 or why2 or late
    n, s = lapsed.n, len(pairs)
    nothing = np.full((n, s), np.nan)
    plain = Strategies(
        names=names,
        firsts=tuple(arms[a] for a, _ in pairs),
        seconds=tuple(seconds[b] if b >= 0 else "" for _, b in pairs),
        influence=nothing,
        weighted=nothing,
        total=nothing,
        weights=nothing,
        outcome=outcome,
        fit=fit,
        effective=np.full(s, np.nan),
        notes=tuple(notes),
        why_not=why_not,
        small=small,
    )
    if why_not:
        return plain
    asked = ([(0, -1)] if terms.control else []) + pairs
    p2 = np.where(second >= 0, p2, 1.0)
    augmented = augmented_influences(
        outcome, first, second, p1, p2, features, asked, fold=folds_by_id(lapsed.customer)
    )
    weighted = weighted_influences(outcome, first, second, p1, p2, asked)
    augmented = np.where(np.isfinite(augmented), augmented, weighted)
    start = 1 if terms.control else 0
    base, plain_base = (augmented[:, :1], weighted[:, :1]) if terms.control else (0.0, 0.0)
    weights = np.column_stack([_weight(first, second, p1, p2, a, b) for a, b in asked])
    return replace(
        plain,
        influence=augmented[:, start:] - base,
        weighted=weighted[:, start:] - plain_base,
        total=augmented[:, start:],
        weights=weights,
        effective=np.array([_kish(column) for column in weights[:, start:].T]),
    )


def _weight(first: Ints, second: Ints, p1: Floats, p2: Floats, a: int, b: int) -> Floats:
    weight = np.where(first == a, 1 / p1, 0.0)
    return weight if b < 0 else weight * np.where(second >= 0, np.where(second == b, 1 / p2, 0.0), 1.0)


def _kish(weight: Floats) -> float:
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def _never_second(lapsed: Lapsed, second: Ints) -> list[Note]:
    """Customers who were silent when others of their arm were drawn again, and were not."""
    found = 0
    for arm in set(lapsed.arm.tolist()):
        rows = lapsed.arm == arm
        days = lapsed.second_day[rows & (second >= 0)]
        if len(days):
            last = float(days.max())
            found += int((rows & (second < 0) & (lapsed.returned > last) & (lapsed.followed > last)).sum())
    return [Note("silent-without-second", {"customers": found})] if found else []


def _name(first: str, second: str) -> str:
    return f"{first}, then {second} if silent" if second else first


def _compared(lapsed: Lapsed, by: str | None) -> PolicyResult:
    terms = lapsed.terms
    plain = PolicyResult(
        kind="sequence",
        basis="over-control" if terms.control else "total",
        control=terms.control,
        horizon=terms.horizon,
        level=terms.level,
        n=lapsed.n,
        arms={name: int((lapsed.arm == name).sum()) for name in sorted(set(lapsed.arm.tolist()))},
        currency=terms.currency,
        notes=lapsed.notes,
    )
    if terms.control and int(lapsed.is_control.sum()) < SMALL_ARM:
        return replace(plain, why_not="small-arm")
    found = strategies_of(lapsed)
    notes = list(found.notes)
    if not terms.control:
        notes.append(Note("no-control-in-sequence"))
    plain = replace(plain, notes=tuple(notes))
    cannot = [
        Point(x=name, by=by, n=int(n), why_not=found.why_not or ("small-arm" if at in found.small else ""))
        for at, (name, n) in enumerate(zip(found.names, found.fit, strict=True))
    ]
    usable = [at for at in range(len(found.names)) if at not in found.small]
    if found.why_not or not usable:
        why_not = found.why_not or ("small-arm" if found.names else "no-contact-arm")
        return replace(plain, why_not=why_not, curve=tuple(cannot))
    influence = found.influence[:, usable]
    value = influence.mean(axis=0)
    covariance = np.atleast_2d(np.cov(influence.T)) / len(influence)
    df = np.maximum(found.effective[usable] - 1, 1.0)
    se = np.sqrt(np.diag(covariance))
    reach = stdtrit(df, 0.5 + terms.level / 2) * se
    mean, spread = value, covariance
    if terms.control:
        # no contact at all is one of the candidates
        mean = np.r_[0.0, value]
        spread = np.pad(covariance, ((1, 0), (1, 0)))
    may = may_be_best(mean, spread, level=terms.level)
    best = int(np.argmax(mean))
    names = [found.names[at] for at in usable]
    candidates = (["none"] if terms.control else []) + names
    weighted = found.weighted[:, usable]
    plainly = weighted.mean(axis=0)
    far = stdtrit(df, 0.5 + terms.level / 2) * weighted.std(axis=0, ddof=1) / np.sqrt(lapsed.n)
    by_name = {
        names[i]: Point(
            x=names[i],
            by=by,
            value=float(value[i]),
            low=float(value[i] - reach[i]),
            high=float(value[i] + reach[i]),
            n=int(found.fit[at]),
            best=bool(may[i + 1] if terms.control else may[i]),
            weighted=float(plainly[i]),
            weighted_low=float(plainly[i] - far[i]),
            weighted_high=float(plainly[i] + far[i]),
            effective=float(found.effective[at]),
        )
        for i, at in enumerate(usable)
    }
    rivals = []
    shift = np.zeros(len(mean))
    shift[best] = 1.0
    for i, name in enumerate(candidates):
        if i == best:
            continue
        gap = shift.copy()
        gap[i] -= 1.0
        lead, error = float(gap @ mean), float(np.sqrt(max(gap @ spread @ gap, 0.0)))
        reach_of = float(stdtrit(float(df.min()), 0.5 + terms.level / 2)) * error
        own = by_name.get(name)
        rivals.append(
            Rival(
                name=name,
                x=name,
                value=own.value if own else 0.0,
                low=own.low if own else 0.0,
                high=own.high if own else 0.0,
                ahead=lead,
                ahead_low=lead - reach_of,
                ahead_high=lead + reach_of,
            )
        )
    chosen = candidates[best]
    own = by_name.get(chosen)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(df, -np.abs(np.where(se > 0, value / se, 0.0)))
    return replace(
        plain,
        curve=tuple(by_name.get(str(point.x), point) for point in cannot),
        recommended=chosen,
        best_set=tuple(name for name, kept in zip(candidates, may, strict=True) if kept),
        value=own.value if own else 0.0,
        low=own.low if own else 0.0,
        high=own.high if own else 0.0,
        rivals=tuple(rivals),
        extra={"p": float(min(1.0, len(p) * p.min())) if terms.control else NAN},
    )


def valued_sequence(policy: Any, lapsed: Lapsed) -> Valued:
    """The value of giving each customer the strategy that a table names for him."""
    found = strategies_of(lapsed)
    place = {name: at for at, name in enumerate(found.names)}
    place |= {
        f"{a} > {b}": at for at, (a, b) in enumerate(zip(found.firsts, found.seconds, strict=True)) if b
    }

    def strategy(value: Any, _column: str) -> int:
        text = unit_text(value)
        if text.casefold() in NO_CONTACT and lapsed.terms.control:
            return -1
        if text not in place:
            raise BadTable(f"the policy wants {text!r}; the experiment holds {'; '.join(found.names)}")
        return place[text]

    named, listed = wanted_by(
        policy, lapsed, ("sequence",), strategy, expected=f"sequence, such as {found.names[0]!r}"
    )
    wanted = named[listed]
    n = int(listed.sum())
    if found.why_not or any(at in found.small for at in np.unique(wanted)):
        return Valued(n=n, why_not=found.why_not or "small-arm")
    rows, level = np.arange(n), lapsed.terms.level
    has_control = bool(lapsed.terms.control)
    column = wanted + 1 if has_control else wanted
    weight = found.weights[listed][rows, column]
    outcome = found.outcome[listed]
    effective = _kish(weight)
    if effective < SMALL_ARM:
        return Valued(n=n, followed=int((weight > 0).sum()), why_not="few-followed")
    inverse, normal = _by_weight(weight, outcome)
    if has_control:
        other = _by_weight(found.weights[listed][:, 0], outcome)
        inverse, normal = inverse - other[0], normal - other[1]
    doubly = np.where(wanted >= 0, found.influence[listed][rows, np.maximum(wanted, 0)], 0.0)
    three = (estimate(part, df=max(effective - 1, 1.0), level=level) for part in (doubly, inverse, normal))
    return Valued.of(*three, effective=effective, followed=int((weight > 0).sum()), n=n)


def _by_weight(weight: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    """Influences of the weighted mean, plain and normalised."""
    total = float(weight.sum())
    mean = float(weight @ outcome) / total if total > 0 else NAN
    return weight * outcome, mean + weight * (len(weight) / max(total, 1e-300)) * (outcome - mean)
