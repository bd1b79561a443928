"""Attention of the invented workspace: replays as they are kept, of the year and of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from primeta.attention.policy import policy_from, policy_values, seal_of
from primeta.errors import NotFound
from primeta.store.replays import KeptReplay
from primeta.workspace.attention_kept import ReplayState

ATTENTION_VERBS = ("replay_state", "keep_replay", "ask_replay", "kept_replay", "kept_replays")
AT = datetime(2026, 11, 16, 6, tzinfo=UTC)


def draft_document() -> dict[str, Any]:
    """What a stricter cap would have stopped, as `keep_replay` keeps it."""
    return {
        "policy": {
            "sends": 150_948,
            "stopped": 12_310,
            "by_rule": {"cap": 11_020, "quiet-hours": 890, "first-touches": 400},
            "welcomes": {"value": 812.0, "low": 744.0, "high": 880.0},
            "opt_outs": {"value": 64.0, "low": 48.0, "high": 80.0},
            "cost": 615.5,
            "orders": {"value": None, "low": None, "high": None},
            "why_not": "no-lottery",
            "broken": [
                {"promise": "few-offers", "before": 2077, "after": 0},
                {"promise": "four-a-week", "before": 6026, "after": 310},
            ],
            "basis": "observational",
        },
        "promises": [],
        "log": {"sends": 150_948, "withheld": 0, "customers": 2000, "unreadable": 0, "duplicates": 0, "strangers": 0},
    }  # fmt: skip


class FakeAttention:
    """The verbs over records in memory; `empty`: nothing is mapped; `state` may be set to any other."""

    def __init__(self, *, empty: bool = False, document: Mapping[str, Any] | None = None):
        self.drafts: dict[str, KeptReplay] = {}
        self.whole: KeptReplay | None = None
        if not empty and document is not None:
            self.whole = KeptReplay(
                id="r-1", at=AT, by="job", policy=None, seal="s", mark="m", document=document, code="1", seconds=38.0
            )  # fmt: skip
        self.state = ReplayState(
            mapped=not empty,
            promised=not empty,
            kept=self.whole.id if self.whole else "",
            at=AT if self.whole else None,
            stale=False,
        )

    def replay_state(self, *, now: datetime) -> ReplayState:
        return self.state

    def keep_replay(self, *, now: datetime, by: str, draft: str = "", **options: Any) -> KeptReplay:
        done = replace(self.kept_replay(draft=draft), document=draft_document(), at=now, code="1")  # type: ignore[type-var]
        self.drafts[done.id] = done
        return done

    def ask_replay(self, policy: Mapping[str, Any], *, by: str, now: datetime) -> KeptReplay:
        draft = policy_from(policy)
        made = KeptReplay(
            id=f"d-{len(self.drafts) + 1}", at=now, by=by, policy=policy_values(draft), seal=seal_of(draft), mark="m",
            document=None, code="", seconds=0.0,
        )  # fmt: skip
        self.drafts[made.id] = made
        return made

    def kept_replay(self, *, draft: str = "") -> KeptReplay | None:
        if not draft:
            return self.whole
        if draft not in self.drafts:
            raise NotFound(f"there is no replay {draft!r}; it may have been superseded by newer ones")
        return self.drafts[draft]

    def kept_replays(self) -> tuple[KeptReplay, ...]:
        return tuple(reversed(self.drafts.values()))
