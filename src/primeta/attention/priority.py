"""Several messages want one slot: which goes, and why each of the others does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from primeta.attention.records import Answer, Policy, Purpose, Question

Why = Literal["chosen", "refused", "purpose", "value", "deadline", "earlier", "past-deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """A message that waits to be sent to one customer."""

    question: Question
    value: float = float("nan")
    """Money that the message is expected to bring; unknown is less than any known value."""
    deadline: datetime | None = None
    """After which it is of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What became of one of them."""

    wanting: Wanting
    answer: Answer
    why: Why
    """`chosen`; `refused` by the rule of its answer; lost by `purpose`, `value`, `deadline` or because it came later
    (`earlier`); `past-deadline`."""
    behind: str = ""
    """message_id of the one that was chosen."""


def choose(
    wanting: Sequence[Wanting], *, answer: Callable[[Question], Answer], policy: Policy, now: datetime
) -> tuple[Place, ...]:
    """One message at most, by order of purposes, then value, then the nearer deadline, then order of arrival.

    Args:
        answer: May this one be sent? Asked once for each.
        policy: `priority` is the order of purposes; those that it does not name come last.
    Returns:
        In the order given.
    """
    order: dict[Purpose, int] = {purpose: place for place, purpose in enumerate(policy.priority)}

    def rank(place: int) -> tuple[int, float, float, int]:
        one = wanting[place]
        value = -one.value if one.value == one.value else float("inf")
        deadline = one.deadline.timestamp() if one.deadline else float("inf")
        return (order.get(one.question.purpose, len(order)), value, deadline, place)

    answers = [answer(one.question) for one in wanting]
    late = [one.deadline is not None and one.deadline < now for one in wanting]
    possible = [place for place in range(len(wanting)) if answers[place].allowed and not late[place]]
    best = min(possible, key=rank, default=None)
    found = []
    for place, one in enumerate(wanting):
        why: Why
        if best is not None and place == best:
            why = "chosen"
        elif late[place]:
            why = "past-deadline"
        elif not answers[place].allowed or best is None:
            why = "refused"
        else:
            mine, its = rank(place), rank(best)
            names: tuple[Why, ...] = ("purpose", "value", "deadline", "earlier")
            why = next(name for name, here, there in zip(names, mine, its, strict=True) if here != there)
        behind = wanting[best].question.message_id if best is not None and place != best else ""
        found.append(Place(wanting=one, answer=answers[place], why=why, behind=behind))
    return tuple(found)
