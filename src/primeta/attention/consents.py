"""Consents: what one entry says, which of several holds, and for what a consent is never inferred.

Rules, each on the safe side:
- Only an explicit entry of kind `consent` with state `given` and its own proof gives. Clicks, orders, silence and
  claims without proof give nothing.
- An opt-out wins over every consent that is not later than it; at the same moment the opt-out wins.
- An opt-out of one channel is lifted only by a later consent for that channel; an opt-out of all channels by any
  later one. A consent that is older, however late it arrives, lifts nothing.
- What is dated after the moment at which it was learnt cannot have happened then: a consent counts, in the order of
  things, as of when it was learnt, and is in force only from its date; an opt-out is in force at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from primeta.attention.records import PROCESSINGS, ConsentState

OPT_OUTS = ("unsubscribed", "complained")
"""Reactions that take marketing consent back, on their channel or, where that is not told, on all."""
_LIKE_OPT_OUT = re.compile(r"unsub|opt.?out|complain|spam|abuse|stop|block", re.IGNORECASE)
OBJECTABLE = ("marketing", "personalisation", "profiling")
"""What an opt-out of a processing that Primeta does not know takes back, to be safe: all but service."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Mark:
    """One consent or opt-out as it counts; the greater of two is the one that holds."""

    at: datetime
    """Its place in the order of things: of a consent, when it happened but not after it was learnt."""
    effective: datetime
    """From when it is in force."""
    state: ConsentState
    proven: bool
    basis: str = "consent"
    version: str = ""
    text_hash: str = ""
    surface: str = ""
    key: str = ""
    """Of the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """All that counts of one processing × channel × controller: the latest of each sort, and consents to come."""

    given: tuple[Mark, ...] = ()
    """With proof: the latest in force, then those that are not in force yet."""
    no: Mark | None = None
    """The latest opt-out, refusal or "never asked"."""
    claim: Mark | None = None
    """The latest consent without proof: it gives nothing."""

    def with_mark(self, mark: Mark, *, until: datetime) -> Slot:
        """With one mark more; the order in which marks come does not matter.

        Args:
            until: Up to when the past is settled: of what was in force by then only the latest is kept.
        """
        if mark.state != "given":
            return Slot(
                given=self.given, no=mark if self.no is None else max(self.no, mark), claim=self.claim
            )
        if not mark.proven:
            return Slot(
                given=self.given, no=self.no, claim=mark if self.claim is None else max(self.claim, mark)
            )
        return Slot(given=(*self.given, mark), no=self.no, claim=self.claim).settled(until)

    def settled(self, until: datetime) -> Slot:
        if len(self.given) < 2:
            return self
        past = [mark for mark in self.given if mark.effective <= until]
        kept = {mark for mark in self.given if mark.effective > until} | ({max(past)} if past else set())
        return Slot(given=tuple(sorted(kept)), no=self.no, claim=self.claim)

    def yes(self, at: datetime) -> Mark | None:
        """The latest consent with proof that is in force at this moment."""
        return max((mark for mark in self.given if mark.effective <= at), default=None)

    def refusal(self, at: datetime) -> Mark | None:
        return self.no if self.no is not None and self.no.effective <= at else None


SlotKey = tuple[str, str, str]
"""Processing, channel (empty: all), controller (empty: the workspace's own, or any)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a consent holds now, and by what."""

    state: ConsentState
    """`never` where nobody asked or nothing is proven."""
    mark: Mark | None = None
    """What decided."""
    channel: str = ""
    """Of what decided; empty: all channels."""
    claimed: bool = False
    """There is a consent without proof."""

    @property
    def given(self) -> bool:
        return self.state == "given"


def standing(
    slots: Mapping[SlotKey, Slot], *, processing: str, channel: str, at: datetime, controller: str = ""
) -> Standing:
    """Whether consent to a processing on a channel holds at a moment, by the rules at the top of this file."""
    yes: dict[str, Mark] = {}
    no: dict[str, Mark] = {}
    claimed = False
    for (of, where, who), slot in slots.items():
        if of != processing or where not in ("", channel) or (controller and who not in ("", controller)):
            continue
        given, refused = slot.yes(at), slot.refusal(at)
        if given is not None and (where not in yes or given > yes[where]):
            yes[where] = given
        if refused is not None and (where not in no or refused > no[where]):
            no[where] = refused
        claimed = claimed or slot.claim is not None
    here = yes.get(channel)
    refused_here, refused_all = no.get(channel), no.get("")
    if here is not None and _later(here, refused_here) and _later(here, refused_all):
        return Standing(state="given", mark=here, channel=channel, claimed=claimed)
    everywhere = yes.get("")
    reopened = refused_here is None or (here is not None and _later(here, refused_here))
    if everywhere is not None and _later(everywhere, refused_all) and reopened:
        return Standing(state="given", mark=everywhere, claimed=claimed)
    against = [(mark, where) for where, mark in no.items()]
    if against:
        mark, where = max(against)
        return Standing(state=mark.state, mark=mark, channel=where, claimed=claimed)
    return Standing(state="never", claimed=claimed)


def _later(given: Mark, refused: Mark | None) -> bool:
    return refused is None or given.at > refused.at


def marks_of(
    *, kind: str, key: str, happened_at: datetime, learnt_at: datetime, payload: Mapping[str, Any]
) -> Iterable[tuple[SlotKey, Mark]]:
    """What an entry of kind `consent`, `reaction` or `suppressed` says about consents; nothing for all others."""
    earliest = min(happened_at, learnt_at)
    if kind == "consent":
        processing, channel = str(payload.get("processing", "")), str(payload.get("channel") or "")
        controller, state = str(payload.get("controller") or ""), str(payload.get("state", ""))
        known = processing in PROCESSINGS
        if state == "given":
            if known:
                mark = Mark(
                    at=earliest,
                    effective=happened_at,
                    state="given",
                    proven=proven(payload) or accepted(payload),
                    basis=str(payload.get("legal_basis") or "consent"),
                    version=str(payload.get("version") or ""),
                    text_hash=str(payload.get("text_hash") or ""),
                    surface=str(payload.get("surface") or ""),
                    key=key,
                )
                yield (processing, channel, controller), mark
            return
        refusal: ConsentState = (
            "refused" if state == "refused" else "never" if state == "never" else "withdrawn"
        )
        mark = Mark(
            at=happened_at,
            effective=earliest,
            state=refusal,
            proven=True,
            surface=str(payload.get("surface") or ""),
            key=key,
        )
        for of in (processing,) if known else OBJECTABLE:
            yield (of, channel, controller), mark
    elif kind == "reaction" and is_opt_out(payload):
        mark = Mark(
            at=happened_at, effective=earliest, state="withdrawn", proven=True, surface="reaction", key=key
        )
        yield ("marketing", str(payload.get("channel") or ""), ""), mark
    elif kind == "suppressed":
        mark = Mark(
            at=happened_at, effective=earliest, state="withdrawn", proven=True, surface="suppressed", key=key
        )
        for of in OBJECTABLE:
            yield (of, "", ""), mark


def is_opt_out(payload: Mapping[str, Any]) -> bool:
    """Whether a reaction takes consent back; a kind that Primeta does not know does where it sounds so."""
    kind = str(payload.get("kind", ""))
    return kind in OPT_OUTS or (bool(payload.get("unverifiable")) and bool(_LIKE_OPT_OUT.search(kind)))


def proven(payload: Mapping[str, Any]) -> bool:
    """Whether a consent carries its proof: the text as shown (or its hash), where it was shown, and when."""
    shown = payload.get("text") or payload.get("text_hash")
    return bool(shown and payload.get("surface") and not payload.get("unverifiable"))


def accepted(payload: Mapping[str, Any]) -> bool:
    """Whether a named person took it upon himself, with a reason, that this consent counts without proof."""
    named = payload.get("accepted_by") and payload.get("accepted_reason")
    return bool(named and not payload.get("unverifiable"))
