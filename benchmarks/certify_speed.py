"""How long a certificate takes: A/A splits of a base, and the whole of what `primeta certify` tries."""

from __future__ import annotations

import math
import resource
import time

import numpy as np

from primeta.experiments import certify as made
from primeta.experiments.certify import Asked, Sample, certify

NAME = "certify-speed"
SPLITS = 1_000


def base(n: int, *, seed: int = 1) -> tuple[Sample, Sample]:
    """Revenue per customer with last month's as covariate, and a conversion that repeats itself."""
    rng = np.random.default_rng(seed)
    habit = rng.gamma(0.5, 2.0, n)
    revenue = [rng.poisson(habit) * rng.lognormal(3.0, 1.0, n) for _ in range(2)]
    bought = [(rng.random(n) < 1 - np.exp(-0.2 * habit)).astype(float) for _ in range(2)]
    return (
        Sample(name="revenue", numerator=revenue[0], denominator=None, before=revenue[1][:, None], smallest=0.02),
        Sample(
            name="conversion", numerator=bought[0], denominator=None, before=bought[1][:, None], smallest=0.02,
            share=True,
        ),
    )  # fmt: skip


def whole_base(samples: tuple[Sample, ...], asked: Asked) -> list[float]:
    """False positives of each metric over splits of everybody, and nothing else."""
    found = []
    for sample in samples:
        metric = made._Metric(sample, asked)
        runs = made._Runs(metric, metric.n, asked, math.inf, (), looks=0)
        found.append(runs.false_positives())
    return found


def run(*, quick: bool) -> list[dict[str, str]]:
    """100,000 customers × 2 metrics × 1,000 splits (quick: a tenth of the customers)."""
    n = 10_000 if quick else 100_000
    samples = base(n)
    whole_base(base(1_000), Asked(splits=100))  # imports, threads
    rows = []
    for what, aim, work in (
        (
            f"{SPLITS:,} A/A splits of {n:,} customers × 2 metrics, with CUPED",
            "< 10 s on two cores" if not quick else "",
            lambda: whole_base(samples, Asked(splits=SPLITS)),
        ),
        (
            f"`certify`, the same, {SPLITS:,} splits at each of its sizes, two planted effects, 20 looks",
            "",
            lambda: certify(samples, Asked(splits=SPLITS, looks=20)),
        ),
    ):
        began, busy = time.perf_counter(), time.process_time()
        found = work()
        wall, cpu = time.perf_counter() - began, time.process_time() - busy
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        shares = found if isinstance(found, list) else [entry.top.false_positives for entry in found.metrics]
        rows.append(
            {
                "what": what,
                "aim": aim,
                "reached": f"{wall:.1f} s ({cpu:.1f} s of processor time)",
                "peer": "",
                "note": f"false alarms {', '.join(f'{share:.1%}' for share in shares)}; peak memory {memory:.1f} GiB",
            }
        )
    return rows
