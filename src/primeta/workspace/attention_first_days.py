"""The first days of new customers, as the programmes really send, with a typical one to walk through."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from primeta.attention.first_days import (
    FirstMessages,
    NewCustomer,
    cohort_months,
    first_messages,
    last_whole_cohort,
    place_newcomers,
)
from primeta.errors import BadInput, NotFound
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.store.keys import keys_of
from primeta.warehouse.duck import connect, plain_errors, quoted, run
from primeta.workspace.attention_credit import facts_of
from primeta.workspace.attention_first_days_words import tell
from primeta.workspace.may_send import promises_in_force

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

LONGEST = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A real new customer whose shade can be walked through day by day."""

    customer: str
    """His pseudonym."""
    since: datetime
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDays:
    """What new customers received in their first days."""

    registered_from: date
    registered_to: date
    """Both days in."""
    days: int
    basis: str
    """`registered`: by the day of registration; `first-message`: nothing tells of it, so by the first message."""
    whole: bool
    """Whether all of them have had all their days; if not, the last days rest on fewer messages than will come."""
    found: FirstMessages
    typical: Example | None
    most: Example | None

    def line(self, lang: str = "en") -> str:
        found, number = self.found, locale.number
        said = [
            tell(
                lang,
                "line",
                customers=number(found.customers, lang),
                span=locale.days_between(self.registered_from, self.registered_to, lang),
                days=number(self.days, lang),
                mean=number(sum(entry.per_customer for entry in found.programmes), lang, digits=1),
                nothing=locale.percent(found.nothing / found.customers, lang, digits=0),
            )
        ]
        if math.isfinite(found.first_sale):
            said.append(
                tell(
                    lang,
                    "sale",
                    day=number(found.first_sale, lang, digits=0),
                    share=locale.percent(found.sold_by_day[-1], lang, digits=0),
                )
            )
        said += [
            tell(
                lang,
                "promise",
                text=entry.text,
                share=locale.percent(entry.share, lang, digits=1),
                broken=number(entry.broken, lang),
            )
            for entry in found.promises
            if entry.broken
        ]
        if self.typical is not None:
            said.append(
                tell(
                    lang,
                    "typical",
                    customer=self.typical.customer,
                    messages=number(self.typical.messages, lang),
                )
            )
        if self.most is not None:
            said.append(
                tell(lang, "most", customer=self.most.customer, messages=number(self.most.messages, lang))
            )
        if not self.whole:
            said.append(tell(lang, "not-whole"))
        return "\n".join(said)

    def table(self, lang: str = "en") -> Table:
        """Programmes in the order in which they reach a new customer."""
        codes = ("programme", "reached", "first", "per-customer", "selling")
        rows = tuple(
            (
                entry.programme or tell(lang, "no-name"),
                locale.percent(entry.reached, lang, digits=0),
                locale.number(entry.first_day, lang, digits=0),
                locale.number(entry.per_customer, lang, digits=2),
                locale.percent(entry.selling, lang, digits=0),
            )
            for entry in self.found.programmes
        )
        return Table(
            heads=tuple(Head(tell(lang, code), "left" if code == "programme" else "right") for code in codes),
            rows=rows,
            note=self.line(lang),
        )

    def weeks_table(self, lang: str = "en") -> Table:
        """Messages a week: median and 90th percentile."""
        codes = ("week", "median", "p90", "mean")
        return Table(
            heads=tuple(Head(tell(lang, code), "left" if code == "week" else "right") for code in codes),
            rows=tuple(
                (
                    week_days(week.week, self.days),
                    locale.number(week.median, lang),
                    locale.number(week.p90, lang),
                    locale.number(week.per_customer, lang, digits=2),
                )
                for week in self.found.weeks
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        found = self.found
        return {
            "registered_from": self.registered_from,
            "registered_to": self.registered_to,
            "days": self.days,
            "basis": self.basis,
            "whole": self.whole,
            "customers": found.customers,
            "nothing": found.nothing,
            "at_least": [{"messages": n, "share": share} for n, share in found.at_least.items()],
            "weeks": [
                {name: getattr(week, name) for name in ("week", "median", "p90", "per_customer")}
                for week in found.weeks
            ],
            "programmes": [
                {
                    name: getattr(entry, name)
                    for name in ("programme", "reached", "first_day", "per_customer", "selling", "by_day")
                }
                for entry in found.programmes
            ],
            "first_sale": found.first_sale,
            "sold_by_day": list(found.sold_by_day),
            "messages_before_sale": found.useful_before,
            "opted_out": found.opted_out,
            "promises": [
                {
                    name: getattr(entry, name)
                    for name in ("promise", "version", "text", "broken", "customers", "share", "why_not")
                }
                for entry in found.promises
            ],
            "typical": _example(self.typical),
            "most": _example(self.most),
        }


def week_days(week: int, days: int) -> str:
    """`8–14`: the days of a week, of which the last may be cut short."""
    first, last = 7 * week - 6, min(7 * week, days)
    return f"{first}–{last}" if last > first else str(first)


def _example(example: Example | None) -> dict[str, Any] | None:
    if example is None:
        return None
    return {"customer": example.customer, "since": example.since, "messages": example.messages}


def first_days(
    ws: Workspace,
    *,
    now: datetime,
    days: int = 30,
    registered_from: date | None = None,
    registered_to: date | None = None,
) -> FirstDays:
    """What new customers received in their first days, and a typical one and the most-written-to by pseudonym.

    A day of a customer begins at the time of day at which he registered.

    Args:
        registered_from, registered_to: Days, both in, in the workspace's zone. Default: the latest calendar month whose
            new customers have all had their days.
    Raises:
        NotFound: there are no messages, or nobody registered then.
        BadInput: the days make no sense.
    """
    if not 1 <= days <= LONGEST:
        raise BadInput(f"--days {days}: a number from 1 to {LONGEST} was expected")
    if (registered_from is None) != (registered_to is None):
        raise BadInput("give both --from and --to, or neither")
    facts = facts_of(ws, now=now)
    parts = facts.parts.get("messages", ())
    if not parts or facts.seen_until is None:
        raise NotFound("the workspace has no messages; map [tables.messages] and run doctor")
    customers, everything = str(facts.customers_path), [str(facts.path(part)) for part in parts]
    zone = ws.config.timezone
    seen = facts.seen_until.astimezone(ws.config.zone).date()
    with closing(connect()) as connection, plain_errors("reading what new customers received"):
        have = {
            row[0] for row in run(connection, f"DESCRIBE SELECT * FROM read_parquet({quoted(customers)})")
        }
        registered = "registered_at" in have
        if registered_from is None or registered_to is None:
            months = cohort_months(
                connection, customers=customers, messages=everything, registered=registered, zone=zone
            )
            if not months and registered:
                registered = False
                months = cohort_months(
                    connection, customers=customers, messages=everything, registered=False, zone=zone
                )
            cohort = last_whole_cohort(months, seen_until=seen, days=days)
            if cohort is None:
                raise NotFound(
                    f"no month's new customers have had {days} days up to {seen.isoformat()}; ask for fewer days, or name "
                    "the days of registration"
                )
            registered_from, registered_to = cohort
        if registered_to < registered_from:
            raise BadInput(
                f"the last day of registration {registered_to} lies before the first {registered_from}"
            )
        many = place_newcomers(
            connection,
            customers=customers,
            messages=everything,
            registered=registered,
            since=registered_from,
            to=registered_to,
            zone=zone,
        )
        if not many:
            raise NotFound(
                f"no new customer from {registered_from} to {registered_to}; the facts know of customers up to {seen}"
            )
        last = registered_to + timedelta(days=days + 1)

        def within(table: str) -> list[str]:
            return [
                str(facts.path(part))
                for part in facts.parts.get(table, ())
                if f"{registered_from - timedelta(days=1):%Y-%m}" <= part.month <= f"{last:%Y-%m}"
            ]

        found = first_messages(
            connection,
            messages=within("messages") or everything[:1],
            reactions=within("reactions"),
            days=days,
            promises=promises_in_force(ws),
            timezone=zone,
        )
    keys = keys_of(ws.database, now=now)

    def example(customer: NewCustomer | None) -> Example | None:
        if customer is None:
            return None
        return Example(
            customer=keys.pseudonym(customer.customer_id),
            since=customer.since.astimezone(UTC),
            messages=customer.messages,
        )

    return FirstDays(
        registered_from=registered_from,
        registered_to=registered_to,
        days=days,
        basis="registered" if registered else "first-message",
        whole=registered_to + timedelta(days=days) <= seen,
        found=found,
        typical=example(found.typical),
        most=example(found.most),
    )
