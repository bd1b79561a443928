"""How fast "may we send this?" is answered: over HTTP one by one at a fixed rate, in batches, over an audience file."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from primeta.attention.consents import Mark, Slot
from primeta.attention.credit_kept import pack_credit
from primeta.attention.fold import CustomerState, SeenTouch
from primeta.attention.records import Credit, Policy, Question
from primeta.store.attention_state import pack
from primeta.workspace import open_workspace
from primeta.workspace.create import create_workspace
from primeta.workspace.may_send import Desk

NAME = "may-send"
NOW = datetime.now(UTC).replace(microsecond=0)
POLICY = '\n[attention]\nquiet_hours = [22, 8]\ncaps = [{ max = 3, window = "7d" }, { max = 1, window = "1d", channel = "push" }]\n'
ZONES = ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Vladivostok", "Europe/Kaliningrad")
SERVER = """
import sys
from datetime import UTC, datetime
import uvicorn
from primeta.web.app import create_app
from primeta.workspace import open_workspace
app = create_app(open_workspace(sys.argv[1]), now=lambda: datetime.now(UTC))
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False, server_header=False)
"""


def customer(number: int, draw: random.Random) -> tuple[CustomerState, bytes]:
    """Consents on two channels, up to twenty touches; one in twenty opted out."""
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
    ws = open_workspace(folder)
    ws.close()
    draw = random.Random(1)
    base = [customer(n, draw) for n in range(min(number, 20_000))]
    packed = [(pack(state), credit) for state, credit in base]
    connection = sqlite3.connect(folder / "state.sqlite")
    connection.execute("pragma synchronous = off")

    def rows():
        for n in range(number):
            state, credit = packed[n % len(packed)]
            old = f'"i":"{n % len(packed)}"'.encode()
            yield str(n), 1, state.replace(old, f'"i":"{n}"'.encode(), 1), credit, ZONES[n % 4]

    connection.executemany(
        "insert into attention_states (customer_id, number, state, credit, zone) values (?, ?, ?, ?, ?)",
        rows(),
    )
    connection.commit()
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()


def processor_time(pid: int) -> float:
    """Seconds that a process has worked so far."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def over_http(folder: Path, number: int, *, rate: int, seconds: int, port: int) -> dict[str, float | str]:
    """hey with a fixed rate on the same machine; each of its workers asks of a customer of its own."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(folder), str(port)])
    try:
        import httpx

        url = f"http://127.0.0.1:{port}/api/v1/attention/may-send"
        for _ in range(200):
            try:
                httpx.post(url, json={"customer": "1", "channel": "push", "purpose": "offer"}, timeout=5)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        if shutil.which("hey") is None:
            return {"note": "hey is not installed (Debian: apt-get install hey)"}
        # hey sends one body: several run side by side, so that customers differ.
        before = processor_time(server.pid)
        share = 4
        workers = 5
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
        times, status = [], []
        for one in found:
            said, _ = one.communicate()
            for line in said.splitlines()[1:]:
                cells = line.split(",")
                times.append(float(cells[0]))
                status.append(cells[6])
        times.sort()
        return {
            "server_us": (processor_time(server.pid) - before) / len(times) * 1e6,
            "rate": len(times) / seconds,
            "p50": times[len(times) // 2] * 1000,
            "p99": times[int(len(times) * 0.99)] * 1000,
            "worst": times[-1] * 1000,
            "other": sum(code != "200" for code in status),
        }
    finally:
        server.terminate()
        server.wait()


def run(*, quick: bool) -> list[dict[str, str]]:
    """One million customers (quick: 50,000)."""
    number = 50_000 if quick else 1_000_000
    folder = Path(tempfile.mkdtemp(prefix="primeta-may-send-")) / "team"
    try:
        made(folder, number)
        rows = []
        http = over_http(folder, number, rate=2000, seconds=5 if quick else 20, port=18765)
        if "rate" in http:
            reached = (
                f"p99 {http['p99']:.2f} ms (p50 {http['p50']:.2f}, worst {http['worst']:.1f}) at {http['rate']:,.0f} a "
                f"second; {http['server_us']:.0f} µs of the server's processor time each; other than 200: {http['other']}"
            )
        else:
            reached = str(http["note"])
        rows.append(
            {"what": "one question over HTTP", "aim": "p99 ≤ 5 ms at 2,000 a second", "reached": reached}
        )
        ws = open_workspace(folder)
        desk = Desk(ws, now=NOW)
        draw = random.Random(2)
        asked = [
            Question(customer_id=str(draw.randrange(number)), channel="push", purpose="offer", at=NOW)
            for _ in range(20_000 if quick else 100_000)
        ]
        began, busy = time.perf_counter(), time.process_time()
        for at in range(0, len(asked), 5_000):
            desk.answers(asked[at : at + 5_000], now=NOW)
        wall, cpu = time.perf_counter() - began, time.process_time() - busy
        desk.close()
        rows.append(
            {
                "what": "questions in batches of 5,000, one process",
                "aim": "25,000 a second (two processes)",
                "reached": f"{len(asked) / wall:,.0f} a second; {len(asked) / cpu:,.0f} a second of processor time",
            }
        )
        audience, out = folder / "audience.csv", folder / "out.csv"
        with audience.open("w") as file:
            file.write("customer_id,city\n")
            file.writelines(f"{n},Moscow\n" for n in range(number))
        began = time.perf_counter()
        ws.filter_audience(
            audience, Question(customer_id="", channel="push", purpose="offer", at=NOW), out=out, now=NOW
        )
        wall = time.perf_counter() - began
        ws.close()
        rows.append(
            {
                "what": f"audience filter of {number:,} rows",
                "aim": "≤ 40 s for a million",
                "reached": f"{wall:.1f} s, {number / wall:,.0f} rows a second",
            }
        )
        return rows
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
