"""Files of rows: encodings, delimiters, ids that stay text, and one clear message for each kind of bad file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeta.errors import BadTable
from primeta.warehouse.files import read_table, sniff


def written(folder, content, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_ids_with_leading_zeros_stay_text(tmp_path):
    table = read_table(written(tmp_path, "customer_id,revenue\n007,1.5\n08,2\n"))
    assert table.to_pylist() == [
        {"customer_id": "007", "revenue": 1.5},
        {"customer_id": "08", "revenue": 2.0},
    ]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251", "koi8-r", "cp866"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_russian_text_in_the_usual_encodings_is_found_out(tmp_path, encoding, delimiter):
    rows = [("номер", "город"), ("1", "Санкт-Петербург"), ("2", "Нижний Новгород"), ("3", "Москва")]
    text = "\n".join(delimiter.join(row) for row in rows)
    path = written(tmp_path, text, encoding=encoding)
    table = read_table(path)
    assert table["город"].to_pylist() == ["Санкт-Петербург", "Нижний Новгород", "Москва"]
    found = json.loads(table.schema.metadata[b"primeta"])
    assert (found["delimiter"], found["encoding"]) == (delimiter, encoding)


def test_western_letters_are_not_taken_for_cyrillic(tmp_path):
    table = read_table(written(tmp_path, "name\nCafé\nMüller\n", encoding="cp1252"))
    assert table["name"].to_pylist() == ["Café", "Müller"]


def test_a_decimal_comma_and_spaces_between_thousands_are_a_number(tmp_path):
    table = read_table(written(tmp_path, "id;сумма\n1;1 234,50\n2;12,5\n3;7\n", encoding="cp1251"))
    assert table["сумма"].to_pylist() == [1234.5, 12.5, 7.0]


def test_blank_and_nan_are_unknown_in_numbers_and_stay_in_text(tmp_path):
    table = read_table(written(tmp_path, "x,name\n1.5,NaN\n,\nnan,null\ninf,ok\n"))
    assert table["x"].to_pylist() == [1.5, None, None, float("inf")]
    assert table["name"].to_pylist() == ["NaN", None, "null", "ok"]


def test_gzip_and_quotes_and_line_breaks_within_a_value(tmp_path):
    path = tmp_path / "t.csv.gz"
    with gzip.open(path, "wb") as out:
        out.write(b'a,b\r\n1,"x, ""y""\nz"\r\n')
    assert read_table(path).to_pylist() == [{"a": 1, "b": 'x, "y"\nz'}]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_rows_that_a_script_added_to_a_file_of_windows(tmp_path, encoding):
    text = 'id,text\r\n1,"строка\r\nи ещё строка"\r\n2,"так ""и так"", да"\n3,последняя'
    found = read_table(written(tmp_path, text, encoding=encoding)).to_pylist()
    assert [row["id"] for row in found] == [1, 2, 3]
    assert [row["text"] for row in found] == ["строка\r\nи ещё строка", 'так "и так", да', "последняя"]


def test_columns_are_renamed_and_a_rival_steps_aside(tmp_path):
    path = written(tmp_path, "id,household,customer_id\n1,0007,x\n")
    table = read_table(path, columns={"customer_id": "household"}, text=["customer_id"])
    assert table.to_pylist() == [{"id": 1, "customer_id": "0007", "customer_id (file)": "x"}]


def test_parquet_comes_as_it_is(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": [3, 1, 2]}), path)
    assert read_table(path)["x"].to_pylist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", {}, r"empty \(0 bytes\)"),
        (b" \n\n", {}, "no header"),
        (b"a;b\n1;2\n", {"delimiter": ","}, "the delimiter seems to be a semicolon"),
        (b"a\tb\n1\t2\n", {"delimiter": ","}, "the delimiter seems to be a tab"),
        (b"a,a\n1,2\n", {}, "two columns are called 'a'"),
        (b"Revenue,revenue\n1,2\n", {}, "two columns are called"),
        (b"a,b\n1,2\n3\n", {}, "line 3: 1 values where the header has 2 columns"),
        (b"a,b\n1,2\n3,4,5\n", {}, "line 3: 3 values where the header has 2 columns"),
        (b'a,b\n1,"x\n', {}, "line 2: a quotation mark is opened and never closed"),
        ("имя\nПривет\n".encode(), {"encoding": "ascii"}, "byte 1 is not ascii"),
        ("имя\n".encode() * 50 + b"\xff\n", {}, "byte 351 is not UTF-8"),
        (b"a,b\n1,\x00\x00\n", {}, "no text"),
        (b"a\n1\n", {"encoding": "klingon"}, "no encoding is called 'klingon'"),
    ],
)  # fmt: skip
def test_bad_files_are_one_clear_message(tmp_path, content, options, message):
    with pytest.raises(BadTable, match=message) as caught:
        read_table(written(tmp_path, content), **options)
    assert "table.csv" in str(caught.value)


def test_a_missing_file_names_its_neighbours(tmp_path):
    written(tmp_path, "a\n1\n", name="orders.csv")
    with pytest.raises(BadTable, match=r"no such file.*orders\.csv"):
        read_table(tmp_path / "order.csv")


@pytest.mark.parametrize("name", ["t.parquet", "t.csv.gz", "t.xlsx"])
def test_what_is_not_what_its_ending_says(tmp_path, name):
    with pytest.raises(BadTable, match=re.escape(name)):
        read_table(written(tmp_path, b"nothing of the kind", name=name))


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    assert read_table(written(tmp_path, "a,b\n")).num_rows == 0


# Plain letters, Cyrillic, the delimiters and quotes; nothing that a text file cannot hold.
_CELLS = st.text(alphabet=st.sampled_from(list('abcж Ёя,;|"\t')), max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(_CELLS, _CELLS, st.integers(-(10**9), 10**9)), min_size=1, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1251"]),
)
def test_what_was_written_is_read(tmp_path, rows, delimiter, encoding):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerows([("first", "second", "n"), *rows])
    path = tmp_path / "t.csv"
    path.write_bytes(buffer.getvalue().encode(encoding))
    table = read_table(path, encoding=encoding, delimiter=delimiter)
    assert table["n"].to_pylist() == [row[2] for row in rows]
    for at, name in ((0, "first"), (1, "second")):
        assert table[name].to_pylist() == [row[at] or None for row in rows]
    assert sniff(path, encoding=encoding).names == ("first", "second", "n")
