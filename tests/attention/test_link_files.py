"""`primeta attention links`: each row with its links; what the file says wins over what the options say."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from primeta.attention.links import Link
from primeta.errors import BadInput, BadTable, NotFound
from primeta.workspace import open_workspace
from primeta.workspace.attention_links import new_key
from primeta.workspace.preferences import PreferenceDesk

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BASE = "https://mail.tea.example"


@pytest.fixture
def ws(tmp_path: Path):
    (tmp_path / "primeta.toml").write_text(
        f'[workspace]\nname = "Tea"\n[attention]\npublic_url = "{BASE}/"\n', encoding="utf-8"
    )
    found = open_workspace(tmp_path)
    yield found
    found.close()


def opened(ws, url: str) -> Link | None:
    desk = PreferenceDesk(ws, now=NOW)
    try:
        return desk.open(url.rpartition("/")[2])
    finally:
        desk.close()


def test_a_csv_keeps_its_texts_and_gets_five_columns(ws, tmp_path: Path):
    file = tmp_path / "audience.csv"
    file.write_text(
        'client,mid,channel,personalised,note\n007,m1,email,true,"a, b"\n008,m2,push,,00\n009,m3,,no,\n',
        encoding="utf-8",
    )
    done = ws.link_file(
        file, out=tmp_path / "out.csv", now=NOW, purpose="offer", programme="autumn", channel="sms",
        columns="customer_id=client,message_id=mid",
    )  # fmt: skip
    assert (done.customers, done.base_url, done.key) == (3, BASE, 1)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["note"] for row in rows] == ["a, b", "00", ""]
    assert [row["client"] for row in rows] == ["007", "008", "009"]
    first = rows[0]
    assert first["unsubscribe_url"].startswith(f"{BASE}/u/")
    assert first["preferences_url"] == first["unsubscribe_url"].replace("/u/", "/p/")
    assert first["why_url"] == first["unsubscribe_url"].replace("/u/", "/w/")
    assert first["list_unsubscribe"] == f"<{first['unsubscribe_url']}>"
    assert first["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    # A push and a text message have no headers.
    assert rows[1]["list_unsubscribe"] == rows[2]["list_unsubscribe_post"] == ""
    assert opened(ws, first["why_url"]) == Link(
        customer_id="007", channel="email", purpose="offer", programme="autumn", message_id="m1", personalised=True,
        issued=date(2026, 11, 26),
    )  # fmt: skip
    found = opened(ws, rows[2]["why_url"])
    assert found is not None
    assert (found.channel, found.personalised) == ("sms", False)


def test_a_parquet_with_numbers_as_ids(ws, tmp_path: Path):
    pq.write_table(
        pa.table({"customer_id": [7, 8], "programme": ["a", None], "personalised": [True, None]}),
        tmp_path / "a.parquet",
    )
    ws.link_file(tmp_path / "a.parquet", out=tmp_path / "b.parquet", now=NOW)
    rows = pq.read_table(tmp_path / "b.parquet").to_pylist()
    found = [opened(ws, row["preferences_url"]) for row in rows]
    assert [link and (link.customer_id, link.programme, link.personalised) for link in found] == [
        ("7", "a", True), ("8", "", None),
    ]  # fmt: skip
    assert rows[0]["customer_id"] == 7


def test_the_file_and_one_message_have_the_same_link(ws, tmp_path: Path):
    (tmp_path / "a.csv").write_text("customer_id,message_id\nc1,m1\n", encoding="utf-8")
    ws.link_file(tmp_path / "a.csv", out=tmp_path / "b.csv", now=NOW, channel="email")
    one = ws.links("c1", now=NOW, channel="email", message_id="m1")
    assert one.unsubscribe_url in (tmp_path / "b.csv").read_text(encoding="utf-8")


def test_after_a_new_key_links_are_new_and_the_old_ones_are_retired(ws):
    old = ws.links("c1", now=NOW)
    assert new_key(ws, now=NOW) == 2
    assert new_key(ws, now=NOW) == 3
    new = ws.links("c1", now=NOW)
    assert new.unsubscribe_url != old.unsubscribe_url
    link = opened(ws, old.unsubscribe_url)
    assert link is not None
    assert link.retired
    link = opened(ws, new.unsubscribe_url)
    assert link is not None
    assert not link.retired


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("id\n1\n", {}, "there is no column customer_id"),
        ("customer_id,why_url\n1,x\n", {}, "has a column why_url already"),
        ('customer_id\n1\n""\n', {}, "row 2"),
        ("customer_id,purpose\n1,spam\n", {}, "purpose"),
        ("customer_id\n", {}, "holds no rows"),
        ("customer_id\n1\n", {"base_url": "http://tea.com"}, "mail programs want https"),
        ("customer_id\n1\n", {"columns": "age=x"}, "--columns"),
    ],
)
def test_what_cannot_be_used_says_what_and_leaves_no_file(ws, tmp_path: Path, text: str, options, says: str):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises((BadInput, BadTable), match=says):
        ws.link_file(tmp_path / "a.csv", out=tmp_path / "b.csv", now=NOW, **options)
    assert not list(tmp_path.glob("*b.csv*"))


def test_without_an_address_it_says_where_to_name_it(tmp_path: Path):
    (tmp_path / "primeta.toml").write_text('[workspace]\nname = "Tea"\n', encoding="utf-8")
    ws = open_workspace(tmp_path)
    with pytest.raises(BadInput, match="public_url"):
        ws.links("c1", now=NOW)
    with pytest.raises(NotFound):
        ws.link_file(tmp_path / "none.csv", out=tmp_path / "b.csv", now=NOW, base_url=BASE)
    ws.close()


def test_on_the_command_line(ws, tmp_path: Path, capsys):
    from primeta.cli.attention_links import links

    (tmp_path / "a.csv").write_text("customer_id\n1\n", encoding="utf-8")
    links(tmp_path, tmp_path / "a.csv", out=tmp_path / "b.csv", channel="email", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"out": str(tmp_path / "b.csv"), "customers": 1, "base_url": BASE, "key": 1}
    links(tmp_path, new_key=True, language="ru")
    assert "ключом 2" in capsys.readouterr().out
    with pytest.raises(BadInput, match="--out"):
        links(tmp_path, tmp_path / "a.csv")
