"""The campaign's own messages: what an order is attributed to, what contact cost, whom other campaigns reached."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from primeta.errors import BadTable
from primeta.reactivation.follow_up_assigned import Assigned, end_of, seconds_since
from primeta.reactivation.follow_up_blocks import add_events
from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.follow_up_people import People
from primeta.reactivation.inputs import ROW, Given
from primeta.reactivation.records import Campaign, Floats, Note
from primeta.warehouse.clean import placeholder
from primeta.warehouse.duck import arrow, named, one, quoted, run

OPENS = ("opened", "clicked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """The table `sent` (`customer`, `seconds`, `cost`) and what an order is attributed to.

    `touched`: name of the table with `customer` and `seconds` of messages, or of opens and clicks; empty: orders
    are attributed to the assignment. `costs`: whether messages carry their cost.
    """

    touched: str = ""
    costs: bool = False
    others: str = ""
    """Table of customers whom messages of other campaigns reached after assignment; empty: not known."""
    notes: tuple[Note, ...] = ()


def place_messages(
    connection: duckdb.DuckDBPyConnection,
    messages: Given | None,
    reactions: Given | None,
    assigned: Assigned,
    campaign: Campaign,
) -> Contacts:
    """Make the tables `sent` and, where reactions are known, `opened`.

    Which messages are the campaign's: those whose `campaign` or `programme` is the experiment's name; where none
    bears it, every message to an assigned customer after his assignment.

    Raises:
        BadTable: reactions without messages, or without a `message_id` to join them by.
    """
    if messages is None:
        if reactions is not None:
            raise BadTable(
                f"{reactions.where}: reactions are read together with the messages they belong to; give --messages too."
            )
        return Contacts()
    if reactions is not None and "message_id" not in messages:
        raise BadTable(
            f"{messages.where}: without a column message_id nobody knows which message a reaction is to; say which "
            f"column it is (columns message_id=THEIRS)."
        )
    notes: list[Note] = []
    number = "customer_id" in messages.numbered and assigned.whole_ids
    ours, theirs = ("p.number", named("customer_id#")) if number else ("p.customer_id", "m.customer_id")
    kept = [f"NOT ({placeholder('m.customer_id')})", f"sent_at < TIMESTAMP '{end_of(campaign)}'"]
    if "withheld" in messages:
        kept.append("NOT coalesce(withheld, false)")
    strangers = one(
        connection,
        f"SELECT count(*) FROM {messages.view} WHERE customer_id IS NULL OR {placeholder('customer_id')} OR sent_at IS NULL",
    )[0]
    if strangers:
        notes.append(Note("messages-unreadable", {"messages": strangers}))
    cost = "coalesce(cost, 0)" if "cost" in messages else "0.0"
    labels = [name for name in ("campaign", "programme") if name in messages]
    ours_is = " OR ".join(f"coalesce({name} = {quoted(campaign.name)}, false)" for name in labels) or "false"
    message = "message_id" if "message_id" in messages else "CAST(NULL AS VARCHAR)"
    run(
        connection,
        f"CREATE OR REPLACE TABLE mailed AS SELECT p.customer, {message} AS message_id, "
        f"{seconds_since('sent_at')} AS seconds, "
        f"{cost}::DOUBLE AS cost, {ours_is} AS own, "
        f"{' OR '.join(f'{name} IS NOT NULL' for name in labels) or 'false'} AS labelled, m.{named(ROW)} AS mark "
        f"FROM {messages.view} m "
        f"JOIN people p ON {ours} = {theirs} WHERE {' AND '.join(kept)}",
    )
    run(connection, "DELETE FROM mailed WHERE seconds < 0")
    if "message_id" in messages:
        # A message that stands there twice, value for value, was sent and paid once.
        twice = "SELECT rowid FROM mailed QUALIFY row_number() OVER (PARTITION BY mark, message_id ORDER BY rowid) > 1"
        run(connection, f"DELETE FROM mailed WHERE message_id IS NOT NULL AND rowid IN ({twice})")
    own, labelled = one(connection, "SELECT count(*) FILTER (own), count(*) FILTER (labelled) FROM mailed")
    others = ""
    if own and campaign.name:
        others = "met_campaigns"
        run(
            connection,
            f"CREATE OR REPLACE TEMP TABLE {others} AS SELECT DISTINCT customer FROM mailed JOIN people USING (customer) "
            f"WHERE NOT own AND labelled AND seconds < least(followed, {campaign.horizon_days}) * {DAY}",
        )
        run(connection, "DELETE FROM mailed WHERE NOT own")
    elif one(connection, "SELECT count(*) FROM mailed")[0]:
        notes.append(Note("messages-any", {"labelled": bool(labelled), "experiment": campaign.name}))
    else:
        notes.append(Note("no-messages-after"))
    run(connection, "CREATE OR REPLACE TABLE sent AS SELECT customer, seconds, cost FROM mailed")
    touched = "sent"
    if reactions is not None:
        touched = "opened"
        kinds = ", ".join(quoted(kind) for kind in OPENS)
        person = "NOT coalesce(machine, false)" if "machine" in reactions else "true"
        run(
            connection,
            "CREATE OR REPLACE TABLE opened AS SELECT p.customer, "
            f"{seconds_since('r.happened_at')} AS seconds FROM "
            f"(SELECT message_id, happened_at FROM {reactions.view} WHERE lower(kind) IN ({kinds}) AND {person} "
            "AND happened_at IS NOT NULL) r JOIN (SELECT DISTINCT message_id, customer FROM mailed) m USING (message_id) "
            "JOIN people p USING (customer)",
        )
        run(connection, "DELETE FROM opened WHERE seconds < 0")
    costs = "cost" in messages and bool(one(connection, f"SELECT count(cost) FROM {messages.view}")[0])
    if costs and campaign.contact_costs:
        notes.append(Note("contact-cost-unused"))
    return Contacts(touched=touched, costs=costs, others=others, notes=tuple(notes))


def add_contact(
    connection: duckdb.DuckDBPyConnection,
    contacts: Contacts,
    assigned: Assigned,
    campaign: Campaign,
    sums: dict[str, Floats],
    at_risk: Floats,
) -> None:
    """Add what contact cost to the sums: messages on their own day, else once each at the assignment."""
    if contacts.costs:
        add_events(connection, sums, "sent", {"contact": "sum(cost)"})
        return
    for arm, money in campaign.contact_costs.items():
        place = assigned.arms.index(arm)
        sums["contact"][:, place, :, 0] += money * at_risk[:, place, :, 0]


def contact_of(
    connection: duckdb.DuckDBPyConnection,
    contacts: Contacts,
    assigned: Assigned,
    campaign: Campaign,
    people: People,
    low: int,
    high: int,
    days: int,
) -> Floats:
    """(n,) what contact cost for each of the customers within so many days."""
    if not contacts.costs:
        each = np.array([campaign.contact_costs.get(arm, 0.0) for arm in assigned.arms])
        return each[people["arm"]] if days > 0 else np.zeros(len(people))
    found = arrow(
        connection,
        f"SELECT customer - {low} AS place, sum(cost) AS cost FROM sent WHERE customer >= {low} AND customer < {high} "
        f"AND seconds < {days * DAY} GROUP BY customer",
    )
    cost = np.zeros(high - low)
    cost[found.column("place").to_numpy()] = found.column("cost").to_numpy()
    return cost[people["customer"] - low]


def contamination_of(
    connection: duckdb.DuckDBPyConnection, assigned: Assigned, contacts: Contacts, campaign: Campaign
) -> dict[str, Floats]:
    """(A,) shares of each arm that other experiments or campaigns reached: `experiments`, `campaigns`, and `share`
    of either.

    Another experiment counts if it assigned the customer while his follow-up ran, or so shortly before that its own
    window reached into it.
    """
    tables: dict[str, str] = {}
    if assigned.others:
        away = "(epoch_us(o.assigned_at) - p.assigned_us) / 86400000000.0"
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE met_experiments AS SELECT DISTINCT o.customer FROM "
            f"{assigned.others} o JOIN people p USING (customer) WHERE {away} > {-campaign.window_days} "
            f"AND {away} < least(p.followed, {campaign.horizon_days})",
        )
        tables["experiments"] = "met_experiments"
    if contacts.others:
        tables["campaigns"] = contacts.others
    found = {name: _shares(connection, table, assigned) for name, table in tables.items()}
    if found:
        either = " UNION ".join(f"SELECT customer FROM {table}" for table in tables.values())
        found["share"] = _shares(connection, f"({either})", assigned)
    return found


def _shares(connection: duckdb.DuckDBPyConnection, rows: str, assigned: Assigned) -> Floats:
    reached = np.zeros(len(assigned.arms))
    for arm, customers in run(
        connection,
        f"SELECT arm, count(*) FROM people WHERE customer IN (SELECT customer FROM {rows}) GROUP BY arm",
    ):
        reached[arm] = customers
    n = assigned.n.sum(axis=(0, 2))
    return reached / np.maximum(n, 1)
