"""`primeta experiment plan | assign | analyse`: experiments on plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
Pairs = Annotated[list[str] | None, Parameter(negative_iterable="", consume_multiple=True)]


def analyse(
    file: Path,
    /,
    *,
    arm: str,
    control: str,
    metric: Pairs = None,
    primary: str = "",
    covariate: Pairs = None,
    shares: Pairs = None,
    cost: Pairs = None,
    value: Pairs = None,
    effect: Pairs = None,
    guardrail: Pairs = None,
    cap: Pairs = None,
    by: str = "",
    unit: str = "",
    strata: str = "",
    planned_n: int = 0,
    looks: int = 1,
    final: Annotated[bool, Parameter(negative="")] = False,
    bayes: Annotated[bool, Parameter(negative="")] = False,
    level: float = 0.95,
    json: Json = False,
    language: Language = "",
) -> None:
    """Effects and a decision from one row per customer.

    Parameters
    ----------
    file
        A CSV or Parquet file, one row per customer assigned.
    arm
        Column with the arm; rows without one took no part.
    control
        Name of the control.
    metric
        NAME=COL (mean), NAME=COL:share (0 or 1) or NAME=NUM/DEN (ratio of sums); repeat it. The first is primary.
    primary
        Another metric as the primary one.
    covariate
        NAME=COL, a column known before assignment. A metric's name gives it to that metric, any other to all.
    shares
        ARM=SHARE as planned; default: equal.
    cost
        ARM=MONEY per customer assigned: contact and discount.
    value
        METRIC=MONEY for one unit of its difference.
    effect
        METRIC=SMALLEST effect that matters, absolute or with %; below 0 where down is good.
    guardrail
        METRIC=MARGIN, how much worse it may get, absolute or with %; -2% may not fall, +0.1 may not rise by more.
    cap
        METRIC=VALUE: one customer counts up to this.
    by
        Column known before assignment, to show effects apart.
    unit
        Column of the customer's id, to check that nobody stands twice.
    strata
        Column within which arms were balanced; it is adjusted for.
    planned_n
        Customers of all arms together at which the experiment ends.
    looks
        Planned looks on the way to --planned-n; default: valid at every look.
    final
        Decide on the interval for one look at the planned end.
    bayes
        Add the Bayesian reading: probability to be better, expected loss.
    level
        Of the intervals.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.experiments.experiment import Experiment, numbers, pairs

    found = Experiment(
        arm=arm,
        control=control,
        metrics=pairs(metric, "--metric"),
        primary=primary,
        covariates=pairs(covariate, "--covariate"),
        smallest=pairs(effect, "--effect"),
        guardrails=pairs(guardrail, "--guardrail"),
        values=numbers(value, "--value"),
        costs=numbers(cost, "--cost"),
        shares=numbers(shares, "--shares"),
        caps=numbers(cap, "--cap"),
        level=level,
        planned_n=planned_n,
        looks=looks,
    ).analyse(file, final=final, by=by, unit=unit, strata=strata, bayesian=bayes)
    if json:
        put_json(found.as_dict())
        return
    lang = "ru" if language == "ru" else "en"
    put(found.line(lang))
    put("\n" + found.decision_table(lang).text())
    put("\n" + found.table(lang).text())
    if found.segments:
        put("\n" + found.segment_table(lang).text())
