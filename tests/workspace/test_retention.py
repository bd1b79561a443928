"""What is older than its class may be kept is emptied, the chain holds, and answers stay what they were."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from primeta.attention.ledger import Event
from primeta.attention.records import Question
from primeta.cli.app import run
from primeta.config import parse_config
from primeta.errors import BadConfig
from primeta.sources.records import Document
from primeta.store import retention as steps
from primeta.store.documents import load_documents, save_documents
from primeta.store.ledger import each_entry
from primeta.workspace import open_workspace
from primeta.workspace.attention_keep_credit import keep_credit
from primeta.workspace.attention_ledger import rebuild
from primeta.workspace.may_send import Desk

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TOML = """\
[workspace]
name = "Kalina"
{state}
[attention]
caps = [{{ max = 3, window = "7d" }}, {{ max = 6, window = "40d", channel = "email" }}]

[attention.retention]
touch = "60d"
reaction = "60d"
decision = "45d"
kept = "45d"
voice = "100d"
reservation = "60d"
mark = "60d"
"""


def shop_at(folder, state_url=""):
    folder.mkdir()
    state = f'[state]\nurl = "{state_url}"' if state_url else ""
    (folder / "primeta.toml").write_text(TOML.format(state=state), encoding="utf-8")
    return open_workspace(folder)


def events_of(rng: random.Random, customers: int) -> list[Event]:
    """A year of everything that the ledger knows, in no order."""
    found: list[Event] = []
    for customer in range(customers):
        who = f"c{customer}"
        for n in range(rng.randint(1, 60)):
            at = NOW - rng.uniform(0.1, 365) * DAY
            channel = rng.choice(["email", "push"])
            message = f"{who}-m{n}"
            told = {
                "message_id": message,
                "channel": channel,
                "purpose": rng.choice(["useful", "offer", "press"]),
            }
            found.append(
                Event(key=f"t{message}", kind="touch", customer_id=who, happened_at=at, payload=told)
            )
            kind = rng.choice(["delivered", "opened", "clicked", "clicked", "delivered", "unsubscribed"])
            if kind != "unsubscribed" or rng.random() < 0.05:
                told = {"message_id": message, "kind": kind, "channel": channel}
                found.append(
                    Event(
                        key=f"r{message}",
                        kind="reaction",
                        customer_id=who,
                        happened_at=at + DAY / 9,
                        payload=told,
                    )
                )
        for channel in ("", "email", "push"):
            if rng.random() < 0.6:
                told = {
                    "processing": "marketing",
                    "channel": channel,
                    "state": rng.choice(["given", "given", "given", "withdrawn"]),
                    "text": "I agree",
                    "surface": "shop",
                }
                at = NOW - rng.uniform(1, 365) * DAY
                found.append(
                    Event(
                        key=f"c{who}{channel}", kind="consent", customer_id=who, happened_at=at, payload=told
                    )
                )
        if rng.random() < 0.3:
            told = {"promise": "p1", "version": 1, "message_id": f"{who}-m0", "channel": "email"}
            at = NOW - rng.uniform(1, 365) * DAY
            found.append(Event(key=f"b{who}", kind="broken", customer_id=who, happened_at=at, payload=told))
        if rng.random() < 0.2:
            told = {"means": "less-often", "sentence": "not so often", "max_per_week": 1}
            at = NOW - rng.uniform(1, 365) * DAY
            found.append(Event(key=f"w{who}", kind="wish", customer_id=who, happened_at=at, payload=told))
    rng.shuffle(found)
    return found


def answers(ws, customers: int) -> list[tuple]:
    found = []
    desk = Desk(ws, now=NOW)
    for customer in range(customers):
        for channel in ("email", "push"):
            for purpose in ("service", "useful", "offer", "press"):
                question = Question(customer_id=f"c{customer}", channel=channel, purpose=purpose, at=NOW)
                answer = desk.full_answer(question, now=NOW)
                found.append((answer.allowed, answer.rule, answer.earliest, answer.promise))
    desk.close()
    return found


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_answers_after_retention_are_those_before_and_states_can_still_be_worked_out(tmp_path, seed):
    ws = shop_at(tmp_path / "shop")
    ws.record(events_of(random.Random(seed), 6), now=NOW)
    # Credit is worked out from what the ledger still tells (docs/how-to/rights.md): the kept one is asked here.
    keep_credit(ws, now=NOW)
    before = answers(ws, 6)
    assert len(set(before)) > 2
    states = [ws.customer_state(f"c{n}") for n in range(6)]
    done = ws.retain(now=NOW)
    assert done.gone["touch"] > 50
    assert answers(ws, 6) == before
    rebuild(ws)
    assert [ws.customer_state(f"c{n}") for n in range(6)] == states
    assert answers(ws, 6) == before
    assert ws.verify_ledger(now=NOW).ok
    # Nothing that is older is left, but for proof of an opt-out; told again by its sender it does not come back.
    ws.record(events_of(random.Random(seed), 6), now=NOW)
    with ws.database.read() as connection:
        for entry in each_entry(connection):
            if entry.kind in ("touch", "reaction") and entry.happened_at < NOW - 60 * DAY:
                assert not entry.salt or entry.payload["kind"] == "unsubscribed"
    assert ws.retain(now=NOW).gone["touch"] == 0
    ws.close()


def test_killed_between_batches_it_goes_on(tmp_path, monkeypatch, state_url):
    ws = shop_at(tmp_path / "shop", "" if state_url.startswith("sqlite") else state_url)
    events = [
        Event(
            key=f"t{n}",
            kind="touch",
            customer_id=f"c{n % 5}",
            happened_at=NOW - (300 - n) * DAY,
            payload={"message_id": f"m{n}", "channel": "push", "purpose": "useful"},
        )
        for n in range(230)
    ]
    ws.record(events, now=NOW)
    real, calls = steps.empty_entries, []
    look = steps.old_entries

    class Killed(BaseException):
        pass

    def killed(*given, **options):
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        real(*given, **options)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(steps, "old_entries", lambda *given, **told: look(*given, **{**told, "limit": 40}))
        patched.setattr(steps, "empty_entries", killed)
        ws.retain(now=NOW)
    assert ws.verify_ledger(now=NOW).checked.erased == 80
    assert ws.verify_ledger(now=NOW).ok
    # 300 − n > 60: all 230 but none younger than 70 days.
    assert ws.retain(now=NOW, dry_run=True).gone["touch"] == 150
    assert ws.retain(now=NOW).gone["touch"] == 150
    assert ws.verify_ledger(now=NOW).ok
    ws.close()


def test_texts_of_voices_go_with_their_quotes_and_are_not_filled_again(tmp_path):
    ws = shop_at(tmp_path / "shop")
    said = [
        Document(
            id=f"{n:032d}",
            source="tickets",
            owner="Kalina",
            kind=kind,
            published_at=NOW - age * DAY,
            seen_at=NOW,
            title="",
            text=f"The parcel number {n} came much too late",
            url="",
            customer_id=f"c{n}",
        )
        for n, (kind, age) in enumerate((("support", 200), ("support", 20), ("industry", 200)))
    ]
    with ws.database.write() as connection:
        save_documents(connection, said, stories={})
    assert ws.retain(now=NOW, dry_run=True).gone["voice"] == 1
    assert ws.retain(now=NOW).gone["voice"] == 1
    with ws.database.write() as connection:
        # Its source tells it once more.
        save_documents(connection, said, stories={})
    with ws.database.read() as connection:
        kept = load_documents(connection, [one.id for one in said])
    assert [one.text for one in kept] == ["", said[1].text, said[2].text]
    assert [one.customer_id for one in kept] == ["", "c1", "c2"]
    ws.close()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('touch = "60"', "span of at least 30 days"),
        ('touch = "7d"', "span of at least 30 days"),
        ('consent = "3y"', "is proof and is kept"),
        ('letters = "3y"', "not known"),
    ],
)
def test_a_span_that_cannot_be_used_is_named_with_its_line(tmp_path, line, says):
    path = tmp_path / "primeta.toml"
    with pytest.raises(BadConfig, match=says) as told:
        parse_config(f'[workspace]\nname = "x"\n[attention.retention]\n{line}\n', path)
    assert "line 4" in str(told.value)


def test_a_span_shorter_than_a_window_that_looks_back_is_refused(tmp_path):
    ws = shop_at(tmp_path / "shop")
    short = replace(ws.config.attention, retention={"touch": 35 * DAY})
    ws.config = replace(ws.config, attention=short)
    with pytest.raises(BadConfig, match="counts messages over 40 days"):
        ws.retain(now=NOW)
    ws.close()


def test_it_is_told_in_a_terminal_in_both_languages(tmp_path, capsys):
    ws = shop_at(tmp_path / "shop")
    ws.record(events_of(random.Random(1), 2), now=NOW)
    ws.close()
    shop = str(tmp_path / "shop")
    for arguments, word in (
        (["--dry-run"], "would go"),
        (["--language", "ru"], "Стёрто"),
        (["--json"], '"touch"'),
    ):
        with pytest.raises(SystemExit) as left:
            run(["attention", "retain", shop, *arguments])
        assert left.value.code == 0
        told = capsys.readouterr().out
        assert word in told
    classes = {one["class"]: one for one in json.loads(told)["classes"]}
    assert (classes["touch"]["days"], classes["touch"]["count"]) == (60, 0)


def test_nothing_declared_nothing_goes(tmp_path):
    (tmp_path / "primeta.toml").write_text('[workspace]\nname = "x"\n', encoding="utf-8")
    ws = open_workspace(tmp_path)
    done = ws.retain(now=NOW)
    assert (done.gone, "everything is kept" in done.line("en")) == ({}, True)
    with ws.database.read() as connection:
        assert connection.execute(text("select count(*) from ledger")).scalar_one() == 0
    ws.close()
