"""Credit of one customer on one channel over time: before each message, with its interval and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from primeta.attention.credit import CreditEvent, credit_of, in_order, new_state, predict, update
from primeta.attention.credit_model import CreditModel
from primeta.attention.credit_words import tell
from primeta.attention.outcomes import WITHIN
from primeta.attention.records import Policy, Purpose
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table

Came = Literal["welcomed", "silent", "drove-away", "open"]
"""Of a message; `open`: its 72 hours are not over."""


def between(low: float, high: float, lang: str) -> str:
    """`1.0% to 4.0%`, `от 1,0% до 4,0%`."""
    first, last = (locale.percent(bound, lang, digits=1) for bound in (low, high))
    return f"от {first} до {last}" if lang == "ru" else f"{first} to {last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPoint:
    """Just before one message, or at the end."""

    at: datetime
    value: float
    """Probability that a useful message were welcomed then and did not drive away."""
    low: float
    high: float
    blind: float
    purpose: Purpose | Literal[""]
    """Of the message that followed; empty at the end."""
    message_id: str
    came: Came


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditHistory:
    """Oldest first; the last point is the end, where nothing is sent."""

    channel: str
    points: tuple[CreditPoint, ...]

    def line(self, lang: str = "en") -> str:
        """Where credit stood at the beginning and where it stands now."""
        if not self.points:
            return tell(lang, "history.none", channel=self.channel)
        first, last = self.points[0], self.points[-1]
        return tell(
            lang,
            "history",
            channel=self.channel,
            first=locale.percent(first.value, lang),
            last=locale.percent(last.value, lang),
            interval=between(last.low, last.high, lang),
            messages=locale.number(len(self.points) - 1, lang),
            welcomed=locale.number(sum(point.came == "welcomed" for point in self.points), lang),
        )

    def table(self, lang: str = "en") -> Table:
        """One row a message, the newest first."""
        heads = ("at", "purpose", "credit", "interval", "blind", "came")
        rows = tuple(
            (
                locale.day(point.at.date(), lang),
                tell(lang, f"purpose.{point.purpose}"),
                locale.percent(point.value, lang),
                between(point.low, point.high, lang),
                locale.percent(point.blind, lang, digits=0),
                tell(lang, f"came.{point.came}"),
            )
            for point in reversed(self.points)
            if point.purpose
        )
        aligned = {"credit", "interval", "blind"}
        return Table(
            heads=tuple(Head(tell(lang, code), "right" if code in aligned else "left") for code in heads),
            rows=rows,
            note=self.line(lang),
        )

    def picture(self, lang: str = "en") -> Picture:
        """A line with its 95% band; a dot on it for each message that was welcomed, a cross for each opt-out."""
        from primeta.attention.credit_picture import history_picture

        return history_picture(self, "ru" if lang == "ru" else "en")

    def as_dict(self) -> dict[str, Any]:
        return {
            "channel": self.channel,
            "points": [
                {name: getattr(point, name) for name in CreditPoint.__slots__} for point in self.points
            ],
        }


def credit_history(
    events: Iterable[CreditEvent],
    *,
    model: CreditModel,
    channel: str,
    until: datetime,
    policy: Policy | None = None,
    most: int = 400,
) -> CreditHistory:
    """What was known before each message: nothing of it was learnt later.

    Args:
        events: Of one customer on all channels, any order, each as often as it comes.
        until: The end.
        most: Points at most, the latest; a customer's page needs no more.
    """
    told = in_order(events, until=until)
    welcomed = {event.message_id for event in told if event.kind == "welcomed"}
    left = {event.message_id for event in told if event.kind == "drove-away"}
    ours = [event for event in told if event.kind == "touch" and event.channel == channel]
    drawn = {event.message_id for event in ours[-most:]}
    state = new_state(at=told[0].at if told else until)
    points: list[CreditPoint] = []
    for event in told:
        if event.kind == "touch" and event.channel == channel and event.message_id in drawn:
            seen = predict(state, model=model, channel=channel, purpose="useful", at=event.at)
            came: Came = (
                "drove-away"
                if event.message_id in left
                else "welcomed"
                if event.message_id in welcomed
                else "silent"
                if event.at + WITHIN <= until
                else "open"
            )
            points.append(
                CreditPoint(
                    at=event.at,
                    value=seen.value,
                    low=seen.low,
                    high=seen.high,
                    blind=seen.blind,
                    purpose=event.purpose,
                    message_id=event.message_id,
                    came=came,
                )
            )
        after = update(state, event, model=model)
        state = state if after is None else after
    if points:
        now = credit_of(state, model=model, channel=channel, at=until, policy=policy or Policy())
        points.append(
            CreditPoint(
                at=until,
                value=now.value,
                low=now.low,
                high=now.high,
                blind=now.blind,
                purpose="",
                message_id="",
                came="open",
            )
        )
    return CreditHistory(channel=channel, points=tuple(points))
