"""Generic documents and tables that results fill: JSON, the terminal, Markdown, HTML."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from typing import Any, Literal

Align = Literal["left", "right"]


def plain(value: Any) -> Any:
    """What JSON can hold: unknown numbers become null, times are ISO 8601 and end in Z."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return plain(value.item()) if hasattr(value, "item") else value


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one column; numbers stand to the right."""

    text: str
    align: Align = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of texts that a person reads; the words are already in the reader's language."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    note: str = ""

    def markdown(self) -> str:
        """GitHub-flavoured Markdown."""

        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

        rule = "| " + " | ".join("--:" if head.align == "right" else "---" for head in self.heads) + " |"
        body = [line([head.text for head in self.heads]), rule, *(line(row) for row in self.rows)]
        return "\n".join([*([f"**{self.title}**", ""] if self.title else []), *body, *self._note()])

    def html(self) -> str:
        """An escaped `<table class="t">`, as the pages draw it."""

        number = ' class="num"'

        def cells(tag: str, texts: Sequence[str], extra: str = "") -> str:
            return "".join(
                f"<{tag}{extra}{number if head.align == 'right' else ''}>{escape(text)}</{tag}>"
                for head, text in zip(self.heads, texts, strict=True)
            )

        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        head = cells("th", [head.text for head in self.heads], ' scope="col"')
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.rows)
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return f'<table class="t">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}'

    def text(self) -> str:
        """Columns of plain text, for a chat or a log file."""
        widths = [
            max(_width(head.text), *(_width(row[index]) for row in self.rows), 0)
            for index, head in enumerate(self.heads)
        ]

        def line(cells: Sequence[str]) -> str:
            padded = []
            for head, width, cell in zip(self.heads, widths, cells, strict=True):
                room = " " * (width - _width(cell))
                padded.append(room + cell if head.align == "right" else cell + room)
            return "  ".join(padded).rstrip()

        heads = line([head.text for head in self.heads])
        rule = "  ".join("─" * width for width in widths)
        return "\n".join(
            [
                *([self.title] if self.title else []),
                heads,
                rule,
                *(line(row) for row in self.rows),
                *self._note(),
            ]
        )

    def rich(self):
        """A `rich.table.Table` for the terminal."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(
            title=self.title or None,
            caption=self.note or None,
            box=SIMPLE_HEAD,
            title_justify="left",
            caption_justify="left",
        )
        for head in self.heads:
            table.add_column(head.text, justify=head.align)
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in row))
        return table

    def _note(self) -> list[str]:
        return ["", self.note] if self.note else []

    def __str__(self) -> str:
        return self.text()


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
