"""Times as people write them: which of the usual ways a column uses, and the SQL that turns it into UTC."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from primeta.warehouse.duck import one, quoted

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_TOKENS = (
    ("yyyy", "%Y"), ("YYYY", "%Y"), ("yy", "%y"), ("dd", "%d"), ("DD", "%d"),
    ("MM", "%m"), ("HH", "%H"), ("hh", "%H"), ("mm", "%M"), ("ss", "%S"), ("SS", "%S"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReading:
    """How a column of times is read.

    `utc` is an SQL expression over the source's columns, a TIMESTAMP in UTC, null where a value
    cannot be read. `wording` says the format in words; `ambiguous` is true where day and month
    could be exchanged without contradiction; `zoned` where the values carry their own zone.
    """

    utc: str
    wording: str
    ambiguous: bool = False
    zoned: bool = False


def read_time(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    expression: str,
    kind: str,
    *,
    timezone: str,
    date_format: str = "",
) -> TimeReading:
    """Find out how `expression` over `source` writes times.

    Args:
        kind: DuckDB's type of the expression.
        timezone: Zone of times that carry none.
        date_format: Forces one format: "dd.mm.yyyy HH:MM", or strptime's "%d.%m.%Y %H:%M".
    """

    def local(value: str) -> str:
        return value if timezone == "UTC" else f"timezone('UTC', timezone({quoted(timezone)}, {value}))"

    upper = kind.upper()
    if upper == "TIMESTAMP WITH TIME ZONE":
        return TimeReading(utc=f"timezone('UTC', {expression})", wording="timestamp with zone", zoned=True)
    if upper.startswith("TIMESTAMP"):
        return TimeReading(utc=local(f"CAST({expression} AS TIMESTAMP)"), wording="timestamp")
    if upper == "DATE":
        return TimeReading(utc=local(f"CAST({expression} AS TIMESTAMP)"), wording="date")
    if (
        upper in ("BIGINT", "INTEGER", "UBIGINT", "UINTEGER", "HUGEINT", "DOUBLE", "FLOAT")
        and not date_format
    ):
        return _numbers(connection, source, expression, local)
    text = f"trim(CAST({expression} AS VARCHAR))"
    if date_format:
        form = strptime_format(date_format)
        return TimeReading(utc=local(f"try_strptime({text}, {quoted(form)})"), wording=date_format)
    return _texts(connection, source, text, timezone, local)


def strptime_format(date_format: str) -> str:
    """`dd.mm.yyyy HH:MM` as `%d.%m.%Y %H:%M`; a format that holds `%` already is kept."""
    if "%" in date_format:
        return date_format
    # mm beside a colon is minutes, elsewhere it is the month.
    day, space, clock = date_format.partition(" ")
    day = day.replace("mm", "MM")
    clock = clock.replace("MM", "mm")
    form = day + space + clock
    for token, code in _TOKENS:
        form = form.replace(token, code)
    return form


def _numbers(connection: duckdb.DuckDBPyConnection, source: str, expression: str, local) -> TimeReading:
    """Whole numbers: 20261121, seconds or milliseconds since 1970."""
    low, high = one(connection, f"SELECT min({expression}), max({expression}) FROM {source}")
    if low is not None and low >= 19000101 and high <= 21001231:
        text = f"CAST(CAST({expression} AS BIGINT) AS VARCHAR)"
        return TimeReading(utc=local(f"try_strptime({text}, '%Y%m%d')"), wording="yyyymmdd")
    if low is not None and low >= 1e11:
        return TimeReading(
            utc=f"make_timestamp(CAST({expression} * 1000 AS BIGINT))",
            wording="milliseconds since 1970",
            zoned=True,
        )
    return TimeReading(
        utc=f"make_timestamp(CAST({expression} * 1000000 AS BIGINT))",
        wording="seconds since 1970",
        zoned=True,
    )


def _texts(
    connection: duckdb.DuckDBPyConnection, source: str, text: str, timezone: str, local
) -> TimeReading:
    day_first = f"regexp_extract({text}, '^([0-9]{{1,2}})[/-]([0-9]{{1,2}})[/-][0-9]{{2,4}}', %d)"
    first = f"max(try_cast({day_first % 1} AS INTEGER))"
    second = f"max(try_cast({day_first % 2} AS INTEGER))"
    zone_end = f"regexp_matches({text}, '[0-9]:[0-9.:]+ ?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$')"
    iso, dotted, mixed, most_first, most_second, zoned = one(
        connection,
        f"SELECT count(*) FILTER (regexp_matches({text}, '^[0-9]{{4}}[-/.]?[0-9]{{2}}')), "
        f"count(*) FILTER (regexp_matches({text}, '^[0-9]{{1,2}}[.][0-9]{{1,2}}[.]')), "
        f"count(*) FILTER (regexp_matches({text}, '^[0-9]{{1,2}}[/-][0-9]{{1,2}}[/-]')), "
        f"{first}, {second}, count(*) FILTER ({zone_end}) FROM {source}",
    )
    formats: list[str] = []
    words: list[str] = []
    if iso:
        formats += [f"{day}{clock}" for day in ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d") for clock in _CLOCKS]
        words.append("yyyy-mm-dd")
    if dotted:
        formats += [f"{day}{clock}" for day in ("%d.%m.%y", "%d.%m.%Y") for clock in _CLOCKS]
        words.append("dd.mm.yyyy")
    ambiguous = False
    if mixed:
        could_be_day_first = (most_second or 0) <= 12
        could_be_month_first = (most_first or 0) <= 12
        ambiguous = could_be_day_first == could_be_month_first
        # Where the values cannot tell, the habit of the place decides until a person does.
        month_first = timezone.startswith("America/") if ambiguous else could_be_month_first
        days = ("%m/%d/%y", "%m/%d/%Y", "%m-%d-%Y") if month_first else ("%d/%m/%y", "%d/%m/%Y", "%d-%m-%Y")
        formats += [f"{day}{clock}" for day in days for clock in _CLOCKS]
        words.append("mm/dd/yyyy" if month_first else "dd/mm/yyyy")
    spaced = f"replace({text}, 'T', ' ')"
    listed = "[" + ", ".join(quoted(form) for form in formats) + "]"
    parsed = f"try_cast({text} AS TIMESTAMP)"
    # DuckDB's own cast drops a zone at the end without a word, so a zoned value never reaches it.
    naive = local(f"coalesce({parsed}, try_strptime({spaced}, {listed}))" if formats else parsed)
    utc = naive
    if zoned:
        aware = f"timezone('UTC', try_cast({text} AS TIMESTAMP WITH TIME ZONE))"
        utc = f"CASE WHEN {zone_end} THEN {aware} ELSE {naive} END"
    return TimeReading(
        utc=utc,
        wording=", ".join(words) or "text",
        ambiguous=ambiguous,
        zoned=bool(zoned) and not mixed + dotted,
    )
