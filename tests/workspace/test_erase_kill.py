"""An erasure that is killed at any moment is finished by the same command; until then no receipt says that it is done."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time

import pytest
from rights_shop import IVAN, NOW, built_shop, traces

from primeta.store.erasure import unfinished_erasures
from primeta.workspace import erase as steps
from primeta.workspace import open_workspace
from primeta.workspace.receipts import receipts, verify_receipt

COMMAND = [sys.executable, "-m", "primeta", "attention", "erase"]


@pytest.fixture(scope="module")
def built():
    return built_shop()


class Killed(BaseException):
    """What a kill is to a process: nothing after it is done."""


@pytest.mark.parametrize(
    "place",
    [
        "forget_copies",
        "end_erasure",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("forget_in_facts", "forget_in_file", "forget_cache", "write_receipt")
        ),
    ],
)
def test_broken_off_before_any_step_it_is_finished_by_the_same_call(built, tmp_path, monkeypatch, place):
    shutil.copytree(built, tmp_path / "shop")
    ws = open_workspace(tmp_path / "shop")
    real, calls = getattr(steps, place), []

    def kill(*given, **options):
        # Counting before the state is touched is no step.
        if options.get("only_count"):
            return real(*given, **options)
        calls.append(place)
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(steps, place, kill)
        ws.erase(IVAN, now=NOW, by="Olga", reason="asked")
    assert calls
    with ws.database.read() as connection:
        assert unfinished_erasures(connection) != ()
    if place == "end_erasure":
        (file,) = (ws.folder / "receipts").glob("*.json")
        assert verify_receipt(ws, file).faults == ("unfinished",)
    else:
        assert receipts(ws) == ()
    done = ws.erase(IVAN, now=NOW, by="Olga", reason="asked")
    assert done.erased.resumed
    assert done.as_dict()["copies"]["messages"] == 30
    assert traces(ws.folder) == {}
    (file,) = (ws.folder / "receipts").glob("*.json")
    assert verify_receipt(ws, file, customer_id=IVAN).ok
    ws.close()


@pytest.mark.slow
def test_killed_at_random_it_ends_with_one_true_receipt(built, tmp_path):
    rng = random.Random(4)
    for turn in range(8):
        shop = tmp_path / f"shop-{turn}"
        shutil.copytree(built, shop)
        given = [*COMMAND, str(shop), "--customer", IVAN, "--reason", "asked", "--yes"]
        for _ in range(3):
            running = subprocess.Popen(given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.3, 2.5))
            running.kill()
            running.wait()
            ws = open_workspace(shop)
            for file in (shop / "receipts").glob("*.json"):
                # What says that it is done is done.
                if verify_receipt(ws, file).ok:
                    assert traces(shop) == {}
            ws.close()
        subprocess.run(given, check=True, stdout=subprocess.DEVNULL)
        assert traces(shop) == {}
        ws = open_workspace(shop)
        assert ws.verify_ledger(now=NOW).ok
        assert all(verify_receipt(ws, file).ok for file in (shop / "receipts").glob("*.json"))
        ws.close()
