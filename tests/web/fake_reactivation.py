"""An invented campaign with all five rungs, for pages that show it: the figures of the house's own drawing of a ladder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from fake_experiments import NAMES as EXPERIMENTS

from primeta.errors import NotFound
from primeta.reactivation.ladder_result import Ladder
from primeta.reactivation.lapse import FixedRule, Lapse, Move
from primeta.reactivation.records import (
    Behaviour,
    Between,
    Campaign,
    Curve,
    LadderFacts,
    NormalAgain,
    Returners,
    Rung,
    Step,
    TailCheck,
)
from primeta.workspace.reactivation_kept import NotKept
from primeta.workspace.reactivation_views import CampaignView, KeptLadder, KeptLapse

NAN = float("nan")
UNTIL = date(2026, 11, 15)
N = {"control": 12_000, "discount": 24_000, "reminder": 24_000}
ARMS = tuple(N)
SEEN, HORIZON, WINDOW = 252, 364, 30
ASSUMES = {
    0: ("all-returns-are-ours",),
    1: ("after-is-because",),
    2: ("window-goes-on",),
    3: ("alike-afterwards",),
    4: ("tail-follows-model",),
}
MONEY: dict[int, dict[str, tuple[float, float, float]]] = {
    0: {"reminder": (1.72e6, NAN, NAN), "discount": (1.90e6, NAN, NAN)},
    1: {"reminder": (0.94e6, NAN, NAN), "discount": (1.58e6, NAN, NAN)},
    2: {"reminder": (0.25e6, 0.12e6, 0.38e6), "discount": (0.43e6, 0.30e6, 0.56e6)},
    3: {"reminder": (1.06e6, 0.55e6, 1.56e6), "discount": (0.22e6, -0.29e6, 0.72e6)},
    4: {"reminder": (1.39e6, 0.65e6, 2.14e6), "discount": (0.10e6, -0.65e6, 0.84e6)},
}
"""Rung → arm → money over all assigned with its interval."""
CONTROL = {2: 61.0, 3: 402.0, 4: 548.0}
BEHAVIOUR: tuple[tuple[str, float, int, str, tuple[float, ...], tuple[float, ...]], ...] = (
    ("normal", 0.089, 1, "assigned", (0.021, 0.013, 0.029), (0.006, -0.002, 0.014)),
    ("orders", 2.61, 1, "assigned", (0.19, 0.10, 0.28), (0.16, 0.07, 0.25)),
    ("gap_days", 16.8, -1, "returned", (-0.4, -1.3, 0.5), (1.6, 0.6, 2.6)),
    ("discounted_share", 0.224, -1, "returned", (0.006, -0.007, 0.019), (0.078, 0.064, 0.092)),
    ("categories", 4.1, 1, "assigned", (0.12, 0.04, 0.20), (-0.03, -0.11, 0.05)),
    ("visits_before", 1.9, 0, "returned", (-0.1, -0.3, 0.1), (0.5, 0.3, 0.7)),
    ("lapsed_again", 0.079, -1, "assigned", (0.003, -0.004, 0.010), (0.029, 0.021, 0.037)),
)
WAIT = {"until": date(2027, 3, 7), "days": 112, "control": 12_000, "cost": 170e3}
HOLD_OUT = {"of": 47_000, "control": 9_400, "effect": 14.0, "power": 0.8}


def campaign(**more: Any) -> Campaign:
    return Campaign(
        **{
            "control": "control",
            "until": UNTIL,
            "window_days": WINDOW,
            "horizon_days": HORIZON,
            "margin": 0.25,
            "promo_codes": {"discount": "BACK10"},
            "contact_costs": {"reminder": 1.0, "discount": 1.0},
            "annual_discount": 0.12,
            "timezone": "Europe/Moscow",
            "currency": "RUB",
            "name": "spring",
            **more,
        }
    )


def rungs() -> tuple[Rung, ...]:
    found = []
    for number, arms in MONEY.items():
        window = {0: WINDOW, 1: WINDOW, 2: WINDOW, 3: SEEN, 4: HORIZON}[number]
        for arm, (money, low, high) in arms.items():
            n = N[arm]
            below = MONEY[number - 1][arm][0] if number else NAN
            modelled = (money - MONEY[3][arm][0]) / n if number == 4 else (0.0 if number > 1 else NAN)
            found.append(
                Rung(
                    rung=number,
                    arm=arm,
                    n=n,
                    value_per_assigned=money / n,
                    revenue_per_assigned=4 * money / n,
                    orders_per_assigned=money / n / 300,
                    low=low / n,
                    high=high / n,
                    money=money,
                    window=window,
                    until=UNTIL,
                    observed=money / n - modelled if number > 1 else money / n,
                    modelled=modelled,
                    control=CONTROL.get(number, NAN),
                    p=0.001 if low == low and (low > 0 or high < 0) else NAN,
                    assumes=ASSUMES[number],
                    away=money - below,
                )
            )
    return tuple(found)


def behaviour() -> tuple[Behaviour, ...]:
    return tuple(
        Behaviour(
            arm=arm,
            metric=metric,
            control=control,
            value=control + got[0],
            difference=got[0],
            low=got[1],
            high=got[2],
            basis=basis,  # type: ignore[arg-type]
            window=SEEN,
            good=good,  # type: ignore[arg-type]
        )
        for metric, control, good, basis, reminder, discount in BEHAVIOUR
        for arm, got in (("discount", discount), ("reminder", reminder))
    )


def returners() -> tuple[Returners, ...]:
    shared = {"self_share": 0.142, "self_low": 0.136, "self_high": 0.148}
    return (
        Returners(
            arm="discount",
            n=N["discount"],
            **shared,
            induced_share=0.074,
            induced_low=0.066,
            induced_high=0.082,
            needless_discount=314e3,
            needless_low=296e3,
            needless_high=331e3,
            needless_bounds=(171e3, 434e3),
            discount=522e3,
        ),
        Returners(
            arm="reminder",
            n=N["reminder"],
            **shared,
            induced_share=0.027,
            induced_low=0.019,
            induced_high=0.035,
            needless_discount=0.0,
            needless_low=0.0,
            needless_high=0.0,
            needless_bounds=(0.0, 0.0),
            discount=0.0,
        ),
    )


def curves() -> tuple[Curve, ...]:
    day = np.arange(0, HORIZON + 1, 7)
    found = []
    for arm, seen, width in (
        ("discount", 19 * np.minimum(day / 42, 1) - 10 * np.clip(day - 42, 0, None) / 210, 30.0),
        ("reminder", 44 * (day / SEEN) ** 0.6, 21.0),
    ):
        half = width * np.sqrt(day / HORIZON)
        found.append(
            Curve(
                arm=arm,
                day=day.astype(np.int64),
                difference=seen.astype(float),
                low=seen - half,
                high=seen + half,
                modelled=day > SEEN,
            )
        )
    return tuple(found)


def facts(**more: Any) -> LadderFacts:
    """All five rungs: the discount wins the month, the plain reminder the year."""
    return LadderFacts(
        **{
            "campaign": campaign(),
            "arms": ARMS,
            "n": tuple(N.values()),
            "seen_days": SEEN,
            "rungs": rungs(),
            "behaviour": behaviour(),
            "returners": returners(),
            "normal_again": tuple(
                NormalAgain(
                    arm=arm,
                    control=0.089,
                    difference=got[0],
                    low=got[1],
                    high=got[2],
                    per_thousand=1e3 * got[0],
                )
                for arm, got in (("discount", (0.006, -0.002, 0.014)), ("reminder", (0.021, 0.013, 0.029)))
            ),
            "best": {"rung1": "discount", "rung2": "discount", "rung3": "reminder", "rung4": "reminder"},
            "best_sure": {"rung1": True, "rung2": True, "rung3": True, "rung4": True},
            "climb": (
                *(Step(rung=number, reached=True, missing="", how="") for number in range(4)),
                Step(rung=4, reached=True, missing="", how="wait-seen", values=WAIT),
            ),
            "between": (
                Between(rung=4, arm="reminder", other="discount", difference=53.8, low=5.2, high=102.0),
                Between(rung=3, arm="reminder", other="discount", difference=35.0, low=5.0, high=65.0),
            ),
            "curves": curves(),
            "checks": (
                TailCheck(
                    arm="reminder",
                    from_day=126,
                    to_day=252,
                    customers=9_800,
                    promised=61.0,
                    low=38.0,
                    high=84.0,
                    seen=57.0,
                    ok=True,
                ),
            ),
            "sample_ratio_p": 0.64,
            "contamination": {"control": 0.031, "discount": 0.03, "reminder": 0.032},
            **more,
        }
    )


CAUSES = {"delivery": 1.9, "price": 0.8, "quality": 0.1}
"""Why they left → how many times the whole's effect the part has."""


def by_cause(whole: LadderFacts) -> LadderFacts:
    """The same split by why they had left; of those who left for quality too few came back for a tail."""
    parts = []
    for cause, times in CAUSES.items():
        mine = []
        for rung in whole.rungs:
            if rung.rung < 2:
                continue
            wide = 1.7 * (rung.high - rung.low) / 2
            value = times * rung.value_per_assigned
            lost = rung.rung == 4 and cause == "quality"
            mine.append(
                replace(
                    rung,
                    segment=cause,
                    n=rung.n // 3,
                    value_per_assigned=value,
                    low=NAN if lost else value - wide,
                    high=NAN if lost else value + wide,
                    modelled=0.0 if lost else times * rung.modelled,
                    p_adjusted=0.004 if value > wide else 0.6,
                    why_not="tail-untested" if lost else "",
                )
            )
        parts.append(replace(whole, n=tuple(n // 3 for n in whole.n), rungs=tuple(mine), segments=()))
    named = tuple(replace(part, segment=cause) for part, cause in zip(parts, CAUSES, strict=True))
    return replace(whole, campaign=replace(whole.campaign, by="cause"), segments=named)


def without_control() -> LadderFacts:
    """A campaign that was sent to everybody: two rungs, and the plain statement."""
    whole = facts()
    claimed = tuple(
        replace(rung, control=NAN) for rung in whole.rungs if rung.rung < 2 and rung.arm == "discount"
    )
    above = tuple(
        Rung(
            rung=number,
            arm="discount",
            n=N["discount"],
            value_per_assigned=NAN,
            revenue_per_assigned=NAN,
            orders_per_assigned=NAN,
            window=WINDOW,
            why_not="no-control",
        )
        for number in (2, 3, 4)
    )
    return replace(
        whole,
        campaign=campaign(control="", name="sunday"),
        arms=("discount",),
        n=(N["discount"],),
        rungs=claimed + above,
        behaviour=(),
        returners=(),
        normal_again=(),
        curves=(),
        checks=(),
        best={"rung1": "discount", "rung2": None, "rung3": None, "rung4": None},
        best_sure={},
        sample_ratio_p=NAN,
        contamination={},
        climb=(
            Step(rung=0, reached=True, missing="", how=""),
            Step(rung=1, reached=True, missing="", how=""),
            Step(rung=2, reached=False, missing="no-control", how="hold-out", values=HOLD_OUT | {"days": 30}),
            Step(rung=3, reached=False, missing="no-control", how="hold-out", values=HOLD_OUT | {"days": 90}),
            Step(
                rung=4, reached=False, missing="no-control", how="hold-out", values=HOLD_OUT | {"days": 364}
            ),
        ),
    )


WHAT = {
    "en": {"control": "no message", "reminder": "the usual basket", "discount": "the same with 10% off"},
    "ru": {"control": "без сообщений", "reminder": "привычная корзина", "discount": "то же со скидкой 10%"},
}


REACTIVATION_VERBS = ("campaigns", "campaign", "ladder", "lapse", "kept_lapse")


class FakeReactivation:
    """Campaigns of an invented workspace: one with all rungs, one without a control, one not worked out yet."""

    def __init__(self, language: str = "en", *, empty: bool = False) -> None:
        self.language, self.empty = language, empty

    def campaigns(self, *, now: datetime) -> tuple[CampaignView, ...]:
        if self.empty:
            return ()
        what = WHAT[self.language]
        at = datetime(2026, 11, 16, 6, tzinfo=UTC)
        blind = replace(without_control(), campaign=campaign(control="", name="sunday"))
        return (
            CampaignView(
                name="two-letters",
                kind="experiment",
                first=date(2026, 2, 2),
                last=date(2026, 3, 8),
                customers=sum(N.values()),
                control="control",
                arms=ARMS,
                what=what,
                entry="arrival",
                kept=KeptLadder(facts=by_cause(facts()), at=at),
            ),
            CampaignView(
                name="saturday",
                kind="experiment",
                first=date(2026, 11, 1),
                last=date(2026, 11, 14),
                customers=8_000,
                control="control",
                arms=("control", "coupon"),
                entry="list",
            ),
            CampaignView(
                name="sunday",
                kind="messages",
                first=date(2026, 3, 1),
                last=date(2026, 10, 25),
                customers=N["discount"],
                arms=("discount",),
                kept=KeptLadder(facts=blind, at=at, stale=True),
            ),
        )

    def campaign(self, name: str, *, now: datetime) -> CampaignView:
        found = next((view for view in self.campaigns(now=now) if view.name == name), None)
        if found is None and name in EXPERIMENTS:
            # Experiments of the other fake have customers too; their ladders are not worked out.
            return replace(self.campaigns(now=now)[1], name=name)
        if found is None:
            raise NotFound(f"there is no campaign {name!r}")
        return found

    def ladder(self, name: str, *, now: datetime, **options: Any) -> Ladder:
        self.asked = options
        view = self.campaign(name, now=now)
        usual = not any(value is not None for key, value in options.items() if key != "kept_only")
        if view.kept is None or not usual:
            raise NotKept(f"the ladder of {name}", usual=usual)
        return view.kept.ladder

    def lapse(self, *, now: datetime, days: int | None = None, kept_only: bool) -> Lapse:
        if days is not None:
            raise NotKept("who is leaving", usual=False)
        return lapse()

    def kept_lapse(self) -> KeptLapse | None:
        return None if self.empty else KeptLapse(lapse=lapse(), at=datetime(2026, 11, 16, 6, tzinfo=UTC))


def lapse(**more: Any) -> Lapse:
    """A base of 10,000 with twelve weeks of flow."""
    weeks = [date(2026, 8, 24) + timedelta(weeks=week) for week in range(12)]
    flow = [
        Move(week=week, came=came, went=went, customers=customers + place)  # type: ignore[arg-type]
        for place, week in enumerate(weeks)
        for came, went, customers in (
            ("active", "cooling", 300),
            ("cooling", "lapsed", 180),
            ("lapsed", "gone", 40),
            ("lapsed", "active", 95),
            ("new", "active", 120),
        )
    ]
    return Lapse(
        **{
            "until": UNTIL,
            "customers": 10_000,
            "states": {"active": 6_200, "cooling": 1_400, "lapsed": 1_500, "gone": 900},
            "flow": tuple(flow),
            "fixed": FixedRule(
                days=90,
                on=date(2026, 9, 20),
                follow_days=56,
                customers=9_800,
                called=2_000,
                own_called=2_200,
                in_rhythm=300,
                in_rhythm_ordered=190,
                missed=500,
                missed_ordered=260,
                both=1_700,
                both_ordered=140,
            ),
            "rhythm_days": {0.1: 5.0, 0.25: 9.0, 0.5: 16.0, 0.75: 30.0, 0.9: 61.0},
            "one_order": 1_200,
            "prior": None,
            "silence": 0.05,
            "cooling": 0.2,
            "lapsed_last_week": 191,
            "returned_last_week": 106,
            **more,
        }
    )
