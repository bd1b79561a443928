"""`attention`: the ledger of promises and consents in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from primeta.cli.reactivation_options import Pairs
from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json, user

if TYPE_CHECKING:
    from primeta.show.result import Table

By = Annotated[str, Parameter(name="--by", help="Who does it; default: the user of this machine.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
NOT_WHOLE = 1
"""Exit status of `verify` where the chain is broken."""


def put_table(table: Table) -> None:
    """The table, or where it has no rows what is said below it."""
    put(table.text() if table.rows else table.note)


def record(directory: Path, file: str, *, by: By = "", json: Json = False, language: Language = "") -> None:
    """Write events into the ledger, each once: notices, consents, wishes, touches, reactions.

    Parameters
    ----------
    directory:
        The workspace.
    file:
        One JSON object a line with key, kind, customer_id, happened_at and payload; - reads standard input.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.attention_ledger import read_events, record

    ws = open_at(directory)
    done = record(ws, read_events(file, by=by or user(), zone=ws.config.zone), now=clock())
    if json:
        put_json(done.as_dict())
    else:
        put(done.line(language_of(ws, language)))


def import_consents(
    directory: Path,
    file: Path | None = None,
    *,
    columns: Pairs = None,
    controller: str = "",
    accept_unproven_by: str = "",
    reason: str = "",
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Take over consents that exist already, each with the proof that it has.

    Parameters
    ----------
    directory:
        The workspace.
    file:
        CSV or Parquet; without it the table consents of primeta.toml is read.
    columns:
        What the columns of the file mean: canonical=theirs,…
    controller:
        Who is responsible for the processing, where the rows do not say.
    accept_unproven_by:
        A named person who takes it upon himself that consents without proof count.
    reason:
        Why they count.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.cli.reactivation_options import columns_of
    from primeta.workspace.attention_coverage import count_consents
    from primeta.workspace.consents import import_consents

    ws, now, by = open_at(directory), clock(), by or user()
    with progress("import") as step:
        done = import_consents(
            ws,
            file,
            now=now,
            by=by,
            columns=columns_of(columns),
            controller=controller,
            accepted_by=accept_unproven_by,
            accepted_reason=reason,
            progress=step,
        )
        if done.new:
            count_consents(ws, now=now, by=by, progress=step)
    if json:
        put_json(done.as_dict())
    else:
        put(done.table(language_of(ws, language)).text())


def verify(
    directory: Path,
    *,
    anchors: Path | None = None,
    save: Annotated[bool, Parameter(negative="")] = False,
    onwards: Annotated[bool, Parameter(negative="")] = False,
    rebuild: Annotated[bool, Parameter(negative="")] = False,
    receipt: Path | None = None,
    customer: str = "",
    json: Json = False,
    language: Language = "",
) -> int:
    """Has any entry of the ledger been changed, removed, inserted or reordered? Says which.

    Parameters
    ----------
    directory:
        The workspace.
    anchors:
        A file of heads that were saved before; default: ledger-anchors.csv of the workspace, where there is one.
    save:
        Add today's head to that file, once a day; keep a copy where nobody can change it.
    onwards:
        Check only what came after the newest saved head: seconds instead of minutes for a large ledger.
    rebuild:
        Also work the state of every customer out of the ledger again.
    receipt:
        Only whether this receipt of an erasure fits the ledger.
    customer:
        With --receipt: whether it is of this customer, too.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace import attention_ledger
    from primeta.workspace.attention_coverage import keep_checked

    ws = open_at(directory)
    if receipt is not None:
        from primeta.workspace.receipts import verify_receipt

        checked = verify_receipt(ws, receipt, customer_id=customer)
        if json:
            put_json(checked.as_dict())
        else:
            put(checked.line(language_of(ws, language)))
        return 0 if checked.ok else NOT_WHOLE
    found = attention_ledger.verify(ws, now=clock(), anchors=anchors, save=save, onwards=onwards)
    keep_checked(ws, found, now=clock(), by=user())
    if rebuild and found.ok:
        attention_ledger.rebuild(ws)
    if json:
        put_json(found.as_dict())
    else:
        put_table(found.table(language_of(ws, language)))
    return 0 if found.ok else NOT_WHOLE


def wishes(
    directory: Path,
    *,
    find: Annotated[bool, Parameter(negative="")] = False,
    confirm: str = "",
    release: str = "",
    max_per_week: int | None = None,
    channels: str = "",
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Wishes of customers that wait for a person: do not write to me, only by mail, less often.

    Parameters
    ----------
    directory:
        The workspace.
    find:
        First look for new ones in the tickets, reviews and replies that were collected.
    confirm:
        The key of a wish that is meant as it reads: it becomes an opt-out or a preference.
    release:
        The key of a wish that is none: marketing goes on.
    max_per_week:
        With --confirm: how many messages a week he meant.
    channels:
        With --confirm: the channels he meant, where they were understood otherwise: sms,push.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace import attention_wishes

    ws = open_at(directory)
    done = attention_wishes.wishes(
        ws,
        now=clock(),
        by=by or user(),
        find=find,
        confirm=confirm,
        release=release,
        max_per_week=max_per_week,
        channels=tuple(name.strip().lower() for name in channels.split(",") if name.strip()),
    )
    if json:
        put_json(done.as_dict())
    else:
        put_table(done.table(language_of(ws, language)))
