"""How far consents reach: by channel with proof, without, withdrawn, never; by text; contradictions; writing without.

Counted over the states of customers, a state at a time; the sums of parts are the sums of the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from primeta.attention.consents import Mark, Slot, SlotKey, standing

REACHES = ("proven", "accepted", "claimed", "withdrawn", "never")
"""Consent with proof; on the word of a named person; without proof, so it allows nothing; taken back or refused; never
given, or nobody asked."""
LOOKS_BACK = timedelta(days=35)
"""Messages so far back are kept one by one in every state."""
ELSEWHERE = "\0"
"""Stands for every channel that a customer has nothing of his own for."""
MOST_TEXTS = 200
TouchSeen = tuple[datetime, str, str]
"""When, channel, purpose."""


@dataclass(slots=True)
class ConsentCounts:
    """Counted up customer by customer; consents to marketing."""

    at: datetime
    customers: int = 0
    reaches: Counter[tuple[tuple[tuple[str, str], ...], str]] = field(default_factory=Counter)
    """(reach on each channel of his own, reach elsewhere) → customers."""
    texts: dict[tuple[str, str, str], list[Any]] = field(default_factory=dict)
    """Version, surface, hash of the text → [customers, first month, last month]."""
    months: dict[str, list[int]] = field(default_factory=dict)
    """Month → [consents with proof that hold, opt-outs that hold], by when they happened."""
    same_moment: int = 0
    """Customers of whom a consent and an opt-out are told for the same moment: the opt-out holds."""
    claimed_after: int = 0
    """… who opted out, and of whom a later consent is claimed without proof: the opt-out holds."""
    to_come: int = 0
    """… with a consent dated later than today."""
    written_without: int = 0
    """Customers who got marketing in the last 35 days though no consent with proof was ever given."""
    written_after: int = 0
    """… though they had taken it back before."""
    messages_without: int = 0
    """Messages of both."""

    def add(self, consents: Mapping[SlotKey, Slot], touches: Iterable[TouchSeen]) -> None:
        """One more customer.

        Args:
            touches: Messages that reached him, those of the last 35 days at least.
        """
        self.customers += 1
        slots = {where: slot for where, slot in consents.items() if where[0] == "marketing"}
        own = sorted({channel for _, channel, _ in slots if channel})
        reached: dict[str, str] = {}
        marks: set[Mark] = set()
        against: set[Mark] = set()
        for channel in (*own, ELSEWHERE):
            found = standing(slots, processing="marketing", channel=channel, at=self.at)
            if found.given and found.mark is not None:
                marks.add(found.mark)
                reached[channel] = "proven" if found.mark.text_hash else "accepted"
            elif found.state in ("withdrawn", "refused"):
                reached[channel] = "withdrawn"
                if found.mark is not None:
                    against.add(found.mark)
            else:
                reached[channel] = "claimed" if found.claimed else "never"
        elsewhere = reached.pop(ELSEWHERE)
        self.reaches[(tuple(sorted(reached.items())), elsewhere)] += 1
        for mark in marks:
            month = f"{mark.at:%Y-%m}"
            kept = self.texts.setdefault((mark.version, mark.surface, mark.text_hash), [0, month, month])
            kept[0] += 1
            kept[1], kept[2] = min(kept[1], month), max(kept[2], month)
            self.months.setdefault(month, [0, 0])[0] += 1
        for mark in against:
            self.months.setdefault(f"{mark.at:%Y-%m}", [0, 0])[1] += 1
        self._contradictions(slots)
        self._written(slots, touches, {**reached, ELSEWHERE: elsewhere})

    def _contradictions(self, slots: Mapping[SlotKey, Slot]) -> None:
        same = after = to_come = False
        for slot in slots.values():
            same = same or (slot.no is not None and any(mark.at == slot.no.at for mark in slot.given))
            after = after or (slot.no is not None and slot.claim is not None and slot.claim.at > slot.no.at)
            to_come = to_come or any(mark.effective > self.at for mark in slot.given)
        self.same_moment += same
        self.claimed_after += after
        self.to_come += to_come

    def _written(
        self, slots: Mapping[SlotKey, Slot], touches: Iterable[TouchSeen], reached: Mapping[str, str]
    ) -> None:
        """A consent that came later hides nothing and proves nothing: such messages are not counted."""
        if all(reach in ("proven", "accepted") for reach in reached.values()):
            return
        without = after = 0
        ever: dict[str, bool] = {}
        for at, channel, purpose in touches:
            if purpose == "service" or not self.at - LOOKS_BACK < at <= self.at:
                continue
            if channel not in ever:
                ever[channel] = any(
                    slot.given for (_, where, _), slot in slots.items() if where in ("", channel)
                )
            if not ever[channel]:
                without += 1
                continue
            reach = reached.get(channel, reached[ELSEWHERE])
            if reach == "withdrawn":
                against = [
                    slot.no
                    for (_, where, _), slot in slots.items()
                    if where in ("", channel) and slot.no is not None
                ]
                after += (
                    bool(against)
                    and min(mark.effective for mark in against) < at
                    and not any(
                        mark.effective <= at and all(mark.at > no.at for no in against)
                        for (_, where, _), slot in slots.items()
                        if where in ("", channel)
                        for mark in slot.given
                    )
                )
        self.written_without += bool(without)
        self.written_after += bool(after)
        self.messages_without += without + after

    def as_dict(self, channels: Iterable[str] = ()) -> dict[str, Any]:
        """What is kept.

        Args:
            channels: Others that are written to, beside those that consents name.
        """
        named = set(channels) | {channel for own, _ in self.reaches for channel, _ in own}
        by_channel: list[dict[str, Any]] = []
        for channel in sorted(named - {""}):
            counts: dict[str, int] = dict.fromkeys(REACHES, 0)
            for (own, elsewhere), customers in self.reaches.items():
                counts[dict(own).get(channel, elsewhere)] += customers
            by_channel.append({"channel": channel, **counts})
        texts = sorted(self.texts.items(), key=lambda entry: (-entry[1][0], entry[0]))
        return {
            "customers": self.customers,
            "channels": by_channel,
            "texts": [
                {
                    "version": version,
                    "surface": surface,
                    "text_hash": shown,
                    "customers": customers,
                    "first": first,
                    "last": last,
                }
                for (version, surface, shown), (customers, first, last) in texts[:MOST_TEXTS]
            ],
            "months": [
                {"month": month, "given": given, "withdrawn": withdrawn}
                for month, (given, withdrawn) in sorted(self.months.items())
            ],
            "same_moment": self.same_moment,
            "claimed_after": self.claimed_after,
            "to_come": self.to_come,
            "written_without": self.written_without,
            "written_after": self.written_after,
            "messages_without": self.messages_without,
        }
