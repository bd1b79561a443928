"""Preferences that a customer set himself: topics, channels, at most so many a week, hours, language."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FIELDS = ("topics", "channels", "max_per_week", "hours", "language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The last word on one field; `value` None: he took it back."""

    at: datetime
    value: Any
    key: str = ""
    """Of the entry."""

    def rank(self, name: str) -> tuple[datetime, float, str, str]:
        """The greater of two holds: the later, at the same moment the stricter."""
        return (
            self.at,
            strictness(name, self.value),
            json.dumps(self.value, ensure_ascii=False, sort_keys=True),
            self.key,
        )


def strictness(name: str, value: Any) -> float:
    """How much a value forbids; only for values of one field set at the same moment."""
    if value is None:
        return -1e9
    if name == "max_per_week":
        return -float(value)
    if name in ("topics", "channels"):
        return -float(len(value))
    if name == "hours":
        return -float((value[1] - value[0]) % 24 or 24)
    return 0.0


def settings_of(
    *, key: str, happened_at: datetime, learnt_at: datetime, payload: Mapping[str, Any]
) -> Iterable[tuple[str, Setting]]:
    """The fields that an entry of kind `preference` sets; those that it does not name stay as they are."""
    for name in FIELDS:
        if name in payload:
            yield name, Setting(at=min(happened_at, learnt_at), value=payload[name], key=key)


def settle(kept: Mapping[str, Setting], name: str, setting: Setting) -> dict[str, Setting]:
    """`kept` with one setting more, whatever the order in which they come."""
    before = kept.get(name)
    if before is not None and before.rank(name) >= setting.rank(name):
        return dict(kept)
    return {**kept, name: setting}
