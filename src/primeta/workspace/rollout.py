"""A winner is rolled out in steps; before each one its gates are asked, and a gate that fails halts it.

The gates: the lottery is still sound, the last look shows no harm, every guardrail is shown within its margin,
the data can be trusted and still arrives, and whatever else the caller guards. A halted rollout goes on only
after a person has reopened it with a reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, Conflict, Refused
from primeta.experiments.records import Amount, Goal, Step
from primeta.store import experiments as rows
from primeta.store.experiments import Gate, RolloutStep
from primeta.store.signals import last_run
from primeta.workspace.experiments import Change, change_of, experiment
from primeta.workspace.overview import STALE
from primeta.workspace.people import given_text, named_person
from primeta.workspace.views import ExperimentView

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

STEPS = (0.05, 0.25, 0.5, 1.0)
CRITICAL = (
    "empty-table",
    "missing-columns",
    "unreadable-values",
    "ambiguous-dates",
    "second-currency",
    "duplicate-keys",
    "future-dates",
)
"""Rules of the doctor after which sums of money or customers are not what they seem."""


def roll_out(
    ws: Workspace,
    name: str,
    *,
    by: str,
    now: datetime,
    share: float | None = None,
    guards: Mapping[str, str] | None = None,
    steps: Sequence[float] = STEPS,
    revision: int | None = None,
) -> ExperimentView:
    """Take the next step of a rollout, or halt it where a gate fails: `steps[-1]` of the answer says which.

    Args:
        share: Of the customers who get the winner from now on; default: the next of `steps`.
        guards: What else must hold: name → empty where it does, else why it does not. None: the state of the data
            is examined here (`data_guards`), which reads the tables; pass its answer where it is known already.
        steps: Shares in rising order; none is skipped.
    Raises:
        BadInput: a share that is none, or not above the one reached.
        NotFound, Conflict: no such experiment; somebody changed it meanwhile.
        Refused: it was not decided to scale; the rollout is halted or complete; a step would be skipped; or nobody
            has looked since the last step.
    """
    by = named_person(by)
    view = experiment(ws, name, now=now)
    _may_move(view)
    if share is not None and not 0 < share <= 1:
        raise BadInput(f"share {share:g}: expected a share above 0 and at most 1, such as 0.25")
    following = next((step for step in sorted(steps) if step > view.share), 1.0)
    share = following if share is None else float(share)
    if share <= view.share:
        raise BadInput(f"{view.name} is rolled out to {view.share:.0%} already; expected a larger share")
    if share > following:
        raise Refused(
            f"{view.name} is rolled out to {view.share:.0%}; the next step is {following:.0%}, not {share:.0%}: each "
            "step is there to see the harm while it is small"
        )
    _was_looked_at(ws, view)
    change = change_of(view, ws, by=by, now=now, revision=revision)
    gates = _gates(view, data_guards(ws, now=now) if guards is None else guards)
    failed = [gate.name for gate in gates if not gate.ok]
    if failed:
        step = Step(share=view.share, by="primeta", at=now, state="halted", why=", ".join(failed))
    else:
        step = Step(share=share, by=by, at=now, state="passed")
    _save(change, view, step, gates, asked=share)
    return experiment(ws, view.name, now=now)


def halt(
    ws: Workspace, name: str, *, reason: str, by: str, now: datetime, revision: int | None = None
) -> ExperimentView:
    """Halt a rollout by hand. Halted twice, it is halted once."""
    by, reason = named_person(by), given_text("reason", reason)
    view = experiment(ws, name, now=now)
    if view.status == "halted":
        return view
    if view.status != "rolling":
        raise Refused(f"{view.name} is not being rolled out; there is nothing to halt")
    change = change_of(view, ws, by=by, now=now, revision=revision)
    _save(change, view, Step(share=view.share, by=by, at=now, state="halted", why=reason), ())
    return experiment(ws, view.name, now=now)


def reopen(
    ws: Workspace, name: str, *, reason: str, by: str, now: datetime, revision: int | None = None
) -> ExperimentView:
    """Let a halted rollout go on; the next step asks its gates again."""
    by, reason = named_person(by), given_text("reason", reason)
    view = experiment(ws, name, now=now)
    if view.status != "halted":
        raise Refused(f"the rollout of {view.name} is not halted; there is nothing to reopen")
    change = change_of(view, ws, by=by, now=now, revision=revision)
    _save(change, view, Step(share=view.share, by=by, at=now, state="reopened", why=reason), ())
    return experiment(ws, view.name, now=now)


def halt_where_broken(
    ws: Workspace, name: str, *, now: datetime, guards: Mapping[str, str] | None = None
) -> bool:
    """Halt a rollout whose newest look, or one of these guards, breaks a gate; whether it was halted.

    Asked at every look; a schedule may ask it with `data_guards` as well.
    """
    view = experiment(ws, name)
    if view.status != "rolling" or view.share == 0:
        return False
    gates = _gates(view, guards or {})
    failed = [gate.name for gate in gates if not gate.ok]
    if not failed:
        return False
    step = Step(share=view.share, by="primeta", at=now, state="halted", why=", ".join(failed))
    try:
        _save(change_of(view, ws, by="primeta", now=now, revision=None), view, step, gates)
    except Conflict:
        # A person was faster: his step has asked the same gates, or halted it himself.
        return halt_where_broken(ws, name, now=now, guards=guards)
    return True


def data_guards(ws: Workspace, *, now: datetime) -> dict[str, str]:
    """Whether the data can be trusted and still arrives: guard → why it does not hold, empty where it does."""
    found = [
        f"{finding.table}: {finding.rule}, {finding.rows}"
        for finding in ws.diagnosis(now=now).questions
        if finding.rule in CRITICAL
    ]
    with ws.database.read() as connection:
        run = last_run(connection)
    stopped = ""
    if run is None:
        stopped = "never watched"
    elif now - run.seen_until > STALE and not ws.config.as_of_facts:
        stopped = f"{run.seen_until:%Y-%m-%d}"
    return {"doctor": "; ".join(found), "facts-stopped": stopped}


def _may_move(view: ExperimentView) -> None:
    decision = view.decision
    if decision is None or decision.state != "scale":
        raise Refused(
            f"{view.name} was not decided to be scaled ({decision.state if decision else view.status}); only a winner "
            "is rolled out"
        )
    if view.status == "halted":
        last = view.steps[-1]
        raise Refused(
            f"the rollout of {view.name} was halted by {last.by} on {last.at:%Y-%m-%d} ({last.why}); reopen it with a "
            "reason first"
        )
    if view.rolled_out:
        raise Refused(f"{view.name} is rolled out to everybody already")


def _was_looked_at(ws: Workspace, view: ExperimentView) -> None:
    """A step is taken on what was seen since the one before it; a history stands still, so there is nothing to wait for."""
    passed = [step for step in view.steps if step.state == "passed"]
    if not passed or ws.config.as_of_facts:
        return
    if view.look is None or view.look.at <= passed[-1].at:
        raise Refused(
            f"nobody has looked at {view.name} since its step to {passed[-1].share:.0%} on {passed[-1].at:%Y-%m-%d}; "
            "look at it again first: the step was taken to be seen"
        )


def _gates(view: ExperimentView, guards: Mapping[str, str]) -> tuple[Gate, ...]:
    """What the step asks. What cannot be told does not pass."""
    assert view.decision is not None
    look, arm = view.look, view.decision.arm
    analysis: Mapping[str, Any] = look.analysis if look else {}
    ratio = (analysis.get("checks") or {}).get("sample_ratio") or {}
    mine = [entry for entry in analysis.get("decisions") or () if entry.get("arm") == arm]
    state = str(mine[0].get("state") or "") if mine else ""
    found = [
        Gate(name="sample-ratio", ok=ratio.get("ok") is True, figures={"p": ratio.get("p")}),
        Gate(
            name="verdict",
            ok=state in ("scale", "continue", "futile"),
            figures={"state": state, "look": look.number if look else 0},
        ),
    ]
    effects = [
        row for row in analysis.get("effects") or () if row.get("arm") == arm and not row.get("segment")
    ]
    for goal in view.plan.goals:
        if goal.role == "guardrail" and goal.margin is not None:
            found.append(_guardrail(goal, goal.margin, effects))
    found += [Gate(name=name, ok=not why, figures={"why": why}) for name, why in guards.items()]
    return tuple(found)


def _guardrail(goal: Goal, margin: Amount, effects: Sequence[Mapping[str, Any]]) -> Gate:
    """Holds where the whole deciding interval lies within the margin."""
    names = (goal.name, goal.metric)
    row = next((r for r in effects if r.get("role") == "guardrail" and r.get("metric") in names), {})
    low, high = _number(row, "beyond_low"), _number(row, "beyond_high")
    if not (math.isfinite(low) and math.isfinite(high)):
        # The interval of the difference less the margin is not told: the margin is held against the difference.
        allowed = margin.value * (abs(_number(row, "control_mean")) if margin.relative else 1.0)
        low, high = _number(row, "decision_low") - allowed, _number(row, "decision_high") - allowed
    figures = {
        "metric": goal.name,
        "difference": row.get("difference"),
        "low": row.get("decision_low"),
        "high": row.get("decision_high"),
        "margin": margin.value,
        "relative": margin.relative,
        "why_not": row.get("why_not") or ("" if row else "not-in-the-look"),
    }
    return Gate(name=f"guardrail:{goal.name}", ok=low > 0 if margin.value < 0 else high < 0, figures=figures)


def _number(row: Mapping[str, Any], key: str) -> float:
    value = row.get(key)
    return math.nan if value is None else float(value)


def _save(
    change: Change, view: ExperimentView, step: Step, gates: tuple[Gate, ...], *, asked: float | None = None
) -> None:
    assert view.decision is not None
    made = RolloutStep(step=step, decision=view.decision.number, gates=gates)
    number = change.next
    change.also.append(lambda connection: rows.add_step(connection, view.name, number, made))
    what = {"share": step.share, "state": step.state, "why": step.why, "arm": view.decision.arm}
    if asked is not None and step.state == "halted":
        # A gate halts on its own account; who wanted the step, and how far, is told beside it.
        what |= {"asked": asked, "asked_by": change.by}
        change.by = step.by
    change.tell("rolled", view.version, what)
    change.write("roll out", what)
