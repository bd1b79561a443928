"""The page of rights: who waits, which receipts there are, how long things are kept; no id anywhere."""

from __future__ import annotations

import shutil
from datetime import timedelta

import anyio
import httpx
import pytest
from rights_shop import DAY, IVAN, NOW, TRACES, built_shop

from primeta.attention.ledger import Event
from primeta.web.app import create_app
from primeta.workspace import open_workspace
from primeta.workspace.rights_view import rights_view

OLD = "other-002@example.com"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "shop"
    shutil.copytree(built_shop(), folder)
    with (folder / "primeta.toml").open("a", encoding="utf-8") as file:
        file.write('[attention.retention]\ntouch = "2y"\n')
    ws = open_workspace(folder)
    ws.erase(IVAN, now=NOW, by="Olga", reason="asked", request="2026-17")
    ws.record(
        [
            Event(
                key=f"w{age}",
                kind="wish",
                customer_id=who,
                happened_at=NOW - age * DAY,
                payload={"means": "delete-data", "sentence": "Delete <b>all</b> of it"},
            )
            for who, age in ((OLD, 40), ("other-003@example.com", 4))
        ],
        now=NOW,
    )
    yield ws
    ws.close()


def test_who_waits_longest_stands_first_with_the_day_to_answer_by(shop):
    found = rights_view(shop, now=NOW)
    assert [(one.overdue, one.until) for one in found.waiting] == [
        (True, shop.day_of(NOW - 10 * DAY)),
        (False, shop.day_of(NOW + 26 * DAY)),
    ]
    assert (found.erased, found.back, found.unfinished, found.all_receipts) == (1, 0, 0, 1)
    (receipt,) = found.receipts
    assert (receipt.by, receipt.request, receipt.went > 80, receipt.left) == ("Olga", "2026-17", True, 49)
    assert dict(found.retention)["touch"] == timedelta(days=730)
    assert dict(found.retention)["reaction"] is None


@pytest.mark.parametrize(
    ("lang", "head"), [("en", "2 customers wait to be deleted"), ("ru", "2 клиента ждут удаления данных")]
)
def test_the_page_tells_it_with_pseudonyms_only(shop, lang, head):
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=create_app(shop, now=lambda: NOW))
        cookies = {"primeta_language": lang}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", cookies=cookies
        ) as client:
            return await client.get("/attention/rights")

    shown = anyio.run(get)
    assert shown.status_code == 200
    text = shown.text.replace("\xa0", " ")
    assert head in text
    assert "2026-17" in text
    assert "&lt;b&gt;all&lt;/b&gt;" in text
    assert not any(one in text for one in (*TRACES, OLD))
