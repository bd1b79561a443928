"""Interviews, farms and sources of a workspace: over its own facts; lists and answers are kept, ids stay in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, BadTable, NotFound, Refused
from primeta.reactivation.inputs import Columns, Given, Query, open_given
from primeta.warehouse.duck import quoted
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.write_rows import write_rows
from primeta.workspace import people_kept
from primeta.workspace.people_kept import Problem, file_of, list_file, question_of, tried
from primeta.workspace.reactivation import CampaignRows, campaign, campaigns, stored, whole_facts
from primeta.workspace.reactivation_kept import Progress
from primeta.workspace.reactivation_kept import each as one_by_one
from primeta.workspace.reactivation_kept import keep as keep_answer

if TYPE_CHECKING:
    import duckdb

    from primeta.reactivation.acquisition_result import Sources
    from primeta.reactivation.farms import Farms
    from primeta.reactivation.interviews import Interviews
    from primeta.signals.note import Note
    from primeta.workspace.reactivation_views import CampaignView
    from primeta.workspace.workspace import Workspace

MOST_QUOTES = 50
AFTER = 90
"""Days after a talk over which orders are looked at."""


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
        yield connection, {table: _given(connection, table, sql) for table, sql in found.items() if sql}


def _given(connection: duckdb.DuckDBPyConnection, table: str, sql: str) -> Given:
    # Canonical times are in UTC already.
    query = Query(sql, f"the workspace's {table.replace('_', ' ')}")
    return open_given(connection, table, query, columns=Columns(None), timezone="UTC")


# Interviews


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
    after_days: int = AFTER,
    codes: Mapping[str, str] | None = None,
    fresh: bool = False,
    keep: bool = True,
    out: Path | None = None,
) -> Interviews:
    """Whom to call of an experiment, and what those who were called said; kept where nothing has changed since.

    The list is drawn once and kept in `interviews/`, so that answers are held against the list that was called;
    answers are kept beside it and need not be given again.

    Args:
        each, reserve, seed, called: As in `reactivation.interviews`.
        answers: A file or table; kept with its `codes`, in the place of those kept before.
        fresh: Draw the list again.
        keep: Write the list down where none is kept yet.
    Raises:
        NotFound, Refused, BadTable, BadInput: as `ladder`.
    """
    from primeta.reactivation.interview_reasons import called_rows, reasons_of
    from primeta.reactivation.interviews import (
        EACH,
        RESERVE,
        Tables,
        as_listed,
        check_sizes,
        drawn_rows,
        interviews_of,
    )

    check_sizes(each, reserve)
    view = campaign(ws, name, now=now)
    facts, until = whole_facts(ws)
    listed, kept = (list_file(ws, view.name, what) for what in ("calls", "answers"))
    usual = (each, reserve, seed, called, after_days) == (EACH, RESERVE, "", None, AFTER)
    # Codes that come with answers are kept beside them.
    usual = usual and (answers is not None or not codes)
    if usual and answers is None and out is None and not fresh and (listed.exists() or not keep):
        known = people_kept.interviews_view(ws, view)
        if known.result is not None and not known.stale:
            return known.result
    experiment = ws.experiment(view.name, now=now) if view.kind == "experiment" else None
    question = question_of(ws, view, facts, now)
    rows = CampaignRows(ws, facts, view)
    # Of other campaigns' messages nobody was drawn by lot: only the campaign's own count as contact.
    queries = {
        "assignments": rows.assigned(experiment, question),
        "orders": rows.all_of("orders"),
        "messages": rows.messages(),
        "reactions": rows.reactions(),
    }
    if not queries["messages"]:
        queries["reactions"] = ""
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
                codes=people_kept.kept_codes(ws, view.name) if answers is None and not codes else codes,
                currency=ws.config.currency,
            )
            found = dataclasses.replace(found, reasons=reasons)
            if answers is not None:
                from primeta.reactivation.interview_reasons import read_table_of

                listed.parent.mkdir(exist_ok=True)
                write_rows(read_table_of(answers), kept)
                people_kept.keep_codes(ws, view.name, codes or {})
    if usual:
        # The mark knows the list and the answers that were written down just now.
        mark = people_kept.interviews_mark(ws, view, facts)
        keep_answer(file_of(ws, "interviews", view.name), found, mark=mark, at=now)
    if out is not None:
        write_rows(drawn, out)
        found = dataclasses.replace(found, out=out)
    return found


def interviews_of_all(
    ws: Workspace, *, now: datetime, progress: Progress | None = None
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Whom to call of every campaign where that is missing or older than what it is made of; no list is written down.

    Returns:
        How many were worked out; (campaign, why not) of those that could not be.
    """
    facts, _ = whole_facts(ws)
    wanted = {
        view.name: view
        for view in campaigns(ws, now=now)
        if (known := people_kept.interviews_view(ws, view)).result is None or known.stale
    }

    def work(_: str, name: str) -> Interviews:
        return tried(
            file_of(ws, "interviews", name),
            mark=people_kept.interviews_mark(ws, wanted[name], facts),
            now=now,
            work=lambda: interviews(ws, name, now=now, keep=False),
        )

    return one_by_one([("interviews", name) for name in wanted], work, progress)


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
    return f"SELECT * FROM read_parquet({quoted(str(facts.customers_path))}) WHERE customer_id <> ''"


def sources(
    ws: Workspace,
    *,
    now: datetime | None = None,
    until: date | str | None = None,
    margin: float | None = None,
    cohort: str = "quarter",
    horizon: str | int = "365d",
    returns: Sequence[str | int] = ("30d", "90d", "180d", "365d"),
    model: str = "bg-nbd",
    fresh: bool = False,
) -> Sources:
    """What customers of each acquisition source bring, from the workspace's facts; kept where nothing has changed since.

    Args:
        now: When it is worked out; without it the answer is not kept.
        until, margin, cohort, …: As in `reactivation.sources`; the answer to the usual question is kept by cohort.
        fresh: Work it out even where an answer is kept.
    Raises:
        Refused: nobody has watched yet. BadTable: customers carry no source.
    """
    from primeta.reactivation.acquisition import asked_of, sources_of
    from primeta.reactivation.acquisition_tables import Tables

    facts, end = whole_facts(ws)
    own = {"timezone": ws.config.timezone, "currency": ws.config.currency}
    asked = asked_of(
        until=until or end,
        margin=ws.config.margin if margin is None else margin,
        cohort=cohort,
        horizon=horizon,
        returns=returns,
        model=model,
        **own,
    )
    usual = asked == asked_of(until=end, margin=ws.config.margin, cohort=cohort, **own)
    if usual and not fresh:
        known = people_kept.sources_view(ws, cohort)
        if known.result is not None and not known.stale:
            return known.result
    queries = {"orders": _orders(facts), "customers": _customers(facts)}
    with _opened(ws, queries, mapped=("spend", "identities")) as (connection, given):
        found = sources_of(connection, Tables(**given), asked)
    if usual and now is not None:
        file = people_kept.sources_file(ws, cohort)
        keep_answer(file, found, mark=people_kept.sources_mark(ws, facts), at=now)
    return found


def sources_of_all(ws: Workspace, *, now: datetime, progress: Progress | None = None) -> int:
    """What sources bring, by every cohort where that is missing or older than what it is made of.

    Returns:
        How many answers were worked out.
    Raises:
        Refused, BadTable: as `sources`; the page says so.
    """
    facts, _ = whole_facts(ws)
    mark = people_kept.sources_mark(ws, facts)
    wanted = [
        cohort
        for cohort in people_kept.cohorts()
        if (known := people_kept.sources_view(ws, cohort)).result is None or known.stale
    ]
    for place, cohort in enumerate(wanted):
        if progress is not None:
            progress("sources", place, len(wanted))
        try:
            sources(ws, now=now, cohort=cohort)
        except (BadInput, Refused) as error:
            # What is wrong with the tables is wrong for every cohort.
            for other in wanted[place:]:
                keep_answer(people_kept.sources_file(ws, other), Problem(text=str(error)), mark=mark, at=now)
            raise
    if progress is not None and wanted:
        progress("sources", len(wanted), len(wanted))
    return len(wanted)


def farms(
    ws: Workspace,
    *,
    now: datetime,
    experiment: str = "",
    smallest: int = 4,
    wide: int = 50,
    error: float = 0.05,
    out: Path | None = None,
    fresh: bool = False,
) -> Farms:
    """Accounts that look like one person's, and with `experiment` its effects with and without them; the latter kept
    where nothing has changed since.

    Args:
        out: CSV or Parquet for each account of a farm; such an answer is worked out anew.
        fresh: Work it out even where an answer is kept.
    Raises:
        Refused: nobody has watched yet. BadTable: no identities are mapped. NotFound: no such experiment.
    """
    from primeta.reactivation.farm_clusters import SMALLEST, WIDE
    from primeta.reactivation.farms import ERROR, accounts_of, check_options

    check_options(smallest, error)
    facts, until = whole_facts(ws)
    view = campaign(ws, experiment, now=now) if experiment else None
    usual = (smallest, wide, error) == (SMALLEST, WIDE, ERROR)
    if view is not None and usual and out is None and not fresh:
        known = people_kept.farms_view(ws, view)
        if known.result is not None and not known.stale:
            return known.result
    with _accounts(ws, facts, until, smallest=smallest, wide=wide, error=error) as (connection, found):
        if view is not None:
            found = _with_effects(ws, connection, found, view, facts, now)
            if usual:
                keep_answer(
                    _farms_file(ws, view), found, mark=people_kept.farms_mark(ws, view, facts), at=now
                )
        if out is not None:
            write_rows(accounts_of(connection), out)
            found = dataclasses.replace(found, out=out)
    return found


def farms_of_all(
    ws: Workspace, *, now: datetime, progress: Progress | None = None
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """The effects of every campaign with and without farms where they are missing or older than what they are made of;
    accounts that belong together are looked for once.

    Returns:
        How many were worked out; (campaign, why not) of those that could not be.
    Raises:
        Refused, BadTable: no accounts can be looked for at all; pages of campaigns say so.
    """
    facts, until = whole_facts(ws)
    wanted = {
        view.name: view
        for view in campaigns(ws, now=now)
        if (known := people_kept.farms_view(ws, view)).result is None or known.stale
    }
    if not wanted:
        return 0, ()
    marks = {name: people_kept.farms_mark(ws, view, facts) for name, view in wanted.items()}
    if progress is not None:
        progress("farms", 0, len(wanted))
    with ExitStack() as stack:
        try:
            connection, accounts = stack.enter_context(_accounts(ws, facts, until))
        except (BadInput, Refused) as error:
            for name, view in wanted.items():
                keep_answer(_farms_file(ws, view), Problem(text=str(error)), mark=marks[name], at=now)
            raise

        def work(_: str, name: str) -> None:
            view = wanted[name]

            def answer() -> None:
                # The follow-up of the campaign before has put its own orders in their place.
                _given(connection, "orders", _orders(facts))
                found = _with_effects(ws, connection, accounts, view, facts, now)
                keep_answer(_farms_file(ws, view), found, mark=marks[name], at=now)

            tried(_farms_file(ws, view), mark=marks[name], now=now, work=answer)

        return one_by_one([("farms", name) for name in wanted], work, progress)


def _farms_file(ws: Workspace, view: CampaignView) -> Path:
    return file_of(ws, "farms", view.name)


@contextmanager
def _accounts(
    ws: Workspace, facts: Facts, until: date, **options: Any
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Farms]]:
    """Accounts that belong together, and the connection on which their tables are."""
    from primeta.reactivation.farms import farms_of

    if "identities" not in ws.config.tables:
        raise BadTable(people_kept.no_identities(ws))
    queries = {"orders": _orders(facts), "customers": _customers(facts)}
    with _opened(ws, queries, mapped=("identities",)) as (connection, given):
        found = farms_of(
            connection,
            given["orders"],
            given["identities"],
            given.get("customers"),
            until=until,
            timezone=ws.config.timezone,
            **options,
        )
        yield connection, dataclasses.replace(found, currency=ws.config.currency)


def _with_effects(
    ws: Workspace,
    connection: duckdb.DuckDBPyConnection,
    accounts: Farms,
    view: CampaignView,
    facts: Facts,
    now: datetime,
) -> Farms:
    """The same with the effects of a campaign, over the orders that are open on the connection."""
    from primeta.reactivation.farms import with_effects

    experiment = ws.experiment(view.name, now=now) if view.kind == "experiment" else None
    question = question_of(ws, view, facts, now)
    rows = Query(CampaignRows(ws, facts, view).assigned(experiment, question), "who entered the experiment")
    return with_effects(connection, accounts, rows, question, Columns(None))
