"""The workspace's own copy of the facts: immutable Parquet files by month and one manifest that says which count.

A file's name holds a hash of its rows, so a month that was read again and had not changed keeps
its file, and everything computed from it stays valid. The manifest is replaced in one rename,
last: a process killed at any moment leaves the state before or the state after, never a mixture.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadTable
from primeta.facts import TABLES
from primeta.warehouse.clean import DISTINCT_TABLES, placeholder
from primeta.warehouse.duck import named, one, plain_errors, quoted, run
from primeta.warehouse.sources import FILE_COLUMN, files_of, is_file

if TYPE_CHECKING:
    import duckdb

    from primeta.warehouse.engine import Warehouse

FORMAT = 1
MANIFEST = "manifest.json"
READ_AGAIN_DAYS = 35
# Tables that metrics read by month. Beside the canonical columns their files hold `day` (local), `is_return`
# and `customer`, the integer that stands for the customer's id.
DATED = ("orders", "order_lines", "messages", "reactions", "visits")
_MONTH = "CAST(date_trunc('month', day) AS DATE)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One month of one table: its file, how many rows, the hash of its rows."""

    month: str
    file: str
    rows: int
    digest: str
    last: str
    """The latest time of its rows, UTC."""
    channels: tuple[str, ...] = ()
    """Of messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the manifest says: the files that count just now.

    `seen_until` is the latest time of any dated row (UTC). `attributes_version` changes when an
    attribute of a customer who was known already changes; new customers do not change it.
    """

    folder: Path
    version: str
    seen_until: datetime | None
    timezone: str
    parts: dict[str, tuple[Part, ...]]
    customers_file: str
    customers: int
    attributes: tuple[str, ...]
    attributes_version: str
    complete: dict[str, date]
    """Table → the first day that is not yet whole; see `_Refresh._complete`."""
    sources: dict[str, Any] = field(default_factory=dict)

    def months(self, table: str) -> dict[str, Part]:
        return {part.month: part for part in self.parts.get(table, ())}

    def path(self, part: Part) -> Path:
        return self.folder / part.file

    @property
    def customers_path(self) -> Path:
        return self.folder / self.customers_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did: months whose rows changed, by table; rows that were read to find out."""

    facts: Facts
    changed: dict[str, tuple[str, ...]]
    rows_read: dict[str, int]

    @property
    def facts_version(self) -> str:
        return self.facts.version

    @property
    def seen_until(self) -> datetime | None:
        return self.facts.seen_until


def load_facts(folder: Path) -> Facts | None:
    """The facts in `folder` as the manifest tells, or nothing where there are none that this version reads."""
    try:
        stored = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return _from_manifest(folder, stored) if stored["format"] == FORMAT else None
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        # Facts can be computed again from their sources: what cannot be read counts as missing.
        return None


def _from_manifest(folder: Path, stored: dict[str, Any]) -> Facts:
    return Facts(
        folder=folder,
        version=stored["version"],
        seen_until=datetime.fromisoformat(stored["seen_until"]) if stored["seen_until"] else None,
        timezone=stored["timezone"],
        parts={
            table: tuple(Part(**{**part, "channels": tuple(part["channels"])}) for part in parts)
            for table, parts in stored["parts"].items()
        },
        customers_file=stored["customers_file"],
        customers=stored["customers"],
        attributes=tuple(stored["attributes"]),
        attributes_version=stored["attributes_version"],
        complete={table: date.fromisoformat(day) for table, day in stored["complete"].items()},
        sources=stored["sources"],
    )


def refresh_facts(
    warehouse: Warehouse, folder: Path | None = None, *, now: datetime | None = None
) -> Refreshed:
    """Bring the facts up to date with their sources.

    A month is read again where one of its files changed (size or time of change), where a new file
    brings rows for it, and always where it holds one of the last 35 days; a CSV file that did not
    change is not read again, for it cannot be read in part. Tables of the engine and SQL have no
    files: their last 35 days are read again, and everything when their definition changes.

    Args:
        now: Rows later than this do not count for `seen_until`; without it all do.
    Raises:
        BadTable, BadConfig, EngineFailed: a source cannot be read; the facts stay as they were.
        DiskFull: no room; the facts stay as they were.
    """
    folder = folder or warehouse.config.folder / "facts"
    with plain_errors("writing the facts"):
        return _Refresh(warehouse, folder, now).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What to read of one table: everything, the months that changed (of some files), or nothing."""

    everything: bool = False
    months: frozenset[str] = frozenset()
    since: date | None = None
    files: tuple[str, ...] | None = None
    months_by_file: dict[str, list[str]] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        return not self.everything and not self.months and self.since is None


class _Refresh:
    """One refresh: fingerprints → plans → rows staged in the connection → files → manifest."""

    def __init__(self, warehouse: Warehouse, folder: Path, now: datetime | None):
        self.warehouse = warehouse
        self.config = warehouse.config
        self.connection = warehouse.connection
        self.folder = folder
        self.now = now
        self.old = load_facts(folder)
        self.changed: dict[str, tuple[str, ...]] = {}
        self.rows_read: dict[str, int] = {}

    def run(self) -> Refreshed:
        tables = [name for name in DATED if name in self.warehouse.tables()]
        if not tables:
            raise BadTable(
                f"{self.config.path.name} maps no table with events. Add [tables.orders] or "
                f"[tables.order_lines] with from = and columns =."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        sources = {name: self._fingerprint(name) for name in tables}
        plans = {name: self._plan(name, sources) for name in tables}
        for name in tables:
            sources[name]["months"] = plans[name].months_by_file
        staged = {name: self._stage(name, plan) for name, plan in plans.items()}
        customers = self._customers(staged)
        parts = {name: self._write(name, plans[name], staged[name]) for name in tables}
        facts = self._commit(parts, customers, sources)
        return Refreshed(facts=facts, changed=self.changed, rows_read=self.rows_read)

    def _base(self, name: str) -> str:
        """The mapped table that gives `name`: orders may come from lines."""
        return name if name in self.config.tables else "order_lines"

    def _lines_need_orders(self) -> bool:
        return not self.warehouse.has("order_lines", "customer_id", "ordered_at")

    def _fingerprint(self, name: str) -> dict[str, Any]:
        table = self.config.tables[self._base(name)]
        files: dict[str, list[int]] | None = None
        if not table.sql and is_file(table.from_):
            files = {}
            for path in files_of(self.config, table):
                stat = path.stat()
                files[path.name] = [stat.st_size, stat.st_mtime_ns]
        # A copy that an earlier version wrote with other columns is read anew.
        columns = TABLES[name].columns
        text = repr((FORMAT, columns, table, self.config.timezone, self.config.warehouse_url))
        return {"definition": hashlib.sha256(text.encode()).hexdigest()[:16], "files": files}

    def _plan(self, name: str, sources: dict[str, Any]) -> _Plan:
        old, new = (self.old.sources.get(name) if self.old else None), sources[name]
        files = new["files"]
        if old is None or old["definition"] != new["definition"] or (old["files"] is None) != (files is None):
            return self._everything(name, files)
        if name == "order_lines" and self._lines_need_orders():
            orders = self.old.sources.get("orders") if self.old else None
            same = files is not None and orders is not None and orders["files"] == sources["orders"]["files"]
            if same and old["files"] == files:
                return _Plan(months_by_file=old["months"])
            return self._everything(name, files)
        if files is None:
            return _Plan(since=self._read_again_since(name))
        touched = [file for file, mark in files.items() if old["files"].get(file) != mark]
        gone = [file for file in old["files"] if file not in files]
        csv = any(not file.lower().endswith((".parquet", ".pq")) for file in files)
        if len(files) == 1 and touched:
            return self._everything(name, files)
        if csv and not touched and not gone:
            return _Plan(months_by_file=old["months"])
        by_file = {
            file: months for file, months in old["months"].items() if file in files and file not in touched
        }
        months = {month for file in (*touched, *gone) for month in old["months"].get(file, ())}
        if touched:
            by_file |= self._months_by_file(name, touched)
            months |= {month for file in touched for month in by_file.get(file, ())}
        since = self._read_again_since(name)
        months |= {
            month
            for months_of in by_file.values()
            for month in months_of
            if since and month >= f"{since:%Y-%m}"
        }
        # An order's lines may lie on both sides of midnight at the end of a month.
        if name != self._base(name):
            months |= {_shift(month, -1) for month in months}
        near = {shifted for month in months for shifted in (month, _shift(month, -1), _shift(month, 1))}
        reading = tuple(file for file in files if not by_file.get(file) or near.intersection(by_file[file]))
        return _Plan(months=frozenset(months), files=reading, months_by_file=by_file)

    def _everything(self, name: str, files: dict[str, Any] | None) -> _Plan:
        # With one file there is nothing to choose from, so its months need no list.
        by_file = self._months_by_file(name, list(files)) if files and len(files) > 1 else {}
        return _Plan(everything=True, months_by_file=by_file)

    def _months_by_file(self, name: str, files: list[str]) -> dict[str, list[str]]:
        view = self.warehouse.rows(self._base(name))
        listed = ", ".join(quoted(file) for file in files)
        found: dict[str, list[str]] = {file: [] for file in files}
        for file, month in run(
            self.connection,
            f"SELECT DISTINCT {named(FILE_COLUMN)}, {_MONTH} AS month FROM {view} "
            f"WHERE {named(FILE_COLUMN)} IN ({listed}) AND day IS NOT NULL ORDER BY ALL",
        ):
            found[file].append(f"{month:%Y-%m}")
        return found

    def _read_again_since(self, name: str) -> date | None:
        """The first day of the month that holds the day 35 days before the latest one."""
        parts = _without_strays(self.old.parts.get(name, ()) if self.old else ())
        lasts = [datetime.fromisoformat(part.last) for part in parts]
        times = [last for last in lasts if self.now is None or last <= self.now]
        if not times:
            return date(1, 1, 1)
        return (max(times).date() - timedelta(days=READ_AGAIN_DAYS)).replace(day=1)

    def _stage(self, name: str, plan: _Plan) -> str | None:
        """Read what the plan says into a table of the connection; nothing to read gives nothing."""
        if plan.nothing:
            self.rows_read[name] = 0
            return None
        view = self.warehouse.clean(name, files=plan.files)
        condition = "day IS NOT NULL"
        if plan.since:
            condition += f" AND day >= DATE '{plan.since}'"
        elif not plan.everything:
            first_days = ", ".join(f"DATE '{month}-01'" for month in sorted(plan.months))
            condition += f" AND {_MONTH} IN ({first_days})"
        if name == "order_lines" and self._lines_need_orders():
            # The line takes its customer and its time from its order.
            select = (
                f"SELECT l.* REPLACE (coalesce(l.customer_id, o.customer_id) AS customer_id, "
                f"coalesce(l.ordered_at, o.ordered_at) AS ordered_at, coalesce(l.day, o.day) AS day) "
                f"FROM {view} l JOIN (SELECT order_id, min(customer_id) AS customer_id, "
                f"min(ordered_at) AS ordered_at, min(day) AS day FROM {self.warehouse.clean('orders')} "
                f"GROUP BY order_id) o USING (order_id)"
            )
        else:
            select = f"SELECT * FROM {view}"
        if TABLES[name].column("customer_id"):
            condition += f" AND customer_id IS NOT NULL AND NOT {placeholder('customer_id')}"
        # By day, so that taking out a month touches little more than that month.
        run(
            self.connection,
            f"CREATE OR REPLACE TEMP TABLE stage_{name} AS SELECT * FROM ({select}) WHERE {condition} ORDER BY day",
        )
        self.rows_read[name] = one(self.connection, f"SELECT count(*) FROM stage_{name}")[0]
        return f"stage_{name}"

    def _customers(self, staged: dict[str, str | None]) -> dict[str, Any]:
        """Give every customer an integer that never changes; returns what the manifest says of them."""
        con, old = self.connection, self.old
        run(con, "CREATE OR REPLACE TEMP TABLE known (customer INTEGER, customer_id VARCHAR)")
        if old:
            run(con, f"INSERT INTO known SELECT customer, customer_id FROM {_parquet(old.customers_path)}")
        columns: list[str] = []
        attributes: tuple[str, ...] = ()
        run(con, "CREATE OR REPLACE TEMP TABLE stage_customers (customer_id VARCHAR)")
        if "customers" in self.warehouse.tables():
            view = self.warehouse.clean("customers")
            mapped = self.warehouse.mapped("customers")
            columns = [
                c.name for c in mapped.spec.columns if c.name in mapped.mapped and c.name != "customer_id"
            ]
            attributes = (*(name for name in columns if name != "registered_at"), *mapped.attributes)
            columns += mapped.attributes
            # A customer who is there twice counts once: the row that sorts first.
            order = ", ".join(f"{named(name)} NULLS LAST" for name in columns) or "customer_id"
            run(
                con,
                f"CREATE OR REPLACE TEMP TABLE stage_customers AS "
                f"SELECT customer_id{''.join(f', {named(name)}' for name in columns)} FROM {view} "
                f"QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY {order}) = 1",
            )
        seen = " UNION ALL ".join(
            f"SELECT customer_id FROM {stage}"
            for stage in ("stage_customers", *(staged[name] for name in staged if name != "reactions"))
            if stage
        )
        run(
            con,
            f"INSERT INTO known SELECT (SELECT count(*) FROM known) + row_number() OVER (ORDER BY customer_id) - 1, "
            f"customer_id FROM (SELECT DISTINCT customer_id FROM ({seen}) WHERE customer_id IS NOT NULL "
            f"AND customer_id NOT IN (SELECT customer_id FROM known))",
        )
        run(
            con,
            f"CREATE OR REPLACE TEMP TABLE all_customers AS SELECT customer, k.customer_id, "
            f"bucket('halves', k.customer_id) < 0.5 AS first_half, c.customer_id IS NOT NULL AS listed"
            f"{''.join(f', c.{named(name)}' for name in columns)} "
            f"FROM known k LEFT JOIN stage_customers c ON k.customer_id = c.customer_id",
        )
        marks = [named(name) for name in ("customer_id", *attributes)]
        digest = digest_rows(
            con, "all_customers", ["customer", *marks, "listed", *(named(name) for name in columns)]
        )
        version = digest
        if old and old.attributes == attributes:
            same = digest_rows(con, f"(SELECT * FROM all_customers WHERE customer < {old.customers})", marks)
            if same == digest_rows(con, _parquet(old.customers_path), marks):
                version = old.attributes_version
        file = f"customers-{digest}.parquet"
        if not (self.folder / file).exists():
            write_parquet(con, "SELECT * FROM all_customers ORDER BY customer_id", self.folder / file)
        return {
            "customers_file": file,
            "customers": one(con, "SELECT count(*) FROM known")[0],
            "attributes": list(attributes),
            "attributes_version": version,
        }

    def _write(self, name: str, plan: _Plan, stage: str | None) -> tuple[Part, ...]:
        """Write the months that were staged, keep the others; a month whose rows are the same keeps its file."""
        old = self.old.months(name) if self.old else {}
        if stage is None:
            self.changed[name] = ()
            return tuple(old.values())
        con, spec = self.connection, TABLES[name]
        columns = [row[0] for row in run(con, f"DESCRIBE {stage}") if row[0] != FILE_COLUMN]
        with_customer = "customer_id" in columns
        first = [column for column in ("customer_id" if with_customer else "message_id", spec.time) if column]
        rest = [named(column) for column in columns if column not in first]
        listed = [named(column) for column in columns]
        select = f"SELECT {', '.join(listed)}"
        select += (
            f", customer FROM {stage} JOIN known USING (customer_id)" if with_customer else f" FROM {stage}"
        )
        found = {f"{row[0]:%Y-%m}" for row in run(con, f"SELECT DISTINCT {_MONTH} FROM {stage}")}
        if plan.everything:
            read = found | old.keys()
        elif plan.since:
            read = found | {month for month in old if month >= f"{plan.since:%Y-%m}"}
        else:
            read = plan.months
        parts = {month: part for month, part in old.items() if month not in read}
        changed = [month for month in read if month in old and month not in found]
        for month in sorted(found):
            days = f"day >= DATE '{month}-01' AND day < DATE '{_shift(month, 1)}-01'"
            run(con, f"CREATE OR REPLACE TEMP TABLE one_month AS {select} WHERE {days}")
            if name in DISTINCT_TABLES and _repeats(con, listed):
                run(con, "CREATE OR REPLACE TEMP TABLE one_month AS SELECT DISTINCT * FROM one_month")
            count, last = one(con, f"SELECT count(*), max({spec.time}) FROM one_month")
            digest = digest_rows(con, "one_month", listed)
            channels: tuple[str, ...] = ()
            if name == "messages":
                found_channels = run(
                    con, "SELECT DISTINCT channel FROM one_month WHERE channel IS NOT NULL ORDER BY 1"
                )
                channels = tuple(row[0] for row in found_channels)
            part = Part(
                month=month,
                file=f"{name}/{month}-{digest}.parquet",
                rows=count,
                digest=digest,
                last=last.replace(tzinfo=UTC).isoformat(),
                channels=channels,
            )
            parts[month] = part
            if month in old and old[month] == part:
                continue
            order = ", ".join([*first, *(f"{column} NULLS LAST" for column in rest)])
            write_parquet(con, f"SELECT * FROM one_month ORDER BY {order}", self.folder / part.file)
            changed.append(month)
        run(con, f"DROP TABLE {stage}")
        run(con, "DROP TABLE IF EXISTS one_month")
        self.changed[name] = tuple(sorted(changed))
        return tuple(parts[month] for month in sorted(parts))

    def _commit(
        self, parts: dict[str, tuple[Part, ...]], customers: dict[str, Any], sources: dict[str, Any]
    ) -> Facts:
        real = {name: _without_strays(entries) for name, entries in parts.items()}
        seen = self._seen_until(real)
        body: dict[str, Any] = {
            "format": FORMAT,
            "seen_until": seen.isoformat() if seen else "",
            "timezone": self.config.timezone,
            "parts": {name: [asdict(part) for part in entries] for name, entries in parts.items()},
            **customers,
            "complete": self._complete(real),
            "sources": sources,
        }
        body["version"] = version_of(body)
        replace_file(self.folder / MANIFEST, json.dumps(body, indent=1, ensure_ascii=False).encode())
        facts = load_facts(self.folder)
        assert facts is not None
        sweep(self.folder, facts, self.old)
        return facts

    def _complete(self, parts: dict[str, tuple[Part, ...]]) -> dict[str, str]:
        """Table → the first day that is not whole yet.

        The last day of a table counts as whole where its last row is about as late as on other
        days: not before the earliest tenth of the last rows of the 28 days before it. The tables
        of one company are seen up to the same day: where one is whole up to a day, so is every
        other whose last row is no longer ago than it sometimes rests between two days.
        """
        own: dict[str, date] = {}
        last: dict[str, tuple[date, int]] = {}
        for name, entries in parts.items():
            rows = self._last_days(name, entries) if entries else []
            if not rows:
                continue
            day, at = rows[0]
            usual = sorted(clock for _, clock in rows[1:])
            own[name] = day + timedelta(days=not usual or at >= usual[len(usual) // 10])
            rest = max(((later - earlier).days for (later, _), (earlier, _) in pairwise(rows)), default=1)
            last[name] = (day, rest)
        latest = max(own.values(), default=None)
        return {
            name: f"{latest if latest and (latest - last[name][0]).days <= last[name][1] else day}"
            for name, day in own.items()
        }

    def _last_days(self, name: str, parts: tuple[Part, ...]) -> list[tuple[date, int]]:
        """The last 29 days with rows, latest first, each with the local second of its last row."""
        time = TABLES[name].time
        files = ", ".join(quoted(str(self.folder / part.file)) for part in parts[-3:])
        clock = (
            f"epoch(timezone({quoted(self.config.timezone)}, timezone('UTC', max({time}))))::BIGINT % 86400"
        )
        until = (
            f"WHERE {time} <= TIMESTAMP '{self.now.astimezone(UTC):%Y-%m-%d %H:%M:%S}'" if self.now else ""
        )
        found = run(
            self.connection,
            f"SELECT day, {clock} FROM read_parquet([{files}]) {until} GROUP BY day ORDER BY day DESC LIMIT 29",
        )
        return [(day, at) for day, at in found]

    def _seen_until(self, parts: dict[str, tuple[Part, ...]]) -> datetime | None:
        times: list[datetime] = []
        for name, entries in parts.items():
            for part in reversed(entries):
                last = datetime.fromisoformat(part.last)
                if self.now is not None and last > self.now:
                    time = TABLES[name].time
                    found = one(
                        self.connection,
                        f"SELECT max({time}) FROM {_parquet(self.folder / part.file)} "
                        f"WHERE {time} <= TIMESTAMP '{self.now.astimezone(UTC):%Y-%m-%d %H:%M:%S}'",
                    )[0]
                    if found is None:
                        continue
                    last = found.replace(tzinfo=UTC)
                times.append(last)
                break
        return max(times, default=None)


def version_of(body: dict[str, Any]) -> str:
    """The version of the facts that a manifest names: changes with every row."""
    rows = json.dumps([body["parts"], body["customers_file"], body["timezone"]], sort_keys=True)
    return hashlib.sha256(rows.encode()).hexdigest()[:16]


def _without_strays(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without a handful of rows far ahead of all others: an order of 2099 does not make decades of empty weeks."""
    kept = list(parts)
    usual = sorted(part.rows for part in parts)[len(parts) // 2] if parts else 0
    while len(kept) > 1 and kept[-1].rows < usual / 100 and kept[-1].month != _shift(kept[-2].month, 1):
        kept.pop()
    return tuple(kept)


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` under a temporary name, then rename: `path` is whole at every moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        run(connection, f"COPY ({query}) TO {quoted(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path, facts: Facts, previous: Facts | None) -> None:
    """Delete files that neither this manifest nor the one before it names: a reader may still be at the latter.

    Args:
        previous: None: nothing that was before may stay.
    """
    keep = {MANIFEST}
    for entry in (facts, previous):
        if entry is not None:
            keep.add(entry.customers_file)
            keep.update(part.file for parts in entry.parts.values() for part in parts)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in keep:
            path.unlink(missing_ok=True)


def digest_rows(connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str]) -> str:
    """A hash of the rows as a set with repeats: their order does not matter."""
    value = f"hash({', '.join(columns)})"
    count, parity, total = one(
        connection, f"SELECT count(*), bit_xor({value}), sum({value} % 1152921504606846976) FROM {rows}"
    )
    text = repr((FORMAT, tuple(columns), count, parity, int(total or 0)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _repeats(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> bool:
    """Whether any row of the month may be there twice."""
    return one(connection, f"SELECT count(*) > count(DISTINCT hash({', '.join(columns)})) FROM one_month")[0]


def _parquet(path: Path) -> str:
    return f"read_parquet({quoted(str(path))})"


def _shift(month: str, by: int) -> str:
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + by, 12)
    return f"{year:04d}-{number + 1:02d}"
