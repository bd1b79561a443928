"""`voices`: what customers speak of, and what those customers did afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json
from primeta.cli.trends import day

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def voices(
    directory: Path,
    /,
    *,
    since: str = "",
    until: str = "",
    by: str = "",
    window: int = 90,
    json: Json = False,
    language: Language = "",
) -> None:
    """Themes of tickets, reviews, NPS answers and interviews, and what those customers did afterwards.

    Parameters
    ----------
    directory:
        The workspace.
    since:
        The first day, as 2026-06-01; default: 26 weeks before the last.
    until:
        The last day, which is in; default: today.
    by:
        An attribute of the customers, or silence or value as they were when the customer spoke.
    window:
        Days after the voice in which orders and opting out count.
    language:
        Of the answer's own words: en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = ws.voices(
        since=day("--since", since) if since else None,
        until=day("--until", until) if until else None,
        by=by,
        window_days=window,
        now=clock(),
    )
    if json:
        put_json(found.as_dict())
        return
    lang = language_of(ws, language)
    put(found.line(lang))
    if found.themes:
        put(found.table(lang).text())
        for table in (found.segment_table(lang), found.after_table(lang)):
            if table.rows:
                put(table.text())
            elif table.note:
                put(table.note)
