"""How fast "may we send this?" is answered: over HTTP one by one at a fixed rate and in batches, over an audience file.

The state of a million customers is made once and kept in the temp folder (about 2 GB, named after the schema).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from primeta.attention.consents import Mark, Slot
from primeta.attention.credit_kept import pack_credit
from primeta.attention.fold import BrokenMark, CustomerState, SeenTouch, Wish
from primeta.attention.preferences import Setting
from primeta.attention.records import Credit, Policy, Question
from primeta.store import schema
from primeta.store.attention_state import pack
from primeta.workspace import open_workspace
from primeta.workspace.create import create_workspace
from primeta.workspace.may_send import Desk

NAME = "may-send"
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
"""By day from Kaliningrad to Vladivostok, so that every rule has its say."""
POLICY = """
[attention]
quiet_hours = [22, 8]
caps = [{ max = 3, window = "7d" }, { max = 1, window = "1d", channel = "push" }]
promises = "promises.json"
"""
PROMISES = [
    {
        "promise": "month",
        "text": "Not more than six pushes in two weeks",
        "channel": "push",
        "max": 6,
        "window": "14d",
    },
    {"promise": "day", "text": "Offers by day only", "purpose": "offer", "hours": [8, 22]},
]
ZONES = ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Vladivostok", "Europe/Kaliningrad")
KINDS = 20_000
"""Different customers; the others are like them."""
PROCESSES = 2
"""That answer, as `primeta serve --processes 2`."""
SERVER = """
import os, socket, sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from benchmarks.may_send import PROCESSES, shifted
from primeta.web.app import create_app
from primeta.web.serve import server_of, start_beside
from primeta.workspace import open_workspace
now = partial(shifted, datetime.fromisoformat(sys.argv[3]) - datetime.now(UTC))
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[2])))
beside = start_beside(PROCESSES - 1, Path(sys.argv[1]), listener, (), now)
Path(sys.argv[4]).write_text(" ".join(str(pid) for pid in (os.getpid(), *(one.pid for one in beside))))
server_of(create_app(open_workspace(sys.argv[1]), now=now)).run(sockets=[listener])
"""


def shifted(by: timedelta) -> datetime:
    """The clock of the benchmark: it goes as ours does, from `NOW` on."""
    return datetime.now(UTC) + by


def customer(number: int, draw: random.Random) -> tuple[CustomerState, bytes]:
    """Consents on two channels, up to twenty touches; some opted out, some have preferences, wishes, broken promises."""
    given = NOW - timedelta(days=draw.randint(30, 900))
    yes = Mark(
        at=given, effective=given, state="given", proven=True, version="3", text_hash="a" * 64,
        surface="checkout", key=f"consent-{number}",
    )  # fmt: skip
    no = Mark(at=NOW - timedelta(days=9), effective=NOW - timedelta(days=9), state="withdrawn", proven=True)
    touches = tuple(
        sorted(
            SeenTouch(
                at=NOW - timedelta(minutes=draw.randint(10, 33 * 1440)),
                message_id=f"m{number}-{place}",
                channel=draw.choice(("push", "email")),
                purpose=draw.choice(("useful", "useful", "offer", "service")),
                campaign="autumn",
                programme="weekly",
            )
            for place in range(draw.randint(0, 20))
        )
    )
    state = CustomerState(
        customer_id=str(number),
        as_of=NOW - timedelta(hours=2),
        consents={
            ("marketing", "push", ""): Slot(given=(yes,), no=no if number % 20 == 0 else None),
            ("marketing", "email", ""): Slot(given=(yes,)),
        },
        first_touches=touches[:16],
        touches=touches,
        preferences={"max_per_week": Setting(at=given, value=2)} if number % 33 == 7 else {},
        wishes={"w": Wish(key="w", at=NOW - timedelta(days=1), means="stop-all")}
        if number % 100 == 3
        else {},
        broken=(BrokenMark(at=NOW - timedelta(days=4), promise="day", version=1),)
        if number % 50 == 9
        else (),
    )
    value = draw.uniform(0.02, 0.4)
    credit = Credit(
        value=value, low=value * 0.7, high=value * 1.4, welcome=value, drive_away=0.001, blind=0.2,
        level=draw.choice(("useful", "sell", "sell", "press")), model="state-space", touches=len(touches), as_of=NOW,
    )  # fmt: skip
    return state, pack_credit({"push": credit, "email": credit}, policy=Policy(), at=NOW)


def made(folder: Path, number: int) -> None:
    """A workspace with so many customers in its state."""
    create_workspace(folder, name="Speed", timezone="Europe/Moscow")
    with (folder / "primeta.toml").open("a") as file:
        file.write(POLICY)
    (folder / "promises.json").write_text(json.dumps(PROMISES))
    ws = open_workspace(folder)
    ws.close()
    draw = random.Random(1)
    packed = [
        (pack(state), credit) for state, credit in (customer(n, draw) for n in range(min(number, KINDS)))
    ]
    connection = sqlite3.connect(folder / "state.sqlite")
    connection.execute("pragma synchronous = off")
    connection.execute("pragma journal_mode = off")

    def rows() -> Iterator[tuple[object, ...]]:
        # In the order of the primary key, which is that of text.
        for name in sorted(map(str, range(number))):
            n = int(name)
            state, credit = packed[n % len(packed)]
            old = f'"i":"{n % len(packed)}"'.encode()
            state = state.replace(old, f'"i":"{n}"'.encode(), 1)
            yield name, 1, state, credit, ZONES[n % 4], f"P{n:07}"

    connection.executemany(
        "insert into attention_states (customer_id, number, state, credit, zone, pseudonym) values (?, ?, ?, ?, ?, ?)",
        rows(),
    )
    connection.commit()
    connection.execute("pragma journal_mode = wal")
    connection.close()


def kept_workspace(number: int) -> tuple[Path, float]:
    """The folder, made where it is not there yet, and the seconds that took."""
    mark = hashlib.sha256(Path(schema.__file__).read_bytes() + Path(__file__).read_bytes()).hexdigest()[:10]
    place = Path(tempfile.gettempdir()) / f"primeta-may-send-{number}-{mark}"
    if (place / "done").exists():
        return place / "team", 0.0
    for old in place.parent.glob(f"primeta-may-send-{number}-*"):
        shutil.rmtree(old, ignore_errors=True)
    place.mkdir()
    began = time.perf_counter()
    made(place / "team", number)
    (place / "done").touch()
    return place / "team", time.perf_counter() - began


def processor_time(pids: Sequence[int]) -> float:
    """Seconds that processes have worked so far."""
    told = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(ticks[11]) + int(ticks[12]) for ticks in told) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: Path, port: int) -> Iterator[Sequence[int]]:
    """The server under way; gives its processes."""
    import httpx

    told = folder / "pids"
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), str(port), NOW.isoformat(), str(told)],
        cwd=Path(__file__).parents[1],
    )
    try:
        for _ in range(300):
            try:
                httpx.post(
                    f"http://127.0.0.1:{port}/api/v1/attention/may-send",
                    json={"customer": "1", "channel": "push", "purpose": "offer"},
                    timeout=5,
                ).raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        # The others import for a second or two longer.
        time.sleep(5)
        yield tuple(int(pid) for pid in told.read_text().split())
    finally:
        server.terminate()
        server.wait()


def generated(*arguments: object) -> dict[str, float]:
    """What the generator, a process of its own, found."""
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.open_loop", *map(str, arguments)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return json.loads(said)


def single(
    pid: Sequence[int], port: int, number: int, *, rate: int, seconds: int, draw: str
) -> dict[str, str]:
    """One question at a time at a fixed rate."""
    before = processor_time(pid)
    found = generated("single", port, number, rate, seconds, draw)
    # The generator's first second warms up.
    each = (processor_time(pid) - before) / (rate * (seconds + 1)) * 1e6
    return {
        "what": f"one question over HTTP, explained, customers drawn {draw}, two processes answer",
        "aim": f"p99 ≤ 5 ms at {rate:,} a second",
        "reached": (
            f"p99 {found['p99']:.2f} ms (p50 {found['p50']:.2f}, p99.9 {found['p999']:.1f}, worst {found['worst']:.1f}) "
            f"at {found['rate']:,.0f} a second"
        ),
        "note": (
            f"{found['allowed']:.0%} yes; other than 200: {found['other']:.0f}; "
            f"server {each:.0f} µs of processor time each, generator {found['generator_core']:.2f} of a core; "
            f"{found['sent_late']:.1%} sent more than 1 ms late; load {os.getloadavg()[0]:.1f}"
        ),
    }


def with_hey(pid: Sequence[int], port: int, number: int, *, rate: int, seconds: int) -> dict[str, str]:
    """The same with `hey`, where it is installed: four of them, since each sends one body for ever."""
    row = {"what": "the same with hey (4 customers only)", "aim": f"p99 ≤ 5 ms at {rate:,} a second"}
    if shutil.which("hey") is None:
        return {**row, "reached": "", "note": "hey is not installed (Debian: apt-get install hey)"}
    url = f"http://127.0.0.1:{port}/api/v1/attention/may-send"
    share, workers = 4, 5
    found = [
        subprocess.Popen(
            [
                "hey", "-z", f"{seconds}s", "-c", str(workers), "-q", str(rate / share / workers), "-m", "POST",
                "-T", "application/json", "-o", "csv", "-cpus", "1", "-d",
                json.dumps({"customer": str(17 * (n + 1) * number // 97), "channel": "push", "purpose": "offer"}),
                url,
            ],
            stdout=subprocess.PIPE, text=True,
        )
        for n in range(share)
    ]  # fmt: skip
    times, other = [], 0
    for one in found:
        said, _ = one.communicate()
        for line in said.splitlines()[1:]:
            cells = line.split(",")
            times.append(float(cells[0]))
            other += cells[6] != "200"
    times.sort()
    return {
        **row,
        "reached": f"p99 {times[int(len(times) * 0.99)] * 1000:.2f} ms at {len(times) / seconds:,.0f} a second",
        "note": f"other than 200: {other}; load {os.getloadavg()[0]:.1f}",
    }


def in_process(folder: Path, number: int, count: int) -> dict[str, str]:
    """Batches in Python, one process."""
    ws = open_workspace(folder)
    desk = Desk(ws, now=NOW)
    draw = random.Random(2)
    asked = [
        Question(customer_id=str(draw.randrange(number)), channel="push", purpose="offer", at=NOW)
        for _ in range(count)
    ]
    began, busy = time.perf_counter(), time.process_time()
    for at in range(0, len(asked), 5_000):
        desk.verdicts(asked[at : at + 5_000], now=NOW)
    wall, cpu = time.perf_counter() - began, time.process_time() - busy
    desk.close()
    ws.close()
    return {
        "what": "questions in batches of 5,000 in Python, one process",
        "aim": "≥ 25,000 a second",
        "reached": f"{count / wall:,.0f} a second",
        "note": f"{count / cpu:,.0f} a second of processor time; load {os.getloadavg()[0]:.1f}",
    }


def filtered(folder: Path, number: int) -> dict[str, str]:
    """An audience file with everybody in it."""
    audience, out = folder / "audience.csv", folder / "out.csv"
    with audience.open("w") as file:
        file.write("customer_id,city\n")
        file.writelines(f"{n},Moscow\n" for n in range(number))
    ws = open_workspace(folder)
    began, before = time.perf_counter(), os.times()
    found = ws.filter_audience(
        audience, Question(customer_id="", channel="push", purpose="offer", at=NOW), out=out, now=NOW
    )
    wall, after = time.perf_counter() - began, os.times()
    ws.close()
    cpu = sum(
        getattr(after, part) - getattr(before, part)
        for part in ("user", "system", "children_user", "children_system")
    )
    return {
        "what": f"audience filter of {number:,} rows, two processes",
        "aim": "≤ 40 s for a million",
        "reached": f"{wall:.1f} s, {number / wall:,.0f} rows a second",
        "note": f"{found.allowed:,} yes; {cpu:.0f} s of processor time; load {os.getloadavg()[0]:.1f}",
    }


def run(*, quick: bool) -> list[dict[str, str]]:
    """One million customers (quick: 50,000)."""
    number, seconds = (50_000, 4) if quick else (1_000_000, 20)
    folder, took = kept_workspace(number)
    rows = [
        {
            "what": f"state of {number:,} customers", "aim": "", "reached": f"made in {took:.0f} s" if took else "kept",
            "note": f"{(folder / 'state.sqlite').stat().st_size / 1e9:.1f} GB in {folder.parent.name} of the temp folder",
        }
    ]  # fmt: skip
    port = 18765
    with served(folder, port) as pid:
        for draw in ("uniform", "zipf"):
            rows.append(single(pid, port, number, rate=2000, seconds=seconds, draw=draw))
        rows.append(with_hey(pid, port, number, rate=2000, seconds=max(seconds // 2, 3)))
        before = processor_time(pid)
        batches = 6 if quick else 40
        found = generated("batch", port, number, 5_000, batches)
        rows.append(
            {
                "what": "questions over HTTP in batches of 5,000, two at a time",
                "aim": "≥ 25,000 a second",
                "reached": f"{found['rate']:,.0f} a second",
                "note": f"server {(processor_time(pid) - before) / (batches + 1) / 5_000 * 1e6:.0f} µs of processor time each; "
                f"load {os.getloadavg()[0]:.1f}",
            }
        )
    rows.append(in_process(folder, number, 20_000 if quick else 200_000))
    rows.append(filtered(folder, number))
    return rows
