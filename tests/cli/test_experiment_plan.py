"""`primeta experiment plan`: JSON that scripts rely on, words for people, refusals in one sentence."""

from __future__ import annotations

import json

import pytest

PLAN = ("experiment", "plan")
SHARE = (*PLAN, "--kind", "share", "--baseline", ".08", "--effect", ".01")
MEAN = (*PLAN, "--kind", "mean", "--baseline", "5", "--sd", "10", "--effect", ".3")


def test_the_json_of_a_plan_holds_the_promised_keys(primeta):
    # Spotify confidence against G*Power: 39,906 in all at power .85
    done = primeta(*MEAN, "--power", ".85", "--json")
    assert done.returncode == 0, done.stderr
    size = json.loads(done.stdout)
    assert size["n_per_arm"] == 19_953
    assert size["n_total"] == 39_906
    assert size["power"] == pytest.approx(0.85, abs=1e-4)
    assert size["effect"] == 0.3
    assert size["days"] is None
    assert size["warnings"] == []


def test_every_option_reaches_the_plan(primeta):
    done = primeta(
        *PLAN, "--kind", "ratio", "--baseline", "12", "--sd", "4", "--effect", "-.05", "--relative", "--level", ".9",
        "--power", ".9", "--anytime", "--per-week", "5000", "--variance-kept", ".6", "--shares",
        "control=.2,a=.5,b=.3", "--cost", "1.5", "--value", "-40", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    size = json.loads(done.stdout)
    assert size["effect"] == pytest.approx(-0.6)
    assert size["design"] == "anytime"
    assert size["arms"] == 3
    assert size["level"] == 0.9
    assert size["variance_kept"] == 0.6
    assert list(size["n_by_arm"]) == ["control", "a", "b"]
    assert size["n_per_arm"] == min(size["n_by_arm"].values())
    assert size["days"] >= 1
    assert size["break_even"] == pytest.approx(1.5 / -40)
    assert [point["weeks"] for point in size["detectable"]] == sorted(
        point["weeks"] for point in size["detectable"]
    )


def test_planned_looks_and_arms(primeta):
    done = primeta(*SHARE, "--looks", "4", "--arms", "3", "--json")
    size = json.loads(done.stdout)
    assert size["design"] == "sequential"
    assert len(size["bounds"]) == size["looks"] == 4
    assert size["n_total"] == 3 * size["n_per_arm"]


def test_people_read_a_sentence_and_a_table_in_their_language(primeta):
    english = primeta(*SHARE, "--per-week", "3000").stdout
    assert english.startswith("To see a rise from 8% to 9%")
    assert "Smallest effect shown" in english
    russian = primeta(*SHARE, "--per-week", "100", "--language", "ru").stdout
    assert russian.startswith("Чтобы увидеть рост с 8% до 9%")
    assert "Наименьший заметный эффект" in russian
    assert "Тест займёт примерно 5 лет" in russian.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*PLAN, "--kind", "share", "--baseline", "8", "--effect", ".01"), "write 4% as .04"),
        ((*PLAN, "--kind", "share", "--baseline", ".08", "--effect", ".95"), "outside 0 to 1"),
        ((*PLAN, "--kind", "mean", "--baseline", "8", "--effect", "1"), "--sd"),
        ((*PLAN, "--kind", "mean", "--baseline", "8", "--effect", "1", "--sd", "-2"), "above 0"),
        ((*SHARE[:-1], "0"), "effect of 0"),
        ((*SHARE, "--level", "95"), ".95"),
        ((*SHARE, "--power", "1"), ".8"),
        ((*SHARE, "--looks", "5", "--anytime"), "exclude each other"),
        ((*SHARE, "--arms", "1"), "at least 2 arms"),
        ((*SHARE, "--shares", "control=.5,a=.4"), "sum to 0.9"),
        ((*SHARE, "--shares", "control"), "control"),
        ((*SHARE, "--per-week", "many"), "many"),
        ((*PLAN, "--kind", "median", "--baseline", "8", "--effect", "1"), "median"),
        ((*PLAN, "--kind", "share", "--baseline", ".08"), "effect"),
    ],
)
def test_what_cannot_be_a_plan_leaves_with_status_2(primeta, arguments, says):
    done = primeta(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
