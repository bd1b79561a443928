"""An experiment customer by customer in plain Python: who enters when, and what each did; slow and easy to check."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from naive_metrics import Company, month_of, reports_deliveries

Person = tuple[date, datetime | None, str]
"""Day of entry, time of entry where it is known, arm."""


def arriving(company: Company, start: date, days: int) -> Company:
    """Two thirds of the customers do nothing before a day of their own, spread over so many days."""

    def kept(row: dict[str, Any]) -> bool:
        number = int(row["customer_id"])
        return number % 3 == 0 or (row["day"] - start).days >= number * 7 % days

    messages = [row for row in company.messages if kept(row)]
    known = {row["message_id"] for row in messages}
    return Company(
        orders=[row for row in company.orders if kept(row)],
        lines=[row for row in company.lines if kept(row)],
        messages=messages,
        reactions=[row for row in company.reactions if row["message_id"] in known],
        visits=[row for row in company.visits if kept(row)],
    )


def first_rows(company: Company) -> dict[str, Any]:
    """Customer → (day, time) of his first order, message (not withheld) or visit."""
    found: dict[str, tuple[date, datetime]] = {}
    rows = [(row, row["ordered_at"]) for row in company.orders]
    rows += [(row, row["sent_at"]) for row in company.messages if not row["withheld"]]
    rows += [(row, row["happened_at"]) for row in company.visits]
    for row, at in rows:
        known = found.get(row["customer_id"])
        if known is None or at < known[1]:
            found[row["customer_id"]] = row["day"], at
    return found


def enters(
    entry: str, came: tuple[date, datetime] | None, starts: date, ends: date
) -> tuple[date, datetime | None] | None:
    """When a customer enters whose first row came then; None: he does not."""
    if came is None or came[0] < starts:
        return starts, None
    if entry == "arrival" and came[0] < ends:
        return came
    return None


def block_of(offset: int, edges: tuple[int, ...]) -> int:
    """−1 before the entry, else the block that holds the day."""
    return next((place - 1 for place, edge in enumerate(edges) if offset < edge), len(edges))


def values(
    company: Company,
    people: dict[str, Person],
    what: str,
    *,
    edges: tuple[int, ...],
    before: int,
    margin: float = 0.25,
    cap: float | None = None,
) -> dict[str, np.ndarray]:
    """Customer → (1 + B,) a sum over the days before his entry, then what each block of his window adds."""
    found = {customer: np.zeros(len(edges)) for customer in people}
    seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
    first: dict[str, list[int]] = defaultdict(list)

    def within(row: dict[str, Any], at: datetime) -> tuple[str, int, bool] | None:
        """(customer, block, after his entry in the strict sense) of a row that counts."""
        customer = row["customer_id"]
        if customer not in people:
            return None
        entered, since, _ = people[customer]
        offset = (row["day"] - entered).days
        if offset < -before or offset >= edges[-1]:
            return None
        if offset == 0 and since is not None and at < since:
            return None
        return customer, block_of(offset, edges), not (offset == 0 and since is not None and at <= since)

    if what in ("revenue", "orders", "margin", "discount", "list_price", "order"):
        for row in company.orders:
            place = within(row, row["ordered_at"])
            if place is None:
                continue
            customer, block, after = place
            paid, off = row["revenue"], row["discount"]
            if what == "order":
                if after and not row["is_return"]:
                    first[customer].append(block)
                continue
            found[customer][block + 1] += {
                "revenue": paid,
                "orders": float(not row["is_return"]),
                "margin": paid - (1 - margin) * (paid + off),
                "discount": off,
                "list_price": paid + off,
            }[what]
    elif what in ("items", "categories"):
        for row in company.lines:
            place = within(row, row["ordered_at"])
            if place is None or row["quantity"] < 0:
                continue
            if what == "items":
                found[place[0]][place[1] + 1] += row["quantity"]
            else:
                seen[place[0]].append((place[1], row["category"]))
    elif what == "visits":
        for row in company.visits:
            place = within(row, row["happened_at"])
            if place is not None:
                found[place[0]][place[1] + 1] += 1
    else:
        reactions: dict[str, set[str]] = defaultdict(set)
        sent = {row["message_id"]: row["sent_at"] for row in company.messages}
        for row in company.reactions:
            late = row["happened_at"] > sent[row["message_id"]] + timedelta(days=3)
            if not late and not (row["machine"] and row["kind"] in ("opened", "clicked")):
                reactions[row["message_id"]].add(row["kind"])
        reporting = reports_deliveries(company, reactions)
        for row in company.messages:
            place = within(row, row["sent_at"])
            if place is None or row["withheld"]:
                continue
            kinds = reactions[row["message_id"]]
            if what == "message":
                if place[2]:
                    first[place[0]].append(place[1])
            elif what == "delivered":
                found[place[0]][place[1] + 1] += "delivered" in kinds or month_of(row) not in reporting
            else:
                found[place[0]][place[1] + 1] += what in kinds
    for customer, blocks in first.items():
        later = [block for block in blocks if block >= 0]
        found[customer][0] = float(any(block < 0 for block in blocks))
        if later:
            found[customer][min(later) + 1] = 1.0
    for customer, bought in seen.items():
        found[customer][0] = len({kind for block, kind in bought if block < 0})
        for kind in {kind for block, kind in bought if block >= 0}:
            found[customer][min(block for block, other in bought if other == kind and block >= 0) + 1] += 1
    if cap is not None:
        for row in found.values():
            row[0] = min(row[0], cap)
            row[1:] = np.diff(np.minimum(np.cumsum(row[1:]), cap), prepend=0.0)
    return found
