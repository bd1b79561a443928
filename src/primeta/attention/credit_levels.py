"""What credit allows: useful messages, selling, pressing."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from primeta.attention.records import Credit, Level, Policy

SELL_AT = 0.02
PRESS_AT = 0.05
"""Lower bounds of credit where no money is known."""
WELCOMES_PER_LOSS = 10.0
"""Where no money is known: so many welcomes, by the lower bound, for each customer driven away."""
HARSHER: Mapping[str, float] = {"useful": 1.0, "offer": 2.0, "press": 4.0}
"""How much likelier than a useful touch others drive away, where only the useful touch was foretold."""


def level_of(credit: Credit, policy: Policy, *, channel: str = "") -> Level:
    """What the lower bound of credit allows at most, by the policy's thresholds or by expected loss."""
    if credit.why_not == "opted-out":
        return "none"
    drives = {purpose: min(credit.drive_away * times, 1.0) for purpose, times in HARSHER.items()}
    return level_by(credit.value, credit.low, drives, policy, channel=channel)


def level_by(
    value: float, low: float, drives: Mapping[str, float], policy: Policy, *, channel: str = ""
) -> Level:
    """The same with what each purpose risks.

    A purpose is allowed where gain × P(welcomed) is no less than the cost of the message + loss × P(driven away); for
    selling and pressing P(welcomed) is the lower bound, for useful touches the foretold value (else nobody could ever
    be written to first). Without money: fixed lower bounds and so many welcomes for each customer driven away; useful
    touches whose gain is not named are judged so as well.

    Args:
        drives: P(driven away) of `useful`, `offer`, `press`.
    """
    if isnan(value):
        return "useful"
    if not _worth("useful", value, drives["useful"], policy, channel):
        return "none"
    if not _above(low, policy.sell_at, SELL_AT, policy) or not _worth(
        "offer", low, drives["offer"], policy, channel
    ):
        return "useful"
    if not _above(low, policy.press_at, PRESS_AT, policy) or not _worth(
        "press", low, drives["press"], policy, channel
    ):
        return "sell"
    return "press"


def _money(policy: Policy) -> bool:
    return not isnan(policy.loss_of_customer) and bool(policy.gain_per_touch)


def in_money(policy: Policy, purpose: str) -> bool:
    """Whether this purpose is judged by money. A useful touch whose worth nobody named is not worth nothing: it earns
    the credit that offers spend, so it is judged as if no money were known."""
    return _money(policy) and (purpose != "useful" or "useful" in policy.gain_per_touch)


def _above(low: float, asked: float, default: float, policy: Policy) -> bool:
    if not isnan(asked):
        return low >= asked
    return True if _money(policy) else low >= default


def _worth(purpose: str, chance: float, drive: float, policy: Policy, channel: str) -> bool:
    asked = {"offer": policy.sell_at, "press": policy.press_at}.get(purpose, float("nan"))
    if not isnan(asked):
        return True
    if not in_money(policy, purpose):
        # a useful touch need only be likelier to be welcomed than to drive away
        return chance >= drive * (1.0 if purpose == "useful" else WELCOMES_PER_LOSS)
    gain = policy.gain_per_touch.get(purpose, 0.0)  # pyright: ignore[reportCallIssue, reportArgumentType]
    cost = policy.cost_per_message.get(channel, policy.cost_per_message.get("", 0.0))
    return gain * chance - cost - policy.loss_of_customer * drive >= 0
