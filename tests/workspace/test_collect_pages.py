"""Sources that lead further: a channel's older posts, a page that is watched for change, voices of the workspace."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from collect_sites import NOW, answer, documents_of, fetcher, opened, site, still, workspace_at
from local_sites import in_turn

from primeta.sources.fetching.raw_store import RawStore


@pytest.fixture
def quiet():
    return {"fetcher": fetcher(), "sleep": lambda _: None}


class Channel:
    """A channel whose preview shows two posts a page and leads to the older ones."""

    def __init__(self, posts: int) -> None:
        self.posts = posts

    def page(self, before: int) -> bytes:
        shown = range(max(before - 2, 1), before)
        told = "".join(
            f'<div class="tgme_widget_message" data-post="shopnews/{number}">'
            f'<div class="tgme_widget_message_text">Пост номер {number} о доставке и возврате</div>'
            f'<time datetime="{(NOW - timedelta(hours=self.posts - number)).isoformat()}"></time></div>'
            for number in shown
        )
        older = (
            f'<a class="tme_messages_more" data-before="{shown[0]}" href="/s/shopnews?before={shown[0]}"></a>'
        )
        return f"<html><body>{older if shown[0] > 1 else ''}{told}</body></html>".encode()

    def __call__(self, handler) -> None:
        asked = parse_qs(urlsplit(handler.path).query).get("before")
        answer(self.page(int(asked[0]) if asked else self.posts + 1), content_type="text/html")(handler)


class Everywhere(dict):
    def __init__(self, reply) -> None:
        super().__init__()
        self.reply = reply

    def get(self, path, otherwise=None):
        return self.reply if path.startswith("/s/") else otherwise


def test_older_posts_are_followed_to_the_first_and_not_twice(tmp_path, quiet):
    channel = Channel(61)
    with site() as place:
        place.replies = Everywhere(channel)
        more = f'[sources.shop]\nat = "{place.url("/s/shopnews")}"\nreader = "telegram"\nkind = "social"\nallow = ["127.0.0.1"]\n'
        ws = opened(workspace_at(tmp_path, more=more))
        # A page and twenty behind it, two posts each
        assert ws.collect(now=NOW, **quiet).new == 42
        (view,) = ws.source_views(now=NOW)
        assert [part.code for part in view.part_troubles] == ["more-waits"]
        assert ws.collect(now=NOW + timedelta(hours=7), **quiet).new == 61 - 42
        asked = len(place.seen)
        channel.posts = 62
        assert ws.collect(now=NOW + timedelta(hours=14), **quiet).new == 1
        assert len(place.seen) - asked == 1
        # Away for long: what lies between is followed until known posts come.
        channel.posts = 68
        assert ws.collect(now=NOW + timedelta(hours=21), **quiet).new == 6
    assert len(documents_of(tmp_path)) == 68


def test_a_page_that_is_watched_tells_what_has_changed(tmp_path, quiet):
    def shown(price: int) -> bytes:
        return (
            f"<html><body><main><h1>Клуб друзей</h1><p>Доставка для участников клуба стоит {price} рублей.</p>"
            "<p>Баллы за покупки действуют один год со дня заказа.</p></main></body></html>"
        ).encode()

    with site() as place:
        place.on("/club.html", in_turn(*(answer(shown(price)) for price in (99, 99, 149))))
        more = (
            f'[sources.rival]\nat = "{place.url("/club.html")}"\nkind = "competitor"\nchanges = true\n'
            'select = "main"\nallow = ["127.0.0.1"]\n'
        )
        ws = opened(workspace_at(tmp_path, more=more))
        news = [ws.collect(now=NOW + timedelta(hours=7 * turn), **quiet).new for turn in range(3)]
    assert news == [0, 0, 1]
    (change,) = documents_of(tmp_path)
    assert "149" in f"{change[5]} {change[6]}"
    # Every version is kept, and reading them again finds the same change.
    assert len(list(RawStore(tmp_path / "raw").list("rival"))) == 2
    assert (ws.reread(now=NOW).changed, ws.reread(now=NOW).new) == (0, 0)


def test_the_voices_of_the_workspace_are_read_and_new_ones_added(tmp_path, quiet):
    still(tmp_path / "data", rows=30)
    more = (
        '[tables.voices]\nfrom = "data/*.csv"\n'
        'columns = { voice_id = "id", said_at = "said_at", text = "text", customer_id = "customer_id", source = "\'ticket\'" }\n'
        '[tables.orders]\nfrom = "data/*.csv"\n'
        'columns = { order_id = "id", customer_id = "customer_id", ordered_at = "said_at", revenue = "1" }\n'
        '[sources.voices]\nreader = "voices"\n'
    )
    ws = opened(workspace_at(tmp_path, more=more))
    assert ws.collect(now=NOW, **quiet).new == 30
    still(tmp_path / "data", name="more.csv", rows=4, start=40)
    report = ws.collect(now=NOW + timedelta(hours=7), **quiet)
    assert (report.new, report.failed) == (4, ())
    assert {(row[3], bool(row[10])) for row in documents_of(tmp_path)} == {("support", True)}


def test_voices_where_no_table_is_mapped_say_so(tmp_path, quiet):
    ws = opened(workspace_at(tmp_path, more='[sources.voices]\nreader = "voices"\n'))
    report = ws.collect(now=NOW, **quiet)
    assert report.new == 0
