"""A query taken apart, the index of words, vectors on the disk, both lists as one, snippets."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.errors import BadInput
from primeta.signals.texts.search import fused, parse_query, searched_forms, snippet
from primeta.signals.texts.vectors import (
    DIMENSIONS,
    VectorFile,
    cosines,
    encode,
    encode_many,
    head_of,
    identity_of,
    middle,
    number_of,
    quantised,
)
from primeta.signals.texts.word_index import WordIndex, readings

TEXTS = {
    "d-0000000000000001": (
        "Магазин отменил скидки",
        "Постоянные клиенты больше не получают скидок по карте лояльности.",
    ),
    "d-0000000000000002": ("Free shipping is over", "The retailer ended free shipping for small orders."),
    "d-0000000000000003": (
        "Доставка стала платной",
        "Бесплатной доставки больше нет; карта клиента и лояльность ни при чём.",
    ),
    "d-0000000000000004": ("Банки повышают ставки", "Ставки по вкладам выросли."),
    "d-0000000000000005": ("To be or not to be", ""),
}


@pytest.fixture
def index(tmp_path) -> WordIndex:
    found = WordIndex(tmp_path / "words.sqlite")
    found.add((number, name, *TEXTS[name]) for number, name in enumerate(TEXTS, 1))
    return found


def ids(found) -> list[int]:
    return [number_of(name) for name, _ in found]


def test_a_query_is_taken_apart():
    asked = parse_query(
        'скидки "карта лояльности" -акция -"чёрная пятница" kind:law,nps source:"Канал А" after:2026-03-01'
    )
    assert asked.words == ("скидки",)
    assert asked.phrases == ("карта лояльности",)
    assert asked.without == ("акция", "чёрная пятница")
    assert (asked.kinds, asked.sources, asked.since) == (("law", "nps"), ("Канал А",), date(2026, 3, 1))
    # «до» is the days before it, as in other searches.
    assert parse_query("слово до:2026-03-01 после:2025").until == date(2026, 2, 28)
    # A link has no words.
    assert parse_query("e-mail 12:30 http://a.b/c:d").words == ("e-mail", "12:30")


@pytest.mark.parametrize("query", ["kind:nothing", "after:yesterday", "before:2026-02-31", "x" * 2_001])
def test_a_condition_that_cannot_be_read_is_told(query: str):
    with pytest.raises(BadInput):
        parse_query(query)


@pytest.mark.parametrize("word", ["скидка", "скидок", "СКИДКАМИ", "ски\u00adдки"])
def test_a_word_is_found_in_any_form(index: WordIndex, word: str):
    assert ids(index.search([word], limit=10)) == [1]


def test_a_form_of_two_words_is_found_by_both(index: WordIndex):
    assert {"банк"} <= set(readings("банк"))
    assert ids(index.search(["банк"], limit=10)) == [4]
    assert ids(index.search(["orders"], limit=10)) == ids(index.search(["order"], limit=10)) == [2]


def test_words_of_a_phrase_stand_side_by_side(index: WordIndex):
    assert ids(index.search([], ["карта лояльности"], limit=10)) == [1]
    assert ids(index.search([], ["free shipping"], limit=10)) == [2]
    assert ids(index.search([], ["to be or not"], limit=10)) == [5]
    assert ids(index.search([], ["shipping free"], limit=10)) == []


def test_what_is_refused_is_left_out_and_cover_orders(index: WordIndex):
    assert ids(index.search(["клиенты"], without=["скидка"], limit=10)) == [3]
    found = index.search(["бесплатная", "доставка", "клиент"], limit=10)
    assert ids(found) == [3, 1]
    assert found[0][1] == pytest.approx(1)
    assert found[1][1] < 0.5


def test_only_numbers_among_which_is_looked(index: WordIndex):
    assert ids(index.search(["клиент"], limit=10, among=[3])) == [3]
    assert index.holding(["free shipping"], among=["d-0000000000000001"]) == set()


def test_a_document_that_was_read_anew_is_found_by_its_new_words(index: WordIndex):
    index.add([(4, "d-0000000000000004", "Вклады дешевеют", "")])
    assert ids(index.search(["вклад"], limit=10)) == [4]
    assert ids(index.search(["банк"], limit=10)) == []
    assert len(index) == 5
    assert index.last() == (5, "d-0000000000000005")


@settings(max_examples=120, deadline=None)
@given(st.text(alphabet="ab\"'()*:^-+{}NEAROT скид\\;%_\n", max_size=40))
def test_no_query_is_the_indexs_own_language(shared_index: WordIndex, text: str):
    asked = parse_query(text)
    found = shared_index.search(asked.words, asked.phrases, without=asked.without, limit=5)
    assert len(found) <= 5


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory) -> WordIndex:
    found = WordIndex(tmp_path_factory.mktemp("index") / "words.sqlite")
    found.add((number, name, *TEXTS[name]) for number, name in enumerate(TEXTS, 1))
    return found


def test_a_damaged_index_is_told_from_a_good_one(tmp_path):
    (tmp_path / "words.sqlite").write_bytes(b"no database at all" * 400)
    found = WordIndex(tmp_path / "words.sqlite")
    assert not found.is_usable()
    assert found.search(["слово"], limit=5) == []
    found.clear()
    found.add([(1, "d-0000000000000001", "слово", "")])
    assert len(found) == 1


def test_russian_questions_lie_near_english_texts():
    texts = ["Free shipping is over", "Bank raises interest rates", "Теперь за доставку надо платить"]
    rows = quantised(encode(texts))
    near = cosines(rows, encode(["доставка больше не бесплатная"])[0])
    assert set(np.argsort(-near)[:2]) == {0, 2}


def test_eight_bits_keep_the_cosine():
    # Rounding to 1/127 of the largest of 512 numbers moves a cosine by some thousandths.
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(200, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.allclose(cosines(quantised(vectors), vectors[7], block=64), vectors @ vectors[7], atol=0.005)
    centre = (0.2 * vectors[3]).astype(np.float32)
    moved = vectors - centre
    aim = (vectors[7] - centre) / np.linalg.norm(vectors[7] - centre)
    expected = moved @ aim / np.linalg.norm(moved, axis=1)
    assert np.allclose(cosines(quantised(vectors), vectors[7], around=centre), expected, atol=0.005)


def test_a_text_without_letters_is_near_nothing():
    rows = quantised(encode(["", "…", "слово"]))
    near = cosines(rows, encode(["слово"])[0], around=middle(rows))
    assert near[0] == near[1] == -1
    assert near[2] > 0.9


def test_vectors_of_many_texts_are_those_of_few():
    texts = [f"текст номер {number}" for number in range(7)]
    assert np.allclose(encode_many(texts), encode(texts), atol=1e-5)


@pytest.mark.slow
def test_two_processes_give_the_same_vectors():
    texts = [f"текст номер {number}" for number in range(4_100)]
    assert np.allclose(encode_many(texts, processes=2)[::100], encode(texts[::100]), atol=1e-4)


def test_half_a_row_of_a_killed_process_is_cut_off(tmp_path):
    file = VectorFile(tmp_path / "vectors.bin")
    vectors = np.eye(3, DIMENSIONS, dtype=np.float32)
    file.add([identity_of(1), identity_of(2**64 - 1)], vectors[:2])
    with file.path.open("ab") as broken:
        broken.write(b"half a row")
    assert len(file) == 2
    file.add([identity_of(3)], vectors[2:])
    assert [identity_of(int(n)) for n in file.ids()] == [
        "d-0000000000000001",
        "d-ffffffffffffffff",
        "d-0000000000000003",
    ]
    assert cosines(file.rows(), vectors[2]).tolist() == pytest.approx([0, 0, 1])


def test_vectors_of_another_encoder_are_begun_anew(tmp_path):
    file = VectorFile(tmp_path / "vectors.bin")
    file.add([identity_of(1)], np.eye(1, DIMENSIONS, dtype=np.float32))
    file.path.with_suffix(".json").write_text('{"encoder": "another"}')
    assert len(file) == 0
    file.add([identity_of(2)], np.eye(1, DIMENSIONS, dtype=np.float32))
    assert file.ids().tolist() == [2]


def test_the_head_is_title_and_beginning():
    assert head_of("Title", "Text of it") == "Title. Text of it"
    assert head_of("Title", "Title and more") == "Title and more"
    assert head_of("", "  a \n b ") == "a b"
    assert len(head_of("t" * 300, "x")) <= 240


def test_both_lists_as_one():
    # By hand: a document covered whole at rank 1 brings 1/61; meaning at rank 1 of eight words as much.
    scores = dict(fused([("a", 1.0), ("b", 0.5)], ["b", "c"], length=8))
    assert scores == pytest.approx({"a": 1 / 61, "b": 0.25 / 62 + 1 / 61, "c": 1 / 62})
    assert dict(fused([], ["b"], length=2)) == pytest.approx({"b": 0.25 / 61})


def test_a_snippet_marks_the_words_and_keeps_the_text():
    text = "Начало. " * 60 + "Клиенты просят скидок и бонусов. " + "Конец. " * 60
    pieces = snippet(text, searched_forms(parse_query("скидка бонус")))
    assert [piece for piece, marked in pieces if marked] == ["скидок", "бонусов"]
    whole = "".join(piece for piece, _ in pieces)
    assert whole.startswith("… ")
    assert whole.strip("… ") in " ".join(text.split())
    assert len(whole) <= 270


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="скидка <b>&\n.,x", max_size=400), st.integers(10, 200))
def test_a_snippet_is_a_piece_of_the_text(text: str, length: int):
    pieces = snippet(text, frozenset(("скидка",)), length=length)
    body = "".join(piece for piece, _ in pieces).removeprefix("… ").removesuffix(" …")
    assert body in " ".join(text.split())
