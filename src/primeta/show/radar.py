"""The radar: types of trend as sectors, time to an answer as rings, the nearest at the middle.

It is drawn in pixels for a given width, so that its words keep their size on a phone. Beside it
a page lists the same trends as text; the drawing is a picture of that list.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

EDGE = 30
"""Pixels around the half disc for the names of the sectors."""
FOOT = 26
PHONE_BELOW = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Blip:
    """One trend on the radar."""

    number: int
    sector: int
    ring: int
    grade: str
    href: str
    label: str


def radar(
    blips: Sequence[Blip], *, sectors: Sequence[str], rings: Sequence[str], width: int, label: str
) -> str:
    """The half disc as SVG.

    Args:
        sectors: Names from left to right.
        rings: Names from the middle outwards.
        label: What a listener hears instead of the picture.
    """
    radius = (width - 2 * EDGE) / 2
    middle, base = width / 2, radius + EDGE
    inner = radius * 0.16
    step = (radius - inner) / len(rings)
    size = 12 if width > PHONE_BELOW else 8.5
    height = base + FOOT
    parts = [
        f'<svg class="radar" width="{width}" height="{height:.0f}" viewBox="0 0 {width} {height:.0f}" '
        f'role="img" aria-label="{escape(label)}"><g aria-hidden="true">'
    ]

    def point(angle: float, distance: float) -> tuple[float, float]:
        return middle - distance * math.cos(angle), base - distance * math.sin(angle)

    for index in range(len(rings), 0, -1):
        reach = inner + step * index
        tone = "ring near" if index == 1 else "ring"
        parts.append(
            f'<path class="{tone}" d="M{middle - reach:.1f} {base:.1f}A{reach:.1f} {reach:.1f} 0 0 1 '
            f'{middle + reach:.1f} {base:.1f}z"/>'
        )
    for index in range(1, len(sectors)):
        angle = math.pi * index / len(sectors)
        (x1, y1), (x2, y2) = point(angle, inner), point(angle, radius)
        parts.append(f'<line class="spoke" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    for index, name in enumerate(sectors):
        parts.append(_sector_name(index, len(sectors), name, radius, middle, base))
    for index, name in enumerate(rings):
        x = middle + inner + step * (index + 0.5)
        parts.append(
            f'<text class="ring-name" x="{x:.1f}" y="{base + 16:.1f}" text-anchor="middle">{escape(name)}</text>'
        )
    cells: dict[tuple[int, int], list[Blip]] = {}
    for blip in blips:
        cells.setdefault((blip.sector, blip.ring), []).append(blip)
    for _, members in sorted(cells.items()):
        for order, blip in enumerate(members):
            angle, distance = _place(
                blip, order, len(members), sectors=len(sectors), inner=inner, step=step, size=size
            )
            parts.append(_blip(blip, *point(angle, distance), size))
    return "".join(parts) + "</g></svg>"


def _place(
    blip: Blip,
    order: int,
    count: int,
    *,
    sectors: int,
    inner: float,
    step: float,
    size: float,
) -> tuple[float, float]:
    """Angle and distance of one of `count` trends of a cell: rows of as many as the arc holds."""
    arc = math.pi / sectors * (inner + step * (blip.ring + 0.5))
    across = max(1, min(count, math.floor(arc / (2 * size + 3))))
    rows = math.ceil(count / across)
    row, column = divmod(order, across)
    here = across if row < rows - 1 else count - across * (rows - 1)
    angle = math.pi * (blip.sector + (column + 1) / (here + 1)) / sectors
    return angle, inner + step * (blip.ring + (row + 1) / (rows + 1))


def _sector_name(index: int, count: int, name: str, radius: float, middle: float, base: float) -> str:
    """A name that follows the outer arc; the path is drawn left to right, so it stands upright."""
    start, end = math.pi * index / count, math.pi * (index + 1) / count
    reach = radius + 9
    (x1, y1), (x2, y2) = (
        (middle - reach * math.cos(angle), base - reach * math.sin(angle)) for angle in (start, end)
    )
    path = f"arc-{round(radius)}-{index}"
    return (
        f'<path id="{path}" class="arc" d="M{x1:.1f} {y1:.1f}A{reach:.1f} {reach:.1f} 0 0 1 {x2:.1f} {y2:.1f}"/>'
        f'<text class="sector-name" text-anchor="middle"><textPath href="#{path}" startOffset="50%">'
        f"{escape(name)}</textPath></text>"
    )


def _blip(blip: Blip, x: float, y: float, size: float) -> str:
    return (
        f'<a href="{escape(blip.href)}" tabindex="-1"><title>{escape(blip.label)}</title>'
        f'<circle class="blip" data-grade="{escape(blip.grade)}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>'
        f'<text class="blip-number" data-grade="{escape(blip.grade)}" x="{x:.1f}" y="{y + 0.36 * size:.1f}" '
        f'text-anchor="middle">{blip.number}</text></a>'
    )
