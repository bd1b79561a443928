"""From p-values to e-values and to a list in which few are false."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def calibrated(p: Floats | float) -> Floats:
    """The e-value of a p-value: ∫₀¹ κ p^(κ−1) dκ = (1 − p + p·ln p) / (p·ln² p).

    Its mean is at most 1 wherever p is a p-value, so it may be averaged over dependent tests and used
    in e-BH. 1/2 at p = 1; p = .05 gives 1.8, .001 gives 21, 1e-6 gives 5,200.

    Source:
        Vovk & Wang (2021), Annals of Statistics 49, 1736, eq. 2.2.
    """
    p = np.clip(np.asarray(p, dtype=float), 1e-300, 1.0)
    log_p = np.log(np.minimum(p, 0.999))
    q = np.exp(log_p)
    return (1 - q + q * log_p) / (q * log_p**2)


def e_bh(e_values: Floats, *, share_false: float) -> npt.NDArray[np.bool_]:
    """Which of m hypotheses to reject so that at most `share_false` of the rejected are true on average.

    Holds under any dependence. e_values: (m,), NaN counts as no evidence.

    Source:
        Wang & Ramdas (2022), JRSS B 84, 822, section 3.
    """
    e = np.nan_to_num(e_values, nan=0.0)
    order = np.argsort(-e, kind="stable")
    ranks = np.arange(1, len(e) + 1)
    enough = np.flatnonzero(ranks * e[order] >= len(e) / share_false)
    rejected = np.zeros(len(e), dtype=bool)
    if len(enough):
        rejected[order[: enough[-1] + 1]] = True
    return rejected
