"""The panel that emergence is judged on: who told how many stories of what, week by week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.signals.signal import Origin

Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rare:
    """Terms told too rarely to be candidates, a sample picked by their codes alone.

    Candidates were picked for being told often, so among them even what was told once is told again. How often a term
    is told again can only be learnt from all terms, and all of them were looked at.
    """

    terms: int
    """Of the panel, that are no candidates."""
    sampled: int
    """S of them are told of here."""
    term: Ints
    """(R,) 0 … S − 1, one entry a story."""
    owner: Ints
    """(R,) index into `owners`."""
    week: Ints
    """(R,) index into `weeks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Counts of stories by candidate topic, owner and week, in coordinate form.

    A story counts once, for the owner who told it first; its copies count for nobody.
    """

    weeks: tuple[date, ...]
    """(W,) Mondays, without gaps; the last one is finished."""
    owners: tuple[str, ...]
    """(O,)."""
    origins: tuple[Origin, ...]
    """(O,) what each owner counts as."""
    volume: Ints
    """(O, W) all stories of each owner in each week."""
    candidate: Ints
    """(N,) 0 … C − 1, ascending."""
    owner: Ints
    """(N,) index into `owners`."""
    week: Ints
    """(N,) index into `weeks`."""
    stories: Ints
    """(N,) stories of the candidate, ≥ 1."""
    candidates: int
    """C."""
    copies: Ints | None = None
    """(N,) texts that repeat those stories and were told apart as copies; None where nobody counted them. They tell how
    many copies may have passed for stories of other owners."""
    rare: Rare | None = None
    """What is no candidate; None where all terms are."""
