"""Accounts that share a phone, a device, an address or a payment: which of them look like one person behind many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Reason = Literal["shares", "codes", "burst", "large"]
SMALLEST = 4
"""Accounts that make a cluster worth a look: families share phones and addresses too, rarely among four accounts."""
WIDE = 50
"""A value that more accounts share joins nobody by itself: a shop's phone, a block of flats, a placeholder."""
LARGE = 12
"""From so many accounts on no household explains them, whatever they buy."""
BURST_DAYS = 3
CODE_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accounts:
    """N accounts that share something, as the engine counted them; times in days since 1970, NaN where unknown."""

    customer: npt.NDArray[np.object_]
    orders: Ints
    code_orders: Ints
    """Orders with any promo code."""
    revenue: Floats
    discount: Floats
    born: Floats
    """Registration, else first order."""
    first: Floats
    last: Floats

    @property
    def only_codes(self) -> npt.NDArray[np.bool_]:
        """Accounts of one or two orders, each with a code: what a farm's account looks like."""
        return (self.orders > 0) & (self.orders <= 2) & (self.code_orders == self.orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Accounts joined by shared identities, and why they look like one person's."""

    cluster: str
    """Its name in pages, g1, g2 …: no customer's id. Ids stand in the exported file alone."""
    members: tuple[int, ...]
    """Places in `Accounts`."""
    customers: int
    orders: int
    revenue: float
    discount: float
    only_codes: int
    """Accounts that ordered once or twice, each time with a code."""
    kinds: tuple[str, ...]
    """What they share: phone, device, address, payment …"""
    values: int
    """Shared values."""
    burst: int
    """Most accounts made within three days."""
    burst_p: float
    """Of a burst so dense by chance, given how many accounts were made in those weeks at all."""
    reasons: tuple[Reason, ...]
    born_first: date | None
    born_last: date | None

    @property
    def farm(self) -> bool:
        """Sharing alone convicts nobody: a second reason is needed."""
        return len(self.reasons) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wide:
    """A value that too many accounts share to join them by it alone."""

    kind: str
    accounts: int
    only_codes: int


def components(account: Ints, value: Ints, *, accounts: int, values: int) -> Ints:
    """Number of the connected component of each account, over shared values.

    Args:
        account, value: (E,) each pair that belongs together.
        accounts, values: How many there are.
    Returns:
        (accounts,) labels; an account that shares nothing is a component of its own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    total = accounts + values
    graph = coo_array(
        (np.ones(len(account), dtype=np.int8), (account, value + accounts)), shape=(total, total)
    )
    return connected_components(graph, directed=False)[1][:accounts].astype(np.int64)


def densest(born: Floats, *, days: float = BURST_DAYS) -> tuple[int, float]:
    """Most of these moments within `days`, and where that stretch begins (NaN where there is none)."""
    moments = np.sort(born[np.isfinite(born)])
    if not len(moments):
        return 0, float("nan")
    ahead = np.searchsorted(moments, moments + days, side="left") - np.arange(len(moments))
    at = int(np.argmax(ahead))
    return int(ahead[at]), float(moments[at])


def burst_p(found: int, size: int, near: float) -> float:
    """How likely `found` of `size` accounts fall into one stretch if each were made whenever all accounts were.

    Args:
        near: Share of all accounts that were made within such a stretch around this one.
    Returns:
        A bound: each account may begin the stretch, and the others fall into it independently (Bonferroni over
        the beginnings; exact binomial tail).
    """
    from scipy.special import bdtrc

    if found < 2:
        return 1.0
    return float(min(1.0, size * bdtrc(found - 2, size - 1, min(1.0, near))))


def find_clusters(
    accounts: Accounts,
    *,
    account: Ints,
    value: Ints,
    kind: npt.NDArray[np.object_],
    born: Floats,
    smallest: int = SMALLEST,
    wide: int = WIDE,
    error: float = 0.05,
) -> tuple[tuple[Cluster, ...], tuple[Wide, ...]]:
    """Clusters of at least `smallest` accounts, those with most reasons first, and values too common to join by.

    A value shared by more than `wide` accounts joins them only if most of them look like a farm's accounts: then
    it is no shop's phone but one person's.

    Args:
        account, value: (E,) distinct pairs: an account has a value; values are numbered 0 … V − 1.
        kind: (V,) what each value is.
        born: When every account of the base was made, also those that share nothing, in days since 1970, sorted.
        error: Chance that any cluster's accounts at all are called a burst where all were made independently.
    Returns:
        Clusters, and the values left aside.
    """
    if not len(account):
        return (), ()
    count = np.bincount(value, minlength=len(kind))
    coded = accounts.only_codes
    alike = np.bincount(value, weights=coded[account].astype(np.float64), minlength=len(kind))
    too_common = (count > wide) & (alike < CODE_SHARE * count)
    aside = tuple(
        Wide(kind=str(kind[at]), accounts=int(count[at]), only_codes=int(alike[at]))
        for at in sorted(np.flatnonzero(too_common), key=lambda at: -count[at])
    )
    joins = (count > 1) & ~too_common
    kept = joins[value]
    account, value = account[kept], value[kept]
    label = components(account, value, accounts=len(accounts.customer), values=len(kind))
    size = np.bincount(label)
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(size)
    candidates = np.flatnonzero(size >= smallest)
    by_label: dict[int, set[int]] = {}
    for own, shared in zip(label[account].tolist(), value.tolist()):
        if size[own] >= smallest:
            by_label.setdefault(own, set()).add(shared)
    found = [
        _cluster(
            accounts,
            order[ends[own] - size[own] : ends[own]],
            coded,
            sorted(by_label[int(own)]),
            kind,
            born,
            level=error / len(candidates),
        )
        for own in candidates
    ]
    found.sort(key=lambda cluster: (-len(cluster.reasons), -cluster.customers, cluster.cluster))
    return tuple(replace(cluster, cluster=f"g{at}") for at, cluster in enumerate(found, 1)), aside


def _cluster(
    accounts: Accounts,
    members: Ints,
    coded: npt.NDArray[np.bool_],
    values: list[int],
    kind: npt.NDArray[np.object_],
    born: Floats,
    *,
    level: float,
) -> Cluster:
    own = accounts.born[members]
    found, begin = densest(own)
    # Around the stretch, a week to each side: what everybody did then, so that a campaign's rush is no burst.
    low, high = np.searchsorted(born, [begin - 7, begin + BURST_DAYS + 7]) if found else (0, 0)
    near = (high - low) / max(1, len(born)) * BURST_DAYS / (BURST_DAYS + 14)
    p = burst_p(found, len(members), near) if 2 * found >= len(members) else 1.0
    codes = int(coded[members].sum())
    reasons: list[Reason] = ["shares"]
    if codes >= CODE_SHARE * len(members):
        reasons.append("codes")
    if p <= level:
        reasons.append("burst")
    if len(members) >= LARGE:
        reasons.append("large")
    known = own[np.isfinite(own)]
    return Cluster(
        cluster=str(min(accounts.customer[members])),
        members=tuple(int(place) for place in members),
        customers=len(members),
        orders=int(accounts.orders[members].sum()),
        revenue=float(accounts.revenue[members].sum()),
        discount=float(accounts.discount[members].sum()),
        only_codes=codes,
        kinds=tuple(sorted({str(kind[value]) for value in values})),
        values=len(values),
        burst=found,
        burst_p=p,
        reasons=tuple(reasons),
        born_first=_day(known.min()) if len(known) else None,
        born_last=_day(known.max()) if len(known) else None,
    )


def _day(moment: float) -> date:
    return date.fromordinal(719_163 + int(np.floor(moment)))
