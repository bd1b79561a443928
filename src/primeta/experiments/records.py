"""What an experiment is made of: the plan before it starts, the effects it shows, the decision it ends in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

Kind = Literal["mean", "share", "ratio"]
Design = Literal["fixed", "sequential", "anytime"]
Role = Literal["primary", "guardrail", "secondary"]
Entry = Literal["list", "arrival", "table"]
Hash = Literal["md5", "fnv1a"]
DecisionState = Literal["scale", "harm", "futile", "continue", "invalid"]
DESIGNS: tuple[Design, ...] = ("fixed", "sequential", "anytime")
ENTRIES: tuple[Entry, ...] = ("list", "arrival", "table")
STATES: tuple[DecisionState, ...] = ("scale", "harm", "futile", "continue", "invalid")
NAN = float("nan")


# Before it starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant: its planned share of those who take part, and what it costs per customer assigned."""

    name: str
    share: float
    cost: float = 0.0
    """Money per customer assigned: contact and discount."""
    what: str = ""
    """What its customers get, in words."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A difference that matters: in the metric's own unit, or relative to the control's mean.

    Signed by the metric: a smallest effect of −.01 means that down is good.
    """

    value: float
    relative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One metric of a plan, over a window that begins when the customer enters."""

    metric: str
    """A metric that the workspace declares."""
    window_days: int
    role: Role = "secondary"
    smallest: Amount | None = None
    """The smallest effect that matters."""
    margin: Amount | None = None
    """Of a guardrail: how much worse it may be. Below 0: it may not fall by more; above 0: not rise by more."""
    value: float | None = None
    """Money that one unit of the difference is worth, for the decision."""
    cap: float | None = None
    """A customer's numerator counts up to this; declared beforehand."""

    @property
    def name(self) -> str:
        """`revenue_per_customer.30d`: a metric may be looked at over several windows."""
        return f"{self.metric}.{self.window_days}d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An experiment before it starts. A change after the start makes a new version; it never alters the old."""

    name: str
    hypothesis: str
    arms: tuple[Arm, ...]
    control: str
    goals: tuple[Goal, ...]
    """Exactly one of them is primary."""
    starts: date
    ends: date
    """The day after the last one on which customers enter."""
    owner: str
    trend: str = ""
    """Id of the trend that it came from; empty where it stands alone."""
    unit: str = "customer"
    population: str = ""
    """SQL condition over the attributes of customers; empty: everybody."""
    entry: Entry = "arrival"
    """`list`: those who are there on the first day; `arrival`: also who comes later, on his first day;
    `table`: the canonical table `assignments` says who entered when, in which arm."""
    design: Design = "anytime"
    looks: int = 1
    """Of a sequential design."""
    level: float = 0.95
    power: float = 0.8
    planned_n: int = 0
    """Customers in all at which it ends; 0: only the calendar ends it."""
    covariate_days: int = 28
    """Days before the entry whose same metric serves as covariate (CUPED) and as placebo; 0: none."""
    segments: tuple[str, ...] = ()
    """Attributes by which the effects are shown apart."""
    strata: tuple[str, ...] = ()
    """Attributes within which the arms are balanced."""
    salt: str = ""
    """Of the hash; empty: the name."""
    hash: Hash = "md5"
    layer: str = ""
    """Experiments of one layer share its slots and exclude each other."""
    slots: tuple[float, float] = (0.0, 1.0)
    """The part of the layer that is this experiment's."""
    holdout: float = 0.0
    """Share of all customers that no experiment touches (the universal holdout)."""
    ramp: float = 1.0
    """Share of those eligible who take part."""

    @property
    def primary(self) -> Goal:
        return next(goal for goal in self.goals if goal.role == "primary")

    def arm(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)

    @property
    def treated(self) -> tuple[Arm, ...]:
        return tuple(arm for arm in self.arms if arm.name != self.control)


# What it shows


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether the arms are as large as planned: a lottery that went wrong makes every other number void."""

    counts: dict[str, int]
    planned: dict[str, float]
    p: float
    """Chi-square, valid at one look."""
    always_p: float
    """Valid at every look: the inverse of the largest bet so far (Lindon & Malek 2022)."""
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One arm against control on one metric; lift .04 is +4% of the control's mean.

    `low`, `high`, `p`: for one look at a planned end. `always_low`, `always_high`: valid at every look.
    `decision_low`, `decision_high`: the interval that decides, at the level shared between the arms. It and
    `always_*` are wider on the side on which arms of unequal size and a skewed metric would err. All are of
    `difference` but for `lift_*`. NaN with `why_not` where there is no answer, never 0.
    """

    metric: str
    arm: str
    n_control: int
    n_arm: int
    control_mean: float
    arm_mean: float
    difference: float
    se: float
    low: float
    high: float
    p: float
    p_adjusted: float
    lift: float
    lift_low: float
    lift_high: float
    lift_method: str
    """`delta`, `log-ratio` or `fieller`: by how well the control's mean is known; it never contradicts the
    difference."""
    always_low: float
    always_high: float
    decision_low: float
    decision_high: float
    level: float
    role: Role = "secondary"
    kind: Kind = "mean"
    good: Literal["up", "down"] = "up"
    smallest: Amount | None = None
    """The smallest effect that matters; of a guardrail, its margin."""
    beyond_low: float = NAN
    beyond_high: float = NAN
    """The deciding interval of the difference less `smallest` (a relative one moves with the control)."""
    lift_p: float = NAN
    """Of the lift by the delta method; it may differ from `p`, which is the difference's."""
    variance_kept: float = 1.0
    """Share of the variance that the covariates left: .6 means that 40% was explained away."""
    p_exact: float = NAN
    """Fisher's exact test, for shares without covariates."""
    better: float = NAN
    """Bayesian reading, flat prior: probability that the arm is better. NaN where not asked for."""
    risk_arm: float = NAN
    risk_control: float = NAN
    """Expected relative loss from choosing the arm, or the control."""
    mature_share: float = 1.0
    """Share of customers whose whole window has passed."""
    segment: str = ""
    cautions: tuple[str, ...] = ()
    """Codes: `few-events`, `heavy-tail`, `small-arm`."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmDecision:
    """What to do with one arm, by which rule, and the money per customer assigned against control."""

    arm: str
    state: DecisionState
    rule: str
    """Code of the rule that fired."""
    figures: dict[str, Any] = field(default_factory=dict)
    """What the rule saw, for its sentence."""
    money_per_customer: float = NAN
    low: float = NAN
    high: float = NAN
    basis: str = ""
    """`measured`, or why there is no money: a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with the whole test; `arm` is the winner where one is to be scaled."""

    state: DecisionState
    arm: str
    rule: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a rollout: to which share, by whom, when, and what its gate found."""

    share: float
    by: str
    at: datetime
    state: Literal["passed", "halted", "reopened"]
    why: str = ""
