"""Orders and assignments of an experiment on the moment, the sequence or the discount, one row a customer.

The clock of every customer begins at his lapse, when he was assigned: what he does before his contact comes counts
too, and whoever is not written to at all is measured over the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.experiments.experiment import numbers
from primeta.experiments.imported import read_assignments
from primeta.facts import TABLES
from primeta.reactivation.order_money import carried_out, carries_margin
from primeta.reactivation.records import Note
from primeta.stats.staggered import block_edges
from primeta.warehouse.duck import arrow, connect, named, one, plain_errors, quoted, run
from primeta.warehouse.files import read_table
from primeta.warehouse.mapping import SQL_TYPES, canonical_value
from primeta.warehouse.times import read_time

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
SMALL_ARM = 30
MEASURES = ("money", "revenue", "discount", "orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How money and time are counted."""

    control: str = ""
    """The arm that is never contacted; empty: there is none."""
    horizon: int = 365
    """Days since the lapse over which money is counted."""
    until: date
    """The last day of the log, inclusive."""
    margin: float | None = None
    """Of list price; None: `orders.margin`, else money is revenue."""
    contact_costs: Mapping[str, float] = field(default_factory=dict)
    """Arm or channel → money for one contact; "*" for every arm but the control."""
    by: str = ""
    """Column of the assignments, known before them."""
    timezone: str = "UTC"
    level: float = 0.95
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lapsed:
    """n customers from their lapse on, sorted by id; K blocks of days since the lapse.

    `stages` is 1, or 2 where `second_*` say what happened to those who did not come.
    """

    terms: Terms
    customer: Objects
    arm: Objects
    probability: Floats
    """(n,) of the arm; NaN where it was not recorded."""
    delay: Floats
    """(n,) days from the lapse to the contact; NaN where none is told."""
    depth: Floats
    """(n,) discount as a share of list price; NaN where none is told."""
    channel: Objects
    segment: Objects
    """(n,) value of `terms.by`, "?" where unknown, "" where nothing is split."""
    followed: Floats
    """(n,) days from the lapse to the end of the log."""
    returned: Floats
    """(n,) day of the first order since the lapse; infinite where there is none in the log."""
    edges: Ints
    """(K + 1,) days, 0 to the horizon."""
    sums: Mapping[str, Floats]
    """Each of MEASURES → (n, K)."""
    features: Floats
    """(n, 3) known before the lapse: log orders and revenue of the year before, log days silent; NaN where unknown."""
    sent: Floats
    """(n, K) cost of the messages sent to each, by block; (n, 0) where no messages with costs were given."""
    second_arm: Objects
    """(n,) None where there was no second stage."""
    second_probability: Floats
    second_day: Floats
    """(n,) day of the second stage; NaN."""
    notes: tuple[Note, ...] = ()

    @property
    def n(self) -> int:
        return len(self.customer)

    @property
    def is_control(self) -> Bools:
        return self.arm == self.terms.control if self.terms.control else np.zeros(self.n, dtype=bool)

    def select(self, rows: Bools) -> Lapsed:
        """Only some of the customers."""
        arrays = (
            "customer", "arm", "probability", "delay", "depth", "channel", "segment", "followed", "returned",
            "features", "sent", "second_arm", "second_probability", "second_day",
        )  # fmt: skip
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in arrays},
            sums={name: block[rows] for name, block in self.sums.items()},
        )


def read_lapsed(
    orders: Any,
    assignments: Any,
    *,
    terms: Terms,
    messages: Any = None,
    columns: Mapping[str, str] | None = None,
    experiment: str = "",
    date_format: str = "",
) -> Lapsed:
    """The customers of one experiment with what they did since their lapse.

    Args:
        orders, assignments, messages: Paths to CSV or Parquet files, Arrow tables, data frames or mappings of
            columns. Lines of orders are summed by `order_id`; messages count for their `cost`.
        columns: Canonical name → name in the file, for all of them.
        experiment: Which one, where the assignments hold several.
    Raises:
        BadTable: as `read_assignments`; a column that is missing; a second stage before the first, or without one;
            who came back and was assigned again.
        BadInput: a horizon or a margin that cannot be.
    """
    _check(terms)
    columns = dict(columns or {})
    end = _end_of(terms.until, terms.timezone)
    table, where = _table(
        assignments, {name: col for name, col in columns.items() if TABLES["assignments"].column(name)}
    )
    if terms.by and terms.by not in table.column_names:
        raise BadTable(
            f"{where}: no column {terms.by!r} (to split by); it has {', '.join(table.column_names)}. It must stand "
            f"beside each assignment and be known before it."
        )
    canonical = read_assignments(
        table, experiment=experiment or "experiment", timezone=terms.timezone, date_format=date_format
    )
    with closing(connect()) as connection, plain_errors("reading the experiment"):
        run(connection, "SET preserve_insertion_order = true")
        connection.register("assigned", canonical)
        _one_experiment(connection, experiment, where)
        _stages(connection, canonical.column_names, where, terms)
        by = _segments(connection, table, terms.by)
        _orders(connection, orders, terms, columns, date_format, end)
        units = arrow(connection, _units_sql(canonical.column_names, by))
        notes = _notes(connection, end, terms)
        edges = np.array(block_edges(terms.horizon), dtype=np.int64)
        rows = arrow(connection, _blocks_sql(edges))
        sent = _messages(connection, messages, columns, terms, date_format, edges, end)
        return _assembled(units, rows, sent, edges, terms, end, notes)


def _check(terms: Terms) -> None:
    if terms.horizon < 1:
        raise BadInput(f"the horizon is {terms.horizon} days; expected at least 1, such as 180d")
    if terms.margin is not None and not -1 <= terms.margin <= 1:
        raise BadInput(f"margin is a share of list price, such as .4; {terms.margin:g} was given")
    if not 0.5 <= terms.level < 1:
        raise BadInput(f"level is from .5 to below 1, such as .95; {terms.level:g} was given")
    for name, cost in terms.contact_costs.items():
        if not np.isfinite(cost) or cost < 0:
            raise BadInput(f"contact cost of {name} is {cost:g}; expected money of 0 or more")


def contact_costs_of(texts: list[str] | None) -> dict[str, float]:
    """`ARM=MONEY` or `MONEY` (for every arm but the control) as a mapping.

    Raises:
        BadInput: no number; an arm that is given twice.
    """
    return numbers([text if "=" in text else f"*={text}" for text in texts or []], "--contact-cost")


def _end_of(until: date, timezone: str) -> datetime:
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"timezone {timezone!r} is not known; expected a name such as Europe/Moscow") from None
    after = until + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=zone)


def _table(rows: Any, columns: Mapping[str, str], name: str = "assignments") -> tuple[pa.Table, str]:
    """A table with canonical names; texts stay texts."""
    spec = TABLES[name]
    if isinstance(rows, str | Path):
        texts = [column.name for column in spec.columns if column.kind in ("id", "text")]
        return read_table(rows, columns=columns, text=texts), str(rows)
    try:
        table = rows if isinstance(rows, pa.Table) else pa.table(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(f"the table of {name} cannot be read: {error}") from None
    for ours, theirs in columns.items():
        if theirs in table.column_names and theirs != ours:
            table = table.drop([ours]) if ours in table.column_names else table
            table = table.rename_columns([ours if entry == theirs else entry for entry in table.column_names])
    return table, f"the table of {name}"


def _one_experiment(connection: Any, experiment: str, where: str) -> None:
    names = [row[0] for row in run(connection, "SELECT DISTINCT experiment FROM assigned ORDER BY 1")]
    if experiment and experiment not in names:
        raise BadTable(f"{where}: no experiment {experiment!r}; it has {', '.join(map(str, names[:10]))}")
    if not names:
        raise BadTable(f"{where}: there is nobody in it; a row for each assigned customer was expected")
    if not experiment and len(names) > 1:
        raise BadTable(
            f"{where} holds several experiments: {', '.join(map(str, names[:10]))}. Say which one (--experiment)."
        )
    run(
        connection,
        f"CREATE TEMP TABLE chosen AS SELECT *, row_number() OVER () AS place FROM assigned "
        f"WHERE experiment = {quoted(experiment or names[0])}",
    )


def _stages(connection: Any, present: list[str], where: str, terms: Terms) -> None:
    """Tables `first` and `second`, one row a customer; a stage is 1 or 2, none is 1."""
    stage = (
        "coalesce(nullif(regexp_extract(stage, '([0-9]+)$', 1), ''), CASE WHEN stage IS NULL THEN '1' END)"
    )
    if "stage" not in present:
        stage = "'1'"
    bad = one(
        connection,
        f"SELECT min(place), arg_min({'stage' if 'stage' in present else 'NULL'}, place), count(*) FROM chosen "
        f"WHERE coalesce({stage}, '') NOT IN ('1', '2')",
    )
    if bad[2]:
        raise BadTable(f"{where}, row {bad[0]:,} of the data: stage is {bad[1]!r}; expected 1 or 2.")
    for number, name in ((1, "first"), (2, "second")):
        # Later rows of the same arm are part of the policy; the first one is time zero.
        run(
            connection,
            f"CREATE TEMP TABLE {name} AS SELECT * FROM (SELECT *, row_number() OVER "
            f"(PARTITION BY customer_id ORDER BY assigned_at, place) AS nth FROM chosen WHERE {stage} = '{number}') "
            f"WHERE nth = 1",
        )
    customer, count = one(
        connection,
        "SELECT min(s.customer_id), count(*) FROM second s LEFT JOIN first f USING (customer_id) "
        "WHERE f.customer_id IS NULL",
    )
    if count:
        raise BadTable(
            f"{where}: customer {customer} has a second stage and no first{_more(count)}. Give every customer's first "
            f"stage, also of those who came back after it."
        )
    customer, first, second, count = one(
        connection,
        "SELECT min(s.customer_id), strftime(arg_min(f.assigned_at, s.customer_id) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M'), "
        "strftime(arg_min(s.assigned_at, s.customer_id) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M'), count(*) FROM second s JOIN first f USING (customer_id) WHERE s.assigned_at <= f.assigned_at",
    )
    if count:
        raise BadTable(
            f"{where}: customer {customer} has his second stage at {second}, not after the first at "
            f"{first}{_more(count)}. The second is drawn for those who stayed silent after the first."
        )
    if (
        terms.control
        and not one(connection, f"SELECT count(*) FROM first WHERE arm = {quoted(terms.control)}")[0]
    ):
        arms = ", ".join(row[0] for row in run(connection, "SELECT DISTINCT arm FROM first ORDER BY 1"))
        raise BadTable(f"{where}: nobody is in the control {terms.control!r}; the arms are {arms}.")
    both = f"AND arm <> {quoted(terms.control)}" if terms.control else ""
    if "delay_days" in present:
        customer, count = one(
            connection,
            f"SELECT min(customer_id), count(*) FROM first WHERE delay_days < 0 {both}",
        )
        if count:
            raise BadTable(
                f"{where}: delay_days of customer {customer} is below 0{_more(count)}; it counts the days from the "
                f"lapse to the contact."
            )


def _more(count: int) -> str:
    return f" ({count:,} such customers in all)" if count > 1 else ""


def _segments(connection: Any, table: pa.Table, by: str) -> bool:
    if not by:
        return False
    connection.register("given_by", table.select(["customer_id", by]))
    kinds = dict(row[:2] for row in run(connection, "DESCRIBE SELECT * FROM given_by"))
    spec = TABLES["assignments"].column("customer_id")
    text = TABLES["assignments"].column("arm")
    assert spec is not None
    assert text is not None
    run(
        connection,
        f"CREATE TEMP TABLE segments AS SELECT {canonical_value('customer_id', kinds['customer_id'], spec)} "
        f"AS customer_id, min({canonical_value(named(by), kinds[by], text)}) AS segment FROM given_by GROUP BY 1",
    )
    return True


def _orders(
    connection: Any, rows: Any, terms: Terms, columns: dict[str, str], date_format: str, end: datetime
) -> None:
    """Tables `bought` (orders and returns of the assigned, up to the end of the log) and `strays`."""
    spec = TABLES["orders"]
    table, where = _table(
        rows, {name: theirs for name, theirs in columns.items() if spec.column(name)}, "orders"
    )
    if "order_id" not in table.column_names:
        # then every row is an order
        table = table.append_column(
            "order_id", pa.array([str(row) for row in range(len(table))], type=pa.string())
        )
    missing = [name for name in spec.required if name not in table.column_names]
    if missing:
        raise BadTable(f"{where}: {', '.join(missing)} not found; it has {', '.join(table.column_names)}.")
    connection.register("given_orders", table)
    kinds = dict(row[:2] for row in run(connection, "DESCRIBE SELECT * FROM given_orders"))
    reading = read_time(
        connection,
        "given_orders",
        "ordered_at",
        kinds["ordered_at"],
        timezone=terms.timezone,
        date_format=date_format,
    )
    parts = [f"{reading.utc} AS ordered_at"]
    for column in spec.columns:
        if column.name == "ordered_at":
            continue
        if column.name in table.column_names:
            value = canonical_value(named(column.name), kinds[column.name], column)
            parts.append(f"CAST({value} AS {SQL_TYPES[column.kind]}) AS {column.name}")
        else:
            parts.append(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {column.name}")
    run(
        connection,
        f"CREATE TEMP TABLE lines AS SELECT {', '.join(parts)}, row_number() OVER () AS place FROM given_orders",
    )
    for name, words in (("ordered_at", "a time"), ("revenue", "an amount")):
        place, count = one(connection, f"SELECT min(place), count(*) FROM lines WHERE {name} IS NULL")
        if count:
            raise BadTable(
                f"{where}, row {place:,} of the data: {name} cannot be read as {words} ({count:,} such rows)."
            )
    filled, rows_read = one(connection, "SELECT count(margin), count(*) FROM lines")
    carries_margin(filled, rows_read, where=where, margin=terms.margin)
    margin = f"{terms.margin!r}" if terms.margin is not None else "1"
    # A return takes its discount back, whatever sign it was written with.
    run(
        connection,
        f"""CREATE TEMP TABLE bought AS
        WITH signed AS (
            SELECT order_id, customer_id, ordered_at, revenue < 0 AS is_return, revenue::DOUBLE AS revenue,
                coalesce(CASE WHEN revenue < 0 THEN -abs(discount) ELSE discount END, 0)::DOUBLE AS discount,
                margin::DOUBLE AS margin
            FROM lines WHERE customer_id IS NOT NULL AND {carried_out(("status",))}
        )
        SELECT customer_id, min(ordered_at) AS ordered_at, sum(revenue) AS revenue, sum(discount) AS discount,
            sum(coalesce(margin, revenue - (1 - {margin}) * (revenue + discount))) AS money, is_return
        FROM signed WHERE ordered_at < {_moment(end)}
        GROUP BY order_id, customer_id, is_return, CASE WHEN is_return THEN ordered_at END""",
    )


def _moment(value: datetime) -> str:
    return f"TIMESTAMP '{value.astimezone(ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S}'"


def _units_sql(present: list[str], by: bool) -> str:
    """One row a customer: what he was given, when he first came back, what was known before."""

    def of(table: str, name: str, kind: str) -> str:
        return f"{table}.{name}" if name in present else f"CAST(NULL AS {kind})"

    return f"""
        WITH clock AS (SELECT customer_id, assigned_at AT TIME ZONE 'UTC' AS zero FROM first),
        known AS (
            SELECT c.customer_id,
                min(CASE WHEN b.ordered_at >= c.zero AND NOT b.is_return AND b.revenue > 0
                    THEN epoch_us(b.ordered_at) - epoch_us(c.zero) END) / 86400e6 AS returned,
                count(*) FILTER (b.ordered_at < c.zero AND b.ordered_at >= c.zero - INTERVAL 365 DAY
                    AND NOT b.is_return) AS orders_before,
                coalesce(sum(b.revenue) FILTER (b.ordered_at < c.zero
                    AND b.ordered_at >= c.zero - INTERVAL 365 DAY), 0) AS revenue_before,
                min(CASE WHEN b.ordered_at < c.zero AND NOT b.is_return
                    THEN epoch_us(c.zero) - epoch_us(b.ordered_at) END) / 86400e6 AS silent
            FROM clock c LEFT JOIN bought b USING (customer_id) GROUP BY 1
        )
        SELECT f.customer_id, f.arm, f.assigned_at, {of("f", "probability", "DOUBLE")} AS probability,
            {of("f", "delay_days", "DOUBLE")} AS delay, {of("f", "discount", "DOUBLE")} AS depth,
            {of("f", "channel", "VARCHAR")} AS channel, {"coalesce(g.segment, '?')" if by else "''"} AS segment,
            k.returned, k.orders_before::DOUBLE AS orders_before, k.revenue_before, k.silent,
            s.arm AS second_arm, {of("s", "probability", "DOUBLE")} AS second_probability,
            (epoch_us(s.assigned_at) - epoch_us(f.assigned_at)) / 86400e6 AS second_day
        FROM first f JOIN known k USING (customer_id) LEFT JOIN second s USING (customer_id)
        {"LEFT JOIN segments g USING (customer_id)" if by else ""}
        ORDER BY f.customer_id"""


def _blocks_sql(edges: Ints) -> str:
    cuts = ", ".join(str(edge) for edge in edges[1:-1])
    block = f"len(list_filter([{cuts}]::INTEGER[], lambda edge: day >= edge))" if cuts else "0"
    return f"""
        WITH placed AS (
            SELECT row_number() OVER (ORDER BY customer_id) - 1 AS row, customer_id,
                assigned_at AT TIME ZONE 'UTC' AS zero FROM first
        ), dated AS (
            SELECT p.row, floor((epoch_us(b.ordered_at) - epoch_us(p.zero)) / 86400e6) AS day, b.*
            FROM placed p JOIN bought b USING (customer_id) WHERE b.ordered_at >= p.zero
        )
        SELECT row, {block} AS block, sum(money) AS money, sum(revenue) AS revenue, sum(discount) AS discount,
            sum(CASE WHEN NOT is_return AND revenue > 0 THEN 1 ELSE 0 END)::DOUBLE AS orders
        FROM dated WHERE day < {int(edges[-1])} GROUP BY 1, 2"""


def _messages(
    connection: Any,
    rows: Any,
    columns: dict[str, str],
    terms: Terms,
    date_format: str,
    edges: Ints,
    end: datetime,
) -> pa.Table | None:
    if rows is None:
        return None
    table, where = _table(
        rows, {n: t for n, t in columns.items() if TABLES["messages"].column(n)}, "messages"
    )
    for name in ("customer_id", "sent_at", "cost"):
        if name not in table.column_names:
            raise BadTable(
                f"{where}: {name} not found; messages are read for what they cost. Leave them out and give "
                f"--contact-cost ARM=MONEY, or name the column."
            )
    connection.register("given_messages", table)
    kinds = dict(row[:2] for row in run(connection, "DESCRIBE SELECT * FROM given_messages"))
    reading = read_time(
        connection,
        "given_messages",
        "sent_at",
        kinds["sent_at"],
        timezone=terms.timezone,
        date_format=date_format,
    )
    spec = TABLES["messages"]
    customer, cost = spec.column("customer_id"), spec.column("cost")
    assert customer is not None
    assert cost is not None
    cuts = ", ".join(str(edge) for edge in edges[1:-1])
    block = f"len(list_filter([{cuts}]::INTEGER[], lambda edge: day >= edge))" if cuts else "0"
    return arrow(
        connection,
        f"WITH placed AS (SELECT row_number() OVER (ORDER BY customer_id) - 1 AS row, customer_id, "
        f"assigned_at AT TIME ZONE 'UTC' AS zero FROM first), m AS (SELECT {reading.utc} AS sent_at, "
        f"{canonical_value('customer_id', kinds['customer_id'], customer)} AS customer_id, "
        f"{canonical_value('cost', kinds['cost'], cost)}::DOUBLE AS cost FROM given_messages), dated AS (SELECT p.row, "
        f"floor((epoch_us(m.sent_at) - epoch_us(p.zero)) / 86400e6) AS day, cost FROM placed p JOIN m USING (customer_id) "
        f"WHERE m.sent_at >= p.zero AND m.sent_at < {_moment(end)}) SELECT row, {block} AS block, sum(cost) AS cost "
        f"FROM dated WHERE day < {int(edges[-1])} GROUP BY 1, 2",
    )


def _notes(connection: Any, end: datetime, terms: Terms) -> tuple[Note, ...]:
    found: list[Note] = []
    strays = one(connection, "SELECT count(*) FROM lines WHERE customer_id IS NULL")[0]
    if strays:
        found.append(Note("orders-without-customer", {"rows": strays}))
    late = one(
        connection, f"SELECT count(*) FROM first WHERE (assigned_at AT TIME ZONE 'UTC') >= {_moment(end)}"
    )[0]
    if late:
        found.append(Note("assigned-after-the-log", {"customers": late}))
    if terms.margin is None and not one(connection, "SELECT count(margin) FROM lines")[0]:
        found.append(Note("money-is-revenue"))
    return tuple(found)


def _assembled(
    units: pa.Table,
    rows: pa.Table,
    sent: pa.Table | None,
    edges: Ints,
    terms: Terms,
    end: datetime,
    notes: tuple[Note, ...],
) -> Lapsed:
    n, k = len(units), len(edges) - 1

    def numbers(name: str) -> Floats:
        return np.array(
            units.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64
        )

    def texts(name: str) -> Objects:
        return np.array(units.column(name).to_pylist(), dtype=object)

    sums = {name: np.zeros((n, k)) for name in MEASURES}
    at = (rows.column("row").to_numpy(), rows.column("block").to_numpy())
    for name, block in sums.items():
        block[at] = np.nan_to_num(rows.column(name).to_numpy())
    cost = np.zeros((n, k if sent is not None else 0))
    if sent is not None:
        cost[sent.column("row").to_numpy(), sent.column("block").to_numpy()] = np.nan_to_num(
            sent.column("cost").to_numpy()
        )
    zero = units.column("assigned_at").cast(pa.int64()).to_numpy().astype(np.float64)
    followed = (end.timestamp() * 1e6 - zero) / 86400e6
    returned = numbers("returned")
    depth = numbers("depth")
    if np.nanmax(depth, initial=0.0) > 1:
        # 10 was written for 10%
        if np.nanmax(depth) > 100 or (np.nanmin(np.where(depth > 0, depth, np.nan)) < 1):
            raise BadTable(
                "discount is a share of the list price (0.1) or whole percent (10) in all rows, up to 100%"
            )
        depth = depth / 100
        notes = (*notes, Note("discount-in-percent"))
    if np.nanmin(depth, initial=0.0) < 0:
        raise BadTable("discount is below 0 in some rows; it is a share of the list price, such as .1")
    whole = Lapsed(
        terms=terms,
        customer=texts("customer_id"),
        arm=texts("arm"),
        probability=numbers("probability"),
        delay=numbers("delay"),
        depth=depth,
        channel=texts("channel"),
        segment=texts("segment"),
        followed=followed,
        returned=np.where(np.isnan(returned), np.inf, returned),
        edges=edges,
        sums=sums,
        features=np.column_stack(
            [
                np.log1p(numbers("orders_before")),
                np.log1p(np.maximum(numbers("revenue_before"), 0.0)),
                np.log1p(np.maximum(numbers("silent"), 0.0)),
            ]
        ),
        sent=cost,
        second_arm=texts("second_arm"),
        second_probability=numbers("second_probability"),
        second_day=numbers("second_day"),
        notes=notes,
    )
    # Who was assigned after the log ends has done nothing yet and says nothing.
    return whole.select(followed > 0) if (followed <= 0).any() else whole


def read_rows(rows: Any, what: str) -> pa.Table:
    """Any table as it is, ids as text."""
    if isinstance(rows, str | Path):
        return read_table(rows, text=("customer_id", "segment", "arm"))
    try:
        return pa.table(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(f"{what} cannot be read as a table: {error}") from None
