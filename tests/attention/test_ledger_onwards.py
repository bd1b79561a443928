"""The chain is checked from the newest saved head on; credit of many customers at once is that of each alone."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from primeta.attention.credit import CreditEvent
from primeta.attention.credit_bulk import credits_of_many, credits_of_one
from primeta.attention.credit_kept import CREDIT_KINDS, credit_events
from primeta.attention.credit_model import CreditModel
from primeta.attention.ledger import Event
from primeta.attention.records import Policy
from primeta.store.database import Database
from primeta.store.ledger import append_all, load_brief, load_entries
from primeta.workspace import open_workspace

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def touch(customer: str, number: int, at: datetime, purpose: str = "useful", channel: str = "push") -> Event:
    told = {"message_id": f"{customer}-{number}", "channel": channel, "purpose": purpose}
    return Event(
        key=f"touch:{customer}-{number}", kind="touch", customer_id=customer, happened_at=at, payload=told
    )


@pytest.fixture
def ws(tmp_path, state_url):
    (tmp_path / "primeta.toml").write_text(f'[workspace]\nname = "Team"\n[state]\nurl = "{state_url}"\n')
    found = open_workspace(tmp_path)
    yield found
    found.close()


def change(ws, number: int, column: str, value: object) -> None:
    """As somebody would who owns the database: its guard is taken off first."""
    with ws.database.write() as connection:
        if ws.database.url.startswith("sqlite"):
            connection.execute(text("drop trigger if exists ledger_is_kept"))
        else:
            connection.execute(text("alter table ledger disable trigger all"))
        connection.execute(
            text(f'update ledger set "{column}" = :value where number = :n'), {"value": value, "n": number}
        )


def test_onwards_checks_only_what_is_new(ws):
    ws.record([touch("a", n, NOW - n * DAY) for n in range(5)], now=NOW)
    # Without a saved head there is nothing to go on from: all is checked.
    assert ws.verify_ledger(now=NOW, save=True, onwards=True).since == 0
    assert ws.verify_ledger(now=NOW, onwards=True).checked.entries == 0
    ws.record([touch("b", n, NOW - n * DAY) for n in range(3)], now=NOW)
    found = ws.verify_ledger(now=NOW + DAY, onwards=True, save=True)
    assert (found.ok, found.since, found.checked.entries, found.checked.head.number) == (True, 5, 3, 8)
    assert "5" in found.table("ru").note
    assert found.as_dict()["since"] == 5
    ws.record([touch("c", 1, NOW)], now=NOW)
    change(ws, 9, "by", "x")
    assert [fault.kind for fault in ws.verify_ledger(now=NOW, onwards=True).checked.faults] == ["unchained"]
    # What was changed before the head is found by the whole check.
    change(ws, 2, "by", "x")
    assert [fault.number for fault in ws.verify_ledger(now=NOW).checked.faults] == [2, 9]


def test_where_something_else_stands_at_the_saved_head_all_are_checked(ws):
    ws.record([touch("a", n, NOW - n * DAY) for n in range(3)], now=NOW)
    ws.verify_ledger(now=NOW, save=True)
    change(ws, 3, "chain", b"\x01" * 32)
    found = ws.verify_ledger(now=NOW, onwards=True)
    assert (found.ok, found.since, found.checked.entries) == (False, 0, 3)
    assert "anchor" in {fault.kind for fault in found.checked.faults}


def test_brief_entries_say_to_credit_what_whole_ones_say(ws):
    reaction = {"message_id": "a-1", "kind": "clicked", "channel": "push"}
    events = [
        *(touch("a", n, NOW - (9 - n) * DAY) for n in range(4)),
        touch("b", 0, NOW - 3 * DAY, channel="sms"),
        Event(key="r", kind="reaction", customer_id="a", happened_at=NOW - 7 * DAY, payload=reaction),
        Event(key="n", kind="notice", customer_id="a", happened_at=NOW, payload={"name": "terms"}),
    ]
    ws.record(events, now=NOW)
    with ws.database.read() as connection:
        brief = load_brief(connection, ["a", "b", "nobody"], CREDIT_KINDS)
        for customer in ("a", "b", "nobody"):
            assert credit_events(brief[customer]) == credit_events(load_entries(connection, customer))
    assert len(brief["a"]) == 5


def test_many_customers_have_the_credit_that_each_has_alone():
    """Welcomed, driven away, blind, twice told, promises broken and kept, two channels: equal to 1e-9."""
    kinds = ("useful", "offer", "press", "service")
    events: dict[str, list[CreditEvent]] = {"nobody": []}
    for who in range(24):
        told = []
        for n in range(3 + 5 * (who % 9)):
            at = NOW - timedelta(days=100 - 2 * n, hours=who)
            channel = "push" if (n + who) % 3 else "email"
            message = f"{who}-{n}"
            told.append(
                CreditEvent(kind="touch", at=at, channel=channel, purpose=kinds[n % 4], message_id=message)
            )
            if (n * 7 + who) % 5 == 0 and who % 4:
                hours = 20 + 10 * (n % 7)
                told.append(
                    CreditEvent(
                        kind="welcomed", at=at + timedelta(hours=hours), channel=channel, message_id=message
                    )
                )
            if n == 6 and who % 6 == 1:
                told.append(
                    CreditEvent(
                        kind="drove-away", at=at + timedelta(hours=5), channel=channel, message_id=message
                    )
                )
        if who % 5 == 0:
            told.append(CreditEvent(kind="broken", at=NOW - 9 * DAY, channel="push"))
            told.append(CreditEvent(kind="kept", at=NOW - 5 * DAY, channel="push"))
        events[str(who)] = told + told[:2]
    model, policy = CreditModel.prior(), Policy()
    many = credits_of_many(events, model=model, policy=policy, now=NOW)
    assert many["nobody"] == {}
    resting = 0
    for customer, told in events.items():
        alone = credits_of_one(told, model=model, policy=policy, now=NOW)
        assert set(many[customer]) == set(alone)
        for channel, credit in alone.items():
            resting += credit.rest_until is not None
            for field in dataclasses.fields(credit):
                got, expected = getattr(many[customer][channel], field.name), getattr(credit, field.name)
                if isinstance(expected, float):
                    assert math.isclose(got, expected, abs_tol=1e-9), (customer, channel, field.name)
                else:
                    assert got == expected, (customer, channel, field.name)


RECORD = """
import json, sys
from datetime import datetime, UTC
from primeta.store.database import Database
from primeta.store.ledger import append_all
from primeta.attention.ledger import Event
database = Database(sys.argv[1])
now = datetime(2026, 11, 26, 12, tzinfo=UTC)
def events():
    for n in range(int(sys.argv[2])):
        yield Event(key=f"touch:{n}", kind="touch", customer_id=f"c{n % 40}", happened_at=now,
                    payload={"message_id": str(n), "channel": "push", "purpose": "offer"})
print("began", flush=True)
append_all(database, events(), now=now, batch=100)
print("done", flush=True)
"""


@pytest.mark.slow
def test_a_record_that_is_killed_at_any_moment_is_simply_run_again(state_url):
    """kill −9 after .05 s, .1 s, … on both databases: each batch is whole or not there, no event is lost or twice."""
    database = Database(state_url)
    database.migrate()
    count, kills, seconds = 6_000, 0, 0.05
    while True:
        command = [sys.executable, "-c", RECORD, state_url, str(count)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "began\n"
            time.sleep(seconds)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
            finished = "done" in process.stdout.read()
        if finished:
            break
        seconds *= 1.6
        with database.read() as connection:
            written = connection.execute(text("select count(*) from ledger")).scalar_one()
        assert written % 100 == 0
    with database.read() as connection:
        rows = connection.execute(text("select count(*), count(distinct key), max(number) from ledger")).one()
    assert tuple(rows) == (count, count, count)
    assert kills > 0
    again = append_all(database, [touch("x", 1, NOW)], now=NOW)
    assert again.head.number == count + 1
    database.close()
