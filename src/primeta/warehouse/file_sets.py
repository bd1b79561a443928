"""The files of one table, given as a path, a list of paths or a pattern: found, of one kind, with the same columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from primeta.errors import BadTable
from primeta.warehouse.duck import quoted
from primeta.warehouse.files import FileFormat, sniff


def forms_of(rows: Any) -> tuple[list[FileFormat], str]:
    """What the files of a table are, and how a message names them.

    Args:
        rows: A path, a pattern such as `log/*.csv`, or a list of paths.
    Raises:
        BadTable: no file matches, kinds are mixed, or columns differ.
    """
    paths, where = _paths(rows)
    forms = [sniff(path) for path in paths]
    if len({form.kind for form in forms}) > 1:
        raise BadTable(f"{where}: CSV and Parquet files are mixed; name one kind")
    for form in forms[1:]:
        apart = sorted(set(forms[0].names) ^ set(form.names))
        if apart:
            raise BadTable(
                f"{form.path}: its columns differ from those of {forms[0].path.name} ({', '.join(apart)}); give all "
                f"files of one table the same columns"
            )
    return forms, where


def parquet_source(forms: Sequence[FileFormat]) -> str:
    """All rows of Parquet files, as SQL; a name with a star in it is that one file."""
    listed = ", ".join(quoted(re.sub(r"([*?\[])", r"[\1]", str(form.path))) for form in forms)
    return f"read_parquet([{listed}], union_by_name=true)"


def _paths(rows: Any) -> tuple[list[Path], str]:
    if not isinstance(rows, str | Path):
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        return [Path(entry) for entry in rows], f"{rows[0]}{more}"
    text = str(rows)
    if has_magic(text) and not Path(text).exists():
        found = sorted(Path(name) for name in glob(text, recursive=True) if Path(name).is_file())
        if not found:
            raise BadTable(f"no file matches {text!r}; check the folder and the pattern")
        return found, text
    return [Path(text)], text
