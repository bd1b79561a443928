"""From facts to series: each metric by week, month or quarter in every slice, with its standard error."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from primeta.config import Config
from primeta.facts import Grain, Period, Provenance
from primeta.warehouse.duck import connect, plain_errors, run
from primeta.warehouse.engine import Warehouse
from primeta.warehouse.facts_store import Facts, load_facts, refresh_facts, replace_file
from primeta.warehouse.metric import Measure, Metric
from primeta.warehouse.moments import (
    MOMENTS,
    MemberSizes,
    aligned,
    member_moments,
    ratio,
    slice_moments,
)
from primeta.warehouse.people import Ints, LeftOut, People, load_people
from primeta.warehouse.rows import NEVER, MonthReader, month_start, months_between, shift_month
from primeta.warehouse.series import Series, Slice
from primeta.warehouse.window_sums import (
    BASE_DAYS,
    WindowSums,
    base_days_of,
    day_number,
    first_day,
    hash_of,
    reach,
    row_sums,
)

Floats = npt.NDArray[np.float64]

STATISTICS_FORMAT = 1
_GRAIN_RU = {"week": "неделю", "month": "месяц", "quarter": "квартал"}
_TWO_YEARS = {
    "en": "needs two years of orders: one to know the base, one to watch",
    "ru": "нужно два года заказов: год, чтобы узнать базу, и год наблюдения",
}
_NOTHING_FINISHED = {"en": "no period is finished yet", "ru": "ни один период ещё не закончился"}
_CHECKPOINTS = 5


class SeriesList(list[Series]):
    """Series, and beside them what was left out and how much was read.

    `left_out` lists slices that are not watched with the reason; `rows_read` counts rows of the
    facts by table, `points_computed` the (metric, period) pairs that no cache had.
    """

    def __init__(
        self,
        series: list[Series],
        *,
        left_out: tuple[LeftOut, ...],
        rows_read: Mapping[str, int],
        points_computed: int,
        base_days: int,
    ):
        super().__init__(series)
        self.left_out = left_out
        self.rows_read = dict(rows_read)
        self.points_computed = points_computed
        self.base_days = base_days


def build_series(
    warehouse: Warehouse,
    config: Config,
    metrics: Mapping[str, Metric],
    *,
    grain: Grain,
    cache: Path | None = None,
    until: date | None = None,
    facts: Facts | None = None,
) -> SeriesList:
    """Every metric in every slice, a point for each finished period.

    *Base* are customers with an order in the 365 days before the period; where the history is
    shorter than two years, the longest of 91, 28 and 7 days that leaves as long a history to
    watch. A ratio over the base counts the base's own orders only, and begins once a whole window
    lies before it. Churn and reactivation need the 365 days.

    Args:
        metrics: As `available_metrics` gives them.
        cache: Folder of sums kept from earlier runs; a period is computed again only where facts
            that it depends on, or the metric's definition, changed.
        until: First day that counts as not yet seen; default: by each table, the day after its
            last whole one.
        facts: Default: those in the workspace's `facts/`, made where there are none.
    Raises:
        BadConfig: an expression of a metric or an attribute of a slice is not there.
        BadTable, EngineFailed, DiskFull: the facts cannot be read, or the cache not written.
    """
    if facts is None:
        facts = load_facts(config.folder / "facts") or refresh_facts(warehouse).facts
    connection = connect()
    run(connection, "SET preserve_insertion_order = true")
    try:
        with plain_errors("building series"):
            return _Builder(config, facts, connection, metrics, grain, cache, until).build()
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class _Plan:
    """One metric: its periods, and for each the hash of everything that its sums depend on."""

    metric: Metric
    periods: tuple[Period, ...]
    keys: tuple[str, ...]
    why_not: dict[str, str] | None = None


class _Builder:
    def __init__(self, config: Config, facts: Facts, connection, metrics, grain: Grain, cache, until):
        self.config = config
        self.facts = facts
        self.grain: Grain = grain
        self.cache = cache
        self.until = until
        self.metrics = list(metrics.values())
        self.people = load_people(connection, config, facts)
        self.channels = tuple(
            sorted({name for part in facts.parts.get("messages", ()) for name in part.channels})
        )
        self.reader = MonthReader(
            connection,
            facts,
            self.people.rank,
            sums=row_sums(config, self.metrics),
            channels=self.channels,
            with_gaps=any(str(metric.numerator).startswith("retained_") for metric in self.metrics),
        )
        self.first_day = {table: first_day(connection, facts, table) for table in facts.parts}
        self.base_days = base_days_of(facts, self.first_day.get("orders"), until)
        self.recency = _Recency(self.reader, facts, self.people, cache, self.base_days)
        self.sizes = {name: MemberSizes(self.people) for name in ("base", "silent")}
        self.slices_key = hash_of(
            [entry.code for entry in self.people.slices],
            self.channels,
            facts.attributes_version,
            facts.timezone,
        )

    def build(self) -> SeriesList:
        plans = [self._plan(metric) for metric in self.metrics]
        stored = [self._load(plan) for plan in plans]
        todo: dict[Period, list[int]] = {}
        for at, plan in enumerate(plans):
            for period, key in zip(plan.periods, plan.keys):
                if key not in stored[at]:
                    todo.setdefault(period, []).append(at)
        for period in sorted(todo):
            sums = WindowSums(
                self.reader,
                self.recency.at,
                start=day_number(period.start),
                end=day_number(period.end),
                base_days=self.base_days,
            )
            for at in todo[period]:
                place = plans[at].periods.index(period)
                stored[at][plans[at].keys[place]] = self._compute(plans[at].metric, sums)
        left_out = list(self.people.left_out)
        series: list[Series] = []
        for at, plan in enumerate(plans):
            if plan.why_not:
                left_out.append(LeftOut("all", plan.why_not, plan.metric.name))
                continue
            if any(at in entry for entry in todo.values()):
                self._save(plan, stored[at])
            series += self._series(plan, stored[at], left_out)
        self.recency.save()
        return SeriesList(
            series,
            left_out=tuple(left_out),
            rows_read=self.reader.rows_read,
            points_computed=sum(len(entry) for entry in todo.values()),
            base_days=self.base_days,
        )

    # What a metric depends on.

    def _plan(self, metric: Metric) -> _Plan:
        tables, lookback, lookahead = reach(metric, self.base_days)
        gone = [table for table in tables if not self.facts.parts.get(table)]
        if gone:
            return _Plan(metric, (), (), _no_rows(gone))
        sides = {metric.numerator, metric.denominator}
        if sides & {"churned", "silent"} and self.base_days < BASE_DAYS[0]:
            return _Plan(metric, (), (), _TWO_YEARS)
        start = max(self.first_day[table] for table in tables) + timedelta(days=lookback)
        end = min(self.facts.complete[table] for table in tables)
        end = min(end, self.until) if self.until else end
        periods = tuple(_periods(start, end - timedelta(days=lookahead), self.grain))
        definition = hash_of(
            STATISTICS_FORMAT, metric.numerator, metric.denominator, row_sums(self.config, [metric]),
            self.grain, self.slices_key, self.base_days if lookback else 0,
        )  # fmt: skip
        keys: list[str] = []
        for period in periods:
            months = months_between(day_number(period.start) - lookback, day_number(period.end) + lookahead)
            if "messages" in tables:
                # Whether a channel reports deliveries is seen from the whole month and the one after.
                months.append(shift_month(_month_of(day_number(period.end) - 1), 1))
            marks = [
                part.digest if (part := self.facts.months(table).get(month)) else ""
                for table in (*tables, *(("reactions",) if "messages" in tables else ()))
                for month in months
            ]
            keys.append(hash_of(definition, period.code, marks))
        return _Plan(metric, periods, tuple(keys))

    # Sums of one metric in one period.

    def _compute(self, metric: Metric, sums: WindowSums) -> Floats:
        """(1 + channels, slices, 2, 7): over all channels, then for each; metrics without channels have one."""
        channels = (None, *range(len(self.channels))) if metric.by_channel else (None,)
        return np.stack([self._moments(metric, sums, channel) for channel in channels])

    def _moments(self, metric: Metric, sums: WindowSums, channel: int | None) -> Floats:
        if isinstance(metric.denominator, str) and metric.denominator in self.sizes:
            members = sums.in_base if metric.denominator == "base" else sums.silent
            sizes = self.sizes[metric.denominator].of(members)
            return member_moments(self.people, members, sizes, *sums.of(metric.numerator, channel))
        rank, x, y = aligned(sums.of(metric.numerator, channel), sums.of(metric.denominator, channel))
        return slice_moments(self.people, rank, x, y)

    # The cache.

    def _file(self, metric: Metric) -> Path | None:
        return self.cache / f"series-{metric.name}-{self.grain}.npz" if self.cache else None

    def _load(self, plan: _Plan) -> dict[str, Floats]:
        path = self._file(plan.metric)
        if path is None or not path.exists():
            return {}
        try:
            with np.load(path) as kept:
                wanted = set(plan.keys)
                return {key: sums for key, sums in zip(kept["keys"].tolist(), kept["sums"]) if key in wanted}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            # A cache may be lost at any time; what it held is computed again.
            return {}

    def _save(self, plan: _Plan, stored: dict[str, Floats]) -> None:
        path = self._file(plan.metric)
        if path is None or not plan.keys:
            return
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer, keys=np.array(plan.keys), sums=np.stack([stored[key] for key in plan.keys])
        )
        replace_file(path, buffer.getvalue())

    # From sums to series.

    def _series(self, plan: _Plan, stored: dict[str, Floats], left_out: list[LeftOut]) -> Iterator[Series]:
        if not plan.keys:
            left_out.append(LeftOut("all", _NOTHING_FINISHED, plan.metric.name))
            return
        halves = np.stack([stored[key] for key in plan.keys], axis=-2)
        both = halves.sum(axis=2)
        value, se = ratio(both)
        half_value, half_se = ratio(halves)
        starts = np.array([period.start for period in plan.periods], dtype="datetime64[D]")
        provenance = Provenance(
            source=f"facts {self.facts.version}: {_name(plan.metric.numerator)} / {_name(plan.metric.denominator)}",
            seen_until=self.facts.seen_until,
            code_version=version("primeta"),
        )
        for channel in range(both.shape[0]):
            for at, segment in enumerate(self.people.slices):
                entry = segment if channel == 0 else replace(segment, channel=self.channels[channel - 1])
                moments = both[channel, at]
                customers = moments[:, MOMENTS.index("in_denominator")]
                recent = customers[-52:]
                usual = float(np.median(recent[recent > 0])) if (recent > 0).any() else 0.0
                if entry != Slice() and usual < self.config.slices.smallest:
                    smallest = self.config.slices.smallest
                    reason = {
                        "en": f"{usual:,.0f} customers in a usual {self.grain}, below {smallest:,}",
                        "ru": f"обычно клиентов за {_GRAIN_RU[self.grain]}: {usual:,.0f}, меньше {smallest:,}",
                    }
                    left_out.append(LeftOut(entry.code, reason, plan.metric.name))
                    continue
                yield Series(
                    metric=plan.metric.name,
                    slice=entry,
                    grain=self.grain,
                    starts=starts,
                    value=value[channel, at],
                    se=se[channel, at],
                    customers=customers,
                    numerator=moments[:, MOMENTS.index("x")],
                    denominator=moments[:, MOMENTS.index("y")],
                    half_value=half_value[channel, at],
                    half_se=half_se[channel, at],
                    provenance=provenance,
                )


class _Recency:
    """The last day, before a given one, on which each customer ordered.

    It walks forward through the months; the state at the start of each of the last few is kept in
    the cache, so that a run that only adds days reads no older month.
    """

    def __init__(self, reader: MonthReader, facts: Facts, people: People, cache: Path | None, base_days: int):
        self.reader = reader
        self.facts = facts
        self.people = people
        self.cache = cache
        self.base_days = base_days
        self.day: int | None = None
        self.since = 0
        """The first day whose orders the state knows."""
        self.last = np.full(people.n, NEVER, dtype=np.int32)
        self._kept: dict[str, Ints] = {}
        months = sorted(facts.months("orders"))
        self._worth_keeping = (
            {shift_month(months[-1], -back) for back in range(_CHECKPOINTS)} if months else set()
        )

    def at(self, day: int) -> Ints:
        """(customers,) days since 1970; `NEVER` where there is none. Valid until the next call."""
        if self.day is None or day < self.day:
            self._start(day)
        assert self.day is not None
        while self.day < day:
            month_end = month_start(shift_month(_month_of(self.day), 1))
            stop = min(day, month_end)
            rows = self.reader.days("purchases", self.day, stop)
            if rows is not None:
                # Rows stand in the order of time for each customer: the last one written stays.
                self.last[rows.rank] = rows.day
            self.day = stop
            if stop == month_end:
                self._keep(_month_of(stop))
        return self.last

    def _start(self, day: int) -> None:
        month = _month_of(day)
        self.last = np.full(self.people.n, NEVER, dtype=np.int32)
        self.day = self.since = day - self.base_days
        path = self._path(month)
        if path is not None and path.exists():
            try:
                by_customer = np.load(path)
            except (OSError, ValueError, EOFError):
                return
            if by_customer.ndim == 1 and len(by_customer) <= self.people.n:
                self.last[self.people.rank[: len(by_customer)]] = by_customer
                self.day = month_start(month)
                self.since = self.day - self.base_days

    def _keep(self, month: str) -> None:
        whole = self.since <= month_start(month) - self.base_days
        if self.cache is not None and whole and month in self._worth_keeping:
            self._kept[month] = self.last[self.people.rank]

    def save(self) -> None:
        """Write the states worth keeping; older ones go."""
        if self.cache is None or not self._kept:
            return
        current = {path for month in self._worth_keeping if (path := self._path(month))}
        for month, state in self._kept.items():
            path = self._path(month)
            if path is not None and not path.exists():
                buffer = io.BytesIO()
                np.save(buffer, state)
                replace_file(path, buffer.getvalue())
        for path in self.cache.glob("recency-*.npy"):
            if path not in current:
                path.unlink(missing_ok=True)

    def _path(self, month: str) -> Path | None:
        """Named by what the state depends on: the orders of the months that the base can reach back to."""
        if self.cache is None:
            return None
        start = month_start(month)
        before = months_between(start - self.base_days, start)
        known = self.facts.months("orders")
        marks = [known[entry].digest if entry in known else "" for entry in before]
        return (
            self.cache
            / f"recency-{month}-{hash_of(STATISTICS_FORMAT, self.facts.timezone, self.base_days, marks)}.npy"
        )


def _no_rows(tables: list[str]) -> dict[str, str]:
    listed = ", ".join(tables)
    return {"en": f"no rows in {listed}", "ru": f"нет строк в {listed}"}


def _periods(start: date, end: date, grain: Grain) -> Iterator[Period]:
    """The whole periods within `start` ≤ day < `end`."""
    period = Period.holding(start, grain)
    if period.start < start:
        period = Period(period.end, grain)
    while period.end <= end:
        yield period
        period = Period(period.end, grain)


def _month_of(day: int) -> str:
    return str(np.datetime64(day, "D").astype("datetime64[M]"))


def _name(side: str | Measure) -> str:
    return f"{side.table}: {side.sum}" if isinstance(side, Measure) else side
