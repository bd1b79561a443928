"""A small shop in which one customer stands in every table, file and cache there is."""

from __future__ import annotations

import atexit
import gzip
import hashlib
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import insert

from primeta.attention.ledger import Event
from primeta.sources.records import Document
from primeta.store.documents import save_documents
from primeta.store.schema import audit, experiment_events, experiments, jobs, notes, topic_documents, topics
from primeta.store.times import naive
from primeta.store.touch_marks import TouchMark, save_mark
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import refresh_facts
from primeta.workspace import Workspace, open_workspace

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
IVAN = "ivan-4711@example.com"
SAID = "My parcel came open and the blue kettle was broken, please call me on Monday"
WROTE = "Иван, ваш синий чайник уже в пути"
TRACES = (
    IVAN, SAID, WROTE, "kettle was broken", "msg-ivan-1", "order-ivan-1", "phone-hash-ivan", "voice-ivan-1", "Ivanov",
)  # fmt: skip
TOML = """\
[workspace]
name = "Kalina"
timezone = "Europe/Moscow"
{state}
[tables.customers]
from = "data/customers.parquet"
[tables.orders]
from = "data/orders.parquet"
[tables.messages]
from = "data/messages.parquet"
[tables.reactions]
from = "data/reactions.parquet"
[tables.voices]
from = "data/voices.parquet"
[tables.identities]
from = "data/identities.parquet"
[tables.consents]
from = "data/consents.parquet"
[tables.assignments]
from = "data/assignments.parquet"

[attention]
controller = "Kalina LLC"
promises = "promises.json"
{more}
"""
OTHERS = 12


def _table(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), folder / "data" / f"{name}.parquet")


def _at(day: float) -> datetime:
    return NOW - timedelta(days=day)


def make_shop(folder: Path, *, state_url: str = "", more: str = "") -> Workspace:
    """The shop, its ledger synced, its copies and caches filled."""
    (folder / "data").mkdir(parents=True)
    state = f'[state]\nurl = "{state_url}"' if state_url else ""
    (folder / "primeta.toml").write_text(TOML.format(state=state, more=more), encoding="utf-8")
    (folder / "promises.json").write_text(
        '[{"promise": "p1", "text": "At most one letter a week", "channel": "email", "max": 1, "window": "7d"}]',
        encoding="utf-8",
    )
    write_tables(folder)
    ws = open_workspace(folder)
    ws.import_consents(now=NOW, by="Olga")
    ws.sync_attention(now=NOW, by="Olga")
    with open_warehouse(ws.config) as warehouse:
        refresh_facts(warehouse, now=NOW)
    fill_state(ws)
    fill_files(ws)
    return ws


@cache
def built_shop() -> Path:
    """The shop as it is made once for all tests: copy it."""
    folder = Path(tempfile.mkdtemp(prefix="primeta-rights-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_shop(folder / "shop").close()
    return folder / "shop"


def write_tables(folder: Path) -> None:
    people = [IVAN, *(f"other-{n:03d}@example.com" for n in range(OTHERS))]
    short = ["ivan", *(f"o{n}" for n in range(OTHERS))]
    _table(
        folder,
        "customers",
        [
            {"customer_id": who, "registered_at": _at(200), "name": "Ivanov" if who == IVAN else "Petrov"}
            for who in people
        ],
    )
    _table(
        folder,
        "orders",
        [
            {
                "order_id": f"order-{name}-{n}",
                "customer_id": who,
                "ordered_at": _at(10 + 40 * n),
                "revenue": 10.0 + n,
            }
            for who, name in zip(people, short, strict=True)
            for n in range(4)
        ],
    )
    messages = [
        {
            "message_id": f"msg-{name}-{n}",
            "customer_id": who,
            "sent_at": _at(4 + 3 * n),
            "channel": "email",
            "purpose": "useful",
            "campaign": "kettles",
            "programme": "digest",
            "title": WROTE if who == IVAN else "Новинки недели",
            "text": "Смотрите в приложении",
        }
        for who, name in zip(people, short, strict=True)
        for n in range(30)
    ]
    _table(folder, "messages", messages)
    _table(
        folder,
        "reactions",
        [
            {"message_id": row["message_id"], "kind": "clicked", "happened_at": row["sent_at"] + DAY / 24}
            for n, row in enumerate(messages)
            if n % 3 == 0
        ],
    )
    _table(
        folder,
        "voices",
        [
            {
                "voice_id": f"voice-{name}-1",
                "said_at": _at(20),
                "source": "ticket",
                "text": SAID if who == IVAN else f"All is well with parcel number {name}",
                "customer_id": who,
            }
            for who, name in zip(people, short, strict=True)
        ],
    )
    _table(
        folder,
        "identities",
        [
            {"customer_id": who, "kind": "phone", "value_hash": f"phone-hash-{n}"}
            for who, n in zip(people, short, strict=True)
        ],
    )
    _table(
        folder,
        "consents",
        [
            {
                "customer_id": who,
                "processing": "marketing",
                "channel": "email",
                "state": "given",
                "happened_at": _at(190),
                "text": "I agree to letters",
                "surface": "checkout",
                "version": "1",
            }
            for who in people
        ],
    )
    _table(
        folder,
        "assignments",
        [{"experiment": "spring", "customer_id": who, "arm": "a", "assigned_at": _at(60)} for who in people],
    )


def fill_state(ws: Workspace) -> None:
    """What people and watches write about customers beside the ledger."""
    said = [
        Document(
            id=hashlib.sha256(who.encode()).hexdigest()[:32],
            source="tickets",
            owner="Kalina",
            kind="support",
            published_at=_at(20),
            seen_at=_at(19),
            title="",
            text=text,
            url="",
            customer_id=who,
            author="Ivanov" if who == IVAN else "Petrov",
            raw=hashlib.sha256(b"tickets").hexdigest() if who == IVAN else "",
        )
        for who, text in ((IVAN, SAID), ("other-001@example.com", "The parcel of my neighbour is late again"))
    ]
    quote = {"text": SAID, "source": "tickets", "owner": "Kalina", "url": "", "document": said[0].id}
    other = {**quote, "text": said[1].text, "document": said[1].id}
    with ws.database.write() as connection:
        save_documents(connection, said, stories={})
        save_mark(
            connection,
            TouchMark(
                message_id="msg-ivan-1", reviewer="Anna", customer_id=IVAN, mark="no", at=NOW, note="too soon"
            ),
        )
        connection.execute(
            insert(topics).values(
                id="kettles",
                promise_start=NOW.date(),
                frozen={"quotes": [quote, other]},
                topic={"terms": ["kettle"], "quotes": [quote, other]},
                grade="noticed",
                seen_until=naive(NOW),
            )
        )
        connection.execute(
            insert(topic_documents), [{"topic": "kettles", "document": one.id} for one in said]
        )
        connection.execute(
            insert(notes).values(
                id="n1", text=f"{IVAN} rang about: {SAID}", origin="hand", subject="", source="", url="",
                direction="up", happened_at=NOW.date(), logged_at=naive(NOW), by="Anna", files=[],
            )
        )  # fmt: skip
        connection.execute(
            insert(jobs).values(
                id="j1", kind="interviews", state="done", done=1, total=1, message="", cancel=0,
                created_at=naive(NOW), result={"called": [{"customer_id": IVAN}, {"customer_id": "o1"}]},
            )
        )  # fmt: skip
        connection.execute(
            insert(audit).values(at=naive(NOW), who="Anna", verb="call", what={"customer": IVAN})
        )
        connection.execute(
            insert(experiments).values(name="spring", created_at=naive(NOW), created_by="Anna")
        )
        connection.execute(
            insert(experiment_events).values(
                experiment="spring", number=1, version=1, at=naive(NOW), who="Anna", kind="note",
                what={"excluded": [IVAN, "o1"]}, mark="m",
            )
        )  # fmt: skip
    ws.record(
        [
            Event(
                key="wish-1",
                kind="wish",
                customer_id=IVAN,
                happened_at=_at(20),
                payload={"means": "less-often", "sentence": SAID, "max_per_week": 1},
            ),
            Event(
                key="decision-1",
                kind="decision",
                customer_id=IVAN,
                happened_at=_at(3),
                payload={
                    "allowed": False,
                    "rule": "promise",
                    "promise": "p1",
                    "message_id": "msg-ivan-99",
                    "channel": "email",
                    "purpose": "offer",
                    "policy": 1,
                },
            ),
        ],
        now=NOW,
    )


def fill_files(ws: Workspace) -> None:
    """Files beside the state: lists, caches, what sources brought."""
    for folder, name in (("experiments", "spring.v1"), ("interviews", "spring.calls")):
        (ws.folder / folder).mkdir()
        rows = [
            {"customer_id": who, "arm": "a", "entered": NOW.date()} for who in (IVAN, "other-001@example.com")
        ]
        table = pa.Table.from_pylist(rows).replace_schema_metadata({"primeta": '{"format": 1}'})
        pq.write_table(table, ws.folder / folder / f"{name}.parquet")
    for name in ("cache/voices/q.json", "cache/reactivation/whom.json", "cache/texts/words.sqlite"):
        (ws.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (ws.folder / name).write_text(f"{IVAN}: {SAID}", encoding="utf-8")
    (ws.folder / "cache" / "series-orders-week.npz").write_bytes(b"sums")
    digest = hashlib.sha256(b"tickets").hexdigest()
    place = ws.folder / "raw" / "tickets" / "2026-06"
    place.mkdir(parents=True)
    (place / f"{digest}.csv.gz").write_bytes(gzip.compress(f"{IVAN};{SAID}\n".encode()))
    (place / f"{'1' * 64}.csv.gz").write_bytes(gzip.compress(f"{IVAN};{SAID};older\n".encode()))
    (place / f"{'2' * 64}.csv.gz").write_bytes(gzip.compress(b"other;all is well\n"))


def traces(folder: Path, needles: tuple[str, ...] = TRACES) -> dict[str, list[str]]:
    """Every file of the workspace in which something stands, but for the team's own tables: bytes as they lie there,
    and the values of packed files."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or "data" in file.relative_to(folder).parts[:1]:
            continue
        content = file.read_bytes()
        if file.suffix == ".gz":
            content += gzip.decompress(content)
        elif file.suffix == ".parquet":
            content += repr(pq.read_table(file).to_pylist()).encode()
        # JSON in the state may be written with escapes.
        there = [one for one in needles if one.encode() in content or ascii(one)[1:-1].encode() in content]
        if there:
            found[str(file.relative_to(folder))] = there
    return found
