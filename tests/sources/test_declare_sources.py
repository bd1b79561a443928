"""`[sources.NAME]`: what is left out is guessed where it is clear, what is wrong names its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from primeta.config import SourceConfig, load_config, parse_config
from primeta.errors import BadConfig
from primeta.sources.declare import declared_sources, period, source_of


def source(**values: object):
    return source_of(SourceConfig(name="one", values={"kind": "agency", **values}))


@pytest.mark.parametrize(
    ("at", "reader", "owner"),
    [
        ("https://www.paper.example/rss.xml", "feed", "paper.example"),
        ("https://paper.example/blog/feed/", "feed", "paper.example"),
        ("https://paper.example/feed?format=atom", "feed", "paper.example"),
        ("https://paper.example/report-2026.PDF", "pdf", "paper.example"),
        ("https://shop.example/loyalty.html", "page", "shop.example"),
        ("https://t.me/s/shopnews", "telegram", "shopnews"),
        ("https://t.me/shopnews", "telegram", "shopnews"),
        ("t.me/shopnews", "telegram", "shopnews"),
        ("@shopnews", "telegram", "shopnews"),
        ("exports/chat/result.json", "telegram", "one"),
        ("exports/messages2.html", "telegram", "one"),
        ("tickets/*.csv", "table", "one"),
        ("reviews.parquet", "table", "one"),
        ("letters.mbox", "mail", "one"),
        ("reports/2026.pdf", "pdf", "one"),
    ],
)
def test_the_reader_is_guessed_where_the_address_is_clear(at, reader, owner):
    found = source(at=at)
    assert (found.reader, found.owner) == (reader, owner)


def test_a_channel_is_read_where_its_posts_are_shown():
    assert source(at="@shopnews").at == source(at="https://t.me/shopnews/").at == "https://t.me/s/shopnews"


def test_what_is_left_out_has_its_default():
    found = source(at="https://paper.example/rss")
    assert (found.trust, found.every, found.language, found.allow, found.paused) == (
        0.5, timedelta(hours=6), "", (), False,
    )  # fmt: skip
    assert source_of(SourceConfig(name="v", values={"reader": "voices"})).group == "voice"


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("30m", timedelta(minutes=30)),
        ("6h", timedelta(hours=6)),
        (" 1 d", timedelta(days=1)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_periods(text, long):
    assert period(text) == long


@pytest.mark.parametrize(
    ("lines", "key", "why"),
    [
        (
            'at = "https://a.example/x"\nkind = "agency"',
            "reader",
            "cannot be told; name one of feed, telegram",
        ),
        ('at = "https://a.example/rss"', "kind", "none was given"),
        ('at = "https://a.example/rss"\nkind = "press"', "kind", "'press' was given"),
        ('kind = "agency"\nreader = "feed"', "at", "an address or a file is missing"),
        ('at = "ftp://a.example/rss.xml"\nkind = "agency"', "at", "begins with http"),
        ('at = "https://me:word@a.example/rss"\nkind = "agency"', "at", "without a user name"),
        ('at = "/etc/passwd.csv"\nkind = "support"', "at", "inside the workspace"),
        ('at = "../other/x.csv"\nkind = "support"', "at", "inside the workspace"),
        (
            'at = "https://a.example/x.csv"\nreader = "table"\nkind = "support"',
            "at",
            "reads files of the workspace",
        ),
        (
            'at = "https://a.example/rss"\nkind = "agency"\nevery = "1 month"',
            "every",
            '"6h" or "1d" was expected',
        ),
        ('at = "https://a.example/rss"\nkind = "agency"\nevery = "1m"', "every", "from 5m to 366d"),
        ('at = "https://a.example/rss"\nkind = "agency"\nlanguage = "Russian"', "language", "two letters"),
        ('at = "https://a.example/rss"\nkind = "agency"\nselect = ".price"', "select", 'reader = "page"'),
        (
            'at = "https://a.example/rss"\nkind = "agency"\ncolumns = { text = "x" }',
            "columns",
            'reader = "table"',
        ),
        ('at = "https://a.example/rss"\nkind = "agency"\ntrust = 2', "trust", "a number from 0 to 1"),
        ('at = "https://a.example/rss"\nkind = "agency"\nallow = "a.lan"', "allow", "a list was expected"),
        ('at = "https://a.example/rss"\nkind = "agency"\nheaders = 1', "headers", "this key is not known"),
    ],
)
def test_what_is_wrong_names_its_line(tmp_path, lines, key, why):
    text = f'[workspace]\nname = "x"\n\n[sources.one]\n{lines}\n'
    (tmp_path / "primeta.toml").write_text(text)
    with pytest.raises(BadConfig) as complaint:
        declared_sources(load_config(tmp_path))
    told = str(complaint.value)
    assert why in told
    assert f"[sources.one] {key}:" in told
    given = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(f"{key} =")]
    assert f"line {given[0] if given else 4}:" in told


def test_settings_of_fetching_stand_beside_the_sources():
    text = '[sources]\ncontact = "team@shop.example"\nproxy = "http://proxy.lan:3128"\nspacing_seconds = 5\n'
    found = parse_config(text, Path("primeta.toml")).sources
    assert (found.contact, found.proxy, found.spacing_seconds, found.declared) == (
        "team@shop.example", "http://proxy.lan:3128", 5.0, {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('contacts = "x"', "expected one of contact, proxy, spacing_seconds, or a section"),
        ('proxy = "http://me:word@proxy.lan"', "without a password"),
        ("spacing_seconds = -1", "a number from 0 to 3600"),
        ('notes = { at = "x.csv", kind = "support" }', "name this one otherwise"),
    ],
)
def test_wrong_settings_of_fetching(line, why):
    with pytest.raises(BadConfig, match=why):
        parse_config(f"[sources]\n{line}\n", Path("primeta.toml"))
