"""One customer as he sees us: his shade and mailbox at any moment, what stood behind each message, and his credit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from primeta.attention.breaches import Breach, breaches_of
from primeta.attention.consents import Standing
from primeta.attention.credit_kept import credit_events
from primeta.attention.decide import promises_of
from primeta.attention.fold import CustomerState, state_as_of
from primeta.attention.promise_file import in_force
from primeta.attention.records import Credit, Entry, Promise
from primeta.attention.shade import Came, LastSign, Place, came_to, last_sign
from primeta.errors import BadInput, NotFound
from primeta.show.result import Table
from primeta.store.attention_state import customer_of
from primeta.store.keys import keys_of
from primeta.store.ledger import first_learnt, load_entries
from primeta.store.touch_marks import TouchMark, load_marks
from primeta.warehouse.duck import connect, named, plain_errors, quoted, run
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import Facts, load_facts
from primeta.workspace.attention_sync import told_by_tables, zone_in_tables
from primeta.workspace.may_send import Desk, moment_of

if TYPE_CHECKING:
    from primeta.attention.credit_history import CreditHistory
    from primeta.config import Config
    from primeta.workspace.workspace import Workspace

Known = Literal["then", "today"]
"""What was known at the moment shown, or all that is known now of that moment."""
LIES_DAYS = 28
"""What came earlier is only counted: nobody's shade is longer."""
COURSE_DAYS = 90
"""Of the line of credit."""
MOST = 60
"""Messages listed in one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """One message in its place, with why it was sent and what reviewers think of it."""

    came: Came
    local: datetime
    """When it came by his own clock."""
    broke: tuple[str, ...]
    """Names of promises that it broke."""
    marks: tuple[TouchMark, ...] = ()

    @property
    def unread(self) -> bool:
        return self.came.seen_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseThen:
    """A promise to him that was in force, and how often it had been broken to him by then."""

    promise: Promise
    broken: int
    last_broken: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentThen:
    """Whether consent to a processing held, as far as it was known."""

    processing: str
    channel: str
    """Empty: all channels."""
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelThen:
    """Credit on one channel at the moment, and its course up to it."""

    channel: str
    credit: Credit
    course: CreditHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Messages that came on one of his days."""

    day: date
    count: int
    broken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """What one customer had before his eyes at a moment."""

    customer: str
    """His pseudonym."""
    at: datetime
    zone: ZoneInfo
    sender: str
    known: Known
    ledger_since: datetime | None
    """Where the moment lies before the ledger begins, what was known then cannot be told: all that is known is shown."""
    shade: tuple[Lying, ...]
    """Newest first."""
    mailbox: tuple[Lying, ...]
    gone: tuple[Lying, ...]
    """What lay on the shade in these weeks until he looked at it, newest first."""
    older: Mapping[Place, int]
    """Unread messages that came earlier than those."""
    days: tuple[DayCount, ...]
    """Every day from his first message to his last one, also after the moment."""
    channels: tuple[ChannelThen, ...]
    sign: LastSign | None
    came: int
    """Messages in all up to the moment."""
    withheld: int
    promises: tuple[PromiseThen, ...]
    breaches: tuple[Breach, ...]
    """Up to the moment, oldest first."""
    consents: tuple[ConsentThen, ...]
    preferences: Mapping[str, Any]
    wishes: int
    """That waited for a person."""

    @property
    def unread(self) -> int:
        """What he has not looked at, by what the log knows, in both places."""
        listed = sum(lying.unread for lying in (*self.shade, *self.mailbox))
        return listed + sum(self.older.values())

    def line(self, lang: str = "en") -> str:
        from primeta.workspace.attention_customer_words import view_line

        return view_line(self, lang)

    def table(self, lang: str = "en") -> Table:
        from primeta.workspace.attention_customer_words import view_table

        return view_table(self, lang)

    def as_dict(self) -> dict[str, Any]:
        from primeta.workspace.attention_customer_words import view_document

        return view_document(self)


def customer_view(
    ws: Workspace,
    customer: str,
    *,
    now: datetime,
    at: datetime | None = None,
    known: Known = "then",
    is_id: bool = False,
) -> CustomerView:
    """The shade and mailbox of one customer at a moment, newest first, and what stood behind them.

    Only his own entries are read, by the index of the ledger, and the texts of what is listed from the facts.

    Args:
        customer: His pseudonym; with `is_id` his id.
        at: By his own clock where it has no zone. Default: now, and in a history its last fact.
        known: Consents, credit and promises as they were known then, or all that is known of then today. What lay
            there lay there either way.
    Raises:
        NotFound: nobody has this pseudonym, or nothing is known of this customer.
        BadInput: `at` lies after `now`.
    """
    customer_id, entries, since = _entries(ws, customer, now=now, is_id=is_id)
    desk = Desk(ws, now=now)
    try:
        row = desk.reader.one(customer_id)
        policy, model, promised = desk.policy, desk.model(), desk.promises
        # Who is in the ledger has his zone beside his state: no page view reads the table of customers.
        zone = desk.zone(row.zone if row else zone_in_tables(ws, customer_id))
        pseudonym = desk.keys.pseudonym(customer_id)
    finally:
        desk.close()
    at = at or moment_of(ws, now=now)
    at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    if at > now:
        raise BadInput(
            f"{at:%Y-%m-%dT%H:%M}Z lies in the future: what he will see then is not known; ask up to now"
        )
    before = since is not None and at < since
    known = "today" if before else known
    learnt = at if known == "then" else None
    told = tuple(entry for entry in entries if learnt is None or entry.learnt_at <= learnt)
    state = state_as_of(entries, happened=at, learnt=learnt, customer_id=customer_id)
    came = came_to(entries, at=at)
    promises = (*promised, *promises_of(state))
    broken = breaches_of(entries, promises, customer_id=customer_id, zone=zone.key)
    with ws.database.read() as connection:
        marks = load_marks(connection, customer_id=customer_id)
    facts = load_facts(ws.folder / "facts")
    lists = {
        name: _lying(touches, at=at, zone=zone, broken=broken, marks=marks)
        for name, touches in (
            ("shade", [touch for touch in came if touch.place == "shade" and touch.lies_there]),
            ("mailbox", [touch for touch in came if touch.place == "mailbox" and touch.lies_there]),
            ("gone", [touch for touch in came if touch.place == "shade" and touch.seen_at is not None]),
        )
    }
    untold = [lying.came for listed, _ in lists.values() for lying in listed if not lying.came.title]
    texts = _mapped_texts(ws, customer_id, untold) if facts is None else _texts(facts, customer_id, untold)
    shade, mailbox, gone = (
        tuple(_with_text(lying, texts) for lying in lists[name][0]) for name in ("shade", "mailbox", "gone")
    )
    return CustomerView(
        customer=pseudonym,
        at=at,
        zone=zone,
        sender=_sender(ws.config),
        known=known,
        ledger_since=since if before else None,
        shade=shade,
        mailbox=mailbox,
        gone=gone,
        older={"shade": lists["shade"][1], "mailbox": lists["mailbox"][1]},
        days=_days(entries, zone=zone, broken=broken),
        channels=_channels(told, came, model=model, policy=policy, at=at),
        sign=last_sign(came, entries, at=at),
        came=len(came),
        withheld=sum(
            entry.kind == "touch" and bool(entry.payload.get("withheld")) and entry.happened_at <= at
            for entry in entries
        ),
        promises=_promises(promises, broken, at=at, customer_id=customer_id),
        breaches=tuple(breach for breach in broken if breach.at <= at),
        consents=_consents(state, sorted({touch.channel for touch in came}), at=at),
        preferences={
            name: value
            for name in ("channels", "topics", "max_per_week", "hours", "language")
            if (value := state.preference(name)) is not None
        },
        wishes=len(state.pending),
    )


def _sender(config: Config) -> str:
    """As customers know him; the legal name only where nothing else is told."""
    named = config.attention.preferences.sender
    known = named.get(config.language) or next(iter(named.values()), "")
    return known or config.attention.controller or config.name


def is_pseudonym(text: str) -> bool:
    """Whether a text is spelled as a pseudonym: `C-7F3K-9Q2M-XD4T`."""
    return re.fullmatch(r"C(-[0-9A-Z]{4}){3}", text) is not None


def find_customer(ws: Workspace, given: str, *, now: datetime) -> str:
    """The pseudonym of whom a person looks for, by his id or by the pseudonym itself, spelled as it comes.

    Raises:
        NotFound: the ledger holds nothing of him.
    """
    given = given.strip()
    keys = keys_of(ws.database, now=now)
    with ws.database.read() as connection:
        spelled = given.upper()
        if customer_of(connection, spelled):
            return spelled
        pseudonym = keys.pseudonym(given)
        if given and customer_of(connection, pseudonym) == given:
            return pseudonym
    raise NotFound(
        "the ledger holds nothing of this customer; check the id, or run primeta attention sync to take over the log"
    )


def _entries(
    ws: Workspace, customer: str, *, now: datetime, is_id: bool
) -> tuple[str, tuple[Entry, ...], datetime | None]:
    """His id, his entries, and since when the ledger has been written."""
    with ws.database.read() as connection:
        customer_id = customer if is_id else customer_of(connection, customer)
        entries = load_entries(connection, customer_id) if customer_id else ()
        since = first_learnt(connection)
    if not customer_id:
        raise NotFound(f"nobody has the pseudonym {customer[:40]!r}; pseudonyms look like C-7F3K-9Q2M-XD4T")
    if not entries and is_id:
        # Nothing was taken over yet: the tables themselves are asked.
        _, entries = told_by_tables(ws, customer_id, at=now)
    if not any(entry.salt for entry in entries):
        raise NotFound("nothing is known of this customer: no message, no consent; check the id")
    return customer_id, entries, since


def _lying(
    came: Sequence[Came],
    *,
    at: datetime,
    zone: ZoneInfo,
    broken: Sequence[Breach],
    marks: Sequence[TouchMark],
) -> tuple[list[Lying], int]:
    """The recent ones of these, newest first, and how many unread ones lie below them."""
    recent = [touch for touch in reversed(came) if touch.sent_at > at - timedelta(days=LIES_DAYS)][:MOST]
    listed = {touch.message_id for touch in recent}
    older = sum(touch.seen_at is None for touch in came if touch.message_id not in listed)
    broke: dict[str, list[str]] = {}
    for breach in broken:
        broke.setdefault(breach.message_id, []).append(breach.promise)
    return [
        Lying(
            came=touch,
            local=touch.sent_at.astimezone(zone),
            broke=tuple(broke.get(touch.message_id, ())),
            marks=tuple(mark for mark in marks if mark.message_id == touch.message_id),
        )
        for touch in recent
    ], older


def _texts(facts: Facts, customer_id: str, listed: Sequence[Came]) -> dict[str, tuple[str, str]]:
    """Title and text of messages, from the months in which they were sent: files lie by customer, so little is read."""
    if not listed:
        return {}
    # A message of the first or last hours of a month may stand in the neighbour's file: months are cut by local days.
    months = {f"{touch.sent_at + timedelta(days=shift):%Y-%m}" for touch in listed for shift in (-1, 0, 1)}
    files = [str(facts.path(part)) for part in facts.parts.get("messages", ()) if part.month in months]
    if not files:
        return {}
    with closing(connect(threads=1)) as connection, plain_errors("reading the texts of messages"):
        rows = f"read_parquet([{', '.join(quoted(name) for name in files)}], union_by_name = true)"
        have = {row[0] for row in run(connection, f"DESCRIBE SELECT * FROM {rows}")}
        if not {"title", "text"} <= have:
            return {}
        return {row[0]: (row[1], row[2]) for row in run(connection, _of_messages(rows, customer_id, listed))}


def _mapped_texts(ws: Workspace, customer_id: str, listed: Sequence[Came]) -> dict[str, tuple[str, str]]:
    """The same from the mapped table itself, where no copy of the facts was made yet."""
    if not listed or "messages" not in ws.config.tables:
        return {}
    with open_warehouse(ws.config) as warehouse, plain_errors("reading the texts of messages"):
        if not (warehouse.has("messages", "title") or warehouse.has("messages", "text")):
            return {}
        query = _of_messages(warehouse.rows("messages"), customer_id, listed)
        return {row[0]: (row[1], row[2]) for row in run(warehouse.connection, query)}


def _of_messages(rows: str, customer_id: str, listed: Sequence[Came]) -> str:
    ids = ", ".join(quoted(touch.message_id) for touch in listed)
    return (
        f"SELECT message_id, coalesce({named('title')}, ''), coalesce({named('text')}, '') FROM {rows} "
        f"WHERE customer_id = {quoted(customer_id)} AND message_id IN ({ids})"
    )


def _with_text(lying: Lying, texts: Mapping[str, tuple[str, str]]) -> Lying:
    title, text = texts.get(lying.came.message_id, ("", ""))
    if lying.came.title or not (title or text):
        return lying
    return replace(lying, came=replace(lying.came, title=title, text=lying.came.text or text))


def _days(entries: Sequence[Entry], *, zone: ZoneInfo, broken: Sequence[Breach]) -> tuple[DayCount, ...]:
    """By his own calendar, every day from the first message to the last."""
    counts: dict[date, int] = {}
    for touch in came_to(entries, at=max(entry.happened_at for entry in entries)):
        day = touch.sent_at.astimezone(zone).date()
        counts[day] = counts.get(day, 0) + 1
    if not counts:
        return ()
    breaches: dict[date, int] = {}
    for breach in broken:
        day = breach.at.astimezone(zone).date()
        breaches[day] = breaches.get(day, 0) + 1
    first, last = min(counts), max(counts)
    return tuple(
        DayCount(day=day, count=counts.get(day, 0), broken=breaches.get(day, 0))
        for day in (first + timedelta(days=number) for number in range((last - first).days + 1))
    )


def _channels(
    told: Sequence[Entry], came: Sequence[Came], *, model: Any, policy: Any, at: datetime
) -> tuple[ChannelThen, ...]:
    from primeta.attention.credit import credit_of, state_of
    from primeta.attention.credit_history import credit_history

    events = credit_events(told)
    state = state_of(events, model=model, until=at) if events else None
    channels = sorted({touch.channel for touch in came if touch.channel})
    rows: list[ChannelThen] = []
    for channel in channels:
        course = credit_history(events, model=model, channel=channel, until=at, policy=policy)
        since = at - timedelta(days=COURSE_DAYS)
        rows.append(
            ChannelThen(
                channel=channel,
                credit=credit_of(state, model=model, channel=channel, at=at, policy=policy),
                course=replace(course, points=tuple(point for point in course.points if point.at >= since)),
            )
        )
    return tuple(rows)


def _promises(
    promises: Sequence[Promise], broken: Sequence[Breach], *, at: datetime, customer_id: str
) -> tuple[PromiseThen, ...]:
    rows: list[PromiseThen] = []
    for promise in in_force(promises):
        if promise.customers != "all" and customer_id not in promise.customers:
            continue
        begun = promise.valid_from is None or promise.valid_from <= at
        if not begun or (promise.valid_to is not None and promise.valid_to <= at):
            continue
        times = [
            breach.at
            for breach in broken
            if breach.at <= at and (breach.promise, breach.version) == (promise.name, promise.version)
        ]
        rows.append(PromiseThen(promise=promise, broken=len(times), last_broken=max(times, default=None)))
    return tuple(rows)


def _consents(state: CustomerState, channels: Sequence[str], *, at: datetime) -> tuple[ConsentThen, ...]:
    """Marketing on each channel on which he was written to, and what is asked of everybody at once."""
    asked = [("marketing", channel) for channel in channels or ("",)]
    asked += [
        (processing, "")
        for processing in ("personalisation", "profiling")
        if any(of == processing for of, _, _ in state.consents)
    ]
    return tuple(
        ConsentThen(
            processing=processing, channel=channel, standing=state.standing(processing, channel, at=at)
        )
        for processing, channel in asked
    )
