"""Totals over a window that has not passed for everybody: customers who came late are used as far as they go.

The window is cut into blocks of days. Each block's mean is taken over the customers who have lived through it,
and the means are added up. A customer who came late counts in the first blocks and is missing in the last, and
since the day of coming decides that, and nothing that he did, the sum is not biased by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.stats.effects import Influence, dust
from primeta.stats.moments import Moments

Floats = npt.NDArray[np.float64]
EDGES = (0, 1, 3, 7, 14, 30, 60, 90, 180, 365)
"""Days at which blocks begin and end: fine where cohorts are young, coarse where most of them are old."""


def block_edges(window_days: int) -> tuple[int, ...]:
    """Edges 0 … `window_days` of the blocks of a window; B + 1 of them."""
    return (*(edge for edge in EDGES if edge < window_days), window_days)


def blocks_seen(age_days: npt.ArrayLike, window_days: int) -> npt.NDArray[np.int64]:
    """How many blocks have wholly passed for cohorts of these ages (whole days)."""
    edges = np.array(block_edges(window_days)[1:])
    return np.searchsorted(edges, np.asarray(age_days), side="right").astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Staggered:
    """Influence of the estimates, customers that their precision is worth, and who has passed the whole window."""

    influence: Influence
    n_effective: Floats
    """(…, G): customers with a whole window who would give the same precision."""
    mature_share: Floats
    """(…,) of all customers."""


def staggered(
    cohorts: Moments,
    seen: Sequence[int] | npt.NDArray[np.int64],
    *,
    blocks: int,
    ratio: bool = False,
    q: int = 0,
) -> Staggered:
    """Means (or ratios) of totals over the window, from cohorts of different age.

    Args:
        cohorts: (…, G, C) arms × cohorts. Columns: the numerator in each of the B `blocks`, then, for a `ratio`,
            the denominator in each, then `q` covariates. Blocks that a cohort has not lived through are ignored.
        seen: (C,) blocks that have wholly passed for each cohort, 0 to B.
    Returns:
        NaN where no cohort of an arm has lived through the last block: then the window cannot be told yet.
    Source:
        Lin, Feuer, Etzioni & Wax (1997), "Estimating medical costs from incomplete follow-up data"; Bang & Tsiatis
        (2000), the partitioned estimator, here with censoring by the date of entry alone.
    """
    passed = np.asarray(seen)[:, None] > np.arange(blocks)[None, :]
    used = np.asarray(seen) > 0
    n = cohorts.n * used
    n_arm = n.sum(axis=-1)
    sides = 2 if ratio else 1
    mask = np.concatenate([passed] * sides, axis=1).astype(np.float64)
    width = blocks * sides
    mean = np.nan_to_num(cohorts.mean[..., :width])
    lived = np.einsum("...c,cb->...b", cohorts.n, mask)
    with np.errstate(divide="ignore", invalid="ignore"):
        block_mean = np.einsum("...c,cb,...cb->...b", cohorts.n, mask, mean) / np.where(
            lived > 0, lived, np.nan
        )
        weight = n_arm[..., None] / np.where(lived > 0, lived, np.nan)
        total = block_mean.reshape(*block_mean.shape[:-1], sides, blocks).sum(axis=-1)
        if ratio:
            bottom = np.where(total[..., 1] != 0, total[..., 1], np.nan)
            value = total[..., 0] / bottom
            scale = np.concatenate(
                [
                    np.repeat((1 / bottom)[..., None], blocks, -1),
                    np.repeat((-value / bottom)[..., None], blocks, -1),
                ],
                axis=-1,
            )
        else:
            value = total[..., 0]
            scale = np.ones_like(weight)
        gradient = np.nan_to_num((weight * scale)[..., None, :]) * mask
        apart = mean - np.nan_to_num(block_mean)[..., None, :]
        own = cohorts.scatter[..., :width, :width]
        within = np.einsum("...ci,...cij,...cj->...c", gradient, own, gradient)
        between = np.einsum("...ci,...ci->...c", gradient, apart)
        free = np.where(n_arm > 1, n_arm - 1, np.nan)
        variance = (within * used + n * between**2).sum(axis=-1) / free
        rounding = dust(gradient, n, mean, own).sum(axis=-1)
        variance = np.where(variance * free > rounding, variance, 0.0)

        x = cohorts.mean[..., width : width + q]
        x_mean = np.einsum("...c,...ci->...i", n, x) / np.maximum(n_arm, 1)[..., None]
        x_apart = x - x_mean[..., None, :]
        beside = np.einsum("...ci,...cij->...cj", gradient, cohorts.scatter[..., :width, width : width + q])
        with_x = (beside * used[:, None] + (n * between)[..., None] * x_apart).sum(axis=-2) / free[..., None]
        of_x = cohorts.scatter[..., width : width + q, width : width + q] * used[:, None, None]
        of_x = of_x + n[..., None, None] * x_apart[..., :, None] * x_apart[..., None, :]
        own_x = of_x.sum(axis=-3) / free[..., None, None]

        unknown = np.isnan(value) | (lived[..., :width] <= 0).any(axis=-1)
        variance = np.where(unknown, np.nan, variance)
        whole = np.asarray(seen) >= blocks
        full = _whole_variance(cohorts, whole, np.nan_to_num(scale), width)
        n_whole = (cohorts.n * whole).sum(axis=-1)
        worth = np.where(variance > 0, full / (variance / n_arm), n_arm)
        # before anybody has passed the window nothing is known of it, however many have entered
        worth = np.where(np.isnan(variance), n_whole, worth)
        n_effective = np.clip(np.where(np.isfinite(worth), worth, n_whole), n_whole, n_arm)
        everybody = cohorts.n.sum(axis=(-2, -1))
        share = n_whole.sum(axis=-1) / np.where(everybody > 0, everybody, np.nan)
    return Staggered(
        influence=Influence(
            n=n_arm,
            value=np.where(unknown, np.nan, value),
            variance=variance,
            with_covariates=with_x,
            covariates=own_x,
            covariate_mean=x_mean,
        ),
        n_effective=n_effective,
        mature_share=share,
    )


def _whole_variance(cohorts: Moments, whole: npt.NDArray[np.bool_], scale: Floats, width: int) -> Floats:
    """Variance of one customer's whole total among those whose window has passed: (…, G)."""
    n = cohorts.n * whole
    count = n.sum(axis=-1)
    mean = (
        np.einsum("...c,...ci->...i", n, np.nan_to_num(cohorts.mean[..., :width]))
        / np.maximum(count, 1)[..., None]
    )
    apart = np.einsum(
        "...ci,...i->...c", np.nan_to_num(cohorts.mean[..., :width]) - mean[..., None, :], scale
    )
    within = np.einsum("...i,...cij,...j->...c", scale, cohorts.scatter[..., :width, :width], scale)
    return (within * whole + n * apart**2).sum(axis=-1) / np.where(count > 1, count - 1, np.nan)
