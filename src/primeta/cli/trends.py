"""`trends`, `trend new|attach|edit`, `log`, `decide`: people's part of the loop."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json, tell, user
from primeta.errors import BadInput

By = Annotated[str, Parameter(name="--by", help="Who does it; default: the user of this machine.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def trends(directory: Path, *, json: Json = False, language: Language = "") -> None:
    """Cards with grade, weighing and decision.

    Parameters
    ----------
    directory:
        The workspace.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = ws.in_language(language_of(ws, language)).trends()
    put_json(found.as_dict()) if json else put(found.table(language_of(ws, language)).text())


def log(
    directory: Path,
    text: str,
    *,
    origin: str = "hand",
    subject: str = "",
    source: str = "",
    at: str = "",
    url: str = "",
    trend: str = "",
    direction: str = "up",
    file: Annotated[list[Path] | None, Parameter(negative_iterable="")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Write down a sign that a person saw.

    Parameters
    ----------
    directory:
        The workspace.
    text:
        What was seen, in your words.
    origin:
        Who could have seen it independently: voice (customers), outside, competitor, regulator, hand.
    subject:
        A few words, or the metric that it speaks of.
    source:
        Where it stands: a channel, a report, a shop. Notes of one source count once.
    at:
        The day it was seen, as 2026-11-16; default: today.
    url:
        A link to it.
    trend:
        Attach it to this trend at once.
    direction:
        up or down.
    file:
        A photo or paper of it, kept with the note; repeat the option for several.
    """
    from primeta.workspace.documents import note_document
    from primeta.workspace.note_files import read_files

    ws = open_at(directory)
    note = ws.log_signal(
        text=text,
        origin=origin,  # pyright: ignore[reportArgumentType]
        subject=subject,
        source=source,
        happened_at=day("--at", at) if at else None,
        url=url,
        trend=trend or None,
        direction=direction,  # pyright: ignore[reportArgumentType]
        files=read_files(file or ()),
        by=by or user(),
        now=clock(),
    )
    put_json(note_document(note)) if json else put(note.id)


def new(
    directory: Path,
    name: str,
    *,
    signal: Annotated[list[str] | None, Parameter(negative_iterable="")] = None,
    type: str = "behavioural",
    by: By = "",
    json: Json = False,
) -> None:
    """A new trend with a card; sources and metrics are filled from its signals.

    Parameters
    ----------
    directory:
        The workspace.
    name:
        The sign in one sentence.
    signal:
        A signal or note to attach; repeat the option for several.
    type:
        behavioural, technological, regulatory, socio-cultural or commercial.
    """
    from primeta.workspace.documents import trend_document

    ws = open_at(directory)
    made = ws.new_trend(name=name, signals=signal or (), type=type, by=by or user(), now=clock())  # pyright: ignore[reportArgumentType]
    put_json(trend_document(made)) if json else put(made.id)


def attach(
    directory: Path,
    trend: str,
    signal: str,
    *,
    refuse: Annotated[bool, Parameter(negative="")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Attach a signal or note to a trend.

    Parameters
    ----------
    directory:
        The workspace.
    trend:
        Its id or name.
    signal:
        The signal's or note's id.
    refuse:
        Take it out instead, and do not suggest it again.
    """
    from primeta.workspace.documents import trend_document

    ws = open_at(directory)
    changed = ws.attach(trend, signal, by=by or user(), now=clock(), refuse=refuse)
    put_json(trend_document(changed)) if json else put(changed.id)


def edit(
    directory: Path,
    trend: str,
    changes: Annotated[list[str], Parameter(negative_iterable="")],
    *,
    version: int | None = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Change fields of a card: `hypothesis="…" review=2026-12-31 adoption=.2:.35:.5`.

    Parameters
    ----------
    directory:
        The workspace.
    trend:
        Its id or name.
    changes:
        FIELD=VALUE, as many as you like: the eleven fields, type, the four parts (signal, mechanism,
        drivers, behaviour), and guesses (adoption, cost, effect, compliance) as one number or P10:P50:P90.
    version:
        The version you were looking at; refused if somebody saved a newer one.
    """
    from primeta.workspace.documents import trend_document

    pairs = dict(_pair(change) for change in changes)
    ws = open_at(directory)
    changed = ws.edit_card(trend, changes=pairs, by=by or user(), now=clock(), version=version)
    put_json(trend_document(changed)) if json else put(changed.id)


def decide(
    directory: Path,
    trend: str,
    *,
    answer: str,
    criteria: str,
    due: str,
    owner: str,
    reason: str = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Answer a trend: what, judged by what, by when, who.

    Parameters
    ----------
    directory:
        The workspace.
    trend:
        Its id or name.
    answer:
        experiment, observe, prepare or reject.
    criteria:
        It worked if … ; name a number.
    due:
        The day by which the result is judged, as 2026-12-31.
    owner:
        Who answers for it.
    reason:
        Why, above all for a rejection.
    """
    from primeta.workspace.documents import trend_document
    from primeta.workspace.people import names_a_number

    ws = open_at(directory)
    now = clock()
    judged = day("--due", due)
    decision = ws.decide(
        trend,
        answer=answer,  # pyright: ignore[reportArgumentType]
        criteria=criteria,
        due=judged,
        owner=owner,
        reason=reason,
        by=by or user(),
        now=now,
    )
    if not names_a_number(criteria):
        tell("primeta: the criteria name no number; on the day they will be hard to judge")
    if judged < ws.day(now):
        tell(f"primeta: {judged} has passed already; the review is overdue from the start")
    put_json(trend_document(ws.trend(decision.trend))) if json else put(decision.trend)


def day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{option} {text!r} is no day; expected one such as 2026-12-31") from None


def _pair(change: str) -> tuple[str, str]:
    name, equals, value = change.partition("=")
    if not equals:
        raise BadInput(f'{change!r}: expected FIELD=VALUE, such as hypothesis="…"')
    return name.strip().replace("-", "_"), value
