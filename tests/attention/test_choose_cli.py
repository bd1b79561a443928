"""`attention choose`: one of several messages goes, the others are told why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.ledger import Event
from primeta.cli.app import run
from primeta.errors import BadInput
from primeta.store.ledger import append_all
from primeta.workspace import open_workspace
from primeta.workspace.attention_choose import candidate_from, wanting_from

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AT = ["--at", "2026-11-26T12:00Z"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "primeta.toml").write_text(
        '[workspace]\nname = "Team"\n[attention]\nquiet_hours = [21, 9]\nfirst_useful = 0\nsell_at = 0.0\n'
    )
    ws = open_workspace(tmp_path)
    given = {"processing": "marketing", "channel": "", "state": "given", "text": "yes", "surface": "app"}
    event = Event(
        key="k", kind="consent", customer_id="c1", happened_at=NOW - timedelta(days=9), payload=given
    )
    append_all(ws.database, [event], now=NOW - timedelta(days=8))
    ws.close()
    return tmp_path


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        run(["attention", "choose", *arguments])
    return int(left.value.code or 0)


def test_one_goes_and_each_other_is_told_why_not(folder, capsys):
    (folder / "more.jsonl").write_text(
        '{"message_id": "late", "channel": "push", "purpose": "useful", "deadline": "2026-11-26T11:00:00Z"}\n\n'
        '{"message_id": "none", "channel": "", "purpose": "offer", "value": 9}\n'
    )
    candidates = [
        "--candidate", "message_id=dear,channel=push,purpose=offer,value=12",
        "--candidate", "message_id=cheap,channel=email,purpose=offer,value=3",
        "--file", str(folder / "more.jsonl"),
    ]  # fmt: skip
    assert called(str(folder), "--customer", "c1", *candidates, *AT, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chosen"] == "dear"
    assert [(one["message_id"], one["why"], one["behind"]) for one in found["candidates"]] == [
        ("dear", "chosen", None), ("cheap", "value", "dear"), ("late", "past-deadline", "dear"),
        ("none", "refused", "dear"),
    ]  # fmt: skip
    assert called(str(folder), "--customer", "c1", *candidates, *AT, "--language", "ru") == 0
    said = capsys.readouterr().out
    assert said.startswith("Отправляем dear, остальные (3) — нет.")
    assert "меньше ожидаемая польза" in said


def test_nobody_goes_to_one_of_whom_nothing_is_known(folder, capsys):
    assert (
        called(str(folder), "--customer", "x", "--candidate", "message_id=a,channel=push,purpose=offer") == 1
    )
    assert capsys.readouterr().out.startswith("None of them may be sent.")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "nothing to choose from"),
        ([{"channel": "push"}], "candidate 1: it needs a message_id"),
        ([{"message_id": "a"}, {"message_id": "a"}], "two candidates"),
        ([{"message_id": "a", "colour": "red"}], "'colour' is not known"),
        ([{"message_id": "a", "value": "much"}], "value is a sum of money"),
        ([{"message_id": "a", "deadline": "soon"}], "deadline is a time"),
        ([{"message_id": "a", "personal": "perhaps"}], "personal is true or false"),
    ],
)
def test_candidates_that_cannot_be_understood_are_named(told, said):
    with pytest.raises(BadInput, match=said):
        wanting_from(told, customer="c1", at=NOW, zone=UTC)  # type: ignore[arg-type]


def test_a_candidate_on_the_command_line_is_pairs():
    assert candidate_from("message_id=a, purpose=offer") == {"message_id": "a", "purpose": "offer"}
    with pytest.raises(BadInput, match="message_id=m1,channel=push"):
        candidate_from("offer")
