"""Work over a second that was started from a page: a row that says how far it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping, insert, select, update

from primeta.errors import NotFound, PrimetaError
from primeta.store.schema import jobs
from primeta.store.times import aware, naive
from primeta.workspace.views import Job

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

SILENT_AFTER = timedelta(seconds=60)
"""A running job whose heart has not beaten for so long has lost its process."""


class _Cancelled(Exception):
    """A person asked the job to stop."""


def start_job(ws: Workspace, kind: str, *, now: datetime) -> Job:
    """Queue a job, or give the one of this kind that waits or runs already."""
    with ws.database.write() as connection:
        active = connection.execute(
            select(jobs).where(jobs.c.kind == kind, jobs.c.state.in_(("waiting", "running")))
        ).mappings()
        for row in active:
            if not _is_dead(row, now):
                return _job(row)
            _close(connection, row["id"], "failed", "the process that worked on it has died; start it again")
        identity = "j-" + secrets.token_hex(4)
        connection.execute(
            insert(jobs).values(
                id=identity,
                kind=kind,
                state="waiting",
                done=0,
                total=0,
                message="",
                cancel=0,
                created_at=naive(now),
                heartbeat=naive(now),
                result={},
            )
        )
    return get_job(ws, identity)


def get_job(ws: Workspace, identity: str) -> Job:
    with ws.database.read() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == identity)).mappings().first()
    if row is None:
        raise NotFound(f"there is no job {identity!r}")
    return _job(row)


def cancel_job(ws: Workspace, identity: str) -> Job:
    with ws.database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == identity).values(cancel=1))
        waiting = (jobs.c.id == identity) & (jobs.c.state == "waiting")
        connection.execute(update(jobs).where(waiting).values(state="cancelled"))
    return get_job(ws, identity)


def next_job(ws: Workspace, *, now: datetime) -> Job | None:
    """Take the oldest waiting job for this process; jobs of dead processes fail visibly."""
    with ws.database.write() as connection:
        for row in connection.execute(select(jobs).where(jobs.c.state == "running")).mappings().all():
            if _is_dead(row, now):
                _close(
                    connection, row["id"], "failed", "the process that worked on it has died; start it again"
                )
        waiting = (
            select(jobs).where(jobs.c.state == "waiting").order_by(jobs.c.created_at, jobs.c.id).limit(1)
        )
        row = connection.execute(waiting).mappings().first()
        if row is None:
            return None
        taken = update(jobs).where(jobs.c.id == row["id"]).values(state="running", heartbeat=naive(now))
        connection.execute(taken)
    return get_job(ws, row["id"])


def run_job(
    ws: Workspace, job: Job, work: Callable[..., dict[str, Any]], *, clock: Callable[[], datetime]
) -> Job:
    """Do the work with a heartbeat; whatever happens, the row says how it ended."""
    last = clock()

    def beat(step: str, done: int, total: int) -> None:
        nonlocal last
        now = clock()
        if done not in (0, total) and now - last < timedelta(seconds=1):
            return
        last = now
        with ws.database.write() as connection:
            values = {"done": done, "total": total, "message": step, "heartbeat": naive(now)}
            connection.execute(update(jobs).where(jobs.c.id == job.id).values(values))
            wanted = connection.scalar(select(jobs.c.cancel).where(jobs.c.id == job.id))
        if wanted:
            raise _Cancelled("cancelled by a person")

    try:
        result, state, message = work(progress=beat), "done", ""
    except _Cancelled as stop:
        result, state, message = {}, "cancelled", str(stop)
    except PrimetaError as error:
        result, state, message = {}, "failed", str(error)
    except BaseException as error:
        # A defect of ours: the row must not stay "running", and the log must show it.
        with ws.database.write() as connection:
            _close(connection, job.id, "failed", f"unexpected: {type(error).__name__}: {error}")
        raise
    with ws.database.write() as connection:
        _close(connection, job.id, state, message, result)
    return get_job(ws, job.id)


def _close(
    connection: Any, identity: str, state: str, message: str, result: dict[str, Any] | None = None
) -> None:
    values = {"state": state, "message": message, "result": result or {}}
    connection.execute(update(jobs).where(jobs.c.id == identity).values(values))


def _is_dead(row: RowMapping, now: datetime) -> bool:
    return row["state"] == "running" and naive(now) - row["heartbeat"] > SILENT_AFTER


def _job(row: RowMapping) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        state=row["state"],
        done=row["done"],
        total=row["total"],
        message=row["message"],
        created_at=aware(row["created_at"]),
        result=row["result"],
    )
