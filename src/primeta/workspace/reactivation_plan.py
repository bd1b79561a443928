"""How an experiment on the moment, the sequence or the discount would be planned in this workspace, with its sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from primeta.reactivation.policy.design import PolicyPlan, plan_discount, plan_moment, plan_sequence
from primeta.reactivation.records import LadderFacts
from primeta.warehouse.facts_store import load_facts
from primeta.workspace.reactivation import kept_lapse
from primeta.workspace.reactivation_views import CampaignView, PolicyKind

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

WEEKS = 8
"""Of entering."""
HORIZON = 180
DELAYS, DEPTHS, DEPTH_DELAYS = (0.0, 7.0, 14.0, 28.0), (0.0, 0.1, 0.2), (7.0, 28.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanExample:
    """A command that plans the experiment, and what it answers."""

    command: str
    plan: PolicyPlan


def plan_example(ws: Workspace, view: CampaignView, kind: PolicyKind) -> PlanExample:
    """Sizes from this workspace: who lapses in a week by own rhythm, and how much one customer's money varies by the
    campaign's own ladder; without them the arms alone."""
    per_week = _lapse_in_a_week(ws)
    sd = _spread_of(view.kept.facts) if view.kept is not None else math.nan
    asked = {"per_week": per_week, "weeks": float(WEEKS) if math.isfinite(per_week) else None, "sd": sd}
    parts = [f"primeta reactivation {kind} --plan"]
    if kind == "moment":
        plan = plan_moment(DELAYS, horizon=HORIZON, **asked)
        parts.append(f"--delays {_listed(DELAYS)}")
    elif kind == "sequence":
        first, second = _channels(ws)
        plan = plan_sequence(first, second, horizon=HORIZON, **asked)
        parts.append(f"--first {','.join(first)} --second {','.join(second)}")
    else:
        plan = plan_discount(DEPTHS, DEPTH_DELAYS, horizon=HORIZON, **asked)
        parts.append(f"--depths {_listed(DEPTHS)} --delays {_listed(DEPTH_DELAYS)}")
    parts.append("--never .2")
    if math.isfinite(per_week):
        parts.append(f"--eligible-per-week {per_week:.0f} --weeks {WEEKS}")
    if math.isfinite(sd):
        parts.append(f"--sd {sd:.0f}")
    parts.append(f"--horizon {HORIZON}d")
    return PlanExample(command=" ".join(parts), plan=plan)


def _listed(values: tuple[float, ...]) -> str:
    return ",".join(f"{value:g}" for value in values)


def _lapse_in_a_week(ws: Workspace) -> float:
    """Customers who lapse by their own rhythm, on average over the weeks of the kept flow."""
    known = kept_lapse(ws)
    if known is None or not known.lapse.flow:
        return math.nan
    weeks = {move.week for move in known.lapse.flow}
    lapsed = sum(move.customers for move in known.lapse.flow if move.went == "lapsed")
    return float(round(lapsed / len(weeks))) if lapsed >= len(weeks) else math.nan


def _spread_of(facts: LadderFacts) -> float:
    """Of one customer's money in the control, read back from the interval of its mean on the highest measured rung."""
    if not facts.campaign.control:
        return math.nan
    n = facts.n[facts.arms.index(facts.campaign.control)]
    reach = NormalDist().inv_cdf(0.5 + facts.campaign.level / 2)
    for number in (3, 2):
        for rung in facts.rungs:
            width = rung.control_high - rung.control_low
            if rung.rung == number and not rung.segment and math.isfinite(width) and width > 0:
                spread = width / 2 / reach * math.sqrt(n)
                # Two digits: a plan needs no more, and the interval tells no more.
                return float(f"{spread:.2g}")
    return math.nan


def _channels(ws: Workspace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two channels that the messages of the workspace use; email and push where there are none."""
    facts = load_facts(ws.folder / "facts")
    parts = facts.parts.get("messages", ()) if facts is not None else ()
    found = list(dict.fromkeys(name for part in reversed(parts) for name in part.channels if name.strip()))
    plain = [name for name in found if "," not in name and " " not in name]
    two = tuple(plain[:2]) if len(plain) >= 2 else ("email", "push")
    return two, two
