"""`primeta attention blind`: who most probably no longer looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def blind(directory: Path, *, out: Path | None = None, json: Json = False, language: Language = "") -> None:
    """Who most probably no longer looks, until when each rests, and the segments in which fewer look.

    Parameters
    ----------
    directory:
        The workspace.
    out:
        A CSV file with all of them by id, for a campaign tool; the terminal shows pseudonyms only.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.attention_blind import blind_base

    ws = open_at(directory)
    found = blind_base(ws, now=clock(), out=out)
    if json:
        put_json(found.as_dict())
        return
    lang = language_of(ws, language)
    put(found.line(lang))
    if found.surest:
        put(found.table(lang).text())
