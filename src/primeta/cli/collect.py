"""`collect`, `sources`: what people, the market and the law say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def collect(
    directory: Path,
    *,
    source: Annotated[list[str] | None, Parameter(negative_iterable="")] = None,
    force: Annotated[bool, Parameter(name=("--force", "--now"), negative="")] = False,
    json: Json = False,
    language: Language = "",
) -> None:
    """Fetch and read the declared sources whose time has come. Safe to run again and to kill.

    Parameters
    ----------
    directory:
        The workspace.
    source:
        Only this source; repeat the option for several.
    force:
        Also sources that are not due yet, and those that were given up.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.collect_words import report_document, report_line

    ws = open_at(directory)
    with progress("collect") as step:
        report = ws.collect(now=clock(), names=tuple(source or ()), force=force, progress=step)
    put_json(report_document(report)) if json else put(report_line(report, language_of(ws, language)))


def sources(
    directory: Path,
    *,
    reread: Annotated[bool, Parameter(negative="")] = False,
    source: Annotated[list[str] | None, Parameter(negative_iterable="")] = None,
    json: Json = False,
    language: Language = "",
) -> None:
    """How every source does: last success, what came, what failed and what to do.

    Parameters
    ----------
    directory:
        The workspace.
    reread:
        Read everything that was kept once more with this version; nothing is fetched.
    source:
        With --reread: only this source; repeat the option for several.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.errors import BadInput

    ws = open_at(directory)
    lang = language_of(ws, language)
    if source and not reread:
        raise BadInput("--source goes with --reread; the list shows every source")
    if reread:
        with progress("reread") as step:
            report = ws.reread(now=clock(), names=tuple(source or ()), progress=step)
        put_json(report.as_dict()) if json else put(report.line(lang))
        return
    found = ws.source_list(now=clock())
    put_json(found.as_dict()) if json else put(found.table(lang).text())
