"""The verb `detect`: what goes in, what comes out, and what is refused."""

from __future__ import annotations

import json
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from primeta.cli.app import run
from primeta.errors import BadInput, BadTable
from primeta.signals.detect import detect


def stepped(n=60, at=40, size=6.0, seed=1):
    return np.random.default_rng(seed).standard_normal(n) + size * (np.arange(n) >= at)


def write(path, head, rows, delimiter=","):
    path.write_text(
        "\n".join([delimiter.join(head), *(delimiter.join(map(str, row)) for row in rows)]) + "\n"
    )
    return path


@pytest.fixture
def weekly(tmp_path):
    """A file of 60 weeks with a step at the 41st."""
    days = [date.fromordinal(date(2024, 1, 1).toordinal() + 7 * i) for i in range(60)]
    return write(tmp_path / "weekly.csv", ["week", "orders"], zip(days, stepped()))


def test_a_file_with_dates(weekly):
    found = detect(weekly, value="orders", time="week")
    (change,) = found.as_dict()["series"][0]["changes"]
    # row 40 from 0: forty weeks after 1 January 2024
    assert change["index"] == 40
    assert change["at"] == "2024-10-07"
    assert set(change) == {"index", "at", "before", "after", "low", "high", "e_value"}
    assert change["low"] < change["after"] - change["before"] < change["high"]


def test_plain_numbers_frames_tables_and_parquet_agree(tmp_path):
    y = stepped()
    pq.write_table(pa.table({"y": y}), tmp_path / "y.parquet")
    answers = [
        detect(y),
        detect(y.tolist()),
        detect({"y": y}, value="y"),
        detect(pa.table({"y": y}), value="y"),
        detect(tmp_path / "y.parquet", value="y"),
        detect(str(tmp_path / "y.parquet"), value="y"),
    ]
    changes = [answer.as_dict()["series"][0]["changes"] for answer in answers]
    assert changes[0][0]["index"] == changes[0][0]["at"] == 40
    assert all(other == changes[0] for other in changes)


def test_unsorted_rows_are_sorted_and_it_is_said(weekly, tmp_path):
    head, *rows = weekly.read_text().splitlines()
    rng = np.random.default_rng(0)
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join([head, *rng.permutation(rows)]) + "\n")
    found = detect(mixed, value="orders", time="week")
    assert found.as_dict()["series"] == detect(weekly, value="orders", time="week").as_dict()["series"]
    assert "were sorted" in found.notes[0].en
    assert "отсортированы" in found.notes[0].ru


def test_times_of_a_day_end_in_z():
    times = [datetime(2024, 1, 1 + i // 24, i % 24) for i in range(60)]  # noqa: DTZ001
    (found,) = detect({"t": times, "y": stepped()}, value="y", time="t").as_dict()["series"]
    assert found["changes"][0]["at"] == "2024-01-02T16:00:00Z"


def test_russian_dates_and_decimal_commas(tmp_path):
    rows = [
        (f"{1 + i % 28:02d}.{1 + i // 28:02d}.2024", f"{v:.3f}".replace(".", ","))
        for i, v in enumerate(stepped())
    ]
    path = write(tmp_path / "ru.csv", ["день", "заказы"], rows, delimiter=";")
    found = detect(path, value="заказы", time="день")
    assert found.as_dict()["series"][0]["changes"][0]["at"] == "2024-02-13"
    assert found.notes


def test_dates_that_can_be_read_two_ways_are_refused(tmp_path):
    path = write(tmp_path / "d.csv", ["d", "y"], [(f"0{1 + i}/0{1 + i % 3}/2024", i) for i in range(9)])
    with pytest.raises(BadTable, match="can be read as"):
        detect(path, value="y", time="d")


@pytest.mark.parametrize(
    ("head", "rows", "options", "message"),
    [
        (["a", "b"], [(1, 2)], {"value": "c"}, r"no column 'c' \(asked for as --value\); there are a, b"),
        (["a", "b"], [(1, 2)], {"value": "a", "time": "t"}, r"no column 't' \(asked for as --time\)"),
        (["a"], [(1,), (2,), ("many",)], {"value": "a"}, r"row 3 .*'many' is no number"),
        (["a"], [(1,), ("inf",), (2,)], {"value": "a"}, "row 2, a: the value is infinite"),
        (
            ["a", "s"],
            [(1, 1), (2, 0)],
            {"value": "a", "se": "s"},
            "row 2, s: a standard error is finite and above 0",
        ),
        (
            ["t", "a"],
            [(1, 1), (2, 2), (1, 3)],
            {"value": "a", "time": "t"},
            r"rows 1 and 3 have the same t \(1\)",
        ),
        (["t", "a"], [(1, 1), ("", 2)], {"value": "a", "time": "t"}, "row 2, column 't': the time is empty"),
        (["n", "a"], [("x", 1), ("", 2)], {"value": "a", "series": "n"}, "row 2, column 'n': the name"),
        (["a", "b"], [], {"value": "a"}, "no rows"),
    ],
)
def test_bad_tables_are_refused_with_one_message(tmp_path, head, rows, options, message):
    with pytest.raises(BadTable, match=message):
        detect(write(tmp_path / "t.csv", head, rows), **options)


def test_bad_options_and_numbers_are_refused(tmp_path):
    with pytest.raises(BadInput, match="between 0 and 1"):
        detect(stepped(), error=0)
    with pytest.raises(BadInput, match="between 0 and 1"):
        detect(stepped(), fdr=5)
    with pytest.raises(BadInput, match="which column"):
        detect({"a": [1.0]})
    with pytest.raises(BadInput, match="names a column"):
        detect([1.0, 2.0], time="t")
    with pytest.raises(BadInput, match="numbers were expected"):
        detect(["one", "two"])
    with pytest.raises(BadInput, match="index 1"):
        detect([1.0, np.inf, 2.0])
    (tmp_path / "empty.csv").touch()
    with pytest.raises(BadTable, match="empty"):
        detect(tmp_path / "empty.csv", value="a")


def test_a_series_of_one_point_cannot_be_judged():
    found = detect([3.0])
    assert found.as_dict()["series"] == [
        {
            "name": "",
            "changes": [],
            "e_value": pytest.approx(np.nan, nan_ok=True),
            "story": None,
            "why_not": "too_short",
        }
    ]
    assert "fewer than 8" in found.line("en")
    assert "меньше 8" in found.line("ru")


def many(series=40, n=60, shifted=5, seed=3):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((series, n))
    y[:shifted, n // 2 :] += 4
    return {"name": np.repeat([f"s{i:02d}" for i in range(series)], n), "y": y.ravel()}


def test_fdr_lists_what_is_shifted():
    found = detect(many(), value="y", series="name", fdr=0.1)
    assert found.as_dict()["changed"] == [f"s{i:02d}" for i in range(5)]
    assert all(one["e_value"] == one["changes"][0]["e_value"] for one in found.as_dict()["series"][:5])


def test_a_trend_without_a_change_is_not_listed():
    columns = many()
    y = columns["y"].reshape(40, 60)
    y[0] = np.arange(60) + np.random.default_rng(1).standard_normal(60)
    found = detect(columns, value="y", series="name", fdr=0.1)
    assert found.as_dict()["changed"] == [f"s{i:02d}" for i in range(1, 5)]
    # the trend itself is far from noise round one level: e-BH alone would have listed it
    assert found.series[0].e_value > 1000


def test_share_of_false_among_the_listed_is_kept():
    # 300 series, 30 shifted by 2 sd, five times over: seeded, mean share false ≤ .1
    shares = []
    for seed in range(5):
        columns = many(series=300, shifted=30, seed=seed)
        columns["y"] = columns["y"] - np.repeat([2.0, 0.0], [30 * 60, 270 * 60]) * np.tile(
            np.arange(60) >= 30, 300
        )
        listed = detect(columns, value="y", series="name", fdr=0.1).as_dict()["changed"]
        shares.append(sum(name >= "s30" for name in listed) / max(len(listed), 1))
    assert np.mean(shares) <= 0.1


def test_series_of_different_lengths_with_gaps():
    y, short = stepped(), np.arange(4.0)
    columns = {
        "name": ["a"] * 60 + ["b"] * 4,
        "y": np.concatenate([np.where(np.arange(60) == 7, np.nan, y), short]),
    }
    first, second = detect(columns, value="y", series="name").as_dict()["series"]
    assert first["changes"][0]["index"] == 40
    assert second["why_not"] == "too_short"


def test_standard_errors_from_a_column():
    rng = np.random.default_rng(15)
    se = np.repeat([0.2, 4.0], [60, 60])
    y = rng.standard_normal(120) * se + (np.arange(120) >= 30)
    (found,) = detect({"y": y, "s": se}, value="y", se="s").as_dict()["series"]
    assert found["changes"][0]["index"] == pytest.approx(30, abs=2)
    unknown = detect({"y": y, "s": np.where(np.arange(120) == 5, np.nan, se)}, value="y", se="s")
    assert "without a standard error, counted as missing: 1" in unknown.notes[0].en


def test_words_and_table_in_both_languages(weekly):
    found = detect(weekly, value="orders", time="week")
    assert found.line("en").startswith("orders: up on average from ")
    assert "7\u00a0Oct\u00a02024" in found.line("en")
    assert found.line("ru").startswith("orders: рост в среднем с ")
    assert [head.text for head in found.table("ru").heads][:2] == ["Изменился с", "В среднем было"]
    assert len(found.table("en").rows) == 1


def test_a_quiet_series_says_so():
    noise = np.random.default_rng(0).standard_normal(50)
    assert detect(noise).line("en") == "The series: no change found."
    trend = detect(noise + np.arange(50))
    assert trend.line("en") == "The series: no change found. It follows a trend without a break."
    assert trend.line("ru") == "Ряд: изменений не найдено. Ряд идёт по тренду без перелома."


def test_picture_is_drawn_with_its_finding(weekly):
    picture = detect(weekly, value="orders", time="week").picture("en")
    assert picture.title.startswith("orders: up on average from ")
    svg = picture.svg()
    assert svg.startswith("<svg")
    assert "Oct" in svg


def test_picture_of_a_named_series():
    found = detect(many(), value="y", series="name")
    assert found.picture("en", name="s03").title.startswith("s03: ")
    with pytest.raises(BadInput, match="no series"):
        found.picture("en", name="none")


def primeta(capsys, *words):
    """Exit status, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as left:
        run([str(word) for word in words])
    return left.value.code, *capsys.readouterr()


def test_the_command_prints_one_json_document(weekly, capsys):
    status, out, err = primeta(capsys, "detect", weekly, "--value", "orders", "--time", "week", "--json")
    assert status == 0
    assert err == ""
    assert json.loads(out)["series"][0]["changes"][0]["index"] == 40


def test_the_command_speaks_russian(weekly, capsys):
    status, out, _ = primeta(capsys, "detect", weekly, "--value", "orders", "--language", "ru")
    assert status == 0
    assert out.startswith("orders: рост в среднем с ")


def test_the_command_refuses_with_one_message(weekly, capsys):
    status, out, err = primeta(capsys, "detect", weekly, "--value", "orders", "--time", "month")
    assert (status, out) == (2, "")
    assert "no column 'month'" in err
    assert "Traceback" not in err
