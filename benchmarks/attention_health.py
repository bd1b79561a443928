"""Whether the intervals of the health of the base hold what is true, in small worlds of three forms."""

from __future__ import annotations

import time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.attention_credit import FORMS, log_of
from primeta.attention.credit_fit import fit_credit
from primeta.attention.health import Share, health_of
from primeta.attention.records import Policy
from primeta.attention.report import latest
from primeta.worlds.attention import CHANNELS, simulate_attention

NAME = "attention-health"
CUSTOMERS = 400
WORLDS, QUICK = 20, 2
FIRST_SEED = 7_001


def tried(form: str, *, seed: int) -> list[dict[str, Any]]:
    """Mean credit and the share that no longer looks at the end of one world, by channel and (empty) over all pairs of
    customer and channel: what is told and what is true."""
    world = simulate_attention(form, customers=CUSTOMERS, seed=seed)
    log, _ = log_of(world)
    model, _ = fit_credit(log, rng=np.random.default_rng(seed))
    told = {
        entry.channel: entry for entry in latest(health_of(model, log, policy=Policy(), zone=ZoneInfo("UTC")))
    }
    here = np.zeros((world.customers, len(CHANNELS)), dtype=bool)
    here[log.customer, log.channel] = True
    here &= ~world.gone
    credit, blind = world.useful * (1 - world.useful_drive), np.isfinite(world.blind_since)
    found: list[dict[str, Any]] = []
    for place, channel in enumerate((*CHANNELS, "")):
        pairs = here if not channel else here & (np.arange(len(CHANNELS)) == place)
        for what, true, share in (
            ("credit", float(credit[pairs].mean()), told[channel].credit),
            ("blind", float(blind[pairs].mean()), told[channel].blind),
        ):
            found.append(
                {
                    "form": form,
                    "seed": seed,
                    "channel": channel,
                    "what": what,
                    "true": true,
                    "told": share,
                    "used": model.used,
                }
            )
    return found


def holds(share: Share, true: float) -> bool:
    return share.low <= true <= share.high


def run(*, quick: bool) -> list[dict[str, str]]:
    """20 worlds of each form (quick: 2), 400 customers, seeds from 7001 on; learnt anew in each."""
    began, rows = time.process_time(), []
    seeds = range(FIRST_SEED, FIRST_SEED + (QUICK if quick else WORLDS))
    for form in FORMS:
        told = [row for seed in seeds for row in tried(form, seed=seed)]
        for what in ("credit", "blind"):
            mine = [row for row in told if row["what"] == what]
            whole = [row for row in mine if not row["channel"]]
            error = float(np.mean([row["told"].value - row["true"] for row in whole]))
            wide = float(np.mean([row["told"].high - row["told"].low for row in whole]))
            covered = [np.mean([holds(row["told"], row["true"]) for row in part]) for part in (whole, mine)]
            rows.append(
                {
                    "what": f"{'mean credit' if what == 'credit' else 'share that no longer looks'}, {form}",
                    "aim": "95% interval holds the truth",
                    "reached": f"{covered[0]:.2f} of {len(whole)} worlds ({covered[1]:.2f} with channels apart)",
                    "peer": "",
                    "note": f"off by {error:+.4f} on average, the interval is {wide:.4f} wide, the truth "
                    f"{np.mean([row['true'] for row in whole]):.4f}",
                }
            )
    rows[-1]["note"] += f"; {time.process_time() - began:.0f} s of processor time in all"
    return rows
