"""Grades follow from the evidence by rule."""

import numpy as np
import pytest

from primeta.signals.grades import counted, grade_of, independent_origins, repeats
from primeta.signals.signal import Block


def blocks(*e_values, finished=True):
    return [
        Block(
            code=f"2026-W{i:02d}",
            effect=0.1,
            low=0.0,
            high=0.2,
            e_value=e_value,
            passes=e_value > 1,
            finished=finished,
        )
        for i, e_value in enumerate(e_values)
    ]


def grade(*, holding=True, weeks=(), months=(), quarters=(), turned=1.0, origins=("metric",)):
    return grade_of(
        holding=holding,
        weeks=blocks(*weeks),
        months=blocks(*months),
        quarters=blocks(*quarters),
        turned=turned,
        origins=origins,
    )


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"holding": False}, "noticed"),
        # many weeks do not replace the yearly level
        ({"holding": False, "weeks": (50, 50, 50, 50)}, "noticed"),
        ({}, "holding"),
        # mean of the two smallest of four: 6 and 12 give 9 < 10, 8 and 12 give 10
        ({"weeks": (6, 12, 50, 50)}, "holding"),
        ({"weeks": (8, 12, 50, 50)}, "repeating"),
        # one of three months may fail altogether
        ({"months": (0.1, 30, 30)}, "repeating"),
        ({"months": (0.1, 0.1, 300)}, "holding"),
        # both quarters are needed
        ({"quarters": (9, 300)}, "holding"),
        ({"quarters": (11, 300)}, "repeating"),
        # two origins, but by weeks only
        ({"weeks": (30, 30, 30, 30), "origins": ("metric", "voice")}, "repeating"),
        ({"months": (30, 30, 30), "origins": ("metric", "voice")}, "confirmed"),
        ({"months": (30, 30, 30), "origins": ("metric", "hand")}, "repeating"),
        # competitor and regulator are one origin
        ({"months": (30, 30, 30), "origins": ("competitor", "regulator")}, "repeating"),
        ({"months": (30, 30, 30), "origins": ("metric", "voice"), "turned": 5.0}, "fading"),
        ({"months": (30, 30, 30), "origins": ("metric", "voice"), "turned": 21.0}, "refuted"),
    ],
)
def test_grade_by_rule(evidence, expected):
    got, why = grade(**evidence)
    assert got == expected
    assert why


def test_reasons_say_what_is_missing():
    assert grade(months=(30, 30, 30))[1] == ("passed_yearly_level", "repeats_months", "one_origin")
    assert grade(weeks=(30, 30, 30, 30))[1][-1] == "months_not_repeated_yet"
    assert grade()[1][-1] == "not_repeated_yet"


def test_unfinished_blocks_do_not_count():
    assert not repeats(blocks(30, 30, 30, finished=False), kind="months")
    assert repeats(blocks(30, 30, 30), kind="months")
    assert counted(blocks(0.5, 30, 30, 0.2, 30), kind="weeks") == (3, 4)


def test_origins_that_can_confirm():
    assert independent_origins(["metric", "metric", "voice"]) == 2
    assert independent_origins(["hand"]) == 0


def test_repeating_errs_no_more_often_than_stated():
    # the least favourable null: two of four weeks beyond doubt, two exactly at the smallest effect
    rng = np.random.default_rng(1)
    said = 0
    for _ in range(4000):
        null = [
            np.mean([np.exp(bet * z - bet * bet / 2) for bet in (1.0, 2.0)]) for z in rng.standard_normal(2)
        ]
        said += repeats(blocks(1e3, null[0], 1e3, null[1]), kind="weeks")
    assert said / 4000 <= 0.10
