"""`primeta collect` killed at any moment and run again leaves what it would have left had nobody killed it."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from collect_sites import documents_of, still, web, workspace_at

from primeta.cli.app import run

MORE = '[sources.tickets]\nat = "data/*.csv"\nkind = "support"\n'
FEEDS = 6


class Command:
    """`primeta collect` in a process that can be killed: one of its own, or, where starts must be quick, a fork."""

    def __init__(self, folder: Path, *, forked: bool) -> None:
        arguments = ["collect", str(folder), "--force"]
        self._forked = (
            multiprocessing.get_context("fork").Process(target=run, args=(arguments,)) if forked else None
        )
        if self._forked is not None:
            self._forked.start()
            self.pid = self._forked.pid
            return
        command = [sys.executable, "-m", "primeta", *arguments]
        self._started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self._started.pid

    def is_alive(self) -> bool:
        return self._forked.is_alive() if self._forked is not None else self._started.poll() is None

    def kill(self) -> None:
        if self._forked is not None:
            self._forked.kill()
            self._forked.join()
            self._forked.close()
        else:
            self._started.kill()
            self._started.communicate()


def finish(folder: Path) -> None:
    # Nobody kills this one: it needs no process of its own, whose imports take longer than the collection.
    with pytest.raises(SystemExit) as left:
        run(["collect", str(folder), "--force"])
    assert not left.value.code


def made(folder: Path, place, rows: int) -> Path:
    for number in range(3):
        still(folder / "data", name=f"tickets{number}.csv", rows=rows, start=number * rows)
    return workspace_at(folder, place, feeds=FEEDS, more=MORE)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "raw").rglob("*.gz"))


def litter(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.suffix in (".part", ".tmp")]


def is_at_work(folder: Path, process: Command) -> bool:
    """Whether it holds the lock: before that, a kill ends nothing but imports."""
    path = folder / "collect.lock"
    return path.exists() and path.read_text() == str(process.pid)


def killed(tmp_path: Path, *, times: int, rows: int, seed: int, longest: float, forked: bool = False) -> None:
    with web(FEEDS) as place:
        calm = made(tmp_path / "calm", place, rows)
        finish(calm)
        troubled = made(tmp_path / "troubled", place, rows)
        dice = random.Random(seed)
        for _ in range(times):
            process = Command(troubled, forked=forked)
            while process.is_alive() and not is_at_work(troubled, process):
                time.sleep(0.01)
            time.sleep(dice.uniform(0.0, longest))
            process.kill()
        finish(troubled)
    undisturbed = documents_of(calm)
    # 12 texts a feed, the common one in two, and three files of tickets
    assert len(undisturbed) == 12 * FEEDS + 2 + 3 * rows
    assert documents_of(troubled) == undisturbed
    assert kept(troubled) == kept(calm)
    assert litter(troubled) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_killed_three_times(tmp_path):
    killed(tmp_path, times=3, rows=40, seed=1, longest=0.3, forked=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_killed_twelve_times(tmp_path, seed):
    killed(tmp_path, times=12, rows=3_000, seed=seed, longest=6)
