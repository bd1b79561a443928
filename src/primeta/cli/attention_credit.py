"""`primeta attention credit`: how much attention one customer lends us."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def credit(
    directory: Path,
    *,
    customer: str,
    channel: str = "",
    at: str = "",
    again: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    language: Language = "",
) -> None:
    """How likely the next useful message to him is welcomed, and what that bears.

    Parameters
    ----------
    directory:
        The workspace.
    customer:
        The customer's id.
    channel:
        Only this channel; default: each on which he was written to.
    at:
        As of this time, such as 2026-11-26T18:00; without a zone it is the workspace's. Default: now, and in a history
        the time of its last fact.
    again:
        Learn the model anew from the messages, though the kept one is younger than a week.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.errors import BadInput
    from primeta.workspace.attention_credit import customer_credit

    ws = open_at(directory)
    now = clock()
    moment = None
    if at:
        try:
            moment = datetime.fromisoformat(at)
        except ValueError as error:
            raise BadInput(f"--at {at!r} is no time; give one such as 2026-11-26T18:00") from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=ws.config.zone)
    told = customer_credit(ws, customer, now=now, at=moment, channel=channel, again=again)
    if json:
        put_json(told.as_dict())
    else:
        put(told.line(language_of(ws, language)))
