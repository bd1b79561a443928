"""From an order log to all rungs of the ladder: wall time and memory, ten rows a customer, everybody assigned."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from primeta.warehouse import duck

NAME = "ladder speed"
ROWS_EACH = 10
AIMS = {1_000_000: "≤ 30 s", 10_000_000: "≤ 3 min, ≤ 12 GB"}
UNTIL = "2026-06-30"


def make_log(folder: Path, customers: int, *, seed: int = 1) -> None:
    """A log of `ROWS_EACH` rows a customer over two and a half years, and everybody assigned to one of three arms.

    Rows stand in no order at all: customers and times are drawn by hashes, as in an export by order id.
    """
    with duck.connect() as connection:
        rows = customers * ROWS_EACH

        def drawn(salt: int) -> str:
            return f"(hash(i * 31 + {seed * 1000 + salt}) % 1000003) / 1000003.0"

        duck.run(
            connection,
            f"COPY (SELECT i AS order_id, 'c' || (hash(i * 17 + {seed}) % {customers}) AS customer_id, "
            # More orders early than late: most customers fall silent.
            f"TIMESTAMP '2024-01-01' + to_seconds(floor(pow({drawn(1)}, 1.5) * 86400 * 911)) AS ordered_at, "
            f"round(5 - 40 * ln(1 - {drawn(2)}), 2)::DECIMAL(18, 2) AS revenue, "
            f"(CASE WHEN {drawn(3)} < .2 THEN round(20 * {drawn(4)}, 2) ELSE 0 END)::DECIMAL(18, 2) AS discount, "
            f"CASE WHEN {drawn(3)} < .05 THEN 'BACK' END AS promo_code FROM range({rows}) t(i)) "
            f"TO {duck.quoted(str(folder / 'orders.parquet'))} (FORMAT parquet)",
        )
        duck.run(
            connection,
            f"COPY (SELECT 'winback' AS experiment, 'c' || i AS customer_id, "
            f"CASE WHEN {drawn(5)} < .3 THEN 'control' WHEN {drawn(5)} < .65 THEN 'reminder' ELSE 'discount' END AS arm, "
            # They come in over three months, a year before the log's end.
            f"TIMESTAMP '2025-07-01 09:00' + to_days((90 * {drawn(6)})::INTEGER) AS assigned_at "
            f"FROM range({customers}) t(i)) TO {duck.quoted(str(folder / 'assignments.parquet'))} (FORMAT parquet)",
        )


def climb(folder: Path) -> dict[str, float]:
    """Everything from the files to the rungs, in a process of its own, so that its peak of memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ladder_speed", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(folder: Path) -> None:
    from primeta.reactivation.door import campaign_of, follow_given
    from primeta.reactivation.ladder import climb_ladder
    from primeta.reactivation.tail import rung_four

    campaign = campaign_of(
        control="control", until=UNTIL, margin=0.4, promo_code={"discount": "BACK"}, annual_discount=0.1
    )
    started = time.perf_counter()
    marks: list[tuple[str, float]] = []

    def step(name: str, done: int, total: int) -> None:
        marks.append((f"{name} {done}/{total}", time.perf_counter() - started))
        print(marks[-1], file=sys.stderr, flush=True)

    followed = follow_given(
        str(folder / "orders.parquet"), str(folder / "assignments.parquet"), campaign, progress=step
    )
    counted = time.perf_counter() - started
    rung4 = rung_four(followed)
    modelled = time.perf_counter() - started
    facts = climb_ladder(followed, rung4)
    whole = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "wall": whole,
        "sums": counted,
        "rung4": modelled - counted,
        "cpu": used.ru_utime + used.ru_stime,
        "peak_gb": used.ru_maxrss / 1e6,
        "rungs": float(sum(rung.low == rung.low for rung in facts.rungs)),
        "tail_rows": float(len(followed.tail.count)),
    }
    print(json.dumps(found))


def run_at(customers: int) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="primeta-ladder-") as place:
        folder = Path(place)
        make_log(folder, customers)
        found = climb(folder)
    return {
        "what": f"{customers * ROWS_EACH:,} rows of {customers:,} customers to all rungs",
        "aim": AIMS.get(customers, ""),
        "reached": f"{found['wall']:.0f} s, {found['peak_gb']:.1f} GB",
        "peer": "",
        "note": f"{found['cpu']:.0f} s of processor time; sums {found['sums']:.0f} s, rung 4 {found['rung4']:.0f} s on {found['tail_rows']:,.0f} states, "
        f"{found['rungs']:.0f} rungs with an interval",
    }


def run(*, quick: bool) -> list[dict[str, str]]:
    return [run_at(customers) for customers in ((100_000,) if quick else (1_000_000, 10_000_000))]


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
