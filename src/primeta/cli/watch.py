"""`watch`, `signals`, `digest`: what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def watch(directory: Path, *, json: Json = False, language: Language = "") -> None:
    """Measure, detect, confirm. Safe to run again and to kill.

    Parameters
    ----------
    directory:
        The workspace.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    with progress("watch") as step:
        report = ws.watch(now=clock(), progress=step)
    put_json(report.as_dict()) if json else put(report.line(language_of(ws, language)))


def signals(directory: Path, *, json: Json = False, language: Language = "") -> None:
    """What was seen, with its evidence.

    Parameters
    ----------
    directory:
        The workspace.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = ws.signals()
    put_json(found.as_dict()) if json else put(found.table(language_of(ws, language)).text())


def digest(
    directory: Path,
    *,
    format: Literal["text", "markdown", "html"] = "text",
    out: Path | None = None,
    json: Json = False,
    language: Language = "",
) -> None:
    """The week in one page.

    Parameters
    ----------
    directory:
        The workspace.
    format:
        text, markdown or html.
    out:
        Write it to this file instead of standard output.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    page = ws.digest(now=clock(), language=language)
    if json:
        put_json(page.as_dict())
        return
    text = {"text": page.text, "markdown": page.markdown, "html": page.html}[format]
    if out is None:
        put(text)
    else:
        from primeta.workspace.files import write_whole

        write_whole(out, text)
