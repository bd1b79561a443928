"""A declaration as the fields of its form: rows of arms and metrics, days as people count them, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from primeta.experiments.declare import LONGEST_NAME, texts_of
from primeta.experiments.records import Plan
from primeta.trends.records import Trend
from primeta.warehouse.metric import Metric
from primeta.web.forms import Form

PLAIN = (
    "hypothesis", "trend", "owner", "starts", "population", "entry", "primary", "window_days", "smallest_effect",
    "value", "caps", "design", "looks", "level", "power", "planned_n", "covariate_days", "segments", "strata",
    "layer", "slots", "holdout", "ramp", "salt", "hash",
)  # fmt: skip
"""Fields whose text is the text of the declaration's key."""
OTHERS = ("name", "last", "control", "by", "version", "rows")
SHARES = ("level", "power", "holdout", "ramp")
MOST_ROWS = 20
FIRST_WEEKS = 6
SHORT_NAME = 32
HALF = "50%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How many rows of each kind the form shows; a button adds one, without a script."""

    arms: int = 2
    guards: int = 1
    others: int = 1

    @classmethod
    def read(cls, text: str) -> Rows:
        """`2.1.1`, as the form carries it; anything else is the smallest form."""
        numbers = [int(part) for part in text.split(".") if part.isdigit()]
        if len(numbers) != 3:
            return cls()
        arms, guards, others = (min(max(number, 1), MOST_ROWS) for number in numbers)
        return cls(arms=max(arms, 2), guards=guards, others=others)

    def more(self, kind: str) -> Rows:
        """With one more row of `arms`, `guards` or `others`."""
        return replace(self, **{kind: min(getattr(self, kind) + 1, MOST_ROWS)})

    def __str__(self) -> str:
        return f"{self.arms}.{self.guards}.{self.others}"


def fields(rows: Rows) -> tuple[str, ...]:
    """Names of all fields of a form with so many rows."""
    arms = [
        f"arm-{part}-{row}" for row in range(1, rows.arms + 1) for part in ("name", "share", "cost", "what")
    ]
    guards = [
        f"guard-{part}-{row}" for row in range(1, rows.guards + 1) for part in ("metric", "days", "margin")
    ]
    others = [f"other-{part}-{row}" for row in range(1, rows.others + 1) for part in ("metric", "days")]
    return (*PLAIN, *OTHERS, *arms, *guards, *others)


def arm_rows(values: Mapping[str, str], rows: Rows) -> dict[int, str]:
    """Row → name of its arm, for the rows in which something is written."""
    return {
        row: values.get(f"arm-name-{row}", "")
        for row in range(1, rows.arms + 1)
        if any(values.get(f"arm-{part}-{row}", "") for part in ("name", "cost", "what"))
        # A share alone is what the empty form comes with.
        or (values.get(f"arm-share-{row}", "") and row <= 2)
    }


def name_of(text: str) -> str:
    """A name as the declaration takes it: what stands between words becomes a hyphen."""
    return re.sub(r"[^\w-]+", "-", text).strip("-")[:LONGEST_NAME].rstrip("-")


def texts_from(form: Form, rows: Rows) -> dict[str, str]:
    """The texts of the declaration's keys, as `plan_from_texts` reads them."""
    values = form.values
    texts = {key: values.get(key, "") for key in PLAIN}
    arms = arm_rows(values, rows)
    texts["arms"] = "\n".join(
        "; ".join((name, *(_line(values, f"arm-{part}-{row}") for part in ("share", "cost", "what"))))
        for row, name in arms.items()
    )
    control = values.get("control", "")
    texts["control"] = arms.get(int(control), "") if control.isdigit() else ""
    texts["guardrails"] = "\n".join(
        f"{_timed(values, 'guard', row)} = {values.get(f'guard-margin-{row}', '')}"
        for row in range(1, rows.guards + 1)
        if values.get(f"guard-metric-{row}")
    )
    texts["metrics"] = "\n".join(
        _timed(values, "other", row) for row in range(1, rows.others + 1) if values.get(f"other-metric-{row}")
    )
    texts["ends"] = _day_after(values.get("last", ""))
    # What only one design asks for is not held against the others.
    if texts["design"] != "sequential":
        texts["looks"] = ""
    return texts


def _line(values: Mapping[str, str], name: str) -> str:
    return " ".join(values.get(name, "").split())


def _timed(values: Mapping[str, str], kind: str, row: int) -> str:
    metric, days = values.get(f"{kind}-metric-{row}", ""), values.get(f"{kind}-days-{row}", "")
    return f"{metric}:{days}" if days else metric


def _day_after(text: str) -> str:
    """People name the last day; a plan ends on the day after it."""
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


def form_of_plan(plan: Plan) -> tuple[Form, Rows]:
    """The form of a plan that is there already."""
    texts = texts_of(plan)
    values = {key: texts[key] for key in PLAIN}
    values |= {key: percent_text(getattr(plan, key)) for key in SHARES}
    values["name"] = plan.name
    values["last"] = (plan.ends - timedelta(days=1)).isoformat()
    for row, arm in enumerate(plan.arms, 1):
        values[f"arm-name-{row}"] = arm.name
        values[f"arm-share-{row}"] = percent_text(arm.share)
        values[f"arm-cost-{row}"] = f"{arm.cost:.12g}" if arm.cost else ""
        values[f"arm-what-{row}"] = arm.what
        if arm.name == plan.control:
            values["control"] = str(row)
    guards = [line.partition(" = ") for line in texts["guardrails"].splitlines()]
    for row, (name, _, margin) in enumerate(guards, 1):
        metric, _, days = name.partition(":")
        values |= {f"guard-metric-{row}": metric, f"guard-days-{row}": days, f"guard-margin-{row}": margin}
    others = [goal for goal in plan.goals if goal.role == "secondary"]
    for row, goal in enumerate(others, 1):
        values |= {f"other-metric-{row}": goal.metric, f"other-days-{row}": str(goal.window_days)}
    rows = Rows(arms=max(len(plan.arms), 2), guards=max(len(guards), 1), others=max(len(others), 1))
    values["rows"] = str(rows)
    return Form(values=values), rows


def percent_text(share: float) -> str:
    """`50%`, or the number itself where a percentage would not be read as the same number."""
    text = f"{share * 100:.10g}"
    return text + "%" if float(Decimal(text) / 100) == share else repr(share)


def new_form(*, today: date, person: str) -> tuple[Form, Rows]:
    """A form that says what is usual: two equal arms, six weeks from the next Monday."""
    monday = today + timedelta(days=7 - today.weekday())
    values = {
        "owner": person,
        "by": person,
        "starts": monday.isoformat(),
        "last": (monday + timedelta(weeks=FIRST_WEEKS, days=-1)).isoformat(),
        "window_days": "30",
        "entry": "arrival",
        "design": "anytime",
        "level": "95%",
        "power": "80%",
        "covariate_days": "28",
        "hash": "md5",
        "ramp": "100%",
        "control": "1",
        "arm-name-1": "control",
        "arm-share-1": HALF,
        "arm-share-2": HALF,
        "rows": str(Rows()),
    }
    return Form(values=values), Rows()


def filled_from(form: Form, rows: Rows, trend: Trend, known: Iterable[Metric]) -> Rows:
    """What a trend's card says already: hypothesis, metrics, owner. The first metric is the primary one."""
    card, names = trend.card, {metric.name for metric in known}
    metrics = [name for name in card.metrics if name in names]
    form.values |= {
        "trend": trend.id,
        "name": _first_words(name_of(card.name)),
        "hypothesis": card.hypothesis,
        "owner": card.owner or form.values.get("owner", ""),
        "primary": metrics[0] if metrics else "",
    }
    others = metrics[1:MOST_ROWS]
    for row, name in enumerate(others, 1):
        form.values[f"other-metric-{row}"] = name
    rows = replace(rows, others=max(len(others), 1))
    form.values["rows"] = str(rows)
    return rows


def _first_words(name: str) -> str:
    """As many words as make a short name."""
    words = name.split("-")
    while len(words) > 1 and len("-".join(words)) > SHORT_NAME:
        words.pop()
    return "-".join(words)
