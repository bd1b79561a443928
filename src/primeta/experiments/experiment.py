"""`pm.Experiment`: one declaration for planning, assigning and analysing an experiment on plain tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput
from primeta.experiments.analyse import DOWN_IS_GOOD, Rules, analyse
from primeta.experiments.analysis import Analysis
from primeta.experiments.records import Amount
from primeta.experiments.spec import amount, has_sign, named, number

if TYPE_CHECKING:
    import pyarrow as pa

    from primeta.experiments.size import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What is compared, by which metrics, and what turns the effects into a decision.

    Args:
        control: The control's name in the column `arm`.
        metrics: Name → `COL` (mean), `COL:share` or `NUM/DEN` (ratio of sums); the first is primary.
        covariates: Name → a column known before assignment; a metric's name gives it to that metric alone.
        smallest: Metric → smallest effect that matters, absolute or "2%"; below 0 where down is good.
        guardrails: Metric → how much worse it may get, absolute or "2%". A sign says the way: "-2%" may not fall
            by more, "+0.1" may not rise by more; without one, down is worse, but for metrics of Primeta that are
            better when they fall (churn, unsubscribe_rate …).
        values: Metric → money for one unit of its difference. costs: arm → money per customer assigned.
        shares: Arm → planned share; empty: equal. caps: metric → a customer's numerator counts up to this.
        planned_n: Customers of all arms together at which it ends. looks: planned looks on the way there.

    >>> test = Experiment(arm="segment", control="No E-Mail", metrics={"spend": "spend"})
    >>> found = test.analyse("hillstrom.csv")          # doctest: +SKIP
    """

    control: str
    metrics: Mapping[str, str]
    arm: str = "arm"
    primary: str = ""
    covariates: Mapping[str, str] = field(default_factory=dict)
    smallest: Mapping[str, float | str] = field(default_factory=dict)
    guardrails: Mapping[str, float | str] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.95
    planned_n: int = 0
    looks: int = 1

    def rules(self, *, final: bool = False) -> Rules:
        return Rules(
            primary=self.primary,
            smallest={name: amount(value, f"effect {name}") for name, value in self.smallest.items()},
            guardrails={name: margin(name, value) for name, value in self.guardrails.items()},
            values={name: float(value) for name, value in self.values.items()},
            costs={name: float(value) for name, value in self.costs.items()},
            shares={name: float(value) for name, value in self.shares.items()},
            caps={name: float(value) for name, value in self.caps.items()},
            level=self.level,
            planned_n=self.planned_n,
            looks=self.looks,
            final=final,
        )

    def plan(self, **asked: Any) -> Size:
        """The size of this test: its arms, level and looks with what `experiments.size.size_of` asks for besides.

        >>> test = Experiment(control="control", metrics={"bought": "bought:share"})
        >>> test.plan(kind="share", baseline=0.08, effect=0.01).n_per_arm
        12206
        """
        from primeta.experiments.size import size_of

        given: dict[str, Any] = {"level": self.level, "looks": self.looks, "shares": self._planned() or None}
        treated = {cost for arm, cost in self.costs.items() if arm != self.control}
        if len(treated) == 1:
            given["cost"] = treated.pop() - self.costs.get(self.control, 0.0)
        first = self.primary or next(iter(self.metrics), "")
        if first in self.values:
            given["value"] = self.values[first]
        return size_of(**{**given, **asked})

    def assign(self, rows: Any, *, unit: str, salt: str, **options: Any) -> pa.Table:
        """The rows with `arm` and `bucket`, by the planned shares; see `experiments.assignment.assign`."""
        from primeta.experiments.assignment import assign

        if not self.shares:
            raise BadInput("no shares are planned; give them, such as shares={'control': .5, 'offer': .5}")
        return assign(rows, unit=unit, salt=salt, arms=self._planned(), **options)

    def _planned(self) -> dict[str, float]:
        """Planned shares, the control first: its part of [0, 1) then never depends on who came beside it."""
        if self.shares and self.control not in self.shares:
            raise BadInput(f"the shares name no {self.control!r}, which is the control")
        names = sorted(self.shares, key=lambda name: name != self.control)
        return {name: float(self.shares[name]) for name in names}

    def analyse(
        self,
        rows: Any,
        *,
        final: bool = False,
        by: str = "",
        unit: str = "",
        strata: str = "",
        bayesian: bool = False,
    ) -> Analysis:
        """Effects and a decision from one row per customer; see `experiments.analyse.analyse`."""
        return analyse(
            rows,
            arm=self.arm,
            control=self.control,
            metrics=self.metrics,
            covariates=self.covariates,
            rules=self.rules(final=final),
            by=by,
            unit=unit,
            strata=strata,
            bayesian=bayesian,
        )


def margin(metric: str, text: float | str) -> Amount:
    """A guardrail's margin with its direction: below 0 it may not fall by more, above 0 not rise by more."""
    given = amount(text, f"guardrail {metric}")
    if given.value == 0:
        raise BadInput(
            f"guardrail {metric}: a margin of 0 can never be shown to hold; name how much worse it may get"
        )
    if has_sign(text):
        return given
    return given if metric in DOWN_IS_GOOD else Amount(-given.value, given.relative)


def pairs(entries: Sequence[str] | None, option: str) -> dict[str, str]:
    """`NAME=VALUE` entries of a command line, each name once."""
    found: dict[str, str] = {}
    for entry in entries or ():
        for part in _parts(entry):
            name, value = named(part, option)
            if name in found:
                raise BadInput(f"{option}: {name} is given twice")
            found[name] = value
    return found


def numbers(entries: Sequence[str] | None, option: str) -> dict[str, float]:
    return {name: number(value, f"{option} {name}") for name, value in pairs(entries, option).items()}


def _parts(entry: str) -> list[str]:
    """`control=.2,a=.8` is two; a comma inside a value stays where what follows is no NAME=VALUE."""
    found: list[str] = []
    for part in entry.split(","):
        if found and "=" not in part:
            found[-1] += "," + part
        else:
            found.append(part)
    return [part.strip() for part in found if part.strip()]
