"""An experiment in sentences: its finding, what it rests on, its history, its lessons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from primeta.experiments.views_words import figures_line
from primeta.experiments.views_words import text as told_text
from primeta.show.words import N_
from primeta.store.experiments import ExperimentEvent
from primeta.web import experiment_rows as rows
from primeta.web.reader import Reader, capital
from primeta.workspace import Workspace
from primeta.workspace.experiment_words import Reading
from primeta.workspace.experiment_words import finding as told_finding
from primeta.workspace.views import ExperimentView, Lesson

PLAN_FIELDS = {
    "hypothesis": N_("hypothesis"),
    "owner": N_("owner"),
    "arms": N_("arms"),
    "control": N_("control"),
    "goals": N_("metrics"),
    "starts": N_("first day"),
    "ends": N_("last day"),
    "population": N_("who takes part"),
    "entry": N_("who enters"),
    "design": N_("when one may look"),
    "looks": N_("planned looks"),
    "level": N_("level"),
    "power": N_("power"),
    "planned_n": N_("planned customers"),
    "covariate_days": N_("days before the entry"),
    "segments": N_("segments"),
    "strata": N_("strata"),
    "layer": N_("layer"),
    "slots": N_("slots"),
    "holdout": N_("universal holdout"),
    "ramp": N_("share that takes part"),
    "salt": N_("salt"),
    "hash": N_("hash"),
    "trend": N_("trend"),
}


def reading(reader: Reader, workspace: Workspace) -> Reading:
    """This reader's language and units, for the words that pages share with the terminal."""
    return Reading(lang=reader.lang, currency=reader.currency, metrics=reader.metrics, ws=workspace)


def finding(reader: Reader, view: ExperimentView, workspace: Workspace) -> str:
    """The headline: what was decided; before that what the figures say; before those what is expected."""
    return rows.unbroken(told_finding(view, reading(reader, workspace)))


def lead(reader: Reader, view: ExperimentView) -> str:
    """Under the headline: what it was tried for; after a decision, the figures that it rests on."""
    look = view.decided_look
    if view.decision is not None and view.decision.state != "continue" and look is not None:
        return rows.headline(reader, view, look)
    return view.plan.hypothesis if view.status != "draft" else ""


def state_word(reader: Reader, code: str) -> str:
    """The word for a state of a decision or an experiment, or for why there is no number."""
    return told_text(code, reader.lang)


def history_line(reader: Reader, view: ExperimentView, event: ExperimentEvent) -> str:
    """One line of the history; what a person wrote stands under it."""
    what: Mapping[str, Any] = event.what
    if event.kind == "declared":
        changed = [
            str(reader._(PLAN_FIELDS[name])) if name in PLAN_FIELDS else name
            for name in what.get("changed") or ()
        ]
        if changed:
            return str(
                reader._(
                    "Version {n} declared. Changed: {fields}.", n=event.version, fields=reader.listed(changed)
                )
            )
        return str(reader._("Version {n} declared.", n=event.version))
    if event.kind == "started":
        text = str(reader._("Version {n} started.", n=event.version))
        late = int(what.get("late_days") or 0)
        if late:
            text += " " + str(
                reader._n("{n} day after its first day.", "{n} days after its first day.", late)
            )
        return text
    if event.kind == "stopped":
        return str(reader._("Stopped: nobody enters any more."))
    if event.kind == "looked":
        state = str(what.get("state") or "")
        told = capital(state_word(reader, state)) if state else ""
        return str(reader._("Look {n}.", n=what.get("look"))) + (f" {told}." if told else "")
    if event.kind == "decided":
        arm = f" {what['arm']}" if what.get("state") == "scale" and what.get("arm") else ""
        return str(reader._("Decided: {what}.", what=state_word(reader, str(what.get("state"))) + arm))
    if event.kind == "rolled":
        share = reader.percent(float(what.get("share") or 0))
        state = str(what.get("state"))
        if state == "passed":
            return str(reader._("Rolled out to {share} of the customers.", share=share))
        if state == "halted":
            return str(reader._("Rollout halted at {share}.", share=share))
        return str(reader._("Rollout reopened at {share}.", share=share))
    if event.kind == "lesson":
        return str(reader._("A lesson written down."))
    return event.kind


def said(event: ExperimentEvent) -> str:
    """What the person wrote with it."""
    return str(event.what.get("reason") or event.what.get("text") or "")


def lesson_figures(reader: Reader, views: Iterable[ExperimentView]) -> Callable[[Lesson], str]:
    """What writes the numbers of a lesson, by the plan that it comes from."""
    plans = {(view.name, entry.version): entry.plan for view in views for entry in view.versions}

    def written(lesson: Lesson) -> str:
        plan = plans.get((lesson.experiment, lesson.version))
        names = rows.names_of(reader, plan) if plan else None
        return rows.unbroken(figures_line(names, lesson.metric, lesson.figures)) if names else ""

    return written
