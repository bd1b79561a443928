"""Customers who say the same are not copies of one another; templates, campaigns and one customer's repeats are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.signals.texts.boilerplate import Boilerplate
from primeta.signals.texts.kept_stories import KeptStories
from primeta.signals.texts.origins import find_stories
from primeta.signals.texts.terms import TermReader
from primeta.signals.texts.topics_table import dated_texts
from primeta.signals.topics import read_stories, topics
from primeta.sources.identity import document_id
from primeta.sources.records import Document

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WHERE = "Где мой заказ? Трек стоит уже третий день"
CAMPAIGN = (
    "Мы, клиенты магазина, требуем вернуть бесплатную доставку для всех заказов, как было обещано в апреле, "
    "и честно объяснить, почему условия изменили без предупреждения и почему поддержка молчит вторую неделю"
)


def voice(name: str, text: str = WHERE, *, customer: str = "", hours: float = 0, **more: object) -> Document:
    at = NOON + timedelta(hours=hours)
    told = {"title": "", "source": "voices", "owner": "Shop", "kind": "support"} | more
    return Document(
        id=document_id("t", name), text=text, customer_id=customer, published_at=at,
        seen_at=at + timedelta(days=1), **told,
    )  # type: ignore[arg-type]  # fmt: skip


def both_ways(documents: Sequence[Document]) -> dict[str, tuple[str, str]]:
    """Document → (story, why): of all at once, which must be what a collector tells one by one."""
    at_once = {
        name: (story.first, story.why.get(name, ""))
        for story in find_stories(documents)
        for name in story.members
    }
    kept, there = KeptStories(), {}
    told: dict[str, tuple[str, str]] = {}
    for one in documents:
        told |= kept.add([one], load=lambda ids: [there[name] for name in ids if name in there])
        there[one.id] = one
    assert {name: first for name, (first, _) in told.items()} == {
        name: first for name, (first, _) in at_once.items()
    }
    return at_once


def stories(documents: Sequence[Document]) -> int:
    return len({first for first, _ in both_ways(documents).values()})


@pytest.mark.parametrize("kind", ["support", "reviews", "nps", "interviews", "focus_group"])
@pytest.mark.parametrize("known", [True, False])
def test_the_same_short_words_of_forty_customers_are_forty_voices(kind, known):
    said = [voice(f"v{i}", customer=f"c{i}" if known else "", hours=i, kind=kind) for i in range(40)]
    assert stories(said) == 40


def test_nearly_the_same_words_of_two_customers_are_two_voices():
    assert stories([voice("a", customer="1"), voice("b", WHERE + ", помогите", customer="2", hours=1)]) == 2


def test_a_customer_named_in_any_kind_of_source_speaks_for_himself():
    said = [voice("a", customer="1", kind="community"), voice("b", customer="2", kind="community", hours=1)]
    assert stories(said) == 2


def test_one_customer_who_repeats_within_a_week_is_one_voice_and_after_it_another():
    said = [
        voice("a", customer="1"),
        voice("b", customer="1", hours=30),
        voice("c", WHERE + ", ответьте", customer="1", hours=60),
        voice("later", customer="1", hours=24 * 20),
        voice("again", customer="1", hours=24 * 21),
        voice("other", customer="2", hours=31),
    ]
    told = both_ways(said)
    story = {one.id: told[one.id][0] for one in said}
    first, later, other = said[0].id, said[3].id, said[5].id
    assert list(story.values()) == [first, first, first, later, later, other]


def test_a_long_text_from_many_customers_is_one_story_and_says_that_it_is_a_template():
    said = [voice(f"v{i}", CAMPAIGN + "!" * (i % 2), customer=f"c{i}", hours=i) for i in range(12)]
    told = both_ways(said)
    assert {first for first, _ in told.values()} == {said[0].id}
    assert {why for _, why in told.values()} == {"", "template"}


def test_a_record_without_a_customer_that_two_sources_read_is_one_and_a_day_is_no_second():
    once = voice("a", source="old", hours=0.21)
    twice = voice("b", source="new", hours=0.21)
    other = voice("c", source="new", hours=0.22)
    assert stories([once, twice, other]) == 2
    assert stories([voice("d", source="old"), voice("e", source="new")]) == 2


def test_a_channel_that_is_repeated_is_folded_beside_voices_that_are_not():
    posts = [voice(f"p{i}", source=f"ch{i}", owner=f"ch{i}", kind="social", hours=i) for i in range(5)]
    said = [voice(f"v{i}", customer=f"c{i}", hours=i) for i in range(5)]
    told = both_ways([*posts, *said])
    assert {told[one.id][0] for one in posts} == {posts[0].id}
    assert len({told[one.id][0] for one in said}) == 5
    assert not {told[one.id][0] for one in said} & {one.id for one in posts}


def test_tickets_that_link_the_same_product_or_name_the_same_shop_are_not_copies():
    link = {"links": ("https://shop.example/catalogue/teapot-blue",)}
    said = [voice(f"v{i}", f"Купил через Ozon чайник, {word}, что делать", customer=f"c{i}", hours=i, **link)
            for i, word in enumerate(["течёт крышка", "не греет", "пришёл битый"])]  # fmt: skip
    post = voice("p", "Новый чайник в каталоге через Ozon уже завтра", source="ch", owner="Ozon", kind="social",
                 hours=-1, **link)  # fmt: skip
    assert stories([post, *said]) == 4


def test_a_voice_that_says_it_forwards_a_post_repeats_it():
    post = voice("p", "Банк закрыл выдачу наличных без карты", source="news", owner="News", kind="social",
                 url="https://t.me/news/15")  # fmt: skip
    sent = voice("v", "Это правда? Банк закрыл выдачу наличных", customer="1", hours=3, forwarded_from="News",
                 links=("https://t.me/news/15",))  # fmt: skip
    assert stories([post, sent]) == 1


def test_what_a_tenth_of_the_customers_say_is_no_boilerplate_and_what_a_form_adds_is():
    said = [f"Заказ номер {i} из города {i}.\nСоздано в приложении" for i in range(90)]
    said += [f"Курьер опоздал.\nЗаказ номер {i} так и едет.\nСоздано в приложении" for i in range(10)]
    of_voices, of_channel = Boilerplate(), Boilerplate()
    of_voices.add("voices", said, voices=True)
    of_channel.add("voices", said)
    assert of_voices.is_repeated("voices", "Создано в приложении")
    assert not of_voices.is_repeated("voices", "Курьер опоздал.")
    assert of_channel.is_repeated("voices", "Курьер опоздал.")
    assert Boilerplate.from_state(of_voices.state()).voices == {"voices"}


POOL = [
    *(voice(f"w{i}", customer=f"c{i % 4}", hours=13 * i) for i in range(9)),
    *(voice(f"m{i}", CAMPAIGN, customer=f"c{i}", hours=i) for i in range(3)),
    *(voice(f"u{i}", hours=i) for i in range(3)),
    *(voice(f"p{i}", source=f"ch{i}", owner=f"ch{i}", kind="social", hours=i) for i in range(3)),
]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(order=st.permutations(POOL), cuts=st.lists(st.integers(0, len(POOL)), max_size=5))
def test_voices_are_the_same_stories_in_any_order_and_portions(order, cuts):
    kept, there, told = KeptStories(), {}, {}
    edges = [0, *sorted(cuts), len(order)]

    def load(ids: Sequence[str]) -> list[Document]:
        return [there[name] for name in ids if name in there]

    for begin, end in pairwise(edges):
        told |= kept.add(order[begin:end], load=load)
        there |= {one.id: one for one in order[begin:end]}
    assert told == {name: (first, why) for name, (first, why) in both_ways(POOL).items()}


def test_a_file_of_topics_counts_every_customer_who_is_named_or_whose_source_is_tickets():
    rows = [
        {"published_at": f"2026-03-{1 + i % 20:02}", "source": "чаты", "text": WHERE, "customer_id": f"c{i}"}
        for i in range(30)
    ]
    rows += [
        {"published_at": f"2026-03-{1 + i:02}", "source": "ticket", "text": WHERE, "customer_id": ""}
        for i in range(20)
    ]
    rows += [
        {"published_at": f"2026-03-{1 + i:02}", "source": f"ch{i}", "text": WHERE, "customer_id": ""}
        for i in range(9)
    ]
    texts = dated_texts(rows, as_of=None, columns=None, timezone="UTC")
    told = read_stories(texts, reader=TermReader())
    assert len(texts) == 59
    assert len(set(told["story"].to_pylist())) == 30 + 20 + 1
    assert set(told["origin"].to_pylist()) == {"voice", "outside"}


def test_what_many_customers_begin_to_say_in_the_same_words_is_a_topic():
    # 20 voices a week of five usual sentences; from the 16th week on eight a week say one new one, word for word.
    usual = [
        "Где мой заказ?",
        "Всё вкусно, спасибо",
        "Банка пришла помятой",
        "Цены выросли",
        "Промокод не сработал",
    ]
    rows = [
        {
            "id": f"{week}-{number}",
            "published_at": datetime(2025, 6, 2, 10, 5 + number, tzinfo=UTC)
            + timedelta(weeks=week, days=number % 7),
            "source": "ticket",
            "text": "Приложение вылетает на корзине" if number >= 20 else usual[(week * 3 + number) % 5],
            "customer_id": f"c{week}-{number}",
        }
        for week in range(26)
        for number in range(28 if week >= 16 else 20)
    ]
    found = topics(rows)
    assert found.stories == len(rows)
    (one,) = found.topics
    assert (one.since, one.documents, one.grade) == (date(2025, 9, 22), 80, "repeating")
