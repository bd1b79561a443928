"""`doctor`: what is wrong with the data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def doctor(directory: Path, *, json: Json = False, language: Language = "") -> None:
    """What is wrong with the data, rule by rule. Exit status 1 where something needs a person.

    Parameters
    ----------
    directory:
        The workspace.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.config import load_config
    from primeta.warehouse.doctor import diagnose
    from primeta.warehouse.engine import open_warehouse

    config = load_config(directory)
    lang = language or config.language
    with open_warehouse(config) as warehouse:
        diagnosis = diagnose(warehouse, config, now=clock())
    if json:
        put_json(diagnosis.as_dict())
    else:
        put(f"{diagnosis.table(lang).text()}\n\n{diagnosis.line(lang)}")
    if not diagnosis.ok:
        sys.exit(1)
