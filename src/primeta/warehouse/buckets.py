"""The bucket of a unit as SQL: one expression an engine, each giving the bits that `stats.buckets` gives."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from primeta.stats.buckets import FNV_BUCKETS, MD5_BUCKETS, Hash

Dialect = Literal["duckdb", "postgresql", "spark", "clickhouse"]
DIALECTS: tuple[Dialect, ...] = ("duckdb", "postgresql", "spark", "clickhouse")


def text_literal(text: str, dialect: Dialect = "duckdb") -> str:
    """A text as an SQL literal: on Spark and ClickHouse a backslash escapes, elsewhere it is a letter."""
    if dialect in ("spark", "clickhouse"):
        text = text.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"
    return "'" + text.replace("'", "''") + "'"


def number_literal(value: float, dialect: Dialect = "duckdb") -> str:
    """A double as an SQL literal, exact: written without an exponent, most engines would take a decimal."""
    written = f"{value:.16e}"
    return f"CAST({written} AS double precision)" if dialect == "postgresql" else written


def text_of(expression: str, dialect: Dialect = "duckdb") -> str:
    """An expression cast to the engine's type of texts."""
    name = {
        "duckdb": "VARCHAR",
        "postgresql": "text",
        "spark": "STRING",
        "clickhouse": "Nullable(String)",
    }[dialect]
    return f"CAST({expression} AS {name})"


def bucket_sql(salt: str, unit: str, *, dialect: Dialect = "duckdb", hash: Hash = "md5") -> str:
    """The bucket, in [0, 1), of a unit; null for null.

    Args:
        salt, unit: SQL expressions of texts, such as a literal and a column.
        hash: `fnv1a` is GrowthBook's second version.
    """
    if hash == "fnv1a":
        return _growthbook(salt, unit, dialect)
    whole = f"{salt} || ':' || {unit}"
    if dialect == "duckdb":
        return f"('0x' || substr(md5({whole}), 1, 13))::BIGINT::DOUBLE / {MD5_BUCKETS}::DOUBLE"
    if dialect == "postgresql":
        # The bytes are named: in a database of another encoding md5(text) would hash other ones.
        digest = f"md5(convert_to({whole}, 'UTF8'))"
        return f"('x' || substr({digest}, 1, 13))::bit(52)::bigint::float8 / {MD5_BUCKETS}::float8"
    if dialect == "spark":
        digits = f"conv(substr(md5({whole}), 1, 13), 16, 10)"
        return f"CAST({digits} AS DOUBLE) / CAST({MD5_BUCKETS} AS DOUBLE)"
    first = f"reinterpretAsUInt64(reverse(substring(MD5(concat({salt}, ':', {unit})), 1, 8)))"
    return f"bitShiftRight({first}, 12) / {MD5_BUCKETS}"


def _growthbook(salt: str, unit: str, dialect: Dialect) -> str:
    if dialect == "duckdb":
        once = _fnv1a(f"{salt} || {unit}", dialect)
        twice = _fnv1a(f"({once})::VARCHAR", dialect)
        return f"({twice} % {FNV_BUCKETS})::DOUBLE / {FNV_BUCKETS}::DOUBLE"
    if dialect == "postgresql":
        once = _fnv1a(f"{salt} || {unit}", dialect)
        twice = _fnv1a(f"{once}::text", dialect)
        return f"CASE WHEN {unit} IS NOT NULL THEN ({twice} % {FNV_BUCKETS})::float8 / {FNV_BUCKETS} END"
    if dialect == "spark":
        once = _fnv1a(f"{salt} || {unit}", dialect)
        twice = _fnv1a(f"CAST({once} AS STRING)", dialect)
        return f"CAST({twice} % {FNV_BUCKETS} AS DOUBLE) / CAST({FNV_BUCKETS} AS DOUBLE)"
    # An array cannot be null there, so null is led round it.
    once = _fnv1a(f"assumeNotNull(concat({salt}, {unit}))", dialect)
    twice = _fnv1a(f"toString({once})", dialect)
    return f"if(isNull({unit}), NULL, ({twice} % {FNV_BUCKETS}) / {FNV_BUCKETS})"


def _fnv1a(text: str, dialect: Dialect) -> str:
    """FNV-1a over code points, as a whole number of 64 bits (the product needs 56 of them)."""
    if dialect == "duckdb":
        letters = f"list_transform(string_split({text}, ''), lambda letter: unicode(letter)::UBIGINT)"
        step = "lambda state, letter: (xor(state, letter) * 16777619) & 4294967295"
        return f"list_reduce({letters}, {step}, 2166136261::UBIGINT)"
    if dialect == "spark":
        letters = f"transform(split({text}, ''), letter -> CAST(ascii(letter) AS BIGINT))"
        step = "(state, letter) -> ((state ^ letter) * 16777619) & 4294967295"
        return f"aggregate({letters}, CAST(2166136261 AS BIGINT), {step})"
    if dialect == "postgresql":
        return (
            f"(WITH RECURSIVE fnv(word, place, state) AS (SELECT ({text})::text, 1, 2166136261::bigint "
            f"UNION ALL SELECT word, place + 1, "
            f"((state # ascii(substr(word, place, 1))) * 16777619) & 4294967295 "
            f"FROM fnv WHERE place <= length(word)) SELECT state FROM fnv ORDER BY place DESC LIMIT 1)"
        )
    wide = f"convertCharset({text}, 'UTF-8', 'UTF-32LE')"
    letters = (
        f"arrayMap(place -> toUInt64(reinterpretAsUInt32(substring({wide}, 4 * place + 1, 4))), "
        f"range(lengthUTF8({text})))"
    )
    step = "(state, letter) -> bitAnd(bitXor(state, letter) * 16777619, 4294967295)"
    return f"arrayFold({step}, {letters}, toUInt64(2166136261))"


def create_bucket(dialect: Dialect = "duckdb") -> str:
    """The statement that makes `bucket(salt, unit)`, by md5, known to an engine's session.

    On ClickHouse it is run once and stays; on PostgreSQL it is made in the schema of the session.
    """
    body = bucket_sql("salt", "unit", dialect=dialect)
    if dialect == "duckdb":
        return f"CREATE OR REPLACE MACRO bucket(salt, unit) AS {body}"
    if dialect == "postgresql":
        return (
            "CREATE OR REPLACE FUNCTION bucket(salt text, unit text) RETURNS float8 "
            f"LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$ SELECT {body} $body$"
        )
    if dialect == "spark":
        return (
            "CREATE OR REPLACE TEMPORARY FUNCTION bucket(salt STRING, unit STRING) "
            f"RETURNS DOUBLE RETURN {body}"
        )
    return f"CREATE OR REPLACE FUNCTION bucket AS (salt, unit) -> {body}"


@cache
def bucket_function() -> Any:
    """`bucket(salt, unit)` for Ibis expressions, once `create_bucket` was run on the engine."""
    import ibis

    def bucket(salt: str, unit: str) -> float:  # pyright: ignore[reportReturnType]
        """The bucket of a unit, in [0, 1)."""

    # Ibis reads the types themselves, not their names.
    bucket.__annotations__ = {"salt": str, "unit": str, "return": float}
    return ibis.udf.scalar.builtin(bucket)
