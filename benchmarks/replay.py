"""How long a year of messages takes to be held against promises, credit and a draft policy included, and in what memory."""

from __future__ import annotations

import hashlib
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from primeta.attention.door import attention

NAME = "replay"
FIRST = 1_735_689_600_000_000
"""2025-01-01 UTC in microseconds."""
PROMISES = [
    {
        "promise": "two",
        "text": "At most two pushes a fortnight.",
        "channel": "push",
        "max": 2,
        "window": "14d",
    },
    {"promise": "five", "text": "At most five messages a month.", "max": 5, "window": "30d"},
    {"promise": "day", "text": "By day only.", "hours": [9, 21]},
    {"promise": "stop", "text": "We stop within a day.", "stop_within": "24h"},
    {"promise": "no-press", "text": "We never press.", "purposes_only": ["service", "useful", "offer"]},
    {"promise": "gift", "text": "A gift by July.", "deliver": "k03", "by": "2025-07-01"},
]
POLICY = {"caps": [{"max": 3, "window": "7d"}], "quiet_hours": [21, 9], "first_useful": 2}
HOUR_US = 3_600_000_000


def write_year(folder: Path, touches: int, *, rng: np.random.Generator) -> dict[str, str]:
    """Ten messages a customer over a year, in four time zones; one in thirty is clicked, one in 400 unsubscribes."""
    customers = max(touches // 10, 10)
    who = rng.integers(0, customers, touches)
    sent = FIRST + rng.integers(0, 365 * 86_400, touches) * 1_000_000
    ids = pa.array(np.char.add("m", np.char.zfill(np.arange(touches).astype("U9"), 9)))
    names = pa.array(np.char.add("c", np.arange(customers).astype("U8")))

    def drawn(*words: str) -> pa.DictionaryArray:
        codes = pa.array(rng.integers(0, len(words), touches), pa.int8())
        return pa.DictionaryArray.from_arrays(codes, pa.array(words))

    messages = pa.table(
        {
            "message_id": ids,
            "customer_id": names.take(pa.array(who)),
            "sent_at": pa.array(sent, pa.timestamp("us", "UTC")),
            "channel": drawn("push", "email", "sms").cast(pa.string()),
            "campaign": drawn(*(f"k{number:02d}" for number in range(50))).cast(pa.string()),
            "programme": drawn("sale", "news", "orders").cast(pa.string()),
            "team": drawn("crm", "growth").cast(pa.string()),
            "purpose": drawn("service", "useful", "offer", "press").cast(pa.string()),
            "learnt_at": pa.array(sent + rng.integers(0, 5, touches) * HOUR_US, pa.timestamp("us", "UTC")),
        }
    )
    answered = rng.choice(touches, size=touches // 28, replace=False)
    kinds = np.where(rng.random(len(answered)) < 0.07, "unsubscribed", "clicked")
    reactions = pa.table(
        {
            "message_id": ids.take(pa.array(answered)),
            "kind": pa.array(kinds),
            "happened_at": pa.array(sent[answered] + HOUR_US, pa.timestamp("us", "UTC")),
        }
    )
    zones = np.array(["Europe/Moscow", "Europe/Berlin", "Asia/Yekaterinburg", ""])
    people = pa.table({"customer_id": names, "timezone": pa.array(zones[rng.integers(0, 4, customers)])})
    for name, table in (("messages", messages), ("reactions", reactions), ("customers", people)):
        pq.write_table(table, folder / f"{name}.parquet")
    return {name: str(folder / f"{name}.parquet") for name in ("messages", "reactions", "customers")}


def run(*, quick: bool) -> list[dict[str, str]]:
    """Ten million messages (quick: 300,000), twice: promises alone, then everything; the answers must be the same."""
    touches = 300_000 if quick else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        files = write_year(Path(folder), touches, rng=np.random.default_rng(1))
        took: list[float] = []
        seals: list[str] = []
        found = None
        for credit, policy in ((False, None), (True, POLICY)):
            began = time.perf_counter()
            found = attention(
                **files, promises=PROMISES, policy=policy, credit=credit, timezone="Europe/Moscow"
            )
            took.append(time.perf_counter() - began)
            seals.append(_seal(found))
    assert found is not None
    broken = sum(entry.broken for entry in found.promises)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [
        {
            "messages": f"{touches:,}",
            "promises": str(len(PROMISES)),
            "breaches": f"{broken:,}",
            "promises alone": f"{took[0]:.0f} s",
            "with credit and a draft policy": f"{took[1]:.0f} s",
            "peak memory": f"{memory:.1f} GB",
            "the same when repeated": "yes" if seals[0] == seals[1] else "NO",
        }
    ]


def _seal(found) -> str:
    """A hash of every breach and every promise."""
    seal = hashlib.sha256(json.dumps([entry.as_dict() for entry in found.promises]).encode())
    for row in found.checked.broken():
        seal.update(f"{row.promise}|{row.customer_id}|{row.message_id}|{row.at}|{row.knowable}\n".encode())
    return seal.hexdigest()
