"""`primeta attention may-send`, `choose`, `filter`: may we send this to him, which of these, or to them, and why not?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json, user

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
REFUSED = 1


def may_send(
    directory: Path,
    *,
    customer: str,
    channel: str,
    purpose: str,
    at: str = "",
    campaign: str = "",
    programme: str = "",
    message: str = "",
    personal: Annotated[bool, Parameter(negative="")] = False,
    personalised: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    language: Language = "",
) -> int:
    """May we send this to him? Exit status 0: yes, 1: no.

    Parameters
    ----------
    directory:
        The workspace.
    customer:
        The customer's id.
    channel:
        Such as push, email, sms.
    purpose:
        What the message is for: service, useful, offer or press.
    at:
        When it is to be sent, such as 2026-11-26T18:00; without a zone it is the workspace's. Default: now.
    campaign:
        The campaign of the message.
    programme:
        The programme (running scenario) of the message.
    message:
        The message's id, where it is known.
    personal:
        The offer is made for this customer alone.
    personalised:
        The message uses what is known of the customer.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.attention.answer_words import document, line
    from primeta.attention.records import Question
    from primeta.workspace.may_send import moment_of

    ws = open_at(directory)
    now = clock()
    question = Question(
        customer_id=customer,
        channel=channel.strip().lower(),
        purpose=purpose.strip().lower(),  # type: ignore[arg-type]
        at=_moment(at, ws.config.zone) if at else moment_of(ws, now=now),
        campaign=campaign,
        programme=programme,
        message_id=message,
        personal=personal,
        personalised=personalised,
    )
    answer = ws.may_send(question, now=now)
    lang = language_of(ws, language)
    if json:
        put_json(document(answer, lang))
    else:
        put(line(answer, lang, zone=ws.config.zone))
    return 0 if answer.allowed else REFUSED


def choose(
    directory: Path,
    *,
    customer: str,
    candidate: Annotated[list[str] | None, Parameter(negative="")] = None,
    file: Path | None = None,
    at: str = "",
    json: Json = False,
    language: Language = "",
) -> int:
    """Several messages want one slot of one customer: which goes? Exit status 0: one goes, 1: none may.

    Parameters
    ----------
    directory:
        The workspace.
    customer:
        The customer's id.
    candidate:
        A message, such as message_id=m1,channel=push,purpose=offer,value=12; once for each.
    file:
        JSON lines, a candidate each.
    at:
        When it is to be sent; default: now.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.attention_choose import all_candidates
    from primeta.workspace.may_send import moment_of

    ws = open_at(directory)
    now = clock()
    found = ws.choose_message(
        customer,
        all_candidates(candidate or [], file),
        at=_moment(at, ws.config.zone) if at else moment_of(ws, now=now),
        now=now,
    )
    lang = language_of(ws, language)
    if json:
        put_json(found.as_dict(lang))
    else:
        put(found.line(lang))
        put("\n" + found.table(lang).text())
    return 0 if found.any else REFUSED


def filter_audience(
    directory: Path,
    *,
    audience: Path,
    channel: str,
    purpose: str,
    out: Path,
    at: str = "",
    campaign: str = "",
    programme: str = "",
    personal: Annotated[bool, Parameter(negative="")] = False,
    personalised: Annotated[bool, Parameter(negative="")] = False,
    columns: str = "",
    processes: int = 0,
    json: Json = False,
    language: Language = "",
) -> None:
    """May we send this to them? The same rows with allowed, rule and earliest.

    Parameters
    ----------
    directory:
        The workspace.
    audience:
        CSV or Parquet with customer_id, optionally timezone.
    channel:
        Such as push, email, sms.
    purpose:
        What the message is for: service, useful, offer or press.
    out:
        The file to write, CSV or Parquet.
    at:
        When it is to be sent; default: now.
    campaign:
        The campaign of the message.
    programme:
        The programme (running scenario) of the message.
    personal:
        The offers are made for each customer alone.
    personalised:
        The message uses what is known of the customer.
    columns:
        canonical=theirs, where the file names its columns otherwise: customer_id=client.
    processes:
        How many work at once; default: two for large files.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.attention.records import Question
    from primeta.workspace.may_send import moment_of

    ws = open_at(directory)
    now = clock()
    question = Question(
        customer_id="",
        channel=channel.strip().lower(),
        purpose=purpose.strip().lower(),  # type: ignore[arg-type]
        at=_moment(at, ws.config.zone) if at else moment_of(ws, now=now),
        campaign=campaign,
        programme=programme,
        personal=personal,
        personalised=personalised,
    )
    with progress("filter") as step:
        found = ws.filter_audience(
            audience, question, out=out, now=now, columns=columns, processes=processes, progress=step
        )
    if json:
        put_json(found.as_dict())
        return
    lang = language_of(ws, language)
    put(found.line(lang))
    if found.rules:
        put("\n" + found.table(lang).text())


def _moment(text: str, zone) -> datetime:
    """A time as people write it; without a zone it is the workspace's."""
    from primeta.errors import BadInput

    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"--at: a time such as 2026-11-26T18:00 was expected, {text!r} was given") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def sync(
    directory: Path,
    *,
    since: str = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Take over what the mapped tables know: consents, messages, reactions, where customers live.

    Parameters
    ----------
    directory:
        The workspace.
    since:
        Messages and reactions from this day on, such as 2026-11-01; default: all.
    language:
        en or ru; default: the workspace's.
    """
    from datetime import date

    from primeta.errors import BadInput

    try:
        day = date.fromisoformat(since) if since else None
    except ValueError:
        raise BadInput(f"--since: a day such as 2026-11-01 was expected, {since!r} was given") from None
    ws = open_at(directory)
    with progress("sync") as step:
        found = ws.sync_attention(now=clock(), by=user(), since=day, progress=step)
    if json:
        put_json(found.as_dict())
    else:
        put(found.line(language_of(ws, language)))
