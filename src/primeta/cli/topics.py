"""`primeta topics`: what people have begun to speak of, from dated texts in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, progress, put, put_json, tell


def topics(
    file: Path,
    /,
    *,
    as_of: str = "",
    error: float = 0.05,
    columns: str = "",
    timezone: str = "UTC",
    json: Annotated[bool, Parameter(negative="")] = False,
    language: Language = "",
) -> None:
    """Topics that have emerged in dated texts of a CSV or Parquet file.

    Parameters
    ----------
    file
        A CSV or Parquet file with the columns published_at, source, text; optional id, url, title, owner, kind,
        forwarded_from.
    as_of
        The last day that is known, such as 2026-11-21; nothing after it is looked at. Default: the day of the last
        text.
    error
        Largest expected share of false ones among the topics that are holding or better.
    columns
        Your names of columns: canonical=theirs,…
    timezone
        Zone of times that carry none; days and weeks are cut in it.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.experiments.experiment import pairs
    from primeta.signals.topics import topics as find

    with progress("topics") as step:
        found = find(
            file,
            as_of=as_of or None,
            error=error,
            columns=pairs([columns] if columns else None, "--columns"),
            timezone=timezone,
            progress=step,
        )
    lang = language or "en"
    for note in found.notes:
        tell(note.ru if lang == "ru" else note.en)
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    table = found.table(lang)
    if table.rows:
        put("\n" + table.text())
        put("\n" + "\n".join(found.quotes(lang)))
