"""How early anybody could see blindness: an observer who knows the world and everything but the hidden state.

He knows the form of the world and how its people differ, sees the same touches and welcomes, and weighs thousands of
people drawn from that world for each customer by how well they fit what he did (a particle filter). No alarm that
reads the log can be much earlier than his.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.attention_credit import FORMS, delays, log_of, tuned
from primeta.attention.alarm_score import peaks_since_welcome
from primeta.attention.blindness import first_of_sequence
from primeta.attention.credit_features import known_before
from primeta.attention.outcomes import TouchLog
from primeta.stats.attention_interval import logit
from primeta.worlds.attention import CHANNELS, simulate_attention
from primeta.worlds.attention_agents import AGENTS, Moment

NAME = "attention oracle"
FIRST_DAY = 20_000.0
AT_ONCE = 150_000
"""People weighed at once."""

Floats = npt.NDArray[np.floating[Any]]


def blindness_known(
    form: str, log: TouchLog, *, people: int, rng: np.random.Generator, agents: Any = None
) -> Floats:
    """(n,) probability of blindness at each touch, by all outcomes before it.

    Args:
        people: Drawn for each customer.
    """
    kind = (agents or AGENTS)[form]
    told = np.full(log.touches, np.nan)
    # what he sees comes in the order of time, whatever the channel
    order = np.lexsort((log.channel, log.sent, log.customer))
    owner = log.customer[order]
    many = max(AT_ONCE // people, 1)
    for first in range(0, len(log.customers), many):
        since, to = np.searchsorted(owner, [first, first + many])
        rows = order[since:to]
        if len(rows):
            told[rows] = _weighed(kind, log, rows, log.customer[rows] - first, people, rng)
    return told


def _weighed(
    kind: Any, log: TouchLog, rows: npt.NDArray[Any], who: npt.NDArray[Any], people: int, rng: Any
) -> Floats:
    customers = int(who.max()) + 1
    agent = kind(customers * people, len(CHANNELS), rng)
    drawn = [name for name, value in vars(agent).items() if isinstance(value, np.ndarray)]
    weight = np.full((customers, people), 1.0 / people)
    count = np.bincount(who, minlength=customers)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    found = np.full(len(rows), np.nan)
    glad, left = np.isfinite(log.welcomed[rows]), np.isfinite(log.drove[rows])
    for step in range(int(count.max())):
        here = np.flatnonzero(count > step)
        at = start[here] + step
        row = rows[at]
        each = (here[:, None] * people + np.arange(people)).ravel()

        def to_each(column: npt.NDArray[Any], chosen: npt.NDArray[Any] = row) -> npt.NDArray[Any]:
            return np.repeat(column[chosen], people)

        luck = np.ones((len(each), 3))
        # they are made to do what he did, so that their memory is of that
        luck[:, 1] = np.repeat(np.where(glad[at], 0.0, 1.0), people)
        moment = Moment(
            who=each,
            channel=to_each(log.channel),
            purpose=to_each(log.purpose),
            at=to_each(log.sent) - FIRST_DAY,
        )
        answer = agent.receive(moment, luck)
        blind = answer.blind.reshape(-1, people)
        found[at] = (weight[here] * blind).sum(axis=1)
        welcome, drive = answer.welcome.reshape(-1, people), answer.drive_away.reshape(-1, people)
        stays = (1 - drive) * np.where(glad[at][:, None], welcome, 1 - welcome)
        mass = weight[here] * np.where(left[at][:, None], drive, stays) + 1e-300
        mass /= mass.sum(axis=1, keepdims=True)
        few = np.flatnonzero(1 / np.square(mass).sum(axis=1) < people / 2)
        for place in few.tolist():
            own = here[place] * people
            edge = np.cumsum(mass[place])
            kept = own + np.minimum(
                np.searchsorted(edge / edge[-1], (np.arange(people) + rng.random()) / people), people - 1
            )
            for name in drawn:
                value = getattr(agent, name)
                value[own : own + people] = value[kept]
            mass[place] = 1.0 / people
        weight[here] = mass
    return found


def oracle(form: str, *, customers: int, seed: int, people: int) -> dict[str, float]:
    """Touches from going blind to the alarm: of the observer who knows the world, and of n unanswered in a row."""
    log, truth = log_of(simulate_attention(form, customers=customers, seed=seed))
    told = blindness_known(form, log, people=people, rng=np.random.default_rng(seed))
    starts, blind, sequence = first_of_sequence(log), truth["blind"], log.sequence
    unanswered = known_before(log).unanswered
    score = logit(np.clip(told, 1e-9, 1 - 1e-9))
    ours = delays(tuned(peaks_since_welcome(score, unanswered), starts, blind), blind, starts, sequence)
    rival = delays(tuned(unanswered.astype(float), starts, blind), blind, starts, sequence)
    return {"oracle": float(ours.mean()), "rival": float(rival.mean()), "onsets": float(len(ours))}


def run(*, quick: bool) -> list[dict[str, str]]:
    """Three worlds (quick: small ones)."""
    rows = []
    for form in FORMS:
        draws = [
            oracle(form, customers=150 if quick else 2_500, seed=seed, people=200 if quick else 1_500)
            for seed in ((1,) if quick else (5101, 5102))
        ]
        mean = {name: float(np.mean([draw[name] for draw in draws])) for name in draws[0]}
        rows.append(
            {
                "what": f"{form}: alarm of an observer who knows the world, touches earlier than n unopened in a row",
                "aim": "",
                "reached": f"{mean['rival'] - mean['oracle']:.1f}",
                "peer": f"{mean['rival']:.1f} touches after going blind",
                "note": f"{mean['onsets']:.0f} times going blind in each draw",
            }
        )
    return rows
