"""Segments in which fewer look become signals of a watch: planted in small workspaces."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import primeta as pm
from primeta.signals.grades import independent_origins
from primeta.workspace.measured import declared

MONDAY = datetime(2025, 1, 6, tzinfo=UTC)
WEEKS = 60
CUSTOMERS = 300
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def written(folder: Path, *, falls_from: int, back_from: int = 10_000, seed: int = 3) -> Path:
    """Two messages a week each; of those who came by ads, welcomes on push fall to a third from week `falls_from`."""
    rng = np.random.default_rng(seed)
    n = CUSTOMERS * WEEKS * 2
    who = np.tile(np.repeat(np.arange(CUSTOMERS), 2), WEEKS)
    week = np.repeat(np.arange(WEEKS), CUSTOMERS * 2)
    push = np.tile([True, False], CUSTOMERS * WEEKS)
    ads = who % 2 == 0
    purpose = rng.choice(["useful", "offer"], n)
    own = np.exp(rng.normal(0, 0.5, CUSTOMERS))[who]
    chance = 0.12 * own * np.where(purpose == "offer", 0.7, 1.3)
    fallen = ads & push & (week >= falls_from) & (week < back_from)
    glad = rng.random(n) < np.clip(chance * np.where(fallen, 0.3, 1.0), 0, 0.9)
    sent = [
        MONDAY + timedelta(days=7 * int(w) + int(d), hours=12)
        for w, d in zip(week, rng.integers(0, 7, n), strict=True)
    ]
    ids = [f"m{row}" for row in range(n)]
    data = folder / "data"
    data.mkdir(parents=True)
    pq.write_table(
        pa.table(
            {
                "customer_id": [f"c{one:04d}" for one in range(CUSTOMERS)],
                "source": ["ads" if one % 2 == 0 else "shop" for one in range(CUSTOMERS)],
                "registered_at": [
                    MONDAY - timedelta(days=400 if one % 4 < 2 else 200) for one in range(CUSTOMERS)
                ],
            }
        ),
        data / "customers.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "message_id": ids,
                "customer_id": [f"c{one:04d}" for one in who],
                "sent_at": sent,
                "channel": np.where(push, "push", "email"),
                "programme": np.where(purpose == "offer", "sales", "news"),
                "purpose": purpose,
            }
        ),
        data / "messages.parquet",
    )
    rows = np.flatnonzero(glad)
    pq.write_table(
        pa.table(
            {
                "message_id": [ids[row] for row in rows],
                "kind": ["clicked"] * len(rows),
                "happened_at": [sent[row] + timedelta(hours=5) for row in rows],
            }
        ),
        data / "reactions.parquet",
    )
    (folder / "primeta.toml").write_text(
        '[workspace]\nname = "Look"\nlanguage = "en"\ncurrency = "USD"\ntimezone = "UTC"\ntoday = "facts"\n'
        '[tables.customers]\nfrom = "data/customers.parquet"\n'
        '[tables.messages]\nfrom = "data/messages.parquet"\n'
        '[tables.reactions]\nfrom = "data/reactions.parquet"\n'
        '[slices]\nby = ["source"]\nsmallest = 50\n'
        '[watch]\nmetrics = ["attention"]\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def fallen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = written(tmp_path_factory.mktemp("fallen") / "ws", falls_from=45)
    pm.open(folder).watch(now=NOW)
    return folder


def test_a_planted_fall_of_welcomes_is_a_signal_of_attention(fallen: Path):
    ws = pm.open(fallen)
    held = [entry for entry in ws.signals() if entry.grade in ("holding", "repeating")]
    assert {entry.frozen.slice for entry in held} & {"source=ads&channel=push"}
    assert {entry.frozen.origin for entry in ws.signals()} == {"attention"}
    lead = next(entry for entry in held if entry.frozen.slice == "source=ads&channel=push")
    # planted to 30% of what it was from week 45 on; the onset is known within weeks
    assert lead.frozen.direction == "down"
    assert 0.2 < lead.observed / lead.expected < 0.42
    assert abs((lead.frozen.since - (MONDAY + timedelta(weeks=45)).date()).days) <= 21
    # those who came by the shop look as ever
    assert not any("source=shop" in entry.frozen.slice for entry in held)


def test_a_trend_is_made_of_it_and_told_in_both_languages(fallen: Path):
    ws = pm.open(fallen)
    trend = next(t for t in ws.trends() if any("attention" in s for s in t.signals))
    assert trend.card.name.startswith("Fewer look at what we send")
    assert trend.evidence.independent_origins == 1
    ws.language = "ru"
    told = next(t for t in ws.trends() if t.id == trend.id)
    assert told.card.name.startswith("На сообщения смотрят реже")


def test_watching_again_changes_nothing_and_reads_no_message(fallen: Path, monkeypatch: pytest.MonkeyPatch):
    ws = pm.open(fallen)
    before = [(entry.id, entry.e_value, entry.grade, entry.frozen) for entry in ws.signals()]
    from primeta.attention import segment_series

    def never(*_: object) -> None:
        raise AssertionError("nothing changed, so nothing is counted anew")

    monkeypatch.setattr(segment_series, "_welcomes", never)
    monkeypatch.setattr(segment_series, "_moments", never)
    ws.watch(now=NOW + timedelta(days=1))
    assert [(entry.id, entry.e_value, entry.grade, entry.frozen) for entry in ws.signals()] == before


def test_a_lost_cache_is_worked_out_again(fallen: Path, tmp_path: Path):
    folder = tmp_path / "ws"
    shutil.copytree(fallen, folder)
    ws = pm.open(folder)
    before = {entry.id: entry.e_value for entry in ws.signals()}
    for kept in (folder / "cache" / "attention").glob("*.parquet"):
        kept.write_bytes(b"half a file") if kept.name.startswith("segments") else kept.unlink()
    ws.watch(now=NOW)
    assert {entry.id: entry.e_value for entry in pm.open(folder).signals()} == before


def test_attention_and_metrics_are_one_origin_by_counting_the_same_customers():
    assert independent_origins(("metric", "attention")) == 1
    assert independent_origins(("attention", "voice")) == 2


def test_attention_is_a_metric_only_where_messages_and_reactions_are_mapped(fallen: Path, tmp_path: Path):
    assert "attention" in declared(pm.open(fallen))
    (tmp_path / "primeta.toml").write_text(
        '[workspace]\nname = "X"\nlanguage = "en"\ncurrency = "USD"\ntimezone = "UTC"\n', encoding="utf-8"
    )
    assert "attention" not in declared(pm.open(tmp_path))


@pytest.mark.slow
def test_a_segment_that_looks_again_fades_or_is_refuted(tmp_path: Path):
    folder = written(tmp_path / "ws", falls_from=40, back_from=48)
    ws = pm.open(folder)
    ws.watch(now=NOW)
    own = [
        e
        for e in ws.signals()
        if e.frozen.slice == "source=ads&channel=push" and e.frozen.direction == "down"
    ]
    # planted: eight weeks of a fall to 30%, then twelve weeks as before
    assert [entry.grade for entry in own] in (["fading"], ["refuted"])
