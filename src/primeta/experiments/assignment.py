"""Who gets which arm: a lottery without a memory, the same in Python, in a file and on every engine.

A unit is drawn at most four times, each with a salt of its own, so that no draw says anything about another:

- the universal holdout (`primeta:holdout`, the same for all experiments): those in it are touched by none;
- the layer (`layer:NAME`): experiments of one layer own disjoint slots, so they share no unit;
- the ramp (`SALT:ramp`): raising the share lets more in and moves nobody;
- the arm (`SALT`): the parts of [0, 1) follow each other in the order in which the arms are given.

The first three are always drawn by md5, whatever draws the arm: all experiments must agree on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.experiments.cuts import Cuts, place_cuts, stratum_key
from primeta.experiments.ids import unit_text
from primeta.experiments.records import Hash, Plan
from primeta.facts import Column
from primeta.stats.buckets import HASHES, arm_of, bounds, buckets
from primeta.warehouse.buckets import Dialect, bucket_sql, number_literal, text_literal, text_of
from primeta.warehouse.duck import arrow, connect, named, plain_errors, run
from primeta.warehouse.files import read_table
from primeta.warehouse.mapping import canonical_value

HOLDOUT_SALT = "primeta:holdout"
ADDED = ("arm", "bucket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lottery:
    """All that decides a unit's arm; what is no part of it changes nobody's arm.

    Raises:
        BadInput: what could not be drawn: shares that do not sum to one, one arm only, an empty slot.
    """

    salt: str
    arms: tuple[tuple[str, float], ...]
    """Names with their shares, in the order of their parts of [0, 1)."""
    hash: Hash = "md5"
    layer: str = ""
    slots: tuple[float, float] = (0.0, 1.0)
    holdout: float = 0.0
    ramp: float = 1.0
    strata: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_arms(self.arms)
        if not self.salt.strip():
            raise BadInput(
                "the salt is empty; give each experiment its own, such as its name: "
                "two experiments with one salt would draw the same lottery"
            )
        if self.hash not in HASHES:
            raise BadInput(f"hash {self.hash!r}: expected one of {', '.join(HASHES)}")
        if not 0 < self.ramp <= 1:
            raise BadInput(f"ramp is the share that takes part, above 0 and up to 1; {self.ramp:g} was given")
        if not 0 <= self.holdout < 1:
            raise BadInput(
                f"holdout is the share that no experiment touches, from 0 to below 1; {self.holdout:g} was given"
            )
        low, high = self.slots
        if not 0 <= low < high <= 1:
            raise BadInput(
                f"slots are two numbers in [0, 1], rising, such as 0:.5; {low:g}:{high:g} was given"
            )
        if (low, high) != (0.0, 1.0) and not self.layer.strip():
            raise BadInput(
                f"slots {low:g}:{high:g} belong to a layer; name the one whose experiments exclude each other"
            )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.arms)

    @property
    def ends(self) -> npt.NDArray[np.float64]:
        """(k − 1,) where one arm's part of [0, 1) ends and the next begins."""
        return bounds([share for _, share in self.arms])

    @property
    def sieves(self) -> tuple[tuple[str, float, float], ...]:
        """Salt, low, high: a unit takes part when its md5 bucket of each salt lies in [low, high)."""
        found: list[tuple[str, float, float]] = []
        if self.holdout > 0:
            found.append((HOLDOUT_SALT, self.holdout, 1.0))
        if self.slots != (0.0, 1.0):
            found.append((f"layer:{self.layer}", *self.slots))
        if self.ramp < 1:
            found.append((f"{self.salt}:ramp", 0.0, self.ramp))
        return tuple(found)


class ArmSql(NamedTuple):
    """Two SQL expressions: the arm (null for a unit that takes no part) and the bucket."""

    arm: str
    bucket: str


def lottery_of(plan: Plan) -> Lottery:
    """The lottery that a plan declares; its salt is the plan's name where none is given."""
    return Lottery(
        salt=plan.salt or plan.name,
        arms=tuple((arm.name, arm.share) for arm in plan.arms),
        hash=plan.hash,
        layer=plan.layer,
        slots=plan.slots,
        holdout=plan.holdout,
        ramp=plan.ramp,
        strata=plan.strata,
    )


# What a person writes


def check_arms(arms: Iterable[tuple[str, float]]) -> None:
    """Raises BadInput where shares cannot be drawn, and says why."""
    arms = tuple(arms)
    if len(arms) < 2:
        raise BadInput(f"{len(arms)} arm was given; a test needs at least two, the control among them")
    names = [name for name, _ in arms]
    for name, share in arms:
        if not name.strip():
            raise BadInput("an arm has no name; write control=.2,a=.8")
        if names.count(name) > 1:
            raise BadInput(f"two arms are called {name!r}; give each a name of its own")
        if not (math.isfinite(share) and share > 0):
            raise BadInput(
                f"arm {name}: its share must be above 0; {share:g} was given. Leave the arm out instead"
            )
    total = math.fsum(share for _, share in arms)
    if abs(total - 1) > 1e-9:
        change = "Lower" if total > 1 else "Raise"
        whole = ", ".join(f"{name}={share / total:.6g}" for name, share in arms)
        raise BadInput(
            f"the shares of the arms sum to {total:.10g}, not to 1. {change} one of them, or keep their "
            f"proportions: {whole}. To let only a part take part, use the ramp."
        )


def parse_share(text: str, what: str) -> float:
    """`.2`, `20%` or `1/3` as a share.

    Raises:
        BadInput: no number; says what was expected of `what`.
    """
    stripped = text.strip()
    top, slash, bottom = stripped.removesuffix("%").partition("/")
    try:
        value = float(top) / (float(bottom) if slash else 1.0)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"{what}: {text!r} is no share; write .2, 20% or 1/5")
    return value / 100 if stripped.endswith("%") else value


def parse_arms(text: str) -> dict[str, float]:
    """`control=.2,a=.4,b=.4`: names and shares of the arms, in their order.

    Raises:
        BadInput: an entry without a name, without a share, twice; shares that do not sum to one.
    """
    found: dict[str, float] = {}
    for entry in text.split(","):
        name, equals, share = entry.partition("=")
        name = name.strip()
        if not equals or not name or not share.strip():
            raise BadInput(
                f"arms {text!r}: {entry.strip()!r} is not NAME=SHARE; write control=.2,a=.4,b=.4 "
                f"(a decimal point, no spaces round the commas)"
            )
        if name in found:
            raise BadInput(f"two arms are called {name!r}; give each a name of its own")
        found[name] = parse_share(share, f"arm {name}")
    check_arms(found.items())
    return found


def parse_slots(text: str) -> tuple[float, float]:
    """`0:.5` as the two ends of a slot."""
    low, colon, high = text.partition(":")
    if not colon:
        raise BadInput(f"slots {text!r}: expected FROM:TO, such as 0:.5")
    return parse_share(low, "slots"), parse_share(high, "slots")


# In Python


def assign_ids(
    plan: Plan | Lottery,
    ids: Sequence[Any] | npt.NDArray[Any],
    *,
    strata: Mapping[str, Sequence[Any]] | None = None,
    cuts: Cuts | None = None,
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    """Arms and buckets of n ids.

    Args:
        ids: (n,) texts or whole numbers.
        strata: Attribute → (n,) values; needed with `cuts`.
        cuts: Cut points that were placed for a list at the start (`place_cuts`).
    Returns:
        (n,) names of arms, None for a unit that takes no part; (n,) buckets in [0, 1).
    Raises:
        BadInput: an id that is null or empty, cuts of another lottery, a stratum that is not given.
    """
    lottery = plan if isinstance(plan, Lottery) else lottery_of(plan)
    units = [unit_text(value) for value in ids]
    if "" in units:
        raise BadInput(f"id {units.index('') + 1} of {len(units):,} is null or empty; leave it out")
    drawn = buckets(lottery.salt, units, hash=lottery.hash)
    which = arm_of(drawn, lottery.ends)
    if cuts is not None:
        check_cuts(lottery, cuts)
        columns = _strata_columns(cuts.strata, strata, len(units))
        keys = np.array([stratum_key(cuts.strata, values) for values in zip(*columns)], dtype=object)
        for key in set(keys.tolist()) & cuts.points.keys():
            inside = keys == key
            which[inside] = arm_of(drawn[inside], np.array(cuts.points[key]))
    arms = np.array(lottery.names, dtype=object)[which]
    for salt, low, high in lottery.sieves:
        place = buckets(salt, units)
        arms[(place < low) | (place >= high)] = None
    return arms, drawn


def _strata_columns(
    names: tuple[str, ...], strata: Mapping[str, Sequence[Any]] | None, n: int
) -> list[Sequence[Any]]:
    missing = [name for name in names if name not in (strata or {})]
    if missing or strata is None:
        raise BadInput(f"the cut points are by {', '.join(names)}; {', '.join(missing)} is not given")
    for name in names:
        if len(strata[name]) != n:
            raise BadInput(f"{name} has {len(strata[name]):,} values for {n:,} ids; give one for each")
    return [strata[name] for name in names]


def check_cuts(lottery: Lottery, cuts: Cuts) -> None:
    """Raises BadInput where cut points were placed for another lottery than this one."""
    for what, given, kept in (
        ("salt", lottery.salt, cuts.salt),
        ("hash", lottery.hash, cuts.hash),
        ("arms", _listed(lottery.arms), _listed(cuts.arms)),
        ("strata", ", ".join(lottery.strata), ", ".join(cuts.strata)),
    ):
        if given != kept and not (what == "strata" and not given):
            raise BadInput(
                f"the cut points were placed for {what} {kept}, and {given} was given. They hold for the lottery "
                f"that they were placed for: give the same {what}, or place new ones under another name."
            )


def _listed(arms: Iterable[tuple[str, float]]) -> str:
    return ",".join(f"{name}={share:g}" for name, share in arms)


# In SQL


def arm_sql(
    plan: Plan | Lottery,
    *,
    unit: str,
    dialect: Dialect = "duckdb",
    strata: Mapping[str, str] | None = None,
    cuts: Cuts | None = None,
    bucket: str = "",
) -> ArmSql:
    """The arm and the bucket of a unit as SQL.

    Args:
        unit: SQL expression of the unit's id as text, written as `unit_text` does.
        strata: Attribute → SQL expression of it, for `cuts`; default: a column of that name.
        cuts: Cut points that were placed for a list at the start; for other strata the planned shares hold.
        bucket: SQL expression that holds the arm's bucket already, such as a column of an inner query; the
            arm is then found without hashing anew for each comparison.
    Raises:
        BadInput: cuts of another lottery.
    """
    lottery = plan if isinstance(plan, Lottery) else lottery_of(plan)
    unit = f"({unit})"
    own = bucket_sql(text_literal(lottery.salt, dialect), unit, dialect=dialect, hash=lottery.hash)
    drawn = bucket or f"({own})"
    arm = _parts(drawn, lottery.names, lottery.ends.tolist(), dialect)
    if cuts is not None and cuts.points:
        check_cuts(lottery, cuts)
        branches = " ".join(
            f"WHEN {text_literal(key, dialect)} THEN {_parts(drawn, lottery.names, points, dialect)}"
            for key, points in cuts.points.items()
        )
        arm = f"CASE {stratum_sql(cuts.strata, dialect=dialect, columns=strata)} {branches} ELSE {arm} END"
    conditions: list[str] = []
    for salt, low, high in lottery.sieves:
        place = f"({bucket_sql(text_literal(salt, dialect), unit, dialect=dialect)})"
        if low == 0:
            conditions.append(f"{place} < {number_literal(high, dialect)}")
        elif high == 1:
            conditions.append(f"{place} >= {number_literal(low, dialect)}")
        else:
            # BETWEEN hashes once; below `high` is up to the double before it.
            last = number_literal(math.nextafter(high, 0.0), dialect)
            conditions.append(f"{place} BETWEEN {number_literal(low, dialect)} AND {last}")
    if conditions:
        arm = f"CASE WHEN {' AND '.join(conditions)} THEN {arm} END"
    return ArmSql(arm, own)


def _parts(drawn: str, names: Sequence[str], ends: Sequence[float], dialect: Dialect) -> str:
    """The name of the arm whose part holds the bucket; null where the bucket is."""
    branches = [
        f"WHEN {drawn} < {number_literal(end, dialect)} THEN {text_literal(name, dialect)}"
        for name, end in zip(names, ends)
    ]
    branches.append(f"WHEN {drawn} IS NOT NULL THEN {text_literal(names[-1], dialect)}")
    return f"CASE {' '.join(branches)} END"


def stratum_sql(
    names: Sequence[str], *, dialect: Dialect = "duckdb", columns: Mapping[str, str] | None = None
) -> str:
    """The key of a unit's stratum, `region=North&tier=gold`, as SQL; see `stratum_key`."""
    quote = "`" if dialect in ("spark", "clickhouse") else '"'
    parts: list[str] = []
    for at, name in enumerate(names):
        column = (columns or {}).get(name) or quote + name.replace(quote, quote * 2) + quote
        parts.append(text_literal(("&" if at else "") + f"{name}=", dialect))
        parts.append(f"coalesce({text_of(column, dialect)}, '')")
    return f"concat({', '.join(parts)})"


# A table


def assign(
    rows: Any,
    *,
    unit: str,
    salt: str,
    arms: Mapping[str, float],
    hash: Hash = "md5",
    ramp: float = 1.0,
    layer: str = "",
    slots: tuple[float, float] = (0.0, 1.0),
    holdout: float = 0.0,
    cuts: Cuts | None = None,
) -> pa.Table:
    """The rows with their `arm` and `bucket`, in their order.

    Args:
        rows: A path to a CSV or Parquet file, an Arrow table, a data frame or a mapping of columns.
        unit: Column of ids; a unit that is there on several rows gets the same arm on all.
        salt: Of the lottery: one an experiment.
        arms: Name → share, in the order of their parts of [0, 1); the shares sum to one.
        hash: `fnv1a` draws the arm as GrowthBook's SDKs do (hash version 2).
        ramp: Share of units that take part; raising it moves nobody.
        layer, slots: The part [from, to) of a layer that is this experiment's.
        holdout: Share of all units that no experiment touches.
        cuts: Cut points from `place_cuts`, for exact balance within strata.
    Returns:
        The columns of `rows`; the unit's column holds the id that was hashed, as text where it was text or a
        float. `arm` is null for a unit that takes no part.
    Raises:
        BadTable: no such column, an id that is null or empty, a column `arm` or `bucket` already.
        BadInput: a lottery that cannot be drawn.
    """
    lottery = Lottery(
        salt=salt,
        arms=tuple(arms.items()),
        hash=hash,
        ramp=ramp,
        layer=layer,
        slots=slots,
        holdout=holdout,
        strata=cuts.strata if cuts else (),
    )
    table, where = _table_of(rows, text={unit, *lottery.strata})
    with closing(connect()) as connection, plain_errors(f"assigning {where}"):
        run(connection, "SET preserve_insertion_order = true")
        connection.register("given", table)
        source = UnitSource(connection, "given", unit=unit, where=where)
        source.check_strata(lottery.strata)
        drawn = arrow(connection, source.query(lottery, cuts))
        if drawn.column("bucket").null_count:
            source.complain_of_no_unit()
    return drawn


def _table_of(rows: Any, *, text: set[str]) -> tuple[pa.Table, str]:
    if isinstance(rows, str | Path):
        return read_table(rows, text=text), str(rows)
    try:
        return (rows if isinstance(rows, pa.Table) else pa.table(rows)), "the table"
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(f"the table cannot be read: {error}") from None


class UnitSource:
    """Rows that DuckDB can select from, with a column of ids.

    Args:
        source: What stands after FROM.
        where: How to call it in a message.
    Raises:
        BadTable: the column is not there; `arm` or `bucket` is there already.
    """

    def __init__(self, connection: Any, source: str, *, unit: str, where: str):
        self.connection, self.source, self.unit, self.where = connection, source, unit, where
        described = run(connection, f"DESCRIBE SELECT * FROM {source}")
        self.types: dict[str, str] = {row[0]: row[1] for row in described}
        if unit not in self.types:
            raise BadTable(f"{where}: no column {unit!r} (the unit); it has {', '.join(self.types)}")
        for name in self.types:
            if name.lower() in ADDED:
                raise BadTable(
                    f"{where} has a column {name} already, and `arm` and `bucket` are to be added. "
                    f"Rename it, or assign the file as it was before the first assignment."
                )

    @property
    def id(self) -> str:
        """SQL for the id as the text that is hashed."""
        return self._text(self.unit, "id")

    def _text(self, name: str, kind: Any) -> str:
        type_, column = self.types[name], named(name)
        numeric = type_.upper() in ("DOUBLE", "FLOAT") or type_.upper().startswith("DECIMAL")
        if type_.upper() == "BLOB":
            # Older writers of Parquet leave out the mark that says that bytes are text.
            column, type_ = f"decode({column})", "VARCHAR"
        elif not numeric and type_.upper() != "VARCHAR":
            column, type_ = f"CAST({column} AS VARCHAR)", "VARCHAR"
        return canonical_value(column, type_, Column(name, kind))

    def check_strata(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.types:
                raise BadTable(
                    f"{self.where}: no column {name!r} (a stratum); it has {', '.join(self.types)}"
                )

    def stratum(self, names: Sequence[str]) -> str:
        """SQL for the key of a row's stratum."""
        return stratum_sql(names, columns={name: self._text(name, "text") for name in names})

    def query(self, lottery: Lottery, cuts: Cuts | None = None) -> str:
        """The rows with `arm` and `bucket`."""
        # The id is made once; where it only is the column in other words, the column stays as it was.
        kept = self.types[self.unit].upper()
        listed = ", ".join(
            f"primeta_id AS {named(name)}"
            if name == self.unit
            and (kept in ("VARCHAR", "BLOB", "DOUBLE", "FLOAT") or kept.startswith(("ENUM", "DECIMAL")))
            else named(name)
            for name in self.types
        )
        strata = {name: self._text(name, "text") for name in (cuts.strata if cuts else ())}
        sql = arm_sql(lottery, unit="primeta_id", cuts=cuts, strata=strata, bucket="bucket")
        return (
            f"SELECT {listed}, {sql.arm} AS arm, bucket FROM ("
            f"SELECT *, {sql.bucket} AS bucket FROM (SELECT *, {self.id} AS primeta_id FROM {self.source}))"
        )

    def place_cuts(self, lottery: Lottery) -> Cuts:
        """Cut points for the units that are here now and take part; see `cuts.place_cuts`.

        Raises:
            BadTable: a unit that stands in two strata; names it.
        """
        sql = arm_sql(lottery, unit="unit", bucket="bucket")
        rows = f"SELECT {self.id} AS unit, {self.stratum(lottery.strata)} AS stratum FROM {self.source}"
        if lottery.hash != "md5":
            # Many ids share one of GrowthBook's buckets, so only the ids tell rows of one unit.
            self._complain_of_two_strata(lottery.strata)
            rows = f"SELECT DISTINCT * FROM ({rows})"
        members = arrow(
            self.connection,
            f"SELECT stratum, bucket FROM (SELECT *, {sql.bucket} AS bucket FROM ({rows})) WHERE {sql.arm} IS NOT NULL",
        )
        try:
            return place_cuts(
                lottery, strata=members.column("stratum"), drawn=members.column("bucket").to_numpy()
            )
        except BadInput:
            self._complain_of_two_strata(lottery.strata)
            raise

    def _complain_of_two_strata(self, names: Sequence[str]) -> None:
        """Raises BadTable that names a unit with two strata, where there is one."""
        unit, one_, other, count = run(
            self.connection,
            f"SELECT min(unit), arg_min(low, unit), arg_min(high, unit), count(*) FROM (SELECT {self.id} AS unit, "
            f"min({self.stratum(names)}) AS low, max({self.stratum(names)}) AS high FROM {self.source} "
            f"GROUP BY 1) WHERE low <> high",
        )[0]
        if not count:
            return
        raise BadTable(
            f"{self.where}: {self.unit} {unit} stands in two strata, {one_} and {other} ({count:,} such in all). "
            f"A stratum is what is known of a customer at the start: give each one value."
        )

    def complain_of_no_unit(self) -> None:
        """Raises BadTable that names the first row without an id and how many there are."""
        row, count = run(
            self.connection,
            f"SELECT min(place), count(*) FROM (SELECT row_number() OVER () AS place, {self.id} AS unit "
            f"FROM {self.source}) WHERE unit IS NULL",
        )[0]
        more = f" ({count:,} such rows in all)" if count > 1 else ""
        raise BadTable(
            f"{self.where}, row {row:,} of the data{more}: {self.unit} is null or empty, and nobody can be drawn "
            f"without an id. Fill it in, or leave such rows out."
        )
