"""SQL of each predicate of a promise over the sends of a log, by customer and time.

Everything is whole numbers (microseconds since 1970 UTC) and ordered by (time, message_id), so that an answer does not
depend on the order of rows or on the number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from primeta.attention.records import Promise
from primeta.warehouse.duck import quoted

MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHIFT = 24 * HOUR_US * 1_000_000
"""Whole days that keep times before 1970 above zero."""


def us_of(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exact."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(us: int) -> datetime:
    """The other way round."""
    return EPOCH + us * MICROSECOND


def listed(values: Sequence[str]) -> str:
    return ", ".join(quoted(value) for value in values)


def scope(promise: Promise, named_customers: str = "", *, of: str = "") -> str:
    """Condition on the sends that a promise speaks of, whenever they were sent.

    Args:
        named_customers: Query of the customers to whom it was made; empty: to all.
        of: Alias of the table of sends; empty: it has none.
    """
    own = f"{of}." if of else ""
    parts = ["true"]
    if promise.channel is not None:
        parts.append(f"{own}channel = {quoted(promise.channel)}")
    if promise.purpose is not None:
        parts.append(f"{own}purpose = {quoted(promise.purpose)}")
    if named_customers:
        parts.append(f"{own}customer IN {named_customers}")
    return " AND ".join(parts)


def valid(promise: Promise, column: str = "us") -> str:
    """Condition: it was in force when the message was sent; it ends just before `valid_to`."""
    parts = ["true"]
    if promise.valid_from is not None:
        parts.append(f"{column} >= {us_of(promise.valid_from)}")
    if promise.valid_to is not None:
        parts.append(f"{column} < {us_of(promise.valid_to)}")
    return " AND ".join(parts)


def rolling_max(promise: Promise, named_customers: str = "", *, late: bool) -> str:
    """Sends beyond `max` in the window (t − w, t] that ends with them, as (customer, pos, knowable).

    The n-th send before this one lies in the window if and only if more than n are there. It was knowable if n of the
    earlier ones had been learnt by then.

    Args:
        named_customers: As for `scope`.
        late: Whether any send was learnt after the next one went out.
    """
    assert promise.max is not None
    assert promise.window is not None
    most, window = promise.max, promise.window // MICROSECOND
    within = scope(promise, named_customers)
    counted = f"""SELECT customer, pos, us, lag(us, {most}) OVER (PARTITION BY customer ORDER BY pos) AS back
        FROM replay_sends WHERE {within}"""
    over = f"back > us - {window} AND {valid(promise)}"
    if not late or not most:
        return f"SELECT customer, pos, true AS knowable FROM ({counted}) WHERE {over}"
    return f"""WITH counted AS ({counted}),
        broken AS (SELECT customer, pos, us FROM counted WHERE {over}),
        earlier AS (SELECT customer, pos, pos_in - min(pos_in) OVER (
                PARTITION BY customer ORDER BY us RANGE BETWEEN {window - 1} PRECEDING AND CURRENT ROW) AS before
            FROM (SELECT customer, pos, us, row_number() OVER (PARTITION BY customer ORDER BY pos) AS pos_in
                FROM replay_sends WHERE {within})),
        unlearnt AS (SELECT b.customer, b.pos, count(*) AS n FROM broken b JOIN replay_late l
                ON l.customer = b.customer AND l.pos < b.pos AND l.us > b.us - {window} AND l.learnt > b.us
            WHERE {scope(promise, named_customers, of="l")} GROUP BY b.customer, b.pos)
        SELECT b.customer, b.pos, e.before - coalesce(u.n, 0) >= {most} AS knowable
        FROM broken b JOIN earlier e USING (customer, pos) LEFT JOIN unlearnt u USING (customer, pos)"""


def each_message(promise: Promise, condition: str, within: str, *, zones: str = "") -> str:
    """Sends for which `condition` holds, as (customer, pos, knowable): nothing but the message itself is needed."""
    source = "replay_sends" if not zones else "replay_sends JOIN replay_people USING (customer)"
    return f"SELECT customer, pos, true AS knowable FROM {source} WHERE {within} AND {valid(promise)} AND ({condition})"


def outside_hours(hours: tuple[int, int], local_hour: str) -> str:
    """Condition: the wall clock does not stand between the hours; from inclusive, to exclusive."""
    first, last = hours
    if first < last:
        return f"NOT ({local_hour} >= {first} AND {local_hour} < {last})"
    return f"NOT ({local_hour} >= {first} OR {local_hour} < {last})"


def local_hour(zones: Mapping[int, ZoneInfo], first: int, last: int) -> str:
    """Hour of the day of `us` where the customer lives; `zone` is the number of his zone.

    Offsets are those of the zone database of Python, the same that answers "may we send this?".

    Args:
        first, last: Between which the times lie, in microseconds.
    """
    cases: dict[str, list[int]] = {}
    for number, zone in zones.items():
        cases.setdefault(_offset(zone, first, last), []).append(number)
    if len(cases) == 1:
        offset = next(iter(cases))
    else:
        whens = " ".join(
            f"WHEN zone IN ({', '.join(map(str, numbers))}) THEN {case}"
            for case, numbers in sorted(cases.items())
        )
        offset = f"CASE {whens} ELSE 0 END"
    return f"(((us + {_SHIFT} + ({offset})) // {HOUR_US}) % 24)"


def _offset(zone: ZoneInfo, first: int, last: int) -> str:
    """SQL of a zone's offset to UTC in microseconds at `us`."""

    def at(us: int) -> int:
        return (moment_of(us).astimezone(zone).utcoffset() or timedelta(0)) // MICROSECOND

    day = 24 * HOUR_US
    steps: list[tuple[int, int]] = []
    low, before = first, at(first)
    while low < last:
        high = min(low + day, last)
        if (after := at(high)) != before:
            left, right = low, high
            while right - left > 1_000_000:
                middle = (left + right) // 2
                left, right = (middle, right) if at(middle) == before else (left, middle)
            # Clocks change at a whole second.
            change = -(-left // 1_000_000) * 1_000_000
            change = change if at(change) != before else change + 1_000_000
            steps.append((change, before))
            before = after
        low = high
    if not steps:
        return str(before)
    return (
        f"CASE {' '.join(f'WHEN us < {change} THEN {offset}' for change, offset in steps)} ELSE {before} END"
    )


def after_opt_out(promise: Promise, within: str) -> str:
    """Anything but service that was sent later than `stop_within` after an opt-out, as (customer, pos, knowable).

    An opt-out on one of the promise's channels is meant for all of them; a later consent ends it.
    """
    assert promise.stop_within is not None
    wait = promise.stop_within // MICROSECOND
    here = "true" if promise.channel is None else f"o.channel IN ('', {quoted(promise.channel)})"
    again = "g.channel IN ('', o.channel)"
    if promise.channel is not None:
        again = f"({again} OR g.channel = {quoted(promise.channel)})"
    return f"""WITH ended AS (SELECT o.customer, o.us, o.learnt, min(g.us) AS until
            FROM replay_optouts o LEFT JOIN replay_given g
                ON g.customer = o.customer AND g.us > o.us AND {again}
            WHERE {here} GROUP BY o.customer, o.us, o.learnt),
        silent AS (SELECT customer, coalesce(until, {1 << 62}) AS until, min(us) + {wait} AS since,
                min(greatest(us + {wait}, learnt)) AS known FROM ended GROUP BY ALL)
        SELECT s.customer, s.pos, bool_or(s.us > o.since AND s.us >= o.known) AS knowable
        FROM (SELECT customer, pos, us FROM replay_sends
            WHERE {within} AND purpose <> 'service' AND {valid(promise)}) s
        JOIN silent o ON o.customer = s.customer AND s.us > o.since AND s.us < o.until
        GROUP BY s.customer, s.pos"""


def not_delivered(promise: Promise, within: str, people: str) -> str:
    """Customers to whom what was promised did not come in time, as (customer)."""
    assert promise.by is not None
    since = f"AND us >= {us_of(promise.valid_from)}" if promise.valid_from is not None else ""
    what = quoted(promise.deliver)
    return f"""SELECT customer FROM ({people}) EXCEPT
        SELECT customer FROM replay_sends WHERE {within} AND (campaign = {what} OR programme = {what})
            AND us <= {us_of(promise.by)} {since}"""
