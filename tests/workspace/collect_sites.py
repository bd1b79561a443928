"""A small web of feeds, a channel and pages on 127.0.0.1, and a workspace that collects it."""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))

from local_sites import Clock, Site, answer, site

from primeta.sources.fetching.client import Fetcher
from primeta.workspace import open_workspace
from primeta.workspace.workspace import Workspace

__all__ = ["NOW", "Site", "answer", "documents_of", "feed", "fetcher", "site", "still", "web", "workspace_at"]

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
WORDS = [
    "скидка",
    "доставка",
    "возврат",
    "комиссия",
    "подписка",
    "оплата",
    "заказ",
    "отзыв",
    "баллы",
    "промокод",
]
WORDS += [
    "витрина",
    "корзина",
    "чек",
    "курьер",
    "склад",
    "магазин",
    "реклама",
    "рассылка",
    "письмо",
    "кнопка",
]


def feed(*items: tuple[str, str, datetime], title: str = "Лента") -> bytes:
    """RSS of (id, text, time)."""
    told = "".join(
        f"<item><title>{text}</title><link>http://x.example/{name}</link><guid>{name}</guid>"
        f"<pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for name, text, at in items
    )
    head = f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{title}</title>'
    return f"{head}{told}</channel></rss>".encode()


def said(rng: np.random.Generator, number: int, *, since: datetime = NOW) -> list[tuple[str, str, datetime]]:
    """Texts of eight words each, an hour apart."""
    return [
        (f"e{i}", " ".join(rng.choice(WORDS, 8)) + f" {i}", since - timedelta(hours=i + 1))
        for i in range(number)
    ]


@contextmanager
def web(feeds: int = 3) -> Iterator[Site]:
    """Feeds of which each third repeats one common text."""
    rng = np.random.default_rng(5)
    with site() as place:
        for number in range(feeds):
            items = said(rng, 12)
            if number % 3 == 0:
                common = "Маркетплейс повысил комиссию для продавцов одежды до 17 процентов с первого апреля"
                items.append(("common", common, NOW - timedelta(days=1, hours=number)))
            place.on(f"/feed{number}.xml", answer(feed(*items), content_type="application/rss+xml"))
        yield place


def workspace_at(folder: Path, place: Site | None = None, *, feeds: int = 3, more: str = "") -> Path:
    """A workspace that collects `web`."""
    folder.mkdir(parents=True, exist_ok=True)
    told = [
        f'[sources.feed{number}]\nat = "{place.url(f"/feed{number}.xml")}"\nkind = "industry_report"\n'
        f'owner = "owner{number}"\nallow = ["127.0.0.1"]\n'
        for number in range(feeds if place is not None else 0)
    ]
    text = '[workspace]\nname = "shop"\n[sources]\nspacing_seconds = 0\n' + "\n".join(told) + more
    (folder / "primeta.toml").write_text(text, encoding="utf-8")
    return folder


def still(folder: Path, *, rows: int = 60, name: str = "tickets.csv", start: int = 0) -> None:
    """A file of tickets."""
    rng = np.random.default_rng(9 + start)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "text", "said_at", "customer_id"])
        for i in range(start, start + rows):
            words = " ".join(rng.choice(WORDS, 7))
            at = NOW - timedelta(hours=i)
            table.writerow([f"t{i}", f"{words} {i}", at.strftime("%Y-%m-%d %H:%M:%S"), f"c{i % 9}"])


def fetcher() -> Fetcher:
    clock = Clock()
    return Fetcher(rng=np.random.default_rng(1), clock=clock, sleep=clock.sleep, spacing_seconds=0)


def opened(folder: Path) -> Workspace:
    return open_workspace(folder)


def documents_of(folder: Path) -> list[tuple]:
    """Every document but what tells when and in what order it came."""
    connection = sqlite3.connect(folder / "state.sqlite")
    rows = connection.execute(
        "select id, source, owner, kind, published_at, title, text, url, language, links, customer_id, raw, story, why"
        " from documents order by id"
    ).fetchall()
    connection.close()
    return rows
