"""Options, keys and codes of the ladder stand in its pages."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest
from cyclopts import App

from primeta.cli.app import build
from primeta.reactivation import ladder_result, records

DOCS = Path(__file__).parents[2] / "docs"


def options(app: App) -> set[str]:
    return {
        name for entry in app.assemble_argument_collection() for name in entry.names if name.startswith("--")
    }


@pytest.mark.parametrize("page", ["how-to/ladder.md", "ru/ladder.md"])
def test_every_option_of_the_ladder_is_named(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    known = options(build()["reactivation"]["ladder"])
    assert not [name for name in known if f"`{name}`" not in text]
    cells = re.findall(r"^\| .*?\|", text, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(--[a-z-]+)`", cell)} <= known


def test_every_json_key_of_the_ladder_is_documented():
    text = (DOCS / "reference/json.md").read_text(encoding="utf-8")
    part = text.split("## reactivation ladder\n", 1)[1].split("\n## ", 1)[0]
    said = set(re.findall(r"\w+", part))
    kinds = (
        records.Rung,
        records.Behaviour,
        records.Returners,
        records.NormalAgain,
        records.Between,
        records.PerBuyer,
    )
    keys = {
        field.name
        for kind in (*kinds, records.TailCheck, records.Differs)
        for field in dataclasses.fields(kind)
    }
    for function in (
        ladder_result.Ladder.as_dict,
        ladder_result._part,
        ladder_result._step,
        ladder_result._curve,
    ):
        keys |= set(re.findall(r'"(\w+)":', inspect.getsource(function)))
    assert keys <= said, keys - said
