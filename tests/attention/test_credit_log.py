"""What came of each touch, read from tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from primeta.attention.outcomes import DAY_US, days_of, time_of, touch_log
from primeta.attention.records import PURPOSES
from primeta.errors import BadTable
from primeta.warehouse.duck import connect
from primeta.worlds.attention import START, simulate_attention
from primeta.worlds.attention_files import attention_tables

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def tables(connection, **named):
    for name, rows in named.items():
        connection.register(name, pa.Table.from_pylist(rows))


def message(name: str, at: float, **more):
    return {"message_id": name, "customer_id": "c1", "sent_at": hours(at), "channel": "push", **more}


def reaction(name: str, kind: str, at: float, machine: bool = False):
    return {"message_id": name, "kind": kind, "happened_at": hours(at), "machine": machine}


def read(messages, reactions, **more):
    connection = connect(threads=1)
    tables(connection, messages=messages, reactions=reactions, **more)
    return touch_log(connection, reactions="reactions", until=hours(400), **{name: name for name in more})


def test_clicks_and_replies_within_72_hours_welcome_and_opens_and_machines_do_not():
    log = read(
        [message(name, 0) for name in "abcdef"],
        [
            reaction("a", "clicked", 72),
            reaction("b", "clicked", 72.1),
            reaction("c", "opened", 1),
            reaction("d", "clicked", 1, machine=True),
            reaction("e", "replied", 5),
            reaction("e", "replied", 2),
            reaction("f", "delivered", 0),
        ],
    )
    assert dict(zip(log.message_id, log.welcomed * 24, strict=True)) == pytest.approx(
        {"a": 72, "b": np.nan, "c": np.nan, "d": np.nan, "e": 2, "f": np.nan}, nan_ok=True
    )
    assert np.isnan(log.drove).all()


def test_opt_outs_and_complaints_drive_away_and_undo_a_welcome():
    log = read(
        [message("a", 0), message("b", 0)],
        [reaction("a", "clicked", 1), reaction("a", "unsubscribed", 2), reaction("b", "complained", 3, True)],
    )
    assert (log.drove * 24).tolist() == pytest.approx([2, 3])
    assert log.good.tolist() == [False, False]


def test_an_order_or_a_visit_welcomes_every_touch_of_the_72_hours_before():
    log = read(
        [message("a", 0), message("b", 50), message("c", 80)],
        [reaction("a", "delivered", 0)],
        orders=[{"customer_id": "c1", "ordered_at": hours(70)}],
        visits=[
            {"customer_id": "c1", "happened_at": hours(85)},
            {"customer_id": "c2", "happened_at": hours(1)},
        ],
    )
    assert (log.welcomed * 24).tolist() == pytest.approx([70, 20, 5])


def test_what_is_later_than_the_end_of_the_log_is_left_out():
    connection = connect(threads=1)
    tables(connection, messages=[message("a", 0), message("b", 30)], reactions=[reaction("a", "clicked", 20)])
    log = touch_log(connection, reactions="reactions", until=hours(10))
    assert log.message_id.tolist() == ["a"]
    assert np.isnan(log.welcomed).all()
    assert not log.closed.any()


def test_withheld_messages_are_no_touches_and_an_unknown_purpose_counts_as_an_offer():
    log = read(
        [
            message("a", 0, withheld=True, purpose="offer"),
            message("b", 0, withheld=False, purpose="OFFER"),
            message("c", 1, withheld=None, purpose="newsletter"),
            message("d", 2, withheld=None, purpose=None),
        ],
        [reaction("a", "clicked", 1)],
    )
    assert [PURPOSES[code] for code in log.purpose] == ["offer", "offer", "offer"]


def test_a_missing_column_is_named():
    connection = connect(threads=1)
    tables(connection, messages=[{"message_id": "a", "customer_id": "c", "sent_at": NOON}])
    with pytest.raises(BadTable, match="no column channel"):
        touch_log(connection)


def test_an_empty_log_has_no_touches():
    connection = connect(threads=1)
    connection.execute(
        "CREATE VIEW messages AS SELECT 'a' AS message_id, 'c' AS customer_id, now() AS sent_at, 'x' AS channel WHERE false"
    )
    log = touch_log(connection)
    assert log.touches == 0
    assert log.sequence.tolist() == []


def test_days_and_times_are_each_others_inverse_to_the_microsecond():
    at = datetime(2026, 7, 9, 3, 4, 5, 678901, tzinfo=UTC)
    assert time_of(days_of(at)) == at


def test_tables_of_a_simulated_world_give_the_outcomes_that_were_drawn():
    world = simulate_attention("model", customers=60, seed=4, weeks=8)
    connection = connect(threads=1)
    for name, table in attention_tables(world).items():
        connection.register(name, table)
    log = touch_log(connection, reactions="reactions", until=world.at(world.days))
    went = ~world.withheld
    expected = {
        f"m{number:09d}": (world.welcomed[number], world.drove[number]) for number in np.flatnonzero(went)
    }
    assert sorted(log.message_id) == sorted(expected)
    inside = log.sent - days_of(START) + 3 < world.days
    drawn = np.array([expected[name] for name in log.message_id])
    step = 2 / DAY_US
    np.testing.assert_allclose(log.welcomed[inside], drawn[inside, 0], atol=step)
    np.testing.assert_allclose(log.drove[inside], drawn[inside, 1], atol=step)
