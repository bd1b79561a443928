"""Credit over a workspace's facts: the model is learnt when it is first needed, kept, and learnt anew once a week."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.attention.credit_words import tell
from primeta.attention.records import PURPOSES, Credit, Policy
from primeta.errors import NotFound
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.warehouse.duck import connect, plain_errors, quoted, run
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import Facts, load_facts, refresh_facts
from primeta.workspace.files import write_whole

if TYPE_CHECKING:
    from primeta.attention.blindness import BlindnessAlarm
    from primeta.attention.credit import CreditEvent, CreditEventKind, CreditModel
    from primeta.attention.outcomes import TouchLog
    from primeta.workspace.workspace import Workspace

KEPT = "cache/attention/credit.json"
OF_FACTS = "cache/attention/replay/credit.json"
"""The model that a kept replay learnt; the other one may be a week old."""
FORMAT = 3
AGAIN_AFTER = timedelta(days=7)
Progress = Callable[[str], None]


def facts_of(ws: Workspace, *, now: datetime) -> Facts:
    """The facts as they stand; read from the sources where there are none yet."""
    facts = load_facts(ws.folder / "facts")
    if facts is not None:
        return facts
    with open_warehouse(ws.config) as warehouse:
        return refresh_facts(warehouse, now=now).facts


def touches_of(facts: Facts, *, until: datetime) -> TouchLog:
    """What was sent and what came of it, up to `until`.

    Raises:
        NotFound: the facts hold no messages.
    """
    from primeta.attention.outcomes import touch_log

    if not facts.parts.get("messages"):
        raise NotFound("the workspace has no messages; map [tables.messages] and run doctor")
    with closing(connect()) as connection, plain_errors("reading the workspace's messages"):
        views: dict[str, str] = {}
        for table in ("messages", "reactions", "orders", "visits"):
            files = [str(facts.path(part)) for part in facts.parts.get(table, ())]
            if not files:
                continue
            listed = "[" + ", ".join(quoted(name) for name in files) + "]"
            bought = " WHERE NOT is_return" if table == "orders" else ""
            run(connection, f"CREATE VIEW {table} AS SELECT * FROM read_parquet({listed}){bought}")
            views[table] = table
        return touch_log(connection, until=until, **views)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """A fitted model, when it was fitted, and on which facts."""

    model: CreditModel
    at: datetime
    facts: str


def kept_model(folder: Path, name: str = KEPT) -> KeptModel | None:
    """The model that a workspace's folder keeps; None where there is none that this version reads."""
    from primeta.attention.credit_model import CreditModel

    try:
        body = json.loads((folder / name).read_text(encoding="utf-8"))
        if body["format"] != FORMAT:
            return None
        return KeptModel(
            model=CreditModel.from_dict(body["model"]),
            at=datetime.fromisoformat(body["at"]),
            facts=body["facts"],
        )
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def credit_model(
    ws: Workspace,
    *,
    now: datetime,
    log: TouchLog | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> CreditModel:
    """The model of a workspace: the kept one, or learnt from its messages where it is missing or a week old.

    Args:
        again: Learn it now in any case.
    """
    import numpy as np

    from primeta.attention.credit_features import season_of
    from primeta.attention.credit_fit import fit_credit

    facts = facts_of(ws, now=now)
    kept = None if again else kept_model(ws.folder)
    if kept is not None and (kept.facts == facts.version or now - kept.at < AGAIN_AFTER):
        return kept.model if log is None else kept.model.with_season(season_of(log))
    log = log or touches_of(facts, until=facts.seen_until or now)
    model, _ = fit_credit(log, rng=np.random.default_rng(0), progress=progress)
    _keep(ws.folder / KEPT, model, facts=facts, now=now)
    return model


def model_of_facts(ws: Workspace, *, now: datetime) -> CreditModel | None:
    """The model learnt from exactly today's facts, kept or learnt now: the same facts give the same model.

    None where the facts hold no messages.
    """
    import numpy as np

    from primeta.attention.credit_fit import fit_credit
    from primeta.attention.credit_model import CreditModel

    facts = facts_of(ws, now=now)
    if not facts.parts.get("messages"):
        return None
    for name in (KEPT, OF_FACTS):
        kept = kept_model(ws.folder, name)
        if kept is not None and kept.facts == facts.version:
            return kept.model
    log = touches_of(facts, until=facts.seen_until or now)
    model, _ = fit_credit(log, rng=np.random.default_rng(0))
    _keep(ws.folder / OF_FACTS, model, facts=facts, now=now)
    # As it will be read the next time.
    return CreditModel.from_dict(json.loads(json.dumps(model.as_dict())))


def _keep(path: Path, model: CreditModel, *, facts: Facts, now: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {"format": FORMAT, "at": now.isoformat(), "facts": facts.version, "model": model.as_dict()}
    write_whole(path, json.dumps(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCredit:
    """Credit of one customer on one channel."""

    channel: str
    credit: Credit
    unanswered: int
    alarm: BlindnessAlarm | None = None

    def line(self, lang: str = "en") -> str:
        credit = self.credit
        level = tell(lang, "opted-out" if credit.why_not == "opted-out" else f"level.{credit.level}")
        return tell(
            lang,
            "line",
            channel=self.channel,
            value=locale.percent(credit.value, lang),
            interval=_between(credit, lang),
            level=level,
        )

    def as_dict(self) -> dict[str, Any]:
        credit = self.credit
        return {
            "channel": self.channel,
            "value": credit.value,
            "low": credit.low,
            "high": credit.high,
            "welcome": credit.welcome,
            "drive_away": credit.drive_away,
            "blind": credit.blind,
            "level": credit.level,
            "model": credit.model,
            "touches": credit.touches,
            "unanswered": self.unanswered,
            "rest_days": None if self.alarm is None else self.alarm.rest_days,
            "probe_at": None if self.alarm is None else self.alarm.probe_at,
            "why_not": credit.why_not,
        }


def _between(credit: Credit, lang: str) -> str:
    low, high = (locale.percent(bound, lang, digits=1) for bound in (credit.low, credit.high))
    return f"от {low} до {high}" if lang == "ru" else f"{low} to {high}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCredit:
    """Credit of one customer on every channel on which he was written to."""

    customer: str
    as_of: datetime
    channels: tuple[ChannelCredit, ...]
    used: str
    """`state-space`, `counts`, `beta-binomial`, `prior`."""
    judged: bool
    """Whether the model was held against its rivals."""
    known: bool

    def line(self, lang: str = "en") -> str:
        said = [] if self.known else [tell(lang, "unknown", customer=self.customer)]
        for entry in self.channels:
            said.append(entry.line(lang))
            said += [entry.alarm.line(lang)] if entry.alarm is not None else []
        unjudged = self.used == "state-space" and not self.judged
        said.append(tell(lang, "model.unjudged" if unjudged else f"model.{self.used}"))
        return "\n".join(said)

    def table(self, lang: str = "en") -> Table:
        heads = ("channel", "credit", "interval", "drives", "blind", "unanswered", "level")
        rows = tuple(
            (
                entry.channel,
                locale.percent(entry.credit.value, lang),
                _between(entry.credit, lang),
                locale.percent(entry.credit.drive_away, lang),
                locale.percent(entry.credit.blind, lang, digits=0),
                locale.number(entry.unanswered, lang),
                tell(lang, entry.credit.level),
            )
            for entry in self.channels
        )
        return Table(
            heads=tuple(
                Head(tell(lang, code), "left" if code in ("channel", "level") else "right") for code in heads
            ),
            rows=rows,
            note=self.line(lang),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "customer_id": self.customer,
            "as_of": self.as_of,
            "known": self.known,
            "model": self.used,
            "judged": self.judged,
            "channels": [entry.as_dict() for entry in self.channels],
        }


def alarm_of(
    customer: str, channel: str, *, credit: Credit, unanswered: int, at: datetime
) -> BlindnessAlarm | None:
    """The alarm that credit tells of, in words: until when he rests; None where there is none."""
    from primeta.attention.blindness import BlindnessAlarm

    if credit.rest_until is None:
        return None
    return BlindnessAlarm(
        customer_id=customer,
        channel=channel,
        probability=credit.blind,
        unanswered=unanswered,
        silent_since=None,
        rest_days=max((credit.rest_until - at) / timedelta(days=1), 0.0),
        probe_at=max(credit.rest_until, at),
    )


def events_in(log: TouchLog, customer: int) -> list[CreditEvent]:
    """A customer's touches and what came of them, as events of credit."""
    import numpy as np

    from primeta.attention.credit import CreditEvent
    from primeta.attention.outcomes import time_of

    found: list[CreditEvent] = []
    for row in np.flatnonzero(log.customer == customer).tolist():
        channel, name = log.channels[int(log.channel[row])], str(log.message_id[row])
        sent = float(log.sent[row])
        found.append(
            CreditEvent(
                kind="touch",
                at=time_of(sent),
                channel=channel,
                purpose=PURPOSES[int(log.purpose[row])],
                message_id=name,
            )
        )
        outcomes: tuple[tuple[CreditEventKind, float], ...] = (
            ("welcomed", float(log.welcomed[row])),
            ("drove-away", float(log.drove[row])),
        )
        for kind, delay in outcomes:
            if np.isfinite(delay):
                found.append(
                    CreditEvent(kind=kind, at=time_of(sent + delay), channel=channel, message_id=name)
                )
    return found


def customer_credit(
    ws: Workspace,
    customer: str,
    *,
    now: datetime,
    at: datetime | None = None,
    channel: str = "",
    again: bool = False,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> CustomerCredit:
    """Credit of one customer at `at` (default: now; in a history, its last fact), by what the facts knew by then.

    A customer to whom nothing was sent has the credit of a new one, and that is said.

    Raises:
        NotFound: the workspace has no messages; or this customer was never written to on that channel.
    """

    from primeta.attention.credit import credit_of, state_of
    from primeta.workspace.may_send import policy_in_force

    policy = policy or policy_in_force(ws, now=now)
    facts = facts_of(ws, now=now)
    model = credit_model(ws, now=now, again=again, progress=progress)
    at = at or ((facts.seen_until if ws.config.as_of_facts else None) or now)
    log = touches_of(facts, until=at)
    place = log.customers.index(customer) if customer in log.customers else -1
    events = events_in(log, place) if place >= 0 else []
    state = state_of(events, model=model, until=at) if events else None
    names = sorted(state.channels) if state is not None else []
    if channel and channel not in names and names:
        raise NotFound(f"{customer} was never written to on {channel!r}; he was on {', '.join(names)}")
    if channel:
        names = [channel]
    elif not names:
        names = list(log.channels)
    rows: list[ChannelCredit] = []
    for name in names:
        credit = credit_of(state, model=model, channel=name, at=at, policy=policy)
        own = state.channels.get(name) if state is not None else None
        alarm = alarm_of(customer, name, credit=credit, unanswered=own.unanswered if own else 0, at=at)
        rows.append(
            ChannelCredit(channel=name, credit=credit, unanswered=own.unanswered if own else 0, alarm=alarm)
        )
    return CustomerCredit(
        customer=customer,
        as_of=at,
        channels=tuple(rows),
        used=model.used,
        judged=bool(model.verdict.get("marks")),
        known=state is not None,
    )
