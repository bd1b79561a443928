"""How long looks at a running experiment take: the first, the next morning's, and one on the same facts.

`look` is a simulated company with an experiment of four arms on whom customers enter for ninety days, looked at
with twenty metrics. `scale` is the pass over the facts alone, on many more customers, with its peak of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

NAME = "look-speed"

# In processes of their own, so that the peak of memory is their own.
_LOOK = """
import json, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from primeta.warehouse.facts_store import load_facts
from primeta.workspace import open_workspace
ws = open_workspace(Path(sys.argv[1]))
facts = load_facts(ws.folder / "facts")
now = datetime.fromisoformat(sys.argv[2])
began = time.perf_counter()
found = ws.look("bench", now=now)
took = time.perf_counter() - began
again = []
for _ in range(9):
    began, busy = time.perf_counter(), time.process_time()
    ws.look("bench", now=now)
    again.append((time.perf_counter() - began, time.process_time() - busy))
wall, cpu = sorted(again)[4]
print(json.dumps({"first": took, "again": wall, "busy": cpu, "rows": len(found.analysis.effects), "days": len(found.entered.days),
                  "computed": found.work.computed, "kept": found.work.kept, "n": found.entered.total,
                  "orders": sum(part.rows for part in facts.parts["orders"])}))
"""

_SCALE = """
import json, resource, sys, time
from datetime import date
from pathlib import Path
from primeta.config import parse_config
from primeta.experiments.entering import draw_of, entering_of
from primeta.experiments.look import questions_of, wanted_sums
from primeta.experiments.records import Arm, Goal, Plan
from primeta.warehouse.duck import connect, run
from primeta.warehouse.experiment_sums import experiment_sums
from primeta.warehouse.exposures import enter
from primeta.warehouse.facts_store import Facts, Part
from primeta.warehouse.metrics import declared_metrics

folder, customers, orders = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
months = [f"{2023 + place // 12}-{place % 12 + 1:02d}" for place in range(36)]
if not (folder / "customers.parquet").exists():
    with connect() as con:
        run(con, "SET preserve_insertion_order = true")
        identity = "printf('%08d', {})"
        run(con, f"COPY (SELECT i::INTEGER AS customer, {identity.format('i')} AS customer_id, 'r' || i % 7 AS region "
                 f"FROM range({customers}) t(i)) TO '{folder}/customers.parquet' (FORMAT parquet)")
        for place, month in enumerate(months):
            n = orders // 36
            run(con, f"COPY (SELECT customer, {identity.format('customer')} AS customer_id, day, day::TIMESTAMP + INTERVAL 10 HOUR AS "
                     f"ordered_at, (10 + h % 90)::DECIMAL(18,4) AS revenue, 0::DECIMAL(18,4) AS discount, false AS is_return, "
                     f"o AS order_id FROM (SELECT o, hash(o) AS h, (hash(o * 7 + 1) % {customers})::INTEGER AS customer, "
                     f"DATE '{month}-01' + (hash(o * 3 + 2) % 28)::INTEGER AS day FROM range({place * n}, {place * n + n}) t(o)) "
                     f"ORDER BY customer_id, ordered_at) TO '{folder}/orders-{month}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    print("{}")
    sys.exit()
parts = tuple(Part(month=m, file=f"orders-{m}.parquet", rows=orders // 36, digest=m, last="") for m in months)
facts = Facts(folder=folder, version="1", seen_until=None, timezone="UTC", parts={"orders": parts}, customers_file="customers.parquet",
              customers=customers, attributes=("region",), attributes_version="1", complete={"orders": date(2026, 1, 1)})
config = parse_config("[workspace]\\nmargin = 0.25\\n", Path("primeta.toml"))
goals = tuple(Goal(metric=m, window_days=30, role="primary" if m == "revenue_per_customer" else "secondary")
              for m in ("revenue_per_customer", "orders_per_customer", "average_order_value", "conversion"))
plan = Plan(name="bench", hypothesis="", arms=tuple(Arm(name=n, share=0.25) for n in ("control", "a", "b", "c")), control="control",
            goals=goals, starts=date(2025, 6, 1), ends=date(2025, 9, 1), owner="", entry="arrival")
with connect() as con:
    began, busy = time.perf_counter(), time.process_time()
    entered = enter(con, facts, entering_of(plan), file=folder / "entered.parquet", today=date(2026, 1, 1), draw=draw_of(plan))
    took, entering = time.perf_counter() - began, time.process_time() - busy
    began, busy = time.perf_counter(), time.process_time()
    sums, work = experiment_sums(con, facts, entered, wanted_sums(plan, questions_of(plan, declared_metrics(config), config)))
    summed, summing = time.perf_counter() - began, time.process_time() - busy
print(json.dumps({"enter": took, "entering": entering, "sums": summed, "summing": summing, "n": entered.total, "rows": work.rows["orders"],
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}))
"""

_EXPERIMENT = """
[experiments.bench]
hypothesis = "four arms, ninety days, twenty metrics"
owner = "bench"
starts = {starts}
ends = {ends}
primary = "revenue_per_customer"
window_days = 30
metrics = [{metrics}]
[experiments.bench.arms]
control = 0.25
a = 0.25
b = 0.25
c = 0.25
"""


def _run(code: str, *arguments: object) -> dict:
    command = [sys.executable, "-c", code, *(str(argument) for argument in arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout or "{}")


def run(*, quick: bool) -> list[dict[str, str]]:
    """A company of 100,000 customers (quick: 10,000); a pass over 10 million with 100 million orders (quick: a tenth)."""
    return [*_looks(10_000 if quick else 100_000), *_scale(1_000_000 if quick else 10_000_000)]


def _looks(customers: int) -> list[dict[str, str]]:
    from datetime import UTC, datetime

    from primeta.config import load_config
    from primeta.warehouse.engine import open_warehouse
    from primeta.warehouse.facts_store import refresh_facts
    from primeta.warehouse.metrics import METRICS
    from primeta.workspace import open_workspace
    from primeta.worlds.company import simulate_company
    from primeta.worlds.company_files import write_company

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "company"
        world = simulate_company(customers=customers, seed=1, weeks=52)
        write_company(world, folder)
        starts = world.end - timedelta(days=125)
        rest = [metric.name for metric in METRICS if metric.name != "revenue_per_customer"]
        # as many as twenty with the primary: one more than there are, over another window
        rest = [*rest, "orders_per_customer:90"][:19]
        toml = folder / "primeta.toml"
        text = _EXPERIMENT.format(
            starts=starts, ends=starts + timedelta(days=90), metrics=", ".join(f'"{name}"' for name in rest)
        )
        toml.write_text(toml.read_text(encoding="utf-8") + text, encoding="utf-8")
        with open_warehouse(load_config(folder)) as warehouse:
            refresh_facts(warehouse)
        ws = open_workspace(folder)
        begins = datetime.combine(starts, datetime.min.time(), UTC)
        ws.sync_experiments(now=begins)
        ws.start_experiment("bench", by="bench", now=begins)
        day_before = _run(_LOOK, folder, (begins + timedelta(days=124)).isoformat())
        got = _run(_LOOK, folder, (begins + timedelta(days=125)).isoformat())
    about = f"{got['n']:,} customers on {got['days']} days, {got['rows']} effects; {got['orders']:,} orders in the facts"
    return [
        {
            "what": "first look: 4 arms, 90 days of entry, 20 metrics",
            "aim": "",
            "reached": f"{day_before['first']:.1f} s",
            "peer": "",
            "note": about,
        },
        {
            "what": "a later look from kept sums",
            "aim": "< 100 ms",
            "reached": f"{1000 * got['again']:.0f} ms ({1000 * got['busy']:.0f} ms of processor time)",
            "peer": "",
            "note": "state read, effects, decision, document; median of nine",
        },
    ]


def _scale(customers: int) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory() as place:
        _run(_SCALE, place, customers, 10 * customers)
        got = _run(_SCALE, place, customers, 10 * customers)
    return [
        {
            "what": f"one pass: {customers:,} customers, {10 * customers:,} orders, 4 CUPED metrics over 30 days",
            "aim": "",
            "reached": f"{got['sums']:.1f} s ({got['summing']:.1f} s of processor time)",
            "peer": "",
            "note": f"{got['n']:,} entered ({got['enter']:.1f} s to find out who and when, once; {got['entering']:.1f} s of processor time), {got['rows']:,} orders summed, "
            f"peak memory {got['peak']:.1f} GiB",
        }
    ]
