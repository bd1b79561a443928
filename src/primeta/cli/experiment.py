"""`primeta experiment plan | assign | analyse`: experiments on plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json, tell

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
Pairs = Annotated[list[str] | None, Parameter(negative_iterable="", consume_multiple=True)]


def assign(
    file: Path,
    /,
    *,
    unit: str,
    salt: str,
    arms: str,
    out: Path,
    hash: Literal["md5", "fnv1a"] = "md5",
    ramp: str = "1",
    layer: str = "",
    slots: str = "0:1",
    holdout: str = "0",
    strata: str = "",
    cuts: Path | None = None,
    split: Path | None = None,
    json: Json = False,
    language: Language = "",
) -> None:
    """The rows of a file with the arm that each customer gets, by a hash that needs no memory.

    Parameters
    ----------
    file
        A CSV or Parquet file, by its ending.
    unit
        Column of ids. The same id always gets the same arm, whatever else the file holds.
    salt
        Of the lottery: one an experiment, such as its name.
    arms
        Names and shares in their order: control=.2,a=.4,b=.4 (or 20%); they sum to one.
    out
        The file to write: CSV or Parquet, by its ending.
    hash
        fnv1a draws as GrowthBook does (hash version 2).
    ramp
        Share that takes part. Raising it later moves nobody.
    layer
        Experiments of one layer with disjoint slots share no customer.
    slots
        The part of the layer, FROM:TO, such as 0:.5.
    holdout
        Share of all customers that no experiment touches; the same in all of them.
    strata
        Columns, separated by commas, within which the file is split exactly as planned.
    cuts
        JSON file of the strata's cut points: made at first, used again later.
    split
        Folder for one file an arm, to be loaded into a sending platform.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.experiments.assignment import Lottery, parse_arms, parse_share, parse_slots
    from primeta.experiments.audience import assign_file

    lottery = Lottery(
        salt=salt,
        arms=tuple(parse_arms(arms).items()),
        hash=hash,
        layer=layer,
        slots=parse_slots(slots),
        holdout=parse_share(holdout, "holdout"),
        ramp=parse_share(ramp, "ramp"),
        strata=tuple(name.strip() for name in strata.split(",") if name.strip()),
    )
    done = assign_file(file, unit=unit, lottery=lottery, out=out, cuts=cuts, split=split)
    lang = "ru" if language == "ru" else "en"
    for note in done.notes(lang):
        tell(note)
    if json:
        put_json(done.as_dict())
        return
    put(done.line(lang))
    put("\n" + done.table(lang).text())


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


def plan(
    *,
    kind: Literal["share", "mean", "ratio"],
    baseline: str,
    effect: str,
    sd: float | None = None,
    relative: Annotated[bool, Parameter(negative="")] = False,
    arms: int | None = None,
    level: float = 0.95,
    power: float = 0.8,
    looks: int = 1,
    anytime: Annotated[bool, Parameter(negative="")] = False,
    per_week: float | None = None,
    variance_kept: float = 1.0,
    shares: Pairs = None,
    cost: float | None = None,
    value: float | None = None,
    belief: str = "",
    customers_after: float | None = None,
    json: Json = False,
    language: Language = "",
) -> None:
    """How many customers a test needs, for how long, and the smallest effect it can show.

    Parameters
    ----------
    kind
        share (0 or 1 a customer), mean, or ratio of two sums.
    baseline
        The control's share (.04 or 4%), mean or ratio.
    effect
        Smallest effect to be seen, arm minus control; below 0 for a fall. 5% is relative for means and ratios.
    sd
        Standard deviation of one customer, for mean and ratio; for a ratio R that of (numerator − R·denominator) /
        mean denominator.
    relative
        The effect is a part of the baseline: .1 is 10% of it.
    arms
        Arms, the control counted; default 2.
    level
        Of the whole test; treated arms share it.
    power
        Probability of showing the effect if it is there.
    looks
        Planned looks, the last at the end; default: one.
    anytime
        Valid at every look; the sizes are then the maximum.
    per_week
        Customers of all arms together that enter in a week.
    variance_kept
        What a covariate known before leaves of the variance (1 − correlation²).
    shares
        ARM=SHARE of the customers, control first, such as control=.2,a=.8; default: equal.
    cost
        Money per customer assigned to a treated arm.
    value
        Money that one unit of the effect is worth, per customer.
    belief
        What is believed of the effect now, MEAN:SD in its own unit: a guess.
    customers_after
        To whom it would be done after the decision; with --belief and --value it tells what the test is worth.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.experiments.experiment import numbers
    from primeta.experiments.size import size_of
    from primeta.experiments.spec import number, two_numbers

    # "5%" of a mean can only be a part of it; of a share it could be five points, so that takes --relative.
    part = effect.strip().endswith("%") and kind != "share"
    size = size_of(
        kind=kind,
        baseline=number(baseline, "--baseline"),
        effect=number(effect, "--effect"),
        relative=relative or part,
        sd=sd,
        arms=arms,
        shares=numbers(shares, "--shares") if shares else None,
        level=level,
        power=power,
        looks=looks,
        anytime=anytime,
        per_week=per_week,
        variance_kept=variance_kept,
        cost=cost,
        value=value,
        belief=two_numbers(belief, "--belief") if belief else None,
        customers_after=customers_after,
    )
    if json:
        put_json(size.as_dict())
        return
    lang = "ru" if language == "ru" else "en"
    put(size.line(lang))
    put("\n" + size.table(lang).text())
    if remarks := size.remarks(lang):
        put("\n" + "\n".join(remarks))
