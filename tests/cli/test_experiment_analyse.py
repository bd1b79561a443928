"""`primeta experiment analyse` as a process: JSON keys, words, exit status, errors without traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

OFFER = str(Path(__file__).parents[2] / "docs" / "examples" / "offer.csv")


def called(primeta, *arguments: str) -> tuple[int, str, str]:
    done = primeta("experiment", "analyse", OFFER, "--arm", "arm", "--control", "control", *arguments)
    return done.returncode, done.stdout, done.stderr


def test_json_has_the_keys_that_scripts_rely_on(primeta):
    status, out, _ = called(
        primeta, "--metric", "revenue=revenue", "bought=bought:share", "basket=revenue/orders",
        "--covariate", "before=revenue_before", "--value", "revenue=.3", "--cost", "push=.05,discount=.2",
        "--effect", "revenue=2%", "--guardrail", "bought=1%", "--json",
    )  # fmt: skip
    assert status == 0
    document = json.loads(out)
    # DESIGN §6, `experiment analyse`
    assert set(document["checks"]["sample_ratio"]) >= {"p", "ok"}
    row = set(document["effects"][0])
    assert row >= {
        "metric", "arm", "control_mean", "arm_mean", "difference", "low", "high", "p", "p_adjusted", "lift",
        "lift_low", "lift_high", "always_low", "always_high",
    }  # fmt: skip
    assert set(document["decisions"][0]) >= {
        "arm", "state", "why", "rule", "money_per_customer", "low", "high", "basis",
    }  # fmt: skip
    assert set(document["decision"]) >= {"state", "arm", "why"}
    assert [(effect["metric"], effect["arm"]) for effect in document["effects"]] == [
        (metric, arm) for metric in ("revenue", "bought", "basket") for arm in ("discount", "push")
    ]
    assert all(entry["basis"] == "measured" for entry in document["decisions"])


def test_without_a_value_money_is_unknown_and_not_zero(primeta):
    _, out, _ = called(primeta, "--metric", "revenue=revenue", "--json")
    decision = json.loads(out)["decisions"][0]
    assert decision["money_per_customer"] is None
    assert decision["basis"] == "no-value"


def test_options_may_be_repeated_or_listed(primeta):
    _, listed, _ = called(primeta, "--metric", "a=revenue", "b=orders", "--json")
    _, repeated, _ = called(primeta, "--metric", "a=revenue", "--metric", "b=orders", "--json")
    assert json.loads(listed) == json.loads(repeated)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "valid at any look"), ("ru", "верно при любом взгляде")]
)
def test_words_follow_the_language(primeta, language, words):
    status, out, _ = called(primeta, "--metric", "revenue=revenue", "--by", "region", "--language", language)
    assert status == 0
    assert words in out
    assert "north" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--metric", "revenue=revenu"], "revenu"),
        (["--metric", "revenue"], "NAME=VALUE"),
        ([], "no metric"),
        (["--metric", "r=revenue", "--shares", "control=.5"], "discount, push"),
        (["--metric", "r=revenue", "--shares", "control=.5,push=.5,discount=.5"], "sum to 1"),
        (["--metric", "r=revenue", "--cost", "mail=1"], "'mail'"),
        (["--metric", "r=revenue", "--effect", "r=big"], "number"),
        (["--metric", "r=arm"], "text"),
        (["--metric", "r=revenue", "--level", "95"], "level"),
        (["--metric", "r=revenue", "--looks", "5"], "--planned-n"),
    ],
)
def test_errors_are_one_line_and_status_two(primeta, arguments, words):
    status, out, err = called(primeta, *arguments)
    assert status == 2
    assert out == ""
    assert words in err
    assert err.startswith("primeta: ")
    assert len(err.strip().splitlines()) == 1


def test_a_file_that_is_not_there(primeta):
    done = primeta("experiment", "analyse", "nowhere.csv", "--arm", "a", "--control", "b", "--metric", "m=m")
    assert done.returncode == 2
    assert "no such file" in done.stderr
