"""Invented answers on the best moment, sequence and discount, and on whom to write, for pages that show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from primeta.reactivation.policy.design import plan_discount, plan_moment, plan_sequence
from primeta.reactivation.policy.result import Choice, Point, PolicyResult, Response, Rival, Segment
from primeta.reactivation.whom.result import CurvePoint, Policy, Qini, Tenth, Whom
from primeta.workspace.reactivation_kept import NotKept
from primeta.workspace.reactivation_plan import PlanExample
from primeta.workspace.reactivation_views import CampaignView, PolicyKind, PolicyView, WhomView

POLICY_VERBS = (
    "moment", "sequence", "discount", "whom", "policy_view", "whom_view", "plan_example", "tell_control",
    "assignments_problem",
)  # fmt: skip
AT = datetime(2026, 11, 16, 6, tzinfo=UTC)
COMMON: dict[str, Any] = {
    "basis": "over-control",
    "control": "control",
    "horizon": 180,
    "level": 0.95,
    "n": 9_000,
    "arms": {"control": 3_000, "discount": 3_000, "reminder": 3_000},
    "currency": "RUB",
}


def moment(**more: Any) -> PolicyResult:
    """Day 14 is best; day 7 cannot be told from it, day 0 can."""
    curve = tuple(
        Point(x=x, value=v, low=v - 60, high=v + 60, n=1_500, tried=tried, best=best, returned=0.002 * x, lost=0.006 * x)
        for x, v, tried, best in (
            (0.0, 40.0, True, False), (3.5, 80.0, False, False), (7.0, 130.0, True, True), (10.5, 150.0, False, False),
            (14.0, 160.0, True, True), (28.0, 70.0, True, False),
        )
    )  # fmt: skip
    rivals = (
        Rival(name="at-once", x=0.0, value=40, low=-20, high=100, ahead=120, ahead_low=40, ahead_high=200),
        Rival(name="never", x="never", value=0, low=0, high=0, ahead=160, ahead_low=100, ahead_high=220),
        Rival(name="latest", x=28.0, value=70, low=10, high=130, ahead=90, ahead_low=-5, ahead_high=185),
    )
    segments = (
        Segment(by="loyal", n=3_000, recommended=14.0, recommended_low=7.0, recommended_high=14.0, value=210, low=110,
                high=310, p=0.001, p_adjusted=0.002),
        Segment(by="new", n=20, recommended=None, recommended_low=None, recommended_high=None, value=float("nan"),
                low=float("nan"), high=float("nan"), p=float("nan"), p_adjusted=float("nan"), why_not="small-arm"),
    )  # fmt: skip
    found = PolicyResult(
        kind="moment", **COMMON, curve=curve, recommended=14.0, recommended_low=7.0, recommended_high=14.0,
        best_set=(7.0, 14.0), value=160, low=100, high=220, rivals=rivals, segments=segments, by="region",
    )  # fmt: skip
    return replace(found, **more)


def sequence(**more: Any) -> PolicyResult:
    best, other = "push, then call if silent", "email, then push if silent"
    curve = (
        Point(x=best, value=380, low=230, high=530, n=980, best=True, weighted=390, weighted_low=210, weighted_high=570),
        Point(x=other, value=250, low=110, high=390, n=1_010, weighted=240, weighted_low=80, weighted_high=400),
    )  # fmt: skip
    rivals = (
        Rival(name="none", x="none", value=0, low=0, high=0, ahead=380, ahead_low=230, ahead_high=530),
        Rival(name=other, x=other, value=250, low=110, high=390, ahead=130, ahead_low=10, ahead_high=250),
    )
    found = PolicyResult(
        kind="sequence", **COMMON, curve=curve, recommended=best, best_set=(best,), value=380, low=230, high=530,
        rivals=rivals,
    )  # fmt: skip
    return replace(found, **more)


def discount(**more: Any) -> PolicyResult:
    curve = tuple(
        Point(x=x, by=by, value=v, low=v - 90, high=v + 90, n=900, best=x == 0.2)
        for by, k in ((None, 1.0), ("7", 1.2), ("28", 0.8))
        for x, v in ((0.0, 40 * k), (0.1, 110 * k), (0.2, 200 * k))
    )
    choices = (
        Choice(by="7", x=0.1, share=0.5, value=130, cost=60),
        Choice(by="28", x=0.2, share=0.5, value=160, cost=110),
    )
    rivals = (
        Rival(
            name="best-constant", x=0.2, value=120, low=30, high=210, ahead=25, ahead_low=-30, ahead_high=80
        ),
        Rival(name="no-contact", x="none", value=0, low=0, high=0, ahead=145, ahead_low=60, ahead_high=230),
    )
    responses = (Response(x=0.0, by=None, share=0.1, low=0.08, high=0.12, monotone=0.1),)
    found = PolicyResult(
        kind="discount", **COMMON, curve=curve, recommended={"7": 0.1, "28": 0.2}, value=145, low=60, high=230,
        rivals=rivals, choices=choices, responses=responses, regret=12, regret_low=0, regret_high=33, kept=0.9,
    )  # fmt: skip
    return replace(found, **more)


def whom(**more: Any) -> Whom:
    curve = tuple(
        CurvePoint(share=k / 20, value=v, low=v - 30, high=v + 30)
        for k, v in ((k, 200 * (k / 20) * (1.6 - k / 20)) for k in range(21))
    )
    policies = (
        Policy(name="learned", value=130, low=80, high=180, share=0.55),
        Policy(name="all", arm="reminder", value=110, low=60, high=160, share=1.0, ahead=20, ahead_low=2, ahead_high=38),
        Policy(name="none", value=0, low=0, high=0, share=0.0, ahead=130, ahead_low=80, ahead_high=180),
        Policy(name="risk", value=70, low=20, high=120, share=0.55, ahead=60, ahead_low=20, ahead_high=100),
    )  # fmt: skip
    found = Whom(
        control="control", arms=COMMON["arms"], n=9_000, horizon=180, level=0.95, currency="RUB",
        qini=Qini(area=20, low=5, high=35, curve=curve), policies=policies, recommended="learned",
        recommended_sure=True, arm_shares={"reminder": 0.55}, repeats=3, folds=5,
        calibration=(Tenth(decile=1, predicted=300, value=280, low=180, high=380),),
        features={"recency_days": 0.6, "orders_year": 0.4},
    )  # fmt: skip
    return replace(found, **more)


MADE: dict[str, Callable[[], PolicyResult]] = {"moment": moment, "sequence": sequence, "discount": discount}


def _only_of_two_letters(view: CampaignView, found: Any) -> Any:
    if view.name != "two-letters":
        raise NotKept(f"this of {view.name}", usual=True)
    return found


class FakePolicy:
    """The campaign `two-letters` varied everything; the others nothing. Nobody has told who was left alone in `untold`."""

    def __init__(self, campaign: Callable[..., CampaignView]) -> None:
        self.campaign, self.told, self.asked = campaign, {}, {}
        self.problem = ""

    def policy_view(self, name: str, kind: PolicyKind, *, now: datetime) -> PolicyView:
        view = self.campaign(name, now=now)
        if view.name == "two-letters":
            return PolicyView(
                campaign=replace(view, varied=tuple(MADE)), kind=kind, result=MADE[kind](), at=AT, stale=kind == "discount"
            )  # fmt: skip
        if view.name == "saturday" and kind == "moment":
            view = replace(view, kind="assignments", control="", varied=("moment",))
        return PolicyView(campaign=view, kind=kind)

    def whom_view(self, name: str, *, now: datetime) -> WhomView:
        view = self.campaign(name, now=now)
        return WhomView(campaign=view, result=whom() if view.name == "two-letters" else None, at=AT)

    def _policy(self, kind: PolicyKind, name: str, now: datetime, options: dict[str, Any]) -> PolicyResult:
        self.asked = options
        return _only_of_two_letters(self.campaign(name, now=now), MADE[kind]())

    def moment(self, name: str, *, now: datetime, **options: Any) -> PolicyResult:
        return self._policy("moment", name, now, options)

    def sequence(self, name: str, *, now: datetime, **options: Any) -> PolicyResult:
        return self._policy("sequence", name, now, options)

    def discount(self, name: str, *, now: datetime, **options: Any) -> PolicyResult:
        return self._policy("discount", name, now, options)

    def whom(self, name: str, *, now: datetime, **options: Any) -> Whom:
        self.asked = options
        return _only_of_two_letters(self.campaign(name, now=now), whom())

    def plan_example(self, name: str, kind: PolicyKind, *, now: datetime) -> PlanExample:
        asked = {"per_week": 420.0, "weeks": 8.0, "sd": 900.0}
        plan = {
            "moment": lambda: plan_moment((0.0, 7.0), **asked),
            "sequence": lambda: plan_sequence(("email", "push"), ("email", "push"), **asked),
            "discount": lambda: plan_discount((0.0, 0.1), (7.0,), **asked),
        }[kind]()
        return PlanExample(
            command=f"primeta reactivation {kind} --plan --eligible-per-week 420 --sd 900", plan=plan
        )

    def tell_control(self, name: str, arm: str, *, by: str, now: datetime) -> None:
        self.told[name] = arm

    def assignments_problem(self) -> str:
        return self.problem
