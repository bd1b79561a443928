"""How many customers a second can unsubscribe by the button of their mail program, each with an entry of the ledger."""

from __future__ import annotations

import http.client
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from primeta.attention.links import ONE_CLICK, Link
from primeta.workspace import open_workspace
from primeta.workspace.attention_links import LinkMaker
from primeta.workspace.create import create_workspace

NAME = "opt-outs"
CONNECTIONS = 16
FIRST = 300
"""Posts before the clock starts: the server draws its first chart meanwhile."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def run(*, quick: bool) -> list[dict[str, str]]:
    """20,000 customers (quick: 2,000), one POST each, over `primeta serve` on SQLite."""
    number = 2_000 if quick else 20_000
    with tempfile.TemporaryDirectory(prefix="primeta-opt-outs-") as folder:
        place = Path(folder) / "shop"
        create_workspace(place, name="shop", language="en", currency="EUR", timezone="UTC")
        ws = open_workspace(place)
        maker = LinkMaker(ws, now=datetime.now(UTC), base_url="http://127.0.0.1")
        began = time.perf_counter()
        addresses = [
            "/u/"
            + maker.sealer.token(
                Link(customer_id=f"c{n}", channel="email", message_id=f"m{n}", issued=maker.today)
            )
            for n in range(number + FIRST)
        ]
        sealed = time.perf_counter() - began
        took, waits = _post_all(place, addresses)
        with ws.database.read() as connection:
            kept = connection.exec_driver_sql("select count(*) from ledger where kind = 'consent'").scalar()
        whole = ws.verify_ledger(now=datetime.now(UTC)).ok
        ws.close()
    waits.sort()
    return [
        {
            "what": f"one-click opt-outs of {number:,} customers over HTTP",
            "aim": "500 a second",
            "reached": f"{number / took:,.0f} a second",
            "peer": "",
            "note": f"{CONNECTIONS} connections, generator on the same cores; half within {waits[number // 2] * 1e3:.0f} ms, "
            f"99% within {waits[int(number * 0.99)] * 1e3:.0f} ms; entries lost {number + FIRST - (kept or 0):,}, chain whole: {whole}",
        },
        {
            "what": f"links sealed one by one, {number:,}",
            "aim": "100,000 a second",
            "reached": f"{len(addresses) / sealed:,.0f} a second",
            "peer": "",
            "note": "one process",
        },
    ]


def _post_all(place: Path, addresses: list[str]) -> tuple[float, list[float]]:
    """Seconds in all, and of each answer."""
    port = 8291
    command = [sys.executable, "-m", "primeta", "serve", str(place), "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        server.stderr.readline()
        _wait_for(port)
        _post(port, addresses[:FIRST])
        began = time.perf_counter()
        waits = _post(port, addresses[FIRST:])
        return time.perf_counter() - began, waits
    finally:
        server.terminate()
        server.wait(10)


def _post(port: int, addresses: list[str]) -> list[float]:
    """Seconds of each answer."""
    queue, lock = iter(addresses), threading.Lock()
    waits: list[float] = []

    def send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                address = next(queue, None)
            if address is None:
                return
            began = time.perf_counter()
            line.request("POST", address, ONE_CLICK, FORM)
            answer = line.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} instead of 200")
            waits.append(time.perf_counter() - began)

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            time.sleep(0.1)
        else:
            return
