"""How long ten million assignments take, from a Parquet file to a Parquet file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from bisect import bisect_right
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq

NAME = "assignment"

# In a process of its own, so that the start of Python is not counted and the peak of memory is its own.
_RUN = """
import json, resource, sys
from pathlib import Path
from time import perf_counter
from primeta.experiments.assignment import Lottery
from primeta.experiments.audience import assign_file
options = json.loads(sys.argv[3])
cuts = options.pop("cuts", None)
options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
arms = (("control", .2), ("a", .4), ("b", .4))
begin, before = perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
done = assign_file(sys.argv[1], unit="customer_id", lottery=Lottery(salt="s", arms=arms, **options), out=sys.argv[2], cuts=cuts)
seconds = perf_counter() - begin
spent = resource.getrusage(resource.RUSAGE_SELF)
# ru_maxrss would be that of the process which started this one; VmHWM begins anew (Linux)
peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps({"seconds": seconds, "peak": peak, "cpu": spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime, "counts": done.ratio.counts}))
"""


def run(*, quick: bool) -> list[dict]:
    """Ten million customers with a region and a sum, or a tenth of that."""
    count = 1_000_000 if quick else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write(place / "in.parquet", count)
        rows = []
        for what, options, aim in (
            ("md5", {}, "< 5 s" if not quick else ""),
            ("GrowthBook's FNV-1a", {"hash": "fnv1a"}, ""),
            (
                "holdout, layer and ramp",
                {"holdout": 0.05, "layer": "l", "slots": [0.2, 0.9], "ramp": 0.5},
                "",
            ),
            ("50 strata, cut points made", {"strata": ["region"], "cuts": str(place / "cuts.json")}, ""),
            ("50 strata, cut points read", {"strata": ["region"], "cuts": str(place / "cuts.json")}, ""),
        ):
            out = place / ("out.parquet" if options else "plain.parquet")
            answer = subprocess.run(
                [sys.executable, "-c", _RUN, str(place / "in.parquet"), str(out), json.dumps(options)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            got = json.loads(answer)
            rows.append(
                {
                    "what": f"{count:,} assignments, {what}",
                    "aim": aim,
                    "reached": f"{got['seconds']:.1f} s",
                    "note": f"{got['cpu']:.1f} s of CPU, peak memory {got['peak']:,.0f} MB",
                }
            )
        peer = _plain_python(place / "in.parquet", place / "peer.parquet")
        arms = [pq.read_table(place / name, columns=["arm"]) for name in ("plain.parquet", "peer.parquet")]
        rows[0]["peer"] = f"plain Python and hashlib {peer:.1f} s"
        rows[0]["note"] += ", the same arms" if arms[0].equals(arms[1]) else ", OTHER ARMS"
    return rows


def _write(path: Path, count: int) -> None:
    """Parquet in pieces of a million rows."""
    with pq.ParquetWriter(
        path, pa.schema([("customer_id", pa.string()), ("region", pa.string()), ("spend", pa.float64())])
    ) as writer:
        for start in range(0, count, 1_000_000):
            numbers = range(start, min(start + 1_000_000, count))
            writer.write_table(
                pa.table(
                    {
                        "customer_id": [f"c{n:08d}" for n in numbers],
                        "region": [f"region {n * 7919 % 50}" for n in numbers],
                        "spend": [n % 1000 / 10 for n in numbers],
                    }
                )
            )


def _plain_python(source: Path, out: Path) -> float:
    """Seconds of the loop that one would write: pyarrow reads and writes, hashlib hashes."""
    begin = perf_counter()
    table = pq.read_table(source)
    names, ends = ("control", "a", "b"), [0.2, 0.2 + 0.4]
    arms, drawn = [], []
    for unit in table.column("customer_id").to_pylist():
        bucket = int(hashlib.md5(f"s:{unit}".encode()).hexdigest()[:13], 16) / 2**52
        drawn.append(bucket)
        arms.append(names[bisect_right(ends, bucket)])
    table = table.append_column("arm", pa.array(arms)).append_column("bucket", pa.array(drawn))
    pq.write_table(table, out)
    return perf_counter() - begin
