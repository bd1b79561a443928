"""`primeta serve`: the pages on one address, and one process beside them that works on jobs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import sys
import threading
import time
import traceback
import webbrowser
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from primeta.errors import BadInput, PrimetaError
from primeta.show.messages import say
from primeta.show.series_chart import series_picture
from primeta.web.security import LOOPBACK

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

MOST_PROCESSES = 64
BACKLOG = 2048
"""Connections that wait to be taken."""
LOOK_FOR_WORK_EVERY = 0.5
"""Seconds between two looks for a waiting job."""
LOOK_FOR_SOURCES_EVERY = 30.0
"""Seconds between two looks for a source whose time has come."""


def clock() -> datetime:
    return datetime.now(UTC)


def serve(
    workspace_path: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    open_browser: bool = False,
    processes: int = 1,
) -> None:
    """Serve a workspace until interrupted.

    Args:
        host: Where to listen; anything but loopback is reachable by others, and there are no accounts.
        port: 0 takes any free port.
        processes: How many answer requests, each on a core of its own; jobs have one beside them.
    Raises:
        BadInput: the address cannot be listened on, or no process would answer.
    """
    from primeta.web.app import create_app
    from primeta.workspace import open_workspace

    if not 1 <= processes <= MOST_PROCESSES:
        raise BadInput(f"--processes is a number from 1 to {MOST_PROCESSES}, {processes} was given")
    workspace = open_workspace(workspace_path)
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    worker = start_worker(Path(workspace_path))
    beside = start_beside(processes - 1, Path(workspace_path), listener, names_of(host))
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    address = f"http://{'[' + shown + ']' if ':' in shown else shown}:{port}/"
    server = server_of(create_app(workspace, now=clock, hosts=names_of(host)))
    # The first chart starts a drawing engine, which takes a second or two: better now than before a reader.
    threading.Thread(target=warm_up).start()
    if open_browser:
        threading.Thread(target=_open_when_ready, args=(server, address), daemon=True).start()
    told = say(workspace.config.language, "Primeta is at {address}; Ctrl+C ends it", address=address)
    sys.stderr.write(told + "\n")
    try:
        server.run(sockets=[listener])
    finally:
        for process in (worker, *beside):
            process.terminate()
        for process in (worker, *beside):
            process.join(5)
        workspace.close()


def start_beside(
    count: int,
    workspace_path: Path,
    listener: socket.socket,
    hosts: Sequence[str],
    now: Callable[[], datetime] = clock,
) -> Sequence[BaseProcess]:
    """Further processes that answer at the same address; each ends with the one that started it."""
    listener.listen(BACKLOG)
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(
            target=answer_beside,
            args=(workspace_path, listener, hosts, now),
            daemon=True,
            name="primeta-answers",
        )
        for _ in range(count)
    ]
    for process in processes:
        process.start()
    return processes


def answer_beside(
    workspace_path: Path, listener: socket.socket, hosts: Sequence[str], now: Callable[[], datetime]
) -> None:
    """Answer requests at an address that another process listens on, until told to end or left alone."""
    from primeta.web.app import create_app
    from primeta.workspace import open_workspace

    workspace = open_workspace(workspace_path)
    server = server_of(create_app(workspace, now=now, hosts=hosts))

    def end_when_alone() -> None:
        while not left_alone():
            time.sleep(LOOK_FOR_WORK_EVERY)
        server.should_exit = True

    threading.Thread(target=end_when_alone, daemon=True).start()
    try:
        server.run(sockets=[listener])
    finally:
        workspace.close()
        # What `server_of` has put aside for good would be complained about as leaked.
        os._exit(0)


def server_of(app: ASGIApp, *, port: int = 8765) -> uvicorn.Server:
    """The server of an application, as `serve` runs it.

    Args:
        port: Where no socket is given to `run`.
    """
    import gc

    import uvicorn

    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False, server_header=False)
    # What was imported stays for good and need not be searched for garbage; single questions answer in microseconds
    # and would feel each full search.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    return uvicorn.Server(config)


def names_of(host: str) -> tuple[str, ...]:
    """The names by which others may ask for this machine, where it listens on `host`."""
    if host in LOOPBACK:
        return ()
    if host not in ("0.0.0.0", "::", ""):
        return (host,)
    mine = {socket.gethostname(), socket.getfqdn()}
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        found = []
    addresses = {str(entry[4][0]).partition("%")[0] for entry in found}
    return tuple(sorted(mine | {f"[{entry}]" if ":" in entry else entry for entry in addresses}))


def warm_up() -> None:
    """Draw one small chart, so that the next one comes at once."""
    first = date(2026, 1, 5)
    series_picture([first], [1.0], "en", title="", subtitle="", source="", unit="count").svg()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise BadInput(
            f"cannot listen on {host}:{port}: {error}; name another port with --port, or stop what uses it"
        ) from None
    return listener


def _open_when_ready(server, address: str) -> None:
    while not server.started:
        time.sleep(0.05)
    webbrowser.open(address)


def start_worker(workspace_path: Path) -> BaseProcess:
    """A process that takes jobs one after another; it ends with the one that started it."""
    process = multiprocessing.get_context("spawn").Process(
        target=work, args=(workspace_path,), daemon=True, name="primeta-worker"
    )
    process.start()
    return process


def work(workspace_path: Path, *, once: bool = False) -> None:
    """Take waiting jobs and do them; a failed one says so in its row and the next is taken.

    Args:
        once: Return as soon as nothing waits.
    """
    from primeta.workspace import open_workspace
    from primeta.workspace.jobs import next_job, run_job

    workspace = open_workspace(workspace_path)
    hours = None if once else start_hours(workspace)
    if not once:
        start_collecting(workspace)
    while True:
        if left_alone():
            if hours is not None:
                hours.shutdown(wait=False)
            return
        try:
            job = next_job(workspace, now=clock())
            if job is not None:
                do = WORK.get(job.kind, _unknown)
                run_job(workspace, job, lambda progress, do=do: do(workspace, progress), clock=clock)
            elif once:
                return
        except PrimetaError:
            # The state could not be reached just now; the job waits for the next look.
            if once:
                raise
        except KeyboardInterrupt:
            if hours is not None:
                hours.shutdown(wait=False)
            return
        time.sleep(0 if once else LOOK_FOR_WORK_EVERY)


def left_alone() -> bool:
    """Whether the process that started this one is gone: killed, it could not say so."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def start_hours(workspace):
    """The clock of the declared channels, running beside the jobs; None where no channel is declared."""
    channels = workspace.config.delivery.values()
    if not channels:
        return None
    from primeta.delivery.schedule import scheduler

    hours = scheduler(
        channels, zone=workspace.config.zone, run=lambda: deliver_quietly(workspace), now=clock()
    )
    hours.start()
    return hours


def start_collecting(workspace) -> threading.Thread | None:
    """Sources asked as their time comes, beside the jobs; None where none is declared."""
    if not workspace.config.sources.declared:
        return None
    from primeta.workspace.collect import fetcher_of

    # One door for the life of the process: its politeness holds over all collections.
    fetcher = fetcher_of(workspace)

    def on() -> None:
        while True:
            collect_quietly(workspace, fetcher)
            time.sleep(LOOK_FOR_SOURCES_EVERY)

    thread = threading.Thread(target=on, daemon=True, name="primeta-collector")
    thread.start()
    return thread


def collect_quietly(workspace, fetcher) -> None:
    """Ask the sources that are due; what fails stands in the state, and is tried again by its schedule."""
    from primeta.workspace.collect import is_any_due

    try:
        if is_any_due(workspace, now=clock()):
            workspace.collect(now=clock(), fetcher=fetcher)
    except PrimetaError:
        # Among them Locked: a job or another process of this workspace collects already.
        pass
    except Exception:  # noqa: BLE001 — a defect of ours shows in the log and does not end collecting for good
        traceback.print_exc()


def deliver_quietly(workspace) -> None:
    """Deliver what is due; what fails stands in the state, and the next look tries it again."""
    with contextlib.suppress(PrimetaError):
        # Among them Locked: another process of this workspace delivers already.
        workspace.deliver_due(now=clock(), env=os.environ)


def _watch(workspace, progress) -> dict[str, object]:
    report = workspace.watch(now=clock(), progress=progress)
    return {"new_trends": report.new_trends, "moved": report.moved}


def _look(workspace, progress) -> dict[str, object]:
    """Look at every experiment that runs or is rolled out; one that cannot be looked at does not stop the rest."""
    from primeta.workspace.looks import look_at_all

    return _whole("looked", *look_at_all(workspace, now=clock(), progress=progress))


def _collect(workspace, progress) -> dict[str, object]:
    """Every source, also those that are not due: a person has asked for it."""
    report = workspace.collect(now=clock(), force=True, progress=progress)
    return {"asked": report.asked, "new": report.new, "failed": len(report.failed)}


def _certify(workspace, progress) -> dict[str, object]:
    found = workspace.certify(now=clock(), progress=progress)
    return {"ok": found.ok}


def _ladder(workspace, progress) -> dict[str, object]:
    """Every ladder that is missing or older than the facts; one that cannot be worked out does not stop the rest."""
    from primeta.workspace.reactivation import ladder_of_all

    return _whole("ladders", *ladder_of_all(workspace, now=clock(), progress=progress))


def _policy(workspace, progress) -> dict[str, object]:
    """Every best moment, sequence and discount that is missing or older than the facts."""
    from primeta.workspace.reactivation_policy import policies_of_all

    return _whole("policies", *policies_of_all(workspace, now=clock(), progress=progress))


def _whom(workspace, progress) -> dict[str, object]:
    """Whom to write, by every campaign with a control where it is missing or older than the facts."""
    from primeta.workspace.reactivation_whom import whom_of_all

    return _whole("whom", *whom_of_all(workspace, now=clock(), progress=progress))


def _interviews(workspace, progress) -> dict[str, object]:
    """Whom to call of every campaign, and what was said, where that is missing or older than the facts."""
    from primeta.workspace.people_called import interviews_of_all

    return _whole("interviews", *interviews_of_all(workspace, now=clock(), progress=progress))


def _farms(workspace, progress) -> dict[str, object]:
    """Every campaign's effects with and without farms where they are missing or older than the facts."""
    from primeta.workspace.people_called import farms_of_all

    return _whole("farms", *farms_of_all(workspace, now=clock(), progress=progress))


def _sources(workspace, progress) -> dict[str, object]:
    """What sources bring, by every cohort, where that is missing or older than the facts."""
    from primeta.workspace.people_called import sources_of_all

    return {"sources": sources_of_all(workspace, now=clock(), progress=progress)}


def _lapse(workspace, progress) -> dict[str, object]:
    progress("lapse", 0, 1)
    found = workspace.lapse(now=clock(), fresh=True)
    progress("lapse", 1, 1)
    return {"customers": found.customers}


def _attention(workspace, progress) -> dict[str, object]:
    """What the tables know into the ledger, then the year held against promises and credit."""
    synced = workspace.sync_attention(now=clock(), by="job", progress=progress)
    kept = workspace.keep_replay(now=clock(), by="job", progress=progress)
    return {"new": synced.new, "replay": kept.id}


def _attention_draft(workspace, progress) -> dict[str, object]:
    """Every draft policy that waits for its replay."""
    from primeta.workspace.attention_kept import keep_drafts

    return {"drafts": keep_drafts(workspace, now=clock(), by="job", progress=progress)}


def _attention_consents(workspace, progress) -> dict[str, object]:
    """How far consents reach, over the states of all customers."""
    kept = workspace.count_consents(now=clock(), by="job", progress=progress)
    return {"customers": kept.document["customers"]}


def _attention_verify(workspace, progress) -> dict[str, object]:
    """Every entry of the ledger against the one before it."""
    progress("verify", 0, 1)
    found = workspace.check_chain(now=clock(), by="job")
    progress("verify", 1, 1)
    return {"ok": found.ok, "entries": found.checked.entries}


def _whole(key: str, done: int, failed: Sequence[tuple[str, str]]) -> dict[str, object]:
    """How many were done; a job of which any part failed says which and why."""
    if failed:
        raise BadInput("; ".join(f"{name}: {why}" for name, why in failed))
    return {key: done}


def _unknown(workspace, progress) -> dict[str, object]:
    """A job of another version's kind fails visibly instead of running for ever."""
    raise BadInput(
        "this version does not know how to do this kind of job; start it from a page of this version"
    )


WORK = {
    "watch": _watch,
    "collect": _collect,
    "look": _look,
    "certify": _certify,
    "ladder": _ladder,
    "lapse": _lapse,
    "policy": _policy,
    "whom": _whom,
    "interviews": _interviews,
    "farms": _farms,
    "sources": _sources,
    "attention": _attention,
    "attention-draft": _attention_draft,
    "attention-consents": _attention_consents,
    "attention-verify": _attention_verify,
}
"""Kind of a job → what does it."""
