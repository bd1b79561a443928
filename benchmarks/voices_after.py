"""What customers did after they spoke of a theme: how often a theme without effect is told to have one, and a planted one."""

from __future__ import annotations

import numpy as np

from primeta.workspace.voices_compared import Compared, coded, silence_band, value_band

NAME = "voices-after"

CUSTOMERS = 2_500
THEMES = 10
YEAR, WINDOW = 365.0, 90.0
MEAN_ORDERS = 4.0
"""A year and customer; customers differ (gamma of shape 1.5), and a quarter of them stop for good at some time."""


def made(
    rng: np.random.Generator, *, effect: float = 1.0, customers: int = CUSTOMERS
) -> tuple[Compared, np.ndarray]:
    """A shop of two years whose customers speak in its second one; and by how much theme 0 lowered the share that returned.

    Who orders more speaks more; what he speaks of depends on what he has spent and how long he has been silent, and he
    comes back to it. Theme 0 multiplies the rate of orders within the window by `effect`; the others do nothing.
    """
    rate = rng.gamma(1.5, MEAN_ORDERS / 1.5, customers) / YEAR
    leaves = np.where(rng.random(customers) < 0.25, rng.uniform(0, 2 * YEAR, customers), np.inf)
    favourite = rng.integers(0, THEMES, customers)
    number = rng.poisson(rate * 2 * YEAR)
    who = np.repeat(np.arange(customers), number)
    at = rng.uniform(0, 2 * YEAR, len(who))
    alive = at < leaves[who]
    who, at = who[alive], at[alive]
    revenue = rng.lognormal(3, 0.6, len(who))
    speaks = rng.poisson(0.4 + 0.4 * rate * YEAR)
    speaker = np.repeat(np.arange(customers), speaks)
    said_at = np.floor(rng.uniform(YEAR, 2 * YEAR - WINDOW, len(speaker)))
    order = np.lexsort((said_at, speaker))
    speaker, said_at = speaker[order], said_at[order]
    month = (said_at // 30).astype(int)
    first = np.ones(len(speaker), dtype=bool)
    first[1:] = (speaker[1:] != speaker[:-1]) | (month[1:] != month[:-1])
    speaker, said_at = speaker[first], said_at[first]
    silent, value = np.full(len(speaker), np.nan), np.zeros(len(speaker))
    starts = np.searchsorted(np.sort(who), np.arange(customers + 1))
    own = np.lexsort((at, who))
    at, revenue = at[own], revenue[own]
    after = np.zeros(len(speaker))
    for row, (person, moment) in enumerate(zip(speaker, said_at, strict=True)):
        mine = slice(starts[person], starts[person + 1])
        times = at[mine]
        before = times <= moment
        if before.any():
            silent[row] = moment - times[before].max()
        value[row] = revenue[mine][before & (times > moment - YEAR)].sum()
        after[row] = ((times > moment) & (times <= moment + WINDOW)).sum()
    silence, worth = silence_band(silent), value_band(value)
    said = np.zeros((len(speaker), THEMES), dtype=bool)
    for theme in range(THEMES):
        chance = (
            0.05
            + 0.03 * (worth == theme % 4)
            + 0.03 * (silence == theme % 6)
            + 0.25 * (favourite[speaker] == theme)
        )
        said[:, theme] = rng.random(len(speaker)) < chance
    thinned = rng.binomial(after.astype(int), effect) if effect < 1 else after
    lowered = (thinned > 0).astype(float) - (after > 0)
    orders = np.where(said[:, 0], thinned, after)
    drops = rng.random(customers)
    opted = (rng.random(len(speaker)) < 0.03 + 0.05 * (drops[speaker] > 0.9)).astype(float)
    compared = Compared(
        said=said,
        stratum=coded(list(zip((said_at // 91).tolist(), silence.tolist(), worth.tolist(), strict=True))),
        customer=coded(speaker.tolist()),
        outcomes={"returned": (orders > 0).astype(float), "orders": orders.astype(float), "opted_out": opted},
    )
    return compared, lowered[said[:, 0]]


def measured(seeds: range, *, effect: float, customers: int = CUSTOMERS) -> dict[str, float]:
    """Over seeds: how often any interval of a theme without effect leaves out zero, how many of all do; of theme 0 the
    mean difference, the true one, how often its interval holds it and leaves out zero."""
    any_false = false = comparisons = 0
    differences, truths, held, seen = [], [], [], []
    for seed in seeds:
        compared, lowered = made(np.random.default_rng(seed), effect=effect, customers=customers)
        after, _ = compared.all(window_days=int(WINDOW))
        nothing = [
            one
            for theme, told in enumerate(after)
            for one in told
            if not one.why_not and (theme or effect == 1)
        ]
        wrong = sum(one.low > 0 or one.high < 0 for one in nothing)
        any_false, false, comparisons = any_false + bool(wrong), false + wrong, comparisons + len(nothing)
        returned = next(one for one in after[0] if one.outcome == "returned")
        if not returned.why_not:
            differences.append(returned.difference)
            truths.append(float(lowered.mean()))
            held.append(returned.low <= truths[-1] <= returned.high)
            seen.append(returned.high < 0)
    return {
        "any_false": any_false / len(seeds), "false": false / max(1, comparisons), "comparisons": comparisons,
        "difference": float(np.mean(differences)), "truth": float(np.mean(truths)), "held": float(np.mean(held)),
        "seen": float(np.mean(seen)),
    }  # fmt: skip


def run(*, quick: bool) -> list[dict[str, str]]:
    """500 shops without effect (quick: 20), and 200 in which a theme halves the orders of 90 days (quick: 10)."""
    null = measured(range(20 if quick else 500), effect=1.0)
    planted = measured(range(10_000, 10_010 if quick else 10_200), effect=0.5)
    return [
        {
            "what": "a theme that does nothing is told to go with a difference",
            "aim": "in at most 5% of shops, all themes together",
            "reached": f"{null['any_false']:.1%} of shops",
            "peer": "",
            "note": f"{null['false']:.2%} of {null['comparisons']:,} intervals; adjusted over all that are shown",
        },
        {
            "what": "a theme after which orders are halved for 90 days",
            "aim": "the true difference lies in the interval in 95% of shops or more",
            "reached": f"{planted['held']:.1%}; told in {planted['seen']:.0%}",
            "peer": "",
            "note": f"mean difference {100 * planted['difference']:.1f} points, true {100 * planted['truth']:.1f}",
        },
    ]
