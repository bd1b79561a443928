"""Sums of a simulated experiment, made from customers' rows: what the warehouse would have summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from primeta.config import parse_config
from primeta.experiments.look import Question, questions_of
from primeta.experiments.records import Amount, Arm, Goal, Plan
from primeta.stats.moments import Moments
from primeta.warehouse.exposures import Entered
from primeta.warehouse.kept_sums import WHOLE, Cells, KeptSums
from primeta.warehouse.metrics import declared_metrics

START = date(2026, 1, 5)
CONFIG = parse_config("[workspace]\nmargin = 0.25\n", Path("primeta.toml"))
METRICS = declared_metrics(CONFIG)


def plan_of(**changes) -> Plan:
    given = {
        "name": "test",
        "hypothesis": "it helps",
        "arms": (Arm(name="control", share=0.5), Arm(name="a", share=0.5)),
        "control": "control",
        "goals": (
            Goal(metric="revenue_per_customer", window_days=14, role="primary", smallest=Amount(0.02, True)),
        ),
        "starts": START,
        "ends": START + timedelta(days=28),
        "owner": "me",
        "covariate_days": 28,
    }
    return Plan(**{**given, **changes})


def questions(plan: Plan, **changes) -> tuple[Question, ...]:
    return questions_of(plan, METRICS, CONFIG, **changes)


class Rows:
    """Customers: arm (n,) and day of entry (n,) as numbers, columns of each question, attributes."""

    def __init__(self, plan: Plan, arm, day, attributes: Mapping[str, Sequence[str]] | None = None):
        self.plan = plan
        self.arm = np.asarray(arm)
        self.day = np.asarray(day)
        self.attributes = {name: np.asarray(values) for name, values in (attributes or {}).items()}
        self.columns: dict[str, np.ndarray] = {}

    def sums(self, *, views: Sequence[str] = (WHOLE,), strata: str = "") -> KeptSums:
        days = sorted(set(self.day.tolist()))
        cells = {}
        for key, columns in self.columns.items():
            for view in views:
                attribute = strata if view == WHOLE else view
                of = self.attributes[attribute] if attribute else np.array([""] * len(self.arm))
                values = sorted(set(of.tolist()))
                k = columns.shape[1]
                table = np.zeros((len(self.plan.arms), len(values), len(days), 2 + k + k * k))
                for a in range(len(self.plan.arms)):
                    for v, value in enumerate(values):
                        for c, day in enumerate(days):
                            rows = columns[(self.arm == a) & (of == value) & (self.day == day)]
                            if not len(rows):
                                continue
                            moments = Moments.of_rows(rows)
                            whole = rows[:, : self.blocks[key]].sum(axis=1)
                            table[a, v, c] = [
                                len(rows),
                                (whole**3).sum(),
                                *moments.mean,
                                *moments.scatter.ravel(),
                            ]
                cells[key, view] = Cells(
                    values=tuple(values),
                    days=tuple(START + timedelta(days=int(day)) for day in days),
                    keys=tuple(str(day) for day in days),
                    table=table,
                )
        return KeptSums(arms=tuple(arm.name for arm in self.plan.arms), cells=cells)

    blocks: Mapping[str, int] = {}

    def give(self, question: Question, columns) -> None:
        """The columns of a question's outcome, (n, k)."""
        assert question.outcome is not None
        columns = np.asarray(columns, dtype=float)
        assert columns.shape == (len(self.arm), question.outcome.columns)
        self.columns[question.outcome.key] = columns
        self.blocks = {**self.blocks, question.outcome.key: question.outcome.blocks}

    def entered(self, **changes) -> Entered:
        days = sorted(set(self.day.tolist()))
        counts = np.array(
            [
                [((self.arm == a) & (self.day == day)).sum() for day in days]
                for a in range(len(self.plan.arms))
            ]
        )
        made = Entered(
            file=Path("entered.parquet"),
            arms=tuple(arm.name for arm in self.plan.arms),
            days=tuple(START + timedelta(days=int(day)) for day in days),
            counts=counts.reshape(len(self.plan.arms), len(days)),
            marks=tuple(str(day) for day in days),
        )
        return replace(made, **changes)
