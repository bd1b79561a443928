"""Each predicate in SQL against the same said in plain Python, on random small logs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeta.attention.checks import Checked, check, place_log
from primeta.attention.promise_file import promises_from
from primeta.attention.records import Promise
from primeta.attention.replay_tables import open_given
from primeta.warehouse.duck import connect

START = datetime(2026, 3, 27, tzinfo=UTC)
"""Two days before clocks go forward in Berlin."""
HOUR = timedelta(hours=1)
ZONES = {"a": "Europe/Berlin", "b": "Asia/Kolkata", "c": "nowhere", "d": ""}
PURPOSES = ("service", "useful", "offer", "press")
CHANNELS = ("push", "email")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(threads=1) as made:
        yield made


hours = st.integers(0, 24 * 6)
messages = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from("abcd"),
            "at": hours,
            "channel": st.sampled_from(CHANNELS),
            "purpose": st.sampled_from(PURPOSES),
            "campaign": st.sampled_from(["x", "y", None]),
            "programme": st.sampled_from(["news", "x", None]),
            "personal": st.sampled_from([True, False, None]),
            "withheld": st.sampled_from([False, False, False, True, None]),
            "late": st.integers(0, 30),
        }
    ),
    min_size=1,
    max_size=25,
)
opt_outs = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24 * 3), st.integers(0, 40)), max_size=4)
consents = st.lists(
    st.tuples(
        st.sampled_from("abcd"), st.sampled_from(["given", "withdrawn"]), hours, st.sampled_from(["", "push"])
    ),
    max_size=3,
)


@st.composite
def promised(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One promise of each kind, each over a scope of its own."""

    def around(name: str, **predicate: Any) -> dict[str, Any]:
        start = draw(st.one_of(st.none(), st.integers(0, 60)))
        end = draw(st.one_of(st.none(), st.integers(61, 140)))
        return {
            "promise": name,
            "text": name,
            "channel": draw(st.sampled_from([None, "push"])),
            "purpose": draw(st.sampled_from([None, None, "offer"])),
            "customers": draw(st.sampled_from(["all", ["a", "b", "e"]])),
            "valid_from": (START + start * HOUR).isoformat() if start is not None else None,
            "valid_to": (START + end * HOUR).isoformat() if end is not None else None,
            **predicate,
        }

    hour = draw(st.sampled_from([[9, 21], [22, 8], [0, 24], [0, 3]]))
    return [
        around("max", max=draw(st.integers(0, 3)), window=draw(st.sampled_from(["3h", "24h", "4d"]))),
        around("hours", hours=hour),
        around("purposes", purposes_only=["service", "useful"]),
        around("channels", channels_only=["email"]),
        around("programmes", programmes_only=["x"]),
        around("personal", personal_only=True),
        around("stop", stop_within=draw(st.sampled_from(["0h", "6h", "24h"]))),
        around("deliver", deliver="x", by=(START + draw(st.integers(0, 150)) * HOUR).isoformat()),
    ]


Rows = list[dict[str, Any]]


def in_scope(promise: Promise, row: dict[str, Any]) -> bool:
    return (
        not row["withheld"]
        and promise.channel in (None, row["channel"])
        and promise.purpose in (None, row["purpose"])
        and (promise.customers == "all" or row["customer_id"] in promise.customers)
    )


def in_force(promise: Promise, at: datetime) -> bool:
    return (promise.valid_from is None or at >= promise.valid_from) and (
        promise.valid_to is None or at < promise.valid_to
    )


def stops_of(
    promise: Promise, rows: Rows, told: dict[str, Any], who: str
) -> list[tuple[datetime, datetime, datetime]]:
    """(from, known from, until) of each opt-out of a customer on the promise's channels."""
    by_id = {row["message_id"]: row for row in rows}
    events = [
        (happened, learnt, by_id[message]["channel"])
        for message, happened, learnt in told["reactions"]
        if by_id[message]["customer_id"] == who
    ]
    events += [
        (at, at, channel)
        for person, state, at, channel in told["consents"]
        if person == who and state == "withdrawn"
    ]
    found = []
    for at, learnt, channel in events:
        if promise.channel is not None and channel not in ("", promise.channel):
            continue
        again = [
            moment
            for person, state, moment, on in told["consents"]
            if person == who and state == "given" and moment > at and on in ("", channel, promise.channel)
        ]
        found.append((at, learnt, min(again, default=datetime.max.replace(tzinfo=UTC))))
    return found


def oracle(promise: Promise, rows: Rows, told: dict[str, Any]) -> dict[tuple[str, str], bool]:
    """(customer, message) → knowable, of everything that broke a promise."""
    found: dict[tuple[str, str], bool] = {}
    scoped = sorted(
        (row for row in rows if in_scope(promise, row)), key=lambda row: (row["sent_at"], row["message_id"])
    )
    if promise.deliver:
        assert promise.by is not None
        if (promise.valid_to is not None and promise.valid_to <= promise.by) or promise.by > told["end"]:
            return {}
        who = {row["customer_id"] for row in rows if row["sent_at"] <= promise.by}
        for person in who if promise.customers == "all" else promise.customers:
            came = any(
                row["customer_id"] == person
                and promise.deliver in (row["campaign"], row["programme"])
                and row["sent_at"] <= promise.by
                and (promise.valid_from is None or row["sent_at"] >= promise.valid_from)
                for row in scoped
            )
            if not came:
                found[person, ""] = True
        return found
    for place, row in enumerate(scoped):
        at = row["sent_at"]
        if not in_force(promise, at):
            continue
        breaks: list[bool] = []
        if promise.max is not None and promise.window is not None:
            before = [
                other
                for other in scoped[:place]
                if other["customer_id"] == row["customer_id"] and at - promise.window < other["sent_at"]
            ]
            if len(before) + 1 > promise.max:
                breaks.append(sum(other["learnt_at"] <= at for other in before) >= promise.max)
        if promise.hours is not None:
            name = ZONES[row["customer_id"]]
            zone = ZoneInfo(name) if name not in ("", "nowhere") else ZoneInfo("America/New_York")
            allowed = [
                hour % 24
                for hour in range(
                    promise.hours[0], promise.hours[1] + 24 * (promise.hours[1] <= promise.hours[0])
                )
            ]
            if at.astimezone(zone).hour not in allowed:
                breaks.append(True)
        if promise.purposes_only and row["purpose"] not in promise.purposes_only:
            breaks.append(True)
        if promise.channels_only and row["channel"] not in promise.channels_only:
            breaks.append(True)
        if promise.programmes_only and not {row["campaign"], row["programme"]} & set(promise.programmes_only):
            breaks.append(True)
        if promise.personal_only and not row["personal"]:
            breaks.append(True)
        if promise.stop_within is not None and row["purpose"] != "service":
            late = [
                learnt <= at
                for happened, learnt, until in stops_of(promise, rows, told, row["customer_id"])
                if happened + promise.stop_within < at < until
            ]
            if late:
                breaks.append(any(late))
        if breaks:
            found[row["customer_id"], row["message_id"]] = any(breaks)
    return found


def placed(
    connection: duckdb.DuckDBPyConnection, rows: Rows, told: dict[str, Any], promises: tuple[Promise, ...]
) -> Checked:
    names = (
        "message_id",
        "customer_id",
        "sent_at",
        "channel",
        "purpose",
        "campaign",
        "programme",
        "personal",
        "withheld",
        "learnt_at",
    )
    kinds = {name: pa.string() for name in names} | {
        "sent_at": pa.timestamp("us", "UTC"),
        "learnt_at": pa.timestamp("us", "UTC"),
        "personal": pa.bool_(),
        "withheld": pa.bool_(),
    }
    log = pa.table({name: pa.array([row[name] for row in rows], kinds[name]) for name in names})
    time = pa.timestamp("us", "UTC")
    reactions = pa.table(
        {
            "message_id": pa.array([message for message, _, _ in told["reactions"]], pa.string()),
            "kind": pa.array(["unsubscribed", "complained"] * len(told["reactions"]), pa.string())[
                : len(told["reactions"])
            ],
            "happened_at": pa.array([at for _, at, _ in told["reactions"]], time),
            "learnt_at": pa.array([at for _, _, at in told["reactions"]], time),
        }
    )
    given_consents = pa.table(
        {
            "customer_id": pa.array([entry[0] for entry in told["consents"]], pa.string()),
            "processing": pa.array(["marketing"] * len(told["consents"]), pa.string()),
            "state": pa.array([entry[1] for entry in told["consents"]], pa.string()),
            "happened_at": pa.array([entry[2] for entry in told["consents"]], time),
            "channel": pa.array([entry[3] for entry in told["consents"]], pa.string()),
        }
    )
    customers = pa.table({"customer_id": list(ZONES), "timezone": list(ZONES.values())})
    tables = {"messages": log, "reactions": reactions, "consents": given_consents, "customers": customers}
    opened = {name: open_given(connection, name, table) for name, table in tables.items()}
    found = place_log(
        connection,
        opened["messages"],
        opened["reactions"],
        customers=opened["customers"],
        consents=opened["consents"],
        promises=promises,
        timezone="America/New_York",
    )
    return check(connection, promises, found)


def agrees(connection, log, stops, said, listed, seed) -> None:
    rows: Rows = []
    for number, row in enumerate(log):
        sent = START + row["at"] * HOUR
        rows.append(
            {**row, "message_id": f"m{number:02d}", "sent_at": sent, "learnt_at": sent + row["late"] * HOUR}
        )
    told: dict[str, Any] = {
        "reactions": [
            (
                rows[place]["message_id"],
                rows[place]["sent_at"] + after * HOUR,
                rows[place]["sent_at"] + (after + late) * HOUR,
            )
            for place, after, late in stops
            if place < len(rows)
        ],
        "consents": [(who, state, START + at * HOUR, channel) for who, state, at, channel in said],
    }
    told["end"] = max(
        [row["sent_at"] for row in rows if not row["withheld"]]
        + [at for _, at, _ in told["reactions"]]
        + [entry[2] for entry in told["consents"]],
        default=START - HOUR,
    )
    promises = promises_from(listed)
    found = placed(connection, rows, told, promises)
    by_promise: dict[str, dict[tuple[str, str], bool]] = {promise.name: {} for promise in promises}
    for row in found.broken():
        by_promise[row.promise][row.customer_id, row.message_id] = row.knowable
    for promise in promises:
        assert by_promise[promise.name] == oracle(promise, rows, told), promise.name
    counts = Counter(row.promise for row in found.broken())
    assert {entry.promise.name: entry.broken for entry in found.promises} == {
        promise.name: counts[promise.name] for promise in promises
    }
    # rows that come late, twice or in another order change nothing
    again = rows + rows[:2]
    random.Random(seed).shuffle(again)
    assert placed(connection, again, told, promises).rows.equals(found.rows)


drawn = given(log=messages, stops=opt_outs, said=consents, listed=promised(), seed=st.integers(0, 1000))
quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=8, deadline=None, suppress_health_check=quiet)
@drawn
def test_every_predicate_finds_what_plain_python_finds_in_any_order_of_rows(
    connection, log, stops, said, listed, seed
):
    agrees(connection, log, stops, said, listed, seed)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=quiet)
@drawn
def test_many_logs_agree_with_plain_python(connection, log, stops, said, listed, seed):
    agrees(connection, log, stops, said, listed, seed)
