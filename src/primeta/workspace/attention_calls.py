"""What of attention needs a person this week: promises broken, wishes that wait, channels that fall silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from primeta.attention.health import Health
    from primeta.workspace.workspace import Workspace

BACK = 3
"""Months over which a channel is held against itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionCalls:
    """Counts of what calls for somebody."""

    broken: int = 0
    """Breaches of promises in the last seven days of the log."""
    wishes: int = 0
    """Found in tickets and replies; marketing to these customers stands still until somebody has looked."""
    silent: tuple[tuple[str, float, float], ...] = ()
    """(channel, share that no longer looked then, and now), where more do than three months before."""

    def __bool__(self) -> bool:
        return bool(self.broken or self.wishes or self.silent)

    def sentences(self, lang: str) -> tuple[tuple[str, str], ...]:
        """(what is said, the page about it)."""
        from primeta.attention.report_words import channel_name, counted, tell
        from primeta.show import locale

        said: list[tuple[str, str]] = []
        if self.broken:
            said.append(
                (
                    tell(lang, "calls.broken", n=counted(self.broken, "times", lang)),
                    "/attention/promises",
                )
            )
        if self.wishes:
            said.append(
                (tell(lang, "calls.wishes", n=locale.number(self.wishes, lang)), "/attention/consents")
            )
        for channel, then, now in self.silent:
            shares = {
                name: locale.percent(share, lang, digits=0) for name, share in (("then", then), ("now", now))
            }
            said.append(
                (tell(lang, "calls.silent", channel=channel_name(channel, lang), **shares), "/attention")
            )
        return tuple(said)

    def as_dict(self) -> dict[str, Any]:
        return {
            "broken": self.broken,
            "wishes": self.wishes,
            "silent": [{"channel": channel, "then": then, "now": now} for channel, then, now in self.silent],
        }


def attention_calls(ws: Workspace, *, now: datetime) -> AttentionCalls | None:
    """None where the workspace has no messages and nobody has a wish; reads the kept replay and the rare entries."""
    from primeta.workspace.attention_kept import reports
    from primeta.workspace.attention_wishes import waiting_wishes

    wishes = len(waiting_wishes(ws, now=now))
    found = reports(ws) if "messages" in ws.config.tables else None
    if found is None and not wishes:
        return None
    return AttentionCalls(
        broken=found.promises.report.broken_week if found else 0,
        wishes=wishes,
        silent=_silent(found.health.health) if found else (),
    )


def _silent(health: Health | None) -> tuple[tuple[str, float, float], ...]:
    from primeta.attention.report import of_channel

    told: list[tuple[str, float, float]] = []
    for channel in health.channels if health else ():
        rows = of_channel(health, channel)
        if len(rows) > BACK and rows[-1].blind_steady.low > rows[-1 - BACK].blind_steady.high:
            told.append((channel, rows[-1 - BACK].blind.value, rows[-1].blind.value))
    return tuple(told)
