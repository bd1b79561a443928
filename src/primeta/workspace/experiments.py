"""Experiments through their life: declared, started, looked at, stopped, decided, learnt from.

Every verb adds to one numbered history and alters nothing. A plan that runs stays as it was started: what is
declared later is kept beside it as a draft, and whoever declared it is told.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from primeta.config import FILE_NAME, config_error
from primeta.errors import BadInput, Conflict, NotFound, Refused
from primeta.experiments.declare import (
    Basis,
    Problem,
    basis_of,
    check_plan,
    plan_from,
    plan_from_texts,
    plan_of,
    problems_in,
)
from primeta.experiments.records import STATES, DecisionState, Plan
from primeta.store import experiments as rows
from primeta.store.experiments import ExperimentEvent, Look, PlanVersion, Stored
from primeta.store.signals import last_run
from primeta.store.trends import add_audit
from primeta.store.trends import add_events as add_trend_events
from primeta.trends.records import Event
from primeta.warehouse.facts_store import load_facts
from primeta.workspace.people import given_text, named_person
from primeta.workspace.views import (
    ExperimentDecision,
    ExperimentStatus,
    ExperimentView,
    Lesson,
    SyncNote,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from primeta.workspace.workspace import Workspace

ATTEMPTS = 5
"""A look is saved by a schedule: it reads the history again where a person was faster."""


# Reading


def experiments(ws: Workspace, *, now: datetime | None = None) -> tuple[ExperimentView, ...]:
    """All experiments, oldest first, each with its newest look only.

    Args:
        now: By it an experiment whose last day has passed has ended; None: by the last day of the facts.
    """
    with ws.database.read() as connection:
        found = rows.load_experiments(connection)
    today = _today(ws, now)
    return tuple(view_of(stored, today=today) for stored in found)


def experiment(ws: Workspace, name: str, *, now: datetime | None = None) -> ExperimentView:
    """One experiment by its name, or by the only name that begins so, with all looks at its current version.

    Raises:
        NotFound: none or several; the message lists them.
    """
    stored = _load(ws, name)
    if stored is None:
        with ws.database.read() as connection:
            names = [entry.name for entry in rows.load_experiments(connection)]
        stored = _load(ws, _named(names, name))
    assert stored is not None
    return view_of(stored, today=_today(ws, now))


def experiments_of(ws: Workspace, trend: str, *, now: datetime | None = None) -> tuple[ExperimentView, ...]:
    """The experiments that came from a trend."""
    identity = ws.trend(trend).id
    return tuple(view for view in experiments(ws, now=now) if view.plan.trend == identity)


def lessons(ws: Workspace, query: str = "") -> tuple[Lesson, ...]:
    """What was learnt, newest first.

    Args:
        query: Words that must all be there (their beginnings suffice): in the lesson, the hypothesis, the name of
            the experiment, or its metric's name in either language.
    """
    labels = _labels(ws)

    def told(lesson: Lesson) -> str:
        metric = labels.get(lesson.metric.rpartition(".")[0], "")
        return f"{lesson.text} {lesson.hypothesis} {lesson.experiment} {lesson.metric} {metric}"

    found = [lesson for view in experiments(ws) for lesson in view.lessons if speaks_of(told(lesson), query)]
    return tuple(sorted(found, key=lambda lesson: lesson.at, reverse=True))


def matching(ws: Workspace, views: Sequence[ExperimentView], query: str) -> tuple[ExperimentView, ...]:
    """Those whose name, hypothesis, owner, metrics, arms or decision hold all the words of a query."""
    labels = _labels(ws)

    def told(view: ExperimentView) -> str:
        plan, decision = view.plan, view.decision
        metrics = " ".join(f"{goal.metric} {labels.get(goal.metric, '')}" for goal in plan.goals)
        arms = " ".join(f"{arm.name} {arm.what}" for arm in plan.arms)
        reason = f"{decision.state} {decision.reason}" if decision else ""
        return f"{view.name} {view.status} {plan.hypothesis} {plan.owner} {metrics} {arms} {reason}"

    return tuple(view for view in views if speaks_of(told(view), query))


def speaks_of(text: str, query: str) -> bool:
    """Whether every word of a query begins some word of a text; letters large or small, е or ё."""
    there = _folded(text).replace("_", " ").split() + _folded(text).split()
    return all(any(word.startswith(part) for word in there) for part in _folded(query).split())


def _labels(ws: Workspace) -> dict[str, str]:
    return {metric.name: " ".join(metric.label.values()) for metric in _metrics(ws)}


def _folded(text: str) -> str:
    return "".join(
        character if character.isalnum() or character == "_" else " "
        for character in text.casefold().replace("ё", "е")
    )


def _metrics(ws: Workspace) -> Collection[Any]:
    from primeta.workspace.measured import declared

    return declared(ws).values()


def _today(ws: Workspace, now: datetime | None) -> date | None:
    if now is not None:
        return ws.day(now)
    with ws.database.read() as connection:
        run = last_run(connection)
    return ws.day_of(run.seen_until) if run else None


def _load(ws: Workspace, name: str) -> Stored | None:
    with ws.database.read() as connection:
        return next(iter(rows.load_experiments(connection, (name,), all_looks=True)), None)


def _named(names: Sequence[str], wanted: str) -> str:
    folded = wanted.casefold().strip()
    same = [name for name in names if name.casefold() == folded]
    matching = same or [name for name in names if folded and name.casefold().startswith(folded)]
    if len(matching) == 1:
        return matching[0]
    if not names:
        raise NotFound(
            f"no experiment {wanted!r}: this workspace has none yet; declare one as [experiments.NAME] in {FILE_NAME}"
        )
    kind = "several experiments match" if matching else "no experiment"
    near = matching or difflib.get_close_matches(wanted, names, 5, 0.5) or names[:8]
    raise NotFound(f"{kind} {wanted!r}; expected one of: {', '.join(near)}")


def view_of(stored: Stored, *, today: date | None) -> ExperimentView:
    """What is kept about an experiment, as it stands today."""
    started = [event for event in stored.events if event.kind == "started"]
    version = started[-1].version if started else stored.versions[-1].version
    current = next(entry for entry in stored.versions if entry.version == version)
    mine = [event for event in stored.events if event.version == version]
    looks = tuple(look for look in stored.looks if look.version == version)
    decision = next((_decision(event) for event in reversed(mine) if event.kind == "decided"), None)
    steps = [entry for entry in stored.steps if decision is not None and entry.decision == decision.number]
    stopped = next((event.at for event in mine if event.kind == "stopped"), None)
    if stopped is None and decision is not None and decision.state != "continue":
        stopped = decision.at
    view = ExperimentView(
        name=stored.name,
        status="draft",
        plan=current.plan,
        basis=current.basis,
        version=version,
        versions=stored.versions,
        events=stored.events,
        looks=looks,
        decision=decision,
        steps=tuple(entry.step for entry in steps),
        gates=steps[-1].gates if steps else (),
        lessons=_lessons(stored),
        created_at=stored.created_at,
        created_by=stored.created_by,
        started_at=started[-1].at if started else None,
        stopped_at=stopped,
    )
    return dataclasses.replace(view, status=_status(view, today))


def _status(view: ExperimentView, today: date | None) -> ExperimentStatus:
    if view.started_at is None:
        return "draft"
    if view.decision is not None and view.decision.state != "continue":
        if not view.steps:
            return "decided"
        return "halted" if view.steps[-1].state == "halted" else "rolling"
    over = today is not None and today >= view.last_day
    return "ended" if view.stopped_at is not None or over else "running"


def _decision(event: ExperimentEvent) -> ExperimentDecision:
    what = event.what
    return ExperimentDecision(
        number=event.number,
        version=event.version,
        state=what["state"],
        arm=what["arm"],
        reason=what["reason"],
        by=event.who,
        at=event.at,
        look=what["look"],
        said=what["said"],
        said_arm=what["said_arm"],
    )


def _lessons(stored: Stored) -> tuple[Lesson, ...]:
    plans = {entry.version: entry.plan for entry in stored.versions}
    return tuple(
        Lesson(
            experiment=stored.name,
            version=event.version,
            text=event.what["text"],
            by=event.who,
            at=event.at,
            hypothesis=plans[event.version].hypothesis,
            metric=plans[event.version].primary.name,
            state=event.what["state"],
            look=event.what["look"],
            figures=tuple(event.what["figures"]),
        )
        for event in stored.events
        if event.kind == "lesson"
    )


# Writing


@dataclasses.dataclass(slots=True)
class Change:
    """The next lines of one experiment's history, by one person, at one moment; `write` saves all or nothing."""

    ws: Workspace
    name: str
    number: int
    by: str
    now: datetime
    events: list[ExperimentEvent] = dataclasses.field(default_factory=list)
    also: list[Callable[[Connection], None]] = dataclasses.field(default_factory=list)

    @property
    def next(self) -> int:
        """The number that the next line gets."""
        return self.number + len(self.events) + 1

    def tell(self, kind: str, version: int, what: Mapping[str, Any], *, mark: str = "") -> None:
        self.events.append(
            ExperimentEvent(
                number=self.next,
                version=version,
                at=self.now,
                who=self.by,
                kind=kind,
                what=what,
                mark=mark,
            )
        )

    def tell_trend(self, trend: str, kind: str, what: Mapping[str, Any], *, mark: str) -> None:
        """A line in the history of the trend that the experiment came from."""
        if trend:
            told = Event(at=self.now, who=self.by, kind=kind, what={"experiment": self.name, **what})
            self.also.append(lambda connection: add_trend_events(connection, trend, [told], mark=mark))

    def write(self, verb: str, what: Mapping[str, Any]) -> None:
        """One short transaction.

        Raises:
            Conflict: somebody went on with the history meanwhile; nothing was written.
        """
        with self.ws.database.write() as connection:
            for more in self.also:
                more(connection)
            rows.add_events(connection, self.name, self.events)
            told = {"experiment": self.name, **what}
            add_audit(connection, who=self.by, verb=f"experiment {verb}", what=told, at=self.now)


def change_of(view: ExperimentView, ws: Workspace, *, by: str, now: datetime, revision: int | None) -> Change:
    """A change that begins where the history stands.

    Args:
        revision: Of the view that the person was looking at; None: what stands now.
    Raises:
        Conflict: the history has gone on since that revision.
    """
    if revision is not None and revision != view.revision:
        later = [event for event in view.events if event.number > revision]
        told = "; ".join(f"{event.who}: {event.kind}, {event.at:%Y-%m-%d %H:%M}" for event in later[-3:])
        raise Conflict(
            f"the experiment {view.name} was changed meanwhile ({told or 'it was restored'}); read it again and "
            "repeat what you did"
        )
    return Change(ws=ws, name=view.name, number=view.revision, by=by, now=now)


# Declaring


def plan_for(ws: Workspace, name: str, values: Mapping[str, Any]) -> Plan:
    """A checked plan from Python values, with the trend found and its hypothesis taken where none is given."""
    return plan_from(ws.config, name, {**values, **_from_trend(ws, values)}, attributes=attributes_of(ws))


def plan_for_texts(ws: Workspace, name: str, texts: Mapping[str, str]) -> Plan:
    """The same from the texts of a form."""
    return plan_from_texts(ws.config, name, {**texts, **_from_trend(ws, texts)}, attributes=attributes_of(ws))


def plan_problems(ws: Workspace, name: str, texts: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is wrong with the texts of a form, key by key."""
    try:
        given = _from_trend(ws, texts)
    except NotFound as error:
        found = problems_in(ws.config, name, texts, attributes=attributes_of(ws))
        return (Problem(key="trend", message=str(error)), *found)
    return problems_in(ws.config, name, {**texts, **given}, attributes=attributes_of(ws))


def _from_trend(ws: Workspace, values: Mapping[str, Any]) -> dict[str, Any]:
    wanted = values.get("trend")
    if not isinstance(wanted, str) or not wanted.strip():
        return {}
    trend = ws.trend(wanted.strip())
    given = {"trend": trend.id}
    if not str(values.get("hypothesis") or "").strip() and trend.card.hypothesis:
        given["hypothesis"] = trend.card.hypothesis
    return given


def attributes_of(ws: Workspace) -> tuple[str, ...] | None:
    """Attributes of the customers as the last watch read them; None before the first."""
    facts = load_facts(ws.folder / "facts")
    return facts.attributes if facts else None


def declare(
    ws: Workspace, plan: Plan, *, by: str, now: datetime, revision: int | None = None
) -> ExperimentView:
    """Declare an experiment, or a new version of one. The same plan again changes nothing.

    Args:
        revision: `ExperimentView.revision` of what the person was looking at.
    Raises:
        BadInput: the plan cannot be used; one line for each wrong key.
        NotFound: no such trend.
        Conflict: somebody changed the experiment meanwhile.
        Refused: the experiment runs. What was declared is kept as a draft beside it; the running version is
            not altered.
    """
    by = named_person(by)
    check_plan(ws.config, plan, attributes=attributes_of(ws))
    if plan.trend:
        plan = dataclasses.replace(plan, trend=ws.trend(plan.trend).id)
    note = _keep(ws, plan, basis_of(ws.config, plan), by=by, now=now, revision=revision)
    view = experiment(ws, plan.name, now=now)
    if note is not None and note.code == "kept-beside":
        raise Refused(
            f"{plan.name} runs as version {note.runs} since {view.started_at:%Y-%m-%d} and a running experiment is "
            f"never changed. What you declared is kept beside it as version {note.version}, a draft: stop version "
            f"{note.runs} and start version {note.version}, or leave it."
        )
    return view


def sync(ws: Workspace, *, now: datetime) -> tuple[SyncNote, ...]:
    """Take over the experiments of the workspace file: what is new is declared, what changed is a new version.

    A running experiment is not altered; the notes say what was kept beside it, each time, until it is settled.

    Raises:
        BadConfig: a section is wrong; then nothing of the file is taken over.
    """
    plans = [_declared_in_file(ws, name) for name in ws.config.experiments]
    told = [
        _keep(ws, plan, basis_of(ws.config, plan), by=FILE_NAME, now=now, revision=None) for plan in plans
    ]
    notes = [note for note in told if note is not None]
    named = {plan.name for plan in plans}
    for view in experiments(ws, now=now):
        from_file = view.versions[-1].by == FILE_NAME
        if from_file and view.name not in named and view.status in ("draft", "running"):
            notes.append(SyncNote(experiment=view.name, code="gone", version=view.versions[-1].version))
    return tuple(notes)


def _declared_in_file(ws: Workspace, name: str) -> Plan:
    values = ws.config.experiments[name].values
    given: dict[str, Any] = {}
    if values.get("trend"):
        try:
            given = _from_trend(ws, values)
        except NotFound as error:
            known = _trend_before(ws, name, values["trend"])
            if not known:
                raise config_error(ws.config, f"experiments.{name}", "trend", str(error)) from None
            given = _from_trend(ws, {**values, "trend": known})
    return plan_of(ws.config, name, attributes=attributes_of(ws), given=given)


def _trend_before(ws: Workspace, name: str, wanted: str) -> str:
    """The trend that the file meant before its card was renamed: the same words mean the same trend."""
    stored = _load(ws, name)
    told = [event for event in stored.events if event.kind == "declared"] if stored else []
    return next((e.what.get("trend", "") for e in reversed(told) if e.what.get("trend_said") == wanted), "")


def _keep(
    ws: Workspace, plan: Plan, basis: Basis, *, by: str, now: datetime, revision: int | None
) -> SyncNote | None:
    """Keep a plan as a version of its own where it says something new; None where it does not."""
    stored = _load(ws, plan.name)
    view = view_of(stored, today=_today(ws, now)) if stored else None
    if view is None:
        change = Change(ws=ws, name=plan.name, number=0, by=by, now=now)
        change.also.append(lambda connection: rows.add_experiment(connection, plan.name, by=by, at=now))
        versions: tuple[PlanVersion, ...] = ()
    else:
        change, versions = change_of(view, ws, by=by, now=now, revision=revision), view.versions
    # A file that says what it said before is no news, whatever a person declared in a form meanwhile.
    said_before = [entry for entry in versions if by == FILE_NAME and entry.by == FILE_NAME][-1:]
    same = [entry for entry in (*said_before, *versions[-1:]) if (entry.plan, entry.basis) == (plan, basis)]
    version = same[-1].version if same else len(versions) + 1
    runs = view.version if view is not None and view.status == "running" else 0
    if not same:
        kept = PlanVersion(version=version, plan=plan, basis=basis, by=by, at=now)
        change.also.append(lambda connection: rows.add_version(connection, plan.name, kept))
        what: dict[str, Any] = {"hypothesis": plan.hypothesis, "trend": plan.trend}
        if by == FILE_NAME:
            what["trend_said"] = ws.config.experiments[plan.name].values.get("trend", "")
        if versions:
            what["changed"] = _differences(versions[-1].plan, plan)
        change.tell("declared", version, what, mark=f"declared {version}")
        told = {"hypothesis": plan.hypothesis}
        change.tell_trend(plan.trend, "experiment", told, mark=f"experiment {plan.name}")
        change.write("declare", {"version": version, **({"beside": runs} if runs else {})})
    if view is None:
        return SyncNote(experiment=plan.name, code="new", version=version)
    if not runs:
        return None if same else SyncNote(experiment=plan.name, code="changed", version=version)
    if (view.plan, view.basis) == (plan, basis):
        return None if same else SyncNote(experiment=plan.name, code="as-before", version=version, runs=runs)
    if version < runs:
        return None
    return SyncNote(experiment=plan.name, code="kept-beside", version=version, runs=runs)


def _differences(old: Plan, new: Plan) -> list[str]:
    return [
        entry.name
        for entry in dataclasses.fields(Plan)
        if getattr(old, entry.name) != getattr(new, entry.name)
    ]


# Running


def start(
    ws: Workspace,
    name: str,
    *,
    by: str,
    now: datetime,
    version: int | None = None,
    revision: int | None = None,
) -> ExperimentView:
    """Start the newest version. From here on its plan stays as it is. Started twice, it is started once.

    Args:
        version: The version that the person was looking at; refused where a newer one was declared.
    Raises:
        NotFound: no such experiment.
        Conflict: a newer version was declared meanwhile.
        Refused: another version runs, its dates are over, or an experiment of the same layer takes its slots.
    """
    by = named_person(by)
    view = experiment(ws, name, now=now)
    newest = view.versions[-1]
    if view.status == "running":
        if version == view.version or (version is None and view.draft is None):
            return view
        raise Refused(
            f"{view.name} runs as version {view.version}; stop it before version {newest.version} is started"
        )
    if version not in (None, newest.version):
        raise Conflict(
            f"{newest.by} declared version {newest.version} of {view.name} on {newest.at:%Y-%m-%d}, you named version "
            f"{version}; read it again and start what you mean"
        )
    if view.state_of(newest.version) == "ended":
        raise Refused(f"{view.name} has ended; declare a new version to run it again")
    if view.status in ("rolling", "halted"):
        raise Refused(
            f"the winner of {view.name} is being rolled out; declare the next test under a name of its own"
        )
    plan, today = newest.plan, ws.day(now)
    # In a history nobody can be treated any more, and a lottery over it can still be drawn: `late_days` says so.
    if plan.entry != "table" and today >= plan.ends and not ws.config.as_of_facts:
        raise Refused(
            f"{view.name} ends on {plan.ends} and today is {today}: nobody can enter any more; declare other dates"
        )
    change = change_of(view, ws, by=by, now=now, revision=revision)
    _layer_is_free(ws, view.name, plan, now=now)
    what: dict[str, Any] = {"hypothesis": plan.hypothesis}
    if plan.entry != "table" and today > plan.starts:
        what["late_days"] = (today - plan.starts).days
    before = [
        entry.version
        for entry in view.versions
        if entry.version != newest.version
        and view.state_of(entry.version) == "ended"
        and (entry.plan.salt or view.name) == (plan.salt or view.name)
    ]
    if before:
        # The same lottery draws the same arms: who got the offer in that version is in this one's arm again.
        what["same_arms_as"] = before[-1]
    change.tell("started", newest.version, what, mark=f"started {newest.version}")
    change.write("start", {"version": newest.version, **what})
    return experiment(ws, view.name, now=now)


def _layer_is_free(ws: Workspace, name: str, plan: Plan, *, now: datetime) -> None:
    """Experiments of one layer exclude each other: no two may hold the same slots at the same time."""
    if not plan.layer:
        return
    for other in experiments(ws, now=now):
        if other.name == name or other.status != "running" or other.plan.layer != plan.layer:
            continue
        slots = max(plan.slots[0], other.plan.slots[0]), min(plan.slots[1], other.plan.slots[1])
        if slots[0] < slots[1] and plan.starts < other.last_day:
            raise Refused(
                f"layer {plan.layer}: {other.name} holds the slots {other.plan.slots[0]:g}–{other.plan.slots[1]:g} until "
                f"{other.last_day}; give {name} other slots, a later start, or stop {other.name}"
            )


def stop(
    ws: Workspace, name: str, *, by: str, now: datetime, reason: str = "", revision: int | None = None
) -> ExperimentView:
    """Stop a running experiment: nobody enters from now on. What was seen stays; it can still be decided.

    Raises:
        NotFound, Conflict: no such experiment; somebody changed it meanwhile.
        Refused: it was never started.
    """
    by = named_person(by)
    view = experiment(ws, name, now=now)
    if view.started_at is None:
        raise Refused(f"{view.name} was never started; there is nothing to stop")
    if view.stopped_at is not None:
        return view
    change = change_of(view, ws, by=by, now=now, revision=revision)
    change.tell("stopped", view.version, {"reason": reason.strip()}, mark=f"stopped {view.version}")
    change.write("stop", {"version": view.version, "reason": reason.strip()})
    return experiment(ws, view.name, now=now)


def save_look(ws: Workspace, name: str, look: Look) -> Look:
    """Freeze what one look saw. The same facts seen again are the same look: it is returned as it was saved.

    The evidence against the planned shares is carried on: it never falls from one look to the next. While a
    winner is rolled out, a look that breaks one of its gates halts the rollout.

    Args:
        look: With `number` 0; its number is given here.
    Raises:
        NotFound: no such experiment.
        Refused: the look is at a version that is not the current one, or that was never started.
        BadInput: it saw less than the look before it.
    """
    from primeta.workspace.rollout import halt_where_broken

    saved = _save_look(ws, name, look, attempts=ATTEMPTS)
    halt_where_broken(ws, name, now=look.at)
    return saved


def _save_look(ws: Workspace, name: str, look: Look, *, attempts: int) -> Look:
    view = experiment(ws, name)
    if view.started_at is None or look.version != view.version:
        raise Refused(
            f"{view.name}: a look at version {look.version} cannot be saved; "
            + (f"version {view.version} runs" if view.started_at else "it was never started")
        )
    for known in view.looks:
        if (known.seen_until, known.facts_version) == (look.seen_until, look.facts_version):
            return known
    last = view.look
    if last is not None and look.seen_until < last.seen_until:
        raise BadInput(
            f"{view.name}: this look saw facts until {look.seen_until:%Y-%m-%d %H:%M}, the one before it until "
            f"{last.seen_until:%Y-%m-%d %H:%M}; looks go forward in time"
        )
    saved = dataclasses.replace(
        look,
        number=last.number + 1 if last else 1,
        ratio_evidence=max(look.ratio_evidence, last.ratio_evidence if last else 0.0),
        analysis=rows.told_plainly(look.analysis),
    )
    change = change_of(view, ws, by="primeta", now=look.at, revision=None)
    change.also.append(lambda connection: rows.add_look(connection, view.name, saved))
    what = {"look": saved.number, "seen_until": saved.seen_until.isoformat(), "state": saved.state}
    change.tell("looked", look.version, what, mark=f"looked {look.version} {saved.number}")
    try:
        change.write("look", what)
    except Conflict:
        if attempts <= 1:
            raise
        return _save_look(ws, name, look, attempts=attempts - 1)
    return saved


# Deciding


def decide(
    ws: Workspace,
    name: str,
    *,
    state: DecisionState,
    by: str,
    now: datetime,
    arm: str | None = None,
    reason: str = "",
    revision: int | None = None,
) -> ExperimentView:
    """Decide, on the numbers of the last look. A later decision supersedes; the earlier ones stay readable.

    What is not to be scaled leaves a lesson: its reason, with the numbers.

    Args:
        arm: To be scaled; default: the one that the analysis names, or the only treated one.
        reason: Needed where the decision is not what the analysis says.
    Raises:
        BadInput: an unknown state or arm, or no reason for overruling the analysis.
        NotFound, Conflict: no such experiment; somebody looked or changed it meanwhile.
        Refused: it was never started; or it is to be scaled without a look, or with arms that are not as planned.
    """
    by, reason = named_person(by), reason.strip()
    if state not in STATES:
        raise BadInput(f"state {state!r}: expected one of {', '.join(STATES)}")
    view = experiment(ws, name, now=now)
    if view.started_at is None:
        raise Refused(f"{view.name} was never started; there is nothing to decide")
    look = view.look
    said, said_arm = (
        (look.state, str((look.analysis["decision"]).get("arm") or "")) if look and look.state else ("", "")
    )
    chosen = _arm_to_scale(view, arm, said_arm) if state == "scale" else _known_arm(view, arm)
    if state == "scale" and look is None:
        raise Refused(f"{view.name}: nobody has looked at it yet; an arm is scaled on its numbers only")
    if state == "scale" and look is not None and look.ratio_ok is False:
        raise Refused(
            f"{view.name}: the arms are not as large as planned, so no number of this test can be trusted; "
            "nothing is scaled on it. Find out why, and run it again"
        )
    if not reason and (state != said or (state == "scale" and chosen != said_arm)):
        told = f"the analysis says {said} {said_arm}".rstrip() if said else "nobody has looked at it yet"
        raise BadInput(f"{view.name}: {told}; say why you decide {state} {chosen}".rstrip())
    change = change_of(view, ws, by=by, now=now, revision=revision)
    what = {
        "state": state,
        "arm": chosen,
        "reason": reason,
        "look": look.number if look else 0,
        "said": said,
        "said_arm": said_arm,
    }
    change.tell("decided", view.version, what)
    told = {"state": state, "arm": chosen, "reason": reason}
    decided = change.number + 1
    change.tell_trend(view.plan.trend, "experiment-end", told, mark=f"experiment {view.name} {decided}")
    if state in ("harm", "futile", "invalid") and reason:
        change.tell("lesson", view.version, _lesson(view, reason, state))
    change.write("decide", what)
    return experiment(ws, view.name, now=now)


def _arm_to_scale(view: ExperimentView, arm: str | None, said: str) -> str:
    treated = [entry.name for entry in view.plan.treated]
    chosen = arm or said or (treated[0] if len(treated) == 1 else "")
    if chosen not in treated:
        given = f"arm {chosen!r} cannot be scaled" if chosen else "no arm is named"
        raise BadInput(f"{view.name}: {given}; expected one of {', '.join(treated)}")
    return chosen


def _known_arm(view: ExperimentView, arm: str | None) -> str:
    names = [entry.name for entry in view.plan.arms]
    if arm and arm not in names:
        raise BadInput(f"{view.name} has no arm {arm!r}; expected one of {', '.join(names)}")
    return arm or ""


def lesson(
    ws: Workspace, name: str, text: str, *, by: str, now: datetime, revision: int | None = None
) -> ExperimentView:
    """Write down what was learnt, with the numbers of the last look. The same words twice are one lesson."""
    by, text = named_person(by), given_text("lesson", text)
    view = experiment(ws, name, now=now)
    if any(entry.text == text and entry.version == view.version for entry in view.lessons):
        return view
    change = change_of(view, ws, by=by, now=now, revision=revision)
    change.tell("lesson", view.version, _lesson(view, text, view.decision.state if view.decision else ""))
    change.write("lesson", {"version": view.version, "text": text})
    return experiment(ws, view.name, now=now)


FIGURES = (
    "arm",
    "n_control",
    "n_arm",
    "control_mean",
    "arm_mean",
    "difference",
    "low",
    "high",
    "p",
    "lift",
    "lift_low",
    "lift_high",
    "why_not",
)
"""What a lesson keeps of the primary metric."""


def _lesson(view: ExperimentView, text: str, state: str) -> dict[str, Any]:
    look = view.look
    effects = (look.analysis.get("effects") or []) if look else []
    return {
        "text": text,
        "state": state,
        "look": look.number if look else 0,
        "figures": [
            {key: row[key] for key in FIGURES if key in row}
            for row in effects
            if row.get("role") == "primary"
        ],
    }
