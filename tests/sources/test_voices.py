"""Voices of the workspace as documents."""

# Facts keep times in UTC without a zone, and files write them so.
# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from primeta.config import load_config
from primeta.sources.records import Source
from primeta.sources.voices import kind_of, read_voices, voices_documents
from primeta.warehouse.engine import open_warehouse

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SOURCE = Source(name="voices", reader="voices", kind="support", at="voices", owner="shop")


def row(voice_id, text, *, source="ticket", said_at=datetime(2026, 3, 1, 10), **told):
    return {"voice_id": voice_id, "said_at": said_at, "source": source, "text": text, **told}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("ticket", "support"), ("chat", "support"), ("review", "reviews"), ("nps", "nps"), ("interview", "interviews"),
        ("focus group", "focus_group"), ("Focus_Group", "focus_group"), ("отзыв", "reviews"), ("telepathy", "community"),
    ],
)  # fmt: skip
def test_what_a_voice_came_by_is_its_kind(written, kind):
    assert kind_of(written, otherwise="community") == kind


def test_rows_become_documents_in_batches_and_empty_ones_are_counted():
    rows = [row(f"v{n}", "" if n == 1 else f"The parcel {n}", customer_id="c1", score=n) for n in range(5)]
    batches = list(voices_documents(rows, source=SOURCE, seen_at=NOW, batch=2))
    documents = [document for batch in batches for document in batch.documents]
    assert [document.text for document in documents] == [
        "The parcel 0",
        "The parcel 2",
        "The parcel 3",
        "The parcel 4",
    ]
    assert (documents[1].customer_id, documents[1].score) == ("c1", 2.0)
    assert documents[0].published_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert batches[0].troubles[0].values["entries"] == 1


def test_a_voice_is_one_document_whenever_it_is_read():
    first = next(voices_documents([row("v1", "Late")], source=SOURCE, seen_at=NOW)).documents[0]
    later = next(voices_documents([row("v1", "Late again")], source=SOURCE, seen_at=NOW)).documents[0]
    assert first.id == later.id


@pytest.fixture
def workspace(tmp_path):
    pq.write_table(
        pa.table({
            "voice_id": ["v1", "v2", "v3"],
            "said_at": [datetime(2026, 3, 1, 12), datetime(2026, 3, 5, 12), None],
            "source": ["nps", "ticket", "ticket"],
            "text": ["Дорого стало", "Где посылка", "без времени"],
            "customer_id": ["007", None, "008"],
            "score": [3.0, None, None],
        }),
        tmp_path / "voices.parquet",
    )  # fmt: skip
    (tmp_path / "primeta.toml").write_text(
        '[workspace]\nname = "Shop"\ntimezone = "Europe/Moscow"\n[tables.voices]\nfrom = "voices.parquet"\n'
    )
    return load_config(tmp_path)


def test_voices_are_read_through_the_warehouse_in_its_zone(workspace):
    with open_warehouse(workspace) as warehouse:
        documents = [
            d for part in voices_documents(warehouse, source=SOURCE, seen_at=NOW) for d in part.documents
        ]
    # Midday in Moscow is nine in UTC; a voice without a time is no voice of the facts.
    assert [(d.kind, d.published_at.hour, d.customer_id) for d in documents] == [
        ("nps", 9, "007"),
        ("support", 9, ""),
    ]


def test_only_what_was_said_since(workspace):
    with open_warehouse(workspace) as warehouse:
        parts = list(
            voices_documents(warehouse, source=SOURCE, since=datetime(2026, 3, 2, tzinfo=UTC), seen_at=NOW)
        )
    assert [d.text for part in parts for d in part.documents] == ["Где посылка"]
    assert parts[-1].position == {"said_at": "2026-03-05T09:00:00Z"}


def test_a_large_table_is_read_a_part_at_a_time_and_goes_on_where_it_stopped(workspace):
    first = read_voices(workspace, source=SOURCE, seen_at=NOW, most=1)
    assert ([d.text for d in first.documents], first.position["more"]) == (["Дорого стало"], True)
    second = read_voices(workspace, source=SOURCE, position=first.position, seen_at=NOW, most=1)
    assert [d.text for d in second.documents] == ["Где посылка"]
    third = read_voices(workspace, source=SOURCE, position=second.position, seen_at=NOW, most=1)
    assert (third.documents, third.position) == ((), {"said_at": "2026-03-05T09:00:00Z"})
    # A later reading looks at the last 35 days again: 1 March is within them.
    again = read_voices(workspace, source=SOURCE, position=third.position, seen_at=NOW)
    assert len(again.documents) == 2


def test_a_workspace_without_voices_says_how_to_name_them(tmp_path):
    (tmp_path / "primeta.toml").write_text('[workspace]\nname = "Shop"\n')
    found = read_voices(load_config(tmp_path), source=SOURCE, seen_at=NOW)
    assert [trouble.code for trouble in found.troubles] == ["no-voices"]
