"""The canonical customer facts: which tables and columns exist, and where a number comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

Kind = Literal["id", "text", "time", "money", "number", "flag"]
Grain = Literal["week", "month", "quarter"]
GRAINS: tuple[Grain, ...] = ("week", "month", "quarter")


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column; `required` ones must be mapped, `minimum` bounds money and numbers."""

    name: str
    kind: Kind
    required: bool = False
    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One canonical table: `key` is unique where there is one, `time` orders its rows."""

    name: str
    columns: tuple[Column, ...]
    key: str | None = None
    time: str | None = None
    free_columns: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


def _spec(
    name: str,
    required: str,
    optional: str,
    *,
    key: str | None = None,
    time: str | None = None,
    free_columns: bool = False,
) -> TableSpec:
    columns: list[Column] = []
    for names, is_required in ((required, True), (optional, False)):
        for entry in names.split():
            column, _, kind = entry.partition(":")
            minimum = 0.0 if kind.endswith("+") else None
            columns.append(Column(column, kind.rstrip("+") or "text", is_required, minimum))  # pyright: ignore[reportArgumentType]
    return TableSpec(name, tuple(columns), key, time, free_columns)


# A kind with "+" may not be negative. `customers` and `assignments` take any further attribute as text.
TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        _spec(
            "customers",
            "customer_id:id",
            "registered_at:time source timezone language",
            key="customer_id",
            time="registered_at",
            free_columns=True,
        ),
        _spec(
            "orders",
            "order_id:id customer_id:id ordered_at:time revenue:money",
            "discount:money+ margin:money promo_code channel status",
            key="order_id",
            time="ordered_at",
        ),
        _spec(
            "order_lines",
            "order_id:id product_id:id",
            "customer_id:id ordered_at:time quantity:number price:money revenue:money discount:money+ "
            "status category brand",
            time="ordered_at",
        ),
        _spec(
            "messages",
            "message_id:id customer_id:id sent_at:time channel",
            "campaign programme purpose cost:money+ withheld:flag probability:number+ learnt_at:time team personal:flag "
            "title text",
            key="message_id",
            time="sent_at",
        ),
        _spec(
            "reactions",
            "message_id:id kind happened_at:time",
            "machine:flag learnt_at:time",
            time="happened_at",
        ),
        _spec("visits", "customer_id:id happened_at:time kind", "product_id:id category", time="happened_at"),
        _spec(
            "voices",
            "voice_id:id said_at:time source text",
            "customer_id:id score:number language url",
            key="voice_id",
            time="said_at",
        ),
        _spec("identities", "customer_id:id kind value_hash:id", ""),
        _spec(
            "consents",
            "customer_id:id processing channel state happened_at:time",
            "text version surface legal_basis language controller text_hash",
            time="happened_at",
        ),
        _spec("promotions", "name starts_at:time ends_at:time", "slice depth:number", time="starts_at"),
        _spec("spend", "source day:time money:money", "campaign", time="day"),
        _spec(
            "assignments",
            "experiment customer_id:id arm assigned_at:time",
            "probability:number+ stage delay_days:number channel discount:number",
            time="assigned_at",
            free_columns=True,
        ),
    )
}

REACTION_KINDS = ("delivered", "opened", "clicked", "replied", "unsubscribed", "complained", "bounced")


def start_of(day: date, grain: Grain) -> date:
    """The first day of the ISO week, month or quarter that holds `day`."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain == "month":
        return day.replace(day=1)
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)


def next_start(start: date, grain: Grain) -> date:
    """The first day of the period after the one that starts on `start`."""
    if grain == "week":
        return start + timedelta(days=7)
    months = 1 if grain == "month" else 3
    month = start.month - 1 + months
    return date(start.year + month // 12, month % 12 + 1, 1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """An ISO week, a month or a quarter, cut in the workspace's zone; `start` is its first day."""

    start: date
    grain: Grain

    @classmethod
    def holding(cls, day: date, grain: Grain) -> Period:
        return cls(start_of(day, grain), grain)

    @property
    def end(self) -> date:
        """The first day after it."""
        return next_start(self.start, self.grain)

    @property
    def code(self) -> str:
        """`2026-W46`, `2026-11` or `2026-Q4`."""
        if self.grain == "week":
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02d}"
        if self.grain == "month":
            return f"{self.start:%Y-%m}"
        return f"{self.start.year}-Q{(self.start.month - 1) // 3 + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a number comes from: what was read, up to when, by which version of the code."""

    source: str
    seen_until: datetime | None
    code_version: str
