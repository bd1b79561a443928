"""Rows of customers who were erased: left out wherever tables are read, whatever the tables still hold."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from primeta.privacy.erased import Erased
from primeta.warehouse.duck import quoted, run

if TYPE_CHECKING:
    import duckdb

    from primeta.warehouse.engine import Warehouse
    from primeta.warehouse.mapping import Mapped

TABLE = "erased_customers"
WITHOUT_TIME = ("customers", "identities")
"""What was so before an erasure may be so after it: their times do not tell."""
OWNERS = {"reactions": ("messages", "message_id"), "order_lines": ("orders", "order_id")}
"""Tables whose rows may name no customer: where their owner is found, and by what."""


def write_erased(connection: duckdb.DuckDBPyConnection, erased: Erased) -> None:
    """The table `erased_customers` (digest, since, lifted) of a connection."""
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {TABLE} (digest VARCHAR, since TIMESTAMP, lifted BOOLEAN)",
    )
    rows = [
        (one.digest.hex(), one.since.astimezone(UTC).replace(tzinfo=None), one.lifted)
        for one in erased.customers
    ]
    connection.executemany(f"INSERT INTO {TABLE} VALUES (?, ?, ?)", rows)


def digest_of(erased: Erased, column: str) -> str:
    """SQL of the digest by which a customer in `column` is known."""
    return f"sha256({quoted(erased.key + ':')} || {column})"


def without_erased(warehouse: Warehouse, mapped: Mapped, view: str, erased: Erased) -> str:
    """The view without rows of the erased; its name is returned.

    Rows that are later than the erasure of somebody who has consented anew stay; of consents all that are later, for
    it is there that he consents.
    """
    connection, name = warehouse.connection, mapped.spec.name
    write_erased(connection, erased)
    gone = _gone(name, mapped.spec.time)
    if "customer_id" in mapped.mapped:
        query = (
            f"SELECT t.* FROM {view} t LEFT JOIN {TABLE} e ON e.digest = {digest_of(erased, 't.customer_id')} "
            f"WHERE e.digest IS NULL OR NOT ({gone})"
        )
    elif name in OWNERS and OWNERS[name][0] in warehouse.config.tables:
        owner, key = OWNERS[name]
        owning = warehouse.mapped(owner)
        query = (
            f"SELECT * FROM {view} WHERE {key} IS NULL OR {key} NOT IN (SELECT t.{key} FROM {owning.view} t "
            f"JOIN {TABLE} e ON e.digest = {digest_of(erased, 't.customer_id')} "
            f"WHERE t.{key} IS NOT NULL AND {_gone(owner, owning.spec.time)})"
        )
    else:
        return view
    run(connection, f"CREATE OR REPLACE TEMP VIEW kept_{view} AS {query}")
    return f"kept_{view}"


def _gone(name: str, time: str | None) -> str:
    if time is None or name in WITHOUT_TIME:
        return "NOT e.lifted"
    older = f"coalesce(t.{time} <= e.since, true)"
    return older if name == "consents" else f"(NOT e.lifted OR {older})"
