"""What looks alike and says different things is kept apart; what only reads differently is not."""

from __future__ import annotations

import pytest
from trap_pairs import COPIES, LATER, TRAPS

from primeta.signals.texts.contradiction import contradictions
from primeta.signals.texts.duplicates import CopyIndex
from primeta.signals.texts.quantities import moments, quantities


def shown(pairs):
    return [f"{pair.first} | {pair.second}" for pair in pairs]


def test_there_are_enough_traps_and_copies():
    # The issue: ≥ 200 pairs, ru and en
    assert len(TRAPS) >= 220
    assert len(COPIES) >= 100
    assert min(sum(pair.language == code for pair in TRAPS) for code in ("ru", "en")) >= 110


@pytest.mark.parametrize("held_out", [False, True], ids=["seen while writing", "held out"])
def test_all_traps_are_kept_apart(held_out):
    traps = [pair for pair in TRAPS if pair.held_out == held_out]
    joined = [pair for pair in traps if not contradictions(pair.first, pair.second)]
    assert shown(joined) == []


def test_traps_stay_apart_in_whichever_order_and_within_the_same_long_text():
    before = "Вчера вечером об этом рассказали в компании. "
    after = " Подробности обещали опубликовать на сайте после праздников."
    for pair in TRAPS:
        assert contradictions(pair.second, pair.first), pair
        if pair.language == "ru":
            # Two thirds of the words are the same: a near copy by shingles
            one, other = (text if text[-1] in ".?!" else f"{text}." for text in (pair.first, pair.second))
            assert contradictions(before + one + after, before + other + after), pair


@pytest.mark.parametrize("held_out", [False, True], ids=["seen while writing", "held out"])
def test_copies_with_small_edits_are_not_kept_apart(held_out):
    copies = [pair for pair in COPIES if pair.held_out == held_out]
    apart = [pair for pair in copies if contradictions(pair.first, pair.second)]
    assert shown(apart) == []


@pytest.mark.parametrize("kind", ["trap", "copy"])
def test_pairs_written_after_the_rules_are_told_apart_too(kind):
    wrong = [
        p for p in LATER if p.kind == kind and bool(contradictions(p.first, p.second)) != (kind == "trap")
    ]
    assert shown(wrong) == []


def test_the_copy_index_joins_no_trap():
    index = CopyIndex()
    names = [f"{side}{i}" for i in range(len(TRAPS)) for side in "ab"]
    found = index.add(names, [text for pair in TRAPS for text in (pair.first, pair.second)])
    assert [pair for pair in found if pair.earlier[1:] == pair.later[1:]] == []


def test_reasons_tell_what_differs():
    (reason,) = contradictions("Комиссия выросла до 15%", "Комиссия выросла до 17%")
    assert (reason.code, reason.first, reason.second) == ("number", "15 share", "17 share")
    assert contradictions("The app works", "The app does not work")[0].code == "negation"
    assert contradictions("Google sued Apple", "Apple sued Google")[0].code == "roles"


def test_not_only_is_no_negation():
    assert not contradictions(
        "Скидка действует не только в магазине, но и на сайте", "Скидка действует в магазине и на сайте"
    )


def test_a_text_about_something_else_contradicts_nothing():
    assert not contradictions("Приложение работает", "Курьер не приехал вовремя")
    assert not contradictions("", "Курьер не приехал вовремя")


@pytest.mark.parametrize(
    ("sentence", "russian", "value", "unit"),
    [
        ("выросла на 2,5 млрд рублей", True, 2.5e9, "rub"),
        ("1 250 жалоб", True, 1250, "count"),
        ("1,250 complaints", False, 1250, "count"),
        ("raised $5M", False, 5e6, "usd"),
        ("через две недели", True, 14 * 86400, "seconds"),
        ("на 2 п.п.", True, 2, "points"),
        ("grew twofold", False, 2, "times"),
    ],
)
def test_numbers_are_read_with_their_unit(sentence, russian, value, unit):
    (found,) = quantities(sentence, russian=russian)
    assert (found.value, found.unit) == (pytest.approx(value), unit)


@pytest.mark.parametrize(
    "said", ["1 марта 2025 года", "March 1, 2025", "2025-03-01", "01.03.2025", "1 March 2025"]
)
def test_one_date_reads_the_same_however_it_is_written(said):
    found, rest = moments(said)
    assert {(moment.kind, moment.value) for moment in found} == {("day", "3-1"), ("year", "2025")}
    assert not rest.strip(" ,года")
