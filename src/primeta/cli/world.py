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
    customers: int | None = None,
    seed: int,
    weeks: int = 156,
    reactivation: str = "",
    attention: str = "",
    texts: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    language: Language = "",
) -> None:
    """Make a simulated company: a workspace with orders, messages and visits, and changes planted in it.

    What is planted (trends, shocks, artefacts of one slice's data) stands in truth.json; nothing reads
    that when watching. The same seed gives the same company, bit for bit.

    With `--reactivation`, a lottery among lapsed customers instead, in Parquet files, and in truth.json what every
    rung of the ladder should say of it.

    Parameters
    ----------
    directory
        A new or empty folder, or a simulated company that nobody has watched yet.
    customers
        Those there at the start and those who arrive later, together. Needed, except with --reactivation.
    seed
        0 or more.
    weeks
        Length of the log, 12 to 520.
    reactivation
        plain, aa, short-winner-loses, short-winner-pulls, short-winner-teaches, other-basket, seasonal, regular,
        heavy-tailed, staggered, relapse, farms or quality.
    attention
        Customers who are written to, whose attention is known: model, habit or shade; with promises, and with
        `--customers` and `--weeks`.
    texts
        Also what is said around it: a press, channels, a rival, a regulator, customers' tickets; with a topic that
        tells why fewer messages are opened, topics of their own, reposts, a campaign and a season.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.errors import BadInput

    if reactivation and texts:
        raise BadInput("--texts goes with a company of its own; leave --reactivation or --texts out")
    if attention:
        if reactivation or texts:
            raise BadInput("--attention makes a world of its own; leave --reactivation and --texts out")
        from primeta.worlds.attention import simulate_attention
        from primeta.worlds.attention_files import write_attention

        kept = write_attention(
            simulate_attention(
                attention, customers=2000 if customers is None else customers, seed=seed, weeks=min(weeks, 52)
            ),
            directory,
        )
        if json:
            put_json(kept.as_dict())
        else:
            put(kept.line(language or "en"))
        return
    if reactivation:
        from primeta.worlds.reactivation import simulate_reactivation
        from primeta.worlds.reactivation_files import write_reactivation

        written = write_reactivation(
            simulate_reactivation(reactivation, seed=seed, customers=customers), directory
        )
        if json:
            put_json(written.as_dict())
        else:
            put(written.line(language or "en"))
        return
    from primeta.worlds.company import simulate_company
    from primeta.worlds.company_files import check_free, write_company

    if customers is None:
        raise BadInput("how many customers? Give --customers, such as --customers 20000")
    check_free(directory)
    if texts:
        from primeta.worlds.text_files import company_with_texts, write_company_with_texts

        world, said = company_with_texts(customers=customers, seed=seed, weeks=weeks)
        with progress("world") as step:
            told = write_company_with_texts(
                world, said, directory, progress=lambda done, total: step("customers", done, total)
            )
        if json:
            put_json(told.as_dict())
        else:
            put(told.line(language or "en"))
        return
    company = simulate_company(customers=customers, seed=seed, weeks=weeks)
    with progress("world") as step:
        made = write_company(company, directory, progress=lambda done, total: step("customers", done, total))
    if json:
        put_json(made.as_dict())
    else:
        put(made.line(language or "en"))
