"""Lapse: who is silent longer than his own rhythm allows, since when, and who moves between the states each week."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from primeta.errors import BadInput
from primeta.reactivation.histories import Collapsed, Ints, OrderLog, day_of, open_log
from primeta.reactivation.lapse_picture import flow_picture, states_picture
from primeta.reactivation.lapse_words import said, word
from primeta.reactivation.log_words import remark
from primeta.reactivation.records import NAN, Note
from primeta.reactivation.rhythm import RhythmPrior, base_rhythm
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table
from primeta.warehouse.duck import arrow, quoted, run
from primeta.warehouse.write_rows import check_ending, write_query

if TYPE_CHECKING:
    import duckdb

State = Literal["active", "cooling", "lapsed", "gone"]
STATES: tuple[State, ...] = ("active", "cooling", "lapsed", "gone")
FOLLOW_DAYS = 56
"""For so long after an earlier day it is looked up who in fact ordered."""
FIXED_DAYS = 90
"""The rule that most teams use, where none is named."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_NEVER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Customers who stood in one state at a week's beginning and in another at its end; `came` is "new" for the
    first order."""

    week: date
    """The first of its seven days."""
    came: str
    went: State
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedRule:
    """What a fixed number of days would have said on an earlier day, and what customers then did.

    Counts are of customers known on `on`; `follow_days` tells for how long after it orders were looked up.
    """

    days: int
    on: date | None
    follow_days: int
    customers: int = 0
    called: int = 0
    """Silent for `days` or longer."""
    own_called: int = 0
    """Silent longer than their own rhythm allows."""
    in_rhythm: int = 0
    """Called lapsed by days, while their own rhythm says that nothing is out of the ordinary."""
    in_rhythm_ordered: int = 0
    """Of them, those who ordered within `follow_days`, whatever was done."""
    missed: int = 0
    """Lapsed by their own rhythm and not called by days."""
    missed_ordered: int = 0
    both: int = 0
    both_ordered: int = 0
    why_not: str = ""

    @property
    def in_rhythm_share(self) -> float:
        """Of those called by days."""
        return self.in_rhythm / self.called if self.called else NAN

    @property
    def missed_share(self) -> float:
        """Of those lapsed by their own rhythm."""
        return self.missed / self.own_called if self.own_called else NAN

    def as_dict(self) -> dict[str, Any]:
        def share(part: int, whole: int) -> float:
            return part / whole if whole else NAN

        return {
            "days": self.days,
            "on": self.on,
            "follow_days": self.follow_days,
            "customers": self.customers,
            "called": self.called,
            "own_called": self.own_called,
            "in_rhythm": self.in_rhythm,
            "in_rhythm_share": self.in_rhythm_share,
            "in_rhythm_ordered": share(self.in_rhythm_ordered, self.in_rhythm),
            "missed": self.missed,
            "missed_share": self.missed_share,
            "missed_ordered": share(self.missed_ordered, self.missed),
            "both": self.both,
            "both_ordered": share(self.both_ordered, self.both),
            "why_not": self.why_not or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lapse:
    """The base by state at the end of a day, with the flow of the weeks before it."""

    until: date
    customers: int
    states: Mapping[str, int]
    flow: tuple[Move, ...]
    fixed: FixedRule
    rhythm_days: Mapping[float, float]
    """Quantile → days: the usual gap of customers who ordered more than once."""
    one_order: int
    """Customers with a single order: they lean on the base."""
    prior: RhythmPrior | None
    silence: float
    cooling: float
    lapsed_last_week: int
    returned_last_week: int
    """Lapsed or gone at the last week's beginning who ordered within it."""
    out: Path | None = None
    rows: pa.Table | None = None
    """One row a customer, where it was asked for."""
    notes: tuple[Note, ...] = ()
    why_not: str = ""

    def line(self, lang: str = "en") -> str:
        """How many lapsed, and what a fixed number of days makes of it."""
        if self.why_not:
            return said(f"cannot.{self.why_not}", lang)
        text = said(
            "line",
            lang,
            lapsed=locale.number(self.states["lapsed"], lang),
            share=locale.percent(self.states["lapsed"] / self.customers, lang),
            gone=locale.number(self.states["gone"], lang),
            customers=locale.number(self.customers, lang),
            day=locale.day(self.until, lang),
        )
        return text + (" " + self.fixed_line(lang) if not self.fixed.why_not else "")

    def fixed_line(self, lang: str = "en") -> str:
        """What the fixed rule got wrong, in one sentence."""
        rule = self.fixed
        if rule.why_not:
            return said(f"cannot.{rule.why_not}", lang)
        if not rule.in_rhythm and not rule.missed:
            return said("fixed.agrees", lang, days=rule.days)
        text = said(
            "fixed",
            lang,
            days=rule.days,
            early=locale.percent(rule.in_rhythm_share, lang, digits=0) if rule.called else "0%",
            missed=locale.percent(rule.missed_share, lang, digits=0) if rule.own_called else "0%",
        )
        if rule.in_rhythm:
            ordered = locale.percent(rule.in_rhythm_ordered / rule.in_rhythm, lang, digits=0)
            text += " " + said("fixed.ordered", lang, share=ordered, weeks=rule.follow_days // 7)
        return text

    def table(self, lang: str = "en") -> Table:
        """One row for each state."""
        heads = (
            Head(word("state", lang)),
            Head(word("customers", lang), "right"),
            Head(word("share", lang), "right"),
            Head(word("meaning", lang)),
        )
        rows = [
            (
                word(state, lang),
                locale.number(self.states[state], lang),
                locale.percent(self.states[state] / self.customers if self.customers else NAN, lang),
                said(
                    f"meaning.{state}",
                    lang,
                    level=locale.percent(self.silence, lang),
                    cooling=locale.percent(self.cooling, lang),
                ),
            )
            for state in STATES
        ]
        return Table(heads=heads, rows=tuple(rows), note="\n".join(self.remarks(lang)))

    def flow_table(self, lang: str = "en", *, weeks: int = 8) -> Table:
        """The last weeks: who went where."""
        named = sorted({move.week for move in self.flow})[-weeks:]
        steps = (("cooled", "active", "cooling"), ("lapsing", "", "lapsed"), ("going", "", "gone"))
        heads = [Head(word("week", lang))]
        heads += [
            Head(word(code, lang), "right") for code in ("new", "cooled", "lapsing", "going", "returned")
        ]
        rows = []
        for week in named:
            moves = [move for move in self.flow if move.week == week]
            cells = [sum(move.customers for move in moves if move.came == "new")]
            for _, came, went in steps:
                cells.append(
                    sum(
                        move.customers
                        for move in moves
                        if move.went == went and move.came != went and (not came or move.came == came)
                    )
                )
            cells.append(_returned(moves))
            rows.append((locale.day(week, lang), *(locale.number(cell, lang) for cell in cells)))
        return Table(heads=tuple(heads), rows=tuple(rows))

    def remarks(self, lang: str) -> list[str]:
        """What a reader must know beside the numbers."""
        found = []
        if not self.why_not:
            middle = self.rhythm_days.get(0.5, NAN)
            if math.isfinite(middle):
                found.append(
                    said(
                        "rhythm",
                        lang,
                        middle=locale.number(round(middle), lang),
                        low=locale.number(round(self.rhythm_days[0.1]), lang),
                        high=locale.number(round(self.rhythm_days[0.9]), lang),
                    )
                )
            if self.one_order:
                share = locale.percent(self.one_order / self.customers, lang, digits=0)
                found.append(said("one-order", lang, share=share))
        return found + [remark(note, lang) for note in self.notes]

    def picture(self, lang: str = "en") -> Picture:
        """The states over the weeks; one bar where there is no flow."""
        title = self.line(lang)
        if self.flow:
            return flow_picture(self.flow, lang, title=title, until=self.until, source=self._source(lang))
        return states_picture(self.states, lang, title=title, source=self._source(lang))

    def _source(self, lang: str) -> str:
        return said(
            "source", lang, customers=locale.number(self.customers, lang), day=locale.day(self.until, lang)
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        prior = self.prior
        return {
            "until": self.until,
            "customers": self.customers,
            "states": dict(self.states),
            "silence": self.silence,
            "cooling": self.cooling,
            "lapsed_last_week": self.lapsed_last_week,
            "returned_last_week": self.returned_last_week,
            "one_order": self.one_order,
            "flow": [
                {"week": move.week, "from": move.came, "to": move.went, "customers": move.customers}
                for move in self.flow
            ],
            "fixed_rule": self.fixed.as_dict(),
            "rhythm_days": {f"p{round(level * 100)}": days for level, days in self.rhythm_days.items()},
            "rhythm": None
            if prior is None
            else {
                "r": prior.r,
                "alpha_days": prior.alpha,
                "a": prior.a,
                "b": prior.b,
                "regularity": prior.regularity,
            },
            "out": str(self.out) if self.out else None,
            "notes": [remark(note, "en") for note in self.notes],
            "why_not": self.why_not or None,
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html()


def _returned(moves: list[Move]) -> int:
    """Moves back out of lapse, which only an order makes."""
    return sum(
        move.customers
        for move in moves
        if move.came in ("lapsed", "gone") and move.went not in ("gone", move.came)
    )


def lapse(
    orders: Any,
    *,
    until: date | str | None = None,
    silence: float = 0.05,
    cooling: float = 0.2,
    days: int = FIXED_DAYS,
    weeks: int = 26,
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    date_format: str = "",
    out: Path | str | None = None,
    only: State | Literal[""] = "",
    keep_rows: bool = False,
    threads: int = 0,
) -> Lapse:
    """Who is silent longer than his own rhythm allows, by the end of `until`, from what was known by then.

    Args:
        orders: A path to a CSV or Parquet file, a table, a data frame: `customer_id`, `ordered_at`, optional
            `revenue` (negative: a return), `status`.
        until: The last day, inclusive; None: the day of the last order.
        silence: A customer lapses when so long a silence has fallen below this probability for him.
        cooling: He is cooling from this probability on.
        days: The fixed rule to compare with.
        weeks: Of flow before `until`; 0: none.
        out: CSV or Parquet file for one row a customer.
        only: Rows of customers in this state only.
        keep_rows: Keep these rows in the result as well.
    Raises:
        BadInput, BadTable: as `open_log`; levels, days or weeks that cannot be.
    """
    if not 0 < silence < cooling < 1:
        raise BadInput(
            f"0 < silence < cooling < 1 was expected; silence {silence:g} and cooling {cooling:g} were given"
        )
    if days < 1 or weeks < 0:
        raise BadInput(f"days from 1 and weeks from 0 were expected; {days} and {weeks} were given")
    if only and only not in STATES:
        raise BadInput(f"only {only!r} was given; expected one of {', '.join(STATES)}")
    target = Path(out) if out else None
    if target is not None:
        check_ending(target)
    with open_log(
        orders,
        until=until,
        columns=columns,
        timezone=timezone,
        date_format=date_format,
        money=False,
        threads=threads,
    ) as log:
        return lapse_of(
            log,
            silence=silence,
            cooling=cooling,
            days=days,
            weeks=weeks,
            out=target,
            only=only,
            keep_rows=keep_rows,
        )


def lapse_of(
    log: OrderLog,
    *,
    silence: float = 0.05,
    cooling: float = 0.2,
    days: int = FIXED_DAYS,
    weeks: int = 26,
    out: Path | None = None,
    only: State | Literal[""] = "",
    keep_rows: bool = False,
) -> Lapse:
    """The same over an open log."""
    connection, end = log.connection, log.until_day
    now = log.collapse(log.build("lapse_now", end), end)
    prior = base_rhythm(log, "lapse_now", end, now)
    common: dict[str, Any] = {
        "until": day_of(end),
        "customers": now.customers,
        "one_order": int(now.count[now.repeats == 0].sum()),
        "prior": prior,
        "silence": silence,
        "cooling": cooling,
        "notes": log.notes,
    }
    if prior is None:
        return Lapse(
            **common,
            states=dict.fromkeys(map(str, STATES), 0),
            flow=(),
            fixed=FixedRule(days=days, on=None, follow_days=FOLLOW_DAYS, why_not="no-rhythm"),
            rhythm_days=dict.fromkeys(QUANTILES, NAN),
            lapsed_last_week=0,
            returned_last_week=0,
            why_not="no-rhythm",
        )
    levels = Levels(prior=prior, silence=silence, cooling=cooling)
    register_standing(connection, "lapse_standing", now, levels)
    counts = dict.fromkeys(map(str, STATES), 0)
    counts.update(
        {
            name: int(n)
            for name, n in run(connection, "SELECT state, sum(n) FROM lapse_standing GROUP BY state")
        }
    )
    flow = flow_of(log, levels, weeks=weeks) if weeks else ()
    last = [move for move in flow if move.week == max(entry.week for entry in flow)] if flow else []
    rows = None
    if out is not None:
        write_query(connection, _rows_sql(end, only), out)
    if keep_rows:
        rows = arrow(connection, _rows_sql(end, only))
    return Lapse(
        **common,
        states=counts,
        flow=flow,
        fixed=fixed_rule(log, days=days, silence=silence, cooling=cooling),
        rhythm_days=_quantiles(now, prior),
        lapsed_last_week=sum(m.customers for m in last if m.went == "lapsed" and m.came != "lapsed"),
        returned_last_week=_returned(last),
        out=out,
        rows=rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How unlikely a silence must be for each state, for a base of this rhythm."""

    prior: RhythmPrior
    silence: float = 0.05
    cooling: float = 0.2

    def days(self, repeats: Ints, last: Ints) -> dict[str, Ints]:
        """Whole days of silence from which a customer is cooling, lapsed, gone: (n,) each."""
        x, t = repeats.astype(float), last.astype(float)
        cool = self.prior.unlikely_after(x, t, self.cooling)
        lapse = self.prior.unlikely_after(x, t, self.silence)
        gone = np.maximum(self.prior.gone_after(x, t, self.silence), lapse)
        return {
            name: np.ceil(np.clip(np.nan_to_num(value, nan=_NEVER, posinf=_NEVER), 1, _NEVER)).astype(
                np.int64
            )
            for name, value in (("cool_days", cool), ("lapse_days", lapse), ("gone_days", gone))
        }


def state_sql(silent: str) -> str:
    """SQL of the state after so many days of silence, over `cool_days`, `lapse_days`, `gone_days`."""
    return (
        f"CASE WHEN {silent} >= gone_days THEN 'gone' WHEN {silent} >= lapse_days THEN 'lapsed' "
        f"WHEN {silent} >= cool_days THEN 'cooling' ELSE 'active' END"
    )


def register_standing(
    connection: duckdb.DuckDBPyConnection, table: str, collapsed: Collapsed, levels: Levels
) -> None:
    """Make a table of each distinct history: its days to each state, and how things stand at its end.

    Columns: `first_day`, `last_day`, `repeats`, `n`, `cool_days`, `lapse_days`, `gone_days`, `rhythm_days`,
    `silence_probability`, `p_alive`, `return_probability`, `state`.
    """
    prior, x = levels.prior, collapsed.repeats
    last = collapsed.last_day - collapsed.first_day
    silent = collapsed.until_day - collapsed.last_day
    columns = {
        "first_day": collapsed.first_day,
        "last_day": collapsed.last_day,
        "repeats": x,
        "n": collapsed.count,
        **levels.days(x, last),
        "rhythm_days": prior.unlikely_after(x, last, 0.5),
        "silence_probability": prior.silence(x, last, silent),
        "p_alive": prior.p_alive(x, last, silent),
        "return_probability": prior.p_return(x, last, silent),
    }
    connection.register("lapse_arrow", pa.table({name: pa.array(value) for name, value in columns.items()}))
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT *, "
        f"{state_sql(f'({collapsed.until_day} - last_day)')} AS state FROM lapse_arrow",
    )
    connection.unregister("lapse_arrow")


def _rows_sql(end: int, only: str) -> str:
    epoch = "DATE '1970-01-01'"
    where = f"WHERE state = {quoted(only)} " if only else ""
    return (
        f"SELECT CAST(customer AS VARCHAR) AS customer_id, state, round(rhythm_days, 1) AS rhythm_days, "
        f"{epoch} + last_day::INTEGER AS last_order, "
        f"CASE WHEN last_day + lapse_days <= {end} THEN {epoch} + (last_day + lapse_days)::INTEGER END AS lapsed_at, "
        f"round(silence_probability, 6) AS silence_probability, round(p_alive, 6) AS p_alive, "
        f"round(return_probability, 6) AS return_probability, repeats + 1 AS orders "
        f"FROM lapse_now JOIN lapse_standing USING (first_day, last_day, repeats) {where}ORDER BY customer_id"
    )


def _quantiles(now: Collapsed, prior: RhythmPrior) -> dict[float, float]:
    """Of the usual gap (its median), over customers who came back at least once."""
    again = now.repeats > 0
    gaps = prior.unlikely_after(now.repeats[again], (now.last_day - now.first_day)[again], 0.5)
    order = np.argsort(gaps)
    reached = np.cumsum(now.count[again][order]) / now.count[again].sum()
    return {level: float(gaps[order][np.searchsorted(reached, level)]) for level in QUANTILES}


def flow_of(log: OrderLog, levels: Levels, *, weeks: int) -> tuple[Move, ...]:
    """Who stood where at the beginning and at the end of each of the last `weeks` weeks, from orders up to then.

    The base's law of rates is that of the log's end; a customer's own history is what was known in that week.
    """
    connection, end = log.connection, log.until_day
    weeks = min(weeks, max((end - log.first_day) // 7, 0))
    if not weeks:
        return ()
    start = end - 7 * weeks
    log.build("lapse_before", start)
    later = f"SELECT customer, day FROM order_days WHERE is_order AND day > {start}"
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE lapse_later AS SELECT later.customer, later.day, "
        f"coalesce(b.first_day, min(later.day) OVER (PARTITION BY later.customer)) AS first_day, "
        f"coalesce(b.repeats + 1, 0) + row_number() OVER (PARTITION BY later.customer ORDER BY later.day) - 1 AS repeats "
        f"FROM ({later}) later LEFT JOIN lapse_before b USING (customer)",
    )
    # One row from each order to the next, of all that reach into the weeks.
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE lapse_stretches AS SELECT *, coalesce(lead(day) OVER "
        f"(PARTITION BY customer ORDER BY day), {_NEVER}) AS next_day FROM (SELECT customer, last_day AS day, "
        f"first_day, repeats FROM lapse_before UNION ALL SELECT customer, day, first_day, repeats FROM lapse_later)",
    )
    pairs = arrow(
        connection,
        "SELECT DISTINCT repeats, day - first_day AS reach FROM lapse_stretches",
    )
    repeats, reach = (pairs[name].to_numpy().astype(np.int64) for name in ("repeats", "reach"))
    thresholds = {"repeats": repeats, "reach": reach, **levels.days(repeats, reach)}
    connection.register(
        "lapse_pairs", pa.table({name: pa.array(value) for name, value in thresholds.items()})
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE lapse_spans AS SELECT customer, day, next_day, cool_days, lapse_days, gone_days "
        "FROM lapse_stretches s JOIN lapse_pairs p ON s.repeats = p.repeats AND s.day - s.first_day = p.reach",
    )
    connection.unregister("lapse_pairs")
    moves: list[Move] = []
    for week in range(weeks):
        begin = start + 7 * week
        moves += _moves_of_week(connection, begin)
    for name in ("lapse_before", "lapse_later", "lapse_stretches", "lapse_spans"):
        run(connection, f"DROP TABLE IF EXISTS {name}")
    return tuple(moves)


def _moves_of_week(connection: duckdb.DuckDBPyConnection, begin: int) -> list[Move]:
    end = begin + 7
    silent = (
        f"SELECT {state_sql(f'({begin} - day)')} AS came, {state_sql(f'({end} - day)')} AS went, count(*) AS n "
        f"FROM lapse_spans WHERE day <= {begin} AND next_day > {end} GROUP BY ALL"
    )
    now = f"SELECT customer, {state_sql(f'({end} - day)')} AS went FROM lapse_spans WHERE day > {begin} AND day <= {end} AND next_day > {end}"
    before = f"SELECT customer, {state_sql(f'({begin} - day)')} AS came FROM lapse_spans WHERE day <= {begin} AND next_day > {begin} AND next_day <= {end}"
    ordered = (
        f"SELECT coalesce(came, 'new') AS came, went, count(*) AS n FROM ({now}) LEFT JOIN ({before}) USING (customer) "
        f"GROUP BY ALL"
    )
    rows = run(
        connection,
        f"SELECT came, went, sum(n) FROM ({silent} UNION ALL {ordered}) GROUP BY ALL ORDER BY ALL",
    )
    return [Move(week=day_of(begin + 1), came=came, went=went, customers=int(n)) for came, went, n in rows]


def fixed_rule(
    log: OrderLog, *, days: int = FIXED_DAYS, silence: float = 0.05, cooling: float = 0.2
) -> FixedRule:
    """What `days` of silence would have said FOLLOW_DAYS before the end, against each customer's own rhythm as it was
    known then, and who ordered in the time since."""
    then = log.until_day - FOLLOW_DAYS
    blank = FixedRule(days=days, on=day_of(then), follow_days=FOLLOW_DAYS)
    if then - log.first_day < max(days, FOLLOW_DAYS):
        return FixedRule(days=days, on=None, follow_days=FOLLOW_DAYS, why_not="short-log")
    past = log.collapse(log.build("lapse_then", then), then)
    prior = base_rhythm(log, "lapse_then", then, past)
    if prior is None:
        return FixedRule(days=days, on=None, follow_days=FOLLOW_DAYS, why_not="no-rhythm")
    connection = log.connection
    register_standing(
        connection, "lapse_standing_then", past, Levels(prior=prior, silence=silence, cooling=cooling)
    )
    later = f"SELECT DISTINCT customer FROM order_days WHERE is_order AND day > {then}"
    found = {
        (own, fixed): (int(n), int(ordered))
        for own, fixed, n, ordered in run(
            connection,
            f"SELECT {then} - last_day >= lapse_days AS own, {then} - last_day >= {days} AS fixed, count(*), "
            f"count(l.customer) FROM lapse_then JOIN lapse_standing_then USING (first_day, last_day, repeats) "
            f"LEFT JOIN ({later}) l USING (customer) GROUP BY ALL",
        )
    }
    for name in ("lapse_then", "lapse_standing_then"):
        run(connection, f"DROP TABLE IF EXISTS {name}")
    none = (0, 0)
    early, missed, both = (found.get(key, none) for key in ((False, True), (True, False), (True, True)))
    return FixedRule(
        days=days,
        on=blank.on,
        follow_days=FOLLOW_DAYS,
        customers=past.customers,
        called=early[0] + both[0],
        own_called=missed[0] + both[0],
        in_rhythm=early[0],
        in_rhythm_ordered=early[1],
        missed=missed[0],
        missed_ordered=missed[1],
        both=both[0],
        both_ordered=both[1],
    )
