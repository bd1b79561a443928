"""The grade of a signal or a trend, by rule from its evidence: nobody sets it by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from primeta.signals.signal import Block, Grade, Origin
from primeta.stats.conjunction import partial_conjunction

REPEATS = {"weeks": (3, 4), "months": (2, 3), "quarters": (2, 2)}
"""(u, n): so many of the last so many finished blocks after first sight."""
REPEATING_ERROR = 0.10
NOTICED_SHARE = 0.50
FADING_AT = 4.0
REFUTED_AT = 20.0

_FAMILY: dict[Origin, str] = {
    "metric": "metric",
    # what is looked at is counted from the same customers as the metrics: no second pair of eyes
    "attention": "metric",
    "voice": "voice",
    "outside": "outside",
    "competitor": "market",
    "regulator": "market",
}
"""Origins that can confirm; a hand-written note without a source cannot, competitor and regulator are one."""


def independent_origins(origins: Collection[Origin]) -> int:
    """How many origins could have seen it independently."""
    return len({_FAMILY[origin] for origin in origins if origin in _FAMILY})


def repeats(blocks: Sequence[Block], *, kind: str) -> bool:
    """Whether the last finished weeks, months or quarters repeat the change.

    Error: where fewer than u of the n blocks are truly beyond the smallest effect, this says so with
    probability at most REPEATING_ERROR, whatever the dependence between the blocks.
    """
    at_least, of = REPEATS[kind]
    finished = [block.e_value for block in blocks if block.finished]
    return partial_conjunction(finished, of=of, at_least=at_least) >= 1 / REPEATING_ERROR


def counted(blocks: Sequence[Block], *, kind: str) -> tuple[int, int]:
    """(passing, finished) among the last n blocks, as pages show them."""
    last = [block for block in blocks if block.finished][-REPEATS[kind][1] :]
    return sum(block.passes for block in last), len(last)


def grade_of(
    *,
    holding: bool,
    weeks: Sequence[Block],
    months: Sequence[Block],
    quarters: Sequence[Block],
    turned: float,
    origins: Collection[Origin],
) -> tuple[Grade, tuple[str, ...]]:
    """The grade and the codes of its reasons, for one signal or for a whole trend.

    Errors of the grades:
        noticed: half of the list may be false.
        holding: at most the workspace's false share of the list, over a year of weekly looks.
        repeating: holding, and besides the error of `repeats`.
        confirmed: repeating by months or longer, and a second independent origin.
        fading: had the change stayed at half its size, so much would be seen with probability ≤ 1/FADING_AT.
        refuted: the same with 1/REFUTED_AT.

    Args:
        holding: Passed the yearly level, by the metric or by whatever watches the other origin.
        turned: Evidence against "at least half of the change is still there"; 1 says nothing.
    """
    if turned >= REFUTED_AT:
        return "refuted", ("went_back",)
    if turned >= FADING_AT:
        return "fading", ("going_back",)
    if not holding:
        return "noticed", ("below_yearly_level",)
    why = ["passed_yearly_level"]
    by = [
        kind
        for kind, blocks in (("weeks", weeks), ("months", months), ("quarters", quarters))
        if repeats(blocks, kind=kind)
    ]
    if not by:
        return "holding", (*why, "not_repeated_yet")
    why += [f"repeats_{kind}" for kind in by]
    if by == ["weeks"]:
        return "repeating", (*why, "months_not_repeated_yet")
    if independent_origins(origins) < 2:
        return "repeating", (*why, "one_origin")
    return "confirmed", (*why, "two_origins")
