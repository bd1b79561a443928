"""`primeta world`: a simulated company whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, progress, put, put_json


def world(
    directory: Path,
    /,
    *,
    customers: int,
    seed: int,
    weeks: int = 156,
    json: Annotated[bool, Parameter(negative="")] = False,
    language: Language = "",
) -> None:
    """Make a simulated company: a workspace with orders, messages and visits, and changes planted in it.

    What is planted (trends, shocks, artefacts of one slice's data) stands in truth.json; nothing reads
    that when watching. The same seed gives the same company, bit for bit.

    Parameters
    ----------
    directory
        A new or empty folder, or a simulated company that nobody has watched yet.
    customers
        Those there at the start and those who arrive later, together.
    seed
        0 or more.
    weeks
        Length of the log, 12 to 520.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.worlds.company import simulate_company
    from primeta.worlds.company_files import check_free, write_company

    check_free(directory)
    company = simulate_company(customers=customers, seed=seed, weeks=weeks)
    with progress("world") as step:
        made = write_company(company, directory, progress=lambda done, total: step("customers", done, total))
    if json:
        put_json(made.as_dict())
    else:
        put(made.line(language or "en"))
