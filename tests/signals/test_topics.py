"""The verb `topics`: what emerges in a world of channels whose truth is known, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from primeta.errors import BadInput, BadTable
from primeta.signals.texts.topics import groups, merged_e
from primeta.signals.topics import topics

NOUNS = [
    "магазин",
    "клиент",
    "цена",
    "доставка",
    "товар",
    "отзыв",
    "возврат",
    "оплата",
    "карта",
    "бонус",
    "акция",
    "покупка",
    "сервис",
    "склад",
    "курьер",
    "пункт",
    "сайт",
    "рассылка",
    "реклама",
    "бренд",
    "сезон",
    "прибыль",
    "выручка",
    "рынок",
    "сеть",
    "банк",
    "кредит",
    "полка",
    "корзина",
    "каталог",
    "поставщик",
    "упаковка",
    "партнёр",
    "продажа",
    "сегмент",
    "воронка",
    "договор",
    "налог",
    "закон",
    "суд",
    "штраф",
    "отчёт",
    "прогноз",
    "спрос",
    "конкурент",
    "инвестор",
]
VERBS = [
    "растёт",
    "падает",
    "меняется",
    "запускает",
    "закрывает",
    "сравнивает",
    "проверяет",
    "теряет",
    "находит",
    "планирует",
    "сокращает",
]
START = datetime(2025, 1, 6, tzinfo=UTC)
WEEKS, ONSET = 46, 30
SAID = ("включают тихий режим", "жалуются на тихий режим", "спорят о тихом режиме", "довольны тихим режимом")
WHO = (
    "клиенты",
    "все вокруг",
    "в чатах",
    "наши подписчики",
    "соседи",
    "коллеги из банка",
    "продавцы",
    "курьеры",
)


def sentence(rng):
    one, two, three = rng.choice(NOUNS, 3)
    return f"{one.capitalize()} {rng.choice(VERBS)}: {two}, {three}"


def world(seed=1, *, planted=True):
    """Ten channels over 46 weeks. From week 30 on six of them speak of «тихий режим»; channel 7 runs a campaign of
    its own; channel 8 tells a story that four others forward word for word; channel 1 has a column every Friday and
    channel 0 signs what it writes."""
    rng = np.random.default_rng(seed)
    rows = []

    def put(week, channel, text, day=None):
        at = START + timedelta(weeks=week, days=float(rng.uniform(0, 7)) if day is None else day)
        rows.append({"published_at": at, "source": f"канал {channel}", "text": text, "url": ""})

    for week in range(WEEKS):
        for channel in range(10):
            for _ in range(rng.poisson(4)):
                sign = " Подписывайтесь на нашего бота." if channel == 0 else ""
                put(week, channel, f"{sentence(rng)}.{sign}")
        put(week, 1, f"Пятничный дайджест. {sentence(rng)}.", day=4.5)
        if not planted or week < ONSET:
            continue
        for channel in range(6):
            for _ in range(rng.poisson(0.8)):
                put(
                    week,
                    channel,
                    f"{sentence(rng)}. {rng.choice(NOUNS)}, {rng.choice(WHO)} {rng.choice(SAID)}.",
                )
        for _ in range(5):
            put(week, 7, f"{sentence(rng)}, марафон щедрости: {rng.choice(NOUNS)}.")
        story = f"{sentence(rng)}. Кошелёк Зефир раздаёт монеты новым людям. {sentence(rng)}."
        for place, channel in enumerate((8, 3, 4, 5, 9)):
            put(week, channel, story, day=2 + place / 10)
    return rows


@pytest.fixture(scope="module")
def rows():
    return world()


@pytest.fixture(scope="module")
def found(rows):
    return topics(rows)


def test_a_topic_of_several_channels_is_found_with_its_words_and_its_onset(found):
    (topic,) = found.topics
    assert topic.terms[0] == "тихий режим"
    # planted from week 30 of 6 January 2025 on: 4 August
    assert abs((topic.since - date(2025, 8, 4)).days) <= 21
    assert set(topic.owners) == {f"канал {n}" for n in range(6)}
    assert topic.e_value > 1e4
    assert topic.grade in ("holding", "repeating", "confirmed")


def test_documents_are_those_that_were_planted(found, rows):
    (topic,) = found.topics
    planted = [row for row in rows if "тих" in row["text"]]
    assert 0.95 * len(planted) <= topic.documents <= len(planted)
    assert topic.first_seen == min(row["published_at"] for row in planted).replace(
        microsecond=topic.first_seen.microsecond
    )


def test_one_channels_campaign_and_a_forwarded_story_are_no_topics(found):
    assert not any(
        "щедрость" in " ".join(topic.terms) or "Зефир" in " ".join(topic.terms) for topic in found.topics
    )
    assert [one.topic.terms[0] for one in found.alone][:1] == ["марафон щедрости"]
    assert all(len(one.topic.owners) == 1 for one in found.alone)


def test_columns_signatures_and_the_calendar_are_no_topics(found):
    said = " ".join(word for one in (*found.found, *found.alone) for word in one.topic.terms).lower()
    assert not any(word in said for word in ("дайджест", "подпис", "бот", "пятнич"))


def test_quotes_are_of_different_channels_and_hold_the_words(found):
    quotes = found.topics[0].quotes
    assert 2 <= len(quotes) <= 5
    assert len({quote.owner for quote in quotes}) == len(quotes)
    assert all("тих" in quote.text.lower() for quote in quotes)
    assert quotes[0].published_at == found.topics[0].first_seen


def test_json_has_the_keys_that_scripts_rely_on(found):
    document = found.as_dict()
    (topic,) = document["topics"]
    # DESIGN §6
    assert {"terms", "since", "first_seen", "origins", "documents", "e_value", "quotes"} <= set(topic)
    assert {"text", "source", "url", "published_at"} == set(topic["quotes"][0])
    assert topic["origins"] == 6


def test_nothing_after_the_day_is_looked_at(rows):
    day = date(2025, 10, 12)
    cut = [row for row in rows if row["published_at"].date() <= day]
    whole, part = topics(rows, as_of=day), topics(cut, as_of=day)
    assert whole.as_dict() == part.as_dict()
    assert whole.found
    assert whole.found[0].topic.id == part.found[0].topic.id


def test_where_nothing_happens_nothing_is_found():
    quiet = topics(world(2, planted=False))
    assert quiet.found == ()
    assert "has emerged" in quiet.line()
    assert "новых тем не появилось" in quiet.line("ru")


def test_the_order_of_rows_does_not_matter(rows, found):
    mixed = [rows[at] for at in np.random.default_rng(5).permutation(len(rows))]
    assert topics(mixed).as_dict() == found.as_dict()


def test_one_source_is_noticed_and_said_to_be_alone(rows):
    one = topics([{**row, "source": "мы"} for row in rows if row["source"] != "канал 7"])
    assert one.found[0].topic.terms[0] == "тихий режим"
    assert one.found[0].topic.grade != "confirmed"
    assert one.as_dict()["topics"][0]["origins"] == 1
    assert "один источник" in one.table("ru").note


def test_channels_of_one_owner_are_one_origin(rows):
    owned = topics([{**row, "owner": "холдинг" if row["source"] != "канал 9" else ""} for row in rows])
    assert owned.found == ()
    assert "холдинг" in {owner for one in owned.alone for owner in one.topic.owners}


def test_line_table_and_picture_in_both_languages(found):
    assert "“тихий режим" in found.line("en")
    assert "6 independent sources" in found.line("en")
    assert "«тихий режим" in found.line("ru")
    assert "6 независимых источников" in found.line("ru")
    assert found.table("ru").rows[0][0].startswith("тихий режим")
    for width in (360, 760):
        drawn = found.picture("ru").specification(width=width)
        assert drawn["width"] == width
    assert "тихий режим" in found.picture("ru").description


def test_days_are_the_periods_of_a_short_file(rows):
    # the last six weeks before and nine after the onset
    begin = START + timedelta(weeks=ONSET - 6)
    short = topics([row for row in rows if begin <= row["published_at"] < begin + timedelta(weeks=15)])
    assert short.grain == "day"
    assert short.as_dict()["periods"] == 105
    assert [topic.terms[0] for topic in short.topics] == ["тихий режим"]


def test_too_few_days_are_said(rows):
    few = topics([row for row in rows if row["published_at"] < START + timedelta(days=9)])
    assert few.why_not == "too_few"
    assert "9 days" in few.line()
    assert "9 дней" in few.line("ru")
    assert few.as_dict()["topics"] == []


def test_before_the_first_text_nothing_is_known(rows):
    before = topics(rows, as_of="2020-01-01")
    assert before.why_not == "no_texts"
    assert before.as_dict()["documents"] == 0


def test_columns_by_other_names_and_other_zones():
    at = [f"{1 + i % 28:02d}.{1 + i // 28 % 12:02d}.2025 23:30" for i in range(300)]
    table = pa.table({"когда": at, "кто": ["а", "б"] * 150, "что": [f"слово{i} и дело" for i in range(300)]})
    columns = {"published_at": "когда", "source": "кто", "text": "что"}
    utc, moscow = (topics(table, columns=columns, timezone=zone) for zone in ("UTC", "Europe/Moscow"))
    assert utc.documents == moscow.documents == 300
    assert utc.as_of == moscow.as_of


def test_rows_that_cannot_be_used_are_counted():
    rows = [{"published_at": f"2025-01-{1 + i:02d}", "source": "а", "text": f"слово {i}"} for i in range(20)]
    rows += [
        {"published_at": None, "source": "а", "text": "когда?"},
        {"published_at": "2025-01-01", "source": "", "text": "кто?"},
    ]
    rows += [{"published_at": "2025-01-01", "source": "а", "text": " "}, rows[0]]
    said = topics(rows)
    assert said.documents == 20
    assert [note.en for note in said.notes] == [
        "Rows without text, left out: 1.",
        "Texts without a date, left out: 1.",
        "Texts without a source, left out: 1.",
        "Rows that repeat an id (or source, time and text), counted once: 1.",
    ]


GOOD = {"published_at": ["2025-01-01"], "source": ["а"], "text": ["слово"]}


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (
            {"source": ["а"], "text": ["б"]},
            {},
            BadTable,
            "no column 'published_at'.*--columns published_at=YOURS",
        ),
        (
            {**GOOD, "published_at": ["вчера"]},
            {},
            BadTable,
            "1 of 1 values are no date, first in row 1 .*'вчера'",
        ),
        ({**GOOD, "published_at": ["03/04/2025"]}, {}, BadTable, "day or the month first"),
        ({name: [] for name in GOOD}, {}, BadTable, "no rows|empty"),
        ({**GOOD, "text": [""]}, {}, BadTable, "no row has a text, a date and a source"),
        ({**GOOD, "kind": ["magazine"]}, {}, BadTable, "'magazine' is no kind of source"),
        (GOOD, {"columns": {"when": "published_at"}}, BadInput, "'when' is no column of topics"),
        (GOOD, {"columns": {"text": "body"}}, BadTable, "no column 'body'"),
        (GOOD, {"as_of": "yesterday"}, BadInput, "--as-of is a day"),
        (GOOD, {"error": 2}, BadInput, "share between 0 and 1"),
        (GOOD, {"timezone": "Mars/Base"}, BadInput, "'Mars/Base' is not known"),
        (17, {}, BadTable, "a path, an Arrow table"),
    ],
)
def test_bad_input_is_refused_with_one_message(rows, options, error, message):
    with pytest.raises(error, match=message):
        topics(rows, **options)


def test_groups_are_waves_that_share_their_stories():
    waves = [np.arange(0, 20), np.arange(2, 20), np.arange(100, 120), np.arange(15, 120)]
    assert groups(waves) == [[0, 1], [2, 3]] or groups(waves) == [[0, 1], [2], [3]]
    assert groups([np.arange(3)]) == [[0]]
    assert groups([]) == []


def test_the_mean_of_e_values_is_formed_in_logarithms():
    assert merged_e(np.log([2.0, 4.0, 6.0])) == pytest.approx(4.0)
    assert merged_e(np.array([5000.0])) == pytest.approx(np.exp(700))


def test_a_list_of_topics_is_plain_json(found):
    from primeta.show.result import plain

    assert json.loads(json.dumps(plain(found.as_dict()), allow_nan=False))["grain"] == "week"


def test_one_thing_said_in_two_languages_is_one_topic():
    rng = np.random.default_rng(9)
    rows = []
    for week in range(WEEKS):
        for channel in range(10):
            for number in range(5):
                at = START + timedelta(weeks=week, days=float(rng.uniform(0, 7)))
                text = f"{sentence(rng)}."
                if channel >= 5:
                    a, b, c = rng.choice(
                        ["shops", "banks", "prices", "orders", "points", "stores", "fees", "brands"], 3
                    )
                    text = f"{a.capitalize()} {rng.choice(['raise', 'cut', 'test', 'compare'])} {b}, {c}."
                if week >= ONSET and not number:
                    text = text[:-1] + (": quiet mode." if channel >= 5 else ", тихий режим.")
                rows.append({"published_at": at, "source": f"канал {channel}", "text": text})
    (topic,) = topics(rows).topics
    assert set(topic.terms[:2]) == {"тихий режим", "quiet mode"}
    assert len(topic.owners) == 10
    assert {quote.text.isascii() for quote in topic.quotes} == {True, False}


@pytest.mark.parametrize("day", ["2090-01-01", "9999-12-31", "1970-01-01", "0001-01-01"])
def test_one_text_with_an_impossible_date_hides_nothing(rows, found, day):
    stray = {**rows[0], "published_at": datetime.fromisoformat(day).replace(tzinfo=UTC), "text": "старый чай"}
    seen = topics([*rows, {**stray, "id": "stray"} if "id" in stray else stray])
    assert seen.as_of == found.as_of
    assert {one.terms[0] for one in seen.topics} == {one.terms[0] for one in found.topics}
    assert seen.weeks == found.weeks
    assert any("left out: 1" in note.en for note in seen.notes)


def test_the_last_text_of_a_slow_file_stays_its_end():
    slow = [
        {
            "published_at": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=20 * i),
            "source": "a",
            "text": f"чай {i}",
        }
        for i in range(20)
    ]
    late = {"published_at": datetime(2027, 1, 1, tzinfo=UTC), "source": "a", "text": "чай и кофе"}
    assert topics([*slow, late]).as_of == date(2027, 1, 1)
