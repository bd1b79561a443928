"""How much is welcomed, week by week, in each segment: the series in which a segment's blindness is looked for.

A week's value is the share of touches that were welcomed, as it would be with the usual mix of purposes and channels:
welcomes seen over those that the whole base's shares of the weeks before the promise year make expect of just these
touches, times the overall share. So a month of offers is no blindness, and a month of receipts hides none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from primeta.attention.outcomes import DRIVING_AWAY, WELCOMING, WITHIN
from primeta.facts import Provenance
from primeta.warehouse.duck import arrow, connect, named, one, plain_errors, quoted, run
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.metric import Measure, Metric
from primeta.warehouse.rows import month_files, shift_month
from primeta.warehouse.series import Series, Slice

if TYPE_CHECKING:
    import duckdb

    from primeta.config import Config

Floats = npt.NDArray[np.float64]

FORMAT = 1
FOLDER = "attention"
KNOWN_TOUCHES = 10
"""A share of a purpose on a channel is pulled towards that of the base as by so many touches."""

ALMOST_ALL = 0.99
"""Of what is expected of the slice above: then it is the same slice under another name."""

ATTENTION = Metric(
    name="attention",
    numerator=Measure(table="messages", sum="welcomed"),
    denominator=Measure(table="messages", sum="expected"),
    unit="share",
    good="up",
    smallest_effect=0.05,
    label={"en": "Welcomed messages", "ru": "Отклик на сообщения"},
    maturity_days=3,
    by_channel=True,
)
"""Measured here and watched beside the metrics, in a list of its own; not one that an experiment can have as its goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to cut the base."""

    names: tuple[str, ...]
    """Of the attributes in the slice's code; empty: everybody."""
    values: tuple[str, ...]
    """SQL over the touches and their customers, in the same order."""
    channel: bool = False
    """Each channel apart."""


def segment_series(
    config: Config, facts: Facts, *, cache: Path, promise_start: date, until: datetime
) -> list[Series]:
    """A series for everybody, each channel, programme, source and quarter of registration, and each declared slice.

    Months that did not change are read from the cache, and where nothing changed nothing is read but the result.

    Args:
        cache: Folder of what earlier runs worked out; may be deleted at any time.
        promise_start: Shares of purposes and channels are those of the weeks before.
        until: What happened later is not known yet. A week counts once its last 72 hours are over.
    Returns:
        Weekly ones, large slices only; none where there are no messages or reactions.
    """
    if not facts.parts.get("messages") or not facts.parts.get("reactions"):
        return []
    folder = cache / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with connect() as connection, plain_errors("counting what was welcomed"):
        months = _months(connection, facts, folder)
        families = tuple(_families(connection, config, facts))
        mark = _hash(
            FORMAT, sorted(path.name for path in months), facts.attributes_version, facts.customers_file,
            [(entry.names, entry.values, entry.channel) for entry in families],
            promise_start.isoformat(), until.isoformat(), config.slices.smallest, config.slices.most_values,
        )  # fmt: skip
        kept = folder / f"segments-{promise_start.isoformat()}-{until.date().isoformat()}.parquet"
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = None
        if kept.exists():
            try:
                table = pq.read_table(kept)
            except (OSError, pa.ArrowInvalid):
                # A cache may be lost at any time: it is worked out again.
                table = None
            if table is not None and (table.schema.metadata or {}).get(b"mark") != mark.encode():
                table = None
        if table is None:
            table = _moments(connection, config, facts, families, months, promise_start, until)
            table = table.replace_schema_metadata({b"mark": mark.encode()})
            for old in folder.glob(f"segments-{promise_start.isoformat()}-*.parquet"):
                old.unlink(missing_ok=True)
            _write(table, kept)
    return _series(table, facts)


def _months(connection: duckdb.DuckDBPyConnection, facts: Facts, folder: Path) -> list[Path]:
    """A file for each month of messages: how many of each customer's were sent and welcomed, by week and kind."""
    found: list[Path] = []
    for month in sorted(facts.months("messages")):
        after = shift_month(month, 1)
        marks = [
            part.digest
            for table in ("messages", "reactions", "visits", "orders")
            for name in (month, after)
            if (part := facts.months(table).get(name)) is not None and (table != "messages" or name == month)
        ]
        path = folder / f"welcomes-{month}-{_hash(FORMAT, marks)}.parquet"
        if not path.exists():
            for old in folder.glob(f"welcomes-{month}-*.parquet"):
                old.unlink(missing_ok=True)
            _write(arrow(connection, _welcomes(facts, month, after)), path)
        found.append(path)
    return found


def _welcomes(facts: Facts, month: str, after: str) -> str:
    hours = f"INTERVAL {int(WITHIN.total_seconds() // 3600)} HOURS"
    signs: list[str] = []
    reactions = month_files(facts, "reactions", month, after)
    if reactions:
        signs.append(
            f"""SELECT message_id, bool_or(kind IN ({_listed(WELCOMING)}) AND NOT coalesce(machine, false)) AS glad,
                bool_or(kind IN ({_listed(DRIVING_AWAY)})) AS gone
            FROM {reactions} JOIN m USING (message_id)
            WHERE happened_at BETWEEN sent_at AND sent_at + {hours} GROUP BY message_id"""
        )
    for table, at, only in (("visits", "happened_at", "true"), ("orders", "ordered_at", "NOT is_return")):
        files = month_files(facts, table, month, after)
        if files:
            signs.append(
                f"""SELECT message_id, true AS glad, false AS gone FROM m ASOF JOIN (
                    SELECT customer AS who, {at} AS moment FROM {files} WHERE {only} AND customer IS NOT NULL
                ) v ON m.customer = v.who AND m.sent_at <= v.moment WHERE v.moment <= m.sent_at + {hours}"""
            )
    told = (
        " UNION ALL ".join(signs)
        or "SELECT NULL::VARCHAR AS message_id, false AS glad, false AS gone LIMIT 0"
    )
    return f"""WITH m AS (
            SELECT message_id, customer, sent_at, CAST(date_trunc('week', day) AS DATE) AS week,
                coalesce(channel, '') AS channel, coalesce(lower(purpose), 'useful') AS purpose,
                coalesce(programme, '') AS programme
            FROM {month_files(facts, "messages", month)} WHERE NOT coalesce(withheld, false) AND customer IS NOT NULL),
        o AS (SELECT message_id, bool_or(glad) AND NOT bool_or(gone) AS good FROM ({told}) GROUP BY message_id)
        SELECT customer, week, channel, purpose, programme, CAST(count(*) AS INTEGER) AS sent,
            CAST(count(*) FILTER (coalesce(good, false)) AS INTEGER) AS good
        FROM m LEFT JOIN o USING (message_id) GROUP BY ALL"""


def _families(connection: duckdb.DuckDBPyConnection, config: Config, facts: Facts) -> Iterator[Family]:
    have = {
        row[0]
        for row in run(
            connection, f"DESCRIBE SELECT * FROM read_parquet({quoted(str(facts.customers_path))})"
        )
    }
    paths = [(name,) for name in config.slices.by]
    paths += [path[:depth] for path in config.slices.cross for depth in range(1, len(path) + 1)]
    paths = [path for path in dict.fromkeys(paths) if set(path) <= have]
    if "source" in have and ("source",) not in paths:
        paths.append(("source",))
    families = [Family(names=(), values=())]
    families += [
        Family(names=path, values=tuple(f"CAST(p.{named(name)} AS VARCHAR)" for name in path))
        for path in paths
    ]
    if "registered_at" in have:
        quarter = "strftime(p.registered_at, '%Y') || '-Q' || quarter(p.registered_at)"
        families.append(Family(names=("joined",), values=(quarter,)))
    families.append(Family(names=("programme",), values=("nullif(t.programme, '')",)))
    for family in families:
        yield family
        if config.slices.channels:
            yield Family(names=family.names, values=family.values, channel=True)


_SUMS = ("x", "y", "xx", "xy", "yy", "customers")


def _moments(
    connection: duckdb.DuckDBPyConnection,
    config: Config,
    facts: Facts,
    families: Sequence[Family],
    months: Sequence[Path],
    promise_start: date,
    until: datetime,
) -> Any:
    """One row a slice, week and half of the customers: sums over customers of welcomes x and those expected y."""
    import pyarrow as pa

    listed = ", ".join(quoted(str(path)) for path in months)
    local = (until - WITHIN).astimezone(_zone(facts)).date()
    last = local - timedelta(days=local.weekday())
    run(
        connection,
        f"""CREATE OR REPLACE TEMP TABLE touches AS SELECT customer, week, channel, purpose, programme,
            sum(sent) AS sent, sum(good) AS good FROM read_parquet([{listed}])
            WHERE week < DATE '{last.isoformat()}' GROUP BY ALL""",
    )
    before = f"week < DATE '{promise_start.isoformat()}'"
    overall = one(
        connection,
        f"""SELECT coalesce(sum(good) FILTER ({before}) / nullif(sum(sent) FILTER ({before}), 0),
            sum(good) / nullif(sum(sent), 0), 0) FROM touches""",
    )[0]
    run(
        connection,
        # In steps of 1/65,536: sums of such doubles and of their squares are exact, so that no order in which the
        # engine's threads add changes a digit, and a watch that is repeated writes the same.
        f"""CREATE OR REPLACE TEMP TABLE kinds AS SELECT channel, purpose,
            round(65536 * (coalesce(sum(good) FILTER ({before}), 0) + {KNOWN_TOUCHES} * {overall!r})
            / (coalesce(sum(sent) FILTER ({before}), 0) + {KNOWN_TOUCHES})) / 65536 AS share
            FROM touches GROUP BY ALL""",
    )
    parts = []
    for family in families:
        names = [f"v{place}" for place in range(len(family.values))]
        cut = "".join(f", {value} AS {name}" for name, value in zip(names, family.values, strict=True))
        known = " AND ".join(f"{name} IS NOT NULL" for name in names) or "true"
        channel = "t.channel" if family.channel else "''"
        labels = " || '&' || ".join(
            f"{quoted(name + '=')} || {column}" for name, column in zip(family.names, names, strict=True)
        )
        run(
            connection,
            f"""CREATE OR REPLACE TEMP TABLE cut AS SELECT {labels or "''"} AS code, on_channel, week, half,
                sum(x) AS x, sum(y) AS y, sum(x * x) AS xx, sum(x * y) AS xy, sum(y * y) AS yy, count(*) AS customers
            FROM (SELECT t.customer, t.week, {channel} AS on_channel, p.first_half AS half{cut},
                    sum(t.good) AS x, sum(t.sent * k.share) AS y
                FROM touches t JOIN kinds k USING (channel, purpose)
                JOIN read_parquet({quoted(str(facts.customers_path))}) p ON p.customer = t.customer GROUP BY ALL)
            WHERE {known} GROUP BY ALL""",
        )
        large = f"""SELECT code, on_channel FROM (SELECT code, on_channel, week, sum(customers) AS n FROM cut GROUP BY ALL)
            GROUP BY ALL HAVING median(n) >= {config.slices.smallest if family.names or family.channel else 0}
            ORDER BY sum(n) DESC, code, on_channel LIMIT {config.slices.most_values ** max(len(family.names), 1)}"""
        parts.append(
            arrow(
                connection,
                f"""SELECT code, on_channel, week, half, {", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _SUMS)}
                FROM cut SEMI JOIN ({large}) USING (code, on_channel) ORDER BY code, on_channel, week, half""",
            )
        )
    table = pa.concat_tables(parts)
    return table.append_column("overall", pa.array(np.full(table.num_rows, float(overall))))


def _series(table: Any, facts: Facts) -> list[Series]:
    if not table.num_rows:
        return []
    code, channel = (table[name].to_pylist() for name in ("code", "on_channel"))
    week = table["week"].to_numpy().astype("datetime64[D]")
    half = table["half"].to_numpy(zero_copy_only=False).astype(bool)
    sums = np.stack([table[name].to_numpy() for name in _SUMS])
    overall = float(table["overall"][0].as_py())
    starts = np.arange(week.min(), week.max() + np.timedelta64(1, "D"), np.timedelta64(7, "D"))
    place = (week - starts[0]) // np.timedelta64(7, "D")
    provenance = Provenance(
        source=f"facts {facts.version}: welcomed / expected of the same purposes and channels",
        seen_until=facts.seen_until,
        code_version=version("primeta"),
    )
    rows: dict[tuple[str, str], list[int]] = {}
    for number, key in enumerate(zip(code, channel, strict=True)):
        rows.setdefault(key, []).append(number)
    found: list[Series] = []
    for (segment, on), numbers in sorted(rows.items()):
        each = np.zeros((2, len(_SUMS), len(starts)))
        at = np.array(numbers)
        each[np.where(half[at], 0, 1), :, place[at]] = sums[:, at].T
        both = each.sum(axis=0)
        value, se = _share(both, overall)
        halves = [_share(each[side], overall) for side in (0, 1)]
        pairs = tuple(
            (name, text) for entry in segment.split("&") if entry for name, _, text in (entry.partition("="),)
        )
        found.append(
            Series(
                metric=ATTENTION.name,
                slice=Slice(pairs, on),
                grain="week",
                starts=starts,
                value=value,
                se=se,
                customers=both[5],
                numerator=overall * both[0],
                denominator=both[1],
                half_value=np.stack([part[0] for part in halves]),
                half_se=np.stack([part[1] for part in halves]),
                provenance=provenance,
            )
        )
    return [entry for entry in found if not _is_whole(entry, found)]


def _is_whole(entry: Series, every: Sequence[Series]) -> bool:
    """Whether an attribute cuts nothing off: everybody there has this value."""
    part = entry.slice
    if not part.segment:
        return False
    above = Slice(part.segment[:-1], part.channel)
    parent = next((other for other in every if other.slice == above), None)
    return parent is not None and float(entry.denominator.sum()) > ALMOST_ALL * float(
        parent.denominator.sum()
    )


def _share(sums: Floats, overall: float) -> tuple[Floats, Floats]:
    """(T,) value and standard error over customers, by the delta method; NaN where nothing was expected."""
    x, y, xx, xy, yy, _ = sums
    known = y > 0
    below = np.where(known, y, 1.0)
    ratio = x / below
    variance = np.maximum(xx - 2 * ratio * xy + ratio * ratio * yy, 0.0)
    return (
        np.where(known, overall * ratio, np.nan),
        np.where(known, overall * np.sqrt(variance) / below, np.nan),
    )


def _zone(facts: Facts) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(facts.timezone)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def _write(table: Any, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from primeta.warehouse.facts_store import replace_file

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    replace_file(path, sink.getvalue().to_pybytes())
