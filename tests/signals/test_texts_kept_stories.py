"""Stories of texts that keep coming are those of all texts at once, in whatever portions they came."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.signals.texts.kept_stories import KeptStories, Told
from primeta.signals.texts.origins import find_stories
from primeta.sources.identity import document_id
from primeta.sources.records import Document

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEWS = "Маркетплейс повысил комиссию для продавцов одежды до 17 процентов с первого апреля"


def document(name: str, text: str = NEWS, *, hours: float = 0, owner: str = "", **more: object) -> Document:
    at = NOON + timedelta(hours=hours)
    told = {"title": "", "source": owner or name, "owner": owner or name, "kind": "social"} | more
    return Document(
        id=document_id("test", name), text=text, published_at=at, seen_at=at + timedelta(days=1), **told
    )  # type: ignore[arg-type]


def loader(there: dict[str, Document]) -> Callable[[Sequence[str]], list[Document]]:
    return lambda ids: [there[name] for name in ids if name in there]


def told_in(portions: Sequence[Sequence[Document]], kept: KeptStories | None = None) -> Told:
    """What a collector has written after it brought the portions one after another."""
    kept = KeptStories() if kept is None else kept
    there: dict[str, Document] = {}
    written: Told = {}
    for portion in portions:
        written |= kept.add(portion, load=loader(there))
        there |= {one.id: one for one in portion}
    return written


def at_once(documents: Sequence[Document]) -> dict[str, str]:
    return {name: story.first for story in find_stories(documents) for name in story.members}


ARTICLE = {"links": ("https://paper.example/news/17-percent-fee",)}
SIGN = {"links": ("https://shop.example/catalogue/spring",)}
POOL = [
    document("a"),
    document("a2", NEWS + "!", hours=30),
    document("b", NEWS.replace("17", "12"), hours=1),
    document("c", NEWS.replace("до 17 процентов ", ""), hours=2),
    document(
        "post", "Мы меняем правила рассылок с осени, подробности в канале", url="https://t.me/shopnews/15"
    ),
    document("forward", "Вот это поворот, коллеги: https://t.me/shopnews/15", hours=2),
    document("cite1", "Вот и дождались новостей про комиссии", **ARTICLE),
    document("cite2", "Комментарий редакции по теме дня", hours=5, **ARTICLE),
    *(
        document(f"sign{i}", f"Новинка номер {i} уже в каталоге у Ани", hours=i, owner="shop", **SIGN)
        for i in range(4)
    ),
    document("signed", "Посмотрите, что нашла подруга на выходных", hours=9, **SIGN),
    document("named", "По данным Росстата, спрос на доставку вырос в марте на треть", hours=3),
    document("named2", "Росстат: спрос на доставку вырос в марте, пишет Росстат", hours=20),
    document("other", "Банк открыл отделение в Казани рядом с новым вокзалом", hours=3),
    document("old", NEWS, hours=-24 * 90),
]


def test_the_same_stories_as_of_all_texts_at_once():
    recent = [one for one in POOL if one.id != document_id("test", "old")]
    assert {name: first for name, (first, _) in told_in([recent]).items()} == at_once(recent)


def test_a_text_of_the_same_words_three_months_before_is_another_story():
    written = told_in([POOL])
    assert written[document_id("test", "a")][0] == document_id("test", "a")
    assert written[document_id("test", "old")] == (document_id("test", "old"), "")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(order=st.permutations(POOL), cuts=st.lists(st.integers(0, len(POOL)), max_size=6))
def test_stories_do_not_depend_on_the_order_of_arrival_or_on_portions(order, cuts):
    edges = [0, *sorted(cuts), len(order)]
    portions = [order[begin:end] for begin, end in pairwise(edges)]
    assert told_in(portions) == told_in([POOL])


def test_boilerplate_is_the_same_in_whatever_portions_a_source_speaks():
    dice = random.Random(3)
    things = ["чайник", "плед", "лампа", "ковёр", "стол", "шкаф", "полка", "диван"]
    texts = [
        document(
            f"t{i}",
            f"{dice.choice(things)} {dice.choice(things)} привезли сегодня утром на склад {i}.\n"
            "Скидка по коду ВЕСНА для всех подписчиков нашего магазина, только до конца недели!",
            hours=i,
            owner="shop",
        )
        for i in range(40)
    ]
    whole = told_in([texts])
    assert told_in([texts[:7], texts[7:9], texts[9:33], texts[33:]]) == whole
    # From the sixteenth on, the sentence that all share is known for what it is.
    assert all(whole[one.id][0] == one.id for one in texts[16:])


def test_what_is_written_to_a_file_goes_on_as_if_it_had_not_been(tmp_path):
    kept = KeptStories()
    half = len(POOL) // 2
    there = {one.id: one for one in POOL[:half]}
    load = loader(there)
    written = kept.add(POOL[:half], load=load)
    kept.save(tmp_path / "texts" / "stories.npz", mark=7)
    again = KeptStories.load(tmp_path / "texts" / "stories.npz")
    assert again is not None
    kept, mark = again
    assert (mark, len(kept)) == (7, half)
    assert kept.knows([POOL[0].id, POOL[-1].id]).tolist() == [True, False]
    written |= kept.add(POOL[half:], load=load)
    assert written == told_in([POOL])
    assert [path.name for path in (tmp_path / "texts").iterdir()] == ["stories.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_a_damaged_file_is_made_anew(tmp_path, content):
    (tmp_path / "stories.npz").write_bytes(content)
    assert KeptStories.load(tmp_path / "stories.npz") is None


def test_a_changed_text_leaves_its_story():
    kept = KeptStories()
    there = {one.id: one for one in POOL[:2]}
    load = loader(there)
    first, second = POOL[0], POOL[1]
    assert kept.add([first, second], load=load)[second.id] == (first.id, "exact")
    renewed = document("a", "Банк открыл отделение в Казани рядом с новым вокзалом")
    there[first.id] = renewed
    told = kept.add([renewed], load=load)
    assert told[second.id] == (second.id, "")
    assert told[first.id] == (first.id, "")
    assert len(kept) == 2
