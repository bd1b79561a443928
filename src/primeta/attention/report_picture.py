"""Where customers stood month after month: a column for each month, bands between them for those who moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from primeta.attention.health import NEW, STATES, Health, Standing, State
from primeta.attention.report_words import channel_name, tell
from primeta.show import locale
from primeta.show.chart import SANS, WIDE, Picture
from primeta.show.locale import Language
from primeta.show.palette import Theme, colour

HEIGHT = 300.0
HEAD, FOOT = 20.0, 42.0
LETTER = 7.4
"""Width of a letter of a label, in pixels."""
COLUMN = 13.0
PHONE_BELOW = 500
ON_A_PHONE = 4
"""Months."""
TOKENS: dict[State, str] = {
    "press": "confirmed",
    "sell": "gain",
    "useful": "arm-c",
    "blind": "arm-b",
    "none": "ink-3",
    "gone": "loss",
}
LABEL_STEP = 17.0
BAND = 0.28


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A state within a column, in pixels."""

    top: float
    bottom: float
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPicture(Picture):
    """Drawn directly, in a millisecond: a page cannot wait for a chart of hundreds of bands to be laid out."""

    write: Callable[[Theme, int], str]

    def svg(self, theme: Theme = "light", *, width: int = WIDE) -> str:
        return self.write(theme, width)


def flow_picture(health: Health, channel: str, lang: Language, *, title: str) -> Picture:
    """The months of one channel; empty: of customers by their best channel."""
    rows = tuple(entry for entry in health.standings if entry.channel == channel)
    name = channel_name(channel, lang) if channel else tell(lang, "everybody")
    told = [_in_words(entry, lang) for entry in (rows[:1] if len(rows) < 2 else (rows[0], rows[-1]))]

    description = f"{title}. " + " ".join(told)

    def write(theme: Theme, width: int) -> str:
        shown = rows[-ON_A_PHONE:] if width < PHONE_BELOW else rows
        return _drawing(health, shown, lang, theme, width, description)

    return FlowPicture(
        title=title,
        subtitle=tell(lang, "flow.subtitle", channel=name[:1].upper() + name[1:] + "."),
        source="",
        description=description,
        draw=lambda _theme, _width: {},
        write=write,
    )


def _in_words(entry: Standing, lang: Language) -> str:
    parts = [
        f"{tell(lang, state)} {locale.percent(entry.states[state].value, lang, digits=1)}" for state in STATES
    ]
    return f"{locale.period_name(entry.month, lang)}: {', '.join(parts)}."


def _columns(rows: tuple[Standing, ...]) -> list[dict[State, _Part]]:
    """Heights are numbers of customers on one scale; the best state is at the top, all stand on one floor."""
    most = max((entry.customers for entry in rows), default=1.0) or 1.0
    found: list[dict[State, _Part]] = []
    for entry in rows:
        at = HEAD + HEIGHT
        parts: dict[State, _Part] = {}
        for state in reversed(STATES):
            count = entry.states[state].value * entry.customers
            size = HEIGHT * count / most
            parts[state] = _Part(top=at - size, bottom=at, count=count)
            at -= size
        found.append(parts)
    return found


def _drawing(
    health: Health, rows: tuple[Standing, ...], lang: Language, theme: Theme, width: int, description: str
) -> str:
    columns = _columns(rows)
    longest = max(len(tell(lang, state)) for state in STATES)
    right = width - longest * LETTER - 52
    step = (right - COLUMN) / max(len(rows) - 1, 1)
    height = HEAD + HEIGHT + FOOT

    def x_of(place: int) -> float:
        return step * place if len(rows) > 1 else right - COLUMN

    parts: list[str] = []
    for now, left, far, first, second, size in _bands(health, rows, columns, x_of):
        middle = (left + far) / 2
        parts.append(
            f'<path fill="{colour(TOKENS[now], theme)}" fill-opacity="{BAND}" d="M{left:.1f} {first:.1f}'
            f"C{middle:.1f} {first:.1f} {middle:.1f} {second:.1f} {far:.1f} {second:.1f}V{second + size:.1f}"
            f'C{middle:.1f} {second + size:.1f} {middle:.1f} {first + size:.1f} {left:.1f} {first + size:.1f}Z"/>'
        )
    for place, column in enumerate(columns):
        for state in STATES:
            part = column[state]
            if part.bottom - part.top < 0.05:
                continue
            told = (
                f"{locale.period_name(rows[place].month, lang)}, {tell(lang, state)}: "
                f"{locale.number(round(part.count), lang)}"
            )
            parts.append(
                f'<rect fill="{colour(TOKENS[state], theme)}" x="{x_of(place):.1f}" y="{part.top:.1f}" '
                f'width="{COLUMN}" height="{part.bottom - part.top:.1f}"><title>{escape(told)}</title></rect>'
            )
    for place in {0, len(rows) - 1}:
        parts.append(
            f'<text x="{x_of(place) + (0 if place == 0 else COLUMN):.1f}" '
            f'y="{columns[place][STATES[0]].top - 5:.1f}" font-size="12" '
            f'text-anchor="{"start" if place == 0 else "end"}" fill="{colour("ink-3", theme)}">'
            f"{locale.number(round(rows[place].customers), lang)}</text>"
        )
    for state, at in _label_places(columns[-1]).items():
        share = locale.percent(rows[-1].states[state].value, lang, digits=0)
        parts.append(
            f'<text x="{right + 8:.1f}" y="{at + 4.5:.1f}" font-size="13" font-weight="600" '
            f'fill="{colour(TOKENS[state], theme)}">{escape(tell(lang, state))} {share}</text>'
        )
    every = 1 if step >= 30 or len(rows) <= ON_A_PHONE else 2
    for place, entry in enumerate(rows):
        if (len(rows) - 1 - place) % every:
            continue
        x = x_of(place) + COLUMN / 2
        anchor = "start" if place == 0 else "middle"
        at = x - COLUMN / 2 if place == 0 else x
        parts.append(
            f'<text x="{at:.1f}" y="{HEAD + HEIGHT + 18}" font-size="12" text-anchor="{anchor}" '
            f'fill="{colour("ink-2", theme)}">{escape(locale.period_head(entry.month, lang))}</text>'
        )
        if place == 0 or entry.month.endswith("-01"):
            parts.append(
                f'<text x="{at:.1f}" y="{HEAD + HEIGHT + 34}" font-size="12" text-anchor="{anchor}" '
                f'fill="{colour("ink-3", theme)}">{entry.month[:4]}</text>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="marks" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{escape(SANS)}" role="img" aria-label="{escape(description)}">'
        f'<g aria-hidden="true">{"".join(parts)}</g></svg>'
    )


def _label_places(last: dict[State, _Part]) -> dict[State, float]:
    """Where the names stand beside the last column: at the middle of their part, never over each other."""
    found: dict[State, float] = {}
    before = -LABEL_STEP
    for state in STATES:
        part = last[state]
        if part.count < 0.5:
            continue
        before = max((part.top + part.bottom) / 2, before + LABEL_STEP)
        found[state] = before
    over = before - HEAD - HEIGHT
    if over > 0:
        limit = HEAD + HEIGHT
        for state in reversed(list(found)):
            found[state] = min(found[state], limit)
            limit = found[state] - LABEL_STEP
    return found


def _bands(
    health: Health,
    rows: tuple[Standing, ...],
    columns: list[dict[State, _Part]],
    x_of: Callable[[int], float],
) -> list[tuple[State, float, float, float, float, float]]:
    """Between two months: each move as a band, in the colour of where it leads.

    Returns:
        (where it leads, x from, x to, top from, top to, height).
    """
    channel = rows[0].channel if rows else ""
    by_month = {entry.month: place for place, entry in enumerate(rows)}
    moves: dict[int, dict[tuple[str, State], float]] = {}
    for move in health.moves:
        place = by_month.get(move.month, 0)
        if move.channel == channel and place and move.was != NEW:
            moves.setdefault(place, {})[move.was, move.now] = move.customers
    found: list[tuple[State, float, float, float, float, float]] = []
    most = max((entry.customers for entry in rows), default=1.0) or 1.0
    scale = HEIGHT / most
    for place, here in moves.items():
        leaving = {state: columns[place - 1][state].top for state in STATES}
        # whoever comes anew stands at the top of his part, so bands begin below
        coming = {
            state: columns[place][state].bottom
            - scale * sum(count for (_, now), count in here.items() if now == state)
            for state in STATES
        }
        for was in STATES:
            for now in STATES:
                count = here.get((was, now), 0.0)
                if not count:
                    continue
                size = count * scale
                found.append((now, x_of(place - 1) + COLUMN, x_of(place), leaving[was], coming[now], size))
                leaving[was] += size
                coming[now] += size
    return found
