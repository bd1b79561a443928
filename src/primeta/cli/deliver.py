"""`deliver`, `calendar`: what is finished goes out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json, user

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
NOT_DELIVERED = 2
"""Exit status where something that should have arrived did not."""


def deliver(
    directory: Path,
    *,
    to: str = "",
    what: Literal["", "digest", "reviews"] = "",
    due: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    again: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    language: Language = "",
) -> int:
    """Send the week's digest and the due reviews to the channels of primeta.toml, each once.

    Parameters
    ----------
    directory:
        The workspace.
    to:
        Only this channel.
    what:
        Only digest, or only reviews.
    due:
        Only the channels whose hour has come, and what was put off: for one line of cron.
    dry_run:
        Check the addresses and tell what would be sent; send nothing.
    again:
        Also what was sent before or was broken off.
    language:
        Of this answer: en or ru; default: the workspace's. A message is in its channel's language.
    """
    from primeta.errors import BadInput

    ws = open_at(directory)
    if due and (to or what or dry_run or again):
        raise BadInput("--due chooses by itself what to send; leave out --to, --what, --dry-run, --again")
    if due:
        found = ws.deliver_due(now=clock(), env=os.environ)
    else:
        found = ws.deliver(now=clock(), env=os.environ, to=to, what=what, dry_run=dry_run, again=again)
    if json:
        put_json(found.as_dict())
    else:
        lang = language_of(ws, language)
        put(found.table(lang).text() if found.outcomes else found.line(lang))
    return 0 if found.ok else NOT_DELIVERED


def calendar(
    directory: Path,
    *,
    out: Path | None = None,
    new_token: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    language: Language = "",
) -> None:
    """Due reviews and ends of experiments as a file for any calendar (ICS).

    Parameters
    ----------
    directory:
        The workspace.
    out:
        Write it to this file instead of standard output.
    new_token:
        Make another secret for the feed's address; the old address answers no more.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.feed import calendar_entries
    from primeta.workspace.files import write_whole

    ws = open_at(directory)
    now = clock()
    token = ws.calendar_token(now=now, by=user(), new=new_token)
    lang = language_of(ws, language)
    content = ws.calendar(now=now, language=lang)
    if out is not None:
        write_whole(out, content)
    if json:
        entries = calendar_entries(ws, now=now, lang=lang)
        put_json(
            {
                "path": f"/calendar/{token}.ics",
                "entries": [
                    {
                        "kind": entry.kind,
                        "id": entry.id,
                        "day": entry.day,
                        "title": entry.title,
                        "sequence": entry.sequence,
                    }
                    for entry in entries
                ],
            }
        )
    elif out is None:
        put(content.decode("utf-8"))
