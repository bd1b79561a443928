"""Reposts, forwards and shared links are one origin, whoever comes first to the collector."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.signals.texts.origins import Stories, StoryIndex, cited_sources, find_stories, story_link
from primeta.sources.records import Document

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEWS = "Маркетплейс повысил комиссию для продавцов одежды до 17 процентов с первого апреля"


def document(name: str, text: str = NEWS, *, hours: float = 0, owner: str = "", **more: object) -> Document:
    at = NOON + timedelta(hours=hours)
    given = {"title": "", "source": owner or name, "owner": owner or name, "kind": "social"} | more
    return Document(id=name, text=text, published_at=at, seen_at=at + timedelta(days=1), **given)  # type: ignore[arg-type]


def parts(documents) -> set[frozenset[str]]:
    return {frozenset(story.members) for story in find_stories(documents)}


def test_a_cascade_of_reposts_is_one_story_of_who_spoke_first():
    copies = [
        document(f"r{i:02}", f"{NEWS}{' 🔥' * (i % 2)} Подписывайтесь!", hours=i + 1) for i in range(30)
    ]
    other = document("x", "Банк открыл отделение в Казани рядом с новым вокзалом", hours=3)
    stories = find_stories([*reversed(copies), other, document("a", hours=0)])
    assert [(story.first, len(story.members)) for story in stories] == [("a", 31), ("x", 1)]


def test_numbers_that_differ_are_two_stories_even_where_a_third_text_lies_between():
    between = NEWS.replace("до 17 процентов ", "")
    documents = [
        document("a"),
        document("b", NEWS.replace("17", "12"), hours=1),
        document("c", between, hours=2),
    ]
    together = parts(documents)
    assert not any({"a", "b"} <= group for group in together)


def test_the_forward_of_a_channel_post_belongs_to_the_post():
    post = document(
        "p", "Мы меняем правила рассылок с осени, подробности в канале", url="https://t.me/shopnews/15"
    )
    forward = document("f", "Вот это поворот, коллеги: https://t.me/shopnews/15", hours=2)
    (story,) = find_stories([forward, post])
    assert (story.first, story.why) == ("p", {"f": "forward"})


def test_a_shared_article_joins_and_a_signature_does_not():
    cite = {"links": ("https://paper.example/news/17-percent-fee",)}
    sign = {"links": ("https://shop.example/catalogue/spring",)}
    joined = [document("a", "Вот и дождались новостей про комиссии", **cite),
              document("b", "Комментарий редакции по теме дня", hours=5, **cite)]  # fmt: skip
    signed = [document(f"s{i}", text, hours=10 * i, owner="shop", **sign)
              for i, text in enumerate(["Весна пришла", "Новые платья в продаже", "График на праздники"])]  # fmt: skip
    assert parts(joined) == {frozenset("ab")}
    assert len(parts(signed)) == 3


def test_a_digest_with_many_stories_joins_none_of_them():
    one, two = NEWS, "Банк открыл отделение в Казани рядом с новым вокзалом и парком"
    digest = f"{one}. {two}. А ещё погода на завтра и курс валют."
    assert parts([document("a", one), document("b", two), document("d", digest, hours=5)]) == {
        frozenset("a"), frozenset("b"), frozenset("d")
    }  # fmt: skip


def test_the_named_source_is_found():
    assert cited_sources("Цены выросли, сообщает Росстат") == cited_sources(
        "По данным Росстата, цены выросли"
    )
    assert cited_sources("Fees rise, according to Reuters") == cited_sources("Fees rise (via Reuters)") != ()


def test_who_cites_one_source_on_one_thing_is_one_story():
    documents = [
        document("a", "По данным Росстата, цены на доставку выросли в феврале сильнее всего"),
        document(
            "b", "Росстат: доставка дорожает. По данным Росстата, в феврале цены на неё подскочили", hours=9
        ),
        document("c", "По данным Росстата, жителей малых городов стало больше", hours=9),
    ]
    assert parts(documents) == {frozenset("ab"), frozenset("c")}


def test_fronts_of_sites_and_channels_mark_no_story():
    assert [
        story_link(url)
        for url in ("https://t.me/shop", "https://www.shop.example/", "https://shop.example/ru")
    ] == [""] * 3
    assert story_link("https://t.me/s/Shop/7") == story_link("http://t.me/shop/7")


TEXTS = [
    NEWS, NEWS + " сообщает РБК", NEWS.replace("17", "12"), NEWS.replace("повысил", "не повысил"),
    NEWS.replace("до 17 процентов ", ""), "Сбой затронул клиентов в Москве и области утром",
    "Сбой затронул клиентов в Москве и области сегодня утром", "Вот ссылка на статью", "Всё хорошо",
]  # fmt: skip


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    order=st.permutations(range(12)),
    cuts=st.sets(st.integers(1, 11), max_size=3),
    picks=st.randoms(use_true_random=False),
)
def test_stories_do_not_depend_on_the_order_of_arrival_or_on_batches(order, cuts, picks):
    documents = [
        document(f"d{i}", TEXTS[picks.randrange(len(TEXTS))], hours=picks.randrange(40),
                 links=("https://a.example/story/number-one",) if picks.random() < 0.2 else ())
        for i in range(12)
    ]  # fmt: skip
    expected = find_stories(documents)
    arrived, at = Stories(), 0
    for cut in [*sorted(cuts), 12]:
        stories = arrived.add([documents[i] for i in order[at:cut]])
        at = cut
    assert {s.members: (s.first, s.owner) for s in stories} == {
        s.members: (s.first, s.owner) for s in expected
    }


def test_indexes_of_two_days_merge():
    monday, tuesday = StoryIndex(), StoryIndex()
    monday.add([document("a", links=("https://a.example/story/number-one",))])
    tuesday.add([document("b", "Другими словами", hours=24, links=("https://a.example/story/number-one",))])
    monday.merge(tuesday)
    assert [story.members for story in monday.stories()] == [("a", "b")]
