"""Farms on worlds whose farms are known: precision and recall, also where they hide a part of what they share."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from primeta.reactivation.farms import farms
from primeta.worlds.reactivation import simulate_reactivation
from primeta.worlds.reactivation_tables import farm_of, tables_of

NAME = "farms"
HIDDEN = (0.0, 0.5, 0.8)
"""Share of the farms' identities that are missing."""


def run(*, quick: bool) -> list[dict[str, Any]]:
    seeds, customers = (2, 4_000) if quick else (10, 12_000)
    rows = []
    for hidden in HIDDEN:
        right = flagged = there = honest = 0
        for seed in range(seeds):
            world = simulate_reactivation("farms", seed=seed, customers=customers)
            tables = tables_of(world)
            ids = np.array(world.customer_ids, dtype=object)
            truth = set(ids[farm_of(world) >= 0].tolist())
            identities = tables["identities"]
            own = np.array([name in truth for name in identities["customer_id"].to_pylist()])
            gone = own & (np.random.default_rng(seed).random(len(own)) < hidden)
            with TemporaryDirectory() as folder:
                out = Path(folder) / "farms.parquet"
                farms(
                    tables["orders"], identities.filter(~gone), customers=tables["customers"], until=world.until,
                    out=out,
                )  # fmt: skip
                found = set(pq.read_table(out)["customer_id"].to_pylist())
            right += len(found & truth)
            flagged += len(found)
            there += len(truth)
            honest += world.n - len(truth)
        rows.append(
            {
                "what": f"accounts of farms, {hidden:.0%} of what they share hidden",
                "aim": "no honest customer",
                "reached": f"recall {right / there:.3f}, precision {right / max(flagged, 1):.4f}",
                "note": f"{seeds} worlds of {customers:,}; {flagged - right} of {honest:,} honest customers called a farm's",
            }
        )
    return rows
