"""As much of a kept state as one question needs, unpacked in microseconds.

Most customers have consents and touches and nothing else: of those, only the consents that speak of the channel are
made, and only the touches that still count. Whoever has wishes, preferences, promises of his own or broken promises
is unpacked whole. Rules see no difference (a test asks both).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from primeta.attention.consents import Slot
from primeta.attention.fold import CustomerState
from primeta.store.attention_state import EPOCH, FORMAT, unpack

_US = timedelta(microseconds=1)


class _Touch(msgspec.Struct, array_like=True, gc=False):
    us: int
    message_id: str
    channel: str
    purpose: str
    campaign: str
    programme: str


class _Mark(msgspec.Struct, array_like=True, gc=False):
    at: int
    effective: int
    state: str
    proven: bool
    basis: str
    version: str
    text_hash: str
    surface: str
    key: str


class _Slot(msgspec.Struct, array_like=True, gc=False):
    processing: str
    channel: str
    controller: str
    given: list[_Mark]
    no: _Mark | None
    claim: _Mark | None


class _Kept(msgspec.Struct, gc=False):
    f: int
    i: str
    a: int
    c: list[_Slot] = []
    t: list[_Touch] = []
    r: list[_Touch] | None = None
    s: int | None = None
    p: msgspec.Raw | None = None
    w: msgspec.Raw | None = None
    o: msgspec.Raw | None = None
    b: msgspec.Raw | None = None


_decode = msgspec.json.Decoder(_Kept).decode


class HotMark(NamedTuple):
    """`consents.Mark` as far as rules look at it; compares alike."""

    at: datetime
    effective: datetime
    state: str
    proven: bool
    basis: str
    version: str
    text_hash: str
    surface: str
    key: str


class HotTouch(NamedTuple):
    """`fold.SeenTouch`; compares alike."""

    at: datetime
    message_id: str
    channel: str
    purpose: str
    campaign: str
    programme: str


def hot_state(kept: bytes, *, channel: str, since: datetime, first_useful: int) -> CustomerState:
    """The state as it bears on a question.

    Args:
        channel: Of the question; consents for other channels are left out. Empty: all are made.
        since: Touches before are left out, but for the first few.
        first_useful: How many touches other than service matter beyond that.
    """
    try:
        told = _decode(kept)
    except msgspec.ValidationError:
        return unpack(kept)
    if told.f != FORMAT or told.p is not None or told.w or told.o or told.b:
        return unpack(kept)
    recent = told.t if told.r is None else told.r
    first: list[HotTouch] = []
    need = first_useful
    for touch in told.t:
        if need <= 0:
            break
        if touch.purpose != "service":
            first.append(_touch(touch))
            need -= 1
    if need > 0 and told.r is not None:
        # His first ones may all have been service: then later ones make up the number.
        seen = {touch.message_id for touch in first}
        for touch in told.r:
            if touch.purpose != "service" and touch.message_id not in seen:
                first.append(_touch(touch))
                need -= 1
                if need <= 0:
                    break
    cutoff = (since - EPOCH) // _US
    return CustomerState(
        customer_id=told.i,
        as_of=_at(told.a),
        consents={
            (slot.processing, slot.channel, slot.controller): Slot(
                given=tuple([_mark(mark) for mark in slot.given]),  # type: ignore[arg-type]
                no=None if slot.no is None else _mark(slot.no),  # type: ignore[arg-type]
                claim=None if slot.claim is None else _mark(slot.claim),  # type: ignore[arg-type]
            )
            for slot in told.c
            if not channel or slot.channel == channel or not slot.channel or told.s is not None
        },
        suppressed_at=None if told.s is None else _at(told.s),
        first_touches=tuple(first),  # type: ignore[arg-type]
        touches=tuple([_touch(touch) for touch in recent if touch.us > cutoff]),  # type: ignore[arg-type]
    )


def _at(us: int) -> datetime:
    return EPOCH + timedelta(0, 0, us)


def _touch(touch: _Touch) -> HotTouch:
    return HotTouch(
        EPOCH + timedelta(0, 0, touch.us),
        touch.message_id,
        touch.channel,
        touch.purpose,
        touch.campaign,
        touch.programme,
    )


def _mark(mark: _Mark) -> HotMark:
    return HotMark(
        EPOCH + timedelta(0, 0, mark.at),
        EPOCH + timedelta(0, 0, mark.effective),
        mark.state,
        mark.proven,
        mark.basis,
        mark.version,
        mark.text_hash,
        mark.surface,
        mark.key,
    )
