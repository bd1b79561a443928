"""Who most probably no longer looks: counted, listed for a campaign tool, and the segments in which fewer look."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.attention.blind_words import tell
from primeta.attention.credit_kept import unpack_all
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.store.attention_state import kept_credits
from primeta.trends.evidence import STRENGTH
from primeta.workspace.files import write_whole

if TYPE_CHECKING:
    from primeta.attention.records import Credit
    from primeta.signals.signal import Signal
    from primeta.workspace.workspace import Workspace

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """One customer on one channel."""

    pseudonym: str
    channel: str
    probability: float
    """Of no longer looking."""
    touches: int
    rest_until: datetime
    """Then one useful message tries whether he looks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindChannel:
    """Of all with whom there is credit on a channel."""

    channel: str
    customers: int
    alarmed: int
    resting: int
    """Of those: their rest is not over."""

    @property
    def share(self) -> float:
        return self.alarmed / self.customers if self.customers else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindBase:
    """All alarms of a workspace as of the credit that is kept."""

    as_of: datetime
    channels: tuple[BlindChannel, ...]
    surest: tuple[Resting, ...]
    segments: tuple[Signal, ...]
    """Signals of the trend loop: where fewer look, and it holds."""
    out: str = ""
    """The file with ids that was written."""
    why_not: str = ""
    """`not-synced`: no credit is kept yet."""

    @property
    def alarmed(self) -> int:
        return sum(entry.alarmed for entry in self.channels)

    def line(self, lang: str = "en") -> str:
        """How many, where, and what to do."""
        if self.why_not:
            return tell(lang, self.why_not)
        said = [
            tell(
                lang,
                "channel",
                channel=entry.channel,
                alarmed=locale.number(entry.alarmed, lang),
                customers=locale.number(entry.customers, lang),
                share=locale.percent(entry.share, lang),
                resting=locale.number(entry.resting, lang),
            )
            for entry in self.channels
        ]
        if self.segments:
            named = locale.listed(
                [locale.slice_name(one.frozen.slice, lang) for one in self.segments[:3]], lang
            )
            said.append(tell(lang, "segments", count=locale.number(len(self.segments), lang), named=named))
        if self.out:
            said.append(tell(lang, "written", file=Path(self.out).name))
        return "\n".join(said)

    def table(self, lang: str = "en") -> Table:
        """The surest, by pseudonyms."""
        heads = ("customer", "on", "blind", "touches", "probe")
        rows = tuple(
            (
                one.pseudonym,
                one.channel,
                locale.percent(one.probability, lang, digits=0),
                locale.number(one.touches, lang),
                locale.day(one.rest_until.date(), lang),
            )
            for one in self.surest
        )
        aligned = {"blind", "touches"}
        return Table(
            heads=tuple(Head(tell(lang, code), "right" if code in aligned else "left") for code in heads),
            rows=rows,
            note=tell(lang, "note"),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of,
            "channels": [
                {
                    "channel": entry.channel,
                    "customers": entry.customers,
                    "alarmed": entry.alarmed,
                    "resting": entry.resting,
                    "share": entry.share,
                }
                for entry in self.channels
            ],
            "surest": [{name: getattr(one, name) for name in Resting.__slots__} for one in self.surest],
            "segments": [
                {
                    "signal": one.id,
                    "slice": one.frozen.slice,
                    "since": one.frozen.since,
                    "grade": one.grade,
                    "observed": one.observed,
                    "expected": one.expected,
                    "e_value": one.e_value,
                }
                for one in self.segments
            ],
            "out": self.out or None,
            "why_not": self.why_not or None,
        }


def blind_base(ws: Workspace, *, now: datetime, out: Path | None = None) -> BlindBase:
    """Everybody of whom the alarm has gone off, by the credit that is kept; nothing is worked out anew.

    Args:
        now: As of; in a history its last fact.
        out: A CSV file to write: customer_id, channel, probability, touches, rest_until; ids are in it and nowhere else.
    """
    from primeta.workspace.may_send import Desk, moment_of

    at = moment_of(ws, now=now)
    desk = Desk(ws, now=now)
    policy = desk.policy
    desk.close()
    customers: dict[str, int] = {}
    alarmed: dict[str, int] = {}
    resting: dict[str, int] = {}
    surest: list[Resting] = []
    text = io.StringIO()
    written = csv.writer(text, lineterminator="\n")
    written.writerow(("customer_id", "channel", "probability", "touches", "rest_until"))
    for customer, pseudonym, channel, credit in _every(ws, policy):
        customers[channel] = customers.get(channel, 0) + 1
        until = credit.rest_until
        if until is None:
            continue
        alarmed[channel] = alarmed.get(channel, 0) + 1
        resting[channel] = resting.get(channel, 0) + (at < until)
        surest.append(
            Resting(
                pseudonym=pseudonym,
                channel=channel,
                probability=credit.blind,
                touches=credit.touches,
                rest_until=until,
            )
        )
        if len(surest) > 50 * SHOWN:
            surest = _first(surest)
        if out is not None:
            written.writerow((customer, channel, f"{credit.blind:.4f}", credit.touches, until.isoformat()))
    if out is not None:
        write_whole(out, text.getvalue())
    segments = sorted(
        (
            one
            for one in ws.signals()
            if one.frozen.origin == "attention"
            and one.frozen.direction == "down"
            and STRENGTH[one.grade] >= STRENGTH["holding"]
        ),
        key=lambda one: (-one.e_value, one.id),
    )
    return BlindBase(
        as_of=at,
        channels=tuple(
            BlindChannel(
                channel=name,
                customers=customers[name],
                alarmed=alarmed.get(name, 0),
                resting=resting.get(name, 0),
            )
            for name in sorted(customers)
        ),
        surest=tuple(_first(surest)),
        segments=tuple(segments),
        out="" if out is None else str(out),
        why_not="" if customers else "not-synced",
    )


def _first(found: list[Resting]) -> list[Resting]:
    return sorted(found, key=lambda one: (-one.probability, one.pseudonym, one.channel))[:SHOWN]


def _every(ws: Workspace, policy: Any) -> Iterator[tuple[str, str, str, Credit]]:
    last = ""
    while True:
        with ws.database.read() as connection:
            rows = kept_credits(connection, after=last)
        if not rows:
            return
        last = rows[-1][0]
        for customer, pseudonym, kept in rows:
            if kept is not None:
                for channel, credit in unpack_all(kept, policy=policy).items():
                    if not credit.why_not:
                        yield customer, pseudonym, channel, credit
