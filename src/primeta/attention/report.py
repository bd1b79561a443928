"""A replay as it is kept: counts, shares with their intervals and a few examples; never every breach."""

from __future__ import annotations

from typing import Any

from primeta.attention.replay_result import AttentionReplay


def report_of(found: AttentionReplay) -> dict[str, Any]:
    """The document that the pages of attention read."""
    return {**found.rest(), "promises": [entry.as_dict() for entry in found.promises]}
