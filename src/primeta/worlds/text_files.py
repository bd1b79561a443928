"""Texts of a simulated company as files: feeds, a Telegram export, tables, the customers' voices, `[sources]`."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

from primeta.config import FILE_NAME
from primeta.worlds.company import World, simulate_company
from primeta.worlds.company_files import TRUTH, Made, write_company
from primeta.worlds.planted import Planted
from primeta.worlds.texts import OWNERS, VOICE, Owner, Text, TextWorld, simulate_texts

FOLDER = "texts"
OPENS_FALL = 0.72
"""What openings are multiplied with, for everybody, from the day on which mail is folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWithTexts:
    """What was written: the company, and what is said around it."""

    company: Made
    texts: int
    sources: int
    topics: int
    cascades: int

    def line(self, lang: str = "en") -> str:
        """One sentence for the terminal."""
        first = self.company.line(lang)
        if lang == "ru":
            return (
                f"{first}; текстов {self.texts:_} из источников: {self.sources}, заложено тем {self.topics}, "
                f"перепечаток одной новости {self.cascades}"
            ).replace("_", "\u00a0")
        return (
            f"{first}; {self.texts:,} texts of {self.sources} sources, planted: {self.topics} topics, "
            f"{self.cascades} cascades of reposts"
        )

    def as_dict(self) -> dict[str, object]:
        return {
            **self.company.as_dict(),
            "texts": {
                "texts": self.texts,
                "sources": self.sources,
                "topics": self.topics,
                "cascades": self.cascades,
            },
        }


def company_with_texts(*, customers: int, seed: int, weeks: int = 156) -> tuple[World, TextWorld]:
    """A company in which fewer messages are opened from a Monday on, and what is said around it.

    The other changes are drawn as always, but for those of openings and of opt-outs: one reason, one change.
    """
    plain = simulate_company(customers=customers, seed=seed, weeks=weeks)
    onset = plain.start + timedelta(weeks=weeks - max(20, min(34, weeks // 3)))
    fall = Planted(name="folding", kind="trend", parameter="open", factor=OPENS_FALL, starts=onset)
    kept = [entry for entry in plain.planted if entry.parameter not in ("open", "unsubscribe")]
    world = simulate_company(customers=customers, seed=seed, weeks=weeks, planted=[*kept, fall])
    table = world.tables([0])["customers"]
    known = [
        (str(row["customer_id"]), _day(row["registered_at"]))
        for row in table.select(["customer_id", "registered_at"]).to_pylist()
    ]
    texts = simulate_texts(seed=seed, start=world.start, weeks=weeks, changed=onset, customers=known)
    return world, texts


def write_company_with_texts(
    world: World, texts: TextWorld, directory: Path, *, progress: Any = None
) -> MadeWithTexts:
    """Write both as a workspace whose `primeta watch` collects the texts at once; as `write_company`."""
    made = write_company(world, directory, progress=progress)
    part = directory / f"{FOLDER}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for owner in OWNERS:
        own = [text for text in texts.texts if text.owner.slug == owner.slug]
        (part / _file(owner)).parent.mkdir(parents=True, exist_ok=True)
        (part / _file(owner)).write_text(_WRITERS[owner.reader](owner, own), encoding="utf-8")
    shutil.rmtree(directory / FOLDER, ignore_errors=True)
    os.replace(part, directory / FOLDER)
    voices = [text for text in texts.texts if text.owner.group == "voice"]
    (directory / "data" / "voices").mkdir(exist_ok=True)
    pq.write_table(_voices(voices), directory / "data" / "voices" / "00000.parquet")
    _add(directory, texts)
    return MadeWithTexts(
        company=replace(made, rows={**made.rows, "voices": len(voices)}),
        texts=len(texts.texts),
        sources=len(OWNERS) + bool(voices),
        topics=sum(entry.kind == "topic" for entry in texts.planted),
        cascades=sum(entry.kind == "cascade" for entry in texts.planted),
    )


def _add(directory: Path, texts: TextWorld) -> None:
    """Sources into the settings, what was planted into the truth; the settings last, for they are what is read."""
    truth = json.loads((directory / TRUTH).read_text(encoding="utf-8"))
    truth["texts"] = [entry.as_dict() for entry in texts.planted]
    _whole(directory / TRUTH, json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
    settings = (directory / FILE_NAME).read_text(encoding="utf-8")
    told = [_SOURCES_HEAD]
    told += [
        f'[sources.{owner.slug}]\nreader = "{owner.reader}"\nkind = "{owner.kind}"\nat = "{FOLDER}/{_file(owner)}"\n'
        f'owner = "{owner.name}"\nlanguage = "{owner.language}"\n'
        for owner in OWNERS
    ]
    if any(text.owner.group == "voice" for text in texts.texts):
        told.append('[tables.voices]\nfrom = "data/voices/*.parquet"\n')
        told.append(f'[sources.voices]\nreader = "voices"\nkind = "{VOICE.kind}"\n')
    _whole(directory / FILE_NAME, settings + "\n" + "\n".join(told))


_SOURCES_HEAD = """\
# What is said around the company; what was planted in it stands in truth.json too.
"""


def _file(owner: Owner) -> str:
    return {
        "feed": f"{owner.slug}.xml",
        "telegram": f"{owner.slug}/result.json",
        "table": f"{owner.slug}.csv",
    }[owner.reader]


def _feed(owner: Owner, texts: Sequence[Text]) -> str:
    """RSS 2.0, the newest first."""
    items = "".join(
        f"<item><title>{escape(text.title)}</title><link>{text.url}</link><guid>{text.url}</guid>"
        f"<pubDate>{format_datetime(text.at)}</pubDate><description>{escape(_html(text))}</description></item>\n"
        for text in reversed(texts)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(owner.name)}</title><link>https://{owner.slug}.example/</link><description></description>\n"
        f"{items}</channel></rss>\n"
    )


def _html(text: Text) -> str:
    cited = f' <a href="{text.cites}">{text.cites}</a>' if text.cites else ""
    return f"<p>{escape(text.body)}{cited}</p>"


def _telegram(owner: Owner, texts: Sequence[Text]) -> str:
    """As Telegram Desktop exports a channel."""
    messages = [
        {
            "id": number,
            "type": "message",
            "date": text.at.strftime("%Y-%m-%dT%H:%M:%S"),
            "date_unixtime": str(int(text.at.timestamp())),
            "from": owner.name,
            "from_id": "channel1000000001",
            "text": _plain(text),
            "text_entities": [{"type": "plain", "text": _plain(text)}],
        }
        for number, text in enumerate(texts, start=1)
    ]
    document = {"name": owner.name, "type": "public_channel", "id": 1000000001, "messages": messages}
    return json.dumps(document, ensure_ascii=False, indent=0)


def _plain(text: Text) -> str:
    return "\n".join(part for part in (text.title, text.body, text.cites) if part)


def _table(_owner: Owner, texts: Sequence[Text]) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["said_at", "text", "url"])
    for text in texts:
        writer.writerow([text.at.isoformat(), _plain(text), text.url])
    return sink.getvalue()


_WRITERS = {"feed": _feed, "telegram": _telegram, "table": _table}


def _voices(texts: Sequence[Text]) -> pa.Table:
    return pa.table(
        {
            "voice_id": pa.array([f"v{number:06d}" for number in range(len(texts))], pa.string()),
            "said_at": pa.array([text.at for text in texts], pa.timestamp("us", "UTC")),
            "source": pa.array(["ticket"] * len(texts), pa.string()),
            "text": pa.array([text.body for text in texts], pa.string()),
            "customer_id": pa.array([text.customer_id for text in texts], pa.string()),
            "score": pa.array([text.score for text in texts], pa.float64()),
            "language": pa.array([text.owner.language for text in texts], pa.string()),
        }
    )


def _day(moment: Any) -> date:
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
    return moment


def _whole(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
