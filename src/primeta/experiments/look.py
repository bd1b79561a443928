"""A look at a running experiment: from sums by arm and day of entry to effects, checks and a decision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.config import Config
from primeta.experiments.analysis import Analysis
from primeta.experiments.decide import NO_VALUE, decide
from primeta.experiments.evaluate import (
    DEFAULT_TUNED,
    FEW_EVENTS,
    Looking,
    Measured,
    adjusted_p,
    differ_between,
    effects_of,
    money_of,
    sample_ratio,
)
from primeta.experiments.records import NAN, ArmDecision, Effect, Goal, Plan, SampleRatio
from primeta.experiments.size_words import counted
from primeta.stats.effects import NO_SPREAD, Influence, adjusted, influence
from primeta.stats.moments import Moments
from primeta.stats.sequential import ratio_log_evidence
from primeta.stats.spending import bounds
from primeta.stats.staggered import Staggered, staggered
from primeta.warehouse.experiment_sums import View
from primeta.warehouse.exposures import Entered
from primeta.warehouse.kept_sums import WHOLE, Cells, KeptSums
from primeta.warehouse.metric import Metric
from primeta.warehouse.outcomes import Outcome, event_of, outcome_of, valued

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MONEY = "money"
MOST_STRATA = 20
"""Strata that are adjusted for: the largest; all smaller ones count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One goal of a plan with what is summed for it, or the code of why it cannot be answered."""

    goal: Goal
    metric: Metric
    outcome: Outcome | None
    why_not: str = ""

    @property
    def decides(self) -> bool:
        return self.goal.role != "secondary"

    @property
    def good(self) -> Literal["up", "down"]:
        """The declared amount knows best: a metric may be neither good nor bad by itself."""
        amount = self.goal.smallest
        if amount is not None and amount.value:
            return "down" if amount.value < 0 else "up"
        if self.goal.margin is not None:
            return "up" if self.goal.margin.value < 0 else "down"
        return "down" if self.metric.good == "down" else "up"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLook:
    """What a look of a group-sequential plan decided, and how far the plan had come."""

    number: int
    """1 … `looks`."""
    information: float
    """Share of the planned customers."""
    decisions: Mapping[str, ArmDecision] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """One look: the analysis, and how far the experiment has come."""

    analysis: Analysis
    as_of: date
    """Facts count up to this day, without it: the first day that is not yet whole for the primary metric."""
    n_effective: float
    """Customers with a whole window who would tell the primary metric as precisely."""
    information: float
    """Share of the planned customers; NaN where no number is planned."""
    planned: PlannedLook | None
    """Where this is one of the planned looks of a group-sequential plan."""
    ratio_evidence: float
    """Natural logarithm of the largest bet so far against the planned shares."""

    def document(self) -> dict[str, Any]:
        """The analysis as JSON, and what a later look must know of this one."""
        found = self.analysis.as_dict()
        for entry, decision in zip(found["decisions"], self.analysis.decisions, strict=True):
            entry["figures"] = dict(decision.figures)
        # The sentences of `notes` are English; with their codes they can be told in another language too.
        found["note_codes"] = list(self.analysis.notes)
        found["as_of"] = self.as_of.isoformat()
        found["n_effective"] = self.n_effective
        found["information"] = self.information
        found["planned_look"] = self.planned.number if self.planned else None
        return found


def planned_look_of(document: Mapping[str, Any]) -> PlannedLook | None:
    """The planned look that a stored document tells of; None where it was none."""
    if not document.get("planned_look"):
        return None

    def number(value: Any) -> float:
        return NAN if value is None else float(value)

    decisions = {
        entry["arm"]: ArmDecision(
            arm=entry["arm"],
            state=entry["state"],
            rule=entry["rule"],
            figures=entry.get("figures") or {},
            money_per_customer=number(entry.get("money_per_customer")),
            low=number(entry.get("low")),
            high=number(entry.get("high")),
            basis=entry.get("basis") or "",
        )
        for entry in document["decisions"]
    }
    return PlannedLook(
        number=int(document["planned_look"]),
        information=number(document["information"]),
        decisions=decisions,
    )


# What is asked


def questions_of(
    plan: Plan, metrics: Mapping[str, Metric], config: Config, *, why_not: Mapping[str, str] | None = None
) -> tuple[Question, ...]:
    """A question for each goal, in the order of the plan.

    Args:
        metrics: As they were when the plan was declared.
        config: With the margin of that time.
        why_not: Metric → the code of why it cannot be had from the tables.
    """
    found: list[Question] = []
    for goal in plan.goals:
        metric = metrics[goal.metric]
        made = outcome_of(
            metric,
            config,
            name=goal.name,
            window_days=goal.window_days,
            cap=goal.cap,
            covariate_days=plan.covariate_days,
        )
        code = made if isinstance(made, str) else (why_not or {}).get(goal.metric, "")
        outcome = made if isinstance(made, Outcome) and not code else None
        found.append(Question(goal=goal, metric=metric, outcome=outcome, why_not=code))
    return tuple(found)


def money_outcome(questions: Sequence[Question]) -> Outcome | None:
    """What the valued goals bring together, in money per customer; None where none has a value per customer."""
    parts = [
        (question.outcome, question.goal.value)
        for question in questions
        if question.goal.value is not None
        and question.outcome is not None
        and question.outcome.kind != "ratio"
    ]
    return valued(parts, name=MONEY) if parts else None


def wanted_sums(plan: Plan, questions: Sequence[Question]) -> list[tuple[Outcome, tuple[View, ...]]]:
    """Every outcome with the views that it is cut by: segments for what decides."""
    whole = View(name=WHOLE, attributes=plan.strata)
    segments = tuple(View(name=name, attributes=(name,)) for name in plan.segments)
    found: list[tuple[Outcome, tuple[View, ...]]] = []
    for question in questions:
        if question.outcome is not None:
            found.append((question.outcome, (whole, *segments) if question.decides else (whole,)))
    money = money_outcome(questions)
    return [*found, (money, (whole,))] if money else found


# One look


def take_look(
    plan: Plan,
    questions: Sequence[Question],
    sums: KeptSums,
    entered: Entered,
    *,
    seen: Mapping[str, date],
    earlier: Sequence[PlannedLook] = (),
    stopped: date | None = None,
    currency: str = "",
    source: str = "",
    notes: Sequence[str] = (),
) -> Look:
    """Effects, checks and a decision from sums.

    Args:
        seen: Name of an outcome → the first day that is not yet whole for it.
        earlier: Planned looks before this one, of a group-sequential plan.
        stopped: The day on which a person stopped it: nobody entered after it.
        notes: Codes with figures, beside those of `entered`.
    """
    return _Looking(
        plan=plan,
        questions=questions,
        sums=sums,
        entered=entered,
        seen=seen,
        earlier=earlier,
        stopped=stopped,
        currency=currency,
        source=source,
        notes=notes,
    ).look()


@dataclass(slots=True, kw_only=True)
class _Looking:
    plan: Plan
    questions: Sequence[Question]
    sums: KeptSums
    entered: Entered
    seen: Mapping[str, date]
    earlier: Sequence[PlannedLook] = ()
    stopped: date | None = None
    currency: str = ""
    source: str = ""
    notes: Sequence[str] = ()

    @property
    def arms(self) -> tuple[str, ...]:
        """Control first."""
        return (self.plan.control, *(arm.name for arm in self.plan.treated))

    def look(self) -> Look:
        plan = self.plan
        measured = {question.goal.name: self.measured(question) for question in self.questions}
        primary = measured[plan.primary.name]
        n_effective = primary.n_effective if primary is not None else 0.0
        ended = self.ended(n_effective)
        looking, planned, waits, waiting = self.looking(n_effective, ended)
        effects = self.effects(measured, looking)
        ratio, evidence = self.ratio()
        money, basis = self.money(looking)
        decisions, verdict = decide(
            effects,
            ratio=ratio,
            money=money,
            basis=basis,
            ended=ended,
            waits=waits,
            waiting=waiting,
            held=self.earlier[-1].decisions if self.earlier else None,
        )
        segments, differ = self.segments(looking)
        found = Analysis(
            control=plan.control,
            arms=self.arms,
            ratio=ratio,
            shares_given=True,
            effects=effects,
            decisions=decisions,
            verdict=verdict,
            level=plan.level,
            how=looking.how,
            ended=ended,
            planned_n=plan.planned_n,
            costs={arm.name: arm.cost for arm in plan.arms},
            segments=segments,
            by=", ".join(plan.segments),
            segments_differ=differ,
            placebo=self.placebo(looking),
            notes=(*(f"{code}:{n}" for code, n in self.entered.notes.items()), *self.notes),
            source=self.source,
            currency=self.currency,
            labels=labels_of(self.questions),
        )
        if planned is not None:
            planned = replace(planned, decisions={entry.arm: entry for entry in decisions})
        return Look(
            analysis=found,
            as_of=self.seen.get(plan.primary.name, plan.starts),
            n_effective=n_effective,
            information=min(n_effective / plan.planned_n, 1.0) if plan.planned_n else NAN,
            planned=planned,
            ratio_evidence=evidence,
        )

    # How far it has come

    def ended(self, n_effective: float) -> bool:
        """Nothing more will be learnt of what decides: nobody enters, and every window has passed."""
        if self.plan.planned_n and n_effective >= self.plan.planned_n:
            return True
        closed = self.plan.ends
        if self.stopped is not None:
            closed = min(closed, self.stopped + timedelta(days=1))
        if self.plan.entry == "list":
            closed = min(closed, self.plan.starts + timedelta(days=1))
        deciding = [question.outcome for question in self.questions if question.decides and question.outcome]
        return bool(deciding) and all(
            self.seen[outcome.name] >= closed + timedelta(days=outcome.window_days - 1)
            for outcome in deciding
        )

    def looking(
        self, n_effective: float, ended: bool
    ) -> tuple[Looking, PlannedLook | None, str, dict[str, Any]]:
        """How the deciding interval is made; the planned look that this is; why nothing may be decided at it."""
        plan = self.plan
        tuned = plan.planned_n or DEFAULT_TUNED
        if plan.design == "anytime":
            return Looking(how="always", tuned=tuned), None, "", {}
        if plan.design == "fixed":
            return Looking(how="fixed", tuned=tuned), None, "" if ended else "before-end", {}
        return self.sequential(n_effective, ended, tuned)

    def sequential(
        self, n_effective: float, ended: bool, tuned: float
    ) -> tuple[Looking, PlannedLook | None, str, dict[str, Any]]:
        """The bound of a group-sequential plan, for looks wherever they were taken (Lan & DeMets 1983)."""
        plan, taken = self.plan, list(self.earlier)
        # Without a planned number the calendar is what it counts by.
        information = (
            1.0 if ended else min(n_effective / plan.planned_n if plan.planned_n else self.passed(), 1.0)
        )
        due = plan.looks if ended else math.floor(information * plan.looks + 1e-9)
        done = taken[-1].number if taken else 0
        before = [look.information for look in taken]
        alpha = (1 - plan.level) / max(len(plan.treated), 1)
        if done >= plan.looks:
            # All is spent: what the last look decided holds.
            bound = float(bounds(before, alpha=alpha)[-1])
            return (
                Looking(how="planned", tuned=tuned, bound=bound),
                None,
                "between-looks",
                self.next_look(done),
            )
        here = max(information, (before[-1] if before else 0.0) + 1e-6)
        bound = float(bounds([*before, min(here, 1.0)], alpha=alpha)[-1]) if here <= 1 else math.inf
        looking = Looking(how="planned", tuned=tuned, bound=bound)
        if due > done and n_effective > 0:
            return looking, PlannedLook(number=due, information=min(here, 1.0)), "", {}
        return looking, None, "between-looks", self.next_look(done)

    def next_look(self, done: int) -> dict[str, Any]:
        plan = self.plan
        following = min(done + 1, plan.looks)
        n = math.ceil(following / plan.looks * plan.planned_n) if plan.planned_n else NAN
        return {"look": following, "looks": plan.looks, "n": n}

    def passed(self) -> float:
        """Share of the days until every window has passed."""
        plan = self.plan
        days = (plan.ends - plan.starts).days + plan.primary.window_days - 1
        gone = (self.seen.get(plan.primary.name, plan.starts) - plan.starts).days
        return max(gone, 0) / max(days, 1)

    # Effects

    def measured(self, question: Question) -> Measured | None:
        """A goal in every arm; None where nobody has entered, or where it cannot be had."""
        if question.outcome is None:
            return None
        cells = self.sums.cells.get((question.outcome.key, WHOLE))
        if cells is None or not cells.days:
            return None
        return self.of_cells(question, question.outcome, cells, cohorts=with_strata(cells))

    def of_cells(self, question: Question, outcome: Outcome, cells: Cells, *, cohorts: Moments) -> Measured:
        return self.of_many(
            question, outcome, cells, cohorts=cohorts[None], skewed=cells.third.sum(axis=1)[None]
        )[0]

    def of_many(
        self, question: Question, outcome: Outcome, cells: Cells, *, cohorts: Moments, skewed: Floats
    ) -> list[Measured]:
        """One goal for each of V groups of customers.

        Args:
            cohorts: (V, A, C), arms as the sums have them. skewed: (V, A, C) third powers.
        """
        order = [self.sums.arms.index(name) for name in self.arms]
        cohorts, skewed = cohorts[:, order], skewed[:, order]
        passed = blocks_passed(outcome, cells.days, self.seen[outcome.name])
        whole = passed >= outcome.blocks
        q = len(outcome.before) + cohorts.columns - outcome.columns
        found = staggered(cohorts, passed, blocks=outcome.blocks, ratio=outcome.denominator is not None, q=q)
        skewness = _skewness(outcome, cohorts[:, :, whole].merged(2), skewed[:, :, whole].sum(axis=-1))
        return [
            self._measured(question, outcome, found, place, skewness[place], whole)
            for place in range(len(cohorts.n))
        ]

    def _measured(
        self,
        question: Question,
        outcome: Outcome,
        found: Staggered,
        place: int,
        skewness: Floats,
        whole: npt.NDArray[np.bool_],
    ) -> Measured:
        of = found.influence
        one = Influence(
            of.n[place],
            of.value[place],
            of.variance[place],
            of.with_covariates[place],
            of.covariates[place],
            of.covariate_mean[place],
        )
        known = bool(np.isfinite(one.value).all())
        exact = outcome.kind == "share" and known and bool(whole.all())
        cautions: tuple[str, ...] = ()
        if outcome.kind == "share" and known and not exact:
            events = one.n * np.clip(one.value, 0.0, 1.0)
            if float(np.minimum(events, one.n - events).min()) < FEW_EVENTS:
                cautions = ("few-events",)
        share = float(found.mature_share[place])
        return Measured(
            name=question.goal.name,
            kind=outcome.kind,
            influence=one,
            role=question.goal.role,
            good=question.good,
            smallest=question.goal.margin or question.goal.smallest,
            covariates=one.covariate_mean.shape[-1],
            events=(one.n * one.value).round().tolist() if exact else (),
            skewness=skewness.tolist() if outcome.kind == "mean" and (one.n > 0).all() else (),
            n_effective=float(found.n_effective[place].sum()),
            mature_share=share if math.isfinite(share) else 0.0,
            cautions=cautions,
        )

    def effects(self, measured: Mapping[str, Measured | None], looking: Looking) -> tuple[Effect, ...]:
        """A row for each goal and arm, in the order of the plan; NaN with a reason where there is no answer."""
        known = effects_of(
            [entry for entry in measured.values() if entry is not None],
            arms=self.arms,
            control=self.plan.control,
            level=self.plan.level,
            looking=looking,
        )
        rows: list[Effect] = []
        for question in self.questions:
            mine = [row for row in known if row.metric == question.goal.name]
            if not mine:
                rows += [self.unknown(question, arm) for arm in self.arms[1:]]
                continue
            waiting = not self.lived_through(question)
            rows += [replace(row, why_not="not-seen-yet") if waiting and row.why_not else row for row in mine]
        return adjusted_p(rows)

    def lived_through(self, question: Question) -> bool:
        """Whether any day's customers have lived through the last block."""
        outcome = question.outcome
        assert outcome is not None
        days = self.sums.cells[outcome.key, WHOLE].days
        return bool((blocks_passed(outcome, days, self.seen[outcome.name]) >= outcome.blocks).any())

    def unknown(self, question: Question, arm: str) -> Effect:
        counts = self.entered.by_arm
        numbers = dict.fromkeys(
            ("control_mean", "arm_mean", "difference", "se", "low", "high", "p", "p_adjusted", "lift", "lift_low",
             "lift_high", "always_low", "always_high", "decision_low", "decision_high"), NAN,
        )  # fmt: skip
        outcome = question.outcome
        return Effect(
            metric=question.goal.name,
            arm=arm,
            n_control=counts[self.plan.control],
            n_arm=counts[arm],
            lift_method="delta",
            level=self.plan.level,
            role=question.goal.role,
            kind=outcome.kind if outcome else "mean",
            good=question.good,
            smallest=question.goal.margin or question.goal.smallest,
            mature_share=0.0,
            why_not=question.why_not or "not-seen-yet",
            **numbers,
        )

    def segments(self, looking: Looking) -> tuple[tuple[Effect, ...], dict[tuple[str, str], float]]:
        """What decides, in every segment, adjusted together; and whether segments differ at all."""
        found: list[Effect] = []
        differ: dict[tuple[str, str], tuple[str, str]] = {}
        several = len(self.plan.segments) > 1
        for attribute in self.plan.segments:
            for question in self.questions:
                outcome = question.outcome
                cells = (
                    self.sums.cells.get((outcome.key, attribute)) if outcome and question.decides else None
                )
                if outcome is None or cells is None or not cells.days:
                    continue
                if not self.lived_through(question):
                    continue
                moments = cells.moments()
                large = [place for place, n in enumerate(moments.n.sum(axis=-1).T) if (n > 1).all()]
                measured = self.of_many(
                    question,
                    outcome,
                    cells,
                    cohorts=Moments(
                        moments.n.swapaxes(0, 1)[large],
                        moments.mean.swapaxes(0, 1)[large],
                        moments.scatter.swapaxes(0, 1)[large],
                    ),
                    skewed=cells.third.swapaxes(0, 1)[large],
                )
                for place, entry in zip(large, measured, strict=True):
                    found += effects_of(
                        [entry],
                        arms=self.arms,
                        control=self.plan.control,
                        level=self.plan.level,
                        looking=looking,
                        segment=f"{attribute}={cells.values[place] or '?'}",
                    )
                metric = f"{question.goal.name} · {attribute}" if several else question.goal.name
                for arm in self.arms[1:]:
                    differ[metric, arm] = question.goal.name, attribute
        rows = adjusted_p(found)
        return rows, {
            (metric, arm): differ_between(
                [
                    row
                    for row in rows
                    if (row.metric, row.arm) == (goal, arm) and row.segment.startswith(f"{attribute}=")
                ]
            )
            for (metric, arm), (goal, attribute) in differ.items()
        }

    # Checks

    def ratio(self) -> tuple[SampleRatio, float]:
        """Whether the arms are as large as planned, at this look and at every day so far."""
        names = [arm.name for arm in self.plan.arms]
        shares = {arm.name: arm.share for arm in self.plan.arms}
        counts = self.entered.counts[[self.entered.arms.index(name) for name in names]]
        total = {name: int(n) for name, n in zip(names, counts.sum(axis=1))}
        if not sum(total.values()):
            empty = SampleRatio(counts=total, planned=shares, p=NAN, always_p=1.0, ok=True)
            return empty, 0.0
        evidence = ratio_log_evidence(np.cumsum(counts, axis=1).T, list(shares.values()))
        largest = max(float(np.max(evidence)), 0.0)
        # Who came in on one day is counted once, however often one looks.
        repeated = counts.shape[1] > 1
        found = sample_ratio(total, shares, always_p=math.exp(-largest), repeated=repeated)
        return found, largest

    def placebo(self, looking: Looking) -> tuple[Effect, ...]:
        """The same comparison over the days before the entry: it can only be chance, or a broken lottery."""
        order = [self.sums.arms.index(name) for name in self.arms]
        before: dict[str, Measured] = {}
        for question in self.questions:
            outcome = question.outcome
            cells = self.sums.cells.get((outcome.key, WHOLE)) if outcome and question.decides else None
            if outcome is None or cells is None or not cells.days or not outcome.before:
                continue
            arms = cells.moments().merged(1).merged(1)[order]
            # One term has one side before the entry; the denominator's is the last.
            below = outcome.columns - 1 if outcome.denominator is not None else None
            of = influence(arms, numerator=outcome.width, denominator=below)
            kind = "mean" if outcome.kind == "share" else outcome.kind
            before.setdefault(
                question.goal.metric, Measured(name=question.goal.metric, kind=kind, influence=of)
            )
        rows = effects_of(
            list(before.values()),
            arms=self.arms,
            control=self.plan.control,
            level=self.plan.level,
            looking=replace(looking, how="always"),
        )
        # Where nobody did anything before, there is nothing to compare.
        return tuple(row for row in rows if not row.why_not)

    def money(self, looking: Looking) -> tuple[dict[str, Any], str]:
        """Money per customer of each arm; the code of why there is none."""
        outcome = money_outcome(self.questions)
        if outcome is None:
            ratios = any(
                question.goal.value is not None and question.outcome is not None
                for question in self.questions
            )
            return {}, "value-of-ratio" if ratios else NO_VALUE
        cells = self.sums.cells.get((outcome.key, WHOLE))
        if cells is None or not cells.days:
            return {}, "not-seen-yet"
        goal = replace(self.plan.primary, metric=MONEY, smallest=None, margin=None, cap=None)
        question = Question(goal=goal, metric=next(iter(self.questions)).metric, outcome=outcome)
        measured = self.of_cells(question, outcome, cells, cohorts=with_strata(cells))
        found = money_of(
            measured,
            arms=self.arms,
            control=self.plan.control,
            costs={arm.name: arm.cost for arm in self.plan.arms},
            level=self.plan.level,
            looking=looking,
        )
        known = any(entry.known for entry in found.values())
        return dict(found), "measured" if known else "not-seen-yet"


def blocks_passed(outcome: Outcome, days: Sequence[date], seen: date) -> Ints:
    """(C,) blocks that have wholly passed for customers who entered on these days."""
    ages = [(seen - day).days for day in days]
    return np.searchsorted(np.array(outcome.edges[1:]), ages, side="right").astype(np.int64)


def with_strata(cells: Cells) -> Moments:
    """(A, C) moments over all strata, with a 0/1 column for each but one: their share is a covariate like another.

    The largest `MOST_STRATA` have a column of their own.
    """
    moments = cells.moments()
    strata = len(cells.values)
    if strata == 1:
        return moments[:, 0]
    size = moments.n.sum(axis=(0, 2))
    own = np.sort(np.argsort(-size, kind="stable")[:MOST_STRATA])
    if len(own) == strata:
        own = own[1:]
    k, extra = moments.columns, len(own)
    mean = np.concatenate([moments.mean, np.zeros((*moments.n.shape, extra))], axis=-1)
    for column, place in enumerate(own):
        mean[:, place, :, k + column] = np.where(moments.n[:, place] > 0, 1.0, 0.0)
    scatter = np.zeros((*moments.n.shape, k + extra, k + extra))
    scatter[..., :k, :k] = moments.scatter
    return Moments(moments.n, mean, scatter).merged(1)


def _skewness(outcome: Outcome, moments: Moments, third: Floats) -> Floats:
    """(…,) skewness of one customer's whole total, from moments of customers whose window has passed; 0 where unknown.

    Args:
        third: (…,) sums of the third powers of the totals.
    """
    blocks = slice(0, outcome.blocks)
    n = np.maximum(moments.n, 1.0)
    mean = moments.mean[..., blocks].sum(axis=-1)
    variance = moments.scatter[..., blocks, blocks].sum(axis=(-2, -1)) / n
    central = third / n - 3 * mean * (variance + mean**2) + 2 * mean**3
    spread = variance > NO_SPREAD * mean**2
    return np.where(spread, central / np.where(spread, variance, 1.0) ** 1.5, 0.0)


EVENTS: dict[str, dict[str, str]] = {
    "order": {"en": "ordered within {days}", "ru": "заказ за {days}"},
    "order.not": {"en": "no order within {days}", "ru": "нет заказа за {days}"},
    "message": {"en": "got a message within {days}", "ru": "сообщение за {days}"},
}
"""What an experiment asks of a customer, where that is not what the metric's name says."""


def goal_label(metric: Metric, window_days: int, lang: str) -> str:
    """A goal's name for people: `Average order value, 30 days`; `Churn: no order within 90 days`."""
    name = metric.label.get(lang) or metric.label.get("en") or metric.name
    days = counted(window_days, "day", lang)
    asked = event_of(metric)
    if not asked:
        return f"{name}, {days}"
    return f"{name.partition(':')[0]}: {EVENTS[asked][lang].format(days=days)}"


def labels_of(questions: Sequence[Question]) -> dict[str, dict[str, str]]:
    """Goal, and metric alone → language → the name that people read."""
    found: dict[str, dict[str, str]] = {}
    for question in questions:
        metric, days = question.metric, question.goal.window_days
        found[question.goal.name] = {lang: goal_label(metric, days, lang) for lang in ("en", "ru")}
        found[metric.name] = {
            lang: metric.label.get(lang) or metric.label.get("en") or metric.name for lang in ("en", "ru")
        }
    return found


# The interval over time


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was known of the primary metric on one day, for one arm; NaN where it could not be told."""

    day: date
    """Facts count up to this day, without it."""
    arm: str
    n_effective: float
    difference: float
    low: float
    high: float
    """For one look at a planned end."""
    always_low: float
    always_high: float
    decision_low: float
    decision_high: float
    control_mean: float = NAN
    look: int = 0
    """Number of the saved look that saw this; 0: worked out afterwards."""


def course(
    plan: Plan,
    question: Question,
    sums: KeptSums,
    entered: Entered,
    *,
    days: Sequence[date],
    seen: date,
    earlier: Sequence[tuple[date, PlannedLook]] = (),
) -> tuple[Moment, ...]:
    """The primary metric's interval on each of the days, as it was to be seen then.

    Customers who entered later are left out, and blocks that had not passed. Facts that came late count as if
    they had been there.

    Args:
        seen: The first day that is not yet whole for the metric now; later days are left out.
        earlier: (day, planned look) of a group-sequential plan.
    """
    outcome = question.outcome
    cells = sums.cells.get((outcome.key, WHOLE)) if outcome else None
    if outcome is None or cells is None:
        return ()
    found: list[Moment] = []
    for day in days:
        if day > seen:
            continue
        then = [entry for entry in cells.days if entry < day]
        if not then:
            continue
        looking = _Looking(
            plan=plan,
            questions=(question,),
            sums=replace(sums, cells={(outcome.key, WHOLE): cells.only(then)}),
            entered=entered,
            seen={outcome.name: day},
            earlier=[entry for taken, entry in earlier if taken < day],
        )
        measured = looking.measured(question)
        assert measured is not None
        ended = looking.ended(measured.n_effective)
        how = looking.looking(measured.n_effective, ended)[0]
        for row in looking.effects({question.goal.name: measured}, how):
            found.append(
                Moment(
                    day=day,
                    arm=row.arm,
                    n_effective=measured.n_effective,
                    difference=row.difference,
                    low=row.low,
                    high=row.high,
                    always_low=row.always_low,
                    always_high=row.always_high,
                    decision_low=row.decision_low,
                    decision_high=row.decision_high,
                    control_mean=row.control_mean,
                )
            )
    return tuple(found)


# What the past says of a metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One goal as it was without an experiment, for the size of one. NaN with `why_not` where it cannot be told."""

    metric: str
    """`revenue_per_customer.30d`."""
    kind: Literal["mean", "share", "ratio"] = "mean"
    mean: float = NAN
    sd: float = NAN
    """Of one customer; of (x − R·y) / mean(y) for a ratio R."""
    variance_kept: float = 1.0
    """What the covariate leaves of the variance."""
    n_per_week: float = NAN
    """Customers who enter in a week beside those who are there at the start; NaN where that is not known."""
    n_now: int = 0
    """Customers who would enter on the first day, if it were today."""
    customers: int = 0
    """Of the past from whom this was worked out."""
    skewness: float = NAN
    starts: date | None = None
    """The first day of the pretended experiment."""
    why_not: str = ""


def baseline_of(question: Question, sums: KeptSums, *, seen: date, n_per_week: float, n_now: int) -> Baseline:
    """A goal over a pretended experiment that treated nobody and has one arm."""
    outcome, name = question.outcome, question.goal.name
    if outcome is None:
        return Baseline(metric=name, n_per_week=n_per_week, n_now=n_now, why_not=question.why_not)
    cells = sums.cells.get((outcome.key, WHOLE))
    blank = Baseline(metric=name, kind=outcome.kind, n_per_week=n_per_week, n_now=n_now)
    if cells is None or not cells.days:
        return replace(blank, why_not="short-history")
    passed = blocks_passed(outcome, cells.days, seen)
    whole = passed >= outcome.blocks
    if not whole.any():
        return replace(blank, why_not="short-history")
    cohorts = with_strata(cells)[:, whole]
    q = len(outcome.before) + cohorts.columns - outcome.columns
    of = staggered(
        cohorts, passed[whole], blocks=outcome.blocks, ratio=outcome.denominator is not None, q=q
    ).influence
    third = cells.third[:, :, whole].sum(axis=(1, 2))
    n, value, variance = int(of.n[0]), float(of.value[0]), float(of.variance[0])
    if n < 2:
        return replace(blank, why_not="too-few-customers")
    if math.isnan(value):
        return replace(blank, why_not="no-denominator")
    if not variance > 0:
        return replace(blank, mean=value, customers=n, why_not="no-variance")
    return replace(
        blank,
        mean=value,
        sd=math.sqrt(variance),
        variance_kept=min(float(adjusted(of).kept), 1.0),
        customers=n,
        skewness=float(_skewness(outcome, cohorts.merged(1), third)[0]) if outcome.kind == "mean" else NAN,
        starts=cells.days[0],
    )
