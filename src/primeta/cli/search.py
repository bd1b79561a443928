"""`search`: find among everything that was collected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json
from primeta.cli.trends import day

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def search(
    directory: Path,
    query: str,
    *,
    limit: int = 20,
    source: Annotated[list[str] | None, Parameter(negative_iterable="")] = None,
    kind: Annotated[list[str] | None, Parameter(negative_iterable="")] = None,
    since: str = "",
    until: str = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Find what sources brought, by words and by meaning, in Russian and in English at once.

    Parameters
    ----------
    directory:
        The workspace.
    query:
        Words; "a phrase" in quotes; -word that must not be there; source:NAME, kind:law, after:2026-03-01.
    limit:
        At most so many stories, up to 500.
    source:
        Only this source or owner; repeat the option for several.
    kind:
        Only this kind of source, such as law or competitor; repeat the option for several.
    since:
        From this day on, as 2026-11-16.
    until:
        Up to this day, which is in.
    language:
        Of the answer's own words: en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = ws.search(
        query,
        limit=limit,
        sources=source or (),
        kinds=kind or (),
        since=day("--since", since) if since else None,
        until=day("--until", until) if until else None,
        now=clock(),
    )
    if json:
        put_json(found.as_dict())
        return
    lang = language_of(ws, language)
    put(found.table(lang).text() if found.hits else found.line(lang))
