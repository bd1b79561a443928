"""The last step of the demo: one trend is answered, so that the whole loop can be seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from primeta.show.messages import say
from primeta.trends.records import Decision

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

WHO = "Primeta demo"
LOOK_AGAIN = timedelta(weeks=8)


def decide_one(ws: Workspace, *, now: datetime) -> Decision | None:
    """Observe the trend with the least money at stake; the others wait for the reader.

    Nothing is decided where a decision was taken before, or where nothing waits.
    """
    waiting = ws.overview(now=now).waiting
    if not waiting or any(trend.decisions for trend in ws.trends()):
        return None
    trend = waiting[-1]
    lang = "ru" if ws.config.language == "ru" else "en"
    return ws.decide(
        trend.id,
        answer="observe",
        criteria=say(lang, "It goes on: 3 of the next 4 weeks beyond the smallest effect"),
        due=ws.day(now) + LOOK_AGAIN,
        owner=WHO,
        by=WHO,
        now=now,
        reason=say(lang, "An example of a decision, taken by the demo; change it or take another"),
    )
