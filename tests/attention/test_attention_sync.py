"""What mapped tables know is taken over once, and may-send asks them where nothing was taken over yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.records import Question
from primeta.workspace import open_workspace

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TOML = """
[workspace]
name = "Team"
[attention]
first_useful = 0
quiet_hours = [21, 9]
promises = "promises.json"
[tables.customers]
from = "customers.csv"
[tables.consents]
from = "consents.csv"
[tables.messages]
from = "messages.csv"
[tables.reactions]
from = "reactions.csv"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "primeta.toml").write_text(TOML)
    (tmp_path / "promises.json").write_text(
        '[{"promise": "p1", "text": "Not more than two a week", "channel": "push", "purpose": null, '
        '"customers": "all", "max": 2, "window": "7d", "valid_from": "2026-01-01", "valid_to": null}]'
    )
    (tmp_path / "customers.csv").write_text(
        "customer_id,timezone\n001,Europe/Moscow\n002,Asia/Vladivostok\n003,\n"
    )
    (tmp_path / "consents.csv").write_text(
        "customer_id,processing,channel,state,happened_at,text,surface\n"
        "001,marketing,push,given,2026-01-01 10:00,I agree,app\n"
        "002,marketing,push,given,2026-01-01 10:00,I agree,app\n"
    )
    sent = [f"m{n},001,{NOW - timedelta(days=n):%Y-%m-%d %H:%M},push,useful" for n in (1, 2, 20)]
    sent.append(f"n1,002,{NOW - timedelta(days=3):%Y-%m-%d %H:%M},push,")
    (tmp_path / "messages.csv").write_text(
        "message_id,customer_id,sent_at,channel,purpose\n" + "\n".join(sent) + "\n"
    )
    (tmp_path / "reactions.csv").write_text(
        "message_id,kind,happened_at\nm20,clicked,2026-11-07 10:00\nn1,unsubscribed,2026-11-24 10:00\n"
    )
    return tmp_path


def rules(ws) -> list[str]:
    asked = [
        Question(customer_id=who, channel="push", purpose="useful", at=NOW)
        for who in ("001", "002", "003", "9")
    ]
    return [ws.may_send(one, now=NOW).rule for one in asked]


def test_tables_are_asked_where_nothing_was_taken_over_and_the_ledger_says_the_same_afterwards(folder):
    ws = open_workspace(folder)
    # 002 lives in Vladivostok (22:00 there), but he opted out, which comes first.
    expected = ["promise", "opted-out", "no-consent", "unknown-customer"]
    assert rules(ws) == expected
    found = ws.sync_attention(now=NOW, by="test")
    assert (found.consents, found.messages, found.reactions, found.zones) == (2, 4, 2, 2)
    assert found.without_purpose == 1
    # Both customers of whom the ledger knows have their credit kept.
    assert found.credits == 2
    assert rules(ws) == expected
    again = ws.sync_attention(now=NOW, by="test")
    assert (again.new, again.messages, again.credits) == (0, 4, 0)
    # What was taken over is counted in the customer's own zone: 19:00 UTC is 22:00 in Moscow.
    desk = ws.desk(now=NOW)
    asked = Question(customer_id="001", channel="push", purpose="useful", at=NOW)
    quick, whole = desk.answer(asked, now=NOW).credit, desk.full_answer(asked, now=NOW).credit
    assert quick is not None
    assert (quick.touches, quick.value, quick.level) == (whole.touches, whole.value, whole.level)  # type: ignore[union-attr]
    assert quick.touches == 3
    late = Question(customer_id="001", channel="push", purpose="useful", at=NOW + timedelta(days=9, hours=7))
    assert desk.answer(late, now=NOW).rule == "quiet-hours"
    desk.close()
    ws.close()


def test_the_promise_is_named_with_its_text_and_the_second_at_which_it_lets_pass(folder):
    ws = open_workspace(folder)
    found = ws.may_send(Question(customer_id="001", channel="push", purpose="useful", at=NOW), now=NOW)
    assert (found.promise, found.promise_text) == ("p1", "Not more than two a week")
    assert found.earliest == NOW + timedelta(days=5)
    ws.close()
