"""`primeta attention replay`: a log of messages held against the promises that were made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.reactivation_options import Pairs, columns_of
from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, user
from primeta.errors import BadInput

Flag = Annotated[bool, Parameter(negative="")]


def replay(
    directory: Path | None = None,
    /,
    *,
    messages: str = "",
    reactions: str = "",
    promises: Path | None = None,
    customers: str = "",
    consents: str = "",
    orders: str = "",
    visits: str = "",
    policy: Path | None = None,
    columns: Pairs = None,
    timezone: str = "",
    no_credit: Flag = False,
    record: Flag = False,
    json: Flag = False,
    language: Language = "",
) -> None:
    """Which promises did our messages break, could we have known, and what did it cost in credit?

    Parameters
    ----------
    directory:
        A workspace; or give --messages and --reactions.
    messages:
        CSV or Parquet, also a glob: message_id, customer_id, sent_at, channel, optional campaign, programme,
        purpose, cost, withheld, probability, learnt_at, team, personal.
    reactions:
        message_id, kind, happened_at, optional machine, learnt_at.
    promises:
        JSON: the list of promises; default in a workspace: the file that [attention] promises names.
    customers:
        customer_id, optional timezone (hours are told where the customer lives), registered_at.
    consents:
        customer_id, state, happened_at, optional processing, channel, learnt_at.
    orders:
        customer_id, ordered_at: an order within 72 hours welcomes a message.
    visits:
        customer_id, happened_at: so does a visit.
    policy:
        TOML with the keys of [attention]: what would this policy have stopped?
    columns:
        canonical=theirs, such as sent_at=date; for one table only messages.sent_at=date.
    timezone:
        Of times that carry none, and of customers whose own is not known; default: UTC, or the workspace's.
    no_credit:
        Only promises: credit is not worked out.
    record:
        Write what was kept and broken into the workspace's ledger, each once.
    json:
        Print one JSON document.
    language:
        en or ru; default: the workspace's.
    """
    given = {
        "messages": messages,
        "reactions": reactions,
        "customers": customers,
        "consents": consents,
        "orders": orders,
        "visits": visits,
    }
    files = {name: file for name, file in given.items() if file}
    lang = "ru" if language == "ru" else "en"
    if directory is not None:
        if files or columns or timezone:
            raise BadInput(
                f"{directory} is a workspace with tables of its own; leave out --"
                f"{next(iter(files), 'columns' if columns else 'timezone')}, or leave out the workspace"
            )
        ws = open_at(directory)
        lang = language_of(ws, language)
        with progress("replay") as step:
            found = ws.replay_attention(
                promises=promises,
                policy=policy,
                credit=not no_credit,
                record=record,
                by=user(),
                now=clock(),
                progress=step,
            )
    else:
        from primeta.attention.door import attention

        if record:
            raise BadInput("--record writes into the ledger of a workspace; name the workspace")
        if not messages:
            raise BadInput("give a workspace, or --messages FILE (and --reactions FILE)")
        if promises is None:
            raise BadInput("--promises FILE is missing: the JSON list of what was promised")
        with progress("replay") as step:
            found = attention(
                **files,
                promises=promises,
                policy=policy,
                columns=columns_of(columns),
                timezone=timezone or "UTC",
                credit=not no_credit,
                progress=step,
            )
    if json:
        found.write_json(sys.stdout)
        return
    put(found.line(lang))
    for table in (found.table(lang), *found.credit_tables(lang), found.blind_table(lang)):
        if table is not None:
            put("\n" + table.text())
    if said := found.policy_line(lang):
        put("\n" + said)
