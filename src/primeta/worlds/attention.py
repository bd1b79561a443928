"""Simulated customers who are written to, whose true probability of a welcome is known at every touch.

Campaigns and triggered messages go to customers on two channels; an agent decides what becomes of each. Three kinds of
agent (`attention_agents`): one of the form that the credit model assumes, two that are not. A share of campaign sends
is withheld at random. The truth is never read by the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput
from primeta.worlds.attention_agents import AGENTS, Agent, Moment

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

START = datetime(2025, 1, 6, tzinfo=UTC)
CHANNELS = ("email", "push")
PURPOSES = ("service", "useful", "offer", "press")
COST = (0.05, 0.02)
"""Per message, by channel."""
WITHIN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttentionWorld:
    """Touches by customer, then time; all arrays (n,), withheld ones included."""

    form: str
    seed: int
    weeks: int
    customers: int
    customer: Ints
    channel: Ints
    purpose: Ints
    campaign: Ints
    """−1: triggered."""
    sent: Floats
    """Days since the start."""
    withheld: npt.NDArray[np.bool_]
    probability: Floats
    """Of sending, NaN where it was not drawn."""
    welcome: Floats
    """True probability of a welcome at the touch."""
    drive_away: Floats
    blind: npt.NDArray[np.bool_]
    """Whether he does not look at what comes on this channel."""
    welcomed: Floats
    """Days after, NaN."""
    drove: Floats
    useful: Floats
    """(customers, 2) true probability that a useful touch at the end of the log were welcomed; 0 after an opt-out."""
    useful_drive: Floats
    """(customers, 2)"""
    blind_since: Floats
    """(customers, 2) day, NaN where not blind at the end."""
    gone: npt.NDArray[np.bool_]
    """(customers, 2) opted out."""
    joined: Floats
    """(customers,) day; 0: was there at the start."""

    @property
    def days(self) -> float:
        return 7.0 * self.weeks

    def at(self, day: float) -> datetime:
        return START + timedelta(days=float(day))


def simulate_attention(
    form: str = "model",
    *,
    customers: int,
    seed: int,
    weeks: int = 40,
    touches_a_week: float = 2.0,
    withheld: float = 0.1,
) -> AttentionWorld:
    """One draw.

    Args:
        form: `model`, `habit` or `shade`.
        touches_a_week: On average per customer.
        withheld: Share of campaign sends that a lottery withholds.
    Raises:
        BadInput: no such form, or nobody to write to.
    """
    if form not in AGENTS:
        raise BadInput(f"no world of attention is called {form!r}; expected one of {', '.join(AGENTS)}")
    if customers < 1 or weeks < 4:
        raise BadInput(
            f"a world of attention needs 1 customer and 4 weeks at least, not {customers} and {weeks}"
        )
    rng = np.random.default_rng(seed)
    touch = _schedule(customers, weeks, touches_a_week, rng)
    joined = touch.pop("joined")
    n = len(touch["sent"])
    drawn = (touch["campaign"] >= 0) & (withheld > 0)
    kept_back = drawn & (rng.random(n) < withheld)
    agent = AGENTS[form](customers, len(CHANNELS), rng)
    out: dict[str, Any] = {
        "welcome": np.full(n, np.nan), "drive_away": np.full(n, np.nan), "blind": np.zeros(n, dtype=bool),
        "welcomed": np.full(n, np.nan), "drove": np.full(n, np.nan),
    }  # fmt: skip
    gone = np.zeros((customers, len(CHANNELS)), dtype=bool)
    gone_at = np.full((customers, len(CHANNELS)), np.inf)
    dropped = np.zeros(n, dtype=bool)
    luck = rng.random((n, 3))
    count = np.bincount(touch["customer"], minlength=customers)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    for step in range(int(count.max())):
        who = np.flatnonzero(count > step)
        rows = first[who] + step
        channel, sent = touch["channel"][rows], touch["sent"][rows]
        off = gone_at[who, channel] <= sent
        dropped[rows[off]] = True
        live = ~off & ~kept_back[rows]
        moment = Moment(
            who=who[live], channel=channel[live], purpose=touch["purpose"][rows[live]], at=sent[live]
        )
        rows = rows[live]
        answer = agent.receive(moment, luck[rows])
        out["welcome"][rows], out["drive_away"][rows] = answer.welcome, answer.drive_away
        out["blind"][rows] = answer.blind
        out["drove"][rows] = answer.drove
        out["welcomed"][rows] = answer.welcomed
        left = np.isfinite(answer.drove)
        gone_at[moment.who[left], moment.channel[left]] = moment.at[left] + answer.drove[left]
    end = 7.0 * weeks
    gone = gone_at <= end
    useful, useful_drive = _at_the_end(agent, customers, end)
    useful[gone] = 0.0
    keep = ~dropped & (touch["sent"] < end)
    order = np.flatnonzero(keep)
    pick = {name: value[order] for name, value in {**touch, **out}.items()}
    return AttentionWorld(
        form=form,
        seed=seed,
        weeks=weeks,
        customers=customers,
        **pick,
        withheld=kept_back[order],
        probability=np.where(drawn, 1 - withheld, np.nan)[order],
        useful=useful,
        useful_drive=useful_drive,
        blind_since=agent.blind_since(end),
        gone=gone,
        joined=joined,
    )


def _at_the_end(agent: Agent, customers: int, end: float) -> tuple[Floats, Floats]:
    welcome = np.zeros((customers, len(CHANNELS)))
    drive = np.zeros((customers, len(CHANNELS)))
    everybody = np.arange(customers)
    for channel in range(len(CHANNELS)):
        moment = Moment(
            who=everybody,
            channel=np.full(customers, channel),
            purpose=np.full(customers, PURPOSES.index("useful")),
            at=np.full(customers, end),
        )
        welcome[:, channel], drive[:, channel] = agent.chances(moment)
    return welcome, drive


def _schedule(customers: int, weeks: int, a_week: float, rng: np.random.Generator) -> dict[str, Any]:
    """Campaigns to parts of the base, and triggered messages, by customer and time."""
    end = 7.0 * weeks
    joined = np.where(rng.random(customers) < 0.6, 0.0, rng.uniform(0, 0.7 * end, customers))
    eager = rng.gamma(3.0, 1 / 3.0, customers)
    """How often this customer falls into a segment."""
    push = rng.random(customers) < 0.6
    per_week = 3
    campaigns = weeks * per_week
    purpose = rng.choice([1, 2, 3], size=campaigns, p=[0.3, 0.5, 0.2])
    when = (
        np.repeat(np.arange(weeks), per_week) * 7.0
        + rng.choice(7, size=campaigns)
        + rng.choice([7, 9, 11, 12, 15, 17, 18], size=campaigns) / 24
    )
    parts: list[tuple[Ints, Ints, Ints, Ints, Floats]] = []
    share = 0.8 * a_week / per_week
    for number in range(campaigns):
        chosen = (rng.random(customers) < np.minimum(share * eager, 0.97)) & (joined <= when[number])
        who = np.flatnonzero(chosen)
        channel = np.where(push[who] & (rng.random(len(who)) < 0.6), 1, 0)
        spread = when[number] + rng.uniform(0, 1 / 24, len(who))
        parts.append((who, channel, np.full(len(who), purpose[number]), np.full(len(who), number), spread))
    triggered = rng.poisson(0.25 * a_week * np.maximum(end - joined, 0) / 7)
    who = np.repeat(np.arange(customers), triggered)
    at = rng.uniform(joined[who], end)
    channel = np.where(push[who] & (rng.random(len(who)) < 0.6), 1, 0)
    kind = rng.choice([0, 1, 2], size=len(who), p=[0.3, 0.5, 0.2])
    parts.append((who, channel, kind, np.full(len(who), -1), at))
    who, channel, kind, number, at = (np.concatenate([part[k] for part in parts]) for k in range(5))
    order = np.lexsort((at, who))
    return {
        "customer": who[order],
        "channel": channel[order],
        "purpose": kind[order],
        "campaign": number[order],
        "sent": at[order],
        "joined": joined,
    }
