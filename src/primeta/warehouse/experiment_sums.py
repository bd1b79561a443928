"""One pass over the facts: what every customer of an experiment did before and after his entry, summed by cell.

The engine sums rows by customer and block of his window; customers' columns are then multiplied with each other
and added up by arm, segment and day of entry. Customers are taken in ranges of their ids, in whose order the facts
lie, so that no pass holds more than a range in memory and each row of the facts is read about once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.stats.moments import Moments
from primeta.warehouse.duck import arrow, named, one, plain_errors, quoted, run
from primeta.warehouse.exposures import Entered, attribute_column, midnight_of
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.kept_sums import WHOLE, Cells, KeptSums, joined
from primeta.warehouse.outcomes import Outcome, Side, Term
from primeta.warehouse.rows import message_source, months_between, shift_month
from primeta.warehouse.window_sums import day_number, hash_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FORMAT = 1
AT_ONCE = 1_000_000
"""Customers whose sums are in memory at the same time."""
MOST_VALUES = 50
"""Of an attribute (or combinations of strata) that is cut by; with more it is left whole."""
_TIME = {"orders": "ordered_at", "order_lines": "ordered_at", "messages": "sent_at", "visits": "happened_at"}
_BEFORE = -1
"""The block of the days before the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How customers are cut: by the values of `attributes` together; by nothing where there are none."""

    name: str
    attributes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Work:
    """What a pass did: (outcome, day of entry) pairs that were computed, and kept ones; rows that were summed."""

    computed: int = 0
    kept: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    too_many: dict[str, int] = field(default_factory=dict)
    """View → how many values it has, where they are more than `MOST_VALUES`."""


def experiment_sums(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    entered: Entered,
    wanted: Sequence[tuple[Outcome, Sequence[View]]],
    *,
    kept: KeptSums | None = None,
    at_once: int = AT_ONCE,
) -> tuple[KeptSums, Work]:
    """The sums of every outcome in its views; a day of entry is computed anew only where what it is made of changed.

    A day's sums hold its whole windows, as far as there are facts: which blocks have passed is for the reader to
    say. They change with the customers who entered on it, the outcome's definition, and the months of facts that
    its windows touch.

    Args:
        wanted: Outcomes with the views that each is cut by; outcomes that are made of the same are summed once.
        kept: From an earlier pass; what it holds of other outcomes or days is dropped.
    Raises:
        EngineFailed, DiskFull: the facts cannot be read.
    """
    work = Work()
    with plain_errors("summing over an experiment's customers"):
        unlike: dict[str, tuple[Outcome, tuple[View, ...]]] = {}
        for outcome, views in wanted:
            known = unlike[outcome.key][1] if outcome.key in unlike else ()
            unlike[outcome.key] = outcome, tuple(dict.fromkeys((*known, *views)))
        usable = _usable(connection, entered, [view for _, views in unlike.values() for view in views], work)
        asks: list[_Asked] = []
        for outcome, views in unlike.values():
            cut = [usable[view] for view in views if view in usable]
            keys = _keys(facts, entered, outcome, cut)
            good = _still_good(kept, entered, outcome.key, cut, keys)
            missing = [day for day in entered.days if day not in good]
            asks.append(_Asked(outcome=outcome, views=cut, keys=keys, missing=missing))
            work.computed += len(missing)
            work.kept += len(good)
        todo = [ask for ask in asks if ask.missing]
        fresh: dict[tuple[str, str], Cells] = {}
        if todo:
            fresh = _Pass(connection, facts, entered, todo, work, at_once).run()
        cells: dict[tuple[str, str], Cells] = {}
        for ask in asks:
            for view in ask.views:
                place = ask.outcome.key, view.name
                parts = [fresh[place]] if place in fresh else []
                if kept is not None and place in kept.cells:
                    good = [day for day in entered.days if day not in ask.missing]
                    parts.append(kept.cells[place].only(good))
                parts = [part for part in parts if part.days]
                if parts:
                    cells[place] = joined(parts)
    return KeptSums(arms=entered.arms, cells=cells), work


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    """One outcome: its views, the hash of each day of entry, the days that must be computed."""

    outcome: Outcome
    views: Sequence[View]
    keys: tuple[str, ...]
    missing: Sequence[date]


def _keys(facts: Facts, entered: Entered, outcome: Outcome, views: Sequence[View]) -> tuple[str, ...]:
    """For each day of entry, the hash of all that its sums are made of."""
    definition = hash_of(FORMAT, outcome.key, entered.arms, tuple(views), facts.timezone)
    tables = list(outcome.tables)
    ahead = 0
    if "messages" in tables:
        # Whether a channel reports deliveries is seen from the whole month and the one after.
        tables.append("reactions")
        ahead = 1
    known = {table: facts.months(table) for table in tables}
    found: list[str] = []
    for day, mark in zip(entered.days, entered.marks):
        first = day_number(day)
        months = months_between(first - outcome.covariate_days, first + outcome.window_days)
        months += [shift_month(months[-1], step + 1) for step in range(ahead)]
        digests = [
            part.digest if (part := known[table].get(month)) else "" for table in tables for month in months
        ]
        found.append(hash_of(definition, day, mark, digests))
    return tuple(found)


def _still_good(
    kept: KeptSums | None, entered: Entered, outcome: str, views: Sequence[View], keys: tuple[str, ...]
) -> set[date]:
    """Days whose sums are as they were in every view."""
    if kept is None or kept.arms != entered.arms:
        return set()
    good: set[date] | None = None
    wanted = dict(zip(entered.days, keys))
    for view in views:
        cells = kept.cells.get((outcome, view.name))
        if cells is None:
            return set()
        same = {day for day, key in zip(cells.days, cells.keys) if wanted.get(day) == key}
        good = same if good is None else good & same
    return good or set()


def _value_sql(view: View) -> str:
    """SQL over the file of those who entered: the text of a customer's value in a view."""
    columns = [f"coalesce({named(attribute_column(name))}, '')" for name in view.attributes]
    if len(columns) == 1:
        return columns[0]
    parts = [
        quoted(("&" if at else "") + f"{name}=") + ", " + column
        for at, (name, column) in enumerate(zip(view.attributes, columns))
    ]
    return f"concat({', '.join(parts)})" if parts else "''"


def _usable(
    connection: duckdb.DuckDBPyConnection, entered: Entered, views: Sequence[View], work: Work
) -> dict[View, View]:
    """Views with few enough values, as they are; the whole stays uncut where its strata are too many."""
    usable: dict[View, View] = {}
    for view in dict.fromkeys(views):
        if view.attributes and entered.days:
            count = one(
                connection,
                f"SELECT count(DISTINCT {_value_sql(view)}) FROM read_parquet({quoted(str(entered.file))}) "
                "WHERE arm IS NOT NULL",
            )[0]
            if count > MOST_VALUES:
                work.too_many[view.name] = count
                if view.name == WHOLE:
                    usable[view] = View(name=WHOLE)
                continue
        usable[view] = view
    return usable


class _Pass:
    """One pass: customers of some days of entry, the rows of their windows, moments by cell."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        facts: Facts,
        entered: Entered,
        asks: Sequence[_Asked],
        work: Work,
        at_once: int,
    ):
        self.connection = connection
        self.facts = facts
        self.entered = entered
        self.asks = asks
        self.outcomes = [ask.outcome for ask in asks]
        self.days = sorted({day for ask in asks for day in ask.missing})
        self.views = list(dict.fromkeys(view for ask in asks for view in ask.views))
        self.work = work
        self.at_once = at_once
        self.edges = sorted({edge for outcome in self.outcomes for edge in outcome.edges})
        """Of the finest blocks: those of every outcome are unions of them."""
        covariates = {outcome.covariate_days for outcome in self.outcomes} - {0}
        # The days before the entry are one block, so all covariates of a pass reach back alike.
        assert len(covariates) <= 1
        self.covariate_days = max(covariates, default=0)

    def run(self) -> dict[tuple[str, str], Cells]:
        """(outcome, view) → the cells of the outcome's missing days."""
        self._expose()
        self._read_messages()
        sums = {
            (ask.outcome.key, view.name): _Sums(self, ask.outcome, view)
            for ask in self.asks
            for view in ask.views
        }
        total = one(self.connection, "SELECT count(*) FROM exposed")[0]
        for first in range(0, total, self.at_once):
            self._range(first, min(first + self.at_once, total), sums)
        at = {day: place for place, day in enumerate(self.entered.days)}
        return {
            (ask.outcome.key, view.name): sums[ask.outcome.key, view.name].cells(
                ask.missing, [ask.keys[at[day]] for day in ask.missing]
            )
            for ask in self.asks
            for view in ask.views
        }

    # Who

    def _expose(self) -> None:
        """The customers of the days in question, numbered in the order of their ids, with the codes of their cells."""
        arms = _place_sql("x.arm", self.entered.arms)
        listed = ", ".join(f"DATE '{day}'" for day in self.days)
        file = quoted(str(self.entered.file))
        self.values: list[tuple[str, ...]] = []
        codes = ""
        for number, view in enumerate(self.views):
            rows = run(
                self.connection,
                f"SELECT DISTINCT {_value_sql(view)} AS value FROM read_parquet({file}) "
                f"WHERE arm IS NOT NULL AND entered IN ({listed}) ORDER BY value",
            )
            self.values.append(tuple(row[0] for row in rows))
            codes += f", {_place_sql(f'({_value_sql(view)})', self.values[-1])} AS e_view{number}"
        first = self.days[0]
        run(
            self.connection,
            "CREATE OR REPLACE TEMP TABLE exposed AS SELECT c.customer AS e_customer, x.customer_id AS e_id, "
            f"x.entered AS e_entered, x.since AS e_since, {arms} AS e_arm, (x.entered - DATE '{first}')::INTEGER AS e_day"
            f"{codes}, (row_number() OVER (ORDER BY x.file_row_number) - 1)::INTEGER AS e_row "
            f"FROM read_parquet({file}, file_row_number = true) x "
            f"LEFT JOIN read_parquet({quoted(str(self.facts.customers_path))}) c USING (customer_id) "
            f"WHERE x.arm IS NOT NULL AND x.entered IN ({listed})",
        )

    # What

    def _read_messages(self) -> None:
        """Messages with what came of them, once for all ranges: whether a channel reports is seen from all of it."""
        if not any(side.table == "messages" for outcome in self.outcomes for side in outcome.sides):
            return
        months = [month for month in self._months() if month in self.facts.months("messages")]
        selects = [
            f"SELECT m.* EXCLUDE (customer_id) FROM {message_source(self.facts, month)} m "
            "WHERE m.customer IN (SELECT e_customer FROM exposed)"
            for month in months
        ]
        union = " UNION ALL BY NAME ".join(selects)
        run(self.connection, "DROP TABLE IF EXISTS told_messages")
        if selects:
            run(self.connection, f"CREATE TEMP TABLE told_messages AS {union}")
        self._messages = bool(selects)

    def _months(self) -> list[str]:
        first = day_number(self.days[0]) - self.covariate_days
        return months_between(first, day_number(self.days[-1]) + self.edges[-1])

    def _source(self, table: str, low: str, high: str) -> str:
        """SQL to select from: the rows of a range of ids, or nothing where the table has none in these months."""
        if table == "messages":
            return "told_messages" if self._messages else ""
        known = self.facts.months(table)
        files = [quoted(str(self.facts.path(known[month]))) for month in self._months() if month in known]
        if not files:
            return ""
        within = f" WHERE customer_id BETWEEN {quoted(low)} AND {quoted(high)}" if low else ""
        return f"(SELECT * FROM read_parquet([{', '.join(files)}]){within})"

    def _range(self, first: int, last: int, sums: Mapping[tuple[str, str], _Sums]) -> None:
        """Customers `first` ≤ row < `last`."""
        whole = first == 0 and last < self.at_once
        low, high = (
            ("", "")
            if whole
            else one(
                self.connection,
                f"SELECT min(e_id), max(e_id) FROM exposed WHERE e_row >= {first} AND e_row < {last}",
            )
        )
        codes = ", ".join(f"e_view{number}" for number in range(len(self.views)))
        who = arrow(
            self.connection,
            f"SELECT e_row - {first} AS place, e_arm, e_day, {codes} FROM exposed "
            f"WHERE e_row >= {first} AND e_row < {last} ORDER BY e_row",
        )
        offsets = np.array([(day - self.days[0]).days for day in self.days])
        people = _People(
            arm=who["e_arm"].to_numpy().astype(np.int64),
            day=np.searchsorted(offsets, who["e_day"].to_numpy()).astype(np.int64),
            values=[who[f"e_view{number}"].to_numpy().astype(np.int64) for number in range(len(self.views))],
        )
        wanted: dict[str, dict[str, Side]] = {}
        for outcome in self.outcomes:
            for side in outcome.sides:
                wanted.setdefault(side.table, {})[side.name] = side
        found: dict[str, _Long] = {}
        for table, sides in wanted.items():
            found |= self._table(table, sides, first, last, low, high)
        active = (
            np.unique(np.concatenate([part.place for part in found.values()]))
            if found
            else np.empty(0, np.int64)
        )
        dense = _Dense(found, active, len(self.edges) - 1)
        for ask in self.asks:
            columns = self._columns(ask.outcome, dense)
            for view in ask.views:
                sums[ask.outcome.key, view.name].add(people, self.views.index(view), active, columns)

    def _table(
        self, table: str, sides: Mapping[str, Side], first: int, last: int, low: str, high: str
    ) -> dict[str, _Long]:
        """Side → its sums by customer and block, from one table."""
        source = self._source(table, low, high)
        if not source:
            return {}
        at = _TIME[table]
        midnight = midnight_of("day", self.facts.timezone)
        # On the day of entry, what was before it does not count, where times are known.
        after = f"(e_day_of <> 0 OR e_since IS NULL OR {at} >= e_since OR {at} = {midnight})"
        events = f"(e_day_of <> 0 OR e_since IS NULL OR {at} > e_since OR ({at} = {midnight} AND e_since > {midnight}))"
        rows = (
            f"SELECT f.*, e.e_row - {first} AS e_place, e.e_since, (f.day - e.e_entered)::INTEGER AS e_day_of "
            f"FROM {source} f JOIN exposed e ON f.customer = e.e_customer "
            f"WHERE e.e_row >= {first} AND e.e_row < {last} AND f.day >= e.e_entered - {self.covariate_days} "
            f"AND f.day < e.e_entered + {self.edges[-1]}"
        )
        block = _block_sql("e_day_of", self.edges)
        summed = {name: side for name, side in sides.items() if side.manner != "kinds"}
        found: dict[str, _Long] = {}
        if summed:
            selects: list[str] = []
            for number, side in enumerate(summed.values()):
                if side.manner == "first":
                    counts = f"NOT is_return AND {events}" if table == "orders" else events
                    selects.append(f"max(CASE WHEN {counts} THEN 1.0 ELSE 0.0 END)::DOUBLE AS v{number}")
                else:
                    selects.append(f"sum(coalesce(CAST(({side.sql}) AS DOUBLE), 0))::DOUBLE AS v{number}")
            got = arrow(
                self.connection,
                f"SELECT e_place, {block} AS e_block, {', '.join(selects)}, count(*) AS e_rows "
                f"FROM ({rows}) WHERE {after} GROUP BY e_place, e_block",
            )
            read = int(got["e_rows"].to_numpy().sum()) if got.num_rows else 0
            self.work.rows[table] = self.work.rows.get(table, 0) + read
            place, blocks = got["e_place"].to_numpy().astype(np.int64), got["e_block"].to_numpy()
            for number, name in enumerate(summed):
                found[name] = _Long(place, blocks.astype(np.int64), got[f"v{number}"].to_numpy())
        if len(summed) < len(sides):
            got = arrow(
                self.connection,
                f"SELECT e_place, e_block, count(*)::DOUBLE AS v FROM (SELECT e_place, category, "
                f"{_block_sql('min(e_day_of)', self.edges)} AS e_block FROM ({rows}) "
                f"WHERE {after} AND category IS NOT NULL AND NOT is_return "
                "GROUP BY e_place, category, e_day_of < 0) GROUP BY e_place, e_block",
            )
            found["categories"] = _Long(
                got["e_place"].to_numpy().astype(np.int64),
                got["e_block"].to_numpy().astype(np.int64),
                got["v"].to_numpy(),
            )
        return found

    def _columns(self, outcome: Outcome, dense: _Dense) -> Floats:
        """(customers with rows, k) the columns of an outcome, but for what is the same for everybody."""
        parts = [np.zeros((dense.n, outcome.blocks))]
        for term in outcome.terms:
            parts[0] += self._blocks(term, outcome, dense)
        if outcome.denominator is not None:
            below = Term(side=outcome.denominator, window_days=outcome.window_days)
            parts.append(self._blocks(below, outcome, dense))
        for term in outcome.before:
            before = dense.of(term.side)[:, :1]
            limit = 1.0 if term.side.manner == "first" else term.cap
            parts.append(before if limit is None else np.minimum(before, limit))
        return np.concatenate(parts, axis=1)

    def _blocks(self, term: Term, outcome: Outcome, dense: _Dense) -> Floats:
        """(n, B) what each block adds to a term."""
        fine = dense.of(term.side)[:, 1:]
        limit = 1.0 if term.side.manner == "first" else term.cap
        if limit is not None:
            reached = np.minimum(np.cumsum(fine, axis=1), limit)
            fine = np.diff(reached, axis=1, prepend=0.0)
        elif term.window_days < self.edges[-1]:
            fine = fine.copy()
        fine[:, np.searchsorted(self.edges, term.window_days) :] = 0.0
        starts = [self.edges.index(edge) for edge in outcome.edges[:-1]]
        whole = np.add.reduceat(fine[:, : self.edges.index(outcome.edges[-1])], starts, axis=1)
        return whole * (-term.weight if term.side.turned else term.weight)


def offset_of(outcome: Outcome) -> Floats:
    """(k,) what every customer has beside what his rows give: the 1 of "1 less whether he ordered"."""
    found = np.zeros(outcome.columns)
    found[0] = sum(term.weight for term in outcome.terms if term.side.turned)
    if outcome.denominator is not None and outcome.denominator.turned:
        found[outcome.blocks] = 1.0
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """Customers of a range: places of arm, day of entry and of the value in each view, (n,) each."""

    arm: Ints
    day: Ints
    values: list[Ints]


@dataclass(frozen=True, slots=True, eq=False)
class _Long:
    """Sums by customer (place in the range) and block; a customer without rows in a block is not there."""

    place: Ints
    block: Ints
    value: Floats


class _Dense:
    """Sides as tables (customers with any row, 1 + finest blocks): the days before, then each block."""

    def __init__(self, found: Mapping[str, _Long], active: Ints, blocks: int):
        self.found, self.active, self.blocks = found, active, blocks
        self.n = len(active)
        self._last: tuple[str, Floats] | None = None

    def of(self, side: Side) -> Floats:
        if self._last is not None and self._last[0] == side.name:
            return self._last[1]
        table = np.zeros((self.n, self.blocks + 1))
        rows = self.found.get(side.name)
        if rows is not None:
            table[np.searchsorted(self.active, rows.place), rows.block + 1] = rows.value
        self._last = side.name, table
        return table


class _Sums:
    """Counts, sums, products and third powers of one outcome by cell of one view, range by range."""

    def __init__(self, made: _Pass, outcome: Outcome, view: View):
        self.outcome = outcome
        self.values = made.values[made.views.index(view)]
        self.days = made.days
        self.arms = len(made.entered.arms)
        k, groups = outcome.columns, self.arms * len(self.values) * len(self.days)
        self.n = np.zeros(groups)
        self.total = np.zeros((groups, k))
        self.products = np.zeros((groups, k, k))
        self.third = np.zeros(groups)
        self.offset = offset_of(outcome)

    def add(self, people: _People, view: int, active: Ints, columns: Floats) -> None:
        """`columns` (m, k) of the customers at `active` (m,); all others have none."""
        cell = (people.arm * len(self.values) + people.values[view]) * len(self.days) + people.day
        self.n += np.bincount(cell, minlength=len(self.n))
        own = cell[active]
        order = np.argsort(own, kind="stable")
        rows, own = columns[order], own[order]
        if not len(own):
            return
        starts = np.flatnonzero(np.concatenate(([True], own[1:] != own[:-1])))
        groups = own[starts]
        self.total[groups] += np.add.reduceat(rows, starts, axis=0)
        ends = np.append(starts[1:], len(own))
        for group, start, end in zip(groups, starts, ends):
            part = rows[start:end]
            self.products[group] += part.T @ part
        if self.outcome.kind == "mean":
            whole = rows[:, : self.outcome.blocks].sum(axis=1)
            self.third[groups] += np.add.reduceat(whole**3, starts)

    def cells(self, days: Sequence[date], keys: Sequence[str]) -> Cells:
        shape = self.arms, len(self.values), len(self.days)
        at = [self.days.index(day) for day in days]
        moments = Moments.of_sums(self.n, self.total, self.products)
        mean = np.where(self.n[:, None] > 0, moments.mean + self.offset, 0.0)
        table = np.concatenate(
            [self.n[:, None], self.third[:, None], mean, moments.scatter.reshape(len(self.n), -1)], axis=1
        )
        table = table.reshape(*shape, -1)[:, :, at]
        return Cells(values=self.values, days=tuple(days), keys=tuple(keys), table=table)


def _place_sql(expression: str, texts: Sequence[str]) -> str:
    """SQL: the place of a text in a list, from 0."""
    listed = ", ".join(quoted(text) for text in texts) or "''"
    return f"(list_position([{listed}], {expression}) - 1)::INTEGER"


def _block_sql(day: str, edges: Sequence[int]) -> str:
    """SQL: the block that holds a day counted from the entry; −1 before it."""
    branches = " ".join(f"WHEN {day} < {edge} THEN {place}" for place, edge in enumerate(edges[1:]))
    return f"(CASE WHEN {day} < 0 THEN {_BEFORE} {branches} END)::TINYINT"


def first_whole_day(facts: Facts, outcome: Outcome, today: date) -> date:
    """The first day that is not yet whole for an outcome: what happened from then on does not count."""
    seen = min((facts.complete[table] for table in outcome.tables if table in facts.complete), default=today)
    return min(seen, today) - timedelta(days=outcome.lag_days)
