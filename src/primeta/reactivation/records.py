"""What reactivation speaks of: the campaign that is measured, its follow-up in sums, the ladder with its rungs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.stats.moments import Moments

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NAN = float("nan")

BUCKETS = 512
"""Hash buckets of customers by which spread is known and which a bootstrap draws; about 2% error of a standard error."""

MEASURES = (
    "orders",
    "revenue",
    "list_price",  # revenue + discount
    "discount",
    "code_discount",  # of orders with the arm's promo code; all discounts where the arm has no code of its own
    "money",  # margin of the orders, before contact
    "present",  # the same, discounted to the assignment
    "contact",  # messages' cost; where they carry none, `contact_costs` once each, in the first block
    "discounted_orders",
    "first_returns",  # customers whose first order since assignment fell into the block
    "first_money",  # of those orders
    "first_list_price",
    "first_discount",
    "attributed_orders",  # within the attribution window of a message (of the assignment where no messages are
    "attributed_revenue",  # known), or with the arm's code
    "attributed_money",
    "visits",
)
"""What is summed for each segment × arm × bucket × block of days since assignment."""

TOTALS = ("money", "revenue", "orders", "returned", "list_price", "discount", "code_discount")
"""What each customer's total is known of, over the window and over the time seen by all; `money` less contact."""

TRAITS = (
    "returned",
    "later_orders",  # orders after the first one since assignment
    "later_discounted",
    "later_list_price",
    "later_discount",
    "gap_days",  # between successive orders since assignment, summed
    "gaps",
    "categories",  # distinct, bought
    "categories_viewed",
    "visits",
    "visits_before",  # in the seven days before each order
    "visited_orders",  # orders over which those are counted
    "lapsed_again",
    "normal",
)
"""What a customer did over the time seen by all; summed over the assigned who lived through it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What is measured and how: everything that `primeta reactivation ladder` is told besides the tables."""

    control: str = ""
    """Name of the arm left alone; empty: there is none, and nothing above rung 1 can be known."""
    until: date
    """The last day of the log, inclusive."""
    window_days: int = 30
    horizon_days: int = 365
    """Begins at assignment."""
    attribution_days: int = 7
    margin: float | None = None
    """Of list price; None: `orders.margin` is given, else money is revenue."""
    promo_codes: Mapping[str, str] = field(default_factory=dict)
    """Arm → its code."""
    contact_costs: Mapping[str, float] = field(default_factory=dict)
    """Arm → money once per assigned customer; used where messages carry no cost."""
    annual_discount: float = 0.0
    by: str = ""
    """Column known before assignment by which everything is split."""
    timezone: str = "UTC"
    currency: str = ""
    """ISO 4217, for how money is written; empty: bare numbers."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Arm → share that the lottery was to give it; empty: not known, and the split cannot be checked."""
    level: float = 0.95
    name: str = ""
    """Of the experiment."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the input that a reader must know: a code, and the numbers that its words need."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tail:
    """Where each assigned customer stands at the end of the log, equal rows collapsed; R rows.

    Times are in days. `returned_at` is NaN for who has not ordered since assignment; for the others the clock of
    later orders starts at that return.
    """

    segment: Ints
    arm: Ints
    bucket: Ints
    followed: Floats
    """Days from assignment to the last of `FollowUp.edges` that the log covers, so at most the horizon: what a
    customer did after that edge is left out here as in the sums, so that state and money speak of the same time."""
    returned_at: Floats
    """Days from assignment to the first order since."""
    later: Ints
    """Orders after that one, up to `followed`."""
    last: Floats
    """Days from the return to the last of them; 0 where there is none."""
    count: Floats
    """Customers who stand so."""
    halfway: Mapping[str, npt.NDArray[Any]] | None = None
    """The same columns as they stood at half of each customer's `followed` (`followed`, `returned_at`, `later`,
    `last`), row by row, with `then_orders` and `then_present` for what happened from there to `followed`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowUp:
    """What the assigned did after assignment, as sums; S segments × A arms × B buckets × K blocks of days.

    Customers count by their first assignment: who lapses again keeps his arm, and what happens then belongs to it.
    A customer counts in a block only if his follow-up covers all of it.
    """

    campaign: Campaign
    arms: tuple[str, ...]
    """The control first, where there is one; then in order of name."""
    segments: tuple[str, ...]
    """Values of `campaign.by`, sorted; `("",)` where nothing is split. An unknown value is "?"."""
    edges: tuple[int, ...]
    """K + 1 days since assignment from 0 to the horizon: weeks, and the window's end."""
    n: Floats
    """(S, A, B) customers assigned."""
    at_risk: Floats
    """(S, A, B, K) of them, those whose follow-up covers the block."""
    sums: Mapping[str, Floats]
    """Each of MEASURES → (S, A, B, K) over those at risk."""
    seen_days: int
    """An edge: the time that at least half of each arm has lived through, at most the horizon; 0: no such edge."""
    window: Moments
    """(S, A) TOTALS over the window, of those who lived through it."""
    seen: Moments
    """(S, A) TOTALS over `seen_days`, of those who lived through it."""
    traits_n: Floats
    """(S, A, B) customers behind `traits`."""
    traits: Mapping[str, Floats]
    """Each of TRAITS → (S, A, B) over those who lived through `seen_days`; absent where its table was not given."""
    traits_squared: Mapping[str, Floats]
    """The same of their squares, so that spread within a bucket is known."""
    discounts: tuple[tuple[Floats, Ints, Ints], ...]
    """Arm by arm, of its returners within the window who lived through it: discount (with the arm's code, where it
    has one), bucket and segment."""
    tail: Tail
    before: Mapping[str, Floats]
    """(S, A) sums over the assigned of what was known before assignment: `orders`, `revenue` of the year before,
    `silent_days` since the last order (the mean of all others for who had none, so that he tips no arm) and
    `ordered_before` (0 or 1); sums of squares under the same name with `²`. A lottery leaves their means alike."""
    contamination: Mapping[str, Floats]
    """(A,) share of each arm that other `experiments` or `campaigns` reached after assignment, and `share` of either;
    absent where unknown."""
    notes: tuple[Note, ...] = ()
    has_code: tuple[bool, ...] = ()
    """(A,) whether the arm's own promo code is known."""
    clustered: bool = False
    """Whether customers who belong together share a bucket: then only the spread between buckets is true."""

    @property
    def has_control(self) -> bool:
        return bool(self.campaign.control)


# The ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What one rung says of one arm. Rungs 0 and 1 claim; 2 to 4 are differences from the control, per assigned."""

    rung: int
    arm: str
    n: int
    value_per_assigned: float
    """Money of the orders less contact."""
    revenue_per_assigned: float
    orders_per_assigned: float
    low: float = NAN
    high: float = NAN
    """Of the value; NaN on rungs 0 and 1, which know no error."""
    money: float = NAN
    """Value × assigned."""
    window: int
    """Days since assignment that it speaks of."""
    until: date | None = None
    observed: float = NAN
    """The part of the value that was seen, per assigned."""
    modelled: float = NAN
    """The part that a model adds; 0 where all was seen."""
    control: float = NAN
    """The control's own value per assigned, on rungs 2 to 4."""
    control_low: float = NAN
    control_high: float = NAN
    p: float = NAN
    p_adjusted: float = NAN
    """Of a segment: over all segments and arms of the rung (Holm)."""
    assumes: tuple[str, ...] = ()
    """Codes of what it silently assumes; words in `reactivation/ladder_words.py`."""
    away: float = NAN
    """Money of this rung less money of the rung below, where both know it."""
    why_not: str = ""
    """Code of why there is no answer, or why only a part of it."""
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One trait of an arm against the control's, over the time seen."""

    arm: str
    metric: str
    control: float
    value: float
    difference: float
    low: float
    high: float
    p: float = NAN
    basis: Literal["assigned", "returned"] = "assigned"
    """`returned`: only among those who ordered, so that it describes and does not prove."""
    window: int = 0
    good: Literal[-1, 0, 1] = 0
    """Whether up is good."""
    why_not: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returners:
    """Who came back within the window, in shares of all assigned, and what the needless discounts cost, in money
    over all assigned of the arm."""

    arm: str
    n: int
    self_share: float
    self_low: float
    self_high: float
    induced_share: float
    """Net: the difference from the control."""
    induced_low: float
    induced_high: float
    needless_discount: float
    needless_low: float
    needless_high: float
    needless_bounds: tuple[float, float]
    """What holds without the assumption of same basket and redemption, sampling error included."""
    discount: float
    """All that the arm gave, the same orders and codes."""
    needless_per_assigned: float = NAN
    why_not: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalAgain:
    """Normal customers won back: difference from the control in the share of all assigned."""

    arm: str
    control: float
    difference: float
    low: float
    high: float
    per_thousand: float
    why_not: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung of the climb: whether this campaign reached it, what is missing and how to get it."""

    rung: int
    reached: bool
    missing: str
    """Code; empty where reached."""
    how: str
    """Code; its words take `values`."""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerBuyer:
    """The trap: what an arm seems worth where only those who bought are compared, beside the honest figure."""

    arm: str
    buyers: float
    """Within the window."""
    revenue_per_buyer: float
    revenue_per_assigned: float
    difference: float = NAN
    """Of revenue per assigned from the control; 0 for the control."""
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """One arm against another (or the control) on one rung, in value per assigned."""

    rung: int
    arm: str
    other: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """Whether an arm's effect differs between the segments, and in which of them from all the others together."""

    rung: int
    arm: str
    p: float
    """Of "the same in every segment" (Cochran's Q)."""
    p_adjusted: float
    """Over the arms of the rung (Holm)."""
    segments: tuple[str, ...] = ()
    """Those to set apart so that the rest are alike; none where p_adjusted does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Cumulative money (less contact) per assigned, an arm against the control, by day since assignment."""

    arm: str
    day: Ints
    difference: Floats
    low: Floats
    high: Floats
    modelled: npt.NDArray[np.bool_]
    """Whether the point lies beyond what was seen."""
    measure: Literal["money", "orders"] = "money"


@dataclass(frozen=True, slots=True, kw_only=True)
class TailCheck:
    """What the model said of a time that was then seen, on cohorts old enough."""

    arm: str
    from_day: int
    to_day: int
    customers: int
    promised: float
    low: float
    high: float
    seen: float
    """Money per assigned of the tail, as `promised`."""
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rung4:
    """What the tail model adds: rungs, curves beyond what was seen, and its own test."""

    rungs: tuple[Rung, ...]
    curves: tuple[Curve, ...] = ()
    checks: tuple[TailCheck, ...] = ()
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Arm → parameters, for the analyst."""
    why_not: str = ""
    between: Mapping[tuple[str, str], tuple[float, float, float]] = field(default_factory=dict)
    """(arm, other arm) → difference of value per assigned with its interval."""
    errors: Mapping[str, float] = field(default_factory=dict)
    """Treated arm → standard error of its value; only where the whole of it can be told."""
    segments: tuple[Rung4, ...] = ()
    """The same of each segment, in their order, where the campaign is split."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LadderFacts:
    """All rungs side by side, before words: what `ladder.py` makes and `Ladder` shows."""

    campaign: Campaign
    arms: tuple[str, ...]
    n: tuple[int, ...]
    seen_days: int
    rungs: tuple[Rung, ...]
    behaviour: tuple[Behaviour, ...]
    returners: tuple[Returners, ...]
    normal_again: tuple[NormalAgain, ...]
    best: Mapping[str, str | None]
    """rung1 … rung4 → an arm, the control's name, or None where nobody leads for sure."""
    climb: tuple[Step, ...]
    curves: tuple[Curve, ...]
    checks: tuple[TailCheck, ...] = ()
    segments: tuple[LadderFacts, ...] = ()
    segment: str = ""
    between: tuple[Between, ...] = ()
    """Every pair of arms on rungs 2 to 4."""
    trap: tuple[PerBuyer, ...] = ()
    differs: tuple[Differs, ...] = ()
    """With `by`: on rungs 2 to 4."""
    followed_least: float = NAN
    """Days for which every one of the assigned was followed, at most the horizon."""
    sample_ratio_p: float = NAN
    balance: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Known before assignment → mean by arm."""
    balance_p: Mapping[str, float] = field(default_factory=dict)
    """The same → p-value of "alike in all arms"."""
    contamination: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    best_sure: Mapping[str, bool] = field(default_factory=dict)
    """rung1 … rung4 → whether the leader's interval against the next one leaves out zero."""
