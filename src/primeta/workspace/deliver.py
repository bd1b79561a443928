"""`deliver`: the week's digest and the reviews that are due, to every declared channel, each once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from primeta.config import DELIVERED, DeliveryConfig
from primeta.delivery.channels import Address, Unset, address_of
from primeta.delivery.schedule import LOOK_AGAIN, last_hour
from primeta.delivery.send import Message, Sent, check, send, told
from primeta.delivery.words import STATES
from primeta.errors import BadInput, NotFound
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.messages import word
from primeta.show.result import Head, Table
from primeta.store.deliveries import Delivery, claim, last_worked_off, load_deliveries, settle, work_off
from primeta.workspace.deliver_words import tell
from primeta.workspace.lock import only_one

if TYPE_CHECKING:
    from primeta.trends.records import Trend
    from primeta.workspace.workspace import Workspace

FAILED = frozenset(("deferred", "refused", "unclear"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message on one channel."""

    channel: str
    what: str
    """`digest` or `reviews`."""
    subjects: tuple[str, ...]
    """What must go out once: a week's digest, or reviews."""
    title: str
    state: str
    """delivered, already, deferred, refused, unclear, sending, planned or nothing."""
    why: str = ""
    answer: str = ""
    tries: int = 0

    def reason(self, lang: Language) -> str:
        if self.state == "nothing":
            return tell(lang, self.why)
        return told(self.why, self.answer, lang)

    def as_dict(self) -> dict[str, Any]:
        return {
            "channel": self.channel,
            "what": self.what,
            "subjects": list(self.subjects),
            "title": self.title,
            "state": self.state,
            "why": self.why,
            "answer": self.answer,
            "tries": self.tries,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """What became of everything that was to be sent."""

    outcomes: tuple[Outcome, ...]
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Nothing that should have arrived is missing."""
        return not any(entry.state in FAILED for entry in self.outcomes)

    def line(self, lang: Language) -> str:
        counted = {state: sum(entry.state == state for entry in self.outcomes) for state in STATES}
        failed = sum(counted[state] for state in FAILED)
        if self.dry_run:
            return tell(lang, "count-planned", planned=counted["planned"], failed=failed)
        if not counted["delivered"] and not failed:
            return tell(lang, "none")
        return tell(lang, "count", delivered=counted["delivered"], failed=failed)

    def table(self, lang: Language) -> Table:
        heads = tuple(Head(tell(lang, code)) for code in ("channel", "what", "state", "why"))
        rows = tuple(
            (entry.channel, tell(lang, entry.what), STATES[entry.state][lang], entry.reason(lang))
            for entry in self.outcomes
        )
        return Table(heads=heads, rows=rows, note=self.line(lang))

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "dry_run": self.dry_run,
            "deliveries": [entry.as_dict() for entry in self.outcomes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A message that is finished, and what it speaks of."""

    what: str
    subjects: tuple[str, ...]
    message: Message


def deliver(
    ws: Workspace,
    *,
    now: datetime,
    env: Mapping[str, str],
    to: str = "",
    what: str = "",
    dry_run: bool = False,
    again: bool = False,
    pause: Callable[[float], object] = time.sleep,
) -> Deliveries:
    """Send what was not sent yet. A failing channel does not stop the others.

    Args:
        env: Where `${NAME}` of an address is looked up.
        to: Only this channel.
        what: Only `digest` or `reviews`.
        dry_run: Check the addresses and tell what would be sent; nothing is sent or written down.
        again: Also what was sent before or broken off.
        pause: Waits between tries, in seconds.
    Raises:
        BadInput: no channel is declared.
        NotFound: there is no channel `to`.
        Locked: another process is delivering.
    """
    channels = _channels(ws, to)
    if what and what not in DELIVERED:
        raise BadInput(f"--what {what!r}: expected {' or '.join(DELIVERED)}")
    if dry_run:
        return Deliveries(outcomes=tuple(_planned(ws, channels, what, now, env, again)), dry_run=True)
    with only_one(ws.folder / "delivery.lock", "a delivery"):
        found: list[Outcome] = []
        for channel in channels:
            found += _to_channel(ws, channel, what, now, env, again, pause)
    return Deliveries(outcomes=tuple(found))


def deliver_due(
    ws: Workspace,
    *,
    now: datetime,
    env: Mapping[str, str],
    pause: Callable[[float], object] = time.sleep,
) -> Deliveries:
    """Deliver to the channels whose hour has come since they were last served, and what was put off.

    A channel that is seen for the first time waits for its next hour. However many hours were missed, they
    are caught up by one delivery; the hour is marked when it is done, so that a kill repeats nothing and
    loses nothing.

    Raises:
        Locked: another process is delivering.
    """
    found: list[Outcome] = []
    with only_one(ws.folder / "delivery.lock", "a delivery"):
        for channel in ws.config.delivery.values():
            hour = last_hour(channel, now, ws.config.zone)
            with ws.database.read() as connection:
                before = last_worked_off(connection, channel.name)
                waiting = any(
                    entry.state == "deferred" and now - entry.at >= LOOK_AGAIN
                    for entry in load_deliveries(connection, channel.name)
                )
            due = before is not None and before < hour
            if due or waiting:
                found += _to_channel(ws, channel, "", now, env, False, pause)
            if before is None or due:
                with ws.database.write() as connection:
                    work_off(connection, channel.name, hour)
    return Deliveries(outcomes=tuple(found))


def delivered(ws: Workspace, *, channel: str = "") -> tuple[Delivery, ...]:
    """What was sent or tried, the latest first."""
    with ws.database.read() as connection:
        return load_deliveries(connection, channel or None)


def _channels(ws: Workspace, to: str) -> tuple[DeliveryConfig, ...]:
    declared = ws.config.delivery
    if not declared:
        raise BadInput(
            f"{ws.config.path} declares no channel; add a section such as [delivery.team] with "
            'to = "tgram://${TELEGRAM_TOKEN}/-100123"'
        )
    if to and to not in declared:
        raise NotFound(f"there is no channel {to!r}; {ws.config.path.name} declares {', '.join(declared)}")
    return (declared[to],) if to else tuple(declared.values())


def _planned(
    ws: Workspace,
    channels: Iterable[DeliveryConfig],
    what: str,
    now: datetime,
    env: Mapping[str, str],
    again: bool,
) -> Iterable[Outcome]:
    for channel in channels:
        address, why, answer = _address(ws, channel, env)
        why = why or (check(address) if address else "")
        with ws.database.read() as connection:
            kept = {entry.subject: entry for entry in load_deliveries(connection, channel.name)}
        for ready in _ready(ws, channel, what, now):
            if isinstance(ready, Outcome):
                yield ready
                continue
            done = {"delivered", "unclear", "sending"} if not again else set()
            left = tuple(
                entry for entry in ready.subjects if entry not in kept or kept[entry].state not in done
            )
            state = "refused" if why else ("planned" if left else "already")
            yield Outcome(
                channel=channel.name,
                what=ready.what,
                subjects=left or ready.subjects,
                title=ready.message.subject,
                state=state,
                why=why,
                answer=answer,
            )


def _to_channel(
    ws: Workspace,
    channel: DeliveryConfig,
    what: str,
    now: datetime,
    env: Mapping[str, str],
    again: bool,
    pause: Callable[[float], object],
) -> list[Outcome]:
    """Everything for one channel, under the lock of delivery."""
    address, why, answer = _address(ws, channel, env)
    found: list[Outcome] = []
    for ready in _ready(ws, channel, what, now):
        if isinstance(ready, Outcome):
            found.append(ready)
            continue
        about: dict[str, Any] = {"channel": channel.name, "what": ready.what, "title": ready.message.subject}
        # Reviews that some recipients have already go apart from those that nobody has.
        groups: dict[frozenset[str], list[str]] = {}
        with ws.database.write() as connection:
            for subject in ready.subjects:
                mine, kept = claim(connection, channel.name, subject, now=now, again=again, alone=_alone(ws))
                if mine:
                    whole = again and kept.state == "delivered"
                    groups.setdefault(frozenset() if whole else kept.accepted, []).append(subject)
                else:
                    state = "already" if kept.state == "delivered" else kept.state
                    found.append(
                        Outcome(subjects=(subject,), state=state, why=kept.why, answer=kept.answer, **about)
                    )
        for accepted, subjects in groups.items():
            message = ready.message
            if len(subjects) < len(ready.subjects):
                message = _reviews_message(ws, channel, tuple(subjects), now) or message
            sent = (
                send(channel.name, address, message, accepted=accepted, pause=pause)
                if address
                else Sent(channel=channel.name, state="refused", why=why, answer=answer, accepted=accepted)
            )
            with ws.database.write() as connection:
                for subject in subjects:
                    settle(
                        connection,
                        channel.name,
                        subject,
                        state=sent.state,
                        why=sent.why,
                        answer=sent.answer,
                        accepted=sent.accepted,
                        tries=sent.tries,
                        now=now,
                    )
            found.append(
                Outcome(
                    subjects=tuple(subjects),
                    state=sent.state,
                    why=sent.why,
                    answer=sent.answer,
                    tries=sent.tries,
                    **about,
                )
            )
    return found


def _alone(ws: Workspace) -> bool:
    """Whether the lock file rules out any other sender: not where machines share one database."""
    return ws.database.url.startswith("sqlite")


def _address(
    ws: Workspace, channel: DeliveryConfig, env: Mapping[str, str]
) -> tuple[Address | None, str, str]:
    try:
        return address_of(channel, env=env, folder=ws.folder), "", ""
    except Unset as error:
        return None, error.why, error.what


def _ready(ws: Workspace, channel: DeliveryConfig, what: str, now: datetime) -> Iterable[_Ready | Outcome]:
    """The finished messages of a channel, or why there is none."""
    lang = _language(ws, channel)
    for kind in channel.what:
        if what and kind != what:
            continue
        nothing = Outcome(
            channel=channel.name,
            what=kind,
            subjects=(),
            title="",
            state="nothing",
            why="no-week" if kind == "digest" else "no-reviews",
        )
        if kind == "digest":
            page = ws.digest(now=now, language=lang)
            if page.overview.week is None:
                yield nothing
                continue
            yield _Ready(
                what=kind,
                subjects=(f"digest {page.overview.week.code}",),
                message=Message(subject=page.title, text=page.text, html=page.html),
            )
            continue
        subjects = tuple(_review_subject(ws, trend, now) for trend in due_reviews(ws, now=now))
        message = _reviews_message(ws, channel, subjects, now)
        yield nothing if message is None else _Ready(what=kind, subjects=subjects, message=message)


def _language(ws: Workspace, channel: DeliveryConfig) -> Language:
    return "ru" if (channel.language or ws.config.language) == "ru" else "en"


def due_reviews(ws: Workspace, *, now: datetime) -> tuple[Trend, ...]:
    """Trends whose decision is to be judged today or should have been, the longest overdue first."""
    today = ws.day(now)
    found = [trend for trend in ws.trends() if trend.decision and trend.decision.due <= today]
    return tuple(sorted(found, key=lambda trend: (trend.decision.due if trend.decision else today, trend.id)))


def _review_subject(ws: Workspace, trend: Trend, now: datetime) -> str:
    """A review is told on its day and, while it is late, once a week."""
    assert trend.decision is not None
    late = trend.decision.days_late(ws.day(now))
    return f"review {trend.id} {trend.decision.due.isoformat()} +{late // 7}w"


def _reviews_message(
    ws: Workspace, channel: DeliveryConfig, subjects: tuple[str, ...], now: datetime
) -> Message | None:
    """One message about the reviews named by `subjects`; None where there is none."""
    lang = _language(ws, channel)
    there = ws.in_language(lang)
    trends = [trend for trend in due_reviews(there, now=now) if _review_subject(ws, trend, now) in subjects]
    if not trends:
        return None
    heads = tuple(Head(tell(lang, code)) for code in ("trend", "decision", "due", "criteria", "owner"))
    today = ws.day(now)
    rows = tuple(
        (
            trend.card.name,
            word(lang, trend.decision.answer),
            _due_text(trend.decision.due, today, lang),
            trend.decision.criteria,
            trend.decision.owner,
        )
        for trend in trends
        if trend.decision
    )
    table = Table(heads=heads, rows=rows)
    title = tell(lang, "reviews-title", name=ws.config.name)
    headline = tell(lang, "reviews-one" if len(trends) == 1 else "reviews-many", n=len(trends))
    foot = tell(lang, "reviews-foot")
    html = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f'<body style="font:16px/1.5 Georgia,serif;max-width:44rem"><h1>{escape(headline)}</h1>{table.html()}'
        f"<p>{escape(foot)}</p></body></html>\n"
    )
    return Message(subject=title, text=f"{headline}\n\n{table.text()}\n\n{foot}\n", html=html)


def _due_text(due: date, today: date, lang: Language) -> str:
    late = (today - due) // timedelta(days=1)
    return tell(lang, "late" if late > 0 else "today", day=locale.day(due, lang), n=late)
