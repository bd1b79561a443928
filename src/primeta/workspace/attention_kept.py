"""The year held against promises and credit, worked out by a job and kept: what the pages of attention read.

A draft policy is kept under an id of its own, replayed by the job `attention-draft`, and its answer kept beside it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from primeta.attention.policy import policy_from, policy_values, seal_of
from primeta.attention.replay import code_version
from primeta.errors import BadInput
from primeta.show.result import plain
from primeta.store.codec import from_json, to_json
from primeta.store.erasure import last_erasure
from primeta.store.replays import (
    KeptReplay,
    load_drafts,
    load_replay,
    newest_mark,
    newest_replay,
    save_replay,
)
from primeta.store.schema import jobs
from primeta.warehouse.facts_store import load_facts
from primeta.workspace.attention_credit import model_of_facts
from primeta.workspace.attention_replay import replay_workspace
from primeta.workspace.may_send import policy_in_force, promises_in_force

if TYPE_CHECKING:
    from primeta.attention.report import CampaignsReport, HealthReport, PromisesReport
    from primeta.workspace.workspace import Workspace

JOB = "attention"
"""Kind of the job that works the year out."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayState:
    """What the pages know before they read the document."""

    mapped: bool
    """Whether there is a table of messages."""
    promised: bool
    """Whether promises are named."""
    kept: str
    """Id of the replay that is kept; empty: none yet."""
    at: datetime | None
    stale: bool
    """Whether facts, promises or policy have moved on since."""
    job: str = ""
    """Id of the job that works it out now; empty: none does."""
    failed: str = ""
    """Why the last one failed, where nothing came after it."""


def replay_state(ws: Workspace, *, now: datetime) -> ReplayState:
    """Whether there is a replay, and whether it is of today's facts, promises and policy; reads no facts."""
    with ws.database.read() as connection:
        newest = newest_mark(connection)
        last = connection.execute(
            select(jobs.c.id, jobs.c.state, jobs.c.message)
            .where(jobs.c.kind == JOB)
            .order_by(jobs.c.created_at.desc())
            .limit(1)
        ).first()
    return ReplayState(
        mapped="messages" in ws.config.tables,
        promised=bool(ws.config.attention.promises),
        kept=newest[0] if newest else "",
        at=newest[2] if newest else None,
        stale=newest is not None and newest[1] != current_mark(ws, now=now),
        job=last[0] if last is not None and last[1] in ("waiting", "running") else "",
        failed=last[2] if last is not None and last[1] == "failed" else "",
    )


def ask_replay(ws: Workspace, policy: Mapping[str, Any], *, by: str, now: datetime) -> KeptReplay:
    """Keep a draft policy for the job `attention-draft`; one that was replayed on today's facts is given at once.

    Args:
        policy: Keys of `[attention]`.
    Raises:
        BadInput: a key is unknown or has a wrong value.
    """
    draft = policy_from(policy)
    seal, mark = seal_of(draft), current_mark(ws, now=now)
    for kept in kept_replays(ws):
        if kept.seal == seal and kept.mark == mark:
            return kept
    asked = KeptReplay(
        id="d-" + secrets.token_hex(6),
        at=now,
        by=by,
        policy=policy_values(draft),
        seal=seal,
        mark=mark,
        document=None,
        code="",
        seconds=0.0,
    )
    with ws.database.write() as connection:
        save_replay(connection, asked)
    return asked


def keep_replay(
    ws: Workspace, *, now: datetime, by: str, draft: str = "", progress: Progress | None = None
) -> KeptReplay:
    """Work out the year as it was sent, or under a draft policy, and keep the answer.

    Raises:
        NotFound: `messages` is not mapped, or there is no such draft.
    """
    begun = time.monotonic()
    asked = _draft(ws, draft) if draft else None
    while True:
        with ws.database.read() as connection:
            erasure = last_erasure(connection)
        kept = _worked_out(ws, asked, now=now, by=by, progress=progress)
        kept = replace(kept, seconds=time.monotonic() - begun)
        with ws.database.write() as connection:
            # Whoever was erased in the meantime may stand among the examples: once more, without him.
            if last_erasure(connection) == erasure:
                save_replay(connection, kept)
                return kept


def _worked_out(
    ws: Workspace, asked: KeptReplay | None, *, now: datetime, by: str, progress: Progress | None
) -> KeptReplay:
    policy = asked.policy if asked is not None else None
    model = model_of_facts(ws, now=now) if "messages" in ws.config.tables else None
    found = replay_workspace(
        ws,
        now=now,
        by=by,
        policy=policy,
        credit=True if asked is None else "stopped",
        model=model,
        account=asked is None,
        progress=progress,
    )
    if asked is None:
        from primeta.attention.report import report_of

        in_force = policy_in_force(ws, now=now)
        return KeptReplay(
            id="r-" + secrets.token_hex(6),
            at=now,
            by=by,
            policy=None,
            seal=seal_of(in_force),
            mark=current_mark(ws, now=now),
            document=to_json(report_of(found, policy=in_force)),
            code=found.code,
            seconds=0.0,
        )
    assert found.policy is not None
    told = {
        "policy": found.policy.as_dict(),
        "promises": [entry.as_dict() for entry in found.promises],
        "log": found.log_dict(),
    }
    return replace(asked, at=now, mark=current_mark(ws, now=now), document=plain(told), code=found.code)


def keep_fresh(ws: Workspace, *, now: datetime, by: str, progress: Progress | None = None) -> bool:
    """Work the year out anew where it was once and facts, promises or policy have moved on; else two small queries.

    Returns:
        Whether it was worked out.
    """
    state = replay_state(ws, now=now)
    if not state.mapped or not state.kept or not state.stale:
        return False
    keep_replay(ws, now=now, by=by, progress=progress)
    return True


def keep_drafts(ws: Workspace, *, now: datetime, by: str, progress: Progress | None = None) -> int:
    """Every draft that waits for its turn, the oldest first; how many."""
    waiting = [kept.id for kept in reversed(kept_replays(ws)) if kept.document is None]
    for identity in waiting:
        keep_replay(ws, now=now, by=by, draft=identity, progress=progress)
    return len(waiting)


def kept_replay(ws: Workspace, *, draft: str = "") -> KeptReplay | None:
    """The newest one of the whole year (None: there is none), or a draft's by its id.

    Raises:
        NotFound: there is no such draft.
    """
    if draft:
        return _draft(ws, draft)
    with ws.database.read() as connection:
        return newest_replay(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What the newest replay tells."""

    health: HealthReport
    promises: PromisesReport
    campaigns: CampaignsReport


def reports(ws: Workspace) -> Reports | None:
    """What the newest replay of the year tells; None: there is none yet, or another version kept it."""
    with ws.database.read() as connection:
        newest, erasure = newest_mark(connection), last_erasure(connection)
    if newest is None:
        return None
    held = _HELD.get(ws.database.url)
    # An erasure takes its customer out of the document, and the replay stays the same one.
    if held is None or held[0] != (newest[0], erasure):
        from primeta.attention.report import CampaignsReport, HealthReport, PromisesReport, Report

        kept = kept_replay(ws)
        if kept is None or kept.document is None:
            return None
        try:
            report = from_json(Report, kept.document)
        except ValueError:
            return None
        made = Reports(
            health=HealthReport(report=report, at=kept.at),
            promises=PromisesReport(report=report, at=kept.at),
            campaigns=CampaignsReport(report=report, at=kept.at),
        )
        held = ((kept.id, erasure), made)
        _HELD[ws.database.url] = held
    return held[1]


_HELD: dict[str, tuple[tuple[str, int], Reports]] = {}
"""State → the newest replay that was read from it: pages read it often, and it changes seldom."""


def kept_replays(ws: Workspace) -> tuple[KeptReplay, ...]:
    """Those of draft policies, the newest first."""
    with ws.database.read() as connection:
        return load_drafts(connection)


def _draft(ws: Workspace, identity: str) -> KeptReplay:
    with ws.database.read() as connection:
        kept = load_replay(connection, identity)
    if kept.policy is None:
        raise BadInput(f"{identity} is no draft: it is the year as it was sent")
    return kept


def current_mark(ws: Workspace, *, now: datetime) -> str:
    """Changes with facts, promises, policy and code."""
    facts = load_facts(ws.folder / "facts")
    made_of = [
        facts.version if facts else "",
        repr(promises_in_force(ws)),
        seal_of(policy_in_force(ws, now=now)),
        code_version(),
        FORMAT,
    ]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]


FORMAT = 4
"""Of the document: another version's is worked out anew."""
