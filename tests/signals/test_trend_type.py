"""The type of trend that headlines speak of."""

from __future__ import annotations

import math

import pytest
from headlines_by_type import BLIND, HEADLINES

from primeta.signals.texts.trend_type import trend_type
from primeta.signals.texts.trend_type_words import PRIORS, TYPES
from primeta.sources.records import GROUP_OF
from primeta.trends.records import TREND_TYPES


def share_right(headlines: list[tuple[str, str]]) -> float:
    return sum(trend_type([text], []).type[:1] == kind for kind, text in headlines) / len(headlines)


# First reading: 63 of 68, and 53 of 62 written after the words.
@pytest.mark.parametrize(("headlines", "least"), [(HEADLINES, 0.92), (BLIND, 0.85)])
def test_single_headlines(headlines: list[tuple[str, str]], least: float):
    assert share_right(headlines) >= least


@pytest.mark.parametrize("kind", TYPES)
def test_ten_headlines_together_are_told_without_fail(kind: str):
    texts = [text for letter, text in (*HEADLINES, *BLIND) if letter == kind[0]]
    found = trend_type(texts, [])
    assert found.type == kind
    assert found.share > 0.5
    assert found.words


def test_the_types_are_those_of_a_card():
    assert TYPES == TREND_TYPES
    assert set(PRIORS) <= set(GROUP_OF)
    assert {kind for lean in PRIORS.values() for kind in lean} <= set(TYPES)


def test_nothing_speaks():
    for texts in ([], [""], ["Погода на выходные"], ["42"]):
        found = trend_type(texts, ["law"] * len(texts))
        assert (found.type, found.words) == ("", ())
        assert math.isnan(found.share)


def test_the_kind_of_source_decides_between_words_that_weigh_alike():
    text = "Brand must disclose"
    assert trend_type([text], ["law"]).type == "regulatory"
    assert (
        trend_type(["Закон о ценах на платформах"], ["law"]).share
        > trend_type(["Закон о ценах на платформах"], []).share
    )


def test_the_words_that_speak_for_it_are_told():
    found = trend_type(["Роскомнадзор оштрафовал школу за рассылку без согласия"], ["industry_report"])
    assert found.type == "regulatory"
    assert "роскомнадзор" in found.words
    assert "согласие" in found.words


def test_a_long_text_does_not_outshout_many_short_ones():
    loud = " ".join(["закон, штраф, запрет, суд, регулятор, роскомнадзор, поправка, иск, приказ"] * 50)
    texts = [loud] + ["Ретейлер снизил цены и запустил кешбэк"] * 4
    assert trend_type(texts, []).type == "commercial"
