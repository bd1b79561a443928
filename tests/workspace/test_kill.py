"""`primeta watch` killed at any moment and run again leaves the same state as if never killed."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from primeta.cli.app import run
from primeta.worlds.company import simulate_company
from primeta.worlds.company_files import write_company
from primeta.worlds.planted import Planted

WALL_CLOCK = {"runs": {"finished_at"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / "shop"
    planted = [
        Planted(name="dearer", kind="trend", parameter="price", factor=1.5, starts=date(2023, 10, 2)),
        Planted(name="rarer", kind="trend", parameter="order_rate", factor=0.6, starts=date(2023, 11, 6)),
    ]
    write_company(simulate_company(customers=600, seed=5, weeks=78, planted=planted), folder)
    return folder


def watch(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "primeta", "watch", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def state(folder: Path) -> dict[str, list[tuple]]:
    """Every row of the state but what the wall clock wrote."""
    connection = sqlite3.connect(folder / "state.sqlite")
    tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
    found = {}
    for table in tables:
        columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        kept = [name for name in columns if name not in WALL_CLOCK.get(table, ())]
        rows = connection.execute(f"select {', '.join(kept)} from {table}").fetchall()
        found[table] = sorted(rows, key=repr)
    connection.close()
    return found


def finish(folder: Path) -> None:
    process = watch(folder)
    _, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint.decode()


def leftovers(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*.tmp")]


@pytest.fixture(scope="module")
def never_killed(world, tmp_path_factory) -> tuple[dict, float]:
    folder = tmp_path_factory.mktemp("calm") / "shop"
    shutil.copytree(world, folder)
    started = time.perf_counter()
    finish(folder)
    seconds = time.perf_counter() - started
    found = state(folder)
    assert found["signals"], "the world holds planted trends: a watch that finds nothing proves nothing"
    return found, seconds


def killed_then_finished(world: Path, folder: Path, moments: list[float]) -> dict:
    shutil.copytree(world, folder)
    for moment in moments:
        process = watch(folder)
        time.sleep(moment)
        process.kill()
        process.communicate()
    # Nobody kills this one: it needs no process of its own, whose imports take longer than the watch.
    with pytest.raises(SystemExit) as left:
        run(["watch", str(folder)])
    assert not left.value.code
    return state(folder)


@pytest.mark.slow
def test_run_again_changes_nothing(world, never_killed, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(world, folder)
    finish(folder)
    finish(folder)
    assert state(folder) == never_killed[0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_many_times_at_random_moments(world, never_killed, tmp_path, seed):
    calm, seconds = never_killed
    dice = random.Random(seed)
    folder = tmp_path / "shop"
    found = killed_then_finished(world, folder, [dice.uniform(0.1, 1.1 * seconds) for _ in range(3)])
    assert found == calm
    assert leftovers(folder) == []


@pytest.mark.slow
def test_two_watches_at_once_the_second_is_told_who_is_there(world, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(world, folder)
    first = watch(folder)
    lock = folder / "watch.lock"
    while not lock.exists() or not lock.read_text():
        assert first.poll() is None
        time.sleep(0.01)
    second = watch(folder)
    _, complaint = second.communicate(timeout=60)
    assert second.returncode == 2
    assert str(first.pid) in complaint.decode()
    first.communicate(timeout=300)
    assert first.returncode == 0
