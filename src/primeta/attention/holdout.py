"""The lottery of caps: in a small share of questions a cap that is not strict is left out or doubled.

Only so can it be known later what caps do. The draw has no memory: whoever asks again draws the same.
"""

from __future__ import annotations

from typing import Literal

from primeta.attention.records import Policy, Question
from primeta.stats.buckets import bucket

Draw = Literal["as-is", "left-out", "doubled"]


def draw(question: Question, policy: Policy) -> Draw:
    """How caps that are not strict count for this question.

    The same message asked twice draws alike; so does one that is not named yet, by its campaign.
    """
    if policy.holdout <= 0:
        return "as-is"
    unit = question.message_id or "|".join(
        (question.campaign, question.programme, question.channel, question.purpose)
    )
    drawn = bucket(f"attention-caps-{policy.version}", f"{question.customer_id}|{unit}")
    if drawn < policy.holdout / 2:
        return "left-out"
    return "doubled" if drawn < policy.holdout else "as-is"


def probability(policy: Policy, *, allowed: bool, as_is: bool, left_out: bool, doubled: bool) -> float:
    """Of the answer that was given, where these are the answers under each draw."""
    half = policy.holdout / 2
    yes = (1 - policy.holdout) * as_is + half * left_out + half * doubled
    return yes if allowed else 1 - yes
