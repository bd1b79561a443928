"""From orders and assignments to sums: what the assigned did after assignment, arm by arm, bucket by bucket.

The engine joins the log to the assigned once and keeps only numbers; after that customers go through in parts, so
that memory depends on the size of a part and not on that of the base.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from primeta.reactivation.follow_up_assigned import Assigned, edges_of, read_assigned
from primeta.reactivation.follow_up_blocks import add_blocks, add_events, at_risk, new_sums
from primeta.reactivation.follow_up_messages import (
    add_contact,
    contact_of,
    contamination_of,
    place_messages,
)
from primeta.reactivation.follow_up_orders import no_orders_after, part_of, place_orders
from primeta.reactivation.follow_up_people import (
    People,
    Span,
    before_of,
    discounts_of,
    fill_silence,
    read_people,
    totals_of,
)
from primeta.reactivation.follow_up_rows import read_earlier, read_later
from primeta.reactivation.follow_up_tail import Columns, stands_of, tail_of
from primeta.reactivation.follow_up_traits import learn_norm, traits_of
from primeta.reactivation.follow_up_visits import place_visits, visit_traits
from primeta.reactivation.inputs import Given
from primeta.reactivation.records import BUCKETS, Campaign, Floats, FollowUp, Ints, Note
from primeta.stats.moments import Moments, stacked
from primeta.warehouse.duck import plain_errors, run

PART = 500_000
"""Customers that are counted together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What was given, each as canonical view on one connection."""

    assignments: Given
    orders: Given | None = None
    lines: Given | None = None
    visits: Given | None = None
    messages: Given | None = None
    reactions: Given | None = None


def follow(
    connection: duckdb.DuckDBPyConnection,
    tables: Tables,
    campaign: Campaign,
    *,
    units: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> FollowUp:
    """What the assigned did after assignment, as sums.

    Args:
        units: A table `customer_id`, `unit` on the connection: customers of one unit are no independent draws.
        tables: `orders`, or `lines` that carry customer, time and money and are summed by `order_id`.
        progress: Called with a step, how many parts are done, and how many there are.
    Raises:
        BadTable, BadInput, NotFound: as `read_assigned`, `place_orders`, `place_messages`, `place_visits`.
    Notes:
        Counted are customers assigned up to the end of the day `campaign.until`, by their first assignment. An order
        belongs after assignment if `ordered_at >= assigned_at`; days are full days of 86,400 seconds since.
    """
    tell = progress or (lambda _step, _done, _total: None)
    edges = edges_of(campaign)
    with plain_errors("counting what the assigned did"):
        tell("assignments", 0, 1)
        others = (tables.orders, tables.lines, tables.visits, tables.messages)
        numbers = any(given is not None and "customer_id" in given.numbered for given in others)
        assigned = read_assigned(
            connection, tables.assignments, campaign, edges=edges, units=units, numbers=numbers
        )
        campaign = replace(campaign, name=campaign.name or assigned.name)
        tell("orders", 0, 1)
        log = tables.orders or tables.lines
        assert log is not None
        placed = place_orders(connection, log, assigned, campaign)
        contacts = place_messages(connection, tables.messages, tables.reactions, assigned, campaign)
        seen = place_visits(connection, tables.visits, tables.lines, tables.orders, assigned, campaign)
        norm = learn_norm(connection, placed, assigned.count)

        groups = (*assigned.n.shape[:2], BUCKETS)
        shape = (*groups, len(edges) - 1)
        lived = run(connection, "SELECT segment, arm, bucket, lived, count(*) FROM people GROUP BY ALL")
        risk = at_risk(lived, shape)
        span = Span(window_days=campaign.window_days, seen_days=_seen_days(connection, assigned, edges))
        counted = _Counted(groups)
        sums = new_sums(shape)
        has_code = tuple(bool(campaign.promo_codes.get(arm)) for arm in assigned.arms)
        stands: list[Columns] = []
        parts = range(0, assigned.count, PART)
        for number, low in enumerate(parts):
            tell("customers", number, len(parts))
            high = min(low + PART, assigned.count)
            with part_of(connection, placed, low, high):
                later = read_later(connection, campaign, low, high, touched=contacts.touched)
                people = read_people(
                    connection,
                    low,
                    high,
                    shape=groups,
                    has_code=has_code,
                    span=span,
                    earlier=read_earlier(connection, low),
                    later=later,
                )
                further = visit_traits(connection, seen, span.seen_days, low, high)
            add_blocks(sums, people, later, edges)
            spent = {
                name: contact_of(connection, contacts, assigned, campaign, people, low, high, days)
                for name, days in (("window", span.window_days), ("seen", span.seen_days))
            }
            traits = {**traits_of(people, span.seen_days, norm), **further}
            counted.add(people, span, spent, traits)
            stands.append(stands_of(people))
        tell("customers", len(parts), len(parts))
        if seen.visits:
            add_events(
                connection,
                sums,
                f"(SELECT * FROM visited WHERE seconds < {edges[-1] * 86_400})",
                {"visits": "count(*)"},
            )
        add_contact(connection, contacts, assigned, campaign, sums, risk)
        notes = [*assigned.notes, *placed.notes, *contacts.notes, *seen.notes]
        if no_orders_after(connection):
            notes.append(Note("no-orders-after"))
        if norm is None:
            notes.append(Note("no-rhythm"))
        fill_silence(counted.before, assigned.n.sum(axis=-1))
        contamination = contamination_of(connection, assigned, contacts, campaign)
    return FollowUp(
        campaign=campaign,
        arms=assigned.arms,
        segments=assigned.segments,
        edges=edges,
        n=assigned.n,
        at_risk=risk,
        sums=sums,
        seen_days=span.seen_days,
        window=counted.window,
        seen=counted.seen,
        clustered=bool(units),
        traits_n=counted.traits_n,
        traits=counted.traits,
        traits_squared=counted.squared,
        discounts=counted.discounts(),
        tail=tail_of(stands),
        before=counted.before,
        contamination=contamination,
        notes=tuple(notes),
        has_code=has_code,
    )


def _seen_days(connection: duckdb.DuckDBPyConnection, assigned: Assigned, edges: tuple[int, ...]) -> int:
    """The largest edge that at least half of each arm has lived through."""
    counts = np.zeros((len(assigned.arms), len(edges)))
    for arm, lived, customers in run(connection, "SELECT arm, lived, count(*) FROM people GROUP BY ALL"):
        counts[arm, lived] = customers
    through = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    half = (through >= counts.sum(axis=1, keepdims=True) / 2).all(axis=0)
    return edges[int(np.flatnonzero(half).max())]


class _Counted:
    """What the parts add up to."""

    def __init__(self, groups: tuple[int, int, int]) -> None:
        self.groups = groups
        self.traits_n = np.zeros(groups)
        self.traits: dict[str, Floats] = {}
        self.squared: dict[str, Floats] = {}
        self.before: dict[str, Floats] = {}
        self._window: list[Moments] = []
        self._seen: list[Moments] = []
        self._discounts: list[list[tuple[Floats, Ints, Ints]]] = []

    def add(self, people: People, span: Span, spent: dict[str, Floats], traits: dict[str, Floats]) -> None:
        through = people["followed"] >= span.window_days
        self._window.append(people.moments(totals_of(people, "window", spent["window"]), through))
        self._discounts.append(discounts_of(people, through))
        whole = (people["followed"] >= span.seen_days) & (span.seen_days > 0)
        self._seen.append(people.moments(totals_of(people, "seen", spent["seen"]), whole))
        self.traits_n += people.by_cell(np.ones(len(people)), whole)
        for name, values in traits.items():
            for into, added in ((self.traits, values), (self.squared, values**2)):
                into[name] = into.get(name, np.zeros(self.groups)) + people.by_cell(added, whole)
        for name, values in before_of(people).items():
            self.before[name] = self.before.get(name, np.zeros(self.groups[:2])) + values

    @property
    def window(self) -> Moments:
        return stacked(self._window).merged(0)

    @property
    def seen(self) -> Moments:
        return stacked(self._seen).merged(0)

    def discounts(self) -> tuple[tuple[Floats, Ints, Ints], ...]:
        found = []
        for arm in range(self.groups[1]):
            own = [part[arm] for part in self._discounts]
            discount, bucket, segment = (np.concatenate([part[at] for part in own]) for at in range(3))
            found.append((discount, bucket, segment))
        return tuple(found)
