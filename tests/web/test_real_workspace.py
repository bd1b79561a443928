"""Pages over a real workspace: its state in SQLite, its errors, what a watch has written."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser import Browser, Page

from primeta.web.app import create_app
from primeta.workspace import Workspace, open_workspace
from primeta.workspace.create import create_workspace

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
ORDERS = "order_id,customer_id,ordered_at,revenue\n" + "".join(
    f"{number},c{number % 7},2026-0{1 + number % 9}-1{number % 10},{10 + number}\n" for number in range(60)
)
NOTE = {"origin": "voice", "happened_at": "2026-11-12", "direction": "up", "by": "Анна Ким", "url": ""}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace in Russian over sixty orders, before its first watch."""
    place = tmp_path / "shop"
    create_workspace(place, name="Калина", language="ru", currency="RUB", timezone="Europe/Moscow")
    (place / "orders.csv").write_text(ORDERS, encoding="utf-8")
    settings = place / "primeta.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + '\n[tables.orders]\nfrom = "orders.csv"\n', encoding="utf-8")
    workspace = open_workspace(place)
    yield workspace
    workspace.close()


@pytest.fixture
def counter(shop: Workspace) -> Browser:
    return Browser(create_app(shop, now=lambda: NOW))


@pytest.mark.parametrize(
    "path", ["/", "/signals", "/trends", "/trends/radar", "/trends/new", "/log", "/metrics"]
)
def test_pages_before_the_first_watch(counter: Browser, path: str):
    answer = counter.get(path)
    assert answer.status_code == 200
    assert Page(answer.text).unbalanced == []


def test_people_take_a_sign_to_a_decision_without_any_metric(counter: Browser, shop: Workspace):
    counter.send(
        "/log", {**NOTE, "text": "Спрашивают ужин к семи", "subject": "Ужин к семи", "source": "магазин 12"}
    )
    counter.send(
        "/log",
        {
            **NOTE,
            "text": "Пишут об ужинах",
            "subject": "",
            "source": "Отраслевая газета",
            "origin": "outside",
        },
    )
    first, second = (note.id for note in shop.notes())
    begun = counter.send(
        f"/signals/{second}/join", {"trend": "", "name": "Ужин вместо закупки", "by": "Анна Ким"}
    )
    assert begun.url.path.startswith("/trends/t-")
    trend = begun.url.path.rpartition("/")[2]
    joined = counter.send(f"/signals/{first}/join", {"trend": trend, "name": "", "by": "Анна Ким"})
    page = Page(joined.text)
    assert page.unbalanced == []
    # Nobody has measured anything: the grade stays the lowest, and the page says why.
    assert "Пока это отметили только люди; ни одна наша метрика не сдвинулась." in page.texts
    decided = counter.send(
        f"/trends/{trend}/decide",
        {"answer": "observe", "criteria": "Ещё 3 отзыва за месяц", "due": "2026-12-20", "owner": "Анна Ким", "by": "Анна Ким", "reason": ""},
    )  # fmt: skip
    assert "Решено: наблюдаем. Оценка 20\u00a0декабря\u00a02026." in Page(decided.text).texts
    assert "Ужин вместо закупки" in counter.get("/trends").text
    document = counter.get(f"/api/v1/trends/{trend}").json()
    assert (document["decision"], document["due"], sorted(document["origins"])) == (
        "observe",
        "2026-12-20",
        ["outside", "voice"],
    )


def test_two_people_at_one_card_over_a_real_state(counter: Browser, shop: Workspace):
    made = shop.new_trend(name="Ужин", by="Анна", now=NOW)
    html = counter.get(f"/trends/{made.id}/edit").text
    version = re.search(r'name="version" value="(\d+)"', html)
    assert version is not None
    shop.edit_card(made.id, changes={"risks": "Их текст."}, by="Олег", now=NOW + timedelta(minutes=1))
    mine = {
        "name": "Ужин",
        "type": "behavioural",
        "risks": "Мой текст.",
        "by": "Анна",
        "version": version[1],
        "owner": "Анна",
    }
    answer = counter.send(f"/trends/{made.id}/edit", mine)
    assert answer.status_code == 409
    assert "Мой текст." in answer.text
    assert "Их текст." in answer.text
    assert shop.trend(made.id).card.risks == "Их текст."


def test_a_guess_that_cannot_be_read_stands_beside_its_field(counter: Browser, shop: Workspace):
    made = shop.new_trend(name="Ужин", by="Анна", now=NOW)
    fields = {
        "name": "Ужин",
        "type": "behavioural",
        "owner": "Анна",
        "by": "Анна",
        "adoption": "many",
        "version": "1",
    }
    answer = counter.send(f"/trends/{made.id}/edit", fields)
    assert answer.status_code == 400
    assert 'id="wrong-f-adoption"' in answer.text
    assert 'value="many"' in answer.text


def settled(browser: Browser) -> str:
    """The data page once it has read everything."""
    for _ in range(600):
        text = browser.get("/data").text
        if 'http-equiv="refresh"' not in text:
            return text
        time.sleep(0.1)
    raise AssertionError("the data are still being read after a minute")


def test_the_doctor_reads_the_real_file(counter: Browser):
    page = Page(settled(counter))
    assert page.unbalanced == []
    # Sixty orders were written above.
    assert "60" in page.texts
    assert "Заказы" in page.texts


def test_a_missing_file_is_told_with_what_to_do(counter: Browser, shop: Workspace):
    (shop.folder / "orders.csv").unlink()
    text = settled(counter)
    assert "Данные не читаются" in text
    assert "orders.csv" in text


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A simulated company of 800 customers, watched once in few metrics and slices: that is quick."""
    from primeta.worlds.company import simulate_company
    from primeta.worlds.company_files import write_company

    place = tmp_path_factory.mktemp("world") / "company"
    write_company(simulate_company(customers=800, seed=3, weeks=104), place)
    settings = place / "primeta.toml"
    text = settings.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^by = .*$", 'by = ["region"]\nsmallest = 20', text)
    text = re.sub(r"(?m)^cross = .*$", "", text)
    chosen = 'metrics = ["average_order_value", "revenue_per_customer", "orders_per_customer", "open_rate"]'
    settings.write_text(text.replace("[watch]", f"[watch]\n{chosen}"), encoding="utf-8")
    workspace = open_workspace(place)
    workspace.watch(now=datetime(2026, 1, 1, tzinfo=UTC))
    yield workspace
    workspace.close()


@pytest.fixture
def reader(watched: Workspace) -> Callable[[str], str]:
    browser = Browser(create_app(watched, now=lambda: datetime(2026, 1, 1, tzinfo=UTC)))

    def read(path: str) -> str:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        return answer.text

    return read


@pytest.mark.slow
@pytest.mark.xdist_group("watched")
def test_every_page_of_a_watched_company_is_whole_and_shows_no_code(
    watched: Workspace, reader: Callable[[str], str]
):
    paths = [
        "/",
        "/signals",
        "/signals?show=noticed",
        "/signals?show=gone",
        "/trends",
        "/trends/radar",
        "/metrics",
    ]
    paths += [f"/signals/{entry.id}" for entry in watched.signals()[:3]]
    paths += [f"/trends/{entry.id}" for entry in watched.trends()[:3]]
    paths += [f"/trends/{entry.id}/edit" for entry in watched.trends()[:1]]
    for view in watched.metrics()[:4]:
        paths += [
            f"/metrics/{view.metric.name}?grain={grain}"
            for grain in ("week", "month", "quarter")
            if view.slices
        ]
    for path in paths:
        for language in ("en", "ru"):
            page = Page(reader(path + ("&" if "?" in path else "?") + f"lang={language}"))
            assert page.unbalanced == [], path
            text = " ".join(page.texts)
            assert " nan" not in text.casefold(), path
            # Names of tables and columns that a metric lacks are the workspace's own words.
            codes = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text)) - {"order_lines", "customer_id"}
            assert not codes or path.endswith("/edit"), (path, codes)


@pytest.mark.slow
@pytest.mark.xdist_group("watched")
def test_the_api_of_a_watched_company_holds_no_nan(watched: Workspace, reader: Callable[[str], str]):
    for path in ("/api/v1/signals", "/api/v1/trends", "/api/v1/metrics"):
        text = reader(path)
        assert "NaN" not in text
        assert "Infinity" not in text
