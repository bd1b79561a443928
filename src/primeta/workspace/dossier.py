"""`dossier`: all that the workspace holds about one person, for that person; to read, and for a machine.

GDPR art. 15 and 20, 152-FZ art. 14: what is held, where it came from, what for, how long, who had it, and by what rule
things were decided about him. Nothing of other people; what he wrote may name others, which a person must look at first.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping, select

from primeta.attention.breaches import breaches_of
from primeta.attention.credit_kept import unpack_credit
from primeta.attention.decide import promises_of
from primeta.attention.fold import CustomerState, fold
from primeta.attention.ledger import Event, key_of
from primeta.attention.records import Credit, Entry, Promise
from primeta.errors import BadInput, PrimetaError
from primeta.facts import TABLES
from primeta.show.result import plain
from primeta.store.erasure import ErasedEntries, erasures_of
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all, load_entries
from primeta.store.schema import attention_states, documents, reservations, touch_marks
from primeta.store.times import aware
from primeta.warehouse.duck import named, quoted, run
from primeta.warehouse.engine import Warehouse, open_warehouse
from primeta.warehouse.erased import OWNERS
from primeta.workspace.files import write_whole
from primeta.workspace.may_send import policy_in_force, promises_in_force

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

NAME = "dossier"
FORMAT = 1
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHistory:
    """What happened on one channel: what credit goes by, in plain figures."""

    channel: str
    sent: int
    welcomed: int
    """Messages that he clicked or answered."""
    opened: int
    left: int
    """Times he unsubscribed or complained."""
    last_welcomed: datetime | None
    unanswered: int
    """Messages since then without an answer."""
    credit: Credit | None
    """As it is kept and used; None: it was not worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything that is held about one customer."""

    customer_id: str
    made_at: datetime
    workspace: str
    controller: str
    zone: Any
    language: str
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """Canonical table → his rows."""
    entries: tuple[Entry, ...] = ()
    """Of the ledger."""
    state: CustomerState | None = None
    promises: tuple[Promise, ...] = ()
    """To everybody and to him."""
    broken: tuple[Row, ...] = ()
    history: tuple[ChannelHistory, ...] = ()
    policy: Row = field(default_factory=dict)
    said: tuple[Row, ...] = ()
    """Tickets, reviews, interviews that sources brought."""
    experiments: tuple[Row, ...] = ()
    reserved: tuple[Row, ...] = ()
    marks: tuple[Row, ...] = ()
    erasures: tuple[ErasedEntries, ...] = ()
    not_read: tuple[tuple[str, str], ...] = ()
    """(table, why) of what could not be read: it may hold more."""

    @property
    def known(self) -> bool:
        """Whether anything is held."""
        return bool(
            any(self.tables.values())
            or self.entries
            or self.said
            or self.experiments
            or self.reserved
            or self.marks
        )

    @property
    def names_others(self) -> int:
        """Texts of his own words that may speak of other people: a person looks before they are handed out."""
        return len(self.said) + len(self.tables.get("voices", ()))

    def of_kind(self, *kinds: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.kind in kinds and entry.salt)

    def messages(self) -> tuple[Row, ...]:
        """Every message with its text as shown and what came of it, oldest first: tables and ledger together."""
        found: dict[str, Row] = {}
        for row in self.tables.get("messages", ()):
            found[str(row["message_id"])] = {
                name: value for name, value in row.items() if name != "customer_id"
            }
        for entry in self.of_kind("touch"):
            told = entry.payload
            message = found.setdefault(
                str(told["message_id"]), {"message_id": told["message_id"], "sent_at": entry.happened_at}
            )
            for name, value in told.items():
                if message.get(name) in (None, "") and name != "unverifiable":
                    message[name] = value
        reactions: dict[str, set[tuple[datetime, str, bool]]] = {}
        for row in self.tables.get("reactions", ()):
            if row["happened_at"] is not None:
                mark = (row["happened_at"], str(row["kind"]), bool(row.get("machine")))
                reactions.setdefault(str(row["message_id"]), set()).add(mark)
        for entry in self.of_kind("reaction"):
            told = entry.payload
            mark = (entry.happened_at, str(told["kind"]), bool(told.get("machine")))
            reactions.setdefault(str(told.get("message_id") or ""), set()).add(mark)
        broke: dict[str, list[str]] = {}
        for row in self.broken:
            broke.setdefault(row["message_id"], []).append(row["promise"])
        for name, message in found.items():
            message["reactions"] = [
                {"kind": kind, "happened_at": at, "machine": machine}
                for at, kind, machine in sorted(reactions.get(name, ()))
            ]
            message["broke"] = sorted(set(broke.get(name, ())))
        return tuple(
            sorted(found.values(), key=lambda row: row.get("sent_at") or datetime.min.replace(tzinfo=UTC))
        )

    def as_dict(self) -> Row:
        """The document of `--json` and of `dossier.json`."""
        from primeta.workspace.dossier_words import explained

        return {
            "format": FORMAT,
            "customer_id": self.customer_id,
            "made_at": self.made_at,
            "workspace": self.workspace,
            "controller": self.controller,
            "known": self.known,
            "erased": [
                {"at": one.at, "request": one.request, "receipt": one.number, "digest": one.digest}
                for one in self.erasures
            ],
            "profile": next(iter(self.tables.get("customers", ())), {}),
            "tables": {
                name: list(rows)
                for name, rows in self.tables.items()
                if name not in ("customers", "messages", "reactions")
            },
            "messages": list(self.messages()),
            "said": list(self.said),
            "consents": [_entry(entry) for entry in self.of_kind("consent", "suppressed")],
            "notices": [_entry(entry) for entry in self.of_kind("notice")],
            "preferences": [_entry(entry) for entry in self.of_kind("preference")],
            "wishes": [_entry(entry) for entry in self.of_kind("wish", "wish-confirmed")],
            "promises": [_promise(promise) for promise in self.promises],
            "broken": list(self.broken),
            "decisions": [_entry(entry) for entry in self.of_kind("decision")],
            "credit": [_history(one) for one in self.history],
            "rules": self.policy,
            "experiments": list(self.experiments),
            "reserved": list(self.reserved),
            "reviewers": list(self.marks),
            "handed_out": [_entry(entry) for entry in self.of_kind("access")],
            "explained": explained(self, self.language),
            "not_read": [{"table": name, "why": why} for name, why in self.not_read],
        }

    def line(self, lang: str = "en") -> str:
        from primeta.workspace.dossier_words import line

        return line(self, lang)

    def html(self, lang: str = "") -> str:
        """A page that stands alone and prints."""
        from primeta.workspace.dossier_page import page

        return page(self, lang or self.language)


def dossier(ws: Workspace, customer_id: str, *, now: datetime) -> Dossier:
    """Gather all that is held about one customer; nothing is written.

    Raises:
        BadInput: no customer is given.
    """
    if not customer_id.strip():
        raise BadInput("--customer: the id of the customer was expected")
    keys = keys_of(ws.database, now=now)
    with ws.database.read() as connection:
        entries = load_entries(connection, customer_id)
        kept = connection.execute(
            select(attention_states.c.credit, attention_states.c.zone).where(
                attention_states.c.customer_id == customer_id
            )
        ).first()
        said = [
            {
                "said_at": aware(row.at),
                "source": row.source,
                "kind": row.kind,
                "title": row.title,
                "text": row.text,
                "score": row.score,
                "url": row.url,
                "author": row.author,
                "attributes": dict(row.attributes),
            }
            for row in connection.execute(
                select(documents).where(documents.c.customer_id == customer_id).order_by(documents.c.at)
            )
        ]
        reserved = [_row(row._mapping) for row in connection.execute(
            select(reservations).where(reservations.c.customer_id == customer_id).order_by(reservations.c.at)
        )]  # fmt: skip
        marks = [_row(row._mapping) for row in connection.execute(
            select(touch_marks).where(touch_marks.c.customer_id == customer_id).order_by(touch_marks.c.at)
        )]  # fmt: skip
        erased = erasures_of(connection, keys.suppression_digest(customer_id))
    tables, not_read = _tables(ws, customer_id)
    state = fold(entries, customer_id=customer_id) if entries else None
    zone = (kept.zone if kept is not None else "") or ws.config.timezone
    promised, broken = _promises(ws, entries, state, customer_id, zone)
    held = bool(entries or any(tables.values()))
    return Dossier(
        customer_id=customer_id,
        made_at=now,
        workspace=ws.config.name,
        controller=ws.config.attention.controller,
        zone=ws.config.zone,
        language=ws.language,
        tables=tables,
        entries=entries,
        state=state,
        promises=promised if held else (),
        broken=broken,
        history=_histories(ws, entries, None if kept is None else kept.credit, now=now) if held else (),
        policy=_rules(ws, now) if held else {},
        said=tuple(said),
        experiments=_experiments(ws, customer_id),
        reserved=tuple(reserved),
        marks=tuple(marks),
        erasures=erased,
        not_read=not_read,
    )


def hand_out(
    ws: Workspace,
    customer_id: str,
    out: Path,
    *,
    now: datetime,
    by: str,
    request: str = "",
    language: str = "",
) -> Dossier:
    """Gather it, write `dossier.html` and `dossier.json` into a folder or a ZIP, and note in the ledger that it was
    handed out; of somebody of whom nothing is held nothing is noted.

    Raises:
        BadInput: the place to write to is a file of another kind.
    """
    if out.suffix.lower() != ".zip" and out.is_file():
        raise BadInput(f"--out {out} is a file; a folder or a name ending in .zip was expected")
    if customer_id in out.name:
        raise BadInput("--out: the name of the file would give the customer's id away; choose another")
    told = dossier(ws, customer_id, now=now)
    if language:
        told = replace(told, language=language)
    page = told.html().encode()
    document = (json.dumps(plain(told.as_dict()), ensure_ascii=False, indent=2) + "\n").encode()
    files = {f"{NAME}.html": page, f"{NAME}.json": document}
    if out.suffix.lower() == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, packed.getvalue())
    else:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(out / name, content)
    if told.known:
        noted = Event(
            key=key_of("access", customer_id, now),
            kind="access",
            customer_id=customer_id,
            happened_at=now,
            payload={"what": NAME, "request": request.strip()},
            by=by,
        )
        append_all(ws.database, [noted], now=now)
    return told


# What is held


def _tables(
    ws: Workspace, customer_id: str
) -> tuple[dict[str, tuple[Row, ...]], tuple[tuple[str, str], ...]]:
    """His rows of every mapped table, by its time."""
    found: dict[str, tuple[Row, ...]] = {}
    failed: list[tuple[str, str]] = []
    with open_warehouse(ws.config) as warehouse:
        for name in ws.config.tables:
            try:
                rows = _rows_of(ws, warehouse, name, customer_id)
            except PrimetaError as error:
                failed.append((name, str(error)))
                continue
            if rows:
                found[name] = rows
    return found, tuple(failed)


def _rows_of(ws: Workspace, warehouse: Warehouse, name: str, customer_id: str) -> tuple[Row, ...]:
    view, mapped, spec = warehouse.rows(name), warehouse.mapped(name), TABLES[name]
    condition = f"customer_id = {quoted(customer_id)}"
    if "customer_id" not in mapped.mapped:
        owner, key = OWNERS.get(name, ("", ""))
        if owner not in ws.config.tables:
            return ()
        condition = f"{key} IN (SELECT {key} FROM {warehouse.rows(owner)} WHERE {condition})"
    columns = [column.name for column in spec.columns if column.name in mapped.mapped]
    columns += [attribute for attribute in mapped.attributes if attribute not in columns]
    order = f" ORDER BY {spec.time}" if spec.time and spec.time in columns else ""
    rows = run(
        warehouse.connection,
        f"SELECT {', '.join(named(column) for column in columns)} FROM {view} WHERE {condition}{order}",
    )
    return tuple({name: _told(value) for name, value in zip(columns, row, strict=True)} for row in rows)


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, str | int | float | bool | date | None) else str(value)


def _row(row: RowMapping) -> Row:
    return {str(name): _told(value) for name, value in row.items() if name != "customer_id"}


def _experiments(ws: Workspace, customer_id: str) -> tuple[Row, ...]:
    """Experiments that he entered, from the lists beside the state."""
    import pyarrow.parquet as pq

    found: list[Row] = []
    for file in sorted((ws.folder / "experiments").glob("*.parquet")):
        names = pq.read_schema(file).names
        columns = [name for name in ("arm", "entered", "since") if name in names]
        rows = pq.read_table(file, columns=columns, filters=[("customer_id", "=", customer_id)])
        name, _, version = file.stem.rpartition(".v")
        for row in rows.to_pylist():
            if row.get("arm") is not None:
                told = {name: _told(value) for name, value in row.items()}
                found.append({"experiment": name, "version": int(version), **told})
    return tuple(found)


def _promises(
    ws: Workspace, entries: Sequence[Entry], state: CustomerState | None, customer_id: str, zone: str
) -> tuple[tuple[Promise, ...], tuple[Row, ...]]:
    """Promises to everybody and to him; those broken to him, as the log shows and as was written down."""
    own = promises_of(state) if state is not None else ()
    every = (*promises_in_force(ws), *own)
    his = tuple(one for one in every if one.customers == "all" or customer_id in one.customers)
    if not entries:
        return his, ()
    broken = {
        (one.promise, one.version, one.message_id): {
            "promise": one.promise,
            "version": one.version,
            "message_id": one.message_id,
            "at": one.at,
        }
        for one in breaches_of(entries, his, customer_id=customer_id, zone=zone)
    }
    for entry in entries:
        if entry.kind == "broken" and entry.salt:
            told = entry.payload
            mark = (str(told["promise"]), int(told["version"]), str(told.get("message_id") or ""))
            broken.setdefault(
                mark,
                {"promise": mark[0], "version": mark[1], "message_id": mark[2], "at": entry.happened_at},
            )
    return his, tuple(sorted(broken.values(), key=lambda row: row["at"]))


def _histories(
    ws: Workspace, entries: Iterable[Entry], kept: bytes | None, *, now: datetime
) -> tuple[ChannelHistory, ...]:
    policy = policy_in_force(ws, now=now)
    sent: dict[str, dict[str, datetime]] = {}
    came: dict[str, list[tuple[str, str, datetime]]] = {}
    for entry in entries:
        told = entry.payload
        if not entry.salt or told.get("withheld") or told.get("unverifiable"):
            continue
        channel = str(told.get("channel") or "")
        if entry.kind == "touch":
            sent.setdefault(channel, {})[str(told["message_id"])] = entry.happened_at
        elif entry.kind == "reaction" and not told.get("machine"):
            mark = (str(told["kind"]), str(told.get("message_id") or ""), entry.happened_at)
            came.setdefault(channel, []).append(mark)
    found: list[ChannelHistory] = []
    for channel in sorted(sent.keys() | came.keys()):
        messages, signs = sent.get(channel, {}), came.get(channel, [])
        welcomed = {message: at for kind, message, at in signs if kind in ("clicked", "replied")}
        last = max(welcomed.values(), default=None)
        found.append(
            ChannelHistory(
                channel=channel,
                sent=len(messages),
                welcomed=len(welcomed),
                opened=len({message for kind, message, _ in signs if kind == "opened"}),
                left=sum(kind in ("unsubscribed", "complained") for kind, _, _ in signs),
                last_welcomed=last,
                unanswered=sum(last is None or at > last for at in messages.values()),
                credit=unpack_credit(None if kept is None else bytes(kept), channel=channel, policy=policy),
            )
        )
    return tuple(found)


def _rules(ws: Workspace, now: datetime) -> Row:
    """What of the policy bears on him: the logic of decisions, as GDPR art. 15(1)(h) asks for it."""
    policy = policy_in_force(ws, now=now)
    return {
        "version": policy.version,
        "caps": [
            {"max": cap.max, "hours": cap.window.total_seconds() / 3600, "channel": cap.channel}
            for cap in policy.caps
        ],
        "quiet_hours": list(policy.quiet_hours) if policy.quiet_hours else None,
        "first_useful": policy.first_useful,
        "useful_after_broken": policy.useful_after_broken,
    }


def _entry(entry: Entry) -> Row:
    return {
        "entry": entry.number,
        "kind": entry.kind,
        "happened_at": entry.happened_at,
        "learnt_at": entry.learnt_at,
        "by": entry.by,
        **{name: value for name, value in entry.payload.items() if name not in ("kind", "by")},
    }


def _promise(promise: Promise) -> Row:
    return {
        "promise": promise.name,
        "version": promise.version,
        "text": promise.text,
        "channel": promise.channel or "",
        "valid_from": promise.valid_from,
        "valid_to": promise.valid_to,
        "checkable": promise.checkable,
    }


def _history(one: ChannelHistory) -> Row:
    credit = one.credit
    return {
        "channel": one.channel,
        "sent": one.sent,
        "opened": one.opened,
        "welcomed": one.welcomed,
        "left": one.left,
        "last_welcomed": one.last_welcomed,
        "unanswered": one.unanswered,
        "credit": None
        if credit is None
        else {
            "value": credit.value,
            "low": credit.low,
            "high": credit.high,
            "level": credit.level,
            "as_of": credit.as_of,
        },
    }
