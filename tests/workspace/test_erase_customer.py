"""Erasing one customer everywhere: state, copies, files and caches; the doors stay shut; the receipt can be checked."""

from __future__ import annotations

import json
import shutil

import duckdb
import pyarrow.parquet as pq
import pytest
from rights_shop import DAY, IVAN, NOW, TRACES, built_shop, make_shop, traces, write_tables
from sqlalchemy import text

from primeta.attention.ledger import Event
from primeta.attention.records import Question
from primeta.cli.app import run
from primeta.errors import BadInput, BadTable
from primeta.store.keys import keys_of
from primeta.store.schema import metadata
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import load_facts, refresh_facts
from primeta.workspace import open_workspace
from primeta.workspace.attention_kept import keep_drafts
from primeta.workspace.receipts import receipts, verify_receipt

LATER = NOW + DAY
QUESTION = Question(customer_id=IVAN, channel="email", purpose="useful", at=LATER)


@pytest.fixture(scope="module")
def built():
    return built_shop()


@pytest.fixture
def ws(built, tmp_path):
    shutil.copytree(built, tmp_path / "shop")
    opened = open_workspace(tmp_path / "shop")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def erased(built, tmp_path_factory):
    """The shop after Ivan was erased: read, do not write."""
    folder = tmp_path_factory.mktemp("rights") / "shop"
    shutil.copytree(built, folder)
    ws = open_workspace(folder)
    before = traces(folder)
    receipt = ws.erase(IVAN, now=LATER, by="Olga", reason="asked by mail", request="2026-17")
    yield ws, receipt, before
    ws.close()


def test_he_stood_everywhere_and_stands_nowhere_afterwards(erased):
    ws, _, before = erased
    # What the shop had put him into, so that the search is known to find him.
    assert {
        "cache/texts/words.sqlite", "cache/voices/q.json", "experiments/spring.v1.parquet", "interviews/spring.calls.parquet"
    } <= before.keys()  # fmt: skip
    assert sum(name.startswith("facts/") for name in before) > 4
    assert any(name.startswith("state.sqlite") for name in before)
    assert sum(name.startswith("raw/") for name in before) == 2
    assert traces(ws.folder) == {}


def test_replays_marks_and_what_a_page_has_read_hold_nobody_who_was_erased(ws, tmp_path):
    # A replay with him among its examples, one of a draft policy, a mark of a message, a list filtered for him.
    ws.keep_replay(now=NOW, by="job")
    ws.ask_replay({"caps": [{"max": 1, "window": "14d"}]}, by="Anna", now=NOW)
    assert keep_drafts(ws, now=NOW, by="job") == 1
    ws.count_consents(now=NOW, by="Anna")
    audience, out = tmp_path / "audience.csv", ws.folder / "tomorrow.csv"
    audience.write_text(f"customer_id\n{IVAN}\nother-001@example.com\n", encoding="utf-8")
    run_ok("attention", "filter", str(ws.folder), "--audience", str(audience), "--channel", "email",
           "--purpose", "useful", "--out", str(out))  # fmt: skip
    his = (*TRACES, keys_of(ws.database, now=NOW).pseudonym(IVAN))
    assert his[-1] in repr(ws.attention_reports())
    assert any(name.startswith("state.sqlite") for name in traces(ws.folder, his[-1:]))
    receipt = ws.erase(IVAN, now=LATER, by="Olga", reason="asked by mail")
    assert his[-1] not in repr(ws.attention_reports())
    # The list is the team's own: Primeta tells where he stands in it, and touches nothing.
    assert ("file", "tomorrow.csv", 1) in {(one.what, one.where, one.rows) for one in receipt.elsewhere}
    out.unlink()
    assert traces(ws.folder, his) == {}


def test_others_are_where_they_were(erased):
    ws, _, _ = erased
    facts = load_facts(ws.folder / "facts")
    rows = duckdb.sql(f"select count(*) from '{facts.folder}/messages/*.parquet'").fetchall()
    assert rows == [(12 * 30,)]
    called = pq.read_table(ws.folder / "interviews" / "spring.calls.parquet")
    assert called["customer_id"].to_pylist() == ["other-001@example.com"]
    # What is written beside the rows of such a file stays.
    entered = pq.read_schema(ws.folder / "experiments" / "spring.v1.parquet")
    assert entered.metadata[b"primeta"] == b'{"format": 1}'
    assert (ws.folder / "cache" / "series-orders-week.npz").exists()
    with ws.database.read() as connection:
        (topic,) = connection.execute(text("select topic, frozen from topics")).all()
        (job,) = connection.execute(text("select result from jobs")).scalars().all()
        (note,) = connection.execute(text("select text from notes")).scalars().all()
        told = connection.execute(text("select what from experiment_events")).scalar_one()
    assert "neighbour" in topic[0]
    assert "neighbour" in topic[1]
    assert json.loads(job) == {"called": [{"customer_id": "o1"}]}
    assert json.loads(told) == {"excluded": ["o1"]}
    assert "rang about" in note or note == ""


def test_the_copy_is_what_a_refresh_would_make_of_the_sources_now(ws):
    ws.erase(IVAN, now=LATER, by="Olga", reason="asked")
    kept = load_facts(ws.folder / "facts")
    with open_warehouse(ws.config) as warehouse:
        again = refresh_facts(warehouse, now=LATER)
    assert again.facts.parts == kept.parts
    assert not any(again.changed.values())
    # A source that brings him once more, with new rows, brings nothing in; who is new gets a number of his own.
    write_tables(ws.folder)
    with open_warehouse(ws.config) as warehouse:
        again = refresh_facts(warehouse, now=LATER)
    assert again.facts.parts == kept.parts
    assert traces(ws.folder) == {}


def test_no_door_takes_him_in_again(ws, tmp_path):
    ws.erase(IVAN, now=LATER, by="Olga", reason="asked")
    now = LATER + DAY
    synced = ws.sync_attention(now=now, by="Olga")
    assert (synced.new, synced.messages) == (0, 12 * 30)
    imported = ws.import_consents(now=now, by="Olga")
    assert imported.new == 0
    file = tmp_path / "more.csv"
    file.write_text(
        "customer_id,processing,channel,state,happened_at,text,surface\n"
        f"{IVAN},marketing,email,given,2026-01-01T00:00:00Z,yes,shop\n",
        encoding="utf-8",
    )
    assert ws.import_consents(file, now=now, by="Olga").new == 0
    told = [
        Event(
            key=f"late-{n}",
            kind=kind,
            customer_id=IVAN,
            happened_at=now,
            payload=payload,
        )
        for n, (kind, payload) in enumerate(
            (
                ("touch", {"message_id": "msg-ivan-1", "channel": "email", "purpose": "offer"}),
                ("reaction", {"message_id": "msg-ivan-1", "kind": "clicked", "channel": "email"}),
                ("wish", {"means": "stop-all", "sentence": "stop"}),
            )
        )
    ]
    recorded = ws.record(told, now=now)
    assert (recorded.new, recorded.erased) == (0, 3)
    assert "3 were about customers who were erased" in recorded.line("en")
    answer = ws.may_send(QUESTION, now=now)
    assert (answer.allowed, answer.rule) == (False, "suppressed")
    audience = tmp_path / "audience.csv"
    audience.write_text(f"customer_id\n{IVAN}\n", encoding="utf-8")
    run_ok("attention", "filter", str(ws.folder), "--audience", str(audience), "--channel", "email",
           "--purpose", "useful", "--out", str(tmp_path / "out.csv"))  # fmt: skip
    assert 'false,"suppressed"' in (tmp_path / "out.csv").read_text()
    with open_warehouse(ws.config) as warehouse:
        for table in ws.config.tables:
            rows = warehouse.connection.execute(f"select * from {warehouse.rows(table)}").fetchall()
            assert rows
            assert not any(one in repr(rows) for one in TRACES), table
    assert traces(ws.folder) == {}


def test_a_consent_with_proof_given_afterwards_lets_him_be_written_to_and_the_old_stays_away(ws, tmp_path):
    ws.erase(IVAN, now=LATER, by="Olga", reason="asked")
    now = LATER + 2 * DAY
    file = tmp_path / "anew.csv"
    file.write_text(
        "customer_id,processing,channel,state,happened_at,text,surface\n"
        f"{IVAN},marketing,email,given,{(LATER + DAY).isoformat()},I agree again,shop\n",
        encoding="utf-8",
    )
    assert ws.import_consents(file, now=now, by="Olga").new > 0
    answer = ws.may_send(Question(customer_id=IVAN, channel="email", purpose="useful", at=now), now=now)
    assert answer.rule not in ("suppressed", "no-consent", "opted-out")
    assert ws.sync_attention(now=now, by="Olga").messages == 12 * 30


def test_the_receipt_says_what_went_and_what_is_left_to_delete(erased):
    ws, receipt, _ = erased
    told = receipt.as_dict()
    # 30 messages; every third message of all has a click; 1 consent; a wish and a decision were written down.
    assert told["emptied"] == {"consent": 1, "decision": 1, "reaction": 10, "touch": 30, "wish": 1}
    assert told["deleted"]["documents"] == 1
    assert told["deleted"]["topics"] == 2
    assert told["copies"] == {
        "customers": 1, "orders": 4, "messages": 30, "reactions": 10, "experiments": 1, "interviews": 1, "raw": 2
    }  # fmt: skip
    left = {one["what"]: one["rows"] for one in told["elsewhere"]}
    assert left == {
        "customers": 1, "orders": 4, "messages": 30, "reactions": 10, "voices": 1, "identities": 1, "consents": 1,
        "assignments": 1,
    }  # fmt: skip
    assert {one["ground"] for one in told["kept"]} == {"objection", "chain"}
    (kept,) = receipts(ws)
    assert kept["receipt"] == receipt.erased.number
    for lang, word in (("en", "RECEIPT"), ("ru", "КВИТАНЦИЯ")):
        assert word in receipt.text(lang)
        assert "2026-17" in receipt.text(lang)


def test_a_receipt_is_checked_against_the_ledger(erased, tmp_path):
    ws, receipt, _ = erased
    file = ws.folder / "receipts" / f"{receipt.name}.json"
    assert verify_receipt(ws, file, customer_id=IVAN).ok
    assert verify_receipt(ws, file, customer_id="other-001@example.com").faults == ("customer",)
    told = json.loads(file.read_text())
    for name, value, fault in (
        ("by", "Mallory", "seal"),
        ("chain", "0" * 64, "chain"),
        ("digest", "0" * 64, "digest"),
        ("entry", 1, "entry"),
        ("emptied", {"touch": 99}, "counts"),
    ):
        forged = tmp_path / f"{name}.json"
        forged.write_text(json.dumps({**told, name: value}), encoding="utf-8")
        assert fault in verify_receipt(ws, forged).faults
    (tmp_path / "none.json").write_text("[]", encoding="utf-8")
    with pytest.raises(BadTable, match="no receipt"):
        verify_receipt(ws, tmp_path / "none.json")
    assert ws.verify_ledger(now=LATER).ok


def test_what_the_law_lets_one_keep_is_kept_with_its_ground(ws):
    receipt = ws.erase(IVAN, now=LATER, by="Olga", reason="asked", keep=("consent",))
    assert receipt.erased.kept_kinds == {"consent": 1}
    assert ("consent", 1, "claims") in receipt.kept
    assert ws.may_send(QUESTION, now=LATER).rule in ("suppressed", "opted-out")
    assert not ws.may_send(QUESTION, now=LATER).allowed
    assert traces(ws.folder).keys() <= {"state.sqlite"}


def test_it_is_asked_for_in_a_terminal(ws, tmp_path, capsys):
    shop = str(tmp_path / "shop")
    with pytest.raises(SystemExit) as left:
        run(["attention", "erase", shop, "--customer", IVAN, "--reason", "asked"])
    assert left.value.code == 2
    assert "add --yes" in capsys.readouterr().out
    run_ok("attention", "erase", shop, "--customer", IVAN, "--reason", "asked", "--yes", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["emptied"]["touch"] == 30
    file = tmp_path / "shop" / "receipts" / f"{told['receipt']:08d}.json"
    run_ok("attention", "verify", shop, "--receipt", str(file), "--customer", IVAN)
    assert "holds" in capsys.readouterr().out


def test_what_cannot_be_asked_is_refused(ws):
    with pytest.raises(BadInput, match="customer"):
        ws.erase(" ", now=NOW, by="Olga", reason="asked")
    with pytest.raises(BadInput, match="why he is erased"):
        ws.erase("7", now=NOW, by="Olga", reason="")
    with pytest.raises(BadInput, match="names the customer"):
        ws.erase(IVAN, now=NOW, by="Olga", reason=f"asked by {IVAN}")
    with pytest.raises(BadInput, match="no kind of entry"):
        ws.erase("7", now=NOW, by="Olga", reason="asked", keep=("letters",))
    # Nobody whom anybody knows: remembered all the same.
    nobody = ws.erase("nobody", now=NOW, by="Olga", reason="asked")
    assert (nobody.erased.entries, nobody.elsewhere) == (0, ())
    assert not ws.may_send(
        Question(customer_id="nobody", channel="email", purpose="useful", at=NOW), now=NOW
    ).allowed


@pytest.mark.slow
def test_on_both_databases_nothing_is_left(tmp_path, state_url):
    ws = make_shop(tmp_path / "shop", state_url=state_url)
    ws.erase(IVAN, now=LATER, by="Olga", reason="asked")
    with ws.database.read() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(table.select()).all()
            assert not any(one in repr(rows) for one in TRACES), table.name
    assert traces(ws.folder) == {}
    assert ws.verify_ledger(now=LATER).ok
    ws.close()


def run_ok(*arguments: str) -> None:
    with pytest.raises(SystemExit) as left:
        run(list(arguments))
    assert left.value.code == 0
