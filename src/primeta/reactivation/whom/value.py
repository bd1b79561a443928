"""What the learned policy and simpler rules are worth to customers held out: Qini curve, values, differences."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from primeta.reactivation.whom.rivals import ALL, BY_RULE, LEARNED, NONE, RANDOM, Rule, rules_of
from primeta.reactivation.whom.subjects import Subjects
from primeta.stats.qini import Folded, area_influence, ranked
from primeta.stats.uplift import Fold

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
STEPS = 20
"""Points of the curve after 0."""
TENTHS = 10


@dataclass(slots=True, kw_only=True, eq=False)
class Questions:
    """Everything that is asked of a held-out fold, each one a mean over customers of something linear in scores."""

    subjects: Subjects
    rules: tuple[Rule, ...]
    names: list[str] = field(default_factory=list)
    """Of the F questions, in the order of `judge`'s columns."""

    @classmethod
    def of(cls, subjects: Subjects) -> Questions:
        rules = rules_of(subjects)
        found = cls(subjects=subjects, rules=rules)
        found.names = [
            *(f"curve.{step}" for step in range(1, STEPS + 1)),
            "area",
            *(f"area.{rule.name}" for rule in rules if rule.kind in BY_RULE),
            *(f"value.{rule.name}" for rule in rules),
            *(f"ahead.{rule.name}" for rule in rules if rule.kind != LEARNED),
            *(f"tenth.{at}" for at in range(TENTHS)),
            *(f"predicted.{at}" for at in range(TENTHS)),
            *(f"share.{arm}" for arm in subjects.arms[1:]),
        ]
        return found

    def at(self, folded: Folded, name: str, *, df: float, level: float) -> tuple[float, float, float]:
        """Value and interval of one question."""
        place = self.names.index(name)
        low, high = folded.interval(df, level)
        return float(folded.value[place]), float(low[place]), float(high[place])

    def judge(self, fold: Fold, scores: Floats) -> tuple[Floats, Floats]:
        """(m, F) parts and influences of one fold."""
        m = len(fold.rows)
        rows = np.arange(m)
        gain = scores - scores[:, :1]
        best = 1 + np.argmax(fold.uplift, axis=1)
        top = fold.uplift[rows, best - 1]
        treated = top > 0
        by_best = gain[rows, best]
        order = ranked(top)
        part: list[Floats] = [by_best * order.within(0, step / STEPS) for step in range(1, STEPS + 1)]
        area, influence = area_influence(by_best, order)
        extra: dict[int, Floats] = {len(part): influence}
        part.append(area)
        # Rules treat as many as the learned policy, by the arm that did best where it was learnt.
        share = float(treated.mean())
        simple = 1 + int(np.argmax(fold.averages[1:]))
        values: dict[str, Floats] = {}
        for rule in self.rules:
            if rule.kind == LEARNED:
                values[rule.name] = by_best * treated
            elif rule.kind == NONE:
                values[rule.name] = np.zeros(m)
            elif rule.kind == ALL:
                values[rule.name] = gain[:, rule.arm]
            elif rule.kind == RANDOM:
                values[rule.name] = gain[:, simple] * share
            else:
                assert rule.order is not None
                own = ranked(rule.order[fold.rows])
                values[rule.name] = gain[:, simple] * own.within(0, share)
                area, influence = area_influence(gain[:, simple], own)
                extra[len(part)] = influence
                part.append(area)
        learned = values[LEARNED]
        part += [values[rule.name] for rule in self.rules]
        part += [learned - values[rule.name] for rule in self.rules if rule.kind != LEARNED]
        part += [TENTHS * by_best * order.within(at / TENTHS, (at + 1) / TENTHS) for at in range(TENTHS)]
        # Not of scores, but told beside them.
        part += [TENTHS * top * order.within(at / TENTHS, (at + 1) / TENTHS) for at in range(TENTHS)]
        part += [(treated & (best == arm)).astype(np.float64) for arm in range(1, scores.shape[1])]
        found = np.column_stack(part)
        spread = found.copy()
        for place, influence in extra.items():
            spread[:, place] = influence
        return found, spread
