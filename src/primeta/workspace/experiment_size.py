"""How large an experiment must be, by the team's own history: what it takes, what it can show until its end.

Baseline, noise, what the days before the entry explain away, and the inflow are taken from the facts; the rest is
the arithmetic of `experiments.size`, which is the analysis' own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput
from primeta.experiments.look import Baseline
from primeta.experiments.records import Amount, Goal, Plan
from primeta.experiments.size import Size, size_of
from primeta.experiments.size_picture import detectable_picture
from primeta.experiments.size_words import WORDS as SIZE_WORDS
from primeta.experiments.size_words import counted, lasting, of_customers
from primeta.experiments.views_words import Names, pairs_text, text
from primeta.experiments.words import word
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table
from primeta.stats.effects import skewness_needs
from primeta.stats.sample_size import Rules, detectable, shared_level, sizes, spread
from primeta.warehouse.metric import Metric

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

NAN = math.nan
CURVE_POINTS = 26
TABLE_SHARES = (0.25, 0.5, 1.0, 2.0)
LONGEST_WEEKS = 104
LARGEST = 1e12
"""Beyond a trillion customers nobody asks how many."""
NEVER_DAYS = 3650
"""What takes longer than ten years is not told in days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What so many customers show: the smallest effect, with its sign, in the metric's unit."""

    weeks: float
    """After the first day; NaN where everybody enters on it."""
    customers: int
    effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSize:
    """The size of one plan. Where it cannot be told, `size` is None and `why_not` says why."""

    plan: Plan
    baselines: tuple[Baseline, ...]
    """In the order of the plan's goals."""
    size: Size | None
    entered: float
    """Customers who will have entered when the plan ends; NaN where unknown."""
    smallest_shown: float
    """The smallest effect that those show; NaN where none, or unknown."""
    days: float
    """From the first day until all that are needed have entered; infinite where they never come."""
    curve: tuple[Shown, ...]
    guards: tuple[tuple[Goal, int], ...]
    """Guardrail → customers in all to show that it holds."""
    warnings: tuple[str, ...]
    """Codes of `Size.warnings`, and `too-few-enter`, `planned-too-few`, `never-enough`, `guardrail-needs-more`,
    `heavy-tail`."""
    why_not: str = ""
    currency: str = ""
    metrics: dict[str, Metric]

    @property
    def primary(self) -> Baseline:
        return next(entry for entry in self.baselines if entry.metric == self.plan.primary.name)

    @property
    def days_to_answer(self) -> float:
        """Until the last window has passed too."""
        return self.days + self.plan.primary.window_days

    def names(self, lang: str) -> Names:
        return Names(lang=lang, plan=self.plan, currency=self.currency, metrics=self.metrics)

    # Words

    def line(self, lang: str = "en") -> str:
        """What it takes, in a few sentences."""
        size = self.size
        if size is None:
            return text("size.cannot", lang, why=self.why(lang))
        words, names, code = SIZE_WORDS[lang], self.names(lang), self.plan.primary.name
        each = set(size.n_by_arm.values())
        if len(each) == 1:
            split = words["split"].format(
                each=locale.number(size.n_per_arm, lang), arms=locale.number(size.arms, lang)
            )
        else:
            split = ", ".join(f"{name} {locale.number(n, lang)}" for name, n in size.n_by_arm.items())
        said = words[size.design].format(
            what=words["rise" if size.effect > 0 else "fall"].format(
                before=names.level(size.baseline, code),
                after=names.level(size.baseline + size.effect, code),
                effect=names.difference(size.effect, code),
            ),
            total=counted(size.n_total, "customer", lang),
            total_of=of_customers(size.n_total, lang),
            split=split,
        )
        return f"{said} {self.timing(lang)}"

    def why(self, lang: str) -> str:
        """Why there is no size."""
        known = word(self.why_not, lang)
        return text(self.why_not, lang) if known == self.why_not and " " not in known else known

    def timing(self, lang: str) -> str:
        """How long that takes."""
        window = counted(self.plan.primary.window_days, "day", lang)
        if math.isnan(self.days):
            return text("size.days-unknown", lang, window=window)
        if self.days <= 1:
            return text("size.at-once", lang, window=window)
        if math.isinf(self.days) and self.plan.entry == "list":
            return text("size.only", lang, n=counted(self.primary.n_now, "customer", lang))
        if self.days > NEVER_DAYS:
            return text("size.never", lang)
        return text("size.days", lang, days=lasting(math.ceil(self.days), lang), window=window)

    def pairs(self, lang: str = "en") -> list[tuple[str, str]]:
        """What the history says, as pairs of a word and a figure."""
        base, names, code = self.primary, self.names(lang), self.plan.primary.name
        if base.why_not or self.size is None:
            return []
        size, said = self.size, [(text("size.baseline", lang), names.level(base.mean, code))]
        if base.kind != "share":
            noise = locale.figure(base.sd, lang, unit=names.unit(code), currency=self.currency).text
            said.append((text("size.noise", lang), noise))
        explained = locale.percent(1 - base.variance_kept, lang, digits=0)
        said.append((text("size.cuped", lang), explained))
        said.append((text("size.now", lang), locale.number(base.n_now, lang)))
        if base.n_per_week > 0:
            weekly = locale.number(base.n_per_week, lang, digits=0 if base.n_per_week >= 10 else 1)
            said.append((text("size.inflow", lang), weekly))
        if base.starts is not None:
            seen = text(
                "size.measured",
                lang,
                customers=counted(base.customers, "customer", lang),
                day=locale.day(base.starts, lang),
            )
            said.append((text("size.from", lang), seen))
        if math.isfinite(self.entered):
            said.append((text("size.entered", lang), locale.number(round(self.entered), lang)))
        if math.isfinite(self.smallest_shown):
            shown = names.difference(self.smallest_shown, code)
            relative = locale.percent(self.smallest_shown / abs(size.baseline), lang, sign=True)
            said.append((text("size.shown", lang), f"{shown} ({relative})" if size.baseline else shown))
        # Of the test as it will be: who never comes costs nothing.
        part = min(self._at_hand() / size.n_total, 1.0)
        if size.contact_cost > 0:
            said.append((text("size.contacts", lang), self._money(part * size.contact_cost, lang)))
        if size.holdout_cost > 0:
            said.append((text("size.forgone", lang), self._money(part * size.holdout_cost, lang)))
        if math.isfinite(size.break_even) and size.break_even != 0:
            said.append((text("size.break-even", lang), names.difference(size.break_even, code)))
        if size.worth is not None:
            said.append((text("size.worth", lang), self._money(size.worth.of_test, lang)))
            said.append((text("size.certainty", lang), self._money(size.worth.of_truth, lang)))
        return said

    def _money(self, value: float, lang: str) -> str:
        return locale.money(value, lang, self.currency)

    def cautions(self, lang: str = "en") -> tuple[str, ...]:
        """Where the plan cannot answer its question: sentences."""
        if self.size is None:
            return ()
        size, names, code = self.size, self.names(lang), self.plan.primary.name
        own = dict(zip(size.warnings, size.cautions(lang), strict=True))
        shown = (
            names.difference(self.smallest_shown, code)
            if math.isfinite(self.smallest_shown)
            else locale.CANNOT_TELL[lang]
        )
        said: list[str] = []
        for warning in self.warnings:
            if warning in own:
                said.append(own[warning])
            elif warning == "guardrail-needs-more":
                said += [
                    text(
                        "size.guardrail-needs-more",
                        lang,
                        goal=names.goal(goal),
                        n=counted(n, "customer", lang),
                        margin=names.amount(goal.margin, goal.name) if goal.margin else "",
                    )
                    for goal, n in self.guards
                    if n > max(self._at_hand(), 0)
                ]
            else:
                said.append(
                    text(
                        f"size.{warning}",
                        lang,
                        n=counted(round(self.entered), "customer", lang)
                        if math.isfinite(self.entered)
                        else "",
                        planned=counted(self.plan.planned_n, "customer", lang),
                        total=locale.number(size.n_total, lang),
                        day=locale.day(self.plan.ends - timedelta(days=1), lang),
                        shown=shown,
                        needs=locale.number(self._heavy_needs(), lang, digits=0),
                        metric=names.goal(self.plan.primary),
                    )
                )
        return tuple(said)

    def _at_hand(self) -> float:
        planned = self.plan.planned_n or math.inf
        return planned if math.isnan(self.entered) else min(self.entered, planned)

    def _heavy_needs(self) -> float:
        skewness = self.primary.skewness
        return skewness_needs(skewness) if math.isfinite(skewness) else NAN

    def table(self, lang: str = "en") -> Table:
        """The smallest effect for smaller and larger tests."""
        words, names, code = SIZE_WORDS[lang], self.names(lang), self.plan.primary.name
        timed = any(math.isfinite(point.weeks) for point in self.curve)
        heads = [*(["weeks"] if timed else []), "customers", "seen", "relative"]
        rows = []
        for point in self._chosen():
            base = self.primary.mean
            row = [
                locale.number(point.customers, lang),
                names.difference(point.effect, code),
                locale.percent(point.effect / abs(base), lang, digits=1, sign=True)
                if base
                else locale.CANNOT_TELL[lang],
            ]
            rows.append(tuple([locale.number(point.weeks, lang), *row] if timed else row))
        note = ""
        if self.size is not None:
            shared = words["note.shared"].format(arms=locale.number(self.size.arms - 1, lang))
            note = words["note"].format(
                power=locale.percent(self.plan.power, lang),
                level=locale.percent(self.plan.level, lang),
                shared=shared if self.size.arms > 2 else "",
                looks="",
            )
        return Table(heads=tuple(Head(words[head], "right") for head in heads), rows=tuple(rows), note=note)

    def _chosen(self) -> list[Shown]:
        """A few points: who is there on the first day, parts and multiples of what is needed, the end of the curve."""
        known = [point for point in self.curve if math.isfinite(point.effect)]
        if not known or self.size is None:
            return []
        total = self.size.n_total
        if any(math.isfinite(point.weeks) for point in known):
            last = len(known) - 1
            evenly = {known[round(last * step / 4)] for step in range(5)}
            planned = min(known, key=lambda point: abs(point.customers - total))
            return [point for point in known if point in evenly or point is planned]
        wanted = [self.primary.n_now, *(share * total for share in TABLE_SHARES), known[-1].customers]
        near = {min(known, key=lambda point: abs(point.customers - n)).customers for n in wanted}
        return [point for point in known if point.customers in near]

    def picture(self, lang: str = "en") -> Picture | None:
        """The smallest effect over the weeks, or over the customers who take part; None where there is no size."""
        if self.size is None:
            return None
        words, names, code = SIZE_WORDS[lang], self.names(lang), self.plan.primary.name
        known = [point for point in self.curve if math.isfinite(point.effect)]
        timed = any(math.isfinite(point.weeks) for point in known)
        return detectable_picture(
            at=[point.weeks if timed else float(point.customers) for point in known],
            effects=[point.effect for point in known],
            planned_at=self.days / 7 if timed else float(self.size.n_total),
            planned_effect=self.size.effect,
            written=lambda value, language: self.names(language).difference(value, code),
            axis=words["x.weeks" if timed else "x.customers"],
            lang=lang,
            title=self.line(lang),
            subtitle=f"{words['seen']}: {names.goal(self.plan.primary)}",
            source=self.table(lang).note,
        )

    def text(self, lang: str = "en") -> str:
        """All of it, for a terminal."""
        parts = [self.line(lang)]
        if pairs := self.pairs(lang):
            parts += ["", pairs_text(pairs)]
        if cautions := self.cautions(lang):
            parts += ["", *cautions]
        if self.curve:
            parts += ["", self.table(lang).text()]
        return "\n".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "experiment": self.plan.name,
            "metric": self.plan.primary.name,
            "size": self.size.as_dict() if self.size else None,
            "days": self.days if math.isfinite(self.days) else None,
            "days_to_answer": self.days_to_answer if math.isfinite(self.days) else None,
            "entered": self.entered,
            "smallest_shown": self.smallest_shown,
            "curve": [
                {"weeks": point.weeks, "customers": point.customers, "effect": point.effect}
                for point in self.curve
            ],
            "guardrails": [{"metric": goal.name, "n_total": n} for goal, n in self.guards],
            "history": [_baseline(entry) for entry in self.baselines],
            "warnings": list(self.warnings),
            "cautions": list(self.cautions("en")),
            "why_not": self.why_not or None,
        }

    def _repr_html_(self) -> str:
        picture = self.picture()
        return (picture._repr_html_() if picture else "") + self.table().html()


def _baseline(entry: Baseline) -> dict[str, Any]:
    return {
        "metric": entry.metric,
        "kind": entry.kind,
        "mean": entry.mean,
        "sd": entry.sd,
        "variance_kept": entry.variance_kept,
        "n_now": entry.n_now,
        "n_per_week": entry.n_per_week,
        "customers": entry.customers,
        "skewness": entry.skewness,
        "starts": entry.starts,
        "why_not": entry.why_not or None,
    }


def size_of_plan(
    ws: Workspace,
    plan: Plan,
    *,
    now: datetime,
    belief: tuple[Amount, Amount] | None = None,
    customers_after: float | None = None,
) -> PlanSize:
    """The size of a plan by the workspace's own history.

    Args:
        belief: What is believed of the effect before the test: its mean and standard deviation.
        customers_after: To whom it would be done after the decision; default: those who would enter today.
    Raises:
        BadInput: the population or an attribute cannot be read; a belief where no value in money is known.
        BadTable: the tables hold nothing yet.
    """
    from primeta.workspace.measured import declared

    baselines = ws.baselines(plan, now=now)
    base = next(entry for entry in baselines if entry.metric == plan.primary.name)
    blank = PlanSize(
        plan=plan,
        baselines=baselines,
        size=None,
        entered=entered_by_the_end(plan, base),
        smallest_shown=NAN,
        days=NAN,
        curve=(),
        guards=(),
        warnings=(),
        why_not=base.why_not,
        currency=ws.config.currency,
        metrics=declared(ws),
    )
    return _sized(blank, base, belief=belief, customers_after=customers_after)


def entered_by_the_end(plan: Plan, base: Baseline) -> float:
    """Customers who will have entered when nobody does any more; NaN where that is not known."""
    if plan.entry == "table":
        return NAN
    if plan.entry == "list":
        return float(base.n_now)
    weeks = (plan.ends - plan.starts - timedelta(days=1)).days / 7
    later = base.n_per_week * weeks if math.isfinite(base.n_per_week) else 0.0
    return base.n_now + later


def _sized(
    blank: PlanSize,
    base: Baseline,
    *,
    belief: tuple[Amount, Amount] | None,
    customers_after: float | None,
) -> PlanSize:
    plan = blank.plan
    if base.why_not:
        return blank
    if plan.primary.smallest is None:
        return replace(blank, why_not="size.no-smallest")
    effect = _absolute(plan.primary.smallest, base.mean)
    # A ratio's unit brings nothing by customer, so it has no price.
    value = plan.primary.value if base.kind != "ratio" else None
    if belief is not None and value is None:
        raise BadInput(
            f"--belief: what a test is worth is told in money, and no value of one unit of {plan.primary.name} is "
            "declared; add value = … to the plan"
        )
    wanted: dict[str, Any] = {}
    if belief is not None:
        mean, sd = (_absolute(amount, base.mean) for amount in belief)
        wanted = {"belief": (mean, abs(sd)), "customers_after": customers_after or float(base.n_now)}
    try:
        size = _size(plan, base, effect, value=value, **wanted)
    except BadInput as error:
        if belief is not None:
            raise
        return replace(blank, why_not=str(error))
    found = replace(
        blank,
        why_not="",
        size=size,
        days=_days_until(size.n_total, plan, base),
        smallest_shown=_smallest(size, blank.entered),
        curve=_curve(size, plan, base),
        guards=_guards(size, plan, blank.baselines),
    )
    return replace(found, warnings=_warnings(found))


def _absolute(amount: Amount, base: float) -> float:
    return amount.value * abs(base) if amount.relative else amount.value


def _size(plan: Plan, base: Baseline, effect: float, *, value: float | None, **more: Any) -> Size:
    shares = {arm.name: arm.share for arm in (plan.arm(plan.control), *plan.treated)}
    treated = math.fsum(arm.share for arm in plan.treated)
    cost = math.fsum(arm.share * arm.cost for arm in plan.treated) / treated
    return size_of(
        kind=base.kind,
        baseline=base.mean,
        effect=effect,
        sd=base.sd,
        shares=shares,
        level=plan.level,
        power=plan.power,
        looks=plan.looks,
        anytime=plan.design == "anytime",
        variance_kept=base.variance_kept,
        skewness=base.skewness if math.isfinite(base.skewness) else 0.0,
        cost=cost - plan.arm(plan.control).cost or None,
        value=value or None,
        **more,
    )


def _days_until(n: int, plan: Plan, base: Baseline) -> float:
    """From the first day until `n` have entered."""
    if plan.entry == "table":
        return NAN
    if n <= base.n_now:
        return 1.0
    if plan.entry == "list" or not base.n_per_week > 0:
        return math.inf
    return (n - base.n_now) / base.n_per_week * 7


def _rules(size: Size) -> Rules:
    return Rules(
        design=size.design,
        looks=size.looks,
        level=shared_level(size.level, size.arms),
        power=size.power_wanted,
    )


def _smallest(size: Size, customers: float) -> float:
    """The smallest effect that so many customers show, by the size's own rules."""
    if not math.isfinite(customers):
        return NAN
    largest = math.inf
    if size.kind == "share":
        largest = 1 - size.baseline if size.effect > 0 else size.baseline
    return detectable(
        customers,
        shares=_shares(size),
        sd_of=lambda effect: spread(
            size.kind, size.baseline, effect, sd=size.sd, variance_kept=size.variance_kept
        ),
        rules=_rules(size),
        largest=largest,
        sign=size.effect,
        skew_of=size.skew_at,
    )


def _shares(size: Size) -> list[float]:
    return [n / size.n_total for n in size.n_by_arm.values()]


def _curve(size: Size, plan: Plan, base: Baseline) -> tuple[Shown, ...]:
    """Over the weeks where customers keep coming and are needed; else over the customers who take part."""
    weekly = base.n_per_week
    if plan.entry == "arrival" and weekly > 0 and size.n_total > base.n_now:
        planned = (plan.ends - plan.starts).days / 7
        needed = (size.n_total - base.n_now) / weekly
        last = min(max(2 * planned, min(1.5 * needed, LONGEST_WEEKS), 8.0), LONGEST_WEEKS)
        weeks = sorted({max(round(last * step / CURVE_POINTS), 0) for step in range(CURVE_POINTS + 1)})
        points = [(float(week), round(base.n_now + weekly * week)) for week in weeks]
        return tuple(
            Shown(weeks=weeks, customers=n, effect=_smallest(size, float(n))) for weeks, n in points if n > 0
        )
    known = {seen.customers: seen.effect for seen in size.curve}
    known.setdefault(base.n_now, _smallest(size, float(base.n_now)))
    return tuple(Shown(weeks=NAN, customers=n, effect=known[n]) for n in sorted(known) if n > 0)


def _guards(size: Size, plan: Plan, baselines: Sequence[Baseline]) -> tuple[tuple[Goal, int], ...]:
    """Customers with whom a guardrail that nothing touches is shown to hold: its margin is left out of the interval."""
    known = {entry.metric: entry for entry in baselines}
    found: list[tuple[Goal, int]] = []
    for goal in plan.goals:
        base = known[goal.name]
        if goal.role != "guardrail" or goal.margin is None or base.why_not:
            continue
        margin = _absolute(goal.margin, base.mean)
        sd = spread(base.kind, base.mean, 0.0, sd=base.sd, variance_kept=base.variance_kept)
        if margin and sum(one**2 for one in sd) / margin**2 <= LARGEST:
            found.append((goal, sum(sizes(margin, sd=sd, shares=_shares(size), rules=_rules(size)))))
    return tuple(found)


def _warnings(found: PlanSize) -> tuple[str, ...]:
    size, plan, base = found.size, found.plan, found.primary
    assert size is not None
    told: list[str] = []
    if math.isinf(found.days):
        told.append("never-enough")
    elif found.entered < size.n_total:
        told.append("too-few-enter")
    if plan.planned_n and plan.planned_n < size.n_total:
        told.append("planned-too-few")
    at_hand = min(found.entered, plan.planned_n or math.inf) if math.isfinite(found.entered) else NAN
    if any(n > at_hand for _, n in found.guards):
        told.append("guardrail-needs-more")
    smallest = min(size.n_per_arm, at_hand * min(arm.share for arm in plan.arms))
    if math.isfinite(base.skewness) and smallest < skewness_needs(base.skewness):
        told.append("heavy-tail")
    return (*told, *size.warnings)
