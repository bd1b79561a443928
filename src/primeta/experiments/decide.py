"""The decision: the smallest effect that matters, the guardrails and the money, each by its interval.

One arm is asked four questions in this order; the first that can be answered decides.

1. Is the lottery sound, and can the primary metric be told? If not: *invalid*.
2. Is harm shown: the primary metric, a guardrail beyond its margin, or money lost? Then *harm*.
3. Is gain shown: the primary above zero, every guardrail within its margin, money above zero, and an effect that
   matters not ruled out? Then *scale*.
4. Is an effect that matters ruled out, or has the planned end come? Then *futile*; else *continue*.

"Shown" means that the whole interval lies there. Scaling an arm that does nothing therefore happens at most as
often as the interval lies wholly above zero by chance: (1 − level) / 2, shared between the arms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from primeta.experiments.records import ArmDecision, Effect, SampleRatio, Verdict

NO_VALUE = "no-value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Money per customer assigned of one arm against control: what it brought less what it cost."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)


def decide(
    effects: Sequence[Effect],
    *,
    ratio: SampleRatio,
    money: Mapping[str, Money],
    basis: str,
    ended: bool,
    waits: str = "",
    waiting: Mapping[str, Any] | None = None,
    held: Mapping[str, ArmDecision] | None = None,
) -> tuple[tuple[ArmDecision, ...], Verdict]:
    """A decision for each treated arm and one for the test.

    Args:
        effects: Rows of the primary metric and of the guardrails (others are ignored), whose deciding
            intervals are of the difference, and `beyond_*` of the difference less the amount that matters.
        money: By arm; empty where no value is known.
        basis: `measured`, or the code of why there is no money.
        ended: The planned end has come: nothing more will be learnt.
        waits: Code of why nothing may be decided at this look: the plan looks at its end, or at planned looks only.
        waiting: Figures of that rule's sentence.
        held: Arm → what a planned look before this one decided for it; it holds while this look may not decide.
    """
    decisions = []
    for name in dict.fromkeys(effect.arm for effect in effects):
        mine = [effect for effect in effects if effect.arm == name]
        primary = next(effect for effect in mine if effect.role == "primary")
        guards = [effect for effect in mine if effect.role == "guardrail"]
        decisions.append(
            _arm(
                name,
                primary,
                guards,
                ratio=ratio,
                money=money.get(name),
                basis=basis,
                ended=ended,
                waits=waits,
                waiting=waiting or {},
                held=(held or {}).get(name),
            )
        )
    return tuple(decisions), _whole(decisions, effects)


def _arm(
    name: str,
    primary: Effect,
    guards: Sequence[Effect],
    *,
    ratio: SampleRatio,
    money: Money | None,
    basis: str,
    ended: bool,
    waits: str,
    waiting: Mapping[str, Any],
    held: ArmDecision | None,
) -> ArmDecision:
    def concluded(state, rule: str, **figures: Any) -> ArmDecision:
        worth = money or Money(value=math.nan, low=math.nan, high=math.nan)
        return ArmDecision(
            arm=name,
            state=state,
            rule=rule,
            figures={**_figures(primary), **figures},
            money_per_customer=worth.value,
            low=worth.low,
            high=worth.high,
            basis=basis,
        )

    if not ratio.ok:
        return concluded("invalid", "sample-ratio", p=ratio.p)
    if waits and held is not None and held.state != "continue":
        return held
    if primary.why_not == "not-seen-yet" and not ended:
        return concluded("continue", "not-seen-yet")
    if waits:
        return concluded("continue", waits, **waiting)
    low, high = _good(primary, primary.decision_low, primary.decision_high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return concluded("invalid", "primary-unknown", why_not=primary.why_not)

    if high < 0:
        return concluded("harm", "primary-harm")
    for guard in guards:
        _, guard_high = _good(guard, guard.beyond_low, guard.beyond_high)
        if guard_high < 0:
            return concluded("harm", "guardrail-harm", **_guard(guard))
    if money is not None and money.high < 0:
        return concluded("harm", "money-lost")

    open_guards = [guard for guard in guards if not _good(guard, guard.beyond_low, guard.beyond_high)[0] > 0]
    money_open = money is not None and not money.low > 0
    ruled_out = (
        primary.smallest is not None and _good(primary, primary.beyond_low, primary.beyond_high)[1] < 0
    )
    if low > 0 and ruled_out:
        return concluded("futile", "too-small")
    if low > 0 and not open_guards and not money_open:
        return concluded("scale", "shown", guardrails=len(guards))
    if ruled_out:
        return concluded("futile", "effect-ruled-out")
    if low > 0:
        if open_guards:
            rule, more = "guardrail-open", _guard(open_guards[0])
        else:
            rule, more = "money-open", {}
    else:
        rule, more = "primary-open", {}
    return concluded("futile", f"{rule}-at-end", **more) if ended else concluded("continue", rule, **more)


def _whole(decisions: Sequence[ArmDecision], effects: Sequence[Effect]) -> Verdict:
    """Scale the best of the arms that may be scaled; stop when every arm has stopped."""
    by_state = {state: [entry for entry in decisions if entry.state == state] for state in _ORDER}
    if by_state["scale"]:
        best = max(by_state["scale"], key=lambda entry: _worth(entry, effects))
        others = sorted(entry.arm for entry in by_state["continue"])
        return Verdict(state="scale", arm=best.arm, rule=best.rule, figures={**best.figures, "open": others})
    for state in ("invalid", "continue"):
        if by_state[state]:
            first = by_state[state][0]
            return Verdict(state=state, arm="", rule=first.rule, figures=first.figures)
    if by_state["futile"]:
        first = by_state["futile"][0]
        return Verdict(state="futile", arm="", rule=first.rule, figures=first.figures)
    first = by_state["harm"][0]
    return Verdict(state="harm", arm="", rule=first.rule, figures=first.figures)


_ORDER = ("scale", "invalid", "continue", "futile", "harm")


def _worth(decision: ArmDecision, effects: Sequence[Effect]) -> float:
    """Money per customer where it is known, else the primary's difference in the good direction."""
    if math.isfinite(decision.money_per_customer):
        return decision.money_per_customer
    primary = next(entry for entry in effects if entry.arm == decision.arm and entry.role == "primary")
    return primary.difference if primary.good != "down" else -primary.difference


def _good(effect: Effect, low: float, high: float) -> tuple[float, float]:
    """An interval turned so that up is good."""
    return (-high, -low) if effect.good == "down" else (low, high)


def _figures(effect: Effect) -> dict[str, Any]:
    return {
        "metric": effect.metric,
        "difference": effect.difference,
        "low": effect.decision_low,
        "high": effect.decision_high,
        "lift": effect.lift,
        "smallest": effect.smallest.value if effect.smallest else math.nan,
        "smallest_relative": bool(effect.smallest and effect.smallest.relative),
    }


def _guard(effect: Effect) -> dict[str, Any]:
    return {
        "guardrail": effect.metric,
        "guardrail_difference": effect.difference,
        "guardrail_low": effect.decision_low,
        "guardrail_high": effect.decision_high,
        "margin": effect.smallest.value if effect.smallest else math.nan,
        "margin_relative": bool(effect.smallest and effect.smallest.relative),
    }
