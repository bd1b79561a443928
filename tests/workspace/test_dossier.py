"""What a customer is given: all that is held about him, nothing of others, in words that need no dictionary."""

from __future__ import annotations

import json
import re
import shutil
import zipfile

import pytest
from rights_shop import IVAN, NOW, SAID, WROTE, built_shop

from primeta.attention.ledger import Event
from primeta.cli.app import run
from primeta.errors import BadInput
from primeta.show.result import plain
from primeta.workspace import open_workspace
from primeta.workspace.dossier import hand_out

JARGON = re.compile(
    r"\b(credit score|ledger|state-space|posterior|logit|token|purpose:|holdout|NaN|None)\b", re.I
)


@pytest.fixture(scope="module")
def built():
    return built_shop()


@pytest.fixture
def ws(built, tmp_path):
    shutil.copytree(built, tmp_path / "shop")
    opened = open_workspace(tmp_path / "shop")
    yield opened
    opened.close()


def test_all_that_is_held_about_him_is_in_it(ws):
    told = plain(ws.dossier(IVAN, now=NOW).as_dict())
    assert told["profile"]["name"] == "Ivanov"
    # As many as the shop has of him: 30 messages, every third with a click, 4 orders, one each of the rest.
    assert len(told["messages"]) == 30
    assert {row["title"] for row in told["messages"]} == {WROTE}
    assert sum(len(row["reactions"]) for row in told["messages"]) == 10
    assert {name: len(rows) for name, rows in told["tables"].items()} == {
        "orders": 4, "voices": 1, "identities": 1, "consents": 1, "assignments": 1
    }  # fmt: skip
    (said,) = told["said"]
    assert said["text"] == SAID
    (consent,) = told["consents"]
    assert (consent["state"], consent["surface"]) == ("given", "checkout")
    assert [row["rule"] for row in told["decisions"]] == ["promise"]
    assert [row["kind"] for row in told["wishes"]] == ["wish"]
    assert [row["experiment"] for row in told["experiments"]] == ["spring"]
    assert [row["mark"] for row in told["reviewers"]] == ["no"]
    # One letter a week was promised and one came every third day.
    assert len(told["broken"]) > 10
    (credit,) = told["credit"]
    assert (credit["sent"], credit["welcomed"]) == (30, 10)
    assert 0 < credit["credit"]["low"] < credit["credit"]["value"] < credit["credit"]["high"] < 1
    assert told["controller"] == "Kalina LLC"


def test_nothing_of_others_is_in_it(ws):
    told = ws.dossier(IVAN, now=NOW)
    for text in (json.dumps(plain(told.as_dict()), ensure_ascii=False), told.html("en"), told.html("ru")):
        assert "other-" not in text
        assert "neighbour" not in text
        assert "Petrov" not in text


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_page_says_it_in_plain_words(ws, lang):
    page = ws.dossier(IVAN, now=NOW).html(lang)
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.S)
    assert not JARGON.search(words), JARGON.search(words)
    assert ("GDPR art. 13(2)(f)" if lang == "en" else "152-ФЗ, ст. 16") in words
    assert ("we estimate" if lang == "en" else "мы оцениваем") in words
    # Nothing is loaded from anywhere, so that it may be kept and printed.
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "@page" in page
    # Columns have names of people's words.
    assert "ordered_at" not in words
    assert "value_hash" not in words


def test_texts_are_shown_as_texts(ws):
    evil = '<script>alert("x")</script>'
    ws.record(
        [
            Event(
                key="evil",
                kind="wish",
                customer_id=IVAN,
                happened_at=NOW,
                payload={"means": "stop-all", "sentence": evil},
            )
        ],
        now=NOW,
    )
    page = ws.dossier(IVAN, now=NOW).html("en")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_of_a_stranger_it_says_that_nothing_is_held_and_leaves_no_trace(ws, tmp_path, capsys):
    run_ok(
        "attention", "dossier", str(ws.folder), "--customer", "stranger", "--out", str(tmp_path / "out.zip")
    )
    assert "Nothing is held" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert "We hold nothing about you." in archive.read("dossier.html").decode()
        told = json.loads(archive.read("dossier.json"))
    assert (told["known"], told["messages"], told["promises"]) == (False, [], [])
    assert ws.dossier("stranger", now=NOW).entries == ()


def test_of_the_erased_it_says_what_the_receipt_says_and_nothing_else(ws):
    ws.erase(IVAN, now=NOW, by="Olga", reason="asked", request="17")
    told = ws.dossier(IVAN, now=NOW)
    document = plain(told.as_dict())
    assert (document["known"], len(document["erased"]), document["erased"][0]["request"]) == (False, 1, "17")
    page = told.html("ru")
    assert "Ваши данные удалены" in page
    assert IVAN not in page
    assert "erased" in told.line("en")


def test_who_received_it_and_when_stands_in_the_next_one(ws, tmp_path):
    hand_out(ws, IVAN, tmp_path / "first", now=NOW, by="Olga", request="17")
    assert {file.name for file in (tmp_path / "first").iterdir()} == {"dossier.html", "dossier.json"}
    told = plain(ws.dossier(IVAN, now=NOW).as_dict())
    assert [(row["by"], row["what"], row["request"]) for row in told["handed_out"]] == [
        ("Olga", "dossier", "17")
    ]


def test_where_it_cannot_be_written_it_says_so(ws, tmp_path):
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(BadInput, match="is a file"):
        hand_out(ws, IVAN, tmp_path / "file.txt", now=NOW, by="Olga")
    with pytest.raises(BadInput, match="give the customer's id away"):
        hand_out(ws, IVAN, tmp_path / f"{IVAN}.zip", now=NOW, by="Olga")
    with pytest.raises(BadInput, match="id of the customer"):
        ws.dossier("", now=NOW)


def run_ok(*arguments: str) -> None:
    with pytest.raises(SystemExit) as left:
        run(list(arguments))
    assert left.value.code == 0
