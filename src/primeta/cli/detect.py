"""`primeta detect`: change points of any series in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json, tell


def detect(
    file: Path,
    /,
    *,
    value: str,
    time: str | None = None,
    series: str | None = None,
    se: str | None = None,
    error: float = 0.05,
    fdr: float | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    language: Language = "",
) -> None:
    """Change points of any series in a CSV or Parquet file.

    Parameters
    ----------
    file
        A CSV or Parquet file, by its ending.
    value
        Column of values.
    time
        Column of times; without it the order of rows is the order of time.
    series
        Column that tells several series apart.
    se
        Column of standard errors of the values, up to a common factor.
    error
        Share of stationary short-memory series without change that are reported as changed, per series
        over its whole length.
    fdr
        For a list of series, instead of --error: expected share of unchanged ones among those reported.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.signals.detect import detect as find

    found = find(file, value=value, time=time, series=series, se=se, error=error, fdr=fdr)
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
