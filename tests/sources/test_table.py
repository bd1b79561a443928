"""Tables of tickets, reviews and NPS: columns guessed or named, times, scores, ids, growing files, broken files."""

# Facts keep times in UTC without a zone, and files write them so.
# ruff: noqa: DTZ001

from __future__ import annotations

import tracemalloc
import zipfile
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.sources.reading_words import explain_reading
from primeta.sources.records import Source
from primeta.sources.table import read_table, table_batches
from primeta.sources.table_values import day_order, number_of, when_of

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")


def source(**told) -> Source:
    return Source(name="reviews", reader="table", kind="reviews", at="reviews.csv", owner="shop", **told)


def read(raw, **told):
    return read_table(raw, source=told.pop("source", source()), seen_at=NOW, **told)


RUSSIAN = (
    "Дата;Оценка;Отзыв;ID клиента;Город\n"
    "01.03.2026 10:00;5;Очень быстро, спасибо;007;Казань\n"
    "02.03.2026;2;;008;Омск\n"
    "13.03.2026;3;<p>Долго</p><p>ждали</p>;009;Томск\n"
)


def test_usual_russian_columns_are_known_in_cp1251_with_semicolons():
    found = read(RUSSIAN.encode("cp1251"), source=source(columns={"city": "Город"}), timezone="Europe/Moscow")
    first, second = found.documents
    assert (first.text, first.score, first.customer_id) == ("Очень быстро, спасибо", 5.0, "007")
    assert first.published_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert first.attributes == {"city": "Казань"}
    assert second.text == "Долго\nждали"
    assert [(trouble.code, trouble.values["entries"]) for trouble in found.troubles] == [("without-text", 1)]


def test_columns_that_are_named_win_and_may_be_written_otherwise():
    raw = b"when,what,body\n2026-03-01,refund,Where is my money\n"
    found = read(raw, source=source(columns={"said_at": "When", "text": "body", "topic": "what"}))
    assert found.documents[0].attributes == {"topic": "refund"}
    assert found.documents[0].published_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_column_that_is_missing_is_told_with_those_there_are():
    found = read(b"a,b\n1,2\n", source=source(columns={"text": "Comment"}))
    assert found.documents == ()
    assert "Comment" in explain_reading(found.troubles[0], "en")
    assert "a, b" in explain_reading(found.troubles[0], "ru")


def test_the_one_column_that_reads_like_sentences_is_the_text():
    rows = "".join(f"{n},the parcel number {n} came late again\n" for n in range(10))
    assert len(read(f"k,said\n{rows}".encode()).documents) == 10


def test_nothing_that_reads_like_text_is_refused():
    assert read(b"a,b\n1,2\n").troubles[0].code == "no-columns"


def test_an_nps_score_without_comment_is_no_document():
    raw = "Дата,NPS,Комментарий\n2026-03-01,9,\n2026-03-02,3,Дорого стало\n2026-03-03,10,-\n"
    found = read(raw.encode())
    assert [(document.text, document.score) for document in found.documents] == [("Дорого стало", 3.0)]
    assert found.troubles[0].values["entries"] == 2


def excel(folder, rows, *, name="t.xlsx"):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


def test_excel_with_a_title_above_the_header_and_dates_of_each_sort(tmp_path):
    path = excel(
        tmp_path,
        [
            ["Отчёт за март"], [],
            ["Номер", "Дата", "Комментарий", "NPS"],
            [1, datetime(2026, 3, 1, 15, 30), "Первый комментарий", 9],
            [2, 46083.5, "Второй комментарий", "4,5"],
            [],
            [3, "05.03.2026 08:15", "Третий комментарий", None],
        ],
    )  # fmt: skip
    found = read(path, timezone="Europe/Moscow")
    # 46083 is 2 March 2026 in Excel's count from 1899-12-30.
    assert [document.published_at.astimezone(MOSCOW).isoformat()[:16] for document in found.documents] == [
        "2026-03-01T15:30", "2026-03-02T12:00", "2026-03-05T08:15",
    ]  # fmt: skip
    assert [document.score for document in found.documents] == [9.0, 4.5, None]


def test_excel_is_read_in_steps_and_goes_on_where_it_stopped(tmp_path):
    path = excel(tmp_path, [["id", "text"], *([f"r{n}", f"comment number {n} on tea"] for n in range(5))])
    found = read(path, most=2)
    assert found.position["more"]
    texts = [document.text for document in found.documents]
    while found.position.get("more"):
        found = read(path, most=2, position=found.position)
        texts += [document.text for document in found.documents]
    assert texts == [f"comment number {n} on tea" for n in range(5)]


def test_parquet_with_its_own_types(tmp_path):
    path = tmp_path / "r.parquet"
    pq.write_table(
        pa.table({
            "review_id": pa.array([f"v{n}" for n in range(50)]),
            "created_at": pa.array([datetime(2026, 3, 1, 10, n) for n in range(50)], pa.timestamp("us", "UTC")),
            "text": [f"tea was cold {n}" for n in range(50)],
            "customer_id": pa.array(range(50)),
            "stars": [n % 5 + 1 for n in range(50)],
        }),
        path, row_group_size=7,
    )  # fmt: skip
    batches = list(table_batches(path, source=source(), seen_at=NOW, batch=20))
    documents = [document for batch in batches for document in batch.documents]
    assert [document.customer_id for document in documents] == [str(n) for n in range(50)]
    assert documents[7].published_at == datetime(2026, 3, 1, 10, 7, tzinfo=UTC)
    assert documents[7].score == 3.0
    assert "more" not in batches[-1].position
    assert all(batch.position["more"] for batch in batches[:-1])


def test_a_file_that_grew_is_read_from_where_it_stopped_and_one_written_anew_from_the_start(tmp_path):
    path = tmp_path / "r.csv"
    lines = ["id,date,text", *(f"t{n},2026-03-0{n + 1},The parcel {n} is late" for n in range(3))]
    path.write_text("\n".join(lines) + "\n")
    first = read(path)
    assert len(first.documents) == 3
    assert read(path, position=first.position).documents == ()
    path.write_text("\n".join([*lines, "t9,2026-03-09,One more came"]) + "\n")
    more = read(path, position=first.position)
    assert [document.text for document in more.documents] == ["One more came"]
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    again = read(path, position=more.position)
    assert {document.id for document in again.documents} == {document.id for document in first.documents}


def test_rows_without_an_id_are_the_same_document_wherever_they_stand(tmp_path):
    path = tmp_path / "r.csv"
    rows = ["2026-03-01,The parcel is late", "2026-03-02,The parcel is wet"]
    path.write_text("date,text\n" + "\n".join(rows))
    first = {document.text: document.id for document in read(path).documents}
    path.write_text("date,text\n2026-02-28,A new one\n" + "\n".join(reversed(rows)))
    later = {document.text: document.id for document in read(path).documents}
    assert first.items() <= later.items()


def test_broken_files_are_told_not_thrown(tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "p.parquet").write_bytes(b"PAR1 nothing PAR1")
    (tmp_path / "x.xlsx").write_bytes(b"no zip")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with zipfile.ZipFile(tmp_path / "odd.xlsx", "w") as parts:
        parts.writestr("a.txt", "hello")
    for name in ("empty.csv", "p.parquet", "x.xlsx", "old.xls", "odd.xlsx", "none.csv"):
        found = read(tmp_path / name)
        assert found.documents == ()
        assert found.troubles[0].code in ("bad-table", "unreadable"), name
        assert explain_reading(found.troubles[0], "ru")


def test_a_row_with_too_many_values_is_told_with_its_line():
    found = read(b"date,text\n2026-03-01,fine\n2026-03-02,a,b\n")
    assert "line 3" in str(found.troubles[0].values["why"])


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "r.csv"
    with path.open("w") as file:
        file.write("id,text\n")
        file.writelines(f"t{n},the parcel number {n} came late\n" for n in range(6_000))
    next(table_batches(path, source=source(), seen_at=NOW, batch=100))  # what is loaded once does not count
    tracemalloc.start()
    for _ in table_batches(path, source=source(), seen_at=NOW, batch=100):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 6,000 documents at once take about 6 MB.
    assert peak < 2 * 2**20


@pytest.mark.parametrize(
    ("written", "order", "expected"),
    [
        ("2026-03-04", "day", "2026-03-03T21:00"),
        ("04.03.2026 12:30", "month", "2026-03-04T09:30"),
        ("03/04/2026", "month", "2026-03-03T21:00"),
        ("03/04/2026", "day", "2026-04-02T21:00"),
        ("3/14/2026 2:05 PM", "day", "2026-03-14T11:05"),
        ("2026-03-04T12:00:00Z", "day", "2026-03-04T12:00"),
        ("2026-03-04T12:00:00+05:00", "day", "2026-03-04T07:00"),
        ("4 марта 2026, 12:00", "day", "2026-03-04T09:00"),
        (1772625600, "day", "2026-03-04T12:00"),
        ("1772625600000", "day", "2026-03-04T12:00"),
        (date(2026, 3, 4), "day", "2026-03-03T21:00"),
    ],
)
def test_times_in_moscow(written, order, expected):
    assert when_of(written, zone=MOSCOW, order=order).strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.parametrize(
    "written", ["", None, "soon", "99.99.2026", "2026-13-45", True, 12, "12", float("nan")]
)
def test_what_is_no_time_is_none(written):
    assert when_of(written, zone=MOSCOW, order="day") is None


def test_a_number_above_twelve_tells_the_order_of_slashed_dates():
    assert day_order(["03/04/2026", "03/14/2026"], language="ru") == "month"
    assert day_order(["03/04/2026", "14/03/2026"], language="en") == "day"
    assert day_order(["03/04/2026"], language="en") == "month"
    assert day_order(["03/04/2026"], language="ru") == "day"


@pytest.mark.parametrize(
    ("written", "score"),
    [
        ("5", 5),
        ("4,5", 4.5),
        ("5/5", 5),
        ("4 из 5", 4),
        ("★★★★☆", 4),
        ("10 - точно да", 10),
        ("", None),
        ("нет", None),
        (7, 7),
    ],
)
def test_scores(written, score):
    assert number_of(written) == score


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["day", "month"]))
def test_any_text_in_a_cell_of_times_is_a_time_or_none(text, order):
    found = when_of(text, zone=MOSCOW, order=order)
    assert found is None or found.tzinfo is not None
