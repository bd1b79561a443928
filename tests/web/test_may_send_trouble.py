"""Bad input and bad times: in a terminal and over HTTP a clear answer, the safe side, nothing lost, a declared default."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

import pytest
from browser import Browser

import primeta.cli.attention_may_send as cli_may_send
from primeta.attention.ledger import Event
from primeta.attention.policy import policy_from
from primeta.attention.records import Question
from primeta.cli.app import run
from primeta.store.database import Database
from primeta.store.ledger import append_all, load_entries
from primeta.store.policies import load_policies, save_policy
from primeta.web.app import create_app
from primeta.workspace import open_workspace
from primeta.workspace.may_send import Desk, ask_or_default

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ASK = "/api/v1/attention/may-send"
TOML = """
[workspace]
name = "Team"
[attention]
quiet_hours = false
first_useful = 0
sell_at = 0.0
caps = [{ max = 1, window = "7d" }, { max = 18, window = "100d" }]
promises = "promises.json"
"""
PROMISES = [
    {"promise": "love", "text": "We love our customers"},
    {"promise": "year", "text": "At most thirty a year", "max": 30, "window": "365d", "customers": ["many"]},
]


def consent(customer: str, state: str = "given", at: datetime = NOW - 400 * DAY) -> Event:
    told = {"processing": "marketing", "channel": "", "state": state, "text": "yes", "surface": "app"}
    return Event(
        key=f"{customer}-{state}", kind="consent", customer_id=customer, happened_at=at, payload=told
    )


def touch(customer: str, name: str, at: datetime) -> Event:
    told = {"message_id": f"{customer}-{name}", "channel": "push", "purpose": "useful"}
    return Event(
        key=f"touch:{customer}-{name}", kind="touch", customer_id=customer, happened_at=at, payload=told
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One workspace for all; each test has customers of its own."""
    folder = tmp_path_factory.mktemp("trouble")
    (folder / "primeta.toml").write_text(TOML)
    (folder / "promises.json").write_text(json.dumps(PROMISES))
    ws = open_workspace(folder)
    events = [
        consent("plain"),
        # Two contradict each other at one moment.
        consent("both", at=NOW - 3 * DAY),
        consent("both", "withdrawn", at=NOW - 3 * DAY),
        # From the future: a message that is planned, a consent that is not in force yet.
        consent("planned"),
        touch("planned", "m", NOW + 2 * DAY),
        consent("later", at=NOW + 2 * DAY),
        # Told twice, as webhooks do.
        consent("twice"),
        touch("twice", "m", NOW - DAY),
        touch("twice", "m", NOW - DAY),
        # More messages than a state remembers, all older than five weeks.
        consent("old"),
        *(touch("old", str(n), NOW - (60 + n) * DAY) for n in range(18)),
        consent("many"),
        *(touch("many", str(n), NOW - (110 + n) * DAY) for n in range(30)),
    ]
    append_all(ws.database, events, now=NOW - timedelta(hours=1))
    append_all(ws.database, [consent("ahead")], now=NOW + timedelta(hours=2))
    Desk(ws, now=NOW).close()
    ws.close()
    return folder


@pytest.fixture
def site(made):
    ws = open_workspace(made)
    yield Browser(create_app(ws, now=lambda: NOW))
    ws.close()


def over_http(site: Browser, customer: str, purpose: str = "useful", **more):
    asked = {"customer": customer, "channel": "push", "purpose": purpose, **more}
    return site.request("POST", ASK, json=asked)


@pytest.mark.parametrize(
    ("customer", "purpose", "rule", "earliest"),
    [
        ("nobody", "useful", "unknown-customer", None),
        ("plain", "spam", "unknown-purpose", None),
        ("plain", "useful", "allowed", NOW),  # the promise to love is never counted, neither way
        ("both", "useful", "opted-out", None),
        ("planned", "useful", "cap", NOW + 9 * DAY),  # a week after the planned one
        ("later", "useful", "no-consent", NOW + 2 * DAY),
        ("twice", "useful", "cap", NOW + 6 * DAY),
        ("ahead", "useful", "clock", NOW + timedelta(hours=1, minutes=55)),
        ("old", "useful", "cap", NOW + 23 * DAY),  # the oldest of 18 was 77 days ago
        ("many", "useful", "promise", NOW + 226 * DAY),  # the oldest of 30 was 139 days ago
    ],
)
def test_every_way_of_asking_gives_the_same_clear_answer(
    made, site, monkeypatch, capsys, customer, purpose, rule, earliest
):
    monkeypatch.setattr(cli_may_send, "clock", lambda: NOW)
    with pytest.raises(SystemExit) as left:
        run(
            ["attention", "may-send", str(made), "--customer", customer, "--channel", "push", "--purpose", purpose,
             "--json"]
        )  # fmt: skip
    said = json.loads(capsys.readouterr().out)
    assert left.value.code == (0 if rule == "allowed" else 1)
    found = over_http(site, customer, purpose).json()
    many = site.request("POST", ASK, json={"questions": [
        {"customer": customer, "channel": "push", "purpose": purpose}
    ]}).json()["answers"][0]  # fmt: skip
    when = None if earliest is None else earliest.strftime("%Y-%m-%dT%H:%M:%SZ")
    for one in (said, found, many):
        assert (one["rule"], one["allowed"]) == (rule, rule == "allowed")
        moment = one["earliest"]
        assert (None if moment is None else datetime.fromisoformat(moment)) == (
            None if when is None else datetime.fromisoformat(when)
        )
    assert said["reason"] == found["reason"]


def test_long_windows_hold_under_reservations_too(made):
    ws = open_workspace(made)
    desk = Desk(ws, now=NOW)
    for customer, rule in (("old", "cap"), ("many", "promise")):
        asked = Question(customer_id=customer, channel="push", purpose="useful", at=NOW, message_id="x")
        held = desk.reserve(asked, now=NOW, by="test")
        assert held.answer is not None
        assert (held.state, held.answer.rule) == ("refused", rule)
    desk.close()
    ws.close()


def test_what_is_told_twice_stands_once_and_what_contradicts_is_kept(made):
    ws = open_workspace(made)
    with ws.database.read() as connection:
        assert [entry.kind for entry in load_entries(connection, "twice")] == ["consent", "touch"]
        assert len(load_entries(connection, "both")) == 2
    ws.close()


def test_a_question_about_the_past_is_answered_as_of_then_everywhere(site):
    then = (NOW - 5 * DAY).isoformat()
    # Before he said yes and no, three days ago, nothing was known of him.
    assert over_http(site, "both", at=then).json()["rule"] == "unknown-customer"
    assert over_http(site, "twice", at=then).json()["allowed"]
    questions = [{"customer": "twice", "channel": "push", "purpose": "useful", "at": then}]
    assert site.request("POST", ASK, json={"questions": questions}).json()["answers"][0]["allowed"]
    refused = site.request("POST", ASK, json={"questions": questions * 501})
    assert refused.status_code == 400
    assert "501 questions are about a moment that is over" in refused.json()["error"]


def test_an_impossible_policy_is_told_and_service_still_goes(tmp_path, capsys):
    (tmp_path / "primeta.toml").write_text(
        '[workspace]\n[attention]\ndefault = "refuse"\ncaps = [{ max = 0, window = "1d" }]\n'
    )
    arguments = ["attention", "may-send", str(tmp_path), "--customer", "c", "--channel", "push"]
    with pytest.raises(SystemExit) as left:
        run([*arguments, "--purpose", "useful"])
    assert left.value.code == 2
    assert "ever be allowed" in capsys.readouterr().err
    ws = open_workspace(tmp_path)
    found = over_http(Browser(create_app(ws, now=lambda: NOW)), "c", "service")
    ws.close()
    assert found.status_code == 503
    assert "ever be allowed" in found.json()["error"]
    # What the file says for such times holds, although the rest of it cannot be used.
    assert found.json()["default"]["service"]["allowed"] is False


# Where no answer comes


def asking(port: int):
    def ask():
        body = json.dumps({"customer": "c", "channel": "push", "purpose": "offer"}).encode()
        request = Request(f"http://127.0.0.1:{port}{ASK}", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=0.1) as answer:
            return json.load(answer)

    return ask


@pytest.mark.parametrize("silent", [False, True])
def test_a_dead_server_and_one_that_says_nothing_leave_the_declared_default(silent):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if not silent:
            listener.close()
        began = time.monotonic()
        assert ask_or_default(asking(port), purpose="service")["allowed"] is True
        refused = ask_or_default(asking(port), purpose="offer")
        assert (refused["allowed"], refused["rule"]) == (False, "default")
        assert ask_or_default(asking(port), purpose="offer", default="allow")["allowed"] is True
        assert time.monotonic() - began < 5


def test_an_answer_that_breaks_off_leaves_the_declared_default():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def half():
            with listener.accept()[0] as one:
                one.recv(4096)
                one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")

        thread = threading.Thread(target=half)
        thread.start()
        assert ask_or_default(asking(listener.getsockname()[1]), purpose="offer")["rule"] == "default"
        thread.join()


def test_a_locked_state_answers_questions_and_holds_no_places(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "copy")
    ws = open_workspace(folder)
    url = ws.database.url
    ws.database.close()
    ws.database = Database(url, busy_timeout_s=0.05)
    site = Browser(create_app(ws, now=lambda: NOW))
    assert over_http(site, "plain").json()["allowed"]
    other = sqlite3.connect(folder / "state.sqlite", isolation_level=None)
    other.execute("begin immediate")
    # Readers never wait for a writer.
    assert over_http(site, "plain").json()["allowed"]
    held = site.request(
        "POST",
        "/api/v1/attention/reserve",
        json={"customer": "plain", "channel": "push", "purpose": "useful", "message_id": "m"},
    )
    assert held.status_code == 503
    assert held.json()["default"]["useful"]["allowed"] is False
    other.execute("rollback")
    other.close()
    ws.close()


# Rules that change while servers run


def test_a_policy_put_in_force_by_another_process_holds_within_a_second(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "copy")
    first, second = open_workspace(folder), open_workspace(folder)
    sites = [Browser(create_app(ws, now=lambda: NOW)) for ws in (first, second)]
    assert all(over_http(site, "plain").json()["allowed"] for site in sites)
    third = open_workspace(folder)
    night = policy_from({"quiet_hours": [11, 14], "first_useful": 0})
    with third.database.write() as connection:
        save_policy(connection, night, origin="page", by="anna", now=NOW)
    third.close()
    time.sleep(0.6)
    assert [over_http(site, "plain").json()["rule"] for site in sites] == ["quiet-hours"] * 2
    # A file that is edited counts, and a broken one leaves the rules as they are.
    (folder / "primeta.toml").write_text(TOML.replace("quiet_hours = false", "quiet_hours = [12, 13]"))
    time.sleep(0.6)
    assert [over_http(site, "plain").json()["earliest"] for site in sites] == ["2026-11-26T13:00:00Z"] * 2
    (folder / "primeta.toml").write_text("[workspace")
    time.sleep(0.6)
    assert [over_http(site, "plain").json()["rule"] for site in sites] == ["quiet-hours"] * 2
    with first.database.read() as connection:
        # Nobody put an old file in force again.
        assert [kept.policy.version for kept in load_policies(connection)] == [3, 2, 1]
    first.close()
    second.close()


def test_a_process_that_knows_an_old_file_does_not_put_it_in_force_again(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "copy")
    old = open_workspace(folder)
    (folder / "primeta.toml").write_text(TOML.replace("quiet_hours = false", "quiet_hours = [1, 2]"))
    new = open_workspace(folder)
    for ws in (new, old, new, old):
        desk = Desk(ws, now=NOW)
        assert (desk.policy.version, desk.policy.quiet_hours) == (2, (1, 2))
        desk.close()
    old.close()
    new.close()
