"""Why a trend has its grade, in one sentence: what confirms it, what is missing otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from primeta.trends.records import Evidence, OriginEvidence
from primeta.web.grade_words import why_graded
from primeta.web.reader import Reader


@pytest.fixture
def reader(language: str) -> Reader:
    return Reader(lang=language, theme="", zone=ZoneInfo("UTC"), currency="RUB")


def side(origin: str, counts: bool = True) -> OriginEvidence:
    return OriginEvidence(
        origin=origin,  # pyright: ignore[reportArgumentType]
        what="", weeks=(), months=(), quarters=(), e_value=100.0, grade="repeating", counts=counts,
    )  # fmt: skip


CONFIRMED = Evidence(
    grade="confirmed",
    since=date(2026, 6, 1),
    origins=(side("metric"), side("outside")),
    weeks=(4, 4),
    months=(2, 3),
    quarters=(1, 2),
    why=("two_origins",),
)


def test_a_confirmed_trend_names_its_sides_and_how_it_repeats(reader: Reader, language: str):
    told = {
        "en": "Confirmed: it repeats by months, and two independent sides tell it: metric and outside text.",
        "ru": "Подтверждён: повторяется по месяцам, и об этом свидетельствуют две независимые стороны — "
        "метрика и внешний текст.",
    }
    assert why_graded(reader, CONFIRMED).replace("\u00a0", " ") == told[language]


def test_one_side_alone_says_which_and_that_a_second_is_missing(reader: Reader, language: str):
    alone = replace(
        CONFIRMED,
        grade="repeating",
        origins=(side("voice"), side("outside", counts=False)),
        why=("one_origin",),
    )
    told = why_graded(reader, alone)
    missing = {
        "en": (
            "a second independent side, so far there is only: customers’ voices",
            "an outside source that says it",
        ),
        "ru": (
            "второй независимой стороны, пока есть только одна: голоса клиентов",
            "внешнего источника, который",
        ),
    }
    for words in missing[language]:
        assert words in told
    # Two of three months are there already.
    assert {"en": "a repeat", "ru": "повтора"}[language] not in told


def test_what_does_not_repeat_yet_is_told_what_repeats_means(reader: Reader, language: str):
    told = why_graded(reader, replace(CONFIRMED, grade="holding", months=(1, 3), quarters=(1, 2)))
    assert {"en": "two of the last three months", "ru": "в двух из трёх последних месяцев"}[language] in told
    assert why_graded(reader, replace(CONFIRMED, origins=())) == ""
