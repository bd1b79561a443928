"""What `--json` and the HTTP API say of experiments: the list, and one experiment with all that is kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from primeta.experiments.records import Amount, Arm, Goal, Plan, Step
from primeta.store.experiments import ExperimentEvent, Gate, Look
from primeta.workspace.views import ExperimentDecision, ExperimentView, Lesson, SyncNote


def experiments_document(views: Iterable[ExperimentView]) -> dict[str, Any]:
    """`experiment list`: one entry for each, oldest first."""
    return {"experiments": [experiment_entry(view) for view in views]}


def experiment_entry(view: ExperimentView) -> dict[str, Any]:
    """One experiment in a list: what it is, how far it is, what it says."""
    plan, look = view.plan, view.look
    return {
        "name": view.name,
        "status": view.status,
        "waits": view.waits,
        "hypothesis": plan.hypothesis,
        "owner": plan.owner,
        "trend": plan.trend or None,
        "version": view.version,
        "draft": view.draft.version if view.draft else None,
        "revision": view.revision,
        "starts": plan.starts,
        "ends": plan.ends,
        "last_day": view.last_day,
        "arms": [arm.name for arm in plan.arms],
        "control": plan.control,
        "primary": plan.primary.name,
        "design": plan.design,
        "customers": sum(look.counts.values()) if look else None,
        "planned_n": plan.planned_n or None,
        "look": _brief(look) if look else None,
        "decision": _decision(view.decision) if view.decision else None,
        "share": view.share if view.decision and view.decision.state == "scale" else None,
        "wants_lesson": view.wants_lesson,
    }


def experiment_document(view: ExperimentView, *, size: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`experiment show`: the entry of the list, and plan, versions, looks, rollout, lessons, history.

    Args:
        size: What `experiment size` says of it, where that was worked out.
    """
    last = view.look
    return {
        **experiment_entry(view),
        "created_at": view.created_at,
        "created_by": view.created_by,
        "started_at": view.started_at,
        "stopped_at": view.stopped_at,
        "late_days": view.late_days,
        "plan": plan_document(view.plan),
        "size": dict(size) if size else None,
        "versions": [
            {
                "version": entry.version,
                "state": view.state_of(entry.version),
                "by": entry.by,
                "at": entry.at,
                "plan": plan_document(entry.plan),
            }
            for entry in view.versions
        ],
        "analysis": dict(last.analysis) if last else None,
        "looks": [{**_brief(look), "primary": primary_rows(look)} for look in view.looks],
        "steps": [_step(step) for step in view.steps],
        "gates": [_gate(gate) for gate in view.gates],
        "lessons": [lesson_document(lesson) for lesson in view.lessons],
        "events": [_event(event) for event in view.events],
    }


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan with every default written out."""
    return {
        "hypothesis": plan.hypothesis,
        "trend": plan.trend or None,
        "owner": plan.owner,
        "starts": plan.starts,
        "ends": plan.ends,
        "arms": [_arm(arm, plan.control) for arm in plan.arms],
        "control": plan.control,
        "goals": [_goal(goal) for goal in plan.goals],
        "unit": plan.unit,
        "population": plan.population,
        "entry": plan.entry,
        "design": plan.design,
        "looks": plan.looks,
        "level": plan.level,
        "power": plan.power,
        "planned_n": plan.planned_n or None,
        "covariate_days": plan.covariate_days,
        "segments": list(plan.segments),
        "strata": list(plan.strata),
        "layer": plan.layer or None,
        "slots": list(plan.slots),
        "holdout": plan.holdout,
        "ramp": plan.ramp,
        "salt": plan.salt or plan.name,
        "hash": plan.hash,
    }


def _arm(arm: Arm, control: str) -> dict[str, Any]:
    return {
        "name": arm.name,
        "share": arm.share,
        "cost": arm.cost,
        "what": arm.what,
        "control": arm.name == control,
    }


def _goal(goal: Goal) -> dict[str, Any]:
    return {
        "name": goal.name,
        "metric": goal.metric,
        "window_days": goal.window_days,
        "role": goal.role,
        "smallest": _amount(goal.smallest),
        "margin": _amount(goal.margin),
        "value": goal.value,
        "cap": goal.cap,
    }


def _amount(amount: Amount | None) -> dict[str, Any] | None:
    return None if amount is None else {"value": amount.value, "relative": amount.relative}


def _brief(look: Look) -> dict[str, Any]:
    """A look without its tables: what it said to do and why."""
    said: Mapping[str, Any] = look.analysis.get("decision") or {}
    return {
        "number": look.number,
        "version": look.version,
        "seen_until": look.seen_until,
        "at": look.at,
        "counts": dict(look.counts),
        "state": look.state or None,
        "arm": said.get("arm"),
        "why": said.get("why"),
        "facts_version": look.facts_version,
        "code_version": look.code_version,
    }


def primary_rows(look: Look) -> list[dict[str, Any]]:
    """The effects of the primary metric, an arm each."""
    return [dict(row) for row in look.analysis.get("effects") or () if row.get("role") == "primary"]


def _decision(decision: ExperimentDecision) -> dict[str, Any]:
    return {
        "state": decision.state,
        "arm": decision.arm or None,
        "reason": decision.reason,
        "by": decision.by,
        "at": decision.at,
        "look": decision.look or None,
        "said": decision.said or None,
        "said_arm": decision.said_arm or None,
        "overruled": decision.overruled,
    }


def _step(step: Step) -> dict[str, Any]:
    return {"share": step.share, "state": step.state, "by": step.by, "at": step.at, "why": step.why}


def _gate(gate: Gate) -> dict[str, Any]:
    return {"name": gate.name, "ok": gate.ok, "figures": dict(gate.figures)}


def _event(event: ExperimentEvent) -> dict[str, Any]:
    return {
        "number": event.number,
        "version": event.version,
        "at": event.at,
        "who": event.who,
        "kind": event.kind,
        "what": dict(event.what),
    }


def lessons_document(lessons: Iterable[Lesson]) -> dict[str, Any]:
    """`experiment lessons`: newest first."""
    return {"lessons": [lesson_document(lesson) for lesson in lessons]}


def lesson_document(lesson: Lesson) -> dict[str, Any]:
    return {
        "experiment": lesson.experiment,
        "version": lesson.version,
        "text": lesson.text,
        "by": lesson.by,
        "at": lesson.at,
        "hypothesis": lesson.hypothesis,
        "metric": lesson.metric,
        "state": lesson.state or None,
        "look": lesson.look or None,
        "figures": [dict(row) for row in lesson.figures],
    }


def sync_document(notes: Iterable[SyncNote]) -> dict[str, Any]:
    """`experiment sync`: what taking over the workspace file did; empty where nothing changed."""
    return {
        "notes": [
            {
                "experiment": note.experiment,
                "code": note.code,
                "version": note.version,
                "runs": note.runs or None,
            }
            for note in notes
        ]
    }
