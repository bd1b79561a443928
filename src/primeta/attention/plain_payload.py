"""Touches and reactions as tables tell them, recognised at a glance: most of a ledger is such, and needs no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from primeta.attention.ledger import LONGEST_PAYLOAD, whole_text
from primeta.attention.records import PURPOSES, ReactionKind

_MESSAGE = {"message_id": str, "channel": str, "purpose": str, "campaign": str, "programme": str, "team": str}
_SHAPES: dict[str, dict[str, type]] = {
    "touch": {
        **_MESSAGE, "title": str, "text": str, "cost": float, "probability": float, "withheld": bool, "personal": bool,
    },
    "reaction": {**_MESSAGE, "kind": str, "surface": str, "machine": bool},
}  # fmt: skip
_PURPOSES = frozenset(PURPOSES)
_REACTIONS = frozenset(get_args(ReactionKind))


def is_in_order(kind: str, payload: Mapping[str, Any]) -> bool:
    """Whether `attention.ledger.checked_payload` would hand back this payload as it is; False: ask it."""
    shape = _SHAPES.get(kind)
    if shape is None or type(payload) is not dict:
        return False
    letters = 0
    for name, value in payload.items():
        expected = shape.get(name)
        if type(value) is not expected:
            return False
        if expected is str:
            letters += len(value)
            if not value.isascii() and whole_text(value) != value:
                return False
        elif expected is float and value - value != 0:
            return False
    channel = payload.get("channel", "")
    if letters > LONGEST_PAYLOAD or channel != channel.strip().lower():
        return False
    if kind == "reaction":
        return "message_id" in payload and payload.get("kind") in _REACTIONS
    return bool(payload.get("message_id") and channel) and payload.get("purpose") in _PURPOSES
