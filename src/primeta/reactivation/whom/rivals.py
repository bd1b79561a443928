"""The rules that a learned policy has to beat: all, none, those most at risk, those silent longest, at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.reactivation.whom.subjects import Subjects

Floats = npt.NDArray[np.float64]
LEARNED, ALL, NONE, RISK, RECENCY, RANDOM = "learned", "all", "none", "risk", "recency", "random"
BY_RULE = (RISK, RECENCY)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One policy; `name` is its kind, with the arm where several could be sent to all."""

    name: str
    kind: str
    arm: int = 0
    order: Floats | None = None
    """(n,) the highest are treated first."""


def rules_of(subjects: Subjects) -> tuple[Rule, ...]:
    """The learned policy first; then its rivals, those by a rule only where the rule is known."""
    arms = subjects.arms[1:]
    found = [Rule(name=LEARNED, kind=LEARNED)]
    found += [
        Rule(name=ALL if len(arms) == 1 else f"{ALL}:{arm}", kind=ALL, arm=at + 1)
        for at, arm in enumerate(arms)
    ]
    found.append(Rule(name=NONE, kind=NONE))
    for kind, order in ((RISK, subjects.risk), (RECENCY, subjects.recency)):
        if order is not None and np.isfinite(order).any():
            found.append(Rule(name=kind, kind=kind, order=np.where(np.isnan(order), -np.inf, order)))
    found.append(Rule(name=RANDOM, kind=RANDOM))
    return tuple(found)


def missing_rules(subjects: Subjects) -> tuple[str, ...]:
    """Rules that cannot be followed, for nothing tells the order."""
    return tuple(
        kind
        for kind, order in ((RISK, subjects.risk), (RECENCY, subjects.recency))
        if order is None or not np.isfinite(order).any()
    )
