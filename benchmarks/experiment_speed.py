"""One look at an experiment beside tea-tasting, on the same table of the same DuckDB file, in one run."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

NAME = "experiment speed"
METRICS = ("revenue", "orders", "margin", "active_days")
REPETITIONS = 7
AIM = 0.7


def run(*, quick: bool) -> list[dict[str, Any]]:
    """Four means with a covariate each; 10 million customers, a million when quick."""
    customers = 1_000_000 if quick else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.duckdb"
        _generate(path, customers)
        return _beside_tea_tasting(path, customers)


def _generate(path: Path, customers: int) -> None:
    """A row a customer: arm, four metrics and the same metrics of the month before."""
    import duckdb

    connection = duckdb.connect(str(path))

    def exponential(seed: int) -> str:
        # of the row's own hash, so that the table is the same everywhere
        return f"(-ln(1 - (hash(i * 64 + {seed}) >> 12)::DOUBLE / 4503599627370496))"

    connection.execute(
        "CREATE TABLE customers AS SELECT i AS customer_id, "
        "CASE WHEN hash(i * 64) % 2 = 0 THEN 'control' ELSE 'offer' END AS arm, "
        "level * 30 AS revenue_before, floor(rate * 2)::INTEGER AS orders_before, level * 9 + rate AS margin_before, "
        "floor(rate * 6)::INTEGER AS active_days_before, "
        "level * 20 + noise * 15 + (hash(i * 64) % 2) * 0.02 AS revenue, "
        "floor(rate + more * 1.5)::INTEGER AS orders, level * 6 + noise * 5 AS margin, "
        "floor(rate * 4 + more * 3)::INTEGER AS active_days "
        f"FROM (SELECT i, {exponential(1)} AS level, {exponential(2)} AS rate, {exponential(3)} AS noise, "
        f"{exponential(4)} AS more FROM range({customers}) t(i))"
    ).fetchall()
    connection.close()


def _beside_tea_tasting(path: Path, customers: int) -> list[dict[str, Any]]:
    import duckdb
    import ibis
    import tea_tasting

    from primeta.experiments.analyse import Rules, analyse

    connection = duckdb.connect(str(path), read_only=True)
    table = ibis.duckdb.from_connection(connection).table("customers")

    def ours() -> Any:
        return analyse(
            table,
            arm="arm",
            control="control",
            metrics={name: name for name in METRICS},
            covariates={name: f"{name}_before" for name in METRICS},
            rules=Rules(shares={"control": 0.5, "offer": 0.5}),
        )

    experiment = tea_tasting.Experiment(
        {name: tea_tasting.Mean(name, f"{name}_before") for name in METRICS}, variant="arm"
    )

    def theirs() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return experiment.analyze(table, control="control")

    found, peer = ours(), theirs()
    spent: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    # One after the other, so that whatever else the machine does meets both.
    for _ in range(REPETITIONS):
        spent["ours"].append(_seconds(ours))
        spent["theirs"].append(_seconds(theirs))
    connection.close()
    best, middle, work = (
        {name: take([value[at] for value in values]) for name, values in spent.items()}
        for take, at in ((min, 0), (statistics.median, 0), (min, 1))
    )
    return [
        {
            "what": f"{customers:,} customers × {len(METRICS)} CUPED means, one look",
            "aim": f"≤ {AIM} of the peer's time",
            "reached": f"{best['ours'] / best['theirs']:.2f} (fastest), {middle['ours'] / middle['theirs']:.2f} (median): "
            f"{best['ours']:.2f} s, {middle['ours']:.2f} s; {work['ours'] / work['theirs']:.2f} of the processor time",
            "peer": f"tea-tasting {version('tea-tasting')}: {best['theirs']:.2f} s, {middle['theirs']:.2f} s",
            "note": f"{REPETITIONS} each, in turn; DuckDB {version('duckdb')}, {os.cpu_count()} cores; ours also checks "
            f"that no value is missing or infinite, the arms' sizes, and decides",
        },
        {
            "what": "the same numbers",
            "aim": "",
            "reached": _agreement(found, peer),
            "peer": "",
            "note": "largest deviation over the metrics, in standard errors of the difference; tea-tasting takes its "
            "slope from all customers together, Primeta from within the arms",
        },
    ]


def _agreement(found: Any, peer: Any) -> str:
    """How far differences, errors and p-values lie apart."""
    apart = {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 0.0}
    theirs = {"difference": "effect_size", "low": "effect_size_ci_lower", "high": "effect_size_ci_upper"}
    for effect in found.effects:
        other = peer[effect.metric]
        for name, its in theirs.items():
            apart[name] = max(apart[name], abs(getattr(effect, name) - getattr(other, its)) / effect.se)
        apart["p"] = max(apart["p"], abs(effect.p - other.pvalue))
    return (
        f"difference {apart['difference']:.0e} se, bounds {max(apart['low'], apart['high']):.0e} se, "
        f"p {apart['p']:.0e}"
    )


def _seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """By the clock, and of the processor over all threads, which other programs disturb less."""
    begin, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - busy
