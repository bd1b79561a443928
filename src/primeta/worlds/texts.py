"""What is said around a simulated company: a press, channels, rivals, a regulator and its own customers.

The model, in short (all draws independent unless said otherwise):

- Each owner tells a Poisson number of stories a week around a mean of his own that wanders slowly. A story is two or
  three sentences with everyday words; each owner has favourites among them, by Zipf's law.
- A *topic* begins on a Monday; each of its owners joins within six weeks and from then on tells of it at a rate of
  his own, in his own words, to the end of the log. Before, anybody speaks of it now and then.
- A *cascade* is told once; within three days many others repeat it word for word, nearly so, with the source named,
  or around its link.
- A *campaign* is one owner who speaks of one thing for months. A *season* comes back every year.
- Customers write about their orders; where a topic has voices, some of them speak of it, from its onset on.

The same seed gives the same texts, letter for letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import numpy as np

from primeta.worlds.text_words import BODIES, EVERYDAY, FRAMES, NAMES, PLANTED, SAID, SAYINGS, TERMS

Group = Literal["voice", "outside", "competitor", "regulator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Somebody who publishes, and how it comes to the company."""

    name: str
    slug: str
    language: str
    group: Group
    kind: str
    """Of source: `industry_report`, `social`, `law` …"""
    reader: str
    """`feed`, `telegram`, `table` or `voices`."""
    weekly: float
    """Stories a week."""


OWNERS: tuple[Owner, ...] = tuple(
    Owner(name=name, slug=slug, language=language, group=group, kind=kind, reader=reader, weekly=weekly)  # pyright: ignore[reportArgumentType]
    for name, slug, language, group, kind, reader, weekly in (
        ("Trade Wind Daily", "trade-wind", "en", "outside", "industry_report", "feed", 9.0),
        ("Aisle Notes", "aisle-notes", "en", "outside", "community", "feed", 6.0),
        ("Parcel Review", "parcel-review", "en", "outside", "research", "table", 5.0),
        ("Counter Talk", "counter-talk", "en", "outside", "community", "feed", 7.0),
        ("Margin Letter", "margin-letter", "en", "outside", "agency", "table", 4.0),
        ("Shopfloor", "shopfloor", "en", "outside", "conference", "table", 6.0),
        ("Прилавок", "prilavok", "ru", "outside", "social", "telegram", 8.0),
        ("Рассылочная", "rassylochnaya", "ru", "outside", "agency", "telegram", 6.0),
        ("Склад и точка", "sklad", "ru", "outside", "social", "table", 5.0),
        ("Norvald", "norvald", "en", "competitor", "competitor", "table", 2.0),
        ("Messaging Office", "messaging-office", "en", "regulator", "law", "table", 2.0),
    )
)
VOICE = Owner(
    name="voices", slug="voices", language="en", group="voice", kind="support", reader="voices", weekly=30.0
)
REPEATED = 0.05
"""Share of ordinary stories that one or two others repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text as somebody published it, or as a customer wrote it."""

    owner: Owner
    at: datetime
    title: str
    body: str
    url: str
    subject: str
    """What was planted in it; empty for the everyday."""
    cites: str = ""
    """A link that stands in it."""
    customer_id: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedTopic:
    """Something that more is said of from a Monday on."""

    subject: str
    kind: Literal["topic", "cascade", "campaign", "season"]
    starts: date
    owners: tuple[str, ...]
    """Who tells of it himself; of a cascade, who spoke first."""
    groups: tuple[Group, ...]
    metric: str = ""
    """The metric that changes for the same reason, in the company's own figures."""
    repeated_by: int = 0

    def as_dict(self) -> dict[str, Any]:
        """One entry of the truth file."""
        return {
            "subject": self.subject,
            "kind": self.kind,
            "from": self.starts.isoformat(),
            "owners": list(self.owners),
            "groups": list(self.groups),
            "terms": list(TERMS[self.subject]),
            "metric": self.metric or None,
            "repeated_by": self.repeated_by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWorld:
    """All texts in the order of time, and what was planted."""

    texts: tuple[Text, ...]
    planted: tuple[PlantedTopic, ...]


def simulate_texts(
    *,
    seed: int,
    start: date,
    weeks: int,
    changed: date | None = None,
    customers: Sequence[tuple[str, date]] = (),
) -> TextWorld:
    """Texts over so many weeks.

    Args:
        start: A Monday.
        changed: The Monday on which fewer messages begin to be opened: what is said of it begins four weeks before.
            None: nothing changes, and nobody speaks of that.
        customers: (id, registered on) of those who may write; without them nobody does.
    """
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 7))))
    planted = _plant(rng, start=start, weeks=weeks, changed=changed, voices=bool(customers))
    writer = _Writer(rng)
    texts: list[Text] = []
    for owner in OWNERS:
        texts += writer.everyday(owner, start=start, weeks=weeks)
    texts += _repeats(rng, texts, share=REPEATED)
    for entry in planted:
        texts += _tell(rng, writer, entry, start=start, weeks=weeks)
    if customers:
        texts += _voices(rng, writer, planted, start=start, weeks=weeks, customers=customers)
    end = datetime.combine(start + timedelta(weeks=weeks), time(), UTC)
    inside = [text for text in texts if text.at < end]
    return TextWorld(
        texts=tuple(sorted(inside, key=lambda text: (text.at, text.owner.slug, text.title, text.body))),
        planted=planted,
    )


def _plant(
    rng: np.random.Generator, *, start: date, weeks: int, changed: date | None, voices: bool
) -> tuple[PlantedTopic, ...]:
    first, last = min(52, weeks // 3), weeks - min(26, weeks // 4)
    outside = [owner.name for owner in OWNERS if owner.group == "outside"]

    def monday() -> date:
        return start + timedelta(weeks=int(rng.integers(first + 2, last)))

    def some(least: int, most: int) -> tuple[str, ...]:
        number = int(rng.integers(least, most + 1))
        return tuple(sorted(str(name) for name in rng.choice(outside, number, replace=False)))

    planted: list[PlantedTopic] = []
    if changed is not None:
        groups: tuple[Group, ...] = ("outside", "voice") if voices else ("outside",)
        planted.append(
            PlantedTopic(
                subject="folding", kind="topic", starts=changed - timedelta(weeks=4), owners=some(4, 6),
                groups=groups, metric="open_rate",
            )
        )  # fmt: skip
    planted += [
        PlantedTopic(subject="refill", kind="topic", starts=monday(), owners=some(3, 5), groups=("outside",)),
        PlantedTopic(
            subject="register", kind="topic", starts=monday(), owners=(*some(2, 4), "Messaging Office"),
            groups=("outside", "regulator"),
        ),
        PlantedTopic(
            subject="lockers", kind="topic", starts=monday(), owners=("Norvald",), groups=("competitor",)
        ),
        PlantedTopic(
            subject="studio", kind="campaign", starts=monday(), owners=("Counter Talk",), groups=("outside",)
        ),
        PlantedTopic(
            subject="fair", kind="season", starts=start + timedelta(weeks=int(rng.integers(4, 40))),
            owners=tuple(outside), groups=("outside",),
        ),
    ]  # fmt: skip
    for subject in ("fire", "recall", "strike"):
        planted.append(
            PlantedTopic(
                subject=subject, kind="cascade", starts=monday(), owners=(str(rng.choice(outside)),),
                groups=("outside",), repeated_by=int(rng.integers(5, len(outside))),
            )
        )  # fmt: skip
    return tuple(planted)


class _Writer:
    """Writes stories: frames and everyday words, each owner with his favourites."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self._favourites: dict[str, Any] = {}
        self._number = 0

    def everyday(self, owner: Owner, *, start: date, weeks: int) -> list[Text]:
        level = np.exp(np.cumsum(self.rng.normal(0, 0.04, weeks)))
        counts = self.rng.poisson(owner.weekly * level / level.mean())
        return [
            self.text(owner, self.moment(start + timedelta(weeks=week)))
            for week, number in enumerate(counts.tolist())
            for _ in range(number)
        ]

    def moment(self, monday: date) -> datetime:
        seconds = int(self.rng.integers(0, 7 * 86400))
        return datetime.combine(monday, time(), UTC) + timedelta(seconds=seconds)

    def text(self, owner: Owner, at: datetime, *, subject: str = "") -> Text:
        titles = PLANTED[owner.language][subject] if subject else FRAMES[owner.language]
        title = self.sentence(owner, titles)
        body = " ".join(
            self.sentence(owner, BODIES[owner.language]) for _ in range(int(self.rng.integers(2, 4)))
        )
        if subject:
            body = f"{self.sentence(owner, titles)}. {body}"
        self._number += 1
        url = f"https://{owner.slug}.example/{at:%Y/%m}/{self._number:06d}"
        return Text(owner=owner, at=at, title=title, body=body, url=url, subject=subject)

    def sentence(self, owner: Owner, frames: Sequence[str]) -> str:
        frame = frames[int(self.rng.integers(0, len(frames)))]
        a, b, c = self.some(owner, 3)
        name = NAMES[int(self.rng.integers(0, len(NAMES)))]
        return frame.format(a=a, b=b, c=c, name=name, n=int(self.rng.integers(2, 90)))

    def some(self, owner: Owner, number: int) -> list[str]:
        words = EVERYDAY[owner.language]
        if owner.slug not in self._favourites:
            weight = 1 / np.arange(12, len(words) + 12)
            self._favourites[owner.slug] = self.rng.permutation(weight / weight.sum())
        chosen = self.rng.choice(len(words), number, replace=False, p=self._favourites[owner.slug])
        return [words[int(place)] for place in chosen]


def _owner(name: str) -> Owner:
    return next(owner for owner in OWNERS if owner.name == name)


def _tell(
    rng: np.random.Generator, writer: _Writer, entry: PlantedTopic, *, start: date, weeks: int
) -> list[Text]:
    if entry.kind == "cascade":
        return _cascade(rng, writer, entry)
    told: list[Text] = []
    onset = (entry.starts - start).days // 7
    for name in entry.owners:
        owner = _owner(name)
        if entry.kind == "season":
            rates = np.zeros(weeks)
            for year in range(0, weeks, 52):
                rates[min(onset + year, weeks) : min(onset + year + 3, weeks)] = 0.8
        elif entry.kind == "campaign":
            rates = np.zeros(weeks)
            rates[onset : onset + 20] = 2.0
        else:
            rates = np.full(weeks, 0.01)
            rates[min(onset + int(rng.integers(0, 7)), weeks) :] = owner.weekly * float(
                rng.uniform(0.12, 0.25)
            )
        told += [
            writer.text(owner, writer.moment(start + timedelta(weeks=week)), subject=entry.subject)
            for week, number in enumerate(rng.poisson(rates).tolist())
            for _ in range(number)
        ]
    return told


def _cascade(rng: np.random.Generator, writer: _Writer, entry: PlantedTopic) -> list[Text]:
    first = writer.text(_owner(entry.owners[0]), writer.moment(entry.starts), subject=entry.subject)
    others = [owner for owner in OWNERS if owner.group == "outside" and owner.name != entry.owners[0]]
    chosen = rng.choice(len(others), min(entry.repeated_by, len(others)), replace=False)
    return [first, *(_repeat(rng, first, others[int(place)]) for place in chosen)]


def _repeats(rng: np.random.Generator, texts: Sequence[Text], *, share: float) -> list[Text]:
    found: list[Text] = []
    outside = [owner for owner in OWNERS if owner.group == "outside"]
    for text in texts:
        if rng.random() < share:
            others = [owner for owner in outside if owner != text.owner]
            for place in rng.choice(len(others), int(rng.integers(1, 3)), replace=False):
                found.append(_repeat(rng, text, others[int(place)]))
    return found


def _repeat(rng: np.random.Generator, text: Text, owner: Owner) -> Text:
    """The same story again: word for word, with a word before, with its source named, or around its link."""
    at = text.at + timedelta(seconds=int(rng.integers(1800, 3 * 86400)))
    url = f"https://{owner.slug}.example/{at:%Y/%m}/r{int(rng.integers(0, 10**9)):09d}"
    title, body, cites = text.title, text.body, ""
    how = int(rng.integers(0, 4))
    if how == 1:
        title = ("Worth a look. " if owner.language == "en" else "Стоит прочитать. ") + title
    elif how == 2:
        body += f" Source: {text.owner.name}." if owner.language == "en" else f" Источник: {text.owner.name}."
    elif how == 3:
        cites = text.url
    return Text(owner=owner, at=at, title=title, body=body, url=url, subject=text.subject, cites=cites)


def _voices(
    rng: np.random.Generator,
    writer: _Writer,
    planted: Sequence[PlantedTopic],
    *,
    start: date,
    weeks: int,
    customers: Sequence[tuple[str, date]],
) -> list[Text]:
    """What customers write: each text by one who is registered by then."""
    ids = [name for name, _ in customers]
    since = np.array([day.toordinal() for _, day in customers])
    topics = [entry for entry in planted if "voice" in entry.groups]
    told: list[Text] = []
    for week in range(weeks):
        monday = start + timedelta(weeks=week)
        known = np.flatnonzero(since <= monday.toordinal())
        if not len(known):
            continue
        subjects = [""] * int(rng.poisson(VOICE.weekly))
        for entry in topics:
            rate = 0.05 if monday < entry.starts else 0.15 * VOICE.weekly
            subjects += [entry.subject] * int(rng.poisson(rate))
        for subject in subjects:
            language = "ru" if rng.random() < 0.3 else "en"
            speaker = Owner(
                name=VOICE.name, slug=f"voices-{language}", language=language, group="voice", kind="support",
                reader="voices", weekly=VOICE.weekly,
            )  # fmt: skip
            frames = SAID[language][subject] if subject else SAYINGS[language]
            body = " ".join(writer.sentence(speaker, frames) for _ in range(1 if subject else 2))
            at = writer.moment(monday)
            told.append(
                Text(
                    owner=speaker, at=at, title="", body=body, url="", subject=subject,
                    customer_id=ids[int(rng.choice(known))], score=float(rng.integers(1, 6)),
                )
            )  # fmt: skip
    return told
