"""How long a scan of a whole panel takes."""

from __future__ import annotations

import resource
import time

import numpy as np

from primeta.signals.scan import scan_panel
from primeta.worlds.panel import PanelPlan, simulate_panel

NAME = "scan-speed"


def run(*, quick: bool) -> list[dict[str, str]]:
    """One panel of 100,000 × 156 (quick: 10,000), baselines, replicas and evidence included."""
    plan = PanelPlan(series=10_000 if quick else 100_000, groups=100)
    panel = simulate_panel(plan, rng=np.random.default_rng(1))
    began, busy = time.perf_counter(), time.process_time()
    scan_panel(panel.value, se=panel.se, group=panel.group, baseline=plan.baseline)
    wall, cpu = time.perf_counter() - began, time.process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [
        {
            "what": f"scan of {plan.series:,} × {plan.baseline + plan.promise}",
            "aim": "≤ 30 s on two cores (aim 5)" if not quick else "",
            "reached": f"{wall:.1f} s ({cpu:.1f} s of processor time)",
            "peer": "",
            "note": f"with all replicas; peak memory of the run {memory:.1f} GiB",
        }
    ]
