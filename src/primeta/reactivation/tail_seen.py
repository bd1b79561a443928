"""The seen part of rung 4: what each arm's customers brought as far as they were followed, per assigned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.reactivation.records import NAN, FollowUp

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Per assigned customer of one arm: money, revenue and orders, with the error of money that each bucket adds."""

    money: float
    parts: Floats
    """(B,)"""
    revenue: float
    orders: float
    by_block: Floats
    """(K,) money, of the observed part; (J,) of the modelled one."""
    by_block_parts: Floats
    """(B, K) or (B, J)"""
    doubt: float = 0.0
    """Money by which the model is known to miss, beyond chance."""


def observed(follow_up: FollowUp, arm: int) -> Part:
    """What was seen of everybody as far as he was followed, less contact."""
    sums = {name: table[0, arm] for name, table in follow_up.sums.items()}
    n = follow_up.n[0, arm]
    total = max(n.sum(), 1.0)
    at_risk = follow_up.at_risk[0, arm]
    lived = at_risk.sum(axis=0)
    width = np.diff(np.array(follow_up.edges, dtype=np.float64))

    # contact is owed by all, so each block's mean stands for those who have not lived through it too
    safe = np.where(lived > 0, lived, 1.0)
    contact = np.where(lived > 0, sums["contact"].sum(axis=0) / safe, NAN)
    contact_parts = (sums["contact"] - np.nan_to_num(contact) * at_risk) / safe
    known = np.flatnonzero(lived > 0)
    if len(known) and len(known) < len(contact):
        late = known[-max(1, len(known) // 3) :]
        contact = np.where(lived > 0, contact, contact[late].sum() / width[late].sum() * width)

    present = sums["present"]
    means = present.sum(axis=0) / total
    parts = (present - means * n[:, None]) / total
    missing = _between_edges(follow_up, arm)
    rate = np.where(lived > 0, present.sum(axis=0) / safe, 0.0)
    if len(known):
        rate = np.where(lived > 0, rate, rate[known[-1]] / width[known[-1]] * width)
    means = means + missing * rate / total - np.nan_to_num(contact)
    parts = parts - np.nan_to_num(contact_parts)
    return Part(
        money=float(means.sum()),
        parts=parts.sum(axis=1),
        revenue=float(sums["revenue"].sum() / total),
        orders=float(sums["orders"].sum() / total),
        by_block=means,
        by_block_parts=parts,
    )


def _between_edges(follow_up: FollowUp, arm: int) -> Floats:
    """(K,) customers, in shares of each block, who were followed into a block and not through it.

    Their sums end at the edge before; the rest is filled in by the block's mean.
    """
    edges = np.array(follow_up.edges, dtype=np.float64)
    own = follow_up.tail.arm == arm
    followed = np.minimum(follow_up.tail.followed[own], edges[-1])
    block = np.searchsorted(edges, followed, side="right") - 1
    into = block < len(edges) - 1
    block, followed, count = block[into], followed[into], follow_up.tail.count[own][into]
    share = (followed - edges[block]) / np.diff(edges)[block]
    return np.bincount(block, weights=count * share, minlength=len(edges) - 1).astype(np.float64)
