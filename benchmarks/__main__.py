"""`python -m benchmarks [NAME …] [--quick]`: run the benchmarks and print a table.

A benchmark is a module of this folder with `NAME` and `run(*, quick) -> list[dict]` whose rows
hold `what`, `aim`, `reached`, `peer`, `note`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it; before numpy is imported

import importlib
import pkgutil
import platform
import sys
import time
from importlib.metadata import version

import benchmarks

COLUMNS = ("what", "aim", "reached", "peer", "note")


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    modules = {
        module.NAME: module
        for entry in pkgutil.iter_modules(benchmarks.__path__)
        if not entry.name.startswith("_")
        and hasattr(module := importlib.import_module(f"benchmarks.{entry.name}"), "NAME")
    }
    if unknown := [name for name in wanted if name not in modules]:
        print(f"no benchmark {', '.join(unknown)}; expected some of {', '.join(modules)}", file=sys.stderr)
        return 2
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, numpy {version('numpy')}, "
        f"duckdb {version('duckdb')}, {'quick' if quick else 'full'} run\n"
    )
    for name in wanted or modules:
        started = time.perf_counter()
        rows = modules[name].run(quick=quick)
        print(f"## {name} ({time.perf_counter() - started:.0f} s)\n")
        print("| " + " | ".join(COLUMNS) + " |")
        print("|" + "---|" * len(COLUMNS))
        for row in rows:
            print("| " + " | ".join(str(row.get(column, "")) for column in COLUMNS) + " |")
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
