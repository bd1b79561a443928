"""Experiments as a person reads them in a terminal: the list, one of them, what was learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from primeta.experiments.size_words import counted
from primeta.experiments.views_words import (
    Names,
    checks,
    decision_line,
    decision_table,
    effects_table,
    figures_line,
    pairs_text,
    plan_rows,
    text,
)
from primeta.experiments.words import word
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.store.experiments import Gate
from primeta.warehouse.metric import Metric
from primeta.workspace.views import ExperimentView, Lesson, SyncNote

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

GROUPS = ("waiting", "running", "rolling", "draft", "over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """In whose language, currency and calendar experiments are told."""

    lang: str
    currency: str
    metrics: Mapping[str, Metric]
    ws: Workspace

    def names(self, view: ExperimentView) -> Names:
        return Names(lang=self.lang, plan=view.plan, currency=self.currency, metrics=self.metrics)

    def day(self, moment: datetime) -> str:
        return locale.day(self.ws.day_of(moment), self.lang)

    def say(self, code: str, **figures: object) -> str:
        return text(code, self.lang, **figures)

    def count(self, customers: float) -> str:
        """`1,204 customers`"""
        return counted(customers, "customer", self.lang)


def reading_of(ws: Workspace, lang: str) -> Reading:
    from primeta.workspace.measured import declared

    return Reading(lang=lang, currency=ws.config.currency, metrics=declared(ws), ws=ws)


# The list


def group_of(view: ExperimentView) -> str:
    """Under which head an experiment stands."""
    if view.waits:
        return "waiting"
    if view.status in ("rolling", "halted") and not view.rolled_out:
        return "rolling"
    if view.status == "decided" and view.decision is not None and view.decision.state == "scale":
        return "rolling"
    return {"draft": "draft", "running": "running"}.get(view.status, "over")


def finding(view: ExperimentView, read: Reading) -> str:
    """What was decided; before that what the figures say; before those what is expected."""
    decision, say = view.decision, read.say
    if decision is not None and decision.state not in ("continue", "scale"):
        return say(f"finding.{decision.state}")
    if decision is not None and decision.state == "scale":
        share = locale.percent(view.share, read.lang)
        if view.status == "halted":
            return say("finding.halted", arm=decision.arm, share=share)
        if view.rolled_out:
            return say("finding.everybody", arm=decision.arm)
        return say("finding.reached" if view.share else "finding.to-scale", arm=decision.arm, share=share)
    told = decision_line(read.names(view), view.look.analysis) if view.look else ""
    if told:
        return told
    return {"running": say("finding.runs"), "ended": say("finding.ended")}.get(
        view.status, view.plan.hypothesis
    )


def list_line(views: Sequence[ExperimentView], read: Reading) -> str:
    groups = [group_of(view) for view in views]
    shown = {name: locale.number(groups.count(name), read.lang) for name in GROUPS}
    running = locale.number(groups.count("running") + groups.count("rolling"), read.lang)
    return read.say(
        "list.line",
        running=running,
        waiting=shown["waiting"],
        drafts=shown["draft"],
        over=shown["over"],
    )


def list_text(views: Sequence[ExperimentView], read: Reading, *, query: str = "") -> str:
    """What waits, what runs, drafts, what is over: two lines each."""
    if not views:
        return read.say("list.nothing-found", query=query) if query else read.say("list.none")
    width = max(len(view.name) for view in views)
    parts = [list_line(views, read)]
    for group in GROUPS:
        mine = [view for view in views if group_of(view) == group]
        if group == "over":
            mine.reverse()
        if mine:
            parts += ["", read.say(f"list.{group}").upper()]
        for view in mine:
            parts.append(f"{view.name:<{width}}  {finding(view, read)}")
            parts.append(" " * width + "  " + "; ".join(_details(view, read, group)))
    return "\n".join(parts)


def _details(view: ExperimentView, read: Reading, group: str) -> list[str]:
    plan, lang, say = view.plan, read.lang, read.say
    found: list[str] = []
    if group == "draft":
        last = plan.ends - timedelta(days=1)
        found.append(say("list.starts", first=locale.day(plan.starts, lang), last=locale.day(last, lang)))
    if group in ("waiting", "running", "over") and view.look is not None:
        n = locale.number(sum(view.look.counts.values()), lang)
        if plan.planned_n and group == "running":
            found.append(say("list.of", n=n, planned=locale.number(plan.planned_n, lang)))
        else:
            found.append(say("list.n", n=n))
    if group == "running":
        found.append(say("list.until", day=locale.day(view.last_day, lang)))
    if view.decision is not None and group in ("over", "rolling"):
        found.append(f"{view.decision.by}, {read.day(view.decision.at)}")
        if view.decision.reason:
            found.append(view.decision.reason)
    elif plan.owner:
        found.append(plan.owner)
    if view.draft is not None:
        found.append(say("list.beside", version=view.draft.version))
    if view.wants_lesson:
        found.append(say("list.lesson"))
    return found


def list_table(views: Sequence[ExperimentView], read: Reading) -> Table:
    """One row for each experiment, for a notebook."""
    say = read.say
    heads = (
        Head(say("list.head.name")),
        Head(say("list.head.status")),
        Head(word("customers", read.lang), "right"),
        Head(say("owner")),
        Head(say("list.head.says")),
    )
    rows = tuple(
        (
            view.name,
            say("list.waiting").lower() if view.waits else say(view.status),
            locale.number(sum(view.look.counts.values()), read.lang) if view.look else "",
            view.plan.owner,
            finding(view, read),
        )
        for view in views
    )
    return Table(heads=heads, rows=rows)


# One experiment


def stand_text(view: ExperimentView, read: Reading) -> str:
    """Where it stands, in a few lines: after something was done to it."""
    parts = [_head(view, read), finding(view, read)]
    started = next((event for event in reversed(view.events) if event.kind == "started"), None)
    if started is not None and started.number == view.revision:
        if view.late_days:
            parts.append(read.say("show.late", days=counted(view.late_days, "day", read.lang)))
        before = started.what.get("same_arms_as")
        if before:
            parts.append(read.say("show.same-arms", version=before))
    if view.draft is not None:
        parts.append(read.say("show.beside", version=view.draft.version))
    return "\n".join(parts)


def show_text(view: ExperimentView, read: Reading, *, size: str = "") -> str:
    """Everything that is kept of one experiment, the answer first.

    Args:
        size: What a size worked out for it says, where it was asked for.
    """
    names, say, lang = read.names(view), read.say, read.lang
    parts = [_head(view, read), finding(view, read)]
    if view.late_days:
        parts.append(say("show.late", days=counted(view.late_days, "day", lang)))

    def part(head: str, body: str) -> None:
        parts.extend(["", head.upper(), body])

    part(say("show.plan"), pairs_text(plan_rows(names)))
    if size:
        part(say("show.size"), size)
    if view.look is not None:
        parts += ["", look_text(view, read, said=finding(view, read))]
    elif view.started_at is not None:
        parts += ["", say("show.no-look")]
    if view.decision is not None:
        part(say("show.decision"), "\n".join(_decision(view, read)))
    if view.steps:
        part(say("show.rollout"), _steps(view, read).text())
        if view.gates:
            part(say("show.gates"), gates_table(view, view.gates, read).text())
    if len(view.versions) > 1:
        part(say("show.versions"), _versions(view, read).text())
    if view.lessons:
        part(say("show.lessons"), lessons_text(view.lessons, read))
    elif view.wants_lesson:
        parts += ["", say("show.wants-lesson")]
    return "\n".join(parts)


def look_text(view: ExperimentView, read: Reading, *, said: str = "") -> str:
    """The newest look: what to do, arm by arm, metric by metric, and whether it can be believed.

    Args:
        said: What stands above it already, and is not said again.
    """
    look, names, say = view.look, read.names(view), read.say
    if look is None:
        return say("show.no-look")
    document, counts = look.analysis, look.counts
    until = locale.moment(look.seen_until, read.lang, read.ws.config.zone)
    line = decision_line(names, document)
    blocks = [line] if line != said else []
    if document.get("decisions"):
        blocks.append(decision_table(names, document, counts).text())
    if document.get("effects"):
        blocks.append(effects_table(names, document).text())
    parts = [say("look", number=look.number, until=until).upper(), "\n\n".join(blocks)]
    if document.get("segments"):
        segments = effects_table(names, document, key="segments").text()
        parts += ["", say("show.segments").upper(), segments]
    parts += ["", say("show.checks").upper(), *checks(names, document, counts)]
    return "\n".join(parts)


def _head(view: ExperimentView, read: Reading) -> str:
    status = read.say(view.status)
    if view.started_at is not None and view.status == "running":
        status += " " + read.say("show.since", day=read.day(view.started_at))
    return read.say("show.line", name=view.name, status=status, version=view.version, owner=view.plan.owner)


def _decision(view: ExperimentView, read: Reading) -> list[str]:
    decision, lang, say = view.decision, read.lang, read.say
    assert decision is not None
    what = word(decision.state, lang) + (f" {decision.arm}" if decision.arm else "")
    said = [say("show.decided", what=what, by=decision.by, day=read.day(decision.at))]
    if decision.reason:
        said.append(decision.reason)
    if decision.overruled:
        told = f"{word(decision.said, lang)} {decision.said_arm}".strip()
        said.append(say("show.overruled", look=decision.look, said=told))
    if view.look is not None and decision.look and view.look.number > decision.look:
        said.append(say("show.newer", look=decision.look))
    return said


def _steps(view: ExperimentView, read: Reading) -> Table:
    say = read.say
    heads = (
        Head(say("head.day")),
        Head(say("head.share"), "right"),
        Head(say("head.step")),
        Head(say("head.by")),
        Head(word("why", read.lang)),
    )
    rows = tuple(
        (
            read.day(step.at),
            locale.percent(step.share, read.lang),
            say(f"step.{step.state}"),
            step.by,
            why_halted(view, step.why, read) if step.by == "primeta" else step.why,
        )
        for step in view.steps
    )
    return Table(heads=heads, rows=rows)


def why_halted(view: ExperimentView, why: str, read: Reading) -> str:
    """The gates that failed, in words."""
    return "; ".join(_gate_name(view, name, read) for name in why.split(", "))


def gates_table(view: ExperimentView, gates: Sequence[Gate], read: Reading) -> Table:
    """What a step asked, and the answers."""
    say = read.say
    heads = (Head(say("head.gate")), Head(say("head.answer")), Head(""))
    rows = []
    for gate in gates:
        answer = say("gate.ok" if gate.ok else "gate.failed")
        rows.append((_gate_name(view, gate.name, read), answer, str(gate.figures.get("why") or "")))
    return Table(heads=heads, rows=tuple(rows))


def _gate_name(view: ExperimentView, name: str, read: Reading) -> str:
    kind, _, metric = name.partition(":")
    if kind == "guardrail":
        goal = next((goal for goal in view.plan.goals if goal.name == metric), None)
        names = read.names(view)
        if goal is None or goal.margin is None:
            return names.named(metric)
        code = "goal.fall" if goal.margin.value < 0 else "goal.rise"
        return f"{names.goal(goal)}: {read.say(code, amount=names.amount(goal.margin, goal.name))}"
    return read.say(f"gate.{name}") if name in GATES else name


GATES = ("sample-ratio", "verdict", "doctor", "facts-stopped")


def _versions(view: ExperimentView, read: Reading) -> Table:
    say = read.say
    changed = {
        event.version: event.what.get("changed") or () for event in view.events if event.kind == "declared"
    }
    heads = (
        Head(say("head.version"), "right"),
        Head(say("list.head.status")),
        Head(say("head.by")),
        Head(say("head.day")),
        Head(say("head.changed")),
    )
    rows = tuple(
        (
            str(entry.version),
            say(view.state_of(entry.version)),
            entry.by,
            read.day(entry.at),
            ", ".join(say(f"field.{name}") for name in changed.get(entry.version, ())),
        )
        for entry in view.versions
    )
    return Table(heads=heads, rows=rows)


# Lessons, and what the file brought


def lessons_text(lessons: Sequence[Lesson], read: Reading, *, query: str = "", named: bool = False) -> str:
    """Each with its figures beneath.

    Args:
        named: With the experiment that it comes from.
    """
    if not lessons:
        return read.say("lessons.nothing-found", query=query) if query else read.say("lessons.none")
    known = {view.name: view for view in read.ws.experiments()}
    parts: list[str] = []
    for lesson in lessons:
        head = f"{read.day(lesson.at)}, {lesson.by}"
        if named:
            head = f"{lesson.experiment}, {head}"
        if lesson.state:
            head += f" ({word(lesson.state, read.lang)})"
        parts += [f"{head}: {lesson.text}"]
        if named:
            parts.append(f"  {lesson.hypothesis}")
        if figures := _figures(lesson, known[lesson.experiment], read):
            parts.append("  " + figures)
    return "\n".join(parts)


def _figures(lesson: Lesson, view: ExperimentView, read: Reading) -> str:
    plan = next(entry.plan for entry in view.versions if entry.version == lesson.version)
    names = Names(lang=read.lang, plan=plan, currency=read.currency, metrics=read.metrics)
    return figures_line(names, lesson.metric, lesson.figures)


def notes_text(notes: Sequence[SyncNote], read: Reading) -> str:
    """What taking over the file did."""
    return "\n".join(note.line(read.lang) for note in notes) or read.say("sync.none")
