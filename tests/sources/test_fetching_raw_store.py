"""What came is kept whole or not at all, once, within its share of the disk."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.errors import BadInput, DiskFull, NotFound
from primeta.sources.fetching.raw_store import RawStore

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FEED = b"<rss/>" * 50


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_bytes_lie_by_source_month_and_digest_and_come_back(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    kept = store.keep("habr", FEED, at=NOW, media="application/rss+xml")
    digest = hashlib.sha256(FEED).hexdigest()
    assert files(tmp_path) == [f"habr/2026-03/{digest}.xml.gz"]
    assert kept.new
    assert gzip.decompress(kept.path.read_bytes()) == FEED
    assert store.read("habr", digest) == FEED
    assert RawStore(tmp_path).read("habr", digest) == FEED
    # the month is cut in UTC
    east = datetime(2026, 4, 1, 1, 0, tzinfo=timezone(timedelta(hours=3)))
    assert store.keep("habr", b"x", at=east).month == "2026-03"


def test_the_same_bytes_are_kept_once_over_months_and_processes(tmp_path: Path) -> None:
    RawStore(tmp_path).keep("habr", FEED, at=NOW)
    later = RawStore(tmp_path)
    again = later.keep("habr", FEED, at=NOW + timedelta(days=60), media="text/html")
    assert not again.new
    assert len(files(tmp_path)) == 1
    assert later.keep("other", FEED, at=NOW).new
    assert [kept.digest for kept in later.list("habr")] == [hashlib.sha256(FEED).hexdigest()]
    assert later.stored_bytes("habr") == again.stored_bytes > 0


def test_what_was_deleted_by_hand_is_kept_anew(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    kept = store.keep("habr", FEED, at=NOW)
    kept.path.unlink()
    with pytest.raises(NotFound, match="nothing kept"):
        store.read("habr", kept.digest)
    assert store.keep("habr", FEED, at=NOW).new
    assert store.read("habr", kept.digest) == FEED


def test_no_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    store = RawStore(tmp_path, spare_bytes=1000, free_bytes=lambda folder: 1010)
    with pytest.raises(DiskFull, match="1,010 bytes are free"):
        store.keep("habr", os.urandom(100), at=NOW)
    assert files(tmp_path) == []
    assert list(store.list("habr")) == []


@pytest.mark.parametrize("moment", ["write", "rename", "folder"])
def test_a_disk_that_fills_up_meanwhile_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = RawStore(tmp_path)
    names = {"write": (os, "fsync"), "rename": (os, "replace"), "folder": (Path, "mkdir")}
    with monkeypatch.context() as patch:
        (tmp_path / "habr").mkdir()
        patch.setattr(*names[moment], full)
        with pytest.raises(DiskFull, match="no room"):
            store._make_room = lambda *_: None  # pyright: ignore[reportAttributeAccessIssue]
            store.keep("habr", FEED, at=NOW)
    assert files(tmp_path) == []
    assert RawStore(tmp_path).keep("habr", FEED, at=NOW).new


def test_one_source_cannot_take_the_share_of_others(tmp_path: Path) -> None:
    store = RawStore(tmp_path, cap_bytes=500)
    with pytest.raises(DiskFull, match="may keep 500"):
        for _ in range(5):
            store.keep("loud", os.urandom(200), at=NOW)
    assert len(files(tmp_path)) == 2
    assert store.keep("quiet", FEED, at=NOW).new
    # also for the next process
    with pytest.raises(DiskFull):
        RawStore(tmp_path, cap_bytes=500).keep("loud", os.urandom(200), at=NOW)


def test_what_a_killed_process_left_is_swept_and_never_read(tmp_path: Path) -> None:
    RawStore(tmp_path).keep("habr", FEED, at=NOW)
    month = tmp_path / "habr" / "2026-03"
    old, young = month / ".abc-1.part", month / ".abc-2.part"
    for part, age in ((old, 7200), (young, 60)):
        part.write_bytes(b"half")
        os.utime(part, (NOW.timestamp() - age,) * 2)
    store = RawStore(tmp_path)
    assert len(list(store.list("habr"))) == 1
    RawStore(tmp_path).keep("habr", b"more", at=NOW)
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize("harm", [b"", b"not gzip", gzip.compress(b"other"), gzip.compress(FEED)[:-9]])
def test_a_damaged_file_is_told_with_its_name(tmp_path: Path, harm: bytes) -> None:
    store = RawStore(tmp_path)
    kept = store.keep("habr", FEED, at=NOW)
    kept.path.write_bytes(harm)
    with pytest.raises(BadInput, match=kept.digest):
        store.read("habr", kept.digest)


@settings(max_examples=60, deadline=None)
@given(
    source=st.one_of(
        st.text(min_size=1, max_size=300),
        st.sampled_from(["..", ".", "/etc", "../../x", "a/b", "con", "-rf", "a\0b", "Хабр", "HABR", "~"]),
    ),
    media=st.text(max_size=30),
)
def test_no_name_leads_out_of_the_folder_and_no_two_names_meet(
    tmp_path_factory: pytest.TempPathFactory, source: str, media: str
) -> None:
    folder = tmp_path_factory.mktemp("raw")
    store = RawStore(folder / "raw")
    kept = store.keep(source, b"x", at=NOW, media=media)
    assert kept.path.resolve().is_relative_to((folder / "raw").resolve())
    assert len(kept.path.relative_to(folder / "raw").parts) == 3
    assert store.read(source, kept.digest) == b"x"
    assert store.keep(source + "?", b"x", at=NOW).path.parent != kept.path.parent
    assert [path.name for path in folder.iterdir()] == ["raw"]
