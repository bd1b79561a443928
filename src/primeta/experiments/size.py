"""The size of an experiment before it starts: customers, days, the smallest effect it can show, what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from primeta.errors import BadInput
from primeta.experiments.evaluate import FEW_EVENTS, SMALL_ARM
from primeta.experiments.records import Design, Kind
from primeta.experiments.size_picture import detectable_picture
from primeta.experiments.size_words import WORDS, counted, lasting, of_customers
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table
from primeta.stats.sample_size import (
    ALWAYS_LOOKS,
    Rules,
    detectable,
    power_at,
    shared_level,
    sizes,
    skewness_of_share,
    spread,
)
from primeta.stats.worth import Worth, worth_of_knowing

NAN = float("nan")
USEFUL_LOOKS = 20
"""With so many O'Brien–Fleming looks an effect is found after 78% of a fixed test's customers; 60 gain one point."""
MOST_LOOKS = 500
LARGE_RELATIVE = 0.5
YEAR_DAYS = 365
CURVE_POINTS = 26
LONGEST_CURVE_WEEKS = 104
LARGEST_TOTAL = 10**12
TABLE_SHARES = (0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The smallest effect that a test of so many customers shows; NaN where it shows none."""

    weeks: float
    """NaN where the weekly inflow is not known."""
    customers: int
    effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many customers a plan needs and what it then promises.

    `effect`, `baseline`, `sd` are in the metric's unit (shares as .08), money per customer or in all as said.
    """

    kind: Kind
    design: Design
    baseline: float
    effect: float
    """Absolute: arm − control."""
    sd: float
    """Of one customer; NaN for shares, whose variance follows from the share."""
    variance_kept: float
    skewness: float
    """Of one customer of a mean, 0 where it is not known; it counts where the arms are of unequal size."""
    level: float
    """Of the whole test; shared between the treated arms."""
    power_wanted: float
    power: float
    """Reached by the smallest treated arm at this size."""
    looks: int
    """Planned looks; for anytime those that the size counts on."""
    bounds: tuple[float, ...]
    """Standard errors to either side at each look, for many customers."""
    n_by_arm: dict[str, int]
    """Control first. With several looks or anytime: at most."""
    n_expected: float
    """Customers in all after which it ends on average, if the effect is there."""
    per_week: float
    """Customers of all arms together that enter in a week; NaN where unknown."""
    cost: float
    """Money per customer assigned to a treated arm; NaN where unknown."""
    value: float
    """Money that one unit of the effect is worth, per customer; NaN where unknown."""
    curve: tuple[Seen, ...]
    worth: Worth | None
    """What the test adds to what is believed already; None where nobody said what is believed."""
    warnings: tuple[str, ...]
    """Codes: `longer-than-a-year`, `shorter-than-a-week`, `few-events`, `small-arm`, `effect-large`,
    `below-break-even`, `more-looks-than-useful`, `not-worth-knowing`."""

    @property
    def arms(self) -> int:
        return len(self.n_by_arm)

    def skew_at(self, effect: float) -> tuple[float, float]:
        """Skewness of one customer in the control and in an arm with this effect."""
        return _skew(self.kind, self.baseline, effect, self.skewness)

    @property
    def n_per_arm(self) -> int:
        """Of the smallest arm."""
        return min(self.n_by_arm.values())

    @property
    def n_total(self) -> int:
        return sum(self.n_by_arm.values())

    @property
    def days(self) -> int | None:
        """Until all have entered; the window of the metric comes after that."""
        return math.ceil(round(self.n_total / self.per_week * 7, 6)) if self.per_week > 0 else None

    @property
    def days_expected(self) -> float:
        return self.n_expected / self.per_week * 7

    @property
    def contact_cost(self) -> float:
        """Money that the contacts of the whole test cost."""
        return self.cost * (self.n_total - self._n_control)

    @property
    def gain(self) -> float:
        """Money that the effect brings per customer, before the contact is paid."""
        return self.effect * self.value

    @property
    def holdout_cost(self) -> float:
        """Money that the control does not bring by the end of the test, if the effect is there."""
        return self._n_control * (self.gain - (0.0 if math.isnan(self.cost) else self.cost))

    @property
    def break_even(self) -> float:
        """The effect that pays for its contact."""
        return self.cost / self.value if self.value != 0 else NAN

    @property
    def _n_control(self) -> int:
        return next(iter(self.n_by_arm.values()))

    def line(self, lang: str = "en") -> str:
        """The plan in one sentence or three."""
        words = WORDS[lang]
        each = set(self.n_by_arm.values())
        if len(each) == 1:
            split = words["split"].format(
                each=locale.number(self.n_per_arm, lang), arms=locale.number(self.arms, lang)
            )
        else:
            split = ", ".join(f"{name} {locale.number(n, lang)}" for name, n in self.n_by_arm.items())
        text = words[self.design].format(
            what=words["rise" if self.effect > 0 else "fall"].format(
                before=self.level_text(self.baseline, lang),
                after=self.level_text(self.baseline + self.effect, lang),
                effect=self.effect_text(self.effect, lang),
            ),
            total=counted(self.n_total, "customer", lang),
            total_of=of_customers(self.n_total, lang),
            split=split,
        )
        if self.days is not None:
            text += words["days"].format(
                per_week=locale.number(self.per_week, lang), days=lasting(self.days, lang)
            )
        text += words["power"].format(power=locale.percent(self.power_wanted, lang))
        if self.design != "fixed":
            used = _roughly(self.n_expected)
            text += words[f"looks.{self.design}"].format(
                looks=locale.number(self.looks, lang),
                used=counted(used, "customer", lang),
                used_of=of_customers(used, lang),
            )
        return text

    def level_text(self, value: float, lang: str) -> str:
        """A level of the metric: `8%`, `40`."""
        if self.kind == "share":
            return locale.percent(value, lang, digits=_digits(value * 100))
        return locale.number(value, lang, digits=_digits(value))

    def effect_text(self, value: float, lang: str) -> str:
        """A difference: `+3 pts`, `+6.2`."""
        if self.kind == "share":
            return locale.points(value, lang, digits=_digits(value * 100))
        return locale.number(value, lang, digits=_digits(value), sign=True)

    def _relative_text(self, effect: float, lang: str) -> str:
        if not self.baseline:
            return locale.CANNOT_TELL[lang]
        part = effect / abs(self.baseline)
        return locale.percent(part, lang, digits=min(_digits(part * 100), 1), sign=True)

    def table(self, lang: str = "en") -> Table:
        """The smallest effect for shorter and longer tests; the planned one is marked."""
        words = WORDS[lang]
        timed = self.per_week > 0
        columns = (["weeks"] if timed else []) + ["customers", "seen", "relative"]
        rows = []
        for seen in self._chosen():
            row = [
                locale.number(seen.customers, lang),
                self.effect_text(seen.effect, lang),
                self._relative_text(seen.effect, lang),
            ]
            rows.append(tuple([locale.number(seen.weeks, lang)] + row if timed else row))
        note = ""
        if self.looks > 1:
            counted_looks = (
                counted(self.looks, "look.accusative", lang)
                if lang == "ru"
                else locale.number(self.looks, lang)
            )
            code = "note.always" if self.design == "anytime" else "note.looks"
            note = words[code].format(looks=counted_looks)
        shared = words["note.shared"].format(arms=locale.number(self.arms - 1, lang))
        return Table(
            heads=tuple(Head(words[code], "right") for code in columns),
            rows=tuple(rows),
            note=words["note"].format(
                power=locale.percent(self.power_wanted, lang),
                level=locale.percent(self.level, lang),
                shared=shared if self.arms > 2 else "",
                looks=note,
            ),
        )

    def _chosen(self) -> list[Seen]:
        """A few points of the curve: about a quarter, half, one, one and a half and two times the plan."""
        known = [seen for seen in self.curve if math.isfinite(seen.effect)]
        picked: list[Seen] = []
        for share in TABLE_SHARES if known else ():
            near = min(known, key=lambda seen: abs(seen.customers - share * self.n_total))
            if near not in picked:
                picked.append(near)
        return picked

    def picture(self, lang: str = "en") -> Picture:
        """The smallest effect that is shown over the weeks of the test, or over its customers."""
        timed = self.per_week > 0
        known = [seen for seen in self.curve if math.isfinite(seen.effect)]
        return detectable_picture(
            at=[seen.weeks if timed else float(seen.customers) for seen in known],
            effects=[seen.effect for seen in known],
            planned_at=self.n_total / self.per_week if timed else float(self.n_total),
            planned_effect=self.effect,
            written=self.effect_text,
            axis=WORDS[lang]["x.weeks" if timed else "x.customers"],
            lang=lang,
            title=self.line(lang),
            subtitle=WORDS[lang]["seen"],
            source=self.table(lang).note,
        )

    def remarks(self, lang: str = "en") -> tuple[str, ...]:
        """What the test costs, and where the plan cannot answer its question: sentences."""
        words, said = WORDS[lang], []
        if math.isfinite(self.contact_cost):
            code = "cost.contacts" if self.design == "fixed" else "cost.contacts.most"
            said.append(words[code].format(money=_money(self.contact_cost, lang)))
        if self.holdout_cost > 0:
            said.append(words["cost.holdout"].format(money=_money(self.holdout_cost, lang)))
        if (
            math.isfinite(self.break_even)
            and self.break_even != 0
            and "below-break-even" not in self.warnings
        ):
            said.append(words["cost.break_even"].format(effect=self.effect_text(self.break_even, lang)))
        if self.worth is not None:
            said.append(
                words["worth"].format(
                    test=_money(self.worth.of_test, lang), truth=_money(self.worth.of_truth, lang)
                )
            )
        return (*said, *self.cautions(lang))

    def cautions(self, lang: str = "en") -> tuple[str, ...]:
        """The warnings as sentences."""
        looks, useful = self.looks, min(USEFUL_LOOKS, self.days or USEFUL_LOOKS)
        figures = {
            "days": "" if self.days is None else lasting(self.days, lang),
            "events": locale.number(math.floor(self.fewest_events), lang) if self.kind == "share" else "",
            "n": counted(self.n_per_arm, "customer", lang),
            "relative": self._relative_text(self.effect, lang),
            "gain": _money(self.gain, lang),
            "cost": _money(self.cost, lang),
            "effect": self.effect_text(self.break_even, lang),
            "looks": counted(looks, "look", lang) if lang == "ru" else locale.number(looks, lang),
            "useful": locale.number(useful, lang),
            "worth": _money(self.worth.of_test, lang) if self.worth else "",
            "contacts": _money(self.contact_cost, lang),
        }
        return tuple(WORDS[lang][code].format(**figures) for code in self.warnings)

    @property
    def fewest_events(self) -> float:
        """Of a share: customers with the event expected in one arm, or without it, whichever are fewer."""
        control = self._n_control
        arm = min(list(self.n_by_arm.values())[1:])
        both = (control, self.baseline), (arm, self.baseline + self.effect)
        return min(n * min(share, 1 - share) for n, share in both)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.kind,
            "design": self.design,
            "looks": self.looks,
            "level": self.level,
            "arms": self.arms,
            "baseline": self.baseline,
            "sd": self.sd,
            "variance_kept": self.variance_kept,
            "effect": self.effect,
            "relative_effect": self.effect / self.baseline if self.baseline else NAN,
            "power": self.power,
            "power_wanted": self.power_wanted,
            "n_per_arm": self.n_per_arm,
            "n_total": self.n_total,
            "n_by_arm": dict(self.n_by_arm),
            "n_expected": self.n_expected,
            "per_week": self.per_week,
            "days": self.days,
            "days_expected": self.days_expected,
            "bounds": list(self.bounds),
            "detectable": [
                {"weeks": seen.weeks, "customers": seen.customers, "effect": seen.effect}
                for seen in self.curve
            ],
            "contact_cost": self.contact_cost,
            "holdout_cost": self.holdout_cost,
            "break_even": self.break_even,
            "worth_of_test": self.worth.of_test if self.worth else NAN,
            "worth_of_certainty": self.worth.of_truth if self.worth else NAN,
            "warnings": list(self.warnings),
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html()


def _skew(kind: Kind, baseline: float, effect: float, skewness: float) -> tuple[float, float]:
    if kind == "share":
        return skewness_of_share(baseline), skewness_of_share(baseline + effect)
    return (skewness, skewness) if kind == "mean" else (0.0, 0.0)


def size_of(
    *,
    kind: Kind,
    baseline: float,
    effect: float,
    relative: bool = False,
    sd: float | None = None,
    arms: int | None = None,
    shares: Mapping[str, float] | None = None,
    level: float = 0.95,
    power: float = 0.8,
    looks: int = 1,
    anytime: bool = False,
    per_week: float | None = None,
    variance_kept: float = 1.0,
    skewness: float = 0.0,
    cost: float | None = None,
    value: float | None = None,
    belief: tuple[float, float] | None = None,
    customers_after: float | None = None,
) -> Size:
    """The fewest customers with which an effect is shown with the power asked for.

    Args:
        kind: `share` (0 or 1 a customer), `mean`, or `ratio` of two sums.
        baseline: The control's share, mean or ratio.
        effect: Arm − control, not 0; with `relative` as a part of the baseline.
        sd: Of one customer: of the value, or of (x − R·y) / mean(y) for a ratio R; not used for shares.
        arms: Control and treated ones together; 2 by default.
        shares: Arm → share of the customers, the control first, summing to one; equal by default.
        level: Of the whole test; each of K − 1 treated arms is held to 1 − (1 − level)/(K − 1).
        power: Probability that the smallest treated arm's interval leaves 0 out on the effect's side.
        looks: 2 or more: group-sequential, O'Brien–Fleming spending, evenly spread.
        anytime: Valid at every look; counts on 30 even looks, or on daily ones where it is shorter.
        per_week: Customers of all arms together that enter in a week.
        variance_kept: 1 − ρ², what a covariate leaves of the variance (CUPED).
        skewness: Of one customer of a mean; it counts where the arms are of unequal size.
        cost: Money per customer assigned to a treated arm. value: money per customer and unit of the effect.
        belief: What is believed of the effect before the test, as mean and standard deviation in its own unit.
        customers_after: To whom it would be done after the decision; with `belief` and `value` it tells what the
            test is worth.
    Raises:
        BadInput: what was given cannot be a plan; the message says what can.
    """
    share_by_arm = _shares(arms, shares)
    absolute = effect * baseline if relative else effect
    deviation = _checked(
        kind=kind,
        baseline=baseline,
        effect=absolute,
        sd=sd,
        level=level,
        power=power,
        looks=looks,
        anytime=anytime,
        per_week=per_week,
        variance_kept=variance_kept,
        cost=cost,
        value=value,
    )
    parts = list(share_by_arm.values())

    def sd_of(size: float) -> tuple[float, float]:
        return spread(kind, baseline, size, sd=deviation, variance_kept=variance_kept)

    def skew_of(size: float) -> tuple[float, float]:
        return _skew(kind, baseline, size, skewness)

    def rules_of(count: int) -> Rules:
        design: Design = "anytime" if anytime else "sequential" if count > 1 else "fixed"
        return Rules(design=design, looks=count, level=shared_level(level, len(parts)), power=power)

    rules = rules_of(ALWAYS_LOOKS if anytime else looks)
    if (sum(sd**2 for sd in sd_of(absolute)) / absolute**2) > LARGEST_TOTAL:
        raise BadInput(
            f"an effect of {absolute:g} beside a standard deviation of {max(sd_of(absolute)):g} takes more than a "
            "trillion customers; look for a larger effect"
        )
    skew = skew_of(absolute)
    found = sizes(absolute, sd=sd_of(absolute), shares=parts, rules=rules, skew=skew)
    while anytime and per_week and (days := max(1, math.floor(sum(found) / per_week * 7))) < rules.looks:
        # a test of ten days is looked at ten times, not thirty, so it has fewer chances
        rules = rules_of(days)
        found = sizes(absolute, sd=sd_of(absolute), shares=parts, rules=rules, skew=skew)
    smallest = 1 + min(range(len(found) - 1), key=lambda place: found[1 + place])
    n = found[0], found[smallest]
    reached = power_at(absolute, sd=sd_of(absolute), n=n, rules=rules, skew=skew)
    total = sum(found)

    def seen(customers: int, weeks: float) -> Seen:
        largest = math.inf
        if kind == "share":
            largest = 1 - baseline if absolute > 0 else baseline
        shown = detectable(
            customers, shares=parts, sd_of=sd_of, rules=rules, largest=largest, sign=absolute, skew_of=skew_of
        )
        return Seen(weeks=weeks, customers=customers, effect=shown)

    size = Size(
        kind=kind,
        design=rules.design,
        baseline=float(baseline),
        effect=float(absolute),
        sd=deviation,
        variance_kept=float(variance_kept),
        skewness=float(skewness),
        level=float(level),
        power_wanted=float(power),
        power=reached.power,
        looks=rules.looks,
        bounds=tuple(float(bound) for bound in rules.multipliers()),
        n_by_arm=dict(zip(share_by_arm, found, strict=True)),
        n_expected=reached.used * total,
        per_week=float(per_week) if per_week else NAN,
        cost=NAN if cost is None else float(cost),
        value=NAN if value is None else float(value),
        curve=tuple(seen(*point) for point in _points(total, per_week)),
        worth=_worth(
            belief,
            customers_after,
            value=value,
            cost=cost,
            se=_se(sd_of(absolute), (found[0], found[smallest])),
        ),
        warnings=(),
    )
    return _with_warnings(size)


def _se(sd: tuple[float, float], n: tuple[int, int]) -> float:
    return math.sqrt(sd[0] ** 2 / n[0] + sd[1] ** 2 / n[1])


def _worth(
    belief: tuple[float, float] | None,
    customers_after: float | None,
    *,
    value: float | None,
    cost: float | None,
    se: float,
) -> Worth | None:
    if belief is None and customers_after is None:
        return None
    if belief is None or customers_after is None or value is None:
        raise BadInput(
            "what a test is worth takes all of three: what is believed of the effect (belief, mean:sd), how many "
            "customers come after it (customers-after), and the value of a unit"
        )
    mean, sd = belief
    if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
        raise BadInput(f"a belief is a mean and a standard deviation above 0, not {mean:g}:{sd:g}")
    if not (math.isfinite(customers_after) and customers_after > 0):
        raise BadInput(
            f"customers after the decision: a number above 0 was expected, not {customers_after:g}"
        )
    return worth_of_knowing(mean=mean, sd=sd, se=se, value=value, cost=cost or 0.0, customers=customers_after)


def _points(total: int, per_week: float | None) -> list[tuple[int, float]]:
    """Where the curve is reckoned: customers, and the week at whose end they are there."""
    if not per_week:
        step = total / (CURVE_POINTS / 2)
        counts = sorted({max(2, round(step * (index + 1))) for index in range(CURVE_POINTS)} | {total})
        return [(count, NAN) for count in counts]
    planned = max(1, math.ceil(round(total / per_week, 9)))
    last = max(min(2 * planned, LONGEST_CURVE_WEEKS), min(8, 4 * planned), planned)
    spaced = {max(1, round(last * (index + 1) / CURVE_POINTS)) for index in range(CURVE_POINTS)}
    weeks = sorted(spaced | {planned})
    return [(math.floor(round(per_week * week, 6)), float(week)) for week in weeks]


def _with_warnings(size: Size) -> Size:
    found = []
    if size.days is not None and size.days > YEAR_DAYS:
        found.append("longer-than-a-year")
    if size.days is not None and size.days < 7:
        found.append("shorter-than-a-week")
    if size.kind == "share" and size.fewest_events < FEW_EVENTS:
        found.append("few-events")
    if size.n_per_arm < SMALL_ARM:
        found.append("small-arm")
    if size.baseline and abs(size.effect) > LARGE_RELATIVE * abs(size.baseline):
        found.append("effect-large")
    if size.gain < size.cost:
        found.append("below-break-even")
    if size.design == "sequential" and size.looks > min(USEFUL_LOOKS, size.days or USEFUL_LOOKS):
        found.append("more-looks-than-useful")
    if size.worth is not None and size.contact_cost > size.worth.of_test:
        found.append("not-worth-knowing")
    return replace(size, warnings=tuple(found))


def _shares(arms: int | None, shares: Mapping[str, float] | None) -> dict[str, float]:
    """Arm → share, the control first."""
    if shares is None:
        count = 2 if arms is None else arms
        if count != int(count) or not 2 <= count <= 1000:
            raise BadInput(f"a test has at least 2 arms, the control counted; {count} were given")
        names = ["control", *(_letter(place) for place in range(int(count) - 1))]
        return dict.fromkeys(names, 1 / int(count))
    given = {str(name): float(share) for name, share in shares.items()}
    if len(given) < 2:
        raise BadInput(f"shares of at least 2 arms are needed, the control first; {len(given)} was given")
    if arms is not None and arms != len(given):
        raise BadInput(f"{arms} arms were asked for and shares of {len(given)} given: {', '.join(given)}")
    wrong = [name for name, share in given.items() if not 0 < share < 1]
    if wrong:
        raise BadInput(f"the share of an arm lies between 0 and 1; {wrong[0]} has {given[wrong[0]]:g}")
    if abs(sum(given.values()) - 1) > 1e-6:
        raise BadInput(f"the shares of the arms sum to {sum(given.values()):g}, not to 1")
    return given


def _letter(place: int) -> str:
    """a, b, … z, a1, b1 …"""
    return "abcdefghijklmnopqrstuvwxyz"[place % 26] + (str(place // 26) if place >= 26 else "")


def _checked(
    *,
    kind: Kind,
    baseline: float,
    effect: float,
    sd: float | None,
    level: float,
    power: float,
    looks: int,
    anytime: bool,
    per_week: float | None,
    variance_kept: float,
    cost: float | None,
    value: float | None,
) -> float:
    """The standard deviation to reckon with, once everything given can be a plan."""
    if kind not in ("share", "mean", "ratio"):
        raise BadInput(f"no kind {kind!r}; there are share, mean, ratio")
    named = {
        "baseline": baseline,
        "effect": effect,
        "sd": sd,
        "level": level,
        "power": power,
        "per-week": per_week,
        "variance-kept": variance_kept,
        "cost": cost,
        "value": value,
    }
    for name, number in named.items():
        if number is not None and not math.isfinite(number):
            raise BadInput(f"{name}: a number was expected, not {number}")
    if kind == "share" and not 0 < baseline < 1:
        raise BadInput(f"the baseline of a share lies between 0 and 1, not {baseline:g}; write 4% as .04")
    if effect == 0:
        raise BadInput("an effect of 0 cannot be looked for; give the smallest one that matters")
    if kind == "share" and not 0 < baseline + effect < 1:
        raise BadInput(
            f"a share of {baseline:g} and an effect of {effect:+g} make {baseline + effect:g}, outside 0 to 1; "
            "give the effect in the share's own unit (1 point is .01), or --relative as a part of the baseline"
        )
    if kind != "share" and sd is None:
        raise BadInput(
            "the standard deviation of one customer (--sd) is needed for a mean or a ratio; for a ratio R it is that of "
            "(numerator − R · denominator) / mean denominator"
        )
    if sd is not None and not sd > 0:
        raise BadInput(f"a standard deviation is above 0, not {sd:g}")
    if not 0 < level < 1:
        raise BadInput(f"the level lies between 0 and 1, not {level:g}; write 95% as .95")
    if not 0 < power < 1:
        raise BadInput(f"the power lies between 0 and 1, not {power:g}; write 80% as .8")
    if power <= (1 - level) / 2:
        raise BadInput(f"a power of {power:g} is less than what chance alone brings at level {level:g}")
    if looks != int(looks) or not 1 <= looks <= MOST_LOOKS:
        raise BadInput(f"looks: a whole number from 1 to {MOST_LOOKS} was expected, not {looks}")
    if anytime and looks > 1:
        raise BadInput(
            "--looks and --anytime exclude each other: an anytime test may be looked at as often as you like"
        )
    if per_week is not None and not per_week > 0:
        raise BadInput(f"customers a week are more than 0, not {per_week:g}")
    if not 0 < variance_kept <= 1:
        raise BadInput(
            f"the variance that a covariate leaves lies above 0 and up to 1, not {variance_kept:g}"
        )
    if cost is not None and cost < 0:
        raise BadInput(f"the cost of a contact is 0 or more, not {cost:g}")
    if value == 0:
        raise BadInput("a value of 0 money makes every effect worthless; leave it out where it is unknown")
    return NAN if kind == "share" else float(sd)  # pyright: ignore[reportArgumentType]


def _roughly(n: float) -> float:
    """Rounded to three digits: an average is not exact to the customer."""
    if n < 1000:
        return float(round(n))
    power = 10 ** (math.floor(math.log10(n)) - 2)
    return float(round(n / power) * power)


def _digits(value: float) -> int:
    """Decimals that show three digits of a number, without zeros at the end; all digits before the point."""
    if not math.isfinite(value):
        return 0
    most = locale.decimals_alone(value, most=6)
    return next(
        digits for digits in range(most + 1) if math.isclose(round(value, digits), round(value, most))
    )


def _money(value: float, lang: str) -> str:
    """A sum without a currency, which a plan on the command line does not know."""
    return locale.number(value, lang, digits=2 if abs(value) < 100 and not float(value).is_integer() else 0)
