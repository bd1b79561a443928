"""Who was assigned to which arm, when, and for how long he could be followed."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from primeta.errors import BadInput, BadTable, NotFound
from primeta.reactivation.inputs import NOBODY, Given
from primeta.reactivation.records import BUCKETS, Campaign, Floats, Note
from primeta.warehouse.duck import named, one, quoted, run

MOST_SEGMENTS = 20
"""More make a list that nobody reads, and segments in which nothing can be told."""
MOST_GROUPS = 200
"""Arms × segments."""
SORTED = 1_000_000
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Everybody assigned up to `until`; the table `people` has a row for each.

    Its columns: `customer` (0 … count − 1), `customer_id` and, where ids are whole numbers, `number`; `segment`,
    `arm` (places in the tuples here), `bucket`, `assigned_at` (UTC), `assigned_us` (of it, since 1970),
    `followed` (days, exact), `lived` (blocks that it covers) and `covered` (days: the edge at which the last of
    them ends).
    """

    name: str
    """Of the experiment, where it is known."""
    arms: tuple[str, ...]
    segments: tuple[str, ...]
    count: int
    n: Floats
    """(S, A, B)"""
    first: datetime
    """The earliest assignment, UTC."""
    whole_ids: bool
    """Whether every id is a whole number, written as one."""
    others: str
    """View of other experiments' assignments (`customer`, `experiment`, `assigned_at`), or empty."""
    notes: tuple[Note, ...]


def end_of(campaign: Campaign) -> datetime:
    """The moment, UTC, at which the day `until` ends in the campaign's zone."""
    midnight = datetime.combine(campaign.until + timedelta(days=1), datetime.min.time())
    return midnight.replace(tzinfo=ZoneInfo(campaign.timezone)).astimezone(UTC).replace(tzinfo=None)


def seconds_since(time: str) -> str:
    """SQL of whole seconds from a customer's assignment (`people p`) to a time, rounded down; decades are cut off."""
    away = f"floor((epoch_us({time}) - p.assigned_us) / 1000000.0)"
    return f"greatest(least({away}, 2000000000), -2000000000)::INTEGER"


def edges_of(campaign: Campaign) -> tuple[int, ...]:
    """Days since assignment at which blocks begin and end: weeks, the window's end, the horizon."""
    weeks = range(0, campaign.horizon_days, 7)
    return tuple(sorted({*weeks, campaign.window_days, campaign.horizon_days}))


def read_assigned(
    connection: duckdb.DuckDBPyConnection,
    given: Given,
    campaign: Campaign,
    *,
    edges: tuple[int, ...],
    units: str = "",
    numbers: bool = True,
) -> Assigned:
    """Make the table `people` of each customer's first assignment, and `days` (day → its `block`, `lived`, `covered`).

    Args:
        units: A table `customer_id`, `unit` of customers who belong together and share a bucket; others stand alone.
        numbers: Whether any other table has ids that are whole numbers.
    Raises:
        BadTable: a customer, an arm or a time is missing; a customer stands in two arms; `by` is missing.
        BadInput, NotFound: several experiments and none named; an experiment, control or arm that is not there;
            nobody was assigned up to `until`.
    """
    notes: list[Note] = []
    by = named(campaign.by) if campaign.by else "''"
    known = {name.lower() for name in (*given.theirs, *given.columns)}
    if campaign.by and campaign.by.lower() not in known:
        raise BadTable(
            f"--by {campaign.by}: {given.where} has no such column; it has {', '.join(given.theirs)}. What splits "
            f"the customers must stand beside their assignment and be known before it."
        )
    name = _select(connection, given, campaign, by)
    _check_rows(connection, given, campaign)
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE first_rows AS SELECT customer_id, min(arm) AS arm, max(arm) AS other, "
        "min(assigned_at) AS assigned_at, max(assigned_at) AS last_at FROM chosen GROUP BY customer_id",
    )
    _check_one_arm(connection, given, campaign)
    arms = _arms(connection, given, campaign)
    end = end_of(campaign)
    total, later, again, first, last = one(
        connection,
        f"SELECT count(*), count(*) FILTER (assigned_at >= TIMESTAMP '{end}'), count(*) FILTER (last_at > assigned_at), "
        "min(assigned_at), max(assigned_at) FROM first_rows",
    )
    if later == total:
        raise BadInput(
            f"nobody was assigned up to {campaign.until}: assignments in {given.where} run from {first:%Y-%m-%d} to "
            f"{last:%Y-%m-%d}. Give a later --until, a day up to which the order log is complete."
        )
    if later:
        notes.append(Note("assigned-later", {"customers": later, "until": campaign.until}))
    if again:
        notes.append(Note("assigned-again", {"customers": again}))
    _make_days(connection, edges)
    segments, by_notes = _segments(connection, given, campaign)
    notes += by_notes
    if len(arms) * len(segments) > MOST_GROUPS:
        raise BadInput(
            f"{len(arms)} arms × {len(segments)} values of {campaign.by} are more than the {MOST_GROUPS} groups that can be "
            f"told apart. Put arms or values together first."
        )
    # Sorted, the same input gives the same sums to the last bit; of millions that would only cost time.
    order = "ORDER BY customer_id" if total <= SORTED else ""
    listed = ", ".join(quoted(name) for name in arms)
    listed_segments = ", ".join(quoted(name) for name in segments)
    unit = "coalesce(unit, customer_id)" if units else "customer_id"
    together = f"LEFT JOIN {units} USING (customer_id) " if units else ""
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE people AS SELECT (row_number() OVER ({order}) - 1)::INTEGER AS "
        f"customer, customer_id, {'try_cast(customer_id AS BIGINT)' if numbers else 'CAST(NULL AS BIGINT)'} AS number, "
        f"(list_position([{listed_segments}], segment) - 1)::SMALLINT AS segment, "
        f"(list_position([{listed}], arm) - 1)::SMALLINT AS arm, "
        f"floor(bucket('primeta', {unit}) * {BUCKETS})::SMALLINT AS bucket, assigned_at, "
        "epoch_us(assigned_at) AS assigned_us, "
        "followed, lived, covered FROM (SELECT f.*, coalesce(s.segment, '') AS segment, "
        f"(epoch_us(TIMESTAMP '{end}') - epoch_us(assigned_at)) / {DAY_US}::DOUBLE AS followed "
        f"FROM first_rows f LEFT JOIN first_segment s USING (customer_id) WHERE assigned_at < TIMESTAMP '{end}') "
        f"{together}"
        f"JOIN days ON days.day = floor(least(followed, {edges[-1]}))::INTEGER",
    )
    whole, count = one(
        connection,
        "SELECT coalesce(bool_and(number IS NOT NULL AND CAST(number AS VARCHAR) = customer_id), false), count(*) "
        "FROM people",
    )
    n = np.zeros((len(segments), len(arms), BUCKETS))
    for segment, arm, bucket, customers in run(
        connection, "SELECT segment, arm, bucket, count(*) FROM people GROUP BY ALL"
    ):
        n[segment, arm, bucket] = customers
    return Assigned(
        name=name,
        arms=arms,
        segments=segments,
        count=count,
        n=n,
        first=first,
        whole_ids=bool(whole),
        others=_others(connection, given, campaign),
        notes=tuple(notes),
    )


def _make_days(connection: duckdb.DuckDBPyConnection, edges: tuple[int, ...]) -> None:
    rows = []
    for day in range(edges[-1] + 1):
        # Edges are whole days, so whole days tell which of them have been reached.
        lived = sum(edge <= day for edge in edges[1:])
        rows.append(f"({day}, {lived}, {lived}, {edges[lived]})")
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE days AS SELECT day::INTEGER AS day, block::SMALLINT AS block, "
        f"lived::SMALLINT AS lived, covered::INTEGER AS covered FROM (VALUES {', '.join(rows)}) AS v(day, block, lived, covered)",
    )


def _select(connection: duckdb.DuckDBPyConnection, given: Given, campaign: Campaign, by: str) -> str:
    """Make `chosen`: the rows of the experiment that is asked for; its name is returned."""
    where, name = "", campaign.name
    if "experiment" in given:
        names = [
            row[0]
            for row in run(
                connection,
                f"SELECT DISTINCT experiment FROM {given.view} WHERE experiment IS NOT NULL ORDER BY 1 LIMIT 50",
            )
        ]
        if campaign.name:
            if campaign.name not in names:
                near = _near(campaign.name, names)
                raise NotFound(
                    f"{given.where} holds no experiment {campaign.name!r}; it holds {', '.join(names) or 'none'}."
                    f"{near}"
                )
            where = f" WHERE experiment = {quoted(campaign.name)}"
        elif len(names) > 1:
            raise BadInput(
                f"{given.where} holds {len(names)} experiments: {', '.join(names)}. Say which one is measured "
                f"(--experiment {names[0]})."
            )
        else:
            name = names[0] if names else ""
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE chosen AS SELECT CASE WHEN NOT {named(NOBODY)} THEN customer_id END AS customer_id, arm, assigned_at, CAST({by} AS VARCHAR) AS segment "
        f"FROM {given.view}{where}",
    )
    return name


def _check_rows(connection: duckdb.DuckDBPyConnection, given: Given, campaign: Campaign) -> None:
    rows, without_id, without_arm, without_time, example = one(
        connection,
        "SELECT count(*), count(*) FILTER (customer_id IS NULL), count(*) FILTER (arm IS NULL), "
        "count(*) FILTER (assigned_at IS NULL), min(customer_id) FILTER (assigned_at IS NULL OR arm IS NULL) FROM chosen",
    )
    if not rows:
        raise BadTable(f"{given.where}: there are no assignments; one row for each customer was expected.")
    for column, count, expected in (
        ("customer_id", without_id, "an id was expected"),
        ("arm", without_arm, "the name of an arm was expected"),
        ("assigned_at", without_time, "a time such as 2026-11-26 or 2026-11-26 14:30 was expected"),
    ):
        if count:
            whose = f", such as that of customer {example}" if example and column != "customer_id" else ""
            raise BadTable(
                f"{given.where}: {column} is empty or unreadable in {count:,} of {rows:,} rows{whose}; {expected}. "
                f"Without it nobody knows what he got and when: complete the rows or leave them out."
            )


def _check_one_arm(connection: duckdb.DuckDBPyConnection, given: Given, campaign: Campaign) -> None:
    found = run(
        connection,
        "SELECT customer_id, arm, other, count(*) OVER () FROM first_rows WHERE arm <> other ORDER BY 1 LIMIT 1",
    )
    if found:
        customer, one_arm, other, many = found[0]
        more = f" ({many:,} such customers in all)" if many > 1 else ""
        stages = (
            " The file has stages: what was done in sequence is measured by `primeta reactivation sequence`."
            if "stage" in given
            else ""
        )
        raise BadTable(
            f"{given.where}: customer {customer} stands in two arms, {one_arm} and {other}{more}. An arm is kept for "
            f"good, also by who lapses again: keep the one that was drawn first, and find out how the second came "
            f"about.{stages}"
        )


def _arms(connection: duckdb.DuckDBPyConnection, given: Given, campaign: Campaign) -> tuple[str, ...]:
    found = [row[0] for row in run(connection, "SELECT DISTINCT arm FROM chosen ORDER BY 1 LIMIT 101")]
    if len(found) > 100:
        raise BadTable(
            f"{given.where}: the column arm holds more than 100 names, such as {', '.join(found[:3])}. Is it the right "
            f"column?"
        )
    check_arms([campaign.control] if campaign.control else [], found, "--control")
    check_arms(campaign.promo_codes, found, "--promo-code")
    check_arms(campaign.contact_costs, found, "--contact-cost")
    check_arms(campaign.shares, found, "--shares")
    if campaign.control and len(found) == 1:
        raise BadInput(
            f"{given.where}: everybody is in the arm {found[0]}, the control; there is no arm to compare with it."
        )
    return (
        *([campaign.control] if campaign.control else []),
        *(arm for arm in found if arm != campaign.control),
    )


def check_arms(asked: Collection[str], arms: Collection[str], option: str) -> None:
    """Every arm that is asked for is there."""
    for name in asked:
        if name not in arms:
            raise NotFound(
                f"{option} {name}: there is no such arm; the assignments hold {', '.join(arms)}."
                f"{_near(name, arms)}"
            )


def _near(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name.casefold(), [entry.casefold() for entry in names], n=1)
    meant = next((entry for entry in names if near and entry.casefold() == near[0]), "")
    return f" Is it {meant!r}?" if meant else ""


def _segments(
    connection: duckdb.DuckDBPyConnection, given: Given, campaign: Campaign
) -> tuple[tuple[str, ...], list[Note]]:
    """Make `first_segment`: each customer's value of `by` as he was first assigned."""
    if not campaign.by:
        run(
            connection,
            "CREATE OR REPLACE TEMP VIEW first_segment AS SELECT '' AS customer_id, '' AS segment WHERE false",
        )
        return ("",), []
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE first_segment AS SELECT c.customer_id, coalesce(min(c.segment), '?') AS segment, "
        "max(c.segment) AS other FROM chosen c JOIN first_rows f ON c.customer_id = f.customer_id "
        "AND c.assigned_at = f.assigned_at GROUP BY c.customer_id",
    )
    twice = run(
        connection,
        "SELECT customer_id, segment, other, count(*) OVER () FROM first_segment WHERE other <> segment "
        "ORDER BY 1 LIMIT 1",
    )
    if twice:
        customer, low, high, many = twice[0]
        more = f" ({many:,} such customers in all)" if many > 1 else ""
        raise BadTable(
            f"{given.where}: customer {customer} has two values of {campaign.by} at his first assignment, {low} and "
            f"{high}{more}. What splits customers is one value, known before: keep one of them."
        )
    changed = one(
        connection,
        "SELECT count(*) FROM (SELECT customer_id FROM chosen GROUP BY customer_id HAVING "
        "count(DISTINCT coalesce(segment, '?')) > 1)",
    )[0]
    names = [row[0] for row in run(connection, "SELECT DISTINCT segment FROM first_segment ORDER BY 1")]
    if len(names) > MOST_SEGMENTS:
        raise BadInput(
            f"--by {campaign.by}: {len(names):,} different values, such as {', '.join(names[:3])}; at most "
            f"{MOST_SEGMENTS} can be told apart. Cut it into groups first."
        )
    notes = [Note("by-changes", {"customers": changed, "by": campaign.by})] if changed else []
    return tuple(names), notes


def _others(connection: duckdb.DuckDBPyConnection, given: Given, campaign: Campaign) -> str:
    if "experiment" not in given or not campaign.name:
        return ""
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE other_assignments AS SELECT p.customer, o.experiment, o.assigned_at FROM "
        f"(SELECT customer_id, experiment, assigned_at FROM {given.view} WHERE experiment <> {quoted(campaign.name)}) o "
        "JOIN people p USING (customer_id)",
    )
    return "other_assignments"
