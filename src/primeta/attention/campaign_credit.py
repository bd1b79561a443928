"""What each campaign spent or earned of the customers' credit.

Where sends were drawn at random (`withheld`, `probability`) the credit two weeks later of those who were written to is
held against that of those who were held back, weighted by the inverse of their probabilities: a causal figure. Else the
figure says how credit moved from just before each touch to just before the next one, and is called observational: rest,
news and other campaigns stand in it too. Right after a touch credit is low, so that an observational figure over touches
of which most are younger than two weeks is not told: what comes back is not seen yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.blindness import first_of_sequence
from primeta.attention.credit_model import CreditModel, foresee
from primeta.attention.outcomes import TouchLog, days_of, with_asked
from primeta.attention.records import CampaignCredit, Touch

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

AFTER_DAYS = 14.0
"""When credit is looked at again in the randomised comparison."""
YOUNG_MOST = 0.5
"""Share of touches younger than that above which an observational figure is not told."""
LEAST_OF_EACH = 30
"""Drawn touches of either kind that a causal figure needs."""
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lottery:
    """Chances to send that were drawn, sent and withheld; all (d,)."""

    customer: Ints
    """Index into the log's customers."""
    channel: Ints
    at: Floats
    campaign: npt.NDArray[Any]
    sent: npt.NDArray[np.bool_]
    probability: Floats

    @classmethod
    def none(cls) -> Lottery:
        nothing = np.zeros(0, dtype=np.int64)
        return cls(
            customer=nothing,
            channel=nothing,
            at=np.zeros(0),
            campaign=np.zeros(0, dtype=object),
            sent=np.zeros(0, dtype=bool),
            probability=np.zeros(0),
        )

    @classmethod
    def of(cls, touches: Sequence[Touch], log: TouchLog) -> Lottery:
        """From touches with a `probability` between 0 and 1, of customers and channels of the log."""
        who = {name: place for place, name in enumerate(log.customers)}
        where = {name: place for place, name in enumerate(log.channels)}
        drawn = [
            touch
            for touch in touches
            if 0 < touch.probability < 1 and touch.customer_id in who and touch.channel in where
        ]
        return cls(
            customer=np.array([who[touch.customer_id] for touch in drawn], dtype=np.int64),
            channel=np.array([where[touch.channel] for touch in drawn], dtype=np.int64),
            at=np.array([days_of(touch.sent_at) for touch in drawn], dtype=float),
            campaign=np.array([touch.campaign for touch in drawn], dtype=object),
            sent=np.array([not touch.withheld for touch in drawn], dtype=bool),
            probability=np.array([touch.probability for touch in drawn], dtype=float),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CreditFlow:
    """Credit for a useful touch just before each touch, and what it was before the next one; all (n,)."""

    before: Floats
    after: Floats
    """0 where the touch drove him away."""


def credit_flow(model: CreditModel, log: TouchLog) -> CreditFlow:
    """Of each touch of a log; after the last one, at the log's end."""
    if not log.touches:
        return CreditFlow(before=np.zeros(0), after=np.zeros(0))
    start = np.flatnonzero(first_of_sequence(log))
    asked, rows = with_asked(
        log,
        customer=log.customer[start],
        channel=log.channel[start],
        at=np.full(len(start), max(log.until, float(log.sent.max()))),
    )
    value = foresee(model, asked, intervals=False, useful=True).value
    real = np.ones(len(value), dtype=bool)
    real[rows] = False
    following = np.append(value[1:], np.nan)
    before, after = value[real], following[real]
    # who was driven away has no credit left on this channel, whatever is sent after
    gone = np.isfinite(log.drove)
    so_far = np.cumsum(gone) - gone
    first = np.repeat(start, np.diff(np.append(start, log.touches)))
    already = so_far - so_far[first] > 0
    before = np.where(already, 0.0, before)
    after = np.where(already | gone, 0.0, after)
    return CreditFlow(before=before, after=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignNames:
    """What a campaign belongs to, for the rows of the answer."""

    programme: Mapping[str, str] = field(default_factory=dict)
    team: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, int] = field(default_factory=dict)


def campaign_credit(
    model: CreditModel,
    log: TouchLog,
    *,
    lottery: Lottery | None = None,
    names: CampaignNames | None = None,
    flow: CreditFlow | None = None,
    later: Floats | None = None,
) -> tuple[CampaignCredit, ...]:
    """One row for each campaign of the log, the most spent first, those that cannot be told last; touches without a campaign are the campaign "".

    Args:
        flow: Of `credit_flow`, where it is at hand.
        later: Of `credit_after`, where it is at hand.
    """
    names = names or CampaignNames()
    flow = flow or credit_flow(model, log)
    spent = flow.before - flow.after
    if not log.touches:
        return ()
    labels, code = np.unique(log.campaign.astype(str), return_inverse=True)
    touches = np.bincount(code, minlength=len(labels))
    causal: dict[str, tuple[float, float]] = {}
    if lottery is not None and len(lottery.at):
        causal = _causal(log, lottery, credit_after(model, log, lottery) if later is None else later)
    total = np.bincount(code, weights=spent, minlength=len(labels))
    people = len(log.customers)
    pair, place = np.unique(code.astype(np.int64) * people + log.customer, return_inverse=True)
    by_customer = np.bincount(place, weights=spent)
    squares = np.bincount(pair // people, weights=np.square(by_customer), minlength=len(labels))
    error = np.sqrt(np.maximum(squares - np.square(total) / people, 0.0))
    young = np.bincount(code, weights=log.sent + AFTER_DAYS > log.until, minlength=len(labels))
    found: list[CampaignCredit] = []
    for number, label in enumerate(labels.tolist()):
        why_not = ""
        amount, wide = float(total[number]), Z95 * float(error[number])
        basis = "observational"
        if label in causal:
            each, its_error = causal[label]
            amount, wide = each * int(touches[number]), Z95 * its_error * int(touches[number])
            basis = "randomised"
        elif young[number] > YOUNG_MOST * touches[number]:
            amount = wide = float("nan")
            why_not = "too-early"
        found.append(
            CampaignCredit(
                campaign=label,
                programme=names.programme.get(label, ""),
                team=names.team.get(label, ""),
                touches=int(touches[number]),
                credit_spent=amount,
                low=amount - wide,
                high=amount + wide,
                basis=basis,
                broken=names.broken.get(label, 0),
                why_not=why_not,
            )
        )
    return tuple(
        sorted(
            found, key=lambda row: (bool(row.why_not), 0 if row.why_not else -row.credit_spent, row.campaign)
        )
    )


def credit_after(model: CreditModel, log: TouchLog, lottery: Lottery) -> Floats:
    """(d,) credit two weeks after each drawn chance to send; NaN where the log ends before."""
    drawn = np.flatnonzero(lottery.at + AFTER_DAYS <= log.until)
    found = np.full(len(lottery.at), np.nan)
    if not len(drawn):
        return found
    at = lottery.at[drawn] + AFTER_DAYS
    asked, rows = with_asked(log, customer=lottery.customer[drawn], channel=lottery.channel[drawn], at=at)
    credit = foresee(model, asked, intervals=False, useful=True).value[rows]
    gone_at = np.full(len(log.customers) * len(log.channels), np.inf)
    left = np.isfinite(log.drove)
    np.minimum.at(
        gone_at,
        log.customer[left] * len(log.channels) + log.channel[left],
        log.sent[left] + log.drove[left],
    )
    place = lottery.customer[drawn] * len(log.channels) + lottery.channel[drawn]
    found[drawn] = np.where(gone_at[place] <= at, 0.0, credit)
    return found


def _causal(log: TouchLog, lottery: Lottery, later: Floats) -> dict[str, tuple[float, float]]:
    """Credit that one send of a campaign costs two weeks later, and its standard error, where it can be told."""
    seen = lottery.at + AFTER_DAYS <= log.until
    drawn = np.flatnonzero(seen & (lottery.probability > 0) & (lottery.probability < 1))
    credit = later[drawn]
    found: dict[str, tuple[float, float]] = {}
    labels = lottery.campaign[drawn].astype(str)
    for label in np.unique(labels).tolist():
        here = labels == label
        sent, chance, outcome = lottery.sent[drawn][here], lottery.probability[drawn][here], credit[here]
        if sent.sum() < LEAST_OF_EACH or (~sent).sum() < LEAST_OF_EACH:
            continue
        on, off = sent / chance, ~sent / (1 - chance)
        with_send = float(on @ outcome / on.sum())
        without = float(off @ outcome / off.sum())
        pull = on * (outcome - with_send) / on.sum() - off * (outcome - without) / off.sum()
        owner = np.unique(lottery.customer[drawn][here], return_inverse=True)[1]
        found[label] = (
            without - with_send,
            float(np.sqrt(np.square(np.bincount(owner, weights=pull)).sum())),
        )
    return found
