"""`attention health`, `promises`, `campaigns`: what the year did to the attention of the base."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json, user
from primeta.errors import NotFound

if TYPE_CHECKING:
    from primeta.workspace.attention_kept import Reports
    from primeta.workspace.workspace import Workspace

Flag = Annotated[bool, Parameter(negative="")]


def health(directory: Path, *, again: Flag = False, json: Flag = False, language: Language = "") -> None:
    """How much attention do customers lend, and what may be sent to how many today?

    Parameters
    ----------
    directory:
        The workspace.
    again:
        Work it out anew, also where the kept answer is of today's facts.
    json:
        Print one JSON document.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = _reports(ws, again=again).health
    lang = language_of(ws, language)
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    put("\n" + found.table(lang).text())


def promises(directory: Path, *, again: Flag = False, json: Flag = False, language: Language = "") -> None:
    """Which promises were broken, how often, by whom, and could it have been known?

    Parameters
    ----------
    directory:
        The workspace.
    again:
        Work it out anew, also where the kept answer is of today's facts.
    json:
        Print one JSON document.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = _reports(ws, again=again).promises
    lang = language_of(ws, language)
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    put("\n" + found.table(lang).text())


def campaigns(directory: Path, *, again: Flag = False, json: Flag = False, language: Language = "") -> None:
    """Which campaigns, programmes and teams spent or earned credit?

    Parameters
    ----------
    directory:
        The workspace.
    again:
        Work it out anew, also where the kept answer is of today's facts.
    json:
        Print one JSON document.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = _reports(ws, again=again).campaigns
    lang = language_of(ws, language)
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    for kind in ("campaign", "programme", "team"):
        if found.of_kind(kind):
            put("\n" + found.table(lang, kind=kind).text())


def _reports(ws: Workspace, *, again: bool) -> Reports:
    """What is kept; worked out where there is nothing, or where facts, promises or rules have moved on."""
    state = ws.replay_state(now=clock())
    found = ws.attention_reports()
    if found is None or again or state.stale:
        with progress("attention") as step:
            ws.keep_replay(now=clock(), by=user(), progress=step)
        found = ws.attention_reports()
    if found is None:
        raise NotFound("another process has just taken the replay away; run it once more")
    return found
