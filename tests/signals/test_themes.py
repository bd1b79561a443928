"""Themes of voices: known things in both languages, what is found, templates, the rest; stable from run to run."""

from __future__ import annotations

import random

import numpy as np
import pytest

from primeta.signals.texts.themes import find_themes, thing_of
from primeta.signals.texts.themes_words import CONCEPTS

SAID = {
    "delivery": (
        "Курьер опоздал на {n} часа", "Где моя посылка? Жду уже {n} дней", "Delivery was late again",
        "The courier never came",
    ),
    "price": ("Дорого стало", "Цены выросли, дороже чем рядом", "Prices are too high now", "Слишком дорогой чай"),
    "summary": (
        "Помощник сворачивает письма в сводку", "Сводка почты прячет письма, помощник решает за меня",
        "Помощник показал сводку, письма пропали",
    ),
    "": ("Всё хорошо, спасибо", "Отлично", "Нормально", "All good, thanks", "Ничего особенного"),
}  # fmt: skip


def shop(number: int = 400, seed: int = 1) -> tuple[list[str], list[str]]:
    rng = random.Random(seed)
    kinds = rng.choices(["delivery", "price", "summary", ""], [4, 3, 2, 4], k=number)
    return [rng.choice(SAID[kind]).format(n=rng.randint(2, 9)) for kind in kinds], kinds


def of(found, name):
    return next(at for at, theme in enumerate(found.themes) if theme.id == f"theme-{name}")


@pytest.mark.parametrize(
    ("written", "thing"),
    [
        ("доставкой", "delivery"), ("Courier", "delivery"), ("ДОРОГО", "price"), ("подорожало", "price"),
        ("возврата", "returns"), ("refunds", "returns"), ("рассылок", "messages"), ("погода", ""), ("7", ""),
    ],
)  # fmt: skip
def test_a_word_in_any_form_stands_for_its_thing(written, thing):
    assert thing_of(written) == thing


def test_no_word_stands_for_two_things():
    # A dict would keep the last one silently: the lists themselves must not share a word.
    from primeta.signals.texts import themes_words

    words = [word for listed in themes_words._WORDS.values() for word in set(listed.split())]
    assert len(words) == len(set(words)) == len(CONCEPTS)


def test_known_things_are_one_theme_in_both_languages_with_all_of_their_voices():
    texts, kinds = shop()
    found = find_themes(texts, ["tickets"] * len(texts))
    member = found.members[:, of(found, "delivery")]
    assert member.tolist() == [kind == "delivery" for kind in kinds]
    terms = found.themes[of(found, "delivery")].terms
    assert {"курьер", "courier"} & set(terms)


def test_what_nobody_foresaw_is_found_with_its_words():
    texts, kinds = shop()
    found = find_themes(texts, ["tickets"] * len(texts))
    new = [at for at, theme in enumerate(found.themes) if not theme.things]
    member = found.members[:, new].any(axis=1)
    assert member.tolist() == [kind == "summary" for kind in kinds]
    assert {"сводка", "помощник"} & {word.lower() for at in new for word in found.themes[at].terms}


def test_the_rest_belongs_to_no_theme():
    texts, kinds = shop()
    found = find_themes(texts, ["tickets"] * len(texts))
    assert not found.members[[kind == "" for kind in kinds]].any()


def test_a_voice_may_have_two_themes():
    texts = shop()[0] + ["Дорого, и курьер опоздал"]
    found = find_themes(texts, ["tickets"] * len(texts))
    assert found.members[-1, [of(found, "delivery"), of(found, "price")]].all()


def test_ids_are_the_same_in_another_order_and_with_more_voices():
    texts, _ = shop()
    first = {theme.id for theme in find_themes(texts, ["a"] * len(texts)).themes}
    again = {theme.id for theme in find_themes(texts[::-1], ["a"] * len(texts)).themes}
    more = texts + shop(100, seed=2)[0]
    later = {theme.id for theme in find_themes(more, ["a"] * len(more)).themes}
    assert first == again == later


def test_tickets_of_a_program_become_no_theme():
    template = [f"Ваше обращение № {n} по заказу {7 * n} принято в работу" for n in range(200)]
    texts = shop()[0] + template
    found = find_themes(texts, ["tickets"] * len(texts))
    assert found.templates.sum() == 200
    assert not found.members[-200:].any()


def test_what_people_write_with_different_numbers_is_no_template():
    texts = [f"Жду свою посылку уже {n} дней, сколько можно" for n in range(2, 30)]
    assert not find_themes(texts, ["tickets"] * len(texts)).templates.any()


def test_a_signature_under_every_ticket_is_no_theme():
    texts = [f"{text}.\nОтправлено из мобильного кабинета Ромашка" for text in shop()[0]]
    found = find_themes(texts, ["tickets"] * len(texts))
    assert not any("ромашка" in term.lower() for theme in found.themes for term in theme.terms)


def test_other_voices_are_told_by_the_same_terms():
    texts, _ = shop()
    found = find_themes(texts, ["tickets"] * len(texts))
    later = found.of(["The parcel is late", "Тёплый шарф"], ["tickets", "tickets"])
    assert later.shape == (2, len(found.themes))
    assert later[0, of(found, "delivery")]
    assert not later[1].any()


@pytest.mark.parametrize("texts", [[], ["Дорого"], ["Дорого"] * 9, [""] * 30])
def test_too_few_voices_have_no_themes(texts):
    found = find_themes(texts, ["tickets"] * len(texts))
    assert (found.themes, found.members.shape) == ((), (len(texts), 0))


def test_words_of_noise_make_no_themes_of_two_that_met_by_luck():
    rng = np.random.default_rng(5)
    words = [f"сло{chr(1072 + a)}{chr(1072 + b)}во" for a in range(20) for b in range(10)]
    texts = [" ".join(rng.choice(words, 5)) for _ in range(500)]
    assert all(len(theme.terms) == 1 for theme in find_themes(texts, ["a"] * 500).themes)
