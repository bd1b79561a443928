"""Topics in the loop: watched, frozen, followed; trends of them; suggestions, refusals; the digest."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from primeta.errors import BadTable, NotFound
from primeta.sources.records import Document
from primeta.store import documents as document_rows
from primeta.store import topics as topic_rows
from primeta.workspace import watch as watch_module
from primeta.workspace.watch_topics import FOLDER, is_own_word
from primeta.workspace.workspace import open_workspace
from primeta.worlds.text_words import EVERYDAY

START = date(2025, 1, 6)
WEEKS, ONSET = 44, 30
NOW = datetime.combine(START + timedelta(weeks=WEEKS, days=1), datetime.min.time(), UTC)
OWNERS = {
    "daily": "industry_report", "aisle": "community", "letter": "agency", "talk": "social",
    "rival": "competitor", "tickets": "support",
}  # fmt: skip
SPEAK = {"daily": 1.0, "aisle": 1.2, "letter": 1.0, "tickets": 2.5}
"""Owner → stories a week of the planted topic, from ONSET on."""
TOML = """
[workspace]
name = "Grocer"
language = "en"
currency = "USD"
timezone = "UTC"

""" + "\n".join(
    f'[sources.{name}]\nreader = "table"\nkind = "{kind}"\nat = "{name}.csv"\npaused = true\n'
    for name, kind in OWNERS.items()
)


def story(owner: str, at: datetime, text: str, number: int, **changes) -> Document:
    values = {
        "id": f"d-{number:016x}", "source": owner, "owner": owner, "kind": OWNERS[owner], "published_at": at,
        "seen_at": at, "title": "", "text": text, "url": f"https://{owner}.example/stories/{number:06d}",
        "customer_id": f"c{number % 60}" if owner == "tickets" else "",
    }  # fmt: skip
    return Document(**{**values, **changes})


def told(weeks: range, *, seed: int = 5) -> list[Document]:
    """Everyday stories of all owners, and from ONSET on those of a folded newsletter."""
    rng = np.random.default_rng(seed)
    words = EVERYDAY["en"]
    found = []
    number = weeks.start * 1000
    for week in weeks:
        for owner in OWNERS:
            planted = rng.poisson(SPEAK.get(owner, 0.0)) if week >= ONSET else 0
            for place in range(int(rng.poisson(5)) + planted):
                day = START + timedelta(weeks=week)
                at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(
                    minutes=int(rng.integers(10_000))
                )
                a, b, c, d = (words[int(at_)] for at_ in rng.choice(len(words), 4, replace=False))
                text = f"The {a} and the {b}: {c} against {d} in {int(rng.integers(2, 99))} days."
                if place < planted:
                    text = f"The assistant folds newsletters, {a} stays unread. {text}"
                number += 1
                found.append(story(owner, at, text, number))
    return found


def put(ws, documents: list[Document]) -> None:
    with ws.database.write() as connection:
        document_rows.save_documents(connection, documents, stories={})


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of texts alone, watched once."""
    folder = tmp_path_factory.mktemp("said")
    (folder / "primeta.toml").write_text(TOML)
    ws = open_workspace(folder)
    put(ws, told(range(WEEKS)))
    ws.watch(now=NOW)
    ws.close()
    return folder


@pytest.fixture
def ws(watched: Path, tmp_path: Path):
    folder = tmp_path / "said"
    shutil.copytree(watched, folder)
    opened = open_workspace(folder)
    yield opened
    opened.close()


def folding(ws):
    """The planted topic and its signals."""
    topic = next(view.topic for view in ws.topics(now=NOW) if "newsletters" in " ".join(view.topic.terms))
    return topic, {entry.frozen.origin: entry for entry in ws.signals() if entry.topic == topic.id}


def test_a_workspace_of_texts_alone_is_watched_and_its_topic_is_a_signal_of_each_side(ws):
    topic, sides = folding(ws)
    assert set(sides) == {"outside", "voice"}
    # Planted to begin in week 30; noticed later than that, and never before.
    assert abs((topic.since - (START + timedelta(weeks=ONSET))).days) <= 21
    assert topic.noticed_at.date() > topic.since
    outside = sides["outside"]
    assert outside.grade in ("holding", "repeating")
    assert outside.owners == tuple(owner for owner in topic.owners if owner in SPEAK and owner != "tickets")
    assert outside.frozen.about.startswith("topic:")
    assert "newsletters" in outside.frozen.about
    assert (outside.frozen.slice, outside.frozen.direction) == ("texts", "up")
    assert outside.observed > outside.expected >= 0
    # The rest is everyday talk: nothing else holds.
    assert [view.topic.id for view in ws.topics(now=NOW) if view.topic.grade not in ("noticed",)] == [
        topic.id
    ]


def test_two_sides_that_both_hold_confirm_and_owners_of_one_side_do_not(ws):
    topic, sides = folding(ws)
    trend = next(entry for entry in ws.trends() if sides["outside"].id in entry.signals)
    assert set(trend.signals) == {sides["outside"].id, sides["voice"].id}
    assert trend.evidence.independent_origins == 2
    assert trend.evidence.grade == topic.grade
    assert trend.card.metrics == ()
    assert "tickets" in trend.card.signal_sources
    assert trend.card.name.startswith("More is said of “")


def test_a_second_watch_changes_nothing(ws):
    before = ([replace(entry, provenance=None) for entry in ws.signals()], ws.topics(now=NOW), ws.trends())
    report = ws.watch(now=NOW)
    assert report.new_trends == report.moved == 0
    after = ([replace(entry, provenance=None) for entry in ws.signals()], ws.topics(now=NOW), ws.trends())
    assert [(entry.id, entry.frozen, entry.grade) for entry in after[0]] == [
        (entry.id, entry.frozen, entry.grade) for entry in before[0]
    ]
    assert after[1] == before[1]
    assert [trend.id for trend in after[2]] == [trend.id for trend in before[2]]


def test_later_texts_update_the_evidence_and_nothing_that_was_frozen(ws):
    topic, sides = folding(ws)
    put(ws, told(range(WEEKS, WEEKS + 3), seed=9))
    ws.watch(now=NOW + timedelta(weeks=3))
    later, again = folding(ws)
    assert later.id == topic.id
    assert later.stories > topic.stories
    assert {name: entry.frozen for name, entry in again.items()} == {
        name: entry.frozen for name, entry in sides.items()
    }
    assert again["outside"].e_value > sides["outside"].e_value
    assert len(ws.topics(now=NOW)) == len({view.topic.id for view in ws.topics(now=NOW)})


def test_the_cache_of_terms_may_be_deleted(ws):
    topic, _ = folding(ws)
    shutil.rmtree(ws.folder / FOLDER)
    ws.watch(now=NOW)
    assert folding(ws)[0] == topic


def test_a_watch_that_is_killed_while_it_writes_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "primeta.toml").write_text(TOML)
    ws = open_workspace(tmp_path)
    put(ws, told(range(WEEKS)))

    def killed(*_arguments, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(watch_module.trend_rows, "add_trend", killed)
        with pytest.raises(KeyboardInterrupt):
            ws.watch(now=NOW)
    assert ws.topics(now=NOW) == ()
    assert tuple(ws.signals()) == ()
    assert tuple(ws.trends()) == ()
    with ws.database.read() as connection:
        assert topic_rows.load_topic_documents(connection) == {}
    ws.watch(now=NOW)
    assert folding(ws)[1].keys() == {"outside", "voice"}
    ws.close()


def test_what_goes_back_to_the_company_itself_is_no_evidence():
    at = datetime(2025, 6, 1, tzinfo=UTC)
    assert is_own_word(story("daily", at, "Openings fell by a third, according to Grocer.", 1), "grocer")
    assert is_own_word(story("daily", at, "Openings fell.", 1, forwarded_from="Grocer"), "grocer")
    assert not is_own_word(
        story("daily", at, "A grocer opened in the harbour, according to Reuters.", 1), "grocer"
    )


def test_before_any_text_came_the_watch_says_what_to_do(tmp_path):
    (tmp_path / "primeta.toml").write_text(TOML)
    ws = open_workspace(tmp_path)
    with pytest.raises(BadTable, match="have brought no text yet"):
        ws.watch(now=NOW)
    put(ws, told(range(3)))
    report = ws.watch(now=datetime(2025, 2, 1, tzinfo=UTC))
    assert report.topics_why_not == "few-texts"
    assert "too few weeks" in report.line("en")
    ws.close()


def test_a_topic_joins_a_trend_with_all_its_sides_and_its_draft_is_gone(ws):
    _, sides = folding(ws)
    own = ws.new_trend(name="Fewer openings", by="Anna", now=NOW)
    drafted = next(entry for entry in ws.trends() if sides["voice"].id in entry.signals)
    joined = ws.attach(own.id, sides["outside"].id, by="Anna", now=NOW)
    assert set(joined.signals) == {entry.id for entry in sides.values()}
    assert drafted.id not in {entry.id for entry in ws.trends()}
    ws.watch(now=NOW)
    assert drafted.id not in {entry.id for entry in ws.trends()}


def test_a_draft_that_a_person_has_edited_keeps_its_signals(ws):
    _, sides = folding(ws)
    drafted = next(entry for entry in ws.trends() if sides["voice"].id in entry.signals)
    ws.edit_card(drafted.id, changes={"risks": "none"}, by="Anna", now=NOW)
    own = ws.new_trend(name="Fewer openings", by="Anna", now=NOW)
    ws.attach(own.id, sides["voice"].id, by="Anna", now=NOW)
    assert set(ws.trend(drafted.id).signals) == {entry.id for entry in sides.values()}


def test_a_topic_is_suggested_once_with_reasons_and_never_again_once_refused(ws):
    note = ws.log_signal(
        text="Newsletters stay unread, the assistant folds them", origin="hand", by="Anna", now=NOW,
        happened_at=START + timedelta(weeks=ONSET + 2),
    )  # fmt: skip
    own = ws.new_trend(name="Folded", by="Anna", now=NOW, signals=[note.id])
    (offered,) = ws.suggestions(own.id)
    assert ws.signal(offered.signal_id).topic == folding(ws)[0].id
    assert set(offered.why) >= {"same-words", "same-time"}
    ws.attach(own.id, offered.signal_id, by="Anna", now=NOW, refuse=True)
    assert ws.suggestions(own.id) == ()


def test_the_page_of_a_topic_has_its_texts_signals_and_trend(ws):
    topic, sides = folding(ws)
    view = ws.topic(topic.id)
    assert set(view.signals) == {entry.id for entry in sides.values()}
    assert view.trend_name == ws.trend(view.trend).card.name
    assert view.documents
    assert all("newsletters" in one.text for one in view.documents)
    with pytest.raises(NotFound):
        ws.topic("t-nothing")


def test_the_digest_tells_what_is_being_said_with_quotes_and_links(watched, tmp_path):
    folder = tmp_path / "said"
    shutil.copytree(watched, folder, ignore=shutil.ignore_patterns("state.sqlite*"))
    ws = open_workspace(folder)
    documents = told(range(WEEKS))
    put(ws, documents)
    topic_week = START + timedelta(weeks=ONSET + 4)
    ws.watch(now=datetime.combine(topic_week, datetime.min.time(), UTC))
    for _ in range(3):
        topic_week += timedelta(weeks=1)
        ws.watch(now=datetime.combine(topic_week, datetime.min.time(), UTC))
        digest = ws.digest(now=datetime.combine(topic_week, datetime.min.time(), UTC), language="en")
        if digest.said.topics:
            break
    assert "What is being said" in digest.markdown
    moved = digest.as_dict()["said"]["topics"][0]
    assert moved["now"] in ("holding", "repeating", "confirmed")
    assert len(moved["quotes"]) == 2
    assert moved["quotes"][0]["url"].startswith("https://")
    assert f'<a href="{moved["quotes"][0]["url"]}">' in digest.html
    assert "О ЧЁМ ГОВОРЯТ" in ws.digest(now=NOW, language="ru").text
    ws.close()


def test_the_list_of_signals_tells_a_topics_share_and_who_has_seen_a_trend(ws):
    from primeta.workspace.words import origins_line, signals_table

    _, sides = folding(ws)
    (row,) = signals_table([sides["outside"]], [], "en", metrics={}).rows
    assert row[2].startswith("“")
    assert row[3] == "texts"
    assert "→" in row[5]
    trend = next(entry for entry in ws.trends() if sides["outside"].id in entry.signals)
    line = origins_line(trend.evidence, "en")
    assert "customers’ voices" in line
    assert "3 independent owners" in line
