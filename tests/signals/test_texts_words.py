"""Languages, normal forms, boilerplate and copies of short texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.signals.texts.boilerplate import Boilerplate
from primeta.signals.texts.duplicates import CopyIndex
from primeta.signals.texts.language import language_of
from primeta.signals.texts.plain_words import normal_form, words


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Скидки", "ru"), ("Docker и Kubernetes на проде", "ru"), ("Промокод SALE20 не работает", "ru"),
        ("Apple launches iPhone", "en"), ("Why is the app so slow?", "en"), ("Show HN: a Rust compiler", "en"),
        ("В Україні зросли ціни на доставку", "uk"), ("Це не працює, що робити", "uk"), ("Дзякуй, усё працуе ў нас", "be"),
        ("Цените се повишиха и ще растат през годината", "bg"), ("Компанията обяви нови правила за доставка", "bg"),
        ("Цене су порасле у Београду због инфлације", "sr"), ("Die Preise sind gestiegen", "de"),
        ("Les prix ont augmenté dans tous les magasins", "fr"), ("👍👍", ""), ("https://example.org/привет", ""), ("", ""),
    ],
)  # fmt: skip
def test_language(text, language):
    assert language_of(text) == language


def test_normal_form_takes_off_what_a_reader_does_not_hear():
    assert normal_form("Ёлка — за «2,5 млрд»! 🎄 https://t.me/x?a=1") == "елка за 2·5 млрд"
    # soft hyphen and zero-width space; Latin o and a in a Cyrillic word
    assert normal_form("ре\u00adклама\u200b Мoсквa") == "реклама москва"
    assert normal_form("1 250 ₽") == normal_form("1250₽".replace("₽", " ₽"))
    assert normal_form("PDF-файл") == "pdf файл"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(alphabet="абёЁЖ AbcZ019.,·%«»-—\u00ad\u200b\n😀'@/:é", max_size=60))
def test_a_normal_form_is_its_own_normal_form_and_nothing_breaks(text):
    once = normal_form(text)
    assert normal_form(once) == once
    language_of(text)
    words(text)


def test_words_are_usual_forms_without_stop_words():
    assert words("В приложениях банков не работали платежи") == [
        "приложение",
        "банк",
        "не",
        "работать",
        "платеж",
    ]
    assert words("The companies launched new apps and raised prices") == [
        "company",
        "launch",
        "new",
        "app",
        "raise",
        "price",
    ]


def test_what_a_source_repeats_is_taken_out_and_news_stays():
    ads = "Подробности в нашем приложении, скачайте сегодня."
    seen = Boilerplate()
    seen.add("shop", [f"Новость номер {name} про доставку в городе {name}.\n{ads}" for name in "абвгдежзик"])
    assert seen.left("shop", f"Открыт склад в Туле.\n{ads}") == "Открыт склад в Туле."
    # another source says it once: nothing is known of its habits
    assert ads in seen.left("paper", f"Открыт склад в Туле.\n{ads}")
    assert seen.left("paper", "Открыт склад.\nПодписывайтесь на наш канал!") == "Открыт склад."
    # a complaint that many have is not boilerplate: it is all they say
    seen.add("tickets", [f"Не работает оплата{'!' * i}" for i in range(30)])
    assert seen.left("tickets", "Не работает оплата") == "Не работает оплата"


def test_counts_of_boilerplate_merge_and_are_kept():
    texts = [f"Случай {i} в городе.\nОбращение № {i} принято." for i in range(10)]
    whole, one, two = Boilerplate(), Boilerplate(), Boilerplate()
    whole.add("s", texts)
    one.add("s", texts[:4])
    two.add("s", texts[4:])
    one.merge(two)
    assert one == whole
    kept = Boilerplate.from_state(whole.state())  # type: ignore[arg-type]
    assert kept.left("s", texts[3]) == whole.left("s", texts[3]) == ""


def test_exact_and_near_copies_are_found_and_chance_likeness_is_not():
    said = "Маркетплейс повысил комиссию для продавцов одежды и обуви в регионах"
    index = CopyIndex()
    found = index.add(
        ["a", "b", "c", "d"],
        [
            said,
            said.upper() + "!!!",
            f"{said} — пишут СМИ",
            "Маркетплейс открыл склад для продавцов обуви в Туле",
        ],
    )
    assert {(pair.earlier, pair.later, pair.how) for pair in found} == {
        ("a", "b", "exact"),
        ("a", "c", "near"),
    }
    assert [pair.how for pair in index.add(["e"], [said.replace("и обуви ", "")])] == ["near", "near"]


def test_short_cries_are_copies_only_word_for_word():
    index = CopyIndex()
    assert index.add(list("abc"), ["Всё хорошо", "Всё очень хорошо", "всё хорошо."])[0].how == "exact"
    assert len(index.ids) == 3


def test_batches_and_merged_indexes_find_the_same_copies():
    base = ["Сеть открыла магазин в центре города у вокзала", "Банк поднял ставку по вкладам на новый год сильнее всех",
            "Клиенты ждут возврата денег третью неделю подряд без ответа"]  # fmt: skip
    texts = base + [f"{text} сегодня утром" for text in base]
    names = [f"t{i}" for i in range(6)]
    whole = {frozenset((pair.earlier, pair.later)) for pair in CopyIndex().add(names, texts)}
    one, two = CopyIndex(), CopyIndex()
    one.add(names[:2], texts[:2])
    two.add(names[2:], texts[2:])
    merged = {frozenset((pair.earlier, pair.later)) for pair in one.merge(two)}
    assert whole == merged == {frozenset((f"t{i}", f"t{i + 3}")) for i in range(3)}
