"""`primeta serve`: the address, the worker, the process as a whole on a real workspace."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from primeta.errors import BadInput
from primeta.web.serve import names_of, serve, work
from primeta.workspace import open_workspace
from primeta.workspace.create import create_workspace

ORDERS = """order_id,customer_id,ordered_at,revenue
1,a,2026-01-05,10
2,b,2026-01-06,12
3,a,2026-01-13,11
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace over three orders, before its first watch."""
    place = tmp_path / "shop"
    create_workspace(place, name="Shop & <Co>", language="ru", currency="RUB", timezone="Europe/Moscow")
    (place / "orders.csv").write_text(ORDERS, encoding="utf-8")
    settings = place / "primeta.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + '\n[tables.orders]\nfrom = "orders.csv"\n', encoding="utf-8")
    return place


def test_a_taken_port_is_one_clear_message(folder: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"cannot listen on 127.0.0.1:{port}.*another port"):
            serve(folder, port=port)


def test_others_may_ask_for_the_name_that_is_listened_on():
    assert names_of("127.0.0.1") == ()
    assert names_of("primeta.office") == ("primeta.office",)
    assert socket.gethostname() in names_of("0.0.0.0")


@pytest.mark.slow
def test_the_worker_takes_what_waits_and_says_how_it_ended(folder: Path):
    workspace = open_workspace(folder)
    job = workspace.start_job("watch", now=datetime.now(UTC))
    work(folder, once=True)
    ended = workspace.job(job.id)
    workspace.close()
    # Three orders are too few to watch, which is an answer and no accident: done, or failed with a reason.
    assert ended.state in ("done", "failed")
    assert ended.state == "done" or ended.message


def test_looking_at_nothing_and_checking_too_few_customers_are_answers(folder: Path):
    workspace = open_workspace(folder)
    look = workspace.start_job("look", now=datetime.now(UTC))
    check = workspace.start_job("certify", now=datetime.now(UTC))
    work(folder, once=True)
    assert workspace.job(look.id).state == "done"
    ended = workspace.job(check.id)
    assert ended.state in ("done", "failed")
    assert ended.state == "done" or ended.message
    workspace.close()


def test_an_experiment_that_cannot_be_looked_at_is_named(folder: Path):
    """Its days were cut in another zone than the workspace's now: the look of that one is refused."""
    workspace = open_workspace(folder)
    plan = workspace.plan_experiment(
        "letter",
        {
            "hypothesis": "h",
            "owner": "Anna",
            "starts": "2026-01-05",
            "ends": "2030-01-01",
            "primary": "orders_per_customer",
            "arms": {"control": 0.5, "letter": 0.5},
        },
    )
    workspace.declare_experiment(plan, by="Anna", now=datetime.now(UTC))
    workspace.start_experiment("letter", by="Anna", now=datetime.now(UTC))
    workspace.close()
    settings = folder / "primeta.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("Europe/Moscow", "Asia/Tokyo"), encoding="utf-8"
    )
    workspace = open_workspace(folder)
    job = workspace.start_job("look", now=datetime.now(UTC))
    work(folder, once=True)
    ended = workspace.job(job.id)
    assert ended.state == "failed"
    assert ended.message.startswith("letter: ")
    workspace.close()


def test_a_job_of_a_kind_that_nobody_knows_fails_visibly(folder: Path):
    workspace = open_workspace(folder)
    job = workspace.start_job("knit", now=datetime.now(UTC))
    work(folder, once=True)
    ended = workspace.job(job.id)
    assert ended.state == "failed"
    assert "does not know" in ended.message
    workspace.close()


@pytest.mark.slow
def test_the_whole_process_serves_pages_and_ends_when_told(folder: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "primeta", "serve", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True) as client:
            first = _first_answer(client, process)
            assert first.status_code == 200
            assert '<html lang="ru"' in first.text
            assert "Shop &amp; &lt;Co&gt;" in first.text
            token = client.cookies["primeta_csrf"]
            job = client.post("/watch", data={"csrf": token})
            assert re.fullmatch(r"/jobs/j-[0-9a-f]+", job.url.path)
            for _ in range(120):
                state = client.get(f"/api/v1{job.url.path}").json()["state"]
                if state not in ("waiting", "running"):
                    break
                time.sleep(0.5)
            assert state in ("done", "failed")
    finally:
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert "Traceback" not in complaints
    assert f"Примета: http://127.0.0.1:{port}/" in complaints


@pytest.mark.slow
def test_two_processes_answer_at_one_address_and_none_outlives_the_one_that_was_killed(folder: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "primeta", "serve", str(folder), "--port", str(port), "--processes", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    question = {"customer": "nobody", "channel": "push", "purpose": "offer"}
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=address) as client:
            _first_answer(client, process)
        beside: list[int] = []
        for _ in range(240):
            beside = [pid for pid in _children(process.pid) if _listens(pid, port)]
            if beside:
                break
            time.sleep(0.25)
        assert len(beside) == 1
        # While one of the two stands still, the other answers.
        os.kill(process.pid, signal.SIGSTOP)
        answered = 0
        for _ in range(60):
            with suppress(httpx.TransportError):
                answered += httpx.post(
                    f"{address}/api/v1/attention/may-send", json=question, timeout=1
                ).is_success
            if answered:
                break
        assert answered
    finally:
        process.kill()
        process.wait(10)
    for _ in range(120):
        if not any(_listens(pid, port) for pid in beside):
            break
        time.sleep(0.25)
    assert not any(_listens(pid, port) for pid in beside)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _listens(pid: int, port: int) -> bool:
    """Whether a process is there and holds the socket that listens at the port."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    try:
        return any(os.readlink(entry) in sockets for entry in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def _first_answer(
    client: httpx.Client, process: subprocess.Popen[str] | subprocess.Popen[bytes]
) -> httpx.Response:
    for _ in range(240):
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        try:
            return client.get("/")
        except httpx.TransportError:
            time.sleep(0.25)
    raise AssertionError("nobody answered within a minute")
