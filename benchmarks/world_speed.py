"""How long a simulated company takes, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "simulated company"

# In a process of its own, so that the peak of memory is its own.
_RUN = """
import json, resource, sys, time
from pathlib import Path
from primeta.worlds.company import simulate_company
from primeta.worlds.company_files import write_company
begin = time.perf_counter()
made = write_company(simulate_company(customers=int(sys.argv[2]), seed=1), Path(sys.argv[1]))
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak": peak, "rows": sum(made.rows.values()), "orders": made.rows["orders"]}))
"""


def run(*, quick: bool) -> list[dict]:
    """One company written to disk: a million customers, or a tenth of that."""
    customers = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "world"
        output = subprocess.run(
            [sys.executable, "-c", _RUN, str(target), str(customers)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        size = sum(file.stat().st_size for file in target.rglob("*.parquet")) / 1e6
    got = json.loads(output)
    return [
        {
            "what": f"a company of {customers:,} customers, 156 weeks, written as Parquet",
            "aim": "about 60 s for 1,000,000",
            "reached": f"{got['seconds']:.1f} s",
            "peer": "",
            "note": f"{got['orders']:,} orders, {got['rows']:,} rows in all, {size:,.0f} MB, "
            f"peak memory {got['peak']:,.0f} MB",
        }
    ]
