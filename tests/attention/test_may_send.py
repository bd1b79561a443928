"""`may-send` of a workspace: from the ledger, with the policy of its file, in a terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.ledger import Event
from primeta.attention.records import Question
from primeta.cli.app import run
from primeta.errors import BadConfig
from primeta.store.attention_state import load_state
from primeta.store.erasure import erase_customer
from primeta.store.ledger import load_entries
from primeta.store.policies import load_policies
from primeta.store.reservations import load_places
from primeta.workspace import open_workspace
from primeta.workspace.attention_ledger import record
from primeta.workspace.create import create_workspace
from primeta.workspace.may_send import Desk, ask_or_default, policy_in_force, without_answer

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def consent(
    customer: str, *, state: str = "given", channel: str = "push", at: datetime = NOW - 90 * DAY
) -> Event:
    return Event(
        key=f"{customer}-{state}-{channel}-{at.isoformat()}",
        kind="consent",
        customer_id=customer,
        happened_at=at,
        payload={
            "processing": "marketing",
            "channel": channel,
            "state": state,
            "text": "I agree to receive offers",
            "surface": "checkout",
        },
    )


def touch(
    customer: str, number: int, *, at: datetime, purpose: str = "useful", channel: str = "push"
) -> Event:
    return Event(
        key=f"touch:{customer}-{number}",
        kind="touch",
        customer_id=customer,
        happened_at=at,
        payload={"message_id": f"{customer}-{number}", "channel": channel, "purpose": purpose},
    )


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "team"
    create_workspace(folder, name="Team")
    with (folder / "primeta.toml").open("a") as file:
        file.write(
            '\n[attention]\nquiet_hours = [21, 9]\nsell_at = 0.0\ncaps = [{ max = 2, window = "7d" }]\n'
        )
    ws = open_workspace(folder)
    events = [consent("c1"), *(touch("c1", n, at=NOW - (60 - n) * DAY) for n in range(4))]
    record(
        ws,
        [*events, consent("c2"), consent("c2", state="withdrawn", at=NOW - DAY)],
        now=NOW - timedelta(hours=1),
    )
    ws.close()
    return folder


def ask(customer: str, purpose: str = "useful", **more) -> Question:
    return Question(customer_id=customer, channel="push", purpose=purpose, at=NOW, **more)


def test_the_ledger_and_the_policy_of_the_file_answer(folder):
    ws = open_workspace(folder)
    assert ws.may_send(ask("c1"), now=NOW).allowed
    assert ws.may_send(ask("c2"), now=NOW).rule == "opted-out"
    assert ws.may_send(ask("nobody"), now=NOW).rule == "unknown-customer"
    # Before he opted out it was allowed: a question about the past is answered as of then.
    before = Question(customer_id="c2", channel="push", purpose="useful", at=NOW - 2 * DAY)
    assert ws.may_send(before, now=NOW).allowed
    ws.close()


def test_the_desk_answers_from_kept_states_as_the_ledger_does(folder):
    ws = open_workspace(folder)
    desk = Desk(ws, now=NOW)
    questions = [
        ask(customer, purpose) for customer in ("c1", "c2", "x") for purpose in ("service", "useful", "press")
    ]
    one_by_one = [desk.answer(question, now=NOW) for question in questions]
    assert [answer.allowed for answer in desk.answers(questions, now=NOW)] == [
        one.allowed for one in one_by_one
    ]
    whole = [desk.full_answer(question, now=NOW) for question in questions]
    assert [one.rule for one in whole] == [one.rule for one in one_by_one]
    desk.close()
    ws.close()


def test_the_erased_are_refused_by_every_way_of_asking_and_hold_no_place(folder):
    ws = open_workspace(folder)
    desk = Desk(ws, now=NOW)
    assert desk.reserve(ask("c1", message_id="m"), now=NOW, by="test").ok
    erase_customer(ws.database, "c1", now=NOW, by="test", reason="he asked for it")
    for purpose in ("service", "offer"):
        question = ask("c1", purpose, message_id="n")
        assert desk.answer(question, now=NOW).rule == "suppressed"
        assert desk.answers([question], now=NOW)[0].rule == "suppressed"
        assert desk.verdicts([question], now=NOW)[0].rule == "suppressed"
        assert desk.full_answer(question, now=NOW).rule == "suppressed"
        assert desk.reserve(question, now=NOW, by="test").state == "refused"
    # His message was on its way: it is over, and not written down.
    assert desk.confirm(ask("c1", message_id="m"), sent_at=NOW, now=NOW, by="test").late
    with ws.database.read() as connection:
        assert load_places(connection, "c1", since=NOW - 90 * DAY, now=NOW) == ()
        # Refusing him leaves no trace of him.
        assert load_entries(connection, "c1") == ()
        assert load_state(connection, "c1") is None
    desk.close()
    ws.close()


def test_a_changed_policy_is_a_new_version_and_the_same_one_is_not(folder):
    ws = open_workspace(folder)
    assert policy_in_force(ws, now=NOW).version == policy_in_force(ws, now=NOW).version == 1
    ws.close()
    path = folder / "primeta.toml"
    path.write_text(path.read_text().replace("max = 2", "max = 3"))
    ws = open_workspace(folder)
    policy = policy_in_force(ws, now=NOW)
    assert (policy.version, policy.caps[0].max) == (2, 3)
    with ws.database.read() as connection:
        assert [kept.policy.version for kept in load_policies(connection)] == [2, 1]
    ws.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('caps = [{ max = 2, window = "soon" }]', "line 3: .attention. caps: cap 1: window"),
        ("quiet_hours = [9, 9]", "line 3: .attention. quiet_hours"),
        ("quiet_hours = [0, 24]", "no message but service would ever be allowed"),
        ('caps = [{ max = 0, window = "1d" }]', "ever be allowed.*cap"),
        ("first_usefull = 2", "line 3.*not known"),
        ("holdout = 0.9", "from 0 to 0.5"),
        ('default = "maybe"', "one of refuse, allow-service, allow"),
    ],
)
def test_a_policy_that_cannot_be_is_named_with_its_line(tmp_path, text, said):
    (tmp_path / "primeta.toml").write_text(f"[workspace]\n[attention]\n{text}\n")
    with pytest.raises(BadConfig, match=said):
        policy_in_force(open_workspace(tmp_path), now=NOW)


def test_the_terminal_says_no_with_status_1_and_the_fixed_keys(folder, capsys):
    arguments = ["attention", "may-send", str(folder), "--channel", "push", "--at", "2026-11-26T12:00"]
    with pytest.raises(SystemExit) as left:
        run([*arguments, "--customer", "c2", "--purpose", "offer", "--json"])
    assert left.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["allowed"], found["rule"], found["earliest"]) == (False, "opted-out", None)
    assert set(found["credit"]) >= {"value", "low", "high"}
    assert found["reason"].startswith("He opted out on 25")
    with pytest.raises(SystemExit) as left:
        run([*arguments, "--customer", "c1", "--purpose", "useful", "--language", "ru"])
    assert left.value.code == 0
    assert capsys.readouterr().out == "Отправлять можно.\n"


def test_where_primeta_cannot_answer_the_sender_has_a_declared_default():
    def nobody_there():
        raise TimeoutError("no answer within 50 ms")

    assert ask_or_default(nobody_there, purpose="offer")["allowed"] is False
    assert ask_or_default(nobody_there, purpose="service")["allowed"] is True
    assert ask_or_default(nobody_there, purpose="service", default="refuse")["allowed"] is False
    assert ask_or_default(lambda: {"allowed": True}, purpose="offer") == {"allowed": True}
    from primeta.attention.records import Policy

    assert without_answer(Policy(), "service").allowed
    assert not without_answer(Policy(), "offer").allowed
