"""What is said around a simulated company: the same seed, the planted topics, files that the readers read."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from primeta.signals.texts.origins import find_stories
from primeta.signals.texts.plain_words import words
from primeta.worlds.text_files import company_with_texts, write_company_with_texts
from primeta.worlds.text_words import TERMS
from primeta.worlds.texts import OWNERS, simulate_texts

START = date(2024, 1, 1)
CUSTOMERS = [(f"c{n}", START - timedelta(days=10)) for n in range(50)]


@pytest.fixture(scope="module")
def world():
    return simulate_texts(
        seed=11, start=START, weeks=40, changed=START + timedelta(weeks=22), customers=CUSTOMERS
    )


def test_the_same_seed_says_the_same_and_another_one_something_else(world):
    again = simulate_texts(
        seed=11, start=START, weeks=40, changed=START + timedelta(weeks=22), customers=CUSTOMERS
    )
    assert again == world
    assert simulate_texts(seed=12, start=START, weeks=12).texts[0] != world.texts[0]


def test_owners_tell_about_as_many_stories_a_week_as_they_are_said_to(world):
    everyday = Counter(text.owner.slug for text in world.texts if not text.subject and not text.cites)
    for owner in OWNERS:
        # Poisson, and what it repeats of others: up to a third more, four sd less
        mean = owner.weekly * 40
        assert mean - 4 * mean**0.5 < everyday[owner.slug] < 1.4 * mean + 4 * mean**0.5


def test_a_topic_is_told_by_its_owners_from_its_onset_on_in_its_words(world):
    for entry in world.planted:
        if entry.kind != "topic":
            continue
        told = [text for text in world.texts if text.subject == entry.subject]
        late = [text for text in told if text.at.date() >= entry.starts]
        assert len(late) >= 0.9 * len(told)
        assert {text.owner.name for text in late if text.owner.group != "voice"} <= set(entry.owners)
        named = set(TERMS[entry.subject])
        assert all(named & set(words(f"{text.title} {text.body}")) for text in late)


def test_voices_are_of_customers_who_are_registered(world):
    voices = [text for text in world.texts if text.owner.group == "voice"]
    assert voices
    assert {text.customer_id for text in voices} <= {name for name, _ in CUSTOMERS}
    assert {text.subject for text in voices} == {"", "folding"}


def test_a_cascade_is_one_story_however_many_repeat_it(world):
    from primeta.sources.records import Document

    entry = next(entry for entry in world.planted if entry.kind == "cascade")
    told = [text for text in world.texts if text.subject == entry.subject]
    assert len(told) == 1 + entry.repeated_by
    documents = [
        Document(
            id=f"d-{number:016x}", source=text.owner.slug, owner=text.owner.name, kind="social",
            published_at=text.at, seen_at=text.at, title=text.title, text=text.body, url=text.url,
            links=(text.cites,) if text.cites else (),
        )
        for number, text in enumerate(told)
    ]  # fmt: skip
    (story,) = find_stories(documents)
    assert story.owner == entry.owners[0]


def test_the_folder_holds_sources_that_are_read_and_the_truth(tmp_path):
    company, said = company_with_texts(customers=200, seed=4, weeks=12)
    made = write_company_with_texts(company, said, tmp_path / "w")
    truth = json.loads((tmp_path / "w" / "truth.json").read_text(encoding="utf-8"))
    assert {entry["subject"] for entry in truth["texts"]} == {entry.subject for entry in said.planted}
    folding = next(entry for entry in truth["texts"] if entry["metric"] == "open_rate")
    fall = next(entry for entry in truth["planted"] if entry["name"] == "folding")
    assert date.fromisoformat(fall["from"]) - date.fromisoformat(folding["from"]) == timedelta(weeks=4)

    from primeta.config import load_config
    from primeta.sources.declare import declared_sources
    from primeta.sources.read import read
    from primeta.sources.records import Brought

    sources = declared_sources(load_config(tmp_path / "w"))
    assert len(sources) == made.sources
    by_slug = Counter(text.owner.slug for text in said.texts)
    for name, source in sources.items():
        if source.reader == "voices":
            continue
        path = tmp_path / "w" / source.at
        found = read(path, source=source, media="", url=str(path), seen_at=datetime(2030, 1, 1, tzinfo=UTC))
        parts = [found] if isinstance(found, Brought) else list(found)
        assert not any(part.troubles for part in parts)
        assert len({one.id for part in parts for one in part.documents}) == by_slug[name]
