"""One lottery, five places: the same buckets and arms, to the last bit, in Python and on every engine."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import skip_or_fail

from primeta.experiments.assignment import Lottery, arm_sql, assign_ids
from primeta.experiments.cuts import place_cuts, stratum_key
from primeta.warehouse.buckets import (
    bucket_function,
    bucket_sql,
    create_bucket,
    number_literal,
    text_literal,
)
from primeta.warehouse.duck import arrow, connect, run

# One process: an engine starts once.
pytestmark = pytest.mark.xdist_group("engines")

# Every kind of id many times over; all 200,000 with the slow tests.
FEW, COUNT = 20_000, 200_000
ENGINES = [
    *((engine, FEW) for engine in ("duckdb", "postgresql", "clickhouse")),
    *(
        pytest.param((engine, COUNT), marks=pytest.mark.slow)
        for engine in ("duckdb", "postgresql", "clickhouse", "spark")
    ),
]
REGIONS = ("Север", "south", "o'x", "back\\slash", 'quo"te')
ARMS = (("control", 0.2), ("скидка 10%", 0.4), ("it's \\ b", 0.4))
NASTY = ("plain", "it's", "back\\slash", "\\'", 'double"quote', "ёж", "tab\there", "%s {x} $1 :y", "🦔")
NUMBERS = [
    0.1,
    0.2,
    0.2 + 0.4,
    1 / 3,
    0.9999999999999999,
    2**-52,
    0.05,
    *(random.Random(1).random() for _ in range(60)),
]


@cache
def ids(count: int) -> list[str]:
    """Ids as they occur: numbers with zeros in front, Cyrillic, e-mails, GUIDs, emoji, blanks inside."""
    rng = random.Random(20261126)
    makers: list[Callable[[int], str]] = [
        lambda n: str(n),
        lambda n: f"{n:09d}",
        lambda n: f"клиент-{n}",
        lambda n: f"Ёлкина Юлия {n}",
        lambda n: f"user+{n}@пример.рф",
        lambda n: f"{rng.getrandbits(128):032x}",
        lambda n: f"a'b\"c\\{n}",
        lambda n: f"👩\u200d👧e\u0301{n}",
    ]
    return [makers[n % len(makers)](n) for n in range(count)]


@cache
def regions(count: int) -> list[str | None]:
    return [REGIONS[n % 7 % len(REGIONS)] if n % 11 else None for n in range(count)]


PLAIN = Lottery(salt="осень:2026", arms=ARMS)
GROWTHBOOK = Lottery(salt="осень:2026", arms=ARMS, hash="fnv1a")
ALL = Lottery(
    salt="it's \\ a salt",
    arms=ARMS,
    layer="цены",
    slots=(0.1, 0.7),
    holdout=0.05,
    ramp=0.9,
    strata=("region",),
)


@cache
def cuts(count: int):
    """Cut points for the first half of the list; one region is left to the planned shares."""
    half = count // 2
    arms, drawn = assign_ids(ALL, ids(count)[:half])
    keys = np.array([stratum_key(("region",), (region,)) for region in regions(count)[:half]], dtype=object)
    taking = np.array([arm is not None for arm in arms]) & (keys != "region=south")
    return place_cuts(ALL, strata=keys[taking], drawn=drawn[taking])


def queries(dialect, count: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, lottery, points in (
        ("plain", PLAIN, None),
        ("growthbook", GROWTHBOOK, None),
        ("all", ALL, cuts(count)),
    ):
        sql = arm_sql(lottery, unit="unit", dialect=dialect, cuts=points, bucket="drawn")
        # FNV-1a is a recursive query on PostgreSQL, 100 microseconds an id: every tenth will do.
        some = " WHERE place % 10 = 0" if (dialect, name) == ("postgresql", "growthbook") else ""
        found[name] = (
            f"SELECT place, {sql.arm} AS arm, drawn "
            f"FROM (SELECT place, unit, region, {sql.bucket} AS drawn FROM ids{some}) t"
        )
    # The arm alone, as one expression over the id.
    found["inline"] = f"SELECT place, {arm_sql(PLAIN, unit='unit', dialect=dialect).arm} AS arm FROM ids"
    found["function"] = f"SELECT place, bucket({text_literal('осень:2026', dialect)}, unit) AS drawn FROM ids"
    empty = bucket_sql(
        "'s'",
        "CAST(NULL AS Nullable(String))"
        if dialect == "clickhouse"
        else "CAST(NULL AS " + {"duckdb": "VARCHAR", "postgresql": "text", "spark": "STRING"}[dialect] + ")",
        dialect=dialect,
        hash="fnv1a",
    )
    found["null"] = f"SELECT {empty} AS drawn"
    texts = ", ".join(f"{text_literal(text, dialect)} AS t{at}" for at, text in enumerate(NASTY))
    numbers = ", ".join(f"{number_literal(value, dialect)} AS n{at}" for at, value in enumerate(NUMBERS))
    found["texts"] = f"SELECT {texts}"
    found["numbers"] = f"SELECT {numbers}"
    return found


def through_ibis(dialect: str) -> str:
    """The SQL that Ibis writes for `bucket("s", unit)`."""
    listed = ibis.table({"place": "int64", "unit": "string"}, name="ids")
    return str(
        ibis.to_sql(listed.select(listed.place, drawn=bucket_function()("s", listed.unit)), dialect=dialect)
    )


def on_duckdb(folder: Path, count: int, request) -> dict[str, pa.Table]:
    with closing(connect()) as connection:
        connection.register("ids", pq.read_table(folder / "ids.parquet"))
        run(connection, create_bucket("duckdb"))
        found = {name: arrow(connection, sql) for name, sql in queries("duckdb", count).items()}
        found["ibis"] = arrow(connection, through_ibis("duckdb"))
    return found


def on_postgresql(folder: Path, count: int, request) -> dict[str, pa.Table]:
    import psycopg

    url = request.getfixturevalue("postgresql_url").replace("+psycopg", "")
    found: dict[str, pa.Table] = {}
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE ids (place bigint, unit text, region text)")
        with cursor.copy("COPY ids FROM STDIN") as copy:
            for place, (unit, region) in enumerate(zip(ids(count), regions(count))):
                copy.write_row((place, unit, region))
        cursor.execute(create_bucket("postgresql").encode())
        asked = {**queries("postgresql", count), "ibis": through_ibis("postgres")}
        for name, sql in asked.items():
            cursor.execute(sql.encode())
            names = [column.name for column in cursor.description or ()]
            found[name] = pa.table(dict(zip(names, map(list, zip(*cursor.fetchall())))))
    return found


def in_a_process(dialect: str) -> Callable[..., dict[str, pa.Table]]:
    def go(folder: Path, count: int, request) -> dict[str, pa.Table]:
        out = folder / dialect
        out.mkdir()
        job = {
            "ids": str(folder / "ids.parquet"),
            "setup": [create_bucket(dialect)],  # pyright: ignore[reportArgumentType]
            "queries": queries(dialect, count),
            "ibis": True,
            "out": str(out),
        }
        (folder / f"{dialect}.json").write_text(json.dumps(job), encoding="utf-8")
        script = Path(__file__).with_name("engine_process.py")
        done = subprocess.run(
            [sys.executable, str(script), dialect, str(folder / f"{dialect}.json")],
            capture_output=True,
            text=True,
            cwd=folder,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return {name: pq.read_table(out / f"{name}.parquet") for name in (*job["queries"], "ibis")}

    return go


RUN = {
    "duckdb": on_duckdb,
    "postgresql": on_postgresql,
    "clickhouse": in_a_process("clickhouse"),
    "spark": in_a_process("spark"),
}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What one engine answers to every query over so many ids."""

    count: int
    tables: dict[str, pa.Table]

    def __getitem__(self, name: str) -> pa.Table:
        return self.tables[name]


ANSWERS: dict[tuple[str, int], Answers] = {}


@pytest.fixture(params=ENGINES, ids=lambda given: f"{given[0]}-{given[1]}")
def answers(request, tmp_path_factory) -> Answers:
    """What one engine answers; asked once."""
    dialect, count = request.param
    if dialect == "clickhouse" and not importlib.util.find_spec("chdb"):
        skip_or_fail("needs embedded ClickHouse: make engines")
    if dialect == "spark" and not (importlib.util.find_spec("pyspark") and shutil.which("java")):
        skip_or_fail("needs Spark and Java 17: make engines; Debian: apt-get install openjdk-17-jre-headless")
    if (dialect, count) not in ANSWERS:
        folder = tmp_path_factory.mktemp("buckets")
        table = pa.table(
            {
                "place": np.arange(count),
                "unit": ids(count),
                "region": pa.array(regions(count), type=pa.string()),
            }
        )
        pq.write_table(table, folder / "ids.parquet")
        ANSWERS[dialect, count] = Answers(count=count, tables=RUN[dialect](folder, count, request))
    return ANSWERS[dialect, count]


def ordered(table: pa.Table) -> pa.Table:
    return table.sort_by("place")


@cache
def expected(name: str, count: int):
    lottery = {"plain": PLAIN, "growthbook": GROWTHBOOK, "all": ALL}[name]
    points = cuts(count) if name == "all" else None
    return assign_ids(lottery, ids(count), strata={"region": regions(count)}, cuts=points)


@pytest.mark.parametrize("name", ["plain", "growthbook", "all"])
def test_arms_and_buckets_are_those_of_python_to_the_last_bit(answers, name):
    arms, drawn = expected(name, answers.count)
    found = ordered(answers[name])
    place = found.column("place").to_numpy()
    assert len(place) >= answers.count // 10
    assert np.array_equal(found.column("drawn").to_numpy(), drawn[place])
    assert found.column("arm").to_pylist() == arms[place].tolist()


def test_the_arm_as_one_expression_is_the_same(answers):
    assert (
        ordered(answers["inline"]).column("arm").to_pylist() == expected("plain", answers.count)[0].tolist()
    )


def test_the_function_in_sql_and_through_ibis_is_the_same(answers):
    assert np.array_equal(
        ordered(answers["function"]).column("drawn").to_numpy(), expected("plain", answers.count)[1]
    )
    other = assign_ids(Lottery(salt="s", arms=ARMS), ids(answers.count))[1]
    assert np.array_equal(ordered(answers["ibis"]).column("drawn").to_numpy(), other)


def test_literals_arrive_as_they_were_given(answers):
    assert list(answers["texts"].to_pylist()[0].values()) == list(NASTY)
    assert list(answers["numbers"].to_pylist()[0].values()) == NUMBERS
    assert answers["null"].to_pylist() == [{"drawn": None}]
