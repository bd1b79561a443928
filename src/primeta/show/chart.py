"""Altair charts in the house frame: no legend, labels stand at the lines, the title says the finding.

A picture is drawn on the server to SVG and reads without a script; the same specification goes
to the page for a local Vega to enhance. Ticks are text marks with words written in the reader's
language, so that nothing depends on the locale of a browser.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape
from typing import Any

from primeta.show.palette import Theme, colour, in_page

SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif"
WIDE, NARROW = 760, 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart with its words: the finding, what is drawn, the source, and its numbers for a listener."""

    title: str
    subtitle: str
    source: str
    description: str
    draw: Callable[[Theme, int], dict[str, Any]]
    """Theme and width in pixels → a Vega-Lite specification."""

    def svg(self, theme: Theme = "light", *, width: int = WIDE) -> str:
        """The picture alone, with its description as its accessible name."""
        return _labelled(
            _render(json.dumps(self.specification(theme, width=width), sort_keys=True)), self.description
        )

    def page_svg(self, *, width: int = WIDE) -> str:
        """The picture for inside a page: it follows the page's light or dark theme."""
        return in_page(self.svg("light", width=width))

    def specification(self, theme: Theme = "light", *, width: int = WIDE) -> dict[str, Any]:
        _wait_for_pandas()
        return self.draw(theme, width)

    def _repr_html_(self) -> str:
        return (
            f"<figure><figcaption><b>{escape(self.title)}</b><br>{escape(self.subtitle)}</figcaption>"
            f"{self.svg()}<small>{escape(self.source)}</small></figure>"
        )


@cache
def _wait_for_pandas() -> None:
    """Import pandas, where it is installed, before the first chart is drawn.

    pyarrow imports it in whatever thread first makes an array, and altair takes a module that is still being imported
    for a whole one: a chart drawn meanwhile in another thread would fail.
    """
    if importlib.util.find_spec("pandas") is not None:
        importlib.import_module("pandas")


@lru_cache(maxsize=512)
def _render(specification: str) -> str:
    import vl_convert

    return vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])


def _labelled(svg: str, description: str) -> str:
    head, body = svg.split(">", 1)
    # Vega describes every mark in English; the one description that a reader needs is ours.
    return f'{head} role="img" aria-label="{escape(description)}"><g aria-hidden="true">{body[:-6]}</g></svg>'


BUNDLE = "window.vegaEmbed = vegaEmbed;"
"""What the bundle leaves on the page."""


@lru_cache(maxsize=1)
def vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, to be served from our own address."""
    import vl_convert

    return vl_convert.javascript_bundle(BUNDLE)


def config(theme: Theme) -> dict[str, Any]:
    """The house frame: no axes, no border, no legend; the sans stack and colours of the tokens."""
    return {
        "background": None,
        "font": SANS,
        "view": {"stroke": None},
        "text": {"fontSize": 12, "color": colour("ink-3", theme), "font": SANS},
        "axis": {"disable": True},
        "legend": {"disable": True},
        "aria": False,
    }
