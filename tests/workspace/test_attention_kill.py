"""`attention sync` and `attention consents import` killed at any moment and run again leave what a calm run leaves."""

from __future__ import annotations

import dataclasses
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from primeta.attention.chain import check
from primeta.attention.fold import LONG_AGO, CustomerState
from primeta.store.attention_state import load_states
from primeta.store.ledger import BATCH, customers_in, each_entry, load_head
from primeta.workspace import open_workspace

COMMANDS = {"sync": ["sync", "."], "import": ["consents", "import", ".", "consents.csv"]}
CUSTOMERS, CONSENTS, KILLS = 70, 18_000, 3


def start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    whole = [sys.executable, "-m", "primeta", "attention", *command]
    return subprocess.Popen(whole, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(command: list[str], folder: Path) -> None:
    process = start(command, folder)
    _, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint.decode()


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / "shop"
    made = [sys.executable, "-m", "primeta", "world", str(folder), "--attention", "habit", "--seed", "5"]
    subprocess.run([*made, "--customers", str(CUSTOMERS)], check=True, capture_output=True)
    lines = ["customer_id,channel,processing,state,happened_at,text,surface"]
    for n in range(CONSENTS):
        state = ("given", "withdrawn", "given")[n % 3]
        lines.append(f"c{n // 3},push,marketing,{state},2026-01-{1 + n % 28:02}T10:00:00Z,I agree,checkout")
    (folder / "consents.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def calm(request, world, tmp_path_factory) -> tuple[list[str], list[tuple], dict[str, CustomerState]]:
    folder = tmp_path_factory.mktemp("calm") / "shop"
    shutil.copytree(world, folder)
    command = COMMANDS[request.param]
    finish(command, folder)
    entries, states = written(folder)
    assert len(entries) > 2 * BATCH, "killed between batches is what this is about"
    return command, entries, states


def entries_in(folder: Path) -> int:
    ws = open_workspace(folder)
    with ws.database.read() as connection:
        number = load_head(connection).number
    ws.close()
    return number


def written(folder: Path) -> tuple[list[tuple], dict[str, CustomerState]]:
    """Entries and states but for when they were learnt, which the clock says; the chain holds and has no gap."""
    ws = open_workspace(folder)
    with ws.database.read() as connection:
        entries = list(each_entry(connection))
        head = load_head(connection)
        states = load_states(connection, customers_in(connection))
    ws.close()
    found = check(entries, head=head)
    assert (found.ok, found.entries, head.number) == (True, len(entries), len(entries))
    told = sorted(
        (e.key, e.kind, e.customer_id, e.happened_at, repr(sorted(e.payload.items()))) for e in entries
    )
    return told, {name: dataclasses.replace(state, as_of=LONG_AGO) for name, state in states.items()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments_and_run_again_it_leaves_what_a_calm_run_leaves(
    world, calm, tmp_path, state_url, seed
):
    command, entries, states = calm
    folder = tmp_path / "shop"
    shutil.copytree(world, folder)
    if not state_url.startswith("sqlite"):
        with (folder / "primeta.toml").open("a") as file:
            file.write(f'\n[state]\nurl = "{state_url}"\n')
    dice, killed = random.Random(seed), 0
    open_workspace(folder).close()
    for kill in range(KILLS):
        # From so many entries on: at once, between two transactions, or somewhere later.
        least, later = (
            dice.randrange(len(entries) * (kill + 1) // KILLS),
            dice.choice([0, dice.uniform(0, 1)]),
        )
        process = start(command, folder)
        while process.poll() is None and entries_in(folder) < least:
            time.sleep(0.02)
        time.sleep(later)
        process.kill()
        process.communicate()
        killed += process.returncode == -9
    assert killed, "none was killed before it had finished: nothing is proven"
    finish(command, folder)
    assert written(folder) == (entries, states)
