"""An opt-out that was answered is in the ledger, also where the server is killed the moment after."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from primeta.attention.links import Link
from primeta.workspace import open_workspace
from primeta.workspace.attention_ledger import customer_entries
from primeta.workspace.attention_links import LinkMaker

CUSTOMERS = 3_000


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


@pytest.mark.slow
def test_no_answered_opt_out_is_lost_by_a_kill(tmp_path: Path):
    (tmp_path / "primeta.toml").write_text('[workspace]\nname = "Tea"\n', encoding="utf-8")
    ws = open_workspace(tmp_path)
    now = datetime.now(UTC)
    maker = LinkMaker(ws, now=now, base_url="https://mail.tea.example")
    tokens = {
        f"c{n}": maker.sealer.token(Link(customer_id=f"c{n}", channel="email", issued=maker.today))
        for n in range(CUSTOMERS)
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "primeta", "serve", str(tmp_path), "--port", str(port)],
        stderr=subprocess.DEVNULL,
    )
    answered: set[str] = set()
    waiting = iter(tokens.items())
    lock = threading.Lock()

    def send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while True:
            with lock:
                customer, token = next(waiting, ("", ""))
            if not customer:
                return
            try:
                line.request("POST", f"/u/{token}", "List-Unsubscribe=One-Click")
                answer = line.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                answered.add(customer)

    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        while len(answered) < 150 and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        children = children_of(server.pid)
        server.kill()
        for thread in threads:
            thread.join()
    finally:
        server.kill()
        server.wait()
    # Nor does its worker go on alone beside that of the next server.
    for _ in range(100):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            break
        time.sleep(0.1)
    assert children
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert 150 <= len(answered) < CUSTOMERS
    kept = {customer for customer in tokens if customer_entries(ws, customer)}
    assert answered <= kept
    assert all(len(customer_entries(ws, customer)) == 1 for customer in kept)
    assert ws.verify_ledger(now=datetime.now(UTC)).ok
    ws.close()
