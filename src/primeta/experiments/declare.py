"""Declaring an experiment: the same keys from `primeta.toml`, from Python and from a form become a checked plan.

First every value is read (dates, amounts, shares, arms), then the plan as a whole is held against what the
workspace declares. All complaints are gathered: a person corrects a form once, not key by key.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from primeta.config import ARM_KEYS, EXPERIMENT_KEYS, Config, config_error
from primeta.errors import BadConfig, BadInput, NotFound
from primeta.experiments.population import population_problem, unknown_attribute
from primeta.experiments.records import DESIGNS, ENTRIES, Amount, Arm, Goal, Plan
from primeta.warehouse.metric import Metric
from primeta.warehouse.metrics import declared_metrics

LONGEST_NAME = 64
LONGEST_TEXT = 20_000
LONGEST_WINDOW = 730
HASHES = ("md5", "fnv1a")
REQUIRED = ("hypothesis", "owner", "starts", "ends", "primary", "arms")
LINES = ("arms", "guardrails", "caps")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one key; `part` is the arm or the metric inside it."""

    key: str
    message: str
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a plan's numbers rest on beside the plan: kept with it, since a workspace file may change.

    Metrics are kept without their labels, which are only words.
    """

    metrics: dict[str, Metric] = field(default_factory=dict)
    timezone: str = "UTC"
    """Days are cut in it: the entry, the windows."""
    currency: str = "USD"
    margin: float | None = None
    """Of the workspace, where a metric of the plan is made of it."""


def plan_of(
    config: Config,
    name: str,
    *,
    attributes: Collection[str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan that `[experiments.NAME]` of the workspace file declares.

    Args:
        attributes: Of the customers, where they are known; segments and the population are held against them.
        given: Values that the workspace knows better: the id of a trend that the file calls by its name.
    Raises:
        NotFound: the file has no such section.
        BadConfig: one line for each wrong key, with its own line in the file.
    """
    section = config.experiments.get(name)
    if section is None:
        there = ", ".join(config.experiments) or "none"
        raise NotFound(f"{config.path.name} declares no experiment {name!r}; it declares {there}")
    plan, problems = _plan(config, name, {**section.values, **(given or {})}, attributes)
    if problems:
        raise BadConfig("\n".join(_placed(config, name, problem) for problem in problems))
    return plan


def plan_from(
    config: Config, name: str, values: Mapping[str, Any], *, attributes: Collection[str] | None = None
) -> Plan:
    """A plan from the same keys as Python values; `arms` may be a mapping or a list of `Arm`.

    Raises:
        BadInput: one line for each wrong key.
    """
    plan, problems = _plan(config, name, values, attributes)
    if problems:
        raise _complaint(name, problems)
    return plan


def plan_from_texts(
    config: Config, name: str, texts: Mapping[str, str], *, attributes: Collection[str] | None = None
) -> Plan:
    """A plan from what a person typed into a form: every key a text, an empty one is not given.

    `arms`: a line an arm, `name; share; cost; what its customers get`. `guardrails` and `caps`: a line a
    metric, `average_order_value = -2%`. Lists are separated by commas or lines. Decimal commas are read.

    Raises:
        BadInput: one line for each wrong key.
    """
    values, malformed = _from_texts(texts)
    plan, problems = _plan(config, name, values, attributes)
    if problems or malformed:
        raise _complaint(name, (*malformed, *problems))
    return plan


def problems_in(
    config: Config, name: str, texts: Mapping[str, str], *, attributes: Collection[str] | None = None
) -> tuple[Problem, ...]:
    """What is wrong with a form, key by key; nothing where `plan_from_texts` takes it."""
    values, malformed = _from_texts(texts)
    _, problems = _plan(config, name, values, attributes)
    told = {problem.key for problem in malformed}
    return (*malformed, *(problem for problem in problems if problem.key not in told))


def check_plan(config: Config, plan: Plan, *, attributes: Collection[str] | None = None) -> None:
    """Hold a plan that was made by hand against the workspace.

    Raises:
        BadInput: one line for each wrong key.
    """
    problems = tuple(_wrong(config, plan, declared_metrics(config), attributes))
    if problems:
        raise _complaint(plan.name, problems)


def basis_of(config: Config, plan: Plan) -> Basis:
    """What the plan's numbers rest on just now."""
    known = declared_metrics(config)
    metrics = {name: replace(known[name], label={}) for name in sorted({goal.metric for goal in plan.goals})}
    of_margin = any("margin" in (metric.numerator, metric.denominator) for metric in metrics.values())
    return Basis(
        metrics=metrics,
        timezone=config.timezone,
        currency=config.currency,
        margin=config.margin if of_margin else None,
    )


def texts_of(plan: Plan) -> dict[str, str]:
    """A plan as the texts of its form: `plan_from_texts` makes the same plan of them."""
    primary = plan.primary
    guards = [goal for goal in plan.goals if goal.role == "guardrail"]
    caps = {goal.metric: goal.cap for goal in plan.goals if goal.cap is not None}
    texts = {
        "hypothesis": plan.hypothesis,
        "trend": plan.trend,
        "owner": plan.owner,
        "starts": plan.starts.isoformat(),
        "ends": plan.ends.isoformat(),
        "arms": "\n".join(
            "; ".join((arm.name, _figure(arm.share), _figure(arm.cost), arm.what)).rstrip("; ")
            for arm in plan.arms
        ),
        "control": plan.control,
        "population": plan.population,
        "entry": plan.entry,
        "primary": primary.metric,
        "window_days": str(primary.window_days),
        "smallest_effect": _amount_text(primary.smallest),
        "value": "" if primary.value is None else _figure(primary.value),
        "guardrails": "\n".join(
            f"{_timed(goal)} = {_amount_text(goal.margin, signed=True)}" for goal in guards
        ),
        "metrics": ", ".join(_timed(goal) for goal in plan.goals if goal.role == "secondary"),
        "caps": "\n".join(f"{metric} = {_figure(cap)}" for metric, cap in caps.items()),
        "segments": ", ".join(plan.segments),
        "strata": ", ".join(plan.strata),
        "slots": f"{_figure(plan.slots[0])} : {_figure(plan.slots[1])}",
    }
    for key in ("level", "power", "holdout", "ramp"):
        texts[key] = _figure(getattr(plan, key))
    for key in ("design", "looks", "planned_n", "covariate_days", "layer", "salt", "hash"):
        texts[key] = str(getattr(plan, key))
    return {key: texts[key] for key in EXPERIMENT_KEYS}


# Reading values


class _Wrong(Exception):
    """One value cannot be read."""


@dataclass(slots=True)
class _Reading:
    """Takes values out of what was given; each complaint is kept with its key."""

    values: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def take(self, key: str, read: Callable[[Any], T], default: T) -> T:
        if self.values.get(key) is None:
            if key in REQUIRED:
                self.problems.append(Problem(key=key, message=f"this is missing; {_EXPECTED[key]}"))
            return default
        try:
            return read(self.values[key])
        except _Wrong as wrong:
            self.problems.append(Problem(key=key, message=str(wrong)))
            return default

    def parts(self, key: str, read: Callable[[str, Any], T]) -> dict[str, T]:
        """Each entry of a section by its own name, so that a complaint names it."""
        found: dict[str, T] = {}
        given = self.values.get(key) or {}
        if not isinstance(given, Mapping):
            self.problems.append(Problem(key=key, message=f"name = value was expected, {given!r} was given"))
            return found
        for name, value in given.items():
            try:
                found[name] = read(name, value)
            except _Wrong as wrong:
                self.problems.append(Problem(key=key, part=name, message=str(wrong)))
        return found


_EXPECTED = {
    "hypothesis": "write what you expect to happen and why",
    "owner": "name the person who answers for it",
    "starts": "write the first day, such as 2026-12-01",
    "ends": "write the day after the last one on which customers enter, such as 2027-01-12",
    "primary": "name the one metric that decides",
    "arms": "give at least two, such as control = { share = 0.5 }",
}


def _plan(
    config: Config, name: str, values: Mapping[str, Any], attributes: Collection[str] | None
) -> tuple[Plan, tuple[Problem, ...]]:
    """The plan, and all that is wrong with it: it may be used only where nothing is."""
    unknown = [key for key in values if key not in EXPERIMENT_KEYS]
    read = _Reading(values)
    for key in unknown:
        near = difflib.get_close_matches(key, EXPERIMENT_KEYS, 1)
        meant = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(EXPERIMENT_KEYS)}"
        read.problems.append(Problem(key=key, message=f"this key is not known; {meant}"))
    known = declared_metrics(config)
    arms = _arms(read)
    control = read.take("control", _text, "")
    if not control and arms:
        control = next((arm.name for arm in arms if arm.name == "control"), arms[0].name)
    goals = _goals(read, known, config.margin)
    # Days that cannot be read stand far apart: the rest of the plan is checked all the same.
    beginning, end = read.take("starts", _day, date.min), read.take("ends", _day, date.max)
    texts = {
        key: read.take(key, _text, "")
        for key in ("hypothesis", "owner", "trend", "population", "salt", "layer")
    }
    rest: dict[str, Any] = {
        "entry": read.take("entry", _one_of(ENTRIES), "arrival"),
        "design": read.take("design", _one_of(DESIGNS), "anytime"),
        "hash": read.take("hash", _one_of(HASHES), "md5"),
        "looks": read.take("looks", _whole, 1),
        "level": read.take("level", _share, 0.95),
        "power": read.take("power", _share, 0.8),
        "planned_n": read.take("planned_n", _whole, 0),
        "covariate_days": read.take("covariate_days", _whole, 28),
        "segments": read.take("segments", _names, ()),
        "strata": read.take("strata", _names, ()),
        "slots": read.take("slots", _pair, (0.0, 1.0)),
        "holdout": read.take("holdout", _share, 0.0),
        "ramp": read.take("ramp", _share, 1.0),
    }
    plan = Plan(
        name=name, arms=arms, control=control, goals=goals, starts=beginning, ends=end, **texts, **rest
    )
    told = {problem.key for problem in read.problems}
    more = [problem for problem in _wrong(config, plan, known, attributes) if problem.key not in told]
    return plan, (*read.problems, *more)


def _arms(read: _Reading) -> tuple[Arm, ...]:
    given = read.values.get("arms")
    if (
        isinstance(given, Sequence)
        and not isinstance(given, str)
        and all(isinstance(arm, Arm) for arm in given)
    ):
        return tuple(given)
    if not given:
        read.problems.append(Problem(key="arms", message=f"these are missing; {_EXPECTED['arms']}"))
        return ()
    return tuple(read.parts("arms", _arm).values())


def _arm(name: str, value: Any) -> Arm:
    parts = value if isinstance(value, Mapping) else {"share": value}
    for key in parts:
        if key not in ARM_KEYS:
            raise _Wrong(f"{key} is not known; expected one of {', '.join(ARM_KEYS)}")
    if parts.get("share") is None:
        raise _Wrong("its share is missing, such as { share = 0.5 }")
    cost = 0.0 if parts.get("cost") is None else _number(parts["cost"])
    return Arm(name=name, share=_share(parts["share"]), cost=cost, what=_text(parts.get("what", "")))


def _goals(read: _Reading, known: Mapping[str, Metric], margin: float | None) -> tuple[Goal, ...]:
    """Primary first, then guardrails, then the others, in the order given."""
    window = read.take("window_days", _whole, 30)
    caps = read.parts("caps", lambda _name, value: _number(value))

    def timed(text: str) -> tuple[str, int]:
        metric, colon, days = text.partition(":")
        metric = metric.strip()
        own = _own_window(known.get(metric))
        if not colon:
            return metric, own or window
        return metric, _whole(days.strip())

    def goal(text: str, **more: Any) -> Goal:
        metric, days = timed(text)
        return Goal(metric=metric, window_days=days, cap=caps.get(metric), **more)

    def primary(value: Any) -> Goal:
        made = goal(_text(value), role="primary")
        metric = known.get(made.metric)
        return replace(made, value=_money_per_unit(metric, margin))

    def guardrail(text: str, value: Any) -> Goal:
        made = goal(text, role="guardrail")
        return replace(made, margin=_margin(*_amount(value), known.get(made.metric)))

    def others(value: Any) -> tuple[Goal, ...]:
        return tuple(goal(text) for text in _names(value))

    first = read.take("primary", primary, None)
    if first is not None:
        metric = known.get(first.metric)
        usual = None if metric is None else Amount(_signed(metric, metric.smallest_effect), relative=True)
        first = replace(
            first,
            smallest=read.take("smallest_effect", lambda value: _smallest(*_amount(value), metric), usual),
            value=read.take("value", _number, first.value),
        )
    guards = tuple(read.parts("guardrails", guardrail).values())
    goals = (*((first,) if first else ()), *guards, *read.take("metrics", others, ()))
    if all(entry.metric in known for entry in goals):
        for capped in caps:
            if capped not in {entry.metric for entry in goals}:
                told = f"it is no metric of this experiment; expected one of {_listed(goals)}"
                read.problems.append(Problem(key="caps", part=capped, message=told))
    return goals


def _listed(goals: Sequence[Goal]) -> str:
    return ", ".join(dict.fromkeys(goal.metric for goal in goals))


def _own_window(metric: Metric | None) -> int:
    """Days that are part of what a metric is (`retained_30`); 0 where it has none."""
    sides = (metric.numerator, metric.denominator) if metric else ()
    found = [re.fullmatch(r"retained_(\d+)", side) for side in sides if isinstance(side, str)]
    return next((int(match[1]) for match in found if match), 0)


def _money_per_unit(metric: Metric | None, margin: float | None) -> float | None:
    """Money that a customer brings with one unit more: known only for money per customer."""
    if metric is None or metric.unit != "money" or metric.denominator != "base":
        return None
    return {"revenue": margin, "margin": 1.0}.get(str(metric.numerator))


def _signed(metric: Metric, size: float) -> float:
    return -size if metric.good == "down" else size


def _smallest(amount: Amount, sign: str, metric: Metric | None) -> Amount:
    """A smallest effect in the direction that is good; a sign against it is a slip of the pen."""
    if amount.value == 0:
        raise _Wrong('above zero was expected: the smallest effect that is worth having, such as "2%"')
    if metric is None or metric.good == "neither":
        return amount
    wanted = "-" if metric.good == "down" else "+"
    if sign and sign != wanted:
        raise _Wrong(
            f"{metric.name} is good when it goes {metric.good}; write the effect without a sign, or with {wanted}"
        )
    return Amount(_signed(metric, abs(amount.value)), relative=amount.relative)


def _margin(amount: Amount, sign: str, metric: Metric | None) -> Amount:
    """How much worse a guardrail may get: below 0 it may not fall by more, above 0 not rise by more."""
    if amount.value == 0:
        raise _Wrong('some room is needed: no test can show that nothing at all is lost; write such as "-2%"')
    if metric is None:
        return amount
    if not sign:
        if metric.good == "neither":
            raise _Wrong(
                f'{metric.name} is neither good nor bad when it rises; write "-2%" (it may not fall by more) '
                'or "+2%" (it may not rise by more)'
            )
        return Amount(-_signed(metric, amount.value), relative=amount.relative)
    if metric.good != "neither" and (sign == "+") == (metric.good == "up"):
        size = f"{abs(amount.value) * 100:g}%" if amount.relative else f"{abs(amount.value):g}"
        raise _Wrong(
            f'{metric.name} is good when it goes {metric.good}, so this forbids an improvement; write "{size}": '
            "it may not get worse by more"
        )
    return amount


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"text was expected, {value!r} was given")
    if "\0" in value:
        raise _Wrong("it holds a NUL character; take it out")
    return value.strip()


def _day(value: Any) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise _Wrong(f"a day such as 2026-12-01 was expected, {value!r} was given")


def _one_of(allowed: Sequence[str]) -> Callable[[Any], Any]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise _Wrong(f"one of {', '.join(allowed)} was expected, {value!r} was given")
        return value

    return read


def _decimal(text: str) -> Decimal:
    """A number as people write it: 40 000, 1,5, −2, 0.95."""
    plain = re.sub(r"[\s\u00a0\u2009\u202f]+", "", text).replace("\u2212", "-").replace("\u2013", "-")
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", plain):
        raise _Wrong(
            f"{text.strip()!r} can be read in two ways; write it without the comma, such as 1000 or 1.5"
        )
    try:
        found = Decimal(plain.replace(",", ".") if "." not in plain else plain)
    except InvalidOperation:
        raise _Wrong(f"a number was expected, {text.strip()!r} was given") from None
    if not found.is_finite():
        raise _Wrong(f"a number was expected, {text.strip()!r} was given")
    return found


def _number(value: Any) -> float:
    if isinstance(value, str):
        return float(_decimal(value))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Wrong(f"a number was expected, {value!r} was given")
    return float(value)


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise _Wrong(f"a whole number was expected, {value!r} was given")
    return int(number)


def _share(value: Any) -> float:
    """A share: 0.5, "50%" or "1/3"."""
    if isinstance(value, str):
        text = value.strip()
        over = re.fullmatch(r"(\d+)\s*/\s*(\d+)", text)
        if over and int(over[2]):
            return int(over[1]) / int(over[2])
        if text.endswith("%"):
            return float(_decimal(text[:-1]) / 100)
    return _number(value)


def _amount(value: Any) -> tuple[Amount, str]:
    """An amount and the sign that was written: a number's plus cannot be seen, so it counts as none."""
    if isinstance(value, Amount):
        return value, "-" if value.value < 0 else "+"
    if not isinstance(value, str):
        number = _number(value)
        return Amount(number), "-" if number < 0 else ""
    text = value.strip()
    relative = text.endswith("%")
    number = _decimal(text[:-1] if relative else text)
    sign = "-" if number < 0 else ("+" if text.startswith("+") else "")
    return Amount(float(number / 100 if relative else number), relative=relative), sign


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = re.split(r"[,\n]", value)
    if not isinstance(value, Sequence) or not all(isinstance(entry, str) for entry in value):
        raise _Wrong(f'a list of names such as ["age", "city"] was expected, {value!r} was given')
    return tuple(entry.strip() for entry in value if entry.strip())


def _pair(value: Any) -> tuple[float, float]:
    if isinstance(value, str):
        value = [part for part in re.split(r"\s*[:;–—-]\s*", value.strip().strip("[]")) if part]
    if not isinstance(value, Sequence) or len(value) != 2:
        raise _Wrong(f"two shares such as [0.0, 0.5] were expected, {value!r} was given")
    return _share(value[0]), _share(value[1])


# A form's texts


def _from_texts(texts: Mapping[str, str]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Values of a form as `_plan` takes them; lines of arms, guardrails and caps are taken apart."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, text in texts.items():
        if not text.strip():
            continue
        if key not in LINES:
            values[key] = text.strip()
            continue
        parts: dict[str, Any] = {}
        for line in text.strip().splitlines():
            name, value = _line(key, line)
            if not line.strip():
                continue
            if not name or not value:
                problems.append(Problem(key=key, message=f"{line.strip()!r}: {_LINE[key]}"))
            elif name in parts:
                problems.append(Problem(key=key, part=name, message="it is there twice"))
            parts[name] = value
        values[key] = parts
    return values, tuple(problems)


_LINE = {
    "arms": "a line such as `ten; 50%; 1.2; 10% off in a push` was expected: name, share, cost, what",
    "guardrails": "a line such as `average_order_value = -2%` was expected",
    "caps": "a line such as `revenue_per_customer = 1000` was expected",
}


def _line(key: str, line: str) -> tuple[str, Any]:
    if key != "arms":
        name, _, value = line.partition("=")
        return name.strip(), value.strip()
    name, *rest = (part.strip() for part in line.split(";", 3))
    return name, {part: text for part, text in zip(ARM_KEYS, rest, strict=False) if text}


def _figure(value: float | None) -> str:
    """The shortest text that is read as the same number."""
    return "" if value is None else repr(float(value)).removesuffix(".0")


def _amount_text(amount: Amount | None, *, signed: bool = False) -> str:
    if amount is None:
        return ""
    number = Decimal(repr(amount.value)) * (100 if amount.relative else 1)
    return f"{number.normalize():{'+' if signed else ''}f}{'%' if amount.relative else ''}"


def _timed(goal: Goal) -> str:
    return f"{goal.metric}:{goal.window_days}"


# The plan as a whole


def _wrong(
    config: Config, plan: Plan, known: Mapping[str, Metric], attributes: Collection[str] | None
) -> Iterator[Problem]:
    """Everything that is wrong with a plan whose values can be read."""
    if not re.fullmatch(rf"\w[\w-]{{0,{LONGEST_NAME - 1}}}", plan.name):
        yield Problem(
            key="name",
            message=f"letters, digits, _ and - were expected, at most {LONGEST_NAME}; {plan.name!r} was given",
        )
    for key in ("hypothesis", "owner"):
        if not getattr(plan, key).strip():
            yield Problem(key=key, message=f"it is empty; {_EXPECTED[key]}")
    for key in ("hypothesis", "owner", "trend", "population", "salt", "layer"):
        if len(getattr(plan, key)) > LONGEST_TEXT:
            yield Problem(key=key, message=f"it is longer than {LONGEST_TEXT} characters")
    yield from _wrong_arms(plan)
    yield from _wrong_goals(plan, known)
    yield from _wrong_design(config, plan)
    wrong = population_problem(plan.population, attributes)
    if wrong:
        yield Problem(key="population", message=wrong)
    for key in ("segments", "strata"):
        named = getattr(plan, key)
        for name in dict.fromkeys(named):
            if named.count(name) > 1:
                yield Problem(key=key, message=f"{name} is there twice")
            if attributes is not None and name not in attributes:
                yield Problem(key=key, message=unknown_attribute(name, attributes))


def _wrong_arms(plan: Plan) -> Iterator[Problem]:
    names = [arm.name for arm in plan.arms]
    if len(plan.arms) < 2:
        yield Problem(
            key="arms",
            message=f"two arms or more were expected, {len(names)} was given: {', '.join(names) or '—'}",
        )
    for arm in plan.arms:
        if not re.fullmatch(rf"\w[\w .+%-]{{0,{LONGEST_NAME - 1}}}", arm.name):
            yield Problem(
                key="arms",
                part=arm.name,
                message="a short name of letters, digits, spaces, _ and - was expected",
            )
        if names.count(arm.name) > 1:
            yield Problem(key="arms", part=arm.name, message="it is there twice")
        if not 0 < arm.share < 1:
            yield Problem(
                key="arms",
                part=arm.name,
                message=f"a share above 0 and below 1 was expected, {arm.share:g} was given",
            )
        if not 0 <= arm.cost < math.inf:
            yield Problem(key="arms", part=arm.name, message=f"a cost is 0 or more, {arm.cost:g} was given")
    total = math.fsum(arm.share for arm in plan.arms)
    if len(plan.arms) > 1 and abs(total - 1) > 1e-9:
        listed = ", ".join(f"{arm.name} {arm.share:g}" for arm in plan.arms)
        yield Problem(
            key="arms",
            message=f"the shares must sum to 1, these sum to {total:.10g}: {listed}"
            + (" (a third is written as 1/3)" if abs(total - 1) < 0.02 else ""),
        )
    if plan.control not in names and names:
        near = difflib.get_close_matches(plan.control, names, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        yield Problem(
            key="control", message=f"{plan.control!r} is none of the arms {', '.join(names)}{meant}"
        )


_KEY_OF = {"primary": "primary", "guardrail": "guardrails", "secondary": "metrics"}


def _wrong_goals(plan: Plan, known: Mapping[str, Metric]) -> Iterator[Problem]:
    primaries = [goal for goal in plan.goals if goal.role == "primary"]
    if len(primaries) != 1:
        yield Problem(key="primary", message=f"exactly one metric decides, {len(primaries)} were given")
    seen: dict[str, Goal] = {}
    for goal in plan.goals:
        key = _KEY_OF[goal.role]
        part = "" if goal.role == "primary" else goal.metric
        metric = known.get(goal.metric)
        if metric is None:
            yield Problem(key=key, part=part, message=_no_metric(goal.metric, known))
            continue
        if goal.name in seen:
            roles = {goal.role, seen[goal.name].role}
            told = (
                "it is the primary metric too: a guardrail watches something else, or another window"
                if roles == {"primary", "guardrail"}
                else f"{goal.name} is there twice"
            )
            yield Problem(key=key, part=part, message=told)
        seen[goal.name] = goal
        own = _own_window(metric)
        if own and goal.window_days != own:
            yield Problem(
                key=key,
                part=part,
                message=f"{metric.name} looks {own} days ahead by itself; leave out the days",
            )
        if not 1 <= goal.window_days <= LONGEST_WINDOW:
            yield Problem(
                key="window_days" if goal.role == "primary" else key,
                part=part,
                message=f"days from 1 to {LONGEST_WINDOW} were expected, {goal.window_days} was given",
            )
        if goal.cap is not None and not 0 < goal.cap < math.inf:
            yield Problem(key="caps", part=goal.metric, message=f"a cap is above 0, {goal.cap:g} was given")
        if goal.value is not None and not math.isfinite(goal.value):
            yield Problem(key="value", message=f"an amount of money was expected, {goal.value} was given")
        yield from _wrong_amounts(goal, metric, key, part)


def _wrong_amounts(goal: Goal, metric: Metric, key: str, part: str) -> Iterator[Problem]:
    """Amounts of plans made by hand: those that were read from values stand in the right direction already."""
    good = {"up": 1, "down": -1, "neither": 0}[metric.good]
    for field_name, amount in (("smallest_effect", goal.smallest), ("margin", goal.margin)):
        if amount is not None and not (math.isfinite(amount.value) and amount.value):
            yield Problem(key=key, part=part, message=f"{field_name}: an amount other than 0 was expected")
            return
        if amount is not None and amount.relative and abs(amount.value) > 10:
            yield Problem(
                key=key,
                part=part,
                message=f"{field_name}: {amount.value * 100:g}% is more than tenfold; without % it is in the "
                "metric's own unit",
            )
    if goal.smallest is not None and goal.smallest.value * good < 0:
        yield Problem(
            key="smallest_effect", message=f"{metric.name} is good when it goes {metric.good}; turn the sign"
        )
    if goal.role == "guardrail" and goal.margin is None:
        yield Problem(key=key, part=part, message="how much worse it may get is missing")
    if goal.margin is not None and (goal.role != "guardrail" or goal.margin.value * good > 0):
        told = (
            "only a guardrail has a margin"
            if goal.role != "guardrail"
            else f"{metric.name} is good when it goes {metric.good}; this forbids an improvement"
        )
        yield Problem(key=key, part=part, message=told)


def _no_metric(name: str, known: Mapping[str, Metric]) -> str:
    near = difflib.get_close_matches(name, known, 3, 0.6)
    meant = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    return f"there is no metric {name!r}; {meant}"


def _wrong_design(config: Config, plan: Plan) -> Iterator[Problem]:
    if plan.ends <= plan.starts:
        yield Problem(
            key="ends", message=f"it ends on {plan.ends} before anybody can enter: it starts on {plan.starts}"
        )
    if plan.unit != "customer":
        yield Problem(key="unit", message=f"customers are what is assigned; {plan.unit!r} was given")
    if plan.entry == "table" and "assignments" not in config.tables:
        yield Problem(
            key="entry", message='"table" needs the table assignments: add a section [tables.assignments]'
        )
    for key, value, allowed in (
        ("entry", plan.entry, ENTRIES), ("design", plan.design, DESIGNS), ("hash", plan.hash, HASHES),
    ):  # fmt: skip
        if value not in allowed:
            yield Problem(key=key, message=f"one of {', '.join(allowed)} was expected, {value!r} was given")
    if plan.design == "sequential" and not 2 <= plan.looks <= 100:
        yield Problem(key="looks", message=f"a sequential design has 2 to 100 looks, {plan.looks} was given")
    if plan.design != "sequential" and plan.looks != 1:
        other = "at any time" if plan.design == "anytime" else "once, at its end"
        yield Problem(
            key="looks",
            message=f'looks are planned only with design = "sequential"; {plan.design} looks {other}',
        )
    for key, low, high in (("level", 0.5, 1), ("power", 0.05, 1)):
        value = getattr(plan, key)
        if not low < value < high:
            meant = f'; write {value / 100:g} or "{value:g}%"' if low < value / 100 < high else ""
            yield Problem(
                key=key, message=f"above {low:g} and below {high:g} was expected, {value:g} was given{meant}"
            )
    for key, most in (("planned_n", 10**12), ("covariate_days", 365)):
        value = getattr(plan, key)
        if not 0 <= value <= most:
            yield Problem(key=key, message=f"a number from 0 to {most} was expected, {value} was given")
    low, high = plan.slots
    if not 0 <= low < high <= 1:
        yield Problem(
            key="slots",
            message=f"two shares from 0 to 1, the first below the second, not {low:g} and {high:g}",
        )
    elif (low, high) != (0, 1) and not plan.layer:
        yield Problem(key="slots", message='slots divide a layer between experiments; name it: layer = "…"')
    if not 0 <= plan.holdout < 1:
        yield Problem(
            key="holdout", message=f"0 or more and below 1 was expected, {plan.holdout:g} was given"
        )
    if not 0 < plan.ramp <= 1:
        yield Problem(key="ramp", message=f"above 0 and at most 1 was expected, {plan.ramp:g} was given")


# Complaints


def _placed(config: Config, name: str, problem: Problem) -> str:
    section, key = f"experiments.{name}", problem.key
    if problem.part and key in LINES:
        section, key = f"{section}.{key}", _as_written(config, name, key, problem.part)
    return str(config_error(config, section, key, problem.message))


def _as_written(config: Config, name: str, key: str, metric: str) -> str:
    """The name of a section's entry: `retention_30` may stand there as `retention_30:30`."""
    entries = config.experiments[name].values.get(key, {})
    return next((entry for entry in entries if entry.partition(":")[0].strip() == metric), metric)


def _complaint(name: str, problems: Sequence[Problem]) -> BadInput:
    return BadInput(
        "\n".join(
            f"experiment {name}: {' '.join(filter(None, (problem.key, problem.part)))}: {problem.message}"
            for problem in problems
        )
    )
