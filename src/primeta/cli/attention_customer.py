"""`primeta attention customer`, `first-days`, `marks`: what customers have before their eyes."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def customer(
    directory: Path,
    *,
    customer: str,
    at: str = "",
    known: Literal["then", "today"] = "then",
    json: Json = False,
    language: Language = "",
) -> None:
    """What lies on his notification shade and in his mailbox, and what stood behind each message.

    Parameters
    ----------
    directory:
        The workspace.
    customer:
        The customer's id, or his pseudonym as pages show it.
    at:
        At this time, such as 2026-11-26T18:00; without a zone it is the workspace's. Default: now, and in a history
        the time of its last fact.
    known:
        Consents, credit and promises as they were known then, or all that is known of then today.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.errors import BadInput
    from primeta.workspace.attention_customer import customer_view, is_pseudonym

    ws = open_at(directory)
    moment = None
    if at:
        try:
            moment = datetime.fromisoformat(at)
        except ValueError as error:
            raise BadInput(f"--at {at!r} is no time; give one such as 2026-11-26T18:00") from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=ws.config.zone)
    view = customer_view(ws, customer, now=clock(), at=moment, known=known, is_id=not is_pseudonym(customer))
    if json:
        put_json(view.as_dict())
    else:
        table = view.table(language_of(ws, language))
        put(table.text() if table.rows else table.note)


def first_days(
    directory: Path,
    *,
    days: int = 30,
    since: Annotated[date | None, Parameter(name="--from")] = None,
    to: date | None = None,
    json: Json = False,
    language: Language = "",
) -> None:
    """What new customers really received first, and one of them to walk through.

    Parameters
    ----------
    directory:
        The workspace.
    days:
        How many days of each.
    since:
        Who registered from this day on; default: the latest month whose new customers have all had their days.
    to:
        Who registered up to this day.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.attention_first_days import first_days

    ws = open_at(directory)
    found = first_days(ws, now=clock(), days=days, registered_from=since, registered_to=to)
    if json:
        put_json(found.as_dict())
        return
    lang = language_of(ws, language)
    put(found.weeks_table(lang).text())
    put("")
    table = found.table(lang)
    put(table.text() if table.rows else table.note)


def marks(directory: Path, *, out: Path | None = None, json: Json = False, language: Language = "") -> None:
    """Would you wait for the next one? What reviewers think of messages, beside what customers did.

    Parameters
    ----------
    directory:
        The workspace.
    out:
        Also write every mark into this file, .csv or .parquet.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.attention_marks import touch_marks

    ws = open_at(directory)
    found = touch_marks(ws, now=clock())
    if out is not None:
        found.write(out)
    if json:
        put_json(found.as_dict())
    else:
        table = found.table(language_of(ws, language))
        put(table.text() if table.rows else table.note)
