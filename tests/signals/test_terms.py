"""Terms: which words, pairs and names of a text may become a topic, and how they read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeta.signals.texts.terms import TermReader
from primeta.signals.texts.terms_shown import shown, written_forms

READER = TermReader()


def spoken(text):
    return [form for _, form in READER.spoken(text)]


def codes(text):
    return {code for code, _ in READER.spoken(text)}


def code_of(term):
    return next(code for code, form in READER.spoken(term) if form == term)


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        ("Клиенты включают тихий режим", ["тихий режим", "режим"], ["тихий"]),
        ("Вышла iOS 26, ставим", ["iOS", "iOS 26"], ["26", "ставим вышла"]),
        ("Штрафы по 152-ФЗ растут", ["152-ФЗ", "Штрафы"], ["152"]),
        ("Python 3.12 и Node.js, C++", ["Python 3.12", "Node.js", "C++"], []),
        ("Запустили #тихийрежим", ["#тихийрежим"], []),
        ("OpenAI показала GPT-4o в 2024 году", ["OpenAI", "GPT-4o"], ["2024", "году"]),
        ("Скидка 20% до 31 декабря", ["Скидка"], ["Скидка 20", "декабря", "20"]),
        ("Подробнее: https://example.com/apple?x=1 и team@example.com @news", [], ["apple", "example", "news"]),
        ("The new store will close on Monday", ["store", "close"], ["new", "Monday", "The", "store close"]),
        ("В понедельник и в мае", [], ["понедельник", "мае"]),
    ],
)  # fmt: skip
def test_what_is_a_term(text, there, absent):
    found = spoken(text)
    assert [term for term in there if term not in found] == []
    assert [term for term in absent if term in found] == []


def test_a_sign_between_words_and_a_word_that_says_nothing_part_a_pair():
    assert "режим уведомления" not in spoken("Тихий режим, уведомления")
    assert "store close" not in spoken("store will close")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("тихий режим", "Тихого режима"),
        ("отмена скидок", "отмену скидок"),
        ("ФЗ-152", "152-ФЗ"),
        ("docker", "Docker"),
        ("push notification", "Push notifications"),
        ("ёлка", "елки"),
    ],
)
def test_forms_of_one_term_are_one_number(one, other):
    assert codes(one) == codes(other)


def test_a_version_is_another_name():
    assert codes("iOS 26") != codes("iOS 18")


def test_terms_of_many_texts_are_those_of_each():
    texts = ["Тихий режим включён", "", "Docker и docker compose", "нет"]
    found = TermReader().read(texts)
    begins = [0, *found.ends[:-1]]
    for text, begin, end in zip(texts, begins, found.ends, strict=True):
        assert set(found.codes[begin:end].tolist()) == codes(text)
        assert np.all(np.diff(found.codes[begin:end].astype(object)) > 0)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_pair_reaches_across_two_texts_and_nothing_breaks(one, other):
    found = TermReader().read([one, other])
    assert set(found.codes[: found.ends[0]].tolist()) == codes(one)
    assert set(found.codes[found.ends[0] :].tolist()) == codes(other)


@pytest.mark.parametrize(
    ("forms", "reads"),
    [
        ({"тихим режимом": 5, "тихого режима": 2, "Тихий режим": 1}, "тихий режим"),
        ({"отмену скидок": 3, "Отмены скидок": 1}, "отмена скидок"),
        ({"скидками": 4, "скидка": 1}, "скидки"),
        ({"бесплатной доставки": 2}, "бесплатная доставка"),
        ({"Docker": 5, "docker": 2}, "Docker"),
        ({"152-ФЗ": 1, "ФЗ-152": 2}, "ФЗ-152"),
        ({"Claude Code": 3}, "Claude Code"),
        ({"программы лояльности": 3, "программу лояльности": 2}, "программа лояльности"),
        ({"Уведомления": 4, "уведомлений": 2}, "уведомления"),
        ({}, ""),
    ],
)
def test_a_term_reads_as_a_headline(forms, reads):
    assert shown(forms) == reads


def test_forms_are_counted_in_texts():
    forms = written_forms([code_of("режим")], ["Тихим режимом довольны", "Режим, режим"], reader=READER)
    assert list(forms.values()) == [{"режимом": 1, "Режим": 1, "режим": 1}]


# names that nobody knows and that read like «мамин»: the suffix alone does not make them adjectives
def test_an_unknown_name_counts_alone_in_all_its_forms():
    assert codes("Зиммокурин") == codes("Зиммокурина") == codes("Зиммокурином") != set()
    assert "Московский" not in spoken("Московский зоопарк")
    assert shown({"Зиммокурин": 3}) == "Зиммокурин"
