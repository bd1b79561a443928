"""From a source's own columns to the canonical ones: one SQL view a table, nothing dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from primeta.config import Config, TableConfig, config_error
from primeta.errors import BadTable
from primeta.facts import TABLES, Column, TableSpec
from primeta.warehouse.duck import named, plain_errors, quoted, run
from primeta.warehouse.sources import FILE_COLUMN, Source
from primeta.warehouse.times import TimeReading, read_time

SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "money": "DECIMAL(18,4)",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
}
_TRUE = "('true', 't', 'yes', 'y', '1', 'да')"
_FALSE = "('false', 'f', 'no', 'n', '0', 'нет')"
# A status that says that the order was not carried out: its money was not paid.
CANCELLED = (
    "cancelled", "canceled", "cancel", "void", "voided", "rejected", "declined", "failed",
    "отменён", "отменен", "отмена", "отменено", "отказ", "аннулирован",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One canonical table over its source.

    `view` holds every canonical column (null where it is not mapped), for `customers` every
    attribute as text, and beside them `day` (the local day of the table's time), `is_return`
    (orders, order_lines) and, where rows come from files, `FILE_COLUMN`. `raw` gives each mapped
    column's expression over the source; `where` is the team's own filter.
    """

    spec: TableSpec
    source: Source
    view: str
    raw: dict[str, str]
    types: dict[str, str]
    times: dict[str, TimeReading]
    attributes: tuple[str, ...] = ()
    where: str = ""
    returns: str = ""

    @property
    def mapped(self) -> frozenset[str]:
        """The canonical columns that have a value."""
        return frozenset(self.raw)

    @property
    def missing(self) -> tuple[str, ...]:
        """The required columns that are not mapped."""
        return tuple(name for name in self.spec.required if name not in self.raw)


def map_table(
    connection: duckdb.DuckDBPyConnection, config: Config, table: TableConfig, source: Source
) -> Mapped:
    """Make the canonical view of one table.

    Columns that are not named in `columns` are taken where the source has one of the same name;
    for `customers`, every further column of the source is an attribute.

    Raises:
        BadConfig: an expression names a column that is not there, or is not SQL; names its line.
    """
    spec = TABLES[table.name]
    # A bare name is taken as it stands, so that "Invoice Date" and "at" need no quotes of their own.
    raw = {
        name: named(theirs) if (theirs := source.name_of(expression.strip())) else expression
        for name, expression in table.columns.items()
    }
    for column in spec.columns:
        if column.name not in raw and (theirs := source.name_of(column.name)):
            raw[column.name] = named(theirs)
    if table.name == "order_lines" and "revenue" not in raw and {"quantity", "price"} <= raw.keys():
        raw["revenue"] = f"({raw['quantity']}) * ({raw['price']})"
    if spec.free_columns:
        used = {expression.strip().strip('"').lower() for expression in raw.values()}
        for theirs in source.types:
            if theirs.lower() not in used and theirs not in raw:
                raw[theirs] = named(theirs)
    attributes = tuple(name for name in raw if spec.column(name) is None)
    types = {name: _type_of(connection, config, table, source, name, raw[name]) for name in raw}
    times: dict[str, TimeReading] = {}
    parts: list[str] = []
    for column in (*spec.columns, *(Column(name, "text") for name in attributes)):
        if column.name not in raw:
            parts.append(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {named(column.name)}")
            continue
        if column.kind == "time":
            with plain_errors(f"[tables.{table.name}] reading {column.name}"):
                times[column.name] = read_time(
                    connection,
                    source.view,
                    f"({raw[column.name]})",
                    types[column.name],
                    timezone=config.timezone,
                    date_format=table.date_format,
                )
            value = times[column.name].utc
        else:
            value = canonical_value(f"({raw[column.name]})", types[column.name], column)
        parts.append(f"{value} AS {named(column.name)}")
    returns = table.returns if table.returns and table.returns != "negative" else ""
    if returns:
        _type_of(connection, config, table, source, "returns", returns)
    inner = f"SELECT {', '.join(parts)}"
    inner += f", coalesce({returns}, false) AS marked_return" if returns else ", false AS marked_return"
    if source.files:
        inner += f", {named(FILE_COLUMN)}"
    inner += f" FROM {source.view}"
    if table.where:
        _type_of(connection, config, table, source, "where", table.where)
        inner += f" WHERE {table.where}"
    view = f"mapped_{table.name}"
    outer = _with_returns(spec, raw) + _with_day(spec, config.timezone)
    with plain_errors(f"[tables.{table.name}]"):
        run(
            connection,
            f"CREATE OR REPLACE VIEW {view} AS SELECT * EXCLUDE (marked_return){outer} FROM ({inner})",
        )
    return Mapped(
        spec=spec,
        source=source,
        view=view,
        raw=raw,
        types=types,
        times=times,
        attributes=attributes,
        where=table.where,
        returns=returns,
    )


def local_day(time: str, timezone: str) -> str:
    """SQL for the day, in the workspace's zone, of a UTC timestamp."""
    if timezone == "UTC":
        return f"CAST({time} AS DATE)"
    return f"CAST(timezone({quoted(timezone)}, timezone('UTC', {time})) AS DATE)"


def canonical_value(expression: str, kind: str, column: Column) -> str:
    """SQL that turns an expression of DuckDB type `kind` into a canonical id, text, money, number or flag.

    An id loses a ".0" that a float column gave it; blank text is unknown; what cannot be read,
    NaN and infinity are null (the doctor counts them).
    """
    upper = kind.upper()
    whole = bool(re.fullmatch(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?)", upper))
    real = upper in ("DOUBLE", "FLOAT") or upper.startswith("DECIMAL")
    if column.kind in ("id", "text"):
        if whole:
            return f"CAST({expression} AS VARCHAR)"
        if real:
            return (
                f"CASE WHEN NOT isfinite(CAST({expression} AS DOUBLE)) THEN NULL "
                f"WHEN {expression} = trunc({expression}) AND abs({expression}) < 1e18 "
                f"THEN CAST(CAST({expression} AS BIGINT) AS VARCHAR) ELSE CAST({expression} AS VARCHAR) END"
            )
        text = f"nullif(trim(CAST({expression} AS VARCHAR)), '')"
        if column.kind == "id" and upper == "VARCHAR":
            whole_part = f"left({text}, length({text}) - 2)"
            return (
                f"CASE WHEN suffix({text}, '.0') AND regexp_full_match({text}, '-?[0-9]+[.]0') "
                f"THEN {whole_part} ELSE {text} END"
            )
        return text
    if column.kind == "flag":
        if upper == "BOOLEAN":
            return expression
        word = f"lower(trim(CAST({expression} AS VARCHAR)))"
        return f"CASE WHEN {word} IN {_TRUE} THEN true WHEN {word} IN {_FALSE} THEN false END"
    number = f"CAST({expression} AS DOUBLE)" if whole or real else f"try_cast({expression} AS DOUBLE)"
    if upper == "BOOLEAN":
        number = f"CAST(CAST({expression} AS INTEGER) AS DOUBLE)"
    if column.kind == "money":
        exact = expression if whole or upper.startswith("DECIMAL") else number
        return f"try_cast({exact} AS {SQL_TYPES['money']})"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _with_returns(spec: TableSpec, raw: dict[str, str]) -> str:
    """Returns are negative money on their own day; a condition of the team's turns the sign where needed."""
    if spec.name not in ("orders", "order_lines"):
        return ""
    replaced = [
        f"CASE WHEN marked_return THEN -abs({column}) ELSE {column} END AS {column}"
        for column in ("revenue", "quantity")
        if column in raw and spec.column(column)
    ]
    signs = [
        f"coalesce({column} < 0, false)"
        for column in ("revenue", "quantity")
        if column in raw and spec.column(column)
    ]
    swap = f" REPLACE ({', '.join(replaced)})" if replaced else ""
    return f"{swap}, {' OR '.join(['marked_return', *signs])} AS is_return"


def _with_day(spec: TableSpec, timezone: str) -> str:
    return f", {local_day(spec.time, timezone)} AS day" if spec.time else ""


def _type_of(
    connection: duckdb.DuckDBPyConnection,
    config: Config,
    table: TableConfig,
    source: Source,
    column: str,
    expression: str,
) -> str:
    section = f"tables.{table.name}"
    try:
        described = run(connection, f"DESCRIBE SELECT ({expression}) AS value FROM {source.view}")
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        unknown = re.search(r'column "([^"]+)"', str(error))
        what = f"there is no column {unknown[1]!r}" if unknown else str(error).splitlines()[0]
        key = column if column in ("where", "returns") else "columns"
        raise config_error(
            config,
            section,
            key,
            f"{column} = {expression!r}: {what}; {source.wording} has {', '.join(source.types)}",
        ) from None
    except duckdb.ParserException as error:
        key = column if column in ("where", "returns") else "columns"
        raise config_error(
            config,
            section,
            key,
            f"{column} = {expression!r} is no SQL expression: {str(error).splitlines()[0]}",
        ) from None
    except duckdb.Error as error:
        raise BadTable(f"[{section}] {column}: {str(error).splitlines()[0]}") from None
    return described[0][1]


def derive_orders(connection: duckdb.DuckDBPyConnection, lines: Mapped, view: str) -> str:
    """Make the view of orders out of the order lines in `view`, summed by order_id; its name is returned.

    Lines that are returns make a return of their own, on each day that they came back.

    Raises:
        BadTable: the lines carry no customer, no time or no money.
    """
    needed = {"order_id", "customer_id", "ordered_at", "revenue"} - lines.mapped
    if needed:
        raise BadTable(
            f"orders cannot be derived from order_lines: {', '.join(sorted(needed))} not mapped. "
            f"Map them under [tables.order_lines] columns, or map [tables.orders]."
        )
    optional = [
        "sum(discount) AS discount"
        if "discount" in lines.mapped
        else "CAST(NULL AS DECIMAL(18,4)) AS discount",
        "CAST(NULL AS DECIMAL(18,4)) AS margin",
        "CAST(NULL AS VARCHAR) AS promo_code",
        "CAST(NULL AS VARCHAR) AS channel",
        "min(status) AS status" if "status" in lines.mapped else "CAST(NULL AS VARCHAR) AS status",
    ]
    files = f", min({named(FILE_COLUMN)}) AS {named(FILE_COLUMN)}" if lines.source.files else ""
    run(
        connection,
        f"CREATE OR REPLACE VIEW mapped_orders AS SELECT order_id, min(customer_id) AS customer_id, "
        f"min(ordered_at) AS ordered_at, CAST(sum(revenue) AS DECIMAL(18,4)) AS revenue, {', '.join(optional)}{files}, "
        f"is_return, min(day) AS day FROM {view} "
        f"GROUP BY order_id, is_return, CASE WHEN is_return THEN day END",
    )
    return "mapped_orders"
