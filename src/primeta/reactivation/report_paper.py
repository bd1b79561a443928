"""A sheet of paper to draw a report on: texts that are wrapped to a width, rules, bars and intervals, as plain SVG.

No browser lays this out, so a text's width is reckoned from the widths of letters in the widest of the fonts that may
stand in; a name that is too long ends in an ellipsis.
"""

from __future__ import annotations

from html import escape

from primeta.show.palette import colour

SANS = "'Noto Sans', 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', sans-serif"
SERIF = "'PT Serif', 'Noto Serif', Cambria, 'Liberation Serif', Georgia, 'DejaVu Serif', serif"
WIDTH, HEIGHT = 794.0, 1123.0
"""A4 at 96 pixels an inch."""
PRINTED = {
    SANS: "'DejaVu Sans', 'Liberation Sans', sans-serif",
    SERIF: "'DejaVu Serif', 'Liberation Sans', serif",
}
"""For the converter to PDF, which takes a whole line from another font where one letter is missing: these have the
minus, the rouble and Cyrillic; Liberation Sans comes with the converter."""
_NARROW = frozenset("iljI.,:;'|!\u00a0 ·")
_SLIM = frozenset("tfr()[]`/-“”…«»г")
_WIDE = frozenset("mwMWШЩЖЮФЫМ%@—шщжюфмы")


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels that a text takes, rather too many than too few; by the letters of DejaVu Sans, the widest."""
    em = 0.0
    for letter in text:
        if letter in _NARROW:
            em += 0.33
        elif letter in _SLIM:
            em += 0.5 if letter in "…“”«»г" else 0.41
        elif letter in _WIDE:
            em += 0.96
        elif letter.isupper() or letter in "+−₽":
            em += 0.76 if letter.isupper() else 0.84 if letter != "₽" else 0.64
        else:
            em += 0.63
    return em * size * (1.1 if bold else 1.0)


def printed(svg: str) -> str:
    """A sheet for the converter to PDF or PNG, in fonts that have every letter of it."""
    for screen, paper in PRINTED.items():
        svg = svg.replace(screen, paper)
    return svg


def wrapped(text: str, size: float, width: float, *, most: int = 99, bold: bool = False) -> list[str]:
    """Lines no wider than `width`, `most` at most; what is cut ends in an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if not line or width_of(longer, size, bold=bold) <= width:
            line = longer
        else:
            lines.append(line)
            line = word
    lines.append(line)
    lines = [piece for entry in lines for piece in _broken(entry, size, width, bold=bold)]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], shortened(" ".join(lines[most - 1 :]), size, width, bold=bold)]


def _broken(line: str, size: float, width: float, *, bold: bool) -> list[str]:
    """A word that is wider than the column, cut where it must be."""
    pieces: list[str] = []
    while width_of(line, size, bold=bold) > width and len(line) > 1:
        cut = next(
            (at for at in range(len(line) - 1, 1, -1) if width_of(line[:at], size, bold=bold) <= width), 1
        )
        pieces.append(line[:cut])
        line = line[cut:]
    return [*pieces, line]


def shortened(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """The text, or its beginning with an ellipsis."""
    if width_of(text, size, bold=bold) <= width:
        return text
    while text and width_of(text + "…", size, bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


class Paper:
    """Collects what is drawn; y grows downwards, a text stands on its baseline."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def put_under(self, other: Paper) -> None:
        """What another sheet holds, below all that is drawn here so far."""
        self._parts = [*other._parts, *self._parts]

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 11,
        tone: str = "ink",
        bold: bool = False,
        serif: bool = False,
        anchor: str = "start",
    ) -> None:
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-family="{SERIF if serif else SANS}" font-size="{size:g}"{weight} '
            f'fill="{colour(tone, "light")}" text-anchor="{anchor}">{escape(text, quote=False)}</text>'
        )

    def paragraph(
        self,
        x: float,
        y: float,
        text: str,
        *,
        width: float,
        size: float = 11,
        tone: str = "ink",
        bold: bool = False,
        serif: bool = False,
        leading: float = 1.35,
        most: int = 99,
    ) -> float:
        """Lines from the baseline y down; returns the baseline after the last one."""
        for line in wrapped(text, size, width, most=most, bold=bold or serif):
            self.text(x, y, line, size=size, tone=tone, bold=bold, serif=serif)
            y += size * leading
        return y

    def line(
        self,
        x: float,
        y: float,
        x2: float,
        y2: float,
        *,
        tone: str = "rule",
        thick: float = 1.0,
        dash: str = "",
    ) -> None:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour(tone, "light")}" '
            f'stroke-width="{thick:g}"{dashes}/>'
        )

    def bar(
        self, x: float, x2: float, y: float, height: float, *, tone: str = "ink-3", hatched: bool = False
    ) -> None:
        """From x to x2, around the middle y; hatched: a claim."""
        left, right = min(x, x2), max(x, x2)
        fill = "url(#hatch)" if hatched else colour(tone, "light")
        edge = f' stroke="{colour(tone, "light")}" stroke-width="0.8"' if hatched else ""
        self._parts.append(
            f'<rect x="{left:.1f}" y="{y - height / 2:.1f}" width="{max(right - left, 0.5):.1f}" height="{height:g}" '
            f'fill="{fill}"{edge}/>'
        )

    def interval(
        self, x: float, low: float, high: float, y: float, *, tone: str, hollow: bool = False
    ) -> None:
        """A line with ends and a disc; hollow: partly from a model."""
        self.line(low, y, high, y, tone=tone, thick=2)
        for end in (low, high):
            self.line(end, y - 4, end, y + 4, tone=tone, thick=1.5)
        self.disc(x, y, tone=tone, hollow=hollow)

    def blank(self, x: float, y: float, width: float, height: float) -> None:
        """Paper over what lies under it."""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="{colour("paper", "light")}"/>'
        )

    def disc(self, x: float, y: float, *, tone: str, hollow: bool = False) -> None:
        inside = colour("paper", "light") if hollow else colour(tone, "light")
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{inside}" stroke="{colour(tone, "light")}" '
            f'stroke-width="1.8"/>'
        )

    def tag(self, x: float, y: float, letter: str, *, tone: str) -> None:
        """An arm's letter on its colour, its text on the baseline y."""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="14" height="13" rx="2" fill="{colour(tone, "light")}"/>'
            f'<text x="{x + 7:.1f}" y="{y:.1f}" font-family="{SANS}" font-size="9.5" font-weight="600" '
            f'fill="{colour("paper", "light")}" text-anchor="middle">{escape(letter, quote=False)}</text>'
        )

    def svg(self, *, label: str, height: float, lang: str) -> str:
        """One A4 page; what is longer than the page is drawn smaller, so that it stays one page."""
        shrink = max(height / HEIGHT, 1.0)
        wide, tall = WIDTH * shrink, HEIGHT * shrink
        paper, quiet = colour("paper", "light"), colour("ink-3", "light")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}" height="{HEIGHT:g}" xml:lang="{lang}" '
            f'viewBox="{(WIDTH - wide) / 2:.1f} 0 {wide:.1f} {tall:.1f}" role="img" aria-label="{escape(label)}">'
            f'<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><path d="M0 0V5" stroke="{quiet}" stroke-width="2"/></pattern></defs>'
            f'<rect x="{(WIDTH - wide) / 2:.1f}" y="0" width="{wide:.1f}" height="{tall:.1f}" fill="{paper}"/>'
            + "".join(self._parts)
            + "</svg>"
        )
