"""Which rung a campaign reached, what is missing for the next one, and how to get it, in numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from primeta.reactivation.estimates import LEAST_CUSTOMERS, assigned, per_assigned
from primeta.reactivation.records import NAN, TOTALS, FollowUp, Rung, Step
from primeta.stats.sample_size import Rules, needed_drift

POWER = 0.8
MATTERS = 0.1
"""Of what rung 1 claims: a difference that small is still worth knowing, if the campaign costs less than that."""
LATER_WINDOWS = 3
"""Rung 3 is asked for over so many windows, or over the horizon where that is shorter."""


def climb(follow_up: FollowUp, rungs: Sequence[Rung]) -> tuple[Step, ...]:
    """Rungs 0 to 4, each with what it lacks.

    Args:
        follow_up: Of one segment.
        rungs: All that were reckoned for it.
    """
    by_rung = {number: [rung for rung in rungs if rung.rung == number] for number in range(5)}
    steps = []
    for number in range(5):
        known = [rung for rung in by_rung[number] if math.isfinite(rung.value_per_assigned)]
        reached = bool(known)
        if number == 3:
            reached = reached and follow_up.seen_days > follow_up.campaign.window_days
        if number == 4:
            reached = any(not rung.why_not for rung in known)
        if reached:
            steps.append(_reached(follow_up, number, known))
        else:
            steps.append(_missing(follow_up, number, by_rung))
    return tuple(steps)


def followed_by_all(follow_up: FollowUp) -> int:
    """Days, an edge, for which every one of the assigned was followed."""
    whole = follow_up.at_risk.sum(axis=(0, 1, 2)) >= follow_up.n.sum() - 0.5
    lived = int(whole.cumprod().sum())
    return follow_up.edges[lived]


def _reached(follow_up: FollowUp, number: int, known: list[Rung]) -> Step:
    values: dict[str, Any] = {}
    if number >= 2:
        # half an interval, turned into what would have been seen with the power asked for
        level = follow_up.campaign.level
        halves = [(rung.high - rung.low) / 2 for rung in known if math.isfinite(rung.high - rung.low)]
        if halves:
            rules = Rules(level=level, power=POWER)
            values["detectable"] = max(halves) * needed_drift(rules) / float(rules.multipliers()[0])
            values["power"] = POWER
    how = ""
    if number == 4 and any(rung.modelled for rung in known):
        how = "wait-seen"
        values |= _until_seen(follow_up, known)
    return Step(rung=number, reached=True, missing="", how=how, values=values)


def _until_seen(follow_up: FollowUp, known: list[Rung]) -> dict[str, Any]:
    """When the horizon has passed for everybody, and what the control would have brought until then."""
    campaign = follow_up.campaign
    left = campaign.horizon_days - followed_by_all(follow_up)
    control = assigned(follow_up, 0)
    best = max(known, key=lambda rung: rung.value_per_assigned)
    return {
        "until": campaign.until + timedelta(days=left),
        "days": left,
        "control": round(control),
        "cost": max(best.modelled, 0.0) * control,
    }


def _missing(follow_up: FollowUp, number: int, by_rung: Mapping[int, Sequence[Rung]]) -> Step:
    campaign = follow_up.campaign
    reasons = [rung.why_not for rung in by_rung[number] if rung.why_not]
    if not follow_up.has_control and number >= 2:
        missing = "no-control"
    elif number == 3 and not reasons:
        missing = "short-follow-up"
    else:
        missing = reasons[0] if reasons else "short-follow-up"
    values: dict[str, Any] = {}
    how = ""
    if missing == "no-control":
        how, values = hold_out(follow_up, by_rung) if number == 2 else ("keep-control", {})
        days = {
            2: campaign.window_days,
            3: _later_days(follow_up),
            4: campaign.horizon_days,
        }[number]
        values |= {"days": days, "until": campaign.until + timedelta(days=days + 1)}
    elif missing == "small-arm":
        how = "more-customers"
        names = dict(zip(follow_up.arms, (round(assigned(follow_up, a)) for a in range(len(follow_up.arms)))))
        values = {
            "least": LEAST_CUSTOMERS,
            "smallest": min(names.values()),
            "arm": min(names, key=names.__getitem__),
        }
    elif number in (0, 1, 2):
        how = "wait"
        left = max(campaign.window_days - follow_up.seen_days, 1)
        values = {"until": campaign.until + timedelta(days=left), "days": campaign.window_days}
    elif number == 3:
        how = "wait-untouched"
        left = max(_later_days(follow_up) - follow_up.seen_days, 1)
        values = {"until": campaign.until + timedelta(days=left), "days": _later_days(follow_up)}
    else:
        how = "wait-horizon"
        left = max(campaign.horizon_days - followed_by_all(follow_up), 1)
        values = {"until": campaign.until + timedelta(days=left), "days": campaign.horizon_days}
    return Step(rung=number, reached=False, missing=missing, how=how, values=values)


def _later_days(follow_up: FollowUp) -> int:
    """Days that rung 3 asks for; more than the window even where nobody asked for a longer horizon."""
    campaign = follow_up.campaign
    wanted = LATER_WINDOWS * campaign.window_days
    return min(wanted, campaign.horizon_days) if campaign.horizon_days > campaign.window_days else wanted


def hold_out(follow_up: FollowUp, by_rung: Mapping[int, Sequence[Rung]]) -> tuple[str, dict[str, Any]]:
    """How many of the next campaign's customers to leave alone, if it is as large and as noisy as this one.

    The effect to be seen is what the arm that claims most costs each customer in contact and discount, or a tenth of
    its claim, whichever is more. With x the control's share of N customers of standard deviation s, and d the drift
    that brings the power: 1 / (x(1 − x)) = N · (effect / (d·s))².

    Returns:
        `hold-out` with control, of, effect, or, where even a half would not do, `hold-half` with control, of, needed
        (customers over several campaigns), or `hold-out-any` where too few have been followed to know.
    """
    campaign = follow_up.campaign
    claims = {rung.arm: rung.value_per_assigned for rung in by_rung.get(1, ()) if rung.value_per_assigned > 0}
    name = max(claims, key=claims.__getitem__) if claims else follow_up.arms[-1]
    first = follow_up.arms.index(name)
    moments = follow_up.window[0, first]
    total = sum(assigned(follow_up, place) for place in range(len(follow_up.arms)))
    n = float(moments.n)
    money = TOTALS.index("money")
    spread = math.sqrt(float(moments.scatter[money, money]) / (n - 1)) if n > 1 else 0.0
    costs = per_assigned(
        follow_up, first, {"contact": 1.0, "code_discount": 1.0}, until_day=campaign.window_days, least=1
    ).value
    claimed = claims.get(name, NAN)
    effect = max(costs if math.isfinite(costs) else 0.0, MATTERS * claimed if math.isfinite(claimed) else 0.0)
    if n < LEAST_CUSTOMERS or not (spread > 0 and effect > 0):
        return "hold-out-any", {"of": round(total), "control": _rounded(total / 10)}
    drift = needed_drift(Rules(level=campaign.level, power=POWER))
    room = total * (effect / (drift * spread)) ** 2
    values: dict[str, Any] = {
        "of": round(total),
        "effect": effect,
        "power": POWER,
        "returned": float(moments.mean[TOTALS.index("returned")]),
        "basis": "cost" if math.isfinite(costs) and effect == costs else "claim",
    }
    if room < 4:
        return "hold-half", {
            **values,
            "control": round(total / 2),
            "needed": _rounded(4 * (drift * spread / effect) ** 2),
        }
    share = (1 - math.sqrt(1 - 4 / room)) / 2
    return "hold-out", {**values, "control": max(_rounded(share * total), LEAST_CUSTOMERS)}


def _rounded(customers: float) -> int:
    """Up, to what a person would write."""
    step = 100 if customers > 2_000 else 10
    return math.ceil(customers / step) * step
