"""Eight senders at once under a strict cap, killed with SIGKILL at random and started again, on both databases.

Each takes its messages in turn: reserve, then hand over to the network, then confirm; some are given back instead of
sent, some are held and forgotten, so that their time runs out. A message that was handed over is written in a file of
its own, which is what "sent" means here. Counted afterwards: customers with more messages than the cap allows, messages
that were sent and stand not in the ledger (or twice), places that stay empty though somebody wanted them, the chain.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, text

from primeta.attention.chain import check
from primeta.attention.ledger import Event
from primeta.attention.records import Question
from primeta.store.ledger import append_all, each_entry, load_head
from primeta.workspace import open_workspace
from primeta.workspace.may_send import Desk

NAME = "attention-writers"
START = datetime(2026, 11, 26, 12, tzinfo=UTC)
SENDERS, CAP, CUSTOMERS = 8, 3, 6
FORGOTTEN_S = 1.0
"""A place that is held and forgotten is free after so long."""
TOML = """
[workspace]
name = "Senders"
[state]
url = "{url}"
[attention]
quiet_hours = false
caps = [{{ max = {cap}, window = "7d" }}]
"""


def prepared(folder: Path, url: str) -> None:
    """A workspace with consents of a few customers."""
    (folder / "primeta.toml").write_text(TOML.format(url=url, cap=CAP))
    ws = open_workspace(folder)
    given = {"processing": "marketing", "channel": "", "state": "given", "text": "yes", "surface": "app"}
    events = [
        Event(
            key=f"consent-{n}",
            kind="consent",
            customer_id=f"c{n}",
            happened_at=START - timedelta(days=90),
            payload=given,
        )
        for n in range(CUSTOMERS)
    ]
    append_all(ws.database, events, now=START - timedelta(days=1))
    Desk(ws, now=START).close()
    ws.close()


def sender(folder: str, number: int, messages: int, began: float) -> None:
    """Goes through its messages; after a kill through the same ones again, without those that are settled."""
    draw = random.Random(number)
    plan = [
        (
            f"s{number}-{n}",
            f"c{draw.randrange(CUSTOMERS)}",
            draw.choices(("send", "give-back", "forget"), (8, 1, 1))[0],
        )
        for n in range(messages)
    ]
    done_file, sent_file = Path(folder) / f"done-{number}", Path(folder) / f"sent-{number}"
    done = set(done_file.read_text().split()) if done_file.exists() else set()
    ws = open_workspace(folder)

    def now() -> datetime:
        return START + timedelta(seconds=time.time() - began)

    desk = Desk(ws, now=now())
    with done_file.open("a") as finished, sent_file.open("a") as sent:
        for message, customer, fate in plan:
            if message in done:
                continue
            at = now()
            asked = Question(
                customer_id=customer, channel="push", purpose="useful", at=at, message_id=message
            )
            hold = timedelta(seconds=FORGOTTEN_S) if fate == "forget" else timedelta(hours=1)
            held = desk.reserve(asked, now=at, by=f"sender {number}", held_for=hold)
            if held.ok and fate == "send":
                # A network delivers a message of one id once, however often it is handed over.
                sent.write(f"{customer} {message}\n")
                sent.flush()
                desk.confirm(asked, sent_at=now(), now=now(), by=f"sender {number}")
            elif held.ok and fate == "give-back":
                desk.release(message, now=now())
            finished.write(f"{message}\n")
            finished.flush()


def storm(folder: Path, *, messages: int, seed: int) -> dict[str, int]:
    """All senders until all are through, one killed every few hundredths of a second."""
    context, draw, began = multiprocessing.get_context("fork"), random.Random(seed), time.time()

    def start(number: int):
        process = context.Process(target=sender, args=(str(folder), number, messages, began), daemon=True)
        process.start()
        return process

    running = {number: start(number) for number in range(SENDERS)}
    kills = 0
    while any(process.is_alive() for process in running.values()):
        time.sleep(draw.uniform(0.01, 0.08))
        for number, process in running.items():
            if not process.is_alive() and process.exitcode:
                # A kill is -9; anything else is an error, and the first is enough.
                if process.exitcode > 0:
                    raise RuntimeError(f"sender {number} ended with status {process.exitcode}")
                running[number] = start(number)
        victim = running[draw.randrange(SENDERS)]
        # In its last third a run is left alone, or slow machines would never come to an end.
        if victim.is_alive() and kills < messages * 3:
            os.kill(victim.pid or 0, signal.SIGKILL)
            victim.join()
            kills += 1
    # What was forgotten has run out by now: whoever still wants a place gets it.
    time.sleep(FORGOTTEN_S)
    late = sender_of_the_rest(folder, began)
    return {**judged(folder, late), "kills": kills}


def sender_of_the_rest(folder: Path, began: float) -> dict[str, str]:
    """Fills what is still free, message by message, and tells what it sent."""
    ws = open_workspace(folder)
    now = START + timedelta(seconds=time.time() - began)
    desk = Desk(ws, now=now)
    sent = {}
    for n in range(CAP * CUSTOMERS):
        asked = Question(
            customer_id=f"c{n % CUSTOMERS}",
            channel="push",
            purpose="useful",
            at=now,
            message_id=f"rest-{n}",
        )
        held = desk.reserve(asked, now=now, by="rest")
        if held.answer is not None and held.answer.rule not in ("allowed", "cap"):
            # Another rule than the cap would leave places empty for good reasons.
            raise RuntimeError(f"{asked.customer_id} was refused by {held.answer.rule}")
        if held.ok:
            desk.confirm(asked, sent_at=now, now=now, by="rest")
            sent[asked.message_id] = asked.customer_id
    desk.close()
    ws.close()
    return sent


def judged(folder: Path, late: dict[str, str]) -> dict[str, int]:
    """What went wrong, counted."""
    sent: dict[str, set[str]] = defaultdict(set)
    for message, customer in late.items():
        sent[customer].add(message)
    for number in range(SENDERS):
        for line in (folder / f"sent-{number}").read_text().splitlines():
            customer, message = line.split()
            sent[customer].add(message)
    ws = open_workspace(folder)
    with ws.database.read() as connection:
        entries = list(each_entry(connection))
        verdict = check(iter(entries), head=load_head(connection))
    ws.close()
    written = Counter(
        (entry.customer_id, entry.payload["message_id"]) for entry in entries if entry.kind == "touch"
    )
    told = {(customer, message) for customer, messages in sent.items() for message in messages}
    return {
        "breaches": sum(len(messages) > CAP for messages in sent.values()),
        "lost": sum(one not in written for one in told),
        "double": sum(count > 1 for count in written.values()),
        "invented": sum(one not in told for one in written),
        "empty places": sum(CAP - len(sent[f"c{n}"]) for n in range(CUSTOMERS) if len(sent[f"c{n}"]) < CAP),
        "broken chains": int(not verdict.ok),
        "sent": len(told),
    }


@contextmanager
def postgresql() -> Iterator[str]:
    """A server of our own; gives the address of its databases, empty where PostgreSQL is not installed."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        yield ""
        return
    folder = Path(tempfile.mkdtemp(prefix="primeta-pg-"))
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"

    def call(*command: str) -> None:
        subprocess.run(
            command, check=True, capture_output=True, user=user, cwd=folder, env={"LC_ALL": "C.UTF-8"}
        )

    control = str(binaries[-1] / "pg_ctl")
    call(str(binaries[-1] / "initdb"), "-D", str(data), "-U", "primeta", "-A", "trust", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    call(control, "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://primeta@127.0.0.1:{port}"
    finally:
        with suppress(subprocess.CalledProcessError):
            call(control, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def many(database: str, server: str, *, seeds: int, messages: int) -> dict[str, str]:
    """Storms with one seed after another on one kind of database."""
    total: Counter[str] = Counter()
    began = time.perf_counter()
    for seed in range(seeds):
        folder = Path(tempfile.mkdtemp(prefix="primeta-writers-"))
        try:
            url = f"sqlite:///{folder / 'state.sqlite'}"
            if server:
                url = f"{server}/storm_{seed}"
                engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
                with engine.connect() as connection:
                    connection.execute(text(f"create database storm_{seed}"))
                engine.dispose()
            prepared(folder, url)
            total.update(storm(folder, messages=messages, seed=seed))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    wrong = ", ".join(
        f"{name}: {total[name]}"
        for name in ("breaches", "lost", "double", "invented", "empty places", "broken chains")
    )
    return {
        "what": f"8 senders, SIGKILL at random, {database}",
        "aim": "no breach, nothing lost",
        "reached": wrong,
        "note": f"{seeds} seeds, {total['kills']} kills, {SENDERS * messages * seeds} messages asked, "
        f"{total['sent']} sent; {time.perf_counter() - began:.0f} s",
    }


def run(*, quick: bool) -> list[dict[str, str]]:
    """Twelve seeds on each database (quick: two)."""
    seeds, messages = (2, 10) if quick else (12, 40)
    rows = [many("SQLite", "", seeds=seeds, messages=messages)]
    with postgresql() as server:
        if server:
            rows.append(many("PostgreSQL", server, seeds=seeds, messages=messages))
        else:
            rows.append({"what": "PostgreSQL", "note": "not installed (Debian: apt-get install postgresql)"})
    return rows
