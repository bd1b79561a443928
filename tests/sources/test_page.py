"""Web pages: the article, and what changed on a watched page, told price by price; what changes at each load is none."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.sources.page import read_page
from primeta.sources.page_change import change_of
from primeta.sources.page_noise import steady
from primeta.sources.page_part import part_of
from primeta.sources.records import Source

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
URL = "https://rival.example/prices"


def source(**told) -> Source:
    return Source(name="rival", reader="page", kind="competitor", at=URL, owner="rival.example", **told)


def page(body: str, *, lang: str = "ru", title: str = "Тарифы — Рифма", head: str = "") -> bytes:
    return (
        f"<!doctype html><html lang={lang}><head><meta charset=utf-8><title>{title}</title>{head}</head>"
        f"<body><nav><a href='/'>Меню</a></nav><main>{body}</main><footer>© 2026</footer></body></html>"
    ).encode()


def card(name: str, price: str, more: str = "Доставка бесплатно") -> str:
    return f"<div class='card'><h3>{name}</h3><div class='price'>{price}</div><p>{more}</p></div>"


def shop(*cards: str, below: str = "") -> bytes:
    return page(f"<h1>Тарифы</h1><div class='grid'>{''.join(cards)}</div>{below}")


def change(before: bytes, after: bytes, **told):
    found = read_page(
        after, source=source(changes=True, **{"select": "main", **told}), url=URL, seen_at=NOW, before=before
    )
    assert found.troubles == ()
    assert len(found.documents) <= 1
    return found.documents[0] if found.documents else None


COFFEE, TEA, COCOA = (
    card("Кофе", "499 ₽"),
    card("Чай", "<del>999 ₽</del> <b>799 ₽</b> <i>−20%</i>"),
    card("Какао", "350 ₽"),
)


def test_an_article_with_title_author_date_language_links_and_its_own_address():
    text = "".join(
        f"<p>Абзац {n} о том, как магазины меняют программу лояльности и <a href='/x{n}?utm_source=a'>что из этого</a> выходит.</p>"
        for n in range(6)
    )
    raw = page(
        f"<article><h1>Баллы дешевеют</h1>{text}</article>",
        title="Баллы дешевеют | Журнал",
        head="<meta property='article:published_time' content='2026-03-01T10:00:00+03:00'>"
        "<link rel=canonical href='/a?utm_medium=b'><meta name=author content='Анна Ли'>",
    )
    document = read_page(raw, source=source(), url=f"{URL}?utm_campaign=1", seen_at=NOW).documents[0]
    assert (document.title, document.author, document.language) == ("Баллы дешевеют", "Анна Ли", "ru")
    assert document.published_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert document.url == "https://rival.example/a"
    assert document.links[:2] == ("https://rival.example/x0", "https://rival.example/x1")
    assert document.text.startswith("Абзац 0 о том")
    assert "Меню" not in document.text


def test_an_address_on_another_site_is_not_the_pages_own():
    raw = page(
        "<p>Слова, которых достаточно, чтобы их прочитать.</p>",
        head="<link rel=canonical href='https://other.example/'>",
    )
    assert read_page(raw, source=source(), url=URL, seen_at=NOW).documents[0].url == URL


def test_a_page_without_date_has_none_and_one_from_the_future_too():
    body = "<p>Слова, которых достаточно, чтобы их прочитать.</p>"
    unknown = read_page(page(body), source=source(), url=URL, seen_at=NOW)
    assert (unknown.documents[0].published_at, unknown.troubles[0].code) == (None, "no-date")
    wrong = page(body, head="<meta property='article:published_time' content='2031-01-01'>")
    future = read_page(wrong, source=source(), url=URL, seen_at=NOW)
    assert (future.documents[0].published_at, future.troubles[0].code) == (None, "future-date")


def test_windows_1251_that_only_the_page_names():
    raw = (
        page("<p>Слова, которых достаточно, чтобы их прочитать.</p>")
        .decode()
        .replace("utf-8", "windows-1251")
        .encode("cp1251")
    )
    assert "Слова, которых" in read_page(raw, source=source(), url=URL, seen_at=NOW).documents[0].text


def test_the_first_version_is_a_baseline():
    assert read_page(shop(COFFEE), source=source(changes=True), url=URL, seen_at=NOW).documents == ()


def test_a_price_that_rose_is_told_in_the_title():
    document = change(shop(COFFEE, COCOA), shop(card("Кофе", "549 ₽"), COCOA))
    assert document.title == "Тарифы — Рифма: «Кофе»: цена 499 ₽ → 549 ₽ (+10%)"
    assert document.text == "Цены:\n– «Кофе»: цена 499 ₽ → 549 ₽ (+10%)"
    assert document.published_at is None
    assert document.attributes == {"change_prices": "1"}


def test_prices_struck_prices_and_depth_are_compared_each():
    # 1 − 799/999 = 20%, 1 − 699/999 = 30%; the badge says the same and is not told twice.
    document = change(shop(TEA, COCOA), shop(card("Чай", "<del>999 ₽</del> <b>699 ₽</b> <i>−30%</i>"), COCOA))
    assert "«Чай»: цена 799 ₽ → 699 ₽ (−13%), скидка 20% → 30%" in document.text
    gone = change(shop(TEA, COCOA), shop(card("Чай", "999 ₽"), COCOA))
    assert (
        "цена 799 ₽ → 999 ₽ (+25%), зачёркнутой цены 999 ₽ больше нет, скидки больше нет (была 20%)"
        in gone.text
    )
    came = change(
        shop(COFFEE, COCOA),
        shop(card("Кофе", "<span class='old-price'>599 ₽</span><span>499 ₽</span>"), COCOA),
    )
    assert "появилась зачёркнутая цена 599 ₽, появилась скидка 17%" in came.text


def test_two_cards_that_exchange_their_prices_changed():
    document = change(shop(COFFEE, COCOA), shop(card("Кофе", "350 ₽"), card("Какао", "499 ₽")))
    assert document.attributes == {"change_prices": "2"}


@pytest.mark.parametrize(
    "frame",
    [
        "<a class='item' href='/x'><div>{}</div><div>{}</div></a>",
        "<product-card><span slot=name><h4>{}</h4></span><div>{}</div></product-card>",
        "<li class='i'><div><div><p class='t'>{}</p></div><div><span>{}</span></div></div></li>",
        "<article><header><h2>{}</h2></header><section><p>{}</p><button>Купить</button></section></article>",
    ],
)
def test_cards_of_many_makes(frame):
    def make(*rows):
        return page("<div><div>" + "".join(frame.format(*row) for row in rows) + "</div></div>")

    before = make(("Кофе", "499 ₽"), ("Чай", "350 ₽"), ("Мате", "900 ₽"))
    document = change(before, make(("Мате", "900 ₽"), ("Кофе", "350 ₽"), ("Чай", "499 ₽")))
    assert document.attributes == {"change_prices": "2"}
    assert "«Кофе»: цена 499 ₽ → 350 ₽ (−30%)" in document.text


def test_a_price_whose_currency_is_a_picture():
    document = change(
        shop(card("Кофе", "<b class=price__value>499</b>"), COCOA),
        shop(card("Кофе", "<b class=price__value>549</b>"), COCOA),
    )
    assert "499 → 549" in document.text


def test_cards_that_came_and_went():
    document = change(
        shop(COFFEE, COCOA), shop(COFFEE, card("Мате из Парагвая", "1 290,50 ₽", "Новинка недели"))
    )
    assert document.title == "Тарифы — Рифма: добавлено: 1, убрано: 1"
    assert "Добавлено:\n– Мате из Парагвая · 1 290,50 ₽ · Новинка недели" in document.text
    assert "Убрано:\n– Какао · 350 ₽" in document.text


def test_terms_in_paragraphs_are_told_before_and_after_under_their_heading():
    before = page(
        "<h2>Баллы</h2><p>Начисляем 5% за каждую покупку в приложении.</p><p>Баллы сгорают через 180 дней.</p>"
    )
    after = page(
        "<h2>Баллы</h2><p>Начисляем 3% за каждую покупку в приложении.</p><p>Баллы сгорают через 90 дней.</p>"
    )
    document = change(before, after)
    assert "проценты: 5% → 3%" in document.text or "было «Начисляем 5%" in document.text
    assert (
        "«Баллы»: было «Баллы сгорают через 180 дней.», стало «Баллы сгорают через 90 дней.»" in document.text
    )


def test_rows_of_a_table_keep_price_and_name_together():
    rows = "<table><tr><td>Базовый</td><td>{}</td></tr><tr><td>Полный</td><td>990 ₽</td></tr></table>"
    document = change(page(rows.format("490 ₽")), page(rows.format("590 ₽")))
    assert "«Базовый»: цена 490 ₽ → 590 ₽ (+20%)" in document.text


def test_english_pages_are_told_in_english():
    before = page("<h1>Plans</h1><p>Free delivery from $35.00 for members.</p>", lang="en", title="Plans")
    after = page("<h1>Plans</h1><p>Free delivery from $50.00 for members.</p>", lang="en", title="Plans")
    document = change(before, after)
    assert document.title == "Plans: “Free delivery from for members.”: price $35.00 → $50.00 (+43%)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Сейчас смотрят 12 человек", "Сейчас смотрят 7 человек"),
        ("12 people are watching this", "31 people are watching this"),
        ("Обновлено 25.11.2026 14:20", "Обновлено 26.11.2026 09:05"),
        ("Цены на 25 ноября", "Цены на 26 ноября"),
        ("Updated 3 minutes ago", "Updated 2 hours ago"),
        ("Осталось 3 шт.", "Осталось 2 шт."),
        ("До конца акции 2 дня 11 часов", "До конца акции 1 день 3 часа"),
        ("123 отзыва", "125 отзывов"),
        ("4,8 (123)", "4,7 (125)"),
        ("Просмотров: 1 204", "Просмотров: 1 377"),
        ("Only 3 left in stock", "Only 2 left in stock"),
        ("Запрос a81f9c77b0aa41d2e9c3", "Запрос 77be01c2a94fe0b1aa52"),
        ("© 2025 Рифма", "© 2026 Рифма"),
        ("01:22:10", "00:51:43"),
        ("Слово — «дело»", 'Слово - "дело"'),
    ],
)
def test_what_changes_at_each_load_is_no_change(before, after):
    assert (
        change(shop(COFFEE, COCOA, below=f"<p>{before}</p>"), shop(COFFEE, COCOA, below=f"<p>{after}</p>"))
        is None
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Акция до 30 ноября", "Акция до 7 декабря"),
        ("Работаем с 9:00 до 21:00", "Работаем с 10:00 до 20:00"),
        ("Возврат в течение 14 дней", "Возврат в течение 7 дней"),
        ("Скидка для групп от 10 человек", "Скидка для групп от 15 человек"),
        ("Кешбэк 5%", "Кешбэк 7%"),
        ("Доставка от 1 000 ₽", "Доставка от 1 500 ₽"),
    ],
)
def test_terms_are_a_change_although_only_a_figure_differs(before, after):
    assert (
        change(shop(COFFEE, COCOA, below=f"<p>{before}</p>"), shop(COFFEE, COCOA, below=f"<p>{after}</p>"))
        is not None
    )


def test_adverts_scripts_tokens_and_order_are_no_change():
    cards = [card(f"Товар номер {name}", f"{100 + at} ₽") for at, name in enumerate("абвгдежз")]
    shuffled = cards[:]
    random.Random(4).shuffle(shuffled)
    before = shop(
        *cards,
        below="<div class='banner-top'>Купи слона</div><input type=hidden name=csrf value=a1><script>var t=1</script>",
    )
    after = shop(
        *shuffled,
        below="<div class='banner-top'>Купи кита</div><input type=hidden name=csrf value=b2><script>var t=2</script>",
    )
    assert change(before, after) is None


def test_a_part_that_is_not_there_is_told_at_the_first_reading():
    found = read_page(shop(COFFEE), source=source(changes=True, select=".gone"), url=URL, seen_at=NOW)
    assert [(trouble.code, trouble.values["select"]) for trouble in found.troubles] == [("no-part", ".gone")]


def test_a_selector_that_is_none_is_told():
    found = read_page(shop(COFFEE), source=source(changes=True, select="[[["), url=URL, seen_at=NOW)
    assert [trouble.code for trouble in found.troubles] == ["no-part"]


def test_a_page_made_of_scripts_says_so():
    found = read_page(page("<script>draw()</script>"), source=source(), url=URL, seen_at=NOW)
    assert ([trouble.code for trouble in found.troubles], found.documents) == (["no-text"], ())


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Just a moment...</h1><p>Checking your browser before you go on.</p>",
        "<p>Подтвердите, что вы не робот</p>",
        "<p>12</p>",
    ],
)
@pytest.mark.parametrize("changes", [True, False])
def test_a_check_instead_of_the_page_is_told_and_is_no_change(body, changes):
    found = read_page(
        page(body), source=source(changes=changes), url=URL, seen_at=NOW, before=shop(COFFEE, COCOA)
    )
    assert (found.documents, [trouble.code for trouble in found.troubles]) == ((), ["no-text"])


def test_the_same_two_versions_are_the_same_document_and_others_are_not():
    first = change(shop(COFFEE, COCOA), shop(card("Кофе", "549 ₽"), COCOA))
    again = change(shop(COFFEE, COCOA), shop(card("Кофе", "549 ₽"), COCOA))
    back = change(shop(card("Кофе", "549 ₽"), COCOA), shop(COFFEE, COCOA))
    assert first.id == again.id != back.id


def test_a_page_written_anew_says_so():
    before = page(
        "".join(
            f"<p>Старый абзац {word} о доставке</p>"
            for word in (
                "аз",
                "буки",
                "веди",
                "глаголь",
                "добро",
                "есть",
                "живете",
                "зело",
                "земля",
                "иже",
                "како",
            )
        )
    )
    after = page(
        "".join(
            f"<section><p>Новое слово про {word} и карту</p></section>"
            for word in ("рцы", "слово", "твердо", "ук", "ферт", "хер", "цы", "червь", "ша", "ща", "ер")
        )
    )
    assert "страница написана заново" in change(before, after).title


@pytest.mark.parametrize("line", ["12", "1 / 5", "•", "4.8", ""])
def test_lines_that_say_nothing_are_nothing(line):
    assert steady(line) == ""


NAMES = st.lists(
    st.text("абвгдежзиклмнопрст", min_size=4, max_size=9), min_size=2, max_size=8, unique_by=str.casefold
)


@settings(max_examples=40, deadline=None)
@given(NAMES, st.data())
def test_any_one_price_of_a_shop_is_told_and_no_other_in_whatever_order(names, data):
    prices = data.draw(st.lists(st.integers(1, 99_999), min_size=len(names), max_size=len(names)))
    changed = data.draw(st.integers(0, len(names) - 1))
    new = data.draw(st.integers(1, 99_999).filter(lambda price: price != prices[changed]))
    order = data.draw(st.permutations(range(len(names))))
    after = [*prices[:changed], new, *prices[changed + 1 :]]

    def part(listed, at):
        markup = shop(*(card(names[each], f"{listed[each]} ₽") for each in at)).decode()
        return part_of(markup, select="main", url=URL)

    old = part(prices, range(len(names)))
    assert not change_of(old, part(prices, order), now=NOW).any
    found = change_of(old, part(after, order), now=NOW)
    assert [(move.name, move.was.prices[0].value, move.now.prices[0].value) for move in found.prices] == [
        (names[changed], prices[changed], new)
    ]
    assert (found.lines, found.added, found.removed) == ((), (), ())
