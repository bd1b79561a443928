"""How fast short texts get from a file into a workspace, with the story that each tells; then a day's more of them."""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.duplicates import made
from primeta.workspace import open_workspace

NAME = "collect-speed"

TOML = '[workspace]\nname = "shop"\n[sources.tickets]\nat = "data/*.csv"\nkind = "support"\n'
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def write(folder: Path, name: str, number: int, *, since: datetime, rng: np.random.Generator) -> None:
    """A file of tickets, four and a half minutes apart, a tenth of them copies of earlier ones."""
    texts, _ = made(number, rng=rng)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "text", "said_at", "customer_id"])
        for i, text in enumerate(texts):
            at = since + timedelta(minutes=4.5 * i)
            table.writerow([f"{name}-{i}", text, at.strftime("%Y-%m-%d %H:%M:%S"), f"c{i % 5000}"])


def run(*, quick: bool) -> list[dict[str, str]]:
    """100,000 texts (quick: 10,000), then a day of 10,000 (quick: 1,000) on top."""
    number = 10_000 if quick else 100_000
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "data").mkdir()
        (folder / "primeta.toml").write_text(TOML, encoding="utf-8")
        ws = open_workspace(folder)
        taken: list[tuple[float, float, int]] = []
        for name, texts, since in (
            ("first.csv", number, datetime(2026, 1, 1, tzinfo=UTC)),
            ("day.csv", number // 10, datetime(2026, 10, 1, tzinfo=UTC)),
        ):
            write(folder / "data", name, texts, since=since, rng=rng)
            began, busy = time.perf_counter(), time.process_time()
            report = ws.collect(now=NOW, force=True)
            taken.append((time.perf_counter() - began, time.process_time() - busy, report.new))
        ws.close()
    (wall, cpu, new), (day, day_cpu, more) = taken
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [
        {
            "what": f"{new:,} short texts from a CSV file into the workspace, copies found",
            "aim": "",
            "reached": f"{wall:.0f} s ({cpu:.0f} s of processor time)",
            "peer": "",
            "note": f"then a day of {more:,}: {day:.1f} s ({day_cpu:.1f} s); peak memory {memory:.1f} GiB",
        }
    ]
