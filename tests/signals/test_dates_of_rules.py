"""From which day a rule applies: sentences of laws and news, read as a lawyer would."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_date_cases import BLIND, BLIND_AGAIN, CASES

from primeta.signals.texts.dates_of_rules import applies_from, due_day

PUBLISHED = date(2025, 8, 15)


def told(text: str) -> str:
    found = applies_from(text, published_at=PUBLISHED)
    return "; ".join(f"{one.kind[0]} {one.day}{'' if one.sure else '?'}" for one in found)


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_the_days_of_a_sentence(text: str, expected: str):
    assert told(text) == expected


# First reading of BLIND: 29 of 42, of BLIND_AGAIN: 32 of 42; what was learnt from the first is in the second.
@pytest.mark.parametrize(("cases", "least"), [(BLIND, 40), (BLIND_AGAIN, 39)])
def test_sentences_written_after_the_rules(cases: list[tuple[str, str]], least: int):
    assert sum(told(text) == expected for text, expected in cases) >= least


def test_the_sentence_that_says_so_comes_with_the_day():
    text = "Президент подписал закон.\nОн вступает в силу с 1 сентября 2025 г. и касается всех. Штрафы не изменились."
    (one,) = applies_from(text, published_at=datetime(2025, 8, 1, tzinfo=UTC))
    assert one.words == "Он вступает в силу с 1 сентября 2025 г. и касается всех."


def test_without_a_day_of_the_text_only_whole_days_are_told():
    text = "Закон вступает в силу с 1 марта. Приказ — через 90 дней после опубликования, указ — с 1 мая 2026 года."
    assert [one.day for one in applies_from(text, published_at=None)] == [date(2026, 5, 1)]


def test_a_day_that_was_moved_applies_no_more():
    text = (
        "The rule takes effect on 1 March 2026. It has since been postponed from 1 March 2026 to 1 June 2026."
    )
    found = applies_from(text, published_at=PUBLISHED)
    assert [(one.kind, one.day) for one in found] == [("postponed", date(2026, 6, 1))]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2025, 8, 1), date(2025, 9, 1)),
        (date(2025, 10, 1), date(2026, 3, 1)),
        (date(2027, 1, 1), date(2026, 3, 1)),
    ],
)
def test_the_day_to_be_ready_by_is_the_next_stage(today: date, expected: date):
    text = "Маркировка вводится с 1 сентября 2025 года для производителей, с 1 марта 2026 года для розницы."
    assert due_day(applies_from(text, published_at=PUBLISHED), today=today) == expected


def test_impossible_days_are_left_out():
    assert told("Закон вступает в силу с 31 февраля 2026 года.") == ""
    assert told("The rule applies from 31/31/2026 and from 2026-13-40.") == ""


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="с1 марта2026года.до—inforceby effective\n0/3-в силу", max_size=200))
def test_no_text_makes_it_fail(text: str):
    for one in applies_from(text, published_at=PUBLISHED):
        assert one.words


def test_long_texts_take_a_moment():
    import time

    text = "Операторы обязаны уведомлять до " * 8_000
    began = time.process_time()
    applies_from(text, published_at=PUBLISHED)
    assert time.process_time() - began < 5
