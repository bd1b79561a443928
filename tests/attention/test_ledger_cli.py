"""`primeta attention record`, `verify`, `consents import`, `wishes` in a workspace, as a person types them."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from primeta.cli.app import run
from primeta.sources.records import Document
from primeta.store.documents import save_documents
from primeta.workspace import open_workspace
from primeta.workspace.attention_coverage import coverage
from primeta.workspace.attention_ledger import customer_state, rebuild
from primeta.workspace.create import create_workspace

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    create_workspace(tmp_path / "team", timezone="Europe/Moscow")
    return tmp_path / "team"


@pytest.fixture
def primeta(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as left:
            run(["attention", *(str(argument) for argument in arguments)])
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return call


def told(**values):
    return json.dumps({"key": "k1", "kind": "consent", "customer_id": "007", **values}, ensure_ascii=False)


GIVEN = {
    "processing": "marketing",
    "channel": "Email",
    "state": "given",
    "text": "Согласен",
    "surface": "checkout",
}


def test_events_are_written_once_and_verified(folder, tmp_path, primeta):
    file = tmp_path / "events.jsonl"
    file.write_text(told(happened_at="2026-01-02T10:00:00", payload=GIVEN) + "\n\n", encoding="utf-8")
    status, out, _ = primeta("record", folder, file, "--json")
    assert (status, json.loads(out)["new"]) == (0, 1)
    status, out, _ = primeta("record", folder, file, "--json")
    assert (status, json.loads(out)["new"], json.loads(out)["duplicates"]) == (0, 0, 1)
    ws = open_workspace(folder)
    state = customer_state(ws, "007")
    standing = state.standing("marketing", "email", at=NOW)
    # Ten o'clock in Moscow is seven in UTC.
    assert standing.mark is not None
    assert (standing.given, standing.mark.at) == (True, datetime(2026, 1, 2, 7, tzinfo=UTC))
    assert rebuild(ws) == 1
    assert customer_state(ws, "007") == state
    assert not customer_state(ws, "007", happened=datetime(2026, 1, 1, tzinfo=UTC)).consents
    ws.close()
    status, out, _ = primeta("verify", folder, "--save", "--json")
    assert (status, json.loads(out)["ok"], json.loads(out)["entries"]) == (0, True, 1)
    status, out, _ = primeta("verify", folder, "--language", "ru")
    assert (status, "Цепочка цела" in out) == (0, True)


def test_a_change_behind_our_back_is_found_and_the_exit_status_says_so(folder, tmp_path, primeta):
    file = tmp_path / "events.jsonl"
    lines = [told(key=f"k{n}", happened_at="2026-01-02T10:00:00Z", payload=GIVEN) for n in range(3)]
    file.write_text("\n".join(lines), encoding="utf-8")
    primeta("record", folder, file)
    primeta("verify", folder, "--save")
    with sqlite3.connect(folder / "state.sqlite") as state:
        state.execute("drop trigger ledger_is_kept")
        state.execute("update ledger set payload = replace(payload, 'checkout', 'paper') where number = 2")
    state.close()
    status, out, _ = primeta("verify", folder, "--json")
    assert (status, json.loads(out)["faults"]) == (1, [{"number": 2, "kind": "changed"}])
    status, out, _ = primeta("verify", folder)
    assert (status, "its content was changed" in out) == (1, True)


def test_a_ledger_that_was_written_anew_does_not_match_its_anchor(folder, tmp_path, primeta):
    file = tmp_path / "events.jsonl"
    file.write_text(told(happened_at="2026-01-02T10:00:00Z", payload=GIVEN), encoding="utf-8")
    primeta("record", folder, file)
    primeta("verify", folder, "--save")
    (folder / "state.sqlite").unlink()
    for rest in folder.glob("state.sqlite-*"):
        rest.unlink()
    primeta("record", folder, file)
    status, out, _ = primeta("verify", folder, "--json")
    assert (status, json.loads(out)["faults"]) == (1, [{"number": 1, "kind": "anchor"}])


BAD = {
    "not json": "line 1: not JSON",
    told(happened_at="yesterday", payload=GIVEN): "expected a time such as",
    told(happened_at="2026-01-01", payload={**GIVEN, "state": "perhaps"}): "expected one of given, withdrawn",
    told(happened_at="2026-01-01", payload={"state": "given"}): "processing is missing",
    told(happened_at="2026-01-01", payload=GIVEN, kind="gossip"): "'gossip' is no kind of entry",
    told(happened_at="2026-01-01", payload=GIVEN, key=""): "needs a key",
    told(happened_at="2026-01-01", payload=GIVEN, customer_id=""): "customer_id is empty",
    told(happened_at="2026-01-01", payload=GIVEN, colour="red"): "'colour' is not known",
    told(happened_at="2026-01-01", payload={**GIVEN, "text_hash": "ab" * 32}): "is not that of the text",
}


def test_a_bad_line_is_one_clear_message(folder, tmp_path, primeta):
    file = tmp_path / "events.jsonl"
    for line, message in BAD.items():
        file.write_text(line, encoding="utf-8")
        status, out, err = primeta("record", folder, file)
        assert (status, out) == (2, "")
        assert message in err.replace("\n", " ")
        assert "Traceback" not in err


def test_consents_of_a_file_with_other_column_names(folder, tmp_path, primeta):
    file = tmp_path / "consents.csv"
    file.write_text(
        "client;processing;channel;status;date;text;place\n"
        "007;marketing;email;given;2026-03-01 09:00;I agree;checkout\n"
        "008;marketing;email;given;2026-03-01 09:00;;\n"
        "009;marketing;all;unsubscribed;;;\n",
        encoding="utf-8",
    )
    columns = "customer_id=client,state=status,happened_at=date,surface=place"
    status, out, _ = primeta("consents", "import", folder, file, "--columns", columns, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["rows"], found["given"], found["claims"], found["withdrawn"], found["undated"]) == (
        3,
        1,
        1,
        1,
        1,
    )
    # Three consents and one text.
    assert found["new"] == 4
    _, out, _ = primeta("consents", "import", folder, file, "--columns", columns, "--json")
    assert (json.loads(out)["new"], json.loads(out)["duplicates"]) == (0, 4)
    ws = open_workspace(folder)
    given = [
        customer_state(ws, name).standing("marketing", "email", at=NOW).given
        for name in ("007", "008", "009")
    ]
    # The import counts what it brought, as the page of consents shows it.
    assert coverage(ws).counted is not None
    assert coverage(ws).behind == 0
    ws.close()
    assert given == [True, False, False]
    status, out, _ = primeta(
        "consents", "import", folder, file, "--columns", columns,
        "--accept-unproven-by", "Olga Petrova", "--reason", "paper forms, box 12", "--language", "ru",
    )  # fmt: skip
    assert (status, "под ответственность названного сотрудника" in out) == (0, True)
    ws = open_workspace(folder)
    assert customer_state(ws, "008").standing("marketing", "email", at=NOW).given
    ws.close()


def test_the_workspace_file_may_say_who_answers_for_consents_without_proof(folder, tmp_path, primeta):
    (folder / "c.csv").write_text(
        "customer_id,processing,channel,state,happened_at\n008,marketing,email,given,2026-03-01\n"
    )
    toml = folder / "primeta.toml"
    plain = toml.read_text() + '\n[tables.consents]\nfrom = "c.csv"\n\n[attention]\n'
    toml.write_text(plain + 'accept_unproven_by = "Olga Petrova"\n')
    status, _, err = primeta("consents", "import", folder)
    assert (status, "give both" in err.replace("\n", " ")) == (2, True)
    toml.write_text(plain)
    assert json.loads(primeta("consents", "import", folder, "--json")[1])["claims"] == 1
    toml.write_text(plain + 'accept_unproven_by = "Olga Petrova"\naccept_unproven_reason = "paper, box 12"\n')
    assert json.loads(primeta("consents", "import", folder, "--json")[1])["accepted"] == 1
    ws = open_workspace(folder)
    assert customer_state(ws, "008").standing("marketing", "email", at=NOW).given
    ws.close()


def test_consents_without_a_table_or_file_say_what_to_do(folder, primeta):
    status, _, err = primeta("consents", "import", folder)
    assert (status, "[tables.consents]" in err) == (2, True)


def said(number: int, text: str, customer: str = "007", kind: str = "support") -> Document:
    return Document(
        id=f"d-{number:016x}", source="desk", owner="", kind=kind,  # type: ignore[arg-type]
        published_at=NOW - number * DAY, seen_at=NOW, title="", text=text, customer_id=customer,
    )  # fmt: skip


@pytest.fixture
def desk(folder):
    """A workspace whose customers have written."""
    ws = open_workspace(folder)
    found = [
        said(1, "Спасибо! Не звоните мне больше."),
        said(2, "Where is my order?", "008"),
        said(3, "You email me too often", "009"),
        said(4, "unsubscribe", ""),
        said(5, "How to unsubscribe from spam: a guide", "", "industry_report"),
    ]
    with ws.database.write() as connection:
        save_documents(connection, found, stories={})
    ws.close()
    return folder


def test_wishes_pause_marketing_until_a_person_has_looked(desk, primeta):
    status, out, _ = primeta("wishes", desk, "--find", "--json")
    found = json.loads(out)
    assert (status, found["found"], found["texts"], found["nobody"]) == (0, 2, 4, 1)
    assert [wish["means"] for wish in found["waiting"]] == ["less-often", "stop-channel"]
    assert found["waiting"][0]["customer"].startswith("C-")
    often, calls = (wish["key"] for wish in found["waiting"])
    ws = open_workspace(desk)
    assert customer_state(ws, "007").wish("call") is not None
    assert customer_state(ws, "007").wish("email") is None
    assert customer_state(ws, "009").wish("email") is not None
    ws.close()
    # Read again, nothing is found twice.
    (desk / "cache" / "wishes.json").unlink()
    assert json.loads(primeta("wishes", desk, "--find", "--json")[1])["found"] == 0
    status, _, err = primeta("wishes", desk, "--confirm", often)
    assert (status, "--max-per-week" in err) == (2, True)
    primeta("wishes", desk, "--confirm", often[:6], "--max-per-week", "1")
    status, out, _ = primeta("wishes", desk, "--confirm", calls, "--by", "Olga", "--language", "ru")
    assert (status, "Просьб, которые ждут решения, нет" in out) == (0, True)
    ws = open_workspace(desk)
    assert customer_state(ws, "009").preference("max_per_week") == 1
    assert customer_state(ws, "007").standing("marketing", "call", at=NOW + DAY).state == "withdrawn"
    ws.close()
    status, _, err = primeta("wishes", desk, "--release", calls)
    assert (status, "Olga confirmed this wish" in err.replace("\n", " ")) == (2, True)
    status, _, err = primeta("wishes", desk, "--confirm", "zzz")
    assert (status, "there is no wish 'zzz'" in err.replace("\n", " ")) == (2, True)
