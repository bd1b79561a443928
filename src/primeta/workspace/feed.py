"""`calendar`: the feed of due reviews and of the ends of experiments, and the secret in its address."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from primeta.delivery.calendar import Entry, feed
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.messages import word
from primeta.store.deliveries import Feed, load_feed, make_feed
from primeta.workspace.deliver_words import tell

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

NAME = "reviews"
SHOWN = timedelta(days=366)
"""An older day is history; calendars need not carry it."""


def calendar_feed(ws: Workspace, *, now: datetime, language: str = "") -> bytes:
    """The feed as a file of a calendar (RFC 5545), in the reader's language."""
    lang: Language = "ru" if (language or ws.config.language) == "ru" else "en"
    kept = _feed(ws, now=now, by="primeta")
    return feed(
        calendar_entries(ws, now=now, lang=lang),
        name=tell(lang, "calendar", name=ws.config.name),
        feed_id=kept.id,
    )


def calendar_entries(ws: Workspace, *, now: datetime, lang: Language) -> tuple[Entry, ...]:
    """Days of the feed: the review of each decision that stands, the end of each experiment that goes on."""
    there = ws.in_language(lang)
    oldest = ws.day(now) - SHOWN
    found: list[Entry] = []
    for trend in there.trends():
        decision = trend.decision
        if decision is None or decision.due < oldest:
            continue
        lines = [
            tell(lang, "answer-line", answer=word(lang, decision.answer)),
            tell(lang, "criteria-line", criteria=decision.criteria),
            tell(lang, "owner-line", owner=decision.owner),
        ]
        edited = [event.at for event in trend.history if event.kind == "card"]
        found.append(
            Entry(
                kind="review",
                id=trend.id,
                day=decision.due,
                title=tell(lang, "review-day", name=trend.card.name),
                text="\n".join(lines),
                # Either a new decision or a new version of the card changes the entry; both only add up.
                sequence=len(trend.decisions) - 1 + trend.version - 1,
                changed_at=max([decision.decided_at, *edited]),
            )
        )
    for view in there.experiments(now=now):
        if view.status not in ("running", "ended") or view.plan.ends < oldest:
            continue
        known = view.plan.ends + timedelta(days=view.plan.primary.window_days)
        lines = [
            tell(lang, "hypothesis-line", hypothesis=view.plan.hypothesis),
            tell(lang, "result-line", day=locale.day(known, lang)),
            tell(lang, "owner-line", owner=view.plan.owner),
        ]
        version = next((entry for entry in view.versions if entry.version == view.version), None)
        found.append(
            Entry(
                kind="experiment",
                id=view.name,
                day=view.plan.ends,
                title=tell(lang, "experiment-day", name=view.name),
                text="\n".join(lines),
                sequence=view.version - 1,
                changed_at=version.at if version else view.created_at,
            )
        )
    return tuple(found)


def calendar_token(ws: Workspace, *, now: datetime, by: str, new: bool = False) -> str:
    """The secret in the feed's address; `new` makes another, and the old address answers no more."""
    if new:
        with ws.database.write() as connection:
            return make_feed(connection, NAME, by=by, now=now).token
    return _feed(ws, now=now, by=by).token


def is_calendar_token(ws: Workspace, token: str) -> bool:
    """Whether a token is the feed's; takes as long for a wrong one as for the right one."""
    with ws.database.read() as connection:
        kept = load_feed(connection, NAME)
    known = kept.token if kept else ""
    return bool(known) and hmac.compare_digest(known.encode(), token.encode())


def _feed(ws: Workspace, *, now: datetime, by: str) -> Feed:
    with ws.database.read() as connection:
        kept = load_feed(connection, NAME)
    if kept is not None:
        return kept
    with ws.database.write() as connection:
        # Another process may have made it meanwhile.
        return load_feed(connection, NAME) or make_feed(connection, NAME, by=by, now=now)
