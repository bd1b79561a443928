"""`primeta topics` in a terminal: keys that scripts rely on, words for people, one message for bad input."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SUBJECTS = ("Магазины", "Банки", "Аптеки", "Кофейни", "Сети", "Курьеры", "Бренды", "Склады")
VERBS = ("поднимают", "снижают", "сравнивают", "проверяют", "теряют", "считают")
THINGS = ("цены", "бонусы", "возвраты", "доставку", "остатки", "витрины", "отзывы", "заказы", "карты")
START = datetime(2025, 1, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def posts(tmp_path_factory) -> Path:
    """Six channels over 36 weeks; from week 22 on five of them speak of «тихий режим»."""
    rng = np.random.default_rng(4)
    path = tmp_path_factory.mktemp("posts") / "posts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, delimiter=";")
        write.writerow(["дата", "канал", "текст", "url"])
        for week in range(36):
            for channel in range(6):
                for number in range(5):
                    at = START + timedelta(weeks=week, minutes=int(rng.integers(7 * 1440)))
                    text = f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(THINGS)} и {rng.choice(THINGS)}"
                    if week >= 22 and channel < 5 and not number:
                        text += f", {rng.choice(THINGS)}: тихий режим"
                    write.writerow(
                        [
                            f"{at:%d.%m.%Y %H:%M}",
                            f"@c{channel}",
                            text,
                            f"https://example.org/{week}/{channel}/{number}",
                        ]
                    )
    return path


COLUMNS = "published_at=дата,source=канал,text=текст"


def test_json_has_the_keys_that_scripts_rely_on(primeta, posts):
    done = primeta("topics", str(posts), "--columns", COLUMNS, "--as-of", "2025-09-14", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    topic = document["topics"][0]
    assert topic["terms"][0] == "тихий режим"
    # week 22 from 6 January 2025 on begins on 9 June
    assert abs((datetime.fromisoformat(topic["since"]) - datetime(2025, 6, 9)).days) <= 21  # noqa: DTZ001
    assert topic["origins"] == 5
    assert topic["first_seen"].endswith("Z")
    assert topic["e_value"] > 20
    assert {"text", "source", "url", "published_at"} == set(topic["quotes"][0])
    assert topic["quotes"][0]["url"].startswith("https://example.org/")
    assert document["as_of"] == "2025-09-14"


def test_people_read_a_line_a_table_and_quotes_in_their_language(primeta, posts):
    done = primeta("topics", str(posts), "--columns", COLUMNS, "--language", "ru")
    assert done.returncode == 0, done.stderr
    assert "«тихий режим»" in done.stdout
    assert "5 независимых источников" in done.stdout
    assert "С какого дня" in done.stdout
    assert "— @c" in done.stdout


def test_parquet_gives_the_same_answer_and_the_zone_is_told(primeta, posts, tmp_path):
    with posts.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    at = [datetime.strptime(row["дата"], "%d.%m.%Y %H:%M").replace(tzinfo=UTC) for row in rows]
    table = pa.table({
        "published_at": pa.array(at, pa.timestamp("us", tz="UTC")),
        "source": [row["канал"] for row in rows], "text": [row["текст"] for row in rows],
        "url": [row["url"] for row in rows],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "posts.parquet")
    told = [
        json.loads(primeta("topics", *arguments, "--json").stdout)
        for arguments in ((str(tmp_path / "posts.parquet"),), (str(posts), "--columns", COLUMNS))
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no column 'published_at'"),
        (["--columns", "text"], "--columns"),
        (["--columns", COLUMNS, "--as-of", "soon"], "--as-of is a day"),
        (["--columns", COLUMNS, "--error", "7"], "share between 0 and 1"),
        (["--columns", COLUMNS, "--timezone", "Nowhere"], "'Nowhere' is not known"),
    ],
)
def test_bad_input_is_one_message_and_status_2(primeta, posts, arguments, message):
    done = primeta("topics", str(posts), *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_or_empty(primeta, tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "head.csv").write_text("published_at,source,text\n")
    for name, message in (("none.csv", "no such file"), ("empty.csv", "empty"), ("head.csv", "no rows")):
        done = primeta("topics", str(tmp_path / name))
        assert done.returncode == 2
        assert message in done.stderr
