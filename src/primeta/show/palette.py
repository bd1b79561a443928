"""The colours of `tokens.css` as values, for pictures that are drawn outside a page."""

from __future__ import annotations

from typing import Literal

Theme = Literal["light", "dark"]

PALETTE: dict[str, tuple[str, str]] = {
    "paper": ("#fdfdfc", "#13181d"),
    "sunk": ("#f3f4f2", "#1a2127"),
    "rule": ("#dcdfdc", "#2d373f"),
    "ink": ("#161d24", "#eceeed"),
    "ink-2": ("#46515b", "#bcc5cb"),
    "ink-3": ("#606b75", "#98a4ad"),
    "gain": ("#0b629e", "#6dbcf0"),
    "loss": ("#b0410b", "#f59a63"),
    "confirmed": ("#0a3f78", "#b3d6ff"),
    "arm-a": ("#5443b5", "#b6a8fa"),
    "arm-b": ("#8a5600", "#e3ad45"),
    "arm-c": ("#006f8f", "#58cbe8"),
}
"""Token → (light, dark); a test holds it against the style sheet."""


def colour(token: str, theme: Theme) -> str:
    """The hexadecimal value of a token."""
    return PALETTE[token][0 if theme == "light" else 1]


def in_page(svg: str) -> str:
    """A picture drawn in light colours, made to follow the page's theme: values become tokens."""
    for token, (light, _) in PALETTE.items():
        svg = svg.replace(f'"{light}"', f'"var(--{token})"')
    return svg
