"""Every built-in metric again, customer by customer in plain Python: slow, and easy to check by eye."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import variance
from typing import Any

Row = dict[str, Any]


@dataclass
class Company:
    """Canonical rows; `day` is the local day of each."""

    orders: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    reactions: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)


def per_customer(
    company: Company,
    metric: str,
    start: date,
    end: date,
    *,
    base_days: int,
    margin: float = 0.25,
    channel: str = "",
) -> dict[str, tuple[float, float]]:
    """Customer → (numerator, denominator) of a metric in start ≤ day < end."""
    bought: dict[str, list[date]] = defaultdict(list)
    for order in company.orders:
        if not order["is_return"]:
            bought[order["customer_id"]].append(order["day"])
    base = {
        c for c, days in bought.items() if any(start - timedelta(days=base_days) <= d < start for d in days)
    }
    inside = [order for order in company.orders if start <= order["day"] < end]
    x: dict[str, float] = defaultdict(float)
    y: dict[str, float] = defaultdict(float)
    if metric in ("revenue_per_customer", "orders_per_customer", "margin_per_customer"):
        for order in inside:
            paid, off = order["revenue"], order["discount"]
            x[order["customer_id"]] += {
                "revenue_per_customer": paid,
                "orders_per_customer": float(not order["is_return"]),
                "margin_per_customer": paid - (1 - margin) * (paid + off),
            }[metric]
        return {c: (x[c], 1.0) for c in base}
    if metric == "visits_per_customer":
        for visit in company.visits:
            x[visit["customer_id"]] += start <= visit["day"] < end
        return {c: (x[c], 1.0) for c in base}
    if metric == "churn":
        silent = {c for c in base if not any(end - timedelta(days=90) <= d < end for d in bought[c])}
        return {c: (float(c in silent), 1.0) for c in base}
    if metric == "reactivation_rate":
        quiet = {c for c in base if not any(start - timedelta(days=90) <= d < start for d in bought[c])}
        return {c: (float(any(start <= d < end for d in bought[c])), 1.0) for c in quiet}
    if metric.startswith("retention_"):
        within = int(metric.removeprefix("retention_"))
        found = {}
        for c, days in bought.items():
            first = min((d for d in days if start <= d < end), default=None)
            if first is not None:
                found[c] = (float(any(first < d <= first + timedelta(days=within) for d in days)), 1.0)
        return found
    if metric in ("average_order_value", "discount_share", "full_price_share"):
        for order in inside:
            c, paid, off, sold = (
                order["customer_id"],
                order["revenue"],
                order["discount"],
                not order["is_return"],
            )
            x[c] += {
                "average_order_value": paid,
                "discount_share": off,
                "full_price_share": float(sold and off == 0),
            }[metric]
            y[c] += paid + off if metric == "discount_share" else float(sold)
        return {c: (x[c], y[c]) for c in y if x[c] or y[c]}
    if metric in ("items_per_order", "categories_per_customer"):
        kinds: dict[str, set[str]] = defaultdict(set)
        for line in company.lines:
            if start <= line["day"] < end and line["quantity"] > 0:
                x[line["customer_id"]] += line["quantity"]
                kinds[line["customer_id"]].add(line["category"])
        for order in inside:
            if not order["is_return"]:
                y[order["customer_id"]] += 1
        if metric == "categories_per_customer":
            return {c: (float(len(kinds[c])), 1.0) for c in y}
        return {c: (x[c], y[c]) for c in {*x, *y}}
    return _of_messages(company, metric, start, end, channel)


def _of_messages(
    company: Company, metric: str, start: date, end: date, channel: str
) -> dict[str, tuple[float, float]]:
    sent = [m for m in company.messages if start <= m["day"] < end and not m["withheld"]]
    sent = [m for m in sent if not channel or m["channel"] == channel]
    if metric == "conversion":
        found: dict[str, tuple[float, float]] = {}
        for message in sent:
            after = any(
                order["customer_id"] == message["customer_id"]
                and not order["is_return"]
                and message["sent_at"] < order["ordered_at"] <= message["sent_at"] + timedelta(days=7)
                for order in company.orders
            )
            before = found.get(message["customer_id"], (0.0, 1.0))[0]
            found[message["customer_id"]] = (max(before, float(after)), 1.0)
        return found
    wanted = {
        "open_rate": ("opened", "delivered"),
        "click_rate": ("clicked", "delivered"),
        "click_to_open": ("clicked", "opened"),
        "unsubscribe_rate": ("unsubscribed", "delivered"),
        "complaint_rate": ("complained", "delivered"),
    }[metric]
    happened: dict[str, set[str]] = defaultdict(set)
    times = {message["message_id"]: message["sent_at"] for message in company.messages}
    for reaction in company.reactions:
        at = times.get(reaction["message_id"])
        late = at is None or reaction["happened_at"] > at + timedelta(days=3)
        machine = reaction["machine"] and reaction["kind"] in ("opened", "clicked")
        if not late and not machine:
            happened[reaction["message_id"]].add(reaction["kind"])
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    reporting = reports_deliveries(company, happened)
    for message in sent:
        kinds = happened[message["message_id"]]
        sums[message["customer_id"]][0] += wanted[0] in kinds
        arrived = "delivered" in kinds or month_of(message) not in reporting
        sums[message["customer_id"]][1] += arrived if wanted[1] == "delivered" else wanted[1] in kinds
    return {c: (pair[0], pair[1]) for c, pair in sums.items() if any(pair)}


def ratio(rows: dict[str, tuple[float, float]]) -> tuple[float, float]:
    """Σx / Σy and its delta-method standard error: sd(x − R y) √n / Σy over the n customers."""
    total = sum(y for _, y in rows.values())
    if not total:
        return math.nan, math.nan
    value = sum(x for x, _ in rows.values()) / total
    residuals = [x - value * y for x, y in rows.values()]
    if len(residuals) < 2 or max(map(abs, residuals)) < 1e-9:
        return value, math.nan
    return value, math.sqrt(variance(residuals) * len(residuals)) / abs(total)


def local_day(moment: datetime, zone: Any) -> date:
    return moment.astimezone(zone).date()


def month_of(message: Row) -> tuple[str, int, int]:
    return message["channel"], message["day"].year, message["day"].month


def reports_deliveries(company: Company, happened: dict[str, set[str]]) -> set[tuple[str, int, int]]:
    """Channels and months with any delivery: elsewhere what was sent counts as delivered."""
    return {
        month_of(message)
        for message in company.messages
        if not message["withheld"] and "delivered" in happened[message["message_id"]]
    }
