"""Declaring from a terminal: `key=value` pairs on top of what is declared already, or of a trend's card."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from primeta.config import ARM_KEYS, EXPERIMENT_KEYS
from primeta.errors import BadInput
from primeta.experiments.declare import texts_of
from primeta.experiments.records import Plan
from primeta.workspace.experiments import experiments, plan_for

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

SECTIONS = {"arm": "arms", "guardrail": "guardrails", "cap": "caps"}
"""`arm.NAME.share`, `guardrail.METRIC`, `cap.METRIC`; the plurals of the workspace file are read too."""
OF_THE_PRIMARY = ("smallest_effect", "value", "window_days")
"""They speak of one metric: another primary one does not inherit them."""


def plan_with(
    ws: Workspace, name: str, changes: Sequence[tuple[str, str]], *, by: str, trend: str = ""
) -> Plan:
    """A checked plan: what `name` declares now, or what a trend's card says, with changes.

    Args:
        changes: (key of `[experiments.NAME]`, text); an empty text takes the key away. Sections by their entries:
            `arm.ten.share`, `arm.ten` (its share), `guardrail.average_order_value`, `cap.revenue_per_customer`.
        by: Owns a new one where nobody else is named.
        trend: Id or name; its card gives hypothesis, owner and metrics where they are not given.
    Raises:
        BadInput: an unknown key, a plan that cannot be used, nothing to change; one line for each wrong key.
        NotFound: no such trend.
    """
    known = next((view for view in experiments(ws) if view.name == name), None)
    if known is not None and not changes and not trend:
        raise BadInput(
            f"nothing to change was given; name a key of {name} and its new value, such as power=90%"
        )
    values: dict[str, Any] = values_of(known.versions[-1].plan) if known else {"owner": by}
    if trend:
        said = _of_card(ws, trend)
        values = {**said, **values} if known else {**values, **said}
        values["trend"] = ws.trend(trend).id
    given = {key for key, _ in changes}
    if "primary" in given:
        for key in OF_THE_PRIMARY:
            if key not in given:
                values.pop(key, None)
    for key, value in changes:
        _put(values, key, value)
    return plan_for(ws, name, values)


def values_of(plan: Plan) -> dict[str, Any]:
    """A plan as the values of its section in the workspace file."""
    texts = texts_of(plan)
    values: dict[str, Any] = {
        key: text for key, text in texts.items() if text and key not in SECTIONS.values()
    }
    values["arms"] = {
        arm.name: {"share": repr(arm.share), "cost": repr(arm.cost), "what": arm.what} for arm in plan.arms
    }
    for section in ("guardrails", "caps"):
        pairs = (line.partition(" = ") for line in texts[section].splitlines())
        values[section] = {entry: value for entry, _, value in pairs}
    return values


def _put(values: dict[str, Any], key: str, text: str) -> None:
    head, dot, rest = key.partition(".")
    section = SECTIONS.get(head, head if head in SECTIONS.values() else "")
    if not section:
        if dot or key not in EXPERIMENT_KEYS:
            raise BadInput(_unknown(key))
        values[key] = text
        if not text.strip():
            del values[key]
        return
    if not rest.strip():
        raise BadInput(_unknown(key))
    entries = values.setdefault(section, {})
    if section != "arms":
        entry = _entry(entries, rest)
        entries[entry] = text
        if not text.strip():
            del entries[entry]
        return
    name, part = rest, ""
    if "." in rest and rest.rpartition(".")[2] in ARM_KEYS:
        name, _, part = rest.rpartition(".")
    if not part and not text.strip():
        entries.pop(name, None)
        return
    entries.setdefault(name, {})[part or "share"] = text


def _entry(entries: Mapping[str, Any], wanted: str) -> str:
    """`average_order_value` means the guardrail over whatever days it stands there with."""
    if wanted in entries:
        return wanted
    same = [entry for entry in entries if entry.partition(":")[0] == wanted]
    return same[0] if len(same) == 1 else wanted


def _of_card(ws: Workspace, trend: str) -> dict[str, Any]:
    """What a trend's card says already; its first metric is the primary one."""
    from primeta.warehouse.metrics import MEASURED_ELSEWHERE
    from primeta.workspace.measured import declared

    found_trend = ws.trend(trend)
    card, decision = found_trend.card, found_trend.decision
    owner = card.owner or (decision.owner if decision else "")
    metrics = [name for name in card.metrics if name in declared(ws) and name not in MEASURED_ELSEWHERE]
    found: dict[str, Any] = {"hypothesis": card.hypothesis, "owner": owner}
    if metrics:
        found |= {"primary": metrics[0], "metrics": metrics[1:]}
    return {key: value for key, value in found.items() if value}


def _unknown(key: str) -> str:
    allowed = [key for key in EXPERIMENT_KEYS if key not in SECTIONS.values()]
    near = difflib.get_close_matches(key, allowed, 1)
    meant = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(allowed)}"
    return f"{key!r} is no key of an experiment; {meant}" + (
        "" if near else ", arm.NAME.share, arm.NAME.cost, arm.NAME.what, guardrail.METRIC, cap.METRIC"
    )
