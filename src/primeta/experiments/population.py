"""Who may take part: a condition over attributes of customers, and nothing more than a condition.

It comes from a file or from a form and later runs inside our own queries. So it is read by the engine's own
parser first: one expression, over attributes that exist, without queries of its own, true or false.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator
from typing import Any

import duckdb

from primeta.warehouse.duck import named, run

ALWAYS = ("customer_id", "registered_at")
"""Columns that the customers have whatever is mapped."""
CLOCK_WORDS = frozenset(("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"))
"""Bare words that read the clock: an attribute of that name could only be reached in quotes."""
CLOCK = frozenset(("now", "today", "age", "get_current_timestamp", "get_current_time")) | CLOCK_WORDS
"""Functions that do; `age` of one time counts from today."""


def population_problem(condition: str, attributes: Collection[str] | None = None) -> str:
    """What is wrong with a condition, or nothing.

    Args:
        condition: SQL such as `age = '35-44' and city <> 'Perm'`; empty: everybody.
        attributes: Of the customers, where they are known; else every name is let through.
    """
    if not condition.strip():
        return ""
    try:
        with _engine() as connection:
            read = _parsed(connection, condition)
            columns = tuple(dict.fromkeys(_columns(read)))
            _steady(connection, read, columns)
            if attributes is not None:
                known = {name.casefold() for name in (*ALWAYS, *attributes)}
                for name in columns:
                    if name.casefold() not in known:
                        return unknown_attribute(name, attributes)
            _bind(connection, condition, columns)
    except ValueError as error:
        return str(error)
    return ""


def unknown_attribute(name: str, attributes: Collection[str]) -> str:
    """The complaint about an attribute that the customers do not have."""
    near = difflib.get_close_matches(name, attributes, 3, 0.6)
    if near:
        return f"the customers have no attribute {name!r}; did you mean {' or '.join(near)}?"
    return (
        f"the customers have no attribute {name!r}; they have {', '.join(attributes) or 'none'}. "
        "(A value stands in single quotes: age = '35-44'.)"
    )


def _engine() -> duckdb.DuckDBPyConnection:
    """An engine of its own that reaches no file, no network and no extension."""
    connection = duckdb.connect(":memory:")
    for setting in ("threads = 1", "enable_external_access = false", "lock_configuration = true"):
        run(connection, f"SET {setting}")
    return connection


def _parsed(connection: duckdb.DuckDBPyConnection, condition: str) -> dict[str, Any]:
    if ";" in condition:
        raise ValueError("a condition was expected, such as age = '35-44'; a semicolon has no place in it")
    # Inside brackets and without them it must read the same: else it would close our own, or add a clause.
    found = [_where(connection, f"({condition})"), _where(connection, condition)]
    if found[0] != found[1]:
        raise ValueError("one condition was expected, such as age = '35-44'; this holds more than that")
    return found[0]


def _where(connection: duckdb.DuckDBPyConnection, condition: str) -> dict[str, Any]:
    ((text,),) = connection.execute(
        "SELECT json_serialize_sql(?)", [f"SELECT 1 FROM customers WHERE {condition}"]
    ).fetchall()
    read = json.loads(text)
    if read["error"]:
        raise ValueError(
            f"a condition was expected, such as age = '35-44'; the engine says: {read['error_message']}"
        )
    return _without_places(read["statements"][0]["node"]["where_clause"])


def _without_places(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_places(value) for key, value in node.items() if "location" not in key}
    return [_without_places(entry) for entry in node] if isinstance(node, list) else node


def _columns(node: Any) -> Iterator[str]:
    """Names of the columns below a node of the parsed condition; a query inside it is refused."""
    if isinstance(node, list):
        for entry in node:
            yield from _columns(entry)
    elif isinstance(node, dict):
        if node.get("class") == "SUBQUERY":
            raise ValueError("a condition over the customer's own attributes was expected; a query was given")
        if node.get("class") == "COLUMN_REF":
            names = node["column_names"]
            if len(names) != 1:
                raise ValueError(f"write the attribute alone: {names[-1]} instead of {'.'.join(names)}")
            yield names[0]
        for value in node.values():
            yield from _columns(value)


def _steady(connection: duckdb.DuckDBPyConnection, read: dict[str, Any], columns: tuple[str, ...]) -> None:
    """Who may take part is asked every day: chance and the clock would answer differently each time."""
    rows = run(
        connection, "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
    )
    used = set(_functions(read)) & ({name for (name,) in rows} | CLOCK)
    used |= {name.casefold() for name in columns} & CLOCK_WORDS
    for name in sorted(used):
        raise ValueError(
            f"the condition must give the same answer on every day; {name} does not. Name a day instead: "
            "registered_at >= date '2026-01-01'"
        )


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for entry in node:
            yield from _functions(entry)
    elif isinstance(node, dict):
        if node.get("class") == "FUNCTION":
            yield str(node["function_name"]).casefold()
        for value in node.values():
            yield from _functions(value)


def _bind(connection: duckdb.DuckDBPyConnection, condition: str, columns: tuple[str, ...]) -> None:
    """Let the engine check functions and types over no rows at all."""
    declared = {name.casefold(): name for name in (*ALWAYS, *columns)}
    kinds = ", ".join(
        f"{named(name)} {'TIMESTAMP' if folded == 'registered_at' else 'VARCHAR'}"
        for folded, name in declared.items()
    )
    try:
        run(connection, f"CREATE OR REPLACE TABLE customers ({kinds})")
        run(connection, f"SELECT 1 FROM customers WHERE ({condition})")
        ((_, kind, *_),) = run(connection, f"DESCRIBE SELECT ({condition}) FROM customers")
    except duckdb.Error as error:
        raise ValueError(f"the engine says: {str(error).strip().splitlines()[0]}") from None
    if kind != "BOOLEAN":
        raise ValueError(f"a condition that is true or false was expected; this one gives {kind}")
