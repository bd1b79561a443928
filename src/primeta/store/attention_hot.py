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
from primeta.attention.fold import FEW, MOST, RECENT, CustomerState
from primeta.store.attention_state import EPOCH, FORMAT

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
    p: msgspec.Raw = msgspec.Raw()
    w: msgspec.Raw = msgspec.Raw()
    o: msgspec.Raw = msgspec.Raw()
    b: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Kept).decode


class LeanTouch(msgspec.Struct, array_like=True, gc=False):
    """As much of a touch as caps and first touches look at."""

    us: int
    message_id: str
    channel: str
    purpose: str


class LeanMark(msgspec.Struct, array_like=True, gc=False):
    """As much of a consent as tells whether it holds."""

    at: int
    effective: int
    state: str


class LeanSlot(msgspec.Struct, array_like=True, gc=False):
    processing: str
    channel: str
    controller: str
    given: list[LeanMark]
    no: LeanMark | None


class Lean(msgspec.Struct, gc=False):
    """What `attention.quick` looks at; of who has more than this, `simple` is false."""

    f: int
    a: int
    c: list[LeanSlot] = []
    t: msgspec.Raw = msgspec.Raw(b"[]")
    r: list[LeanTouch] | None = None
    s: msgspec.Raw = msgspec.Raw()
    p: msgspec.Raw = msgspec.Raw()
    w: msgspec.Raw = msgspec.Raw()
    o: msgspec.Raw = msgspec.Raw()
    b: msgspec.Raw = msgspec.Raw()

    @property
    def simple(self) -> bool:
        """Consents and touches and nothing else."""
        return self.f == FORMAT and not (self.s or self.p or self.w or self.o or self.b)

    def first(self) -> list[LeanTouch]:
        return _touches(self.t)

    def short_of(self, since: int) -> bool:
        """Whether the state has forgotten messages later than this (microseconds since 1970)."""
        recent = self.r
        if recent is None or recent[0].us <= since:
            return False
        return _forgot(self.a, since, recent) and self.first()[0].message_id != recent[0].message_id


_touches = msgspec.json.Decoder(list[LeanTouch]).decode
_lean = msgspec.json.Decoder(Lean).decode


def lean_state(kept: bytes) -> Lean | None:
    """A kept state as the quick rules take it; None: it is of another form."""
    try:
        return _lean(kept)
    except msgspec.ValidationError:
        return None


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


_RECENT_US = RECENT // _US


def _forgot(as_of: int, since: int, recent: list[_Touch] | list[LeanTouch]) -> bool:
    return since < as_of - _RECENT_US or len(recent) >= MOST


def forgotten_since(state: CustomerState, since: datetime) -> bool:
    """Whether a whole state has forgotten messages later than this: it keeps those of 35 days, and at most 256."""
    recent, first = state.touches, state.first_touches
    if len(first) < FEW or recent[0].at <= since or recent[0].message_id == first[0].message_id:
        return False
    return since < state.as_of - RECENT or len(recent) >= MOST


def hot_state(kept: bytes, *, channel: str, since: datetime, first_useful: int) -> CustomerState | None:
    """The state as it bears on a question; None: it is to be unpacked whole.

    Args:
        channel: Of the question; consents for other channels are left out. Empty: all are made.
        since: Touches before are left out, but for the first few.
        first_useful: How many touches other than service matter beyond that.
    """
    try:
        told = _decode(kept)
    except msgspec.ValidationError:
        return None
    if told.f != FORMAT or told.p or told.w or told.o or told.b:
        return None
    cutoff = (since - EPOCH) // _US
    recent = told.t if told.r is None else told.r
    if (
        told.r is not None
        and recent[0].us > cutoff
        and _forgot(told.a, cutoff, recent)
        and told.t[0].message_id != recent[0].message_id
    ):
        return None
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
