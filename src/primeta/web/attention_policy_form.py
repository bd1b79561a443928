"""The form of the rules of sending: its fields from a policy, and a policy from its fields with a complaint each."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from primeta.attention.decide import MARKETING
from primeta.attention.policy import DEFAULTS, LONGEST_WINDOW
from primeta.attention.records import PURPOSES, Policy
from primeta.web.forms import Form
from primeta.web.reader import Reader

MOST_ROWS = 20
PLAIN = (
    "quiet-from", "quiet-to", "first_useful", "useful_after_broken", "sell_at", "press_at", "loss_of_customer",
    "gain-useful", "gain-offer", "gain-press", "priority-1", "priority-2", "priority-3", "priority-4", "channels",
    "service_programmes", "holdout", "default", "rest_when_blind", "by", "read", "base", "rows",
)  # fmt: skip
CAP = ("max", "window", "unit", "channel", "useful", "offer", "press", "strict")
COST = ("channel", "money")
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How many rows of caps and of costs the form shows; buttons add and remove them, without a script."""

    caps: int = 1
    costs: int = 1

    @classmethod
    def read(cls, text: str) -> Rows:
        """`2.1`, as the form carries it; anything else is the smallest form."""
        numbers = [int(part) for part in text.split(".") if part.isdigit() and len(part) < 4]
        if len(numbers) != 2:
            return cls()
        caps, costs = (min(number, MOST_ROWS) for number in numbers)
        return cls(caps=caps, costs=costs)

    def __str__(self) -> str:
        return f"{self.caps}.{self.costs}"


def fields(rows: Rows) -> tuple[str, ...]:
    """Names of all fields of a form with so many rows."""
    caps = [f"cap-{part}-{row}" for row in range(1, rows.caps + 1) for part in CAP]
    costs = [f"cost-{part}-{row}" for row in range(1, rows.costs + 1) for part in COST]
    return (*PLAIN, *caps, *costs)


def changed_rows(form: Form, rows: Rows, act: str) -> Rows:
    """After a button was pressed: `more-caps`, `less-caps-2`, `more-costs`, `less-costs-1`."""
    found = re.fullmatch(r"(more|less)-(cap|cost)s(?:-(\d{1,2}))?", act)
    if not found:
        return rows
    verb, kind, number = found.groups()
    parts, key = (CAP, "caps") if kind == "cap" else (COST, "costs")
    count = getattr(rows, key)
    if verb == "more":
        count = min(count + 1, MOST_ROWS)
        if kind == "cap":
            form.values |= {f"cap-unit-{count}": "d", f"cap-strict-{count}": "on"}
            form.values |= {f"cap-{purpose}-{count}": "on" for purpose in MARKETING}
    elif number and 1 <= int(number) <= count:
        for row in range(int(number), count):
            for part in parts:
                form.values[f"{kind}-{part}-{row}"] = form.values.get(f"{kind}-{part}-{row + 1}", "")
        for part in parts:
            form.values.pop(f"{kind}-{part}-{count}", None)
        count -= 1
    rows = replace(rows, **{key: count})
    form.values["rows"] = str(rows)
    return rows


def form_of_policy(policy: Policy, *, reader: Reader) -> tuple[Form, Rows]:
    """The form of a policy that is there already."""

    def plain(value: float) -> str:
        if not math.isfinite(value):
            return ""
        text = f"{value:.10g}"
        return text.replace(".", ",") if reader.lang == "ru" else text

    def share(value: float) -> str:
        return plain(value * 100) + "%" if math.isfinite(value) else ""

    values = {
        "quiet-from": str(policy.quiet_hours[0]) if policy.quiet_hours else "",
        "quiet-to": str(policy.quiet_hours[1]) if policy.quiet_hours else "",
        "first_useful": str(policy.first_useful),
        "useful_after_broken": str(policy.useful_after_broken),
        "sell_at": share(policy.sell_at),
        "press_at": share(policy.press_at),
        "loss_of_customer": plain(policy.loss_of_customer),
        "channels": ", ".join(policy.channels),
        "service_programmes": "\n".join(policy.service_programmes),
        "holdout": share(policy.holdout),
        "default": policy.default,
        "rest_when_blind": "on" if policy.rest_when_blind else "",
    }
    values |= {
        f"gain-{purpose}": plain(policy.gain_per_touch.get(purpose, math.nan)) for purpose in MARKETING
    }
    values |= {f"priority-{place}": name for place, name in enumerate(policy.priority, 1)}
    for row, cap in enumerate(policy.caps, 1):
        unit = next(
            unit for unit in ("w", "d", "h") if cap.window % UNITS[unit] == timedelta(0) or unit == "h"
        )
        # People count weeks in days up to a month.
        unit = "d" if unit == "w" and cap.window < timedelta(days=29) else unit
        values |= {
            f"cap-max-{row}": str(cap.max),
            f"cap-window-{row}": plain(cap.window / UNITS[unit]),
            f"cap-unit-{row}": unit,
            f"cap-channel-{row}": cap.channel,
            f"cap-strict-{row}": "on" if cap.strict else "",
        }
        values |= {f"cap-{purpose}-{row}": "on" if purpose in cap.purposes else "" for purpose in MARKETING}
    for row, (channel, cost) in enumerate(sorted(policy.cost_per_message.items()), 1):
        values |= {f"cost-channel-{row}": channel, f"cost-money-{row}": plain(cost)}
    rows = Rows(caps=len(policy.caps), costs=len(policy.cost_per_message))
    values["rows"] = str(rows)
    return Form(values=values), rows


def policy_keys(form: Form, rows: Rows, reader: Reader) -> dict[str, Any]:
    """The keys of `[attention]` that the form says; what cannot be used is complained about beside its field."""
    reading = _Reading(form, reader)
    _ = reader._
    keys: dict[str, Any] = {"caps": [], "cost_per_message": {}, "gain_per_touch": {}}
    for row in range(1, rows.caps + 1):
        cap = _cap(reading, row)
        if cap is not None:
            keys["caps"].append(cap)
    keys["rest_when_blind"] = bool(form.values.get("rest_when_blind"))
    keys["quiet_hours"] = _quiet(reading)
    for name in ("first_useful", "useful_after_broken"):
        keys[name] = reading.whole(name, most=16, otherwise=0)
    for name in ("sell_at", "press_at", "holdout"):
        value = reading.share(name, most=0.5 if name == "holdout" else 1)
        if value is not None:
            keys[name] = value
    loss = reading.money("loss_of_customer")
    if loss is not None:
        keys["loss_of_customer"] = loss
    for purpose in MARKETING:
        gain = reading.money(f"gain-{purpose}")
        if gain is not None:
            keys["gain_per_touch"][purpose] = gain
    if keys["gain_per_touch"] and loss is None and "loss_of_customer" not in form.errors:
        form.errors["loss_of_customer"] = str(
            _("Say what a lost customer costs: without it the worth of a welcome decides nothing.")
        )
    for row in range(1, rows.costs + 1):
        channel, name = form.values.get(f"cost-channel-{row}", "").strip().lower(), f"cost-money-{row}"
        cost = reading.money(name)
        if cost is None and channel and name not in form.errors:
            form.errors[name] = str(_("How much does a message cost here?"))
        if cost is not None:
            if channel in keys["cost_per_message"]:
                form.errors[f"cost-channel-{row}"] = str(_("This channel stands here twice."))
            keys["cost_per_message"][channel] = cost
    priority = [form.values.get(f"priority-{place}", "") for place in range(1, len(PURPOSES) + 1)]
    if sorted(priority) != sorted(PURPOSES):
        form.errors["priority-1"] = str(_("Each purpose stands in one place."))
    else:
        keys["priority"] = priority
    keys["channels"] = _names(form.values.get("channels", ""))
    keys["service_programmes"] = _names(form.values.get("service_programmes", ""))
    if form.values.get("default") in DEFAULTS:
        keys["default"] = form.values["default"]
    else:
        form.errors["default"] = str(_("Choose what the sender does then."))
    known = set(keys["channels"])
    for row in range(1, rows.caps + 1):
        channel = form.values.get(f"cap-channel-{row}", "").strip().lower()
        if known and channel and channel not in known:
            form.errors[f"cap-channel-{row}"] = str(_("The list of channels below does not name this one."))
    return keys


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in re.split(r"[,;\n]", text) if name.strip()))


def _quiet(reading: _Reading) -> Any:
    form, _ = reading.form, reading.reader._
    begin, end = form.values.get("quiet-from", ""), form.values.get("quiet-to", "")
    if not begin and not end:
        return False
    for name, text in (("quiet-from", begin), ("quiet-to", end)):
        if not text:
            form.errors[name] = str(_("Give both hours, or leave both empty."))
    hours = [reading.whole(name, most=24, otherwise=0) for name in ("quiet-from", "quiet-to")]
    if "quiet-from" not in form.errors and "quiet-to" not in form.errors and hours[0] == hours[1]:
        form.errors["quiet-to"] = str(_("They end when they begin; leave both empty for no quiet hours."))
    return hours


def _cap(reading: _Reading, row: int) -> dict[str, Any] | None:
    form, _ = reading.form, reading.reader._
    said = {part: form.values.get(f"cap-{part}-{row}", "") for part in CAP}
    if not said["max"] and not said["window"]:
        # An empty row is none.
        return None
    most = reading.whole(f"cap-max-{row}", most=100, otherwise=None)
    name = f"cap-window-{row}"
    count = reading.number(name)
    window = timedelta(0)
    if count is None:
        form.errors.setdefault(name, str(_("Over how long?")))
    else:
        window = UNITS.get(said["unit"], UNITS["d"]) * min(count, 1e5)
        if not timedelta(minutes=1) <= window <= LONGEST_WINDOW:
            form.errors[name] = str(_("From a minute to {n} days.", n=LONGEST_WINDOW.days))
    purposes = [purpose for purpose in MARKETING if said[purpose]]
    if not purposes:
        form.errors[f"cap-max-{row}"] = str(_("Tick which messages this cap counts."))
    return {
        "max": most,
        "window": f"{round(window.total_seconds() / 60)}m",
        "channel": said["channel"].strip().lower(),
        "purposes": purposes,
        "strict": bool(said["strict"]),
    }


@dataclass(slots=True)
class _Reading:
    """Texts as numbers; a comma is a decimal point, spaces between digits are nothing."""

    form: Form
    reader: Reader

    def number(self, name: str) -> float | None:
        """None: empty, or complained about."""
        text = re.sub(r"[\s\u00a0\u202f]", "", self.form.values.get(name, "")).replace(",", ".")
        if not text:
            return None
        try:
            value = float(text) if re.fullmatch(r"[+-]?\d*\.?\d+(?:e[+-]?\d+)?", text) else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.form.errors[name] = str(
                self.reader._("A number was expected, not “{text}”.", text=self.form.values[name][:40])
            )
            return None
        return value

    def whole(self, name: str, *, most: int, otherwise: int | None) -> int | None:
        value = self.number(name)
        if value is None:
            if otherwise is None and name not in self.form.errors:
                self.form.errors[name] = str(self.reader._("How many?"))
            return otherwise
        if not (value.is_integer() and 0 <= value <= most):
            self.form.errors[name] = str(self.reader._("A whole number from 0 to {n}.", n=most))
            return otherwise
        return int(value)

    def share(self, name: str, *, most: float) -> float | None:
        """`5%`, `5` and `0.05` are the same only where the sign says so: a number without it is in percent."""
        text = self.form.values.get(name, "")
        self.form.values[name] = text.replace("%", "")
        value = self.number(name)
        self.form.values[name] = text
        if value is None:
            return None
        if not 0 <= value <= most * 100:
            self.form.errors[name] = str(self.reader._("A percentage from 0 to {n}.", n=round(most * 100)))
            return None
        return value / 100

    def money(self, name: str) -> float | None:
        value = self.number(name)
        if value is not None and not 0 <= value <= 1e12:
            self.form.errors[name] = str(self.reader._("An amount of money from 0 on."))
            return None
        return value
