"""Who takes part in an experiment: since which day, in which arm; kept as it was on his day of entry.

Attributes change, arms and memberships must not: whoever was considered once is written down with what became
of him, in one Parquet file a plan. Later calls add those who are new and touch nobody else. The file cannot be
computed again once attributes have changed, so it is no cache.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import duckdb
import numpy as np

from primeta.errors import BadInput, BadTable
from primeta.warehouse.duck import named, one, plain_errors, quoted, run
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.mapping import local_day

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT = 1
_KEY = "primeta"
# The first row of a customer in any of them is the day on which he came.
_SIGHTINGS = {"orders": "ordered_at", "messages": "sent_at", "visits": "happened_at"}
_CAMPAIGN_DAYS = 60
"""Days before the start in which a message of the experiment's own campaign is looked for."""


class Drawn(NamedTuple):
    """What a lottery says of the customers in a table: SQL for the arm (null: takes no part) and the bucket.

    `kept` is written down with the customers and handed to the next draw: cut points.
    """

    arm: str
    bucket: str
    kept: Any = None


Draw = Callable[[duckdb.DuckDBPyConnection, str, Any], Drawn]
"""(connection, table of those who come in, what an earlier draw kept) → the draw. The table has `customer_id` and
the attributes; the expression of the arm may use the bucket as a column `bucket`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """How customers come into one plan.

    `list`: those who were there before `starts`, on that day. `arrival`: they, and whoever comes from then on, on
    the day of his first row (registration, order, message, visit) before `ends`. `table`: as the canonical table
    `assignments` says.
    """

    experiment: str
    entry: Literal["list", "arrival", "table"]
    starts: date
    ends: date
    """The day after the last one on which customers enter."""
    arms: tuple[str, ...]
    population: str = ""
    """SQL over the attributes of customers; for `list` and `arrival`."""
    attributes: tuple[str, ...] = ()
    """Kept with each customer as they are when he enters."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entered:
    """Who is in: `counts` (arms, days) customers by arm and day of entry.

    `marks` change with the members of a day, their arms and attributes. `notes` count what a reader must know:
    `before-start`, `after-end`, `in-future` (assignments that do not count), `touched-before` (had a message of
    the experiment's campaign before he was assigned).
    """

    file: Path
    arms: tuple[str, ...]
    days: tuple[date, ...] = ()
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    marks: tuple[str, ...] = ()
    outside: int = 0
    """In the population, but held out, in another slot of the layer, or not let in yet."""
    notes: Mapping[str, int] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()

    @property
    def by_arm(self) -> dict[str, int]:
        return dict(zip(self.arms, self.counts.sum(axis=1).tolist() if self.days else [0] * len(self.arms)))

    @property
    def total(self) -> int:
        return int(self.counts.sum())


def enter(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    entering: Entering,
    *,
    file: Path,
    today: date,
    draw: Draw,
    assignments: str = "",
) -> Entered:
    """Write down whoever has come in up to `today`, and say who is in.

    Args:
        file: Where it is kept; made where it is not there. Before `starts` nothing is written.
        assignments: View with the canonical table, for `entry = "table"`.
    Raises:
        BadInput: the population or an attribute cannot be read from the customers.
        BadTable: an assignment names no arm of the plan, or a customer stands in two arms.
    """
    with plain_errors(f"entering customers into {entering.experiment}"):
        if entering.entry == "table":
            notes = _from_table(connection, facts, entering, file, today, assignments)
        else:
            notes = {}
            if today >= entering.starts:
                _by_lottery(connection, facts, entering, file, today, draw)
        return _entered(connection, facts, entering, file, today, notes)


def attribute_column(name: str) -> str:
    """The column of the file that keeps an attribute."""
    return f"attribute_{name}"


# By lottery


def _by_lottery(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    entering: Entering,
    file: Path,
    today: date,
    draw: Draw,
) -> None:
    known = _kept(connection, file)
    if known is not None and (
        entering.entry == "list" or (known["customers"] == facts.customers and not known["waiting"])
    ):
        return
    columns = _customer_columns(connection, facts, entering.attributes)
    # Who was erased has no id any more.
    everybody = f"(FROM read_parquet({quoted(str(facts.customers_path))}) WHERE customer_id <> '')"
    listed = "".join(f", {named(name)}" for name in entering.attributes)
    new = f" WHERE customer_id NOT IN (SELECT customer_id FROM {_rows(file)})" if known else ""
    inside = f"coalesce(({entering.population}), false)" if entering.population.strip() else "true"
    registered = "registered_at" if "registered_at" in columns else "CAST(NULL AS TIMESTAMP)"
    try:
        run(
            connection,
            f"CREATE OR REPLACE TEMP TABLE considered AS SELECT customer, customer_id, {registered} AS came{listed}, "
            f"{inside} AS inside FROM {everybody}{new}",
        )
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException) as error:
        raise BadInput(
            f"population = {entering.population!r}: {str(error).strip().splitlines()[0]}; the customers have "
            f"{', '.join(facts.attributes) or 'no attributes'}"
        ) from None
    # Files that were read before hold rows of nobody who is new, but for those who were to come later.
    parts = known["parts"] if known and not known["waiting"] else {}
    sighted = _first_rows(connection, facts, parts, only_new=known is not None)
    came = local_day("came_at", facts.timezone)
    last = min(entering.ends, entering.starts) if entering.entry == "list" else entering.ends
    starts, ends = f"DATE '{entering.starts}'", f"DATE '{last}'"
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE newcomers AS SELECT customer_id{listed}, "
        f"CASE WHEN came_on IS NULL OR came_on < {starts} THEN {starts} WHEN came_on < {ends} THEN came_on END AS entered, "
        f"CASE WHEN came_on >= {starts} AND came_on < {ends} THEN came_at END AS since, "
        f"inside AND (came_on IS NULL OR came_on < {starts} OR came_on < {ends}) AS inside, came_on "
        f"FROM (SELECT *, {came} AS came_on FROM (SELECT c.*, least(c.came, f.first_at) AS came_at "
        f"FROM considered c LEFT JOIN ({sighted}) f ON f.customer = c.customer))",
    )
    waiting = 0
    if entering.entry == "arrival":
        due = f"came_on IS NULL OR came_on <= DATE '{today}'"
        waiting = one(connection, f"SELECT count(*) FROM newcomers WHERE NOT ({due})")[0]
        run(connection, f"DELETE FROM newcomers WHERE NOT ({due})")
    if known and not one(connection, "SELECT count(*) FROM newcomers")[0] and waiting == known["waiting"]:
        return
    run(
        connection,
        "CREATE OR REPLACE TEMP VIEW coming AS SELECT * EXCLUDE (entered, since, inside, came_on) FROM newcomers "
        f"WHERE inside AND entered = {starts}",
    )
    drawn = draw(connection, "coming", known["kept"] if known else None)
    kept = "".join(f", {named(name)} AS {named(attribute_column(name))}" for name in entering.attributes)
    fresh = (
        f"SELECT customer_id, entered, since, inside, CASE WHEN inside THEN {drawn.arm} END AS arm, bucket{kept} "
        f"FROM (SELECT *, CASE WHEN inside THEN {drawn.bucket} END AS bucket FROM newcomers)"
    )
    everything = f"SELECT * FROM {_rows(file)} UNION ALL BY NAME {fresh}" if known else fresh
    _write(
        connection,
        f"SELECT * FROM ({everything}) ORDER BY customer_id",
        file,
        {
            "format": FORMAT,
            "experiment": entering.experiment,
            "until": today.isoformat(),
            "customers": facts.customers,
            "waiting": waiting,
            "parts": _digests(facts),
            "kept": drawn.kept if drawn.kept is not None else (known["kept"] if known else None),
        },
    )


def _first_rows(
    connection: duckdb.DuckDBPyConnection, facts: Facts, seen: Mapping[str, Sequence[str]], *, only_new: bool
) -> str:
    """SQL: customer → the time of his first row, of those considered; parts that were `seen` are left out."""
    selects: list[str] = []
    new = " AND customer IN (SELECT customer FROM considered)" if only_new else ""
    for table, time in _SIGHTINGS.items():
        parts = [part for part in facts.parts.get(table, ()) if part.digest not in seen.get(table, ())]
        if parts:
            listed = ", ".join(quoted(str(facts.path(part))) for part in parts)
            sent = "NOT coalesce(withheld, false)" if table == "messages" else "true"
            selects.append(
                f"SELECT customer, min({time}) AS first_at FROM read_parquet([{listed}]) WHERE {sent}{new} GROUP BY customer"
            )
    if not selects:
        return "SELECT CAST(NULL AS INTEGER) AS customer, CAST(NULL AS TIMESTAMP) AS first_at LIMIT 0"
    return (
        f"SELECT customer, min(first_at) AS first_at FROM ({' UNION ALL '.join(selects)}) GROUP BY customer"
    )


def _digests(facts: Facts) -> dict[str, list[str]]:
    return {table: [part.digest for part in facts.parts.get(table, ())] for table in _SIGHTINGS}


def _customer_columns(
    connection: duckdb.DuckDBPyConnection, facts: Facts, attributes: Sequence[str]
) -> set[str]:
    for name in attributes:
        if name not in facts.attributes:
            raise BadInput(
                f"the customers have no attribute {name!r} (any more); they have "
                f"{', '.join(facts.attributes) or 'none'}"
            )
    described = run(connection, f"DESCRIBE SELECT * FROM read_parquet({quoted(str(facts.customers_path))})")
    return {row[0] for row in described}


# By a table


def _from_table(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    entering: Entering,
    file: Path,
    today: date,
    assignments: str,
) -> dict[str, int]:
    if not assignments:
        raise BadInput(
            f"{entering.experiment} takes its customers from the table assignments, which is not mapped; add "
            "[tables.assignments]"
        )
    name = entering.experiment
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE given AS SELECT customer_id, arm, assigned_at, day FROM {assignments} "
        f"WHERE experiment = {quoted(name)}",
    )
    _check_arms(connection, entering)
    _check_one_arm(connection, name)
    midnight = midnight_of("day", facts.timezone)
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE earliest AS SELECT customer_id, min(arm) AS arm, "
        f"min(day) AS entered, min(assigned_at) AS moment, min({midnight}) AS midnight FROM given GROUP BY customer_id",
    )
    before, future, after = one(
        connection,
        f"SELECT count(*) FILTER (entered < DATE '{entering.starts}'), count(*) FILTER (entered > DATE '{today}'), "
        f"count(*) FILTER (entered >= DATE '{entering.ends}' AND entered <= DATE '{today}') FROM earliest",
    )
    notes = {"before-start": before, "in-future": future, "after-end": after}
    run(
        connection,
        f"DELETE FROM earliest WHERE entered < DATE '{entering.starts}' OR entered >= DATE '{entering.ends}' "
        f"OR entered > DATE '{today}'",
    )
    known = _kept(connection, file)
    if known is not None:
        _check_kept(connection, file, name)
        run(
            connection,
            f"DELETE FROM earliest WHERE customer_id IN (SELECT customer_id FROM {_rows(file)})",
        )
    if one(connection, "SELECT count(*) FROM earliest")[0]:
        _customer_columns(connection, facts, entering.attributes)
        kept = "".join(
            f", c.{named(attribute)} AS {named(attribute_column(attribute))}"
            for attribute in entering.attributes
        )
        fresh = (
            # A time that is midnight is a day: nobody knows when on it.
            "SELECT e.customer_id, e.entered, CASE WHEN e.moment > e.midnight THEN e.moment END AS since, true AS inside, "
            f"e.arm, CAST(NULL AS DOUBLE) AS bucket{kept} FROM earliest e "
            f"LEFT JOIN read_parquet({quoted(str(facts.customers_path))}) c USING (customer_id)"
        )
        everything = f"SELECT * FROM {_rows(file)} UNION ALL BY NAME {fresh}" if known else fresh
        kv = {"format": FORMAT, "experiment": name, "until": today.isoformat(), "customers": facts.customers}
        _write(connection, f"SELECT * FROM ({everything}) ORDER BY customer_id", file, kv)
    return {code: count for code, count in notes.items() if count}


def _check_arms(connection: duckdb.DuckDBPyConnection, entering: Entering) -> None:
    known = ", ".join(quoted(arm) for arm in entering.arms)
    found = run(
        connection,
        f"SELECT coalesce(arm, ''), count(*), min(customer_id) FROM given WHERE arm IS NULL OR arm NOT IN ({known}) "
        "GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    if not found:
        return
    arm, rows, customer = found[0]
    near = difflib.get_close_matches(arm.casefold(), [entry.casefold() for entry in entering.arms], 1)
    meant = next((entry for entry in entering.arms if near and entry.casefold() == near[0]), "")
    hint = f" Is it {meant!r}?" if meant else ""
    raise BadTable(
        f"assignments of {entering.experiment}: arm {arm!r} (customer {customer}, {rows:,} rows) is none of "
        f"{', '.join(entering.arms)}.{hint} Correct the table."
    )


def _check_one_arm(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    found = run(
        connection,
        "SELECT customer_id, min(arm), max(arm), count(*) OVER () FROM given GROUP BY customer_id "
        "HAVING min(arm) <> max(arm) ORDER BY 1 LIMIT 1",
    )
    if found:
        customer, first, second, many = found[0]
        more = f" ({many:,} such customers)" if many > 1 else ""
        raise BadTable(
            f"assignments of {name}: customer {customer} stands in two arms, {first} and {second}{more}. Keep the arm "
            "that was drawn first, and find out how the second one came about."
        )


def _check_kept(connection: duckdb.DuckDBPyConnection, file: Path, name: str) -> None:
    found = run(
        connection,
        f"SELECT k.customer_id, k.arm, e.arm, count(*) OVER () FROM {_rows(file)} k JOIN earliest e USING (customer_id) "
        "WHERE k.arm <> e.arm ORDER BY 1 LIMIT 1",
    )
    if found:
        customer, was, now, many = found[0]
        more = f" ({many:,} such customers)" if many > 1 else ""
        raise BadTable(
            f"assignments of {name}: customer {customer} was in the arm {was} at an earlier look and is in {now} now"
            f"{more}. An arm is drawn once: put the table right, or declare a new version of the experiment."
        )


# Who is in


def _entered(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    entering: Entering,
    file: Path,
    today: date,
    notes: dict[str, int],
) -> Entered:
    arms = entering.arms
    if not file.exists():
        empty = np.zeros((len(arms), 0), np.int64)
        return Entered(file=file, arms=arms, counts=empty, notes=notes, attributes=entering.attributes)
    kept = "".join(f", {named(attribute_column(name))}" for name in entering.attributes)
    # Nobody enters on or after `ends`: an experiment may have been stopped since he was written down.
    due = f"entered <= DATE '{today}' AND entered < DATE '{entering.ends}'"
    rows = run(
        connection,
        f"SELECT entered, arm, count(*), bit_xor(mark), sum(mark % 1152921504606846976) FROM (SELECT entered, arm, "
        f"hash(customer_id, arm, since{kept}) AS mark FROM {_rows(file)} WHERE arm IS NOT NULL AND {due}) "
        "GROUP BY entered, arm ORDER BY entered, arm",
    )
    days = tuple(sorted({row[0] for row in rows}))
    place = {day: at for at, day in enumerate(days)}
    counts = np.zeros((len(arms), len(days)), np.int64)
    marks: list[list[str]] = [[] for _ in days]
    for day, arm, count, parity, total in rows:
        counts[arms.index(arm), place[day]] = count
        marks[place[day]].append(f"{arm}:{count}:{parity}:{total}")
    outside = one(connection, f"SELECT count(*) FROM {_rows(file)} WHERE inside AND arm IS NULL AND {due}")[0]
    touched = _touched_before(connection, facts, entering, file, days) if days else 0
    if touched:
        notes = {**notes, "touched-before": touched}
    return Entered(
        file=file,
        arms=arms,
        days=days,
        counts=counts,
        marks=tuple("|".join(entry) for entry in marks),
        outside=outside,
        notes=notes,
        attributes=entering.attributes,
    )


def _touched_before(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    entering: Entering,
    file: Path,
    days: Sequence[date],
) -> int:
    """Customers who had a message of the experiment's own campaign before they entered."""
    first = f"{np.datetime64(days[0], 'D') - _CAMPAIGN_DAYS}"[:7]
    parts = [part for part in facts.parts.get("messages", ()) if first <= part.month <= f"{days[-1]:%Y-%m}"]
    if not parts:
        return 0
    listed = ", ".join(quoted(str(facts.path(part))) for part in parts)
    return one(
        connection,
        f"SELECT count(DISTINCT m.customer_id) FROM read_parquet([{listed}]) m JOIN {_rows(file)} x USING (customer_id) "
        f"WHERE x.arm IS NOT NULL AND lower(trim(m.campaign)) = lower({quoted(entering.experiment)}) "
        "AND NOT coalesce(m.withheld, false) AND (m.day < x.entered OR (m.day = x.entered AND m.sent_at < x.since))",
    )[0]


# The file


def midnight_of(day: str, timezone: str) -> str:
    """SQL for the UTC time at which a local day begins: a row at this time carries a day and no time."""
    at = f"CAST({day} AS TIMESTAMP)"
    return at if timezone == "UTC" else f"timezone('UTC', timezone({quoted(timezone)}, {at}))"


def _rows(file: Path) -> str:
    return f"read_parquet({quoted(str(file))})"


def _kept(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, Any] | None:
    """What was written down beside the customers; None where there is no file yet."""
    if not file.exists():
        return None
    found = run(
        connection, f"SELECT value FROM parquet_kv_metadata({quoted(str(file))}) WHERE key = '{_KEY}'"
    )
    stored = json.loads(bytes(found[0][0]).decode()) if found else {}
    if stored.get("format") != FORMAT:
        raise BadTable(
            f"{file} was not written by this version of Primeta: it says who is in which arm of an experiment and "
            "is not made anew. Restore it from a backup, or install the version that wrote it."
        )
    return stored


def _write(connection: duckdb.DuckDBPyConnection, query: str, file: Path, kv: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        run(
            connection,
            f"COPY ({query}) TO {quoted(str(unfinished))} (FORMAT parquet, COMPRESSION zstd, "
            f"KV_METADATA {{{_KEY}: {quoted(json.dumps(kv, ensure_ascii=False))}}})",
        )
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
