"""`primeta collect` and `primeta sources` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TOML = """[workspace]
name = "shop"
language = "ru"
[sources.tickets]
at = "tickets.csv"
kind = "support"
[sources.lost]
at = "lost.pdf"
kind = "agency"
"""


@pytest.fixture
def shop(tmp_path: Path) -> str:
    (tmp_path / "primeta.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "tickets.csv").write_text(
        "id,text,said_at\n1,Где мои баллы за заказ?,2026-03-01 10:00\n2,Пишите пореже,2026-03-02 11:00\n",
        encoding="utf-8",
    )
    return str(tmp_path)


def test_what_was_collected_is_told_in_the_workspaces_language(primeta, shop):
    done = primeta("collect", shop)
    assert done.returncode == 0
    assert done.stdout == (
        "Опрошено источников: 2. Новых текстов: 2. Сбоев: 1. lost: По пути lost.pdf файлов нет. "
        "Положите файл туда или исправьте `at` этого источника.\n"
    )
    assert "No source is due yet." in primeta("collect", shop, "--language", "en").stdout
    listed = primeta("sources", shop).stdout
    assert "Источников: 2 (в порядке: 1, сбой: 1)." in listed


def test_the_documents_for_scripts(primeta, shop):
    report = json.loads(primeta("collect", shop, "--source", "tickets", "--json").stdout)
    assert (report["asked"], report["new"], report["waiting"], report["failed"]) == (1, 2, 1, [])
    tickets, lost = json.loads(primeta("sources", shop, "--json").stdout)["sources"]
    assert (tickets["health"], tickets["group"], tickets["documents"]) == ("well", "voice", 2)
    assert (lost["health"], lost["next_at"], lost["trouble"]) == ("never", None, None)
    again = json.loads(primeta("sources", shop, "--reread", "--json").stdout)
    assert again == {"things": 1, "new": 0, "changed": 0, "failed": []}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["collect", "--source", "news"], "there is no source 'news'; primeta.toml declares tickets, lost"),
        (["sources", "--source", "tickets"], "--source goes with --reread"),
        (["sources", "--reread", "--source", "tickets"], "nothing was collected of a source 'tickets'"),
    ],
)
def test_what_cannot_be_done_is_one_message(primeta, shop, arguments, why):
    verb, *options = arguments
    done = primeta(verb, shop, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert "Traceback" not in done.stderr
