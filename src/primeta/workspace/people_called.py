"""Interviews, farms and sources of a workspace: over its own facts; lists and answers are kept, ids stay in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadTable, NotFound
from primeta.reactivation.inputs import Columns, Given, Query, open_given
from primeta.warehouse.duck import quoted
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import Facts, load_facts
from primeta.warehouse.write_rows import write_rows
from primeta.workspace.reactivation import _question, _Rows, campaign, stored, whole_facts
from primeta.workspace.reactivation_kept import file_name

if TYPE_CHECKING:
    import duckdb

    from primeta.reactivation.acquisition import Sources
    from primeta.reactivation.farms import Farms
    from primeta.reactivation.interviews import Interviews
    from primeta.signals.note import Note
    from primeta.workspace.workspace import Workspace

FOLDER = "interviews"
MOST_QUOTES = 50


@contextmanager
def _opened(
    ws: Workspace, queries: Mapping[str, str], *, mapped: Sequence[str] = ()
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, Given]]]:
    """Tables of the facts by their SQL, and those that the facts do not keep (`mapped`) from where they are mapped;
    tables that there are none of are absent."""
    with open_warehouse(ws.config) as warehouse:
        found = dict(queries)
        for name in mapped:
            if name in ws.config.tables:
                found[name] = f"SELECT * FROM {warehouse.clean(name)}"
        connection = warehouse.connection
        yield (
            connection,
            {
                table: open_given(
                    connection,
                    table,
                    Query(sql, f"the workspace's {table.replace('_', ' ')}"),
                    columns=Columns(None),
                    # Canonical times are in UTC already.
                    timezone="UTC",
                )
                for table, sql in found.items()
                if sql
            },
        )


# Interviews


def _file(ws: Workspace, name: str, what: str) -> Path:
    return ws.folder / FOLDER / f"{file_name(name)}.{what}.parquet"


def interviews(
    ws: Workspace,
    name: str,
    *,
    now: datetime,
    each: int = 8,
    reserve: int = 2,
    seed: str = "",
    called: Any = None,
    answers: Any = None,
    after_days: int = 90,
    codes: Mapping[str, str] | None = None,
    fresh: bool = False,
    keep: bool = True,
    out: Path | None = None,
) -> Interviews:
    """Whom to call of an experiment, and what those who were called said.

    The list is drawn once and kept in `interviews/`, so that answers are held against the list that was called;
    answers are kept beside it and need not be given again.

    Args:
        each, reserve, seed, called: As in `reactivation.interviews`.
        answers: A file or table; kept, in the place of those kept before.
        fresh: Draw the list again.
        keep: Write the list down where none is kept yet.
    Raises:
        NotFound, Refused, BadTable, BadInput: as `ladder`.
    """
    from primeta.reactivation.interview_reasons import called_rows, reasons_of
    from primeta.reactivation.interviews import Tables, as_listed, check_sizes, drawn_rows, interviews_of

    check_sizes(each, reserve)
    view = campaign(ws, name, now=now)
    facts, until = whole_facts(ws)
    experiment = ws.experiment(view.name, now=now) if view.kind == "experiment" else None
    question = _question(ws, view, experiment, facts)
    assert question is not None
    rows = _Rows(ws, facts, view)
    # Of other campaigns' messages nobody was drawn by lot: only the campaign's own count as contact.
    queries = {
        "assignments": rows.assigned(experiment, dataclasses.replace(question, by="")),
        "orders": rows.all_of("orders"),
        "messages": rows.messages(),
        "reactions": rows.reactions(),
    }
    if not queries["messages"]:
        queries["reactions"] = ""
    listed, kept = _file(ws, view.name, "calls"), _file(ws, view.name, "answers")
    with _opened(ws, queries, mapped=("consents",)) as (connection, given):
        names = dataclasses.replace(question, name=view.name if question.control else "")
        found = interviews_of(
            connection, Tables(**given), names, each=each, reserve=reserve, seed=seed, called=called
        )
        if keep and (fresh or not listed.exists()):
            listed.parent.mkdir(exist_ok=True)
            write_rows(drawn_rows(connection), listed)
        drawn = called_rows(listed) if listed.exists() else drawn_rows(connection)
        if drawn.num_rows:
            found = as_listed(found, drawn)
        source = answers if answers is not None else (kept if kept.exists() else None)
        if source is not None:
            reasons = reasons_of(
                connection,
                source,
                drawn,
                given["orders"],
                reactions=given.get("reactions"),
                messages=given.get("messages"),
                until=until,
                timezone=ws.config.timezone,
                after_days=after_days,
                codes=codes,
                currency=ws.config.currency,
            )
            found = dataclasses.replace(found, reasons=reasons)
            if answers is not None:
                from primeta.reactivation.interview_reasons import read_table_of

                listed.parent.mkdir(exist_ok=True)
                write_rows(read_table_of(answers), kept)
    if out is not None:
        write_rows(drawn, out)
        found = dataclasses.replace(found, out=out)
    return found


def interviews_mark(ws: Workspace, name: str) -> str:
    """Changes when another list or other answers are kept."""
    return "|".join(
        str(file.stat().st_mtime_ns) if file.exists() else ""
        for file in (_file(ws, name, what) for what in ("calls", "answers"))
    )


def facts_mark(ws: Workspace) -> str:
    """Changes with the facts; empty where there are none yet."""
    facts = load_facts(ws.folder / "facts")
    return facts.version if facts else ""


def attach_quotes(
    ws: Workspace, name: str, trend: str, *, by: str, now: datetime, reason: str = "", lang: str = "en"
) -> tuple[Note, ...]:
    """Quotes of an experiment's interviews as signs of origin "voice" on a trend.

    The note names the place on the list and never the customer; the same quote is one note however often it is
    attached.

    Args:
        reason: Only quotes with this code.
    Raises:
        NotFound: no such trend, or no quote. BadInput: nobody who says it.
    """
    from primeta.reactivation.interviews_words import STRATA

    found = interviews(ws, name, now=now)
    answers = found.reasons.answers if found.reasons else ()
    told = [answer for answer in answers if answer.quote and reason in ("", *answer.reasons)]
    if not told:
        with_code = f" with the reason {reason!r}" if reason else ""
        raise NotFound(f"{name}: no quote{with_code} has been given; give the answers first, with --answers")
    assert found.reasons is not None
    ws.trend(trend)
    notes = []
    for answer in told[:MOST_QUOTES]:
        words = ", ".join(found.reasons.name(code, lang) for code in answer.reasons)
        said_at = ws.day_of(answer.said_at) if answer.said_at else ws.day(now)
        notes.append(
            ws.log_signal(
                text=f"{answer.call}: “{answer.quote}”",
                origin="voice",
                by=by,
                now=now,
                subject=words or STRATA[answer.stratum][lang],
                source=f"interview {found.experiment or name} {answer.call}",
                happened_at=said_at,
                trend=trend,
            )
        )
    return tuple(notes)


# Sources and farms


def _orders(facts: Facts) -> str:
    """SQL of the facts' orders."""
    source = stored(facts, "orders")
    if not source:
        raise BadTable("the workspace has no orders; map [tables.orders] or [tables.order_lines] and watch")
    return f"SELECT * FROM {source}"


def _customers(facts: Facts) -> str:
    return f"SELECT * FROM read_parquet({quoted(str(facts.customers_path))})"


def sources(
    ws: Workspace,
    *,
    until: date | str | None = None,
    margin: float | None = None,
    cohort: str = "quarter",
    horizon: str | int = "365d",
    returns: Sequence[str | int] = ("30d", "90d", "180d", "365d"),
    model: str = "bg-nbd",
) -> Sources:
    """What customers of each acquisition source bring, from the workspace's facts.

    Raises:
        Refused: nobody has watched yet. BadTable: customers carry no source.
    """
    from primeta.reactivation.acquisition import Tables, asked_of, sources_of

    facts, end = whole_facts(ws)
    asked = asked_of(
        until=until or end,
        margin=ws.config.margin if margin is None else margin,
        cohort=cohort,
        horizon=horizon,
        returns=returns,
        model=model,
        timezone=ws.config.timezone,
        currency=ws.config.currency,
    )
    queries = {"orders": _orders(facts), "customers": _customers(facts)}
    with _opened(ws, queries, mapped=("spend", "identities")) as (connection, given):
        return sources_of(connection, Tables(**given), asked)


def farms(
    ws: Workspace,
    *,
    now: datetime,
    experiment: str = "",
    smallest: int = 4,
    wide: int = 50,
    error: float = 0.05,
    out: Path | None = None,
) -> Farms:
    """Accounts that look like one person's, and with `experiment` its effects with and without them.

    Raises:
        Refused: nobody has watched yet. BadTable: no identities are mapped. NotFound: no such experiment.
    """
    from primeta.reactivation.farms import accounts_of, check_options, farms_of, with_effects

    check_options(smallest, error)
    facts, until = whole_facts(ws)
    if "identities" not in ws.config.tables:
        raise BadTable(
            f"{ws.config.path}: no identities are mapped, so nothing tells which accounts belong together; add "
            "[tables.identities] (customer_id, kind, value_hash)"
        )
    queries = {"orders": _orders(facts), "customers": _customers(facts)}
    with _opened(ws, queries, mapped=("identities",)) as (connection, given):
        found = farms_of(
            connection,
            given["orders"],
            given["identities"],
            given.get("customers"),
            until=until,
            timezone=ws.config.timezone,
            smallest=smallest,
            wide=wide,
            error=error,
        )
        found = dataclasses.replace(found, currency=ws.config.currency)
        if experiment:
            view = campaign(ws, experiment, now=now)
            own = ws.experiment(view.name, now=now) if view.kind == "experiment" else None
            question = _question(ws, view, own, facts)
            assert question is not None
            question = dataclasses.replace(question, by="")
            rows = _Rows(ws, facts, view)
            found = with_effects(
                connection,
                found,
                Query(rows.assigned(own, question), "who entered the experiment"),
                question,
                Columns(None),
            )
        if out is not None:
            write_rows(accounts_of(connection), out)
            found = dataclasses.replace(found, out=out)
    return found
