"""`primeta experiment list | show | declare | …`: experiments through their life in a workspace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json, tell, user
from primeta.errors import BadInput, PrimetaError

if TYPE_CHECKING:
    from primeta.workspace import Workspace
    from primeta.workspace.experiment_size import PlanSize
    from primeta.workspace.experiment_words import Reading
    from primeta.workspace.views import ExperimentView

By = Annotated[str, Parameter(name="--by", help="Who does it; default: the user of this machine.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
Flag = Annotated[bool, Parameter(negative="")]
Revision = Annotated[
    int | None,
    Parameter(
        name="--revision",
        help="`revision` of what you were looking at; refused if somebody changed it since.",
    ),
]
State = Literal["scale", "harm", "futile", "continue", "invalid"]


# Reading


def listing(directory: Path, *, query: str = "", json: Json = False, language: Language = "") -> None:
    """What waits for a decision, what runs and what it says, drafts, what is over.

    Parameters
    ----------
    directory:
        The workspace.
    query:
        Words that must all be there: in the name, the hypothesis, the metrics, the arms, the decision.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.experiment_documents import experiments_document
    from primeta.workspace.experiment_words import list_text
    from primeta.workspace.experiments import matching

    ws = open_at(directory)
    found = matching(ws, ws.experiments(now=clock()), query)
    if json:
        put_json(experiments_document(found))
    else:
        put(list_text(found, _read(ws, language), query=query))


def show(directory: Path, name: str, *, json: Json = False, language: Language = "") -> None:
    """One experiment: plan, size of a draft, the newest look, checks, decision, rollout, versions, lessons.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.experiment_documents import experiment_document
    from primeta.workspace.experiment_words import show_text

    ws = open_at(directory)
    view = ws.experiment(name, now=clock())
    sized = _size_of_draft(ws, view)
    if json:
        put_json(experiment_document(view, size=sized.as_dict() if sized else None))
        return
    lang = language_of(ws, language)
    told = "\n".join([sized.line(lang), *sized.cautions(lang)]) if sized else ""
    put(show_text(view, _read(ws, language), size=told))


def _size_of_draft(ws: Workspace, view: ExperimentView) -> PlanSize | None:
    """Of what may still be changed, where a watch has read the facts already: to show is not to read the tables."""
    from primeta.workspace.experiments import attributes_of

    if view.status != "draft" or attributes_of(ws) is None:
        return None
    try:
        return ws.size_experiment(view.name, now=clock())
    except PrimetaError as error:
        tell(f"primeta: {error}")
        return None


def lessons(directory: Path, query: str = "", *, json: Json = False, language: Language = "") -> None:
    """What was learnt, newest first, with the figures that it rests on.

    Parameters
    ----------
    directory:
        The workspace.
    query:
        Words that must all be there: in the lesson, the hypothesis, the experiment's name, the metric.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.experiment_documents import lessons_document
    from primeta.workspace.experiment_words import lessons_text

    ws = open_at(directory)
    found = ws.lessons(query)
    if json:
        put_json(lessons_document(found))
    else:
        put(lessons_text(found, _read(ws, language), query=query, named=True))


# Declaring


def declare(
    directory: Path,
    name: str,
    changes: Annotated[list[str] | None, Parameter(negative_iterable="")] = None,
    *,
    from_trend: str = "",
    revision: Revision = None,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Declare an experiment, or a new version of one: `primary=orders_per_customer arm.ten.share=50%`.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        What pages, files and the lottery call it. One that is there already keeps what you do not name.
    changes:
        KEY=VALUE, the keys of [experiments.NAME]; arms, guardrails and caps by their entries: arm.ten.share=50%,
        arm.ten.cost=1.2, arm.ten.what="10% off", guardrail.average_order_value=-2%, cap.revenue_per_customer=1000.
        An empty value takes the key away.
    from_trend:
        Id or name of a trend: its card gives hypothesis, owner and metrics.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.experiment_edit import plan_with

    pairs = [_pair(change) for change in changes or ()]
    ws = open_at(directory)
    who = by or user()
    plan = plan_with(ws, name, pairs, by=who, trend=from_trend)
    view = ws.declare_experiment(plan, by=who, now=clock(), revision=revision)
    _answer(ws, view, json, language)


def sync(directory: Path, *, json: Json = False, language: Language = "") -> None:
    """Take over [experiments.*] of primeta.toml; what runs is never altered.

    Parameters
    ----------
    directory:
        The workspace.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.experiment_documents import sync_document
    from primeta.workspace.experiment_words import notes_text

    ws = open_at(directory)
    notes = ws.sync_experiments(now=clock())
    put_json(sync_document(notes)) if json else put(notes_text(notes, _read(ws, language)))


def size(
    directory: Path,
    name: str,
    *,
    belief: str = "",
    customers_after: int | None = None,
    json: Json = False,
    language: Language = "",
) -> None:
    """How large it must be and how long it takes, by the workspace's own history; where it cannot answer.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so. Of a running one with a draft beside it, the draft.
    belief:
        What is believed of the effect before the test, MEAN:SD, in the metric's unit or with %: it tells what the
        answer is worth.
    customers_after:
        To whom it would be done after the decision; default: those who would enter today.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.experiments.spec import amount

    parts = belief.split(":")
    if belief and len(parts) != 2:
        raise BadInput(f"--belief {belief!r}: a mean and a standard deviation were expected, such as 1%:2%")
    if customers_after is not None and (not belief or customers_after < 1):
        raise BadInput("--customers-after goes with --belief, and is a number above 0")
    believed = (amount(parts[0], "--belief"), amount(parts[1], "--belief")) if belief else None
    ws = open_at(directory)
    found = ws.size_experiment(name, now=clock(), belief=believed, customers_after=customers_after)
    put_json(found.as_dict()) if json else put(found.text(language_of(ws, language)))


# Running


def start(
    directory: Path,
    name: str,
    *,
    version: int | None = None,
    revision: Revision = None,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Start the newest version; from here on its plan stays as it is.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    version:
        The version that you mean; refused where a newer one was declared.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    view = ws.start_experiment(name, by=by or user(), now=clock(), version=version, revision=revision)
    _answer(ws, view, json, language)


def stop(
    directory: Path,
    name: str,
    *,
    reason: str,
    revision: Revision = None,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Stop it: nobody enters from now on. What was seen stays and can still be decided.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    reason:
        Why: whoever looks at it later will ask.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    reason = _given("--reason", reason)
    view = ws.stop_experiment(name, by=by or user(), now=clock(), reason=reason, revision=revision)
    _answer(ws, view, json, language)


def look(
    directory: Path,
    name: str,
    *,
    refresh: Flag = False,
    json: Json = False,
    language: Language = "",
) -> None:
    """Look at it now, on the facts that the last watch read; what was seen is kept.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    refresh:
        Read what is new in the tables first.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.experiment_words import look_text

    ws = open_at(directory)
    found = ws.look(name, now=clock(), refresh=refresh)
    if json:
        put_json(found.as_dict())
        return
    view = ws.experiment(found.experiment, now=clock())
    put(look_text(view, _read(ws, language)))


def audience(
    directory: Path, name: str, *, arm: str, out: Path, json: Json = False, language: Language = ""
) -> None:
    """The customers of one arm of a running experiment, as a file for any sender.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    arm:
        Whose customers.
    out:
        The file to write: .csv or .parquet, with customer_id, arm, bucket, entered_at.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = ws.audience(name, arm=arm, out=out, now=clock())
    if json:
        put_json(
            {
                "experiment": found.experiment,
                "arm": found.arm,
                "file": str(found.file),
                "customers": found.customers,
            }
        )
        return
    read = _read(ws, language)
    put(read.say("audience", arm=found.arm, n=read.count(found.customers), file=found.file))


def decide(
    directory: Path,
    name: str,
    *,
    state: State,
    arm: str = "",
    reason: str = "",
    revision: Revision = None,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Decide on the numbers of the last look; who overrules the analysis says why.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    state:
        scale, harm, futile, continue or invalid.
    arm:
        The arm to scale; default: the one that the analysis names.
    reason:
        Needed where the analysis says otherwise. What is not scaled leaves it as a lesson.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    view = ws.decide_experiment(
        name, state=state, arm=arm or None, reason=reason, by=by or user(), now=clock(), revision=revision
    )
    _answer(ws, view, json, language)
    if view.wants_lesson:
        tell(_read(ws, language).say("show.wants-lesson"))


def rollout(
    directory: Path,
    name: str,
    *,
    share: str = "",
    halt: Flag = False,
    reopen: Flag = False,
    reason: str = "",
    revision: Revision = None,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Take the next step of a rollout: 5, 25, 50, 100% of the customers. A gate that fails halts it.

    Exit status 1 where a gate failed.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    share:
        Of the customers who get the winner from now on, such as 25%; default: the next step. None is skipped.
    halt:
        Halt it by hand; say why with --reason.
    reopen:
        Let a halted rollout go on; say why with --reason.
    reason:
        Why it is halted or reopened.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.experiments.assignment import parse_share
    from primeta.workspace.experiment_words import gates_table

    if halt and reopen:
        raise BadInput("--halt and --reopen contradict each other; name one of them")
    if (halt or reopen) and share:
        raise BadInput("--share is for a step; a rollout is halted or reopened where it stands")
    if reason and not (halt or reopen):
        raise BadInput("--reason belongs to --halt or --reopen; a step is taken on its gates")
    ws, who, now = open_at(directory), by or user(), clock()
    if halt or reopen:
        verb = ws.halt_rollout if halt else ws.reopen_rollout
        _answer(
            ws,
            verb(name, reason=_given("--reason", reason), by=who, now=now, revision=revision),
            json,
            language,
        )
        return
    to = parse_share(share, "--share") if share else None
    view = ws.roll_out(name, share=to, by=who, now=now, revision=revision)
    read = _read(ws, language)
    _answer(ws, view, json, language)
    if not json:
        put("\n" + gates_table(view, view.gates, read).text())
    if view.status == "halted":
        sys.exit(1)


def lesson(
    directory: Path,
    name: str,
    text: str,
    *,
    revision: Revision = None,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Write down what was learnt; the numbers of the last look stay with it.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        Its name, or the beginning of it where only one begins so.
    text:
        The lesson, in your words.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.experiment_documents import lesson_document
    from primeta.workspace.experiment_words import lessons_text

    ws = open_at(directory)
    view = ws.lesson(name, text, by=by or user(), now=clock(), revision=revision)
    written = [entry for entry in view.lessons if entry.text == text.strip()][-1:]
    if json:
        put_json(lesson_document(written[0]))
    else:
        put(lessons_text(written, _read(ws, language), named=True))


# Answering


def _read(ws: Workspace, language: Language) -> Reading:
    from primeta.workspace.experiment_words import reading_of

    return reading_of(ws, language_of(ws, language))


def _answer(ws: Workspace, view: ExperimentView, json: bool, language: Language) -> None:
    """Where it stands now, after something was done to it."""
    from primeta.workspace.experiment_documents import experiment_document
    from primeta.workspace.experiment_words import stand_text

    put_json(experiment_document(view)) if json else put(stand_text(view, _read(ws, language)))


def _given(option: str, text: str) -> str:
    if not text.strip():
        raise BadInput(f"{option} is empty; write at least a few words")
    return text


def _pair(change: str) -> tuple[str, str]:
    key, equals, value = change.partition("=")
    if not equals:
        raise BadInput(f"{change!r}: expected KEY=VALUE, such as primary=orders_per_customer")
    return key.strip(), value
