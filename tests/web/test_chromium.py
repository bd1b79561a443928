"""Pages as a browser lays them out: nothing scrolls sideways, everything by keyboard, charts come alive."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from fake import NOW, FakeWorkspace
from test_pages import NEW_PAGES, PAGES

from primeta.web.app import create_app

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium")]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="module")
def chromium(skip_or_fail: Callable[[str], None]) -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        skip_or_fail("needs Chromium: install the package `chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def sites() -> Iterator[dict[str, str]]:
    """Addresses of servers in this process: `en`, `ru`, and `new` before its first watch."""
    made = {"en": FakeWorkspace("en"), "ru": FakeWorkspace("ru"), "new": FakeWorkspace("ru", empty=True)}
    servers, threads, addresses = [], [], {}
    for name, workspace in made.items():
        config = uvicorn.Config(create_app(workspace, now=lambda: NOW), port=0, log_level="error")  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        servers.append(server)
        threads.append(thread)
        addresses[name] = f"http://127.0.0.1:{port}"
    yield addresses
    for server in servers:
        server.should_exit = True
    for thread in threads:
        thread.join()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Any]:
    """A function that opens a tab of a given width; whatever a tab complains about fails the test."""
    contexts, complaints = [], []

    def open_tab(width: int = 1280, *, scheme: str = "light", script: bool = True) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=script
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("site", ["en", "ru"])
def test_no_page_scrolls_sideways_on_the_narrowest_phone(opened: Any, sites: dict[str, str], site: str):
    tab = opened(360)
    wide = []
    for path in PAGES:
        tab.goto(sites[site] + path)
        width = tab.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide.append((path, width))
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rivals_stand_on_one_scale_without_a_script(opened: Any, sites: dict[str, str], scheme: str):
    tab = opened(1280, scheme=scheme, script=False)
    tab.goto(sites["ru"] + "/reactivation/two-letters/moment")
    # zero of every row lies under the zero of the axis
    plots = tab.locator(".options .plot .zero").all()
    zeros = {round(plot.bounding_box()["x"]) for plot in plots}
    assert len(plots) == 4
    assert len(zeros) == 1
    drawn = tab.locator(".chart .wide svg").bounding_box()
    assert drawn["width"] > 900
    assert tab.locator(".chart .narrow svg").is_hidden()
    phone = opened(390, scheme=scheme, script=False)
    phone.goto(sites["ru"] + "/reactivation/two-letters/moment")
    assert phone.locator(".chart .narrow svg").is_visible()
    # an interval takes the whole width of the phone
    assert phone.locator(".options tbody .plot svg").first.bounding_box()["width"] > 300


def test_no_new_page_scrolls_sideways_either(opened: Any, sites: dict[str, str]):
    tab = opened(360)
    for path in NEW_PAGES:
        tab.goto(sites["new"] + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360, path


@pytest.mark.parametrize("width", [390, 1440])
def test_no_table_leaves_its_column(opened: Any, sites: dict[str, str], width: int):
    tab = opened(width)
    for path in PAGES:
        tab.goto(sites["ru"] + path)
        over = tab.evaluate(
            """() => [...document.querySelectorAll('main table, main .drawn svg')].filter(part => {
                const frame = part.closest('section, figure, .board, div') ?? document.querySelector('main');
                return part.getBoundingClientRect().width > 0
                    && part.getBoundingClientRect().right > frame.getBoundingClientRect().right + 1;
            }).map(part => part.className.baseVal ?? part.className)"""
        )
        assert over == [], path


@pytest.mark.parametrize(
    "path",
    [
        "/trends/t-1",
        "/declare",
        "/experiments/evening-push",
        "/reactivation/two-letters",
        "/reactivation/two-letters/discount",
        "/reactivation/saturday/moment",
    ],
)
def test_everything_pressable_is_reached_by_keyboard_and_shows_it(
    opened: Any, sites: dict[str, str], path: str
):
    tab = opened(1280)
    tab.goto(sites["en"] + path)
    wanted = tab.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
            .filter(part => part.offsetParent !== null && part.tabIndex >= 0
                && (part.tagName === 'SUMMARY' || !part.closest('details:not([open])'))
                && getComputedStyle(part).visibility !== 'hidden')
            .map(part => part.type === 'radio' ? 'radio' : part.outerHTML.slice(0, 120))"""
    )
    reached = set()
    for _ in range(len(wanted) + 20):
        tab.keyboard.press("Tab")
        reached.add(
            tab.evaluate(
                """() => { const part = document.activeElement;
                return part.type === 'radio' ? 'radio' : part.outerHTML.slice(0, 120); }"""
            )
        )
    assert set(wanted) - reached == set()


def test_the_skip_link_is_first_and_leads_to_the_content(opened: Any, sites: dict[str, str]):
    tab = opened()
    tab.goto(sites["ru"] + "/")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#main")


@pytest.mark.parametrize("width", [390, 1440])
def test_all_rungs_stand_on_one_scale_without_a_script(opened: Any, sites: dict[str, str], width: int):
    """The zero line of every rung lies under that of the axis; nothing is drawn beyond its column."""
    tab = opened(width, script=False)
    tab.goto(sites["ru"] + "/reactivation/two-letters")
    zeros = [box["x"] for line in tab.locator(".rung .lines .zero").all() if (box := line.bounding_box())]
    assert len(zeros) == 15
    assert max(zeros) - min(zeros) < 1.5
    axis = tab.locator(".ladder .axis-row text").get_by_text("0", exact=True).bounding_box()
    assert axis["x"] - 1 < zeros[0] < axis["x"] + axis["width"] + 1
    for picture in tab.locator(".rung .lines .iv").all():
        frame = picture.bounding_box()
        for part in picture.locator(".range, .claim").all():
            drawn = part.bounding_box()
            assert frame["x"] - 1 <= drawn["x"]
            assert drawn["x"] + drawn["width"] <= frame["x"] + frame["width"] + 1


@pytest.mark.parametrize("width", [360, 1200])
def test_the_report_fits_its_sheet_and_keeps_its_own_type(opened: Any, sites: dict[str, str], width: int):
    tab = opened(width, scheme="dark", script=False)
    tab.goto(sites["ru"] + "/reactivation/two-letters/report")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    sheet = tab.locator(".paper").bounding_box()
    for text in tab.locator(".paper text").all():
        box = text.bounding_box()
        assert box["x"] >= sheet["x"] - 1
        assert box["x"] + box["width"] <= sheet["x"] + sheet["width"] + 1, text.inner_text()


def test_why_this_grade_opens_and_closes_without_a_script(opened: Any, sites: dict[str, str]):
    tab = opened(script=False)
    tab.goto(sites["en"] + "/trends/t-1")
    assert not tab.locator("#why").is_visible()
    tab.get_by_role("button", name="Why this grade?").click()
    assert tab.locator("#why").is_visible()
    tab.get_by_role("button", name="Close").click()
    assert not tab.locator("#why").is_visible()


def test_a_decision_without_a_script(opened: Any, sites: dict[str, str]):
    tab = opened(script=False)
    tab.goto(sites["ru"] + "/trends/t-3")
    form = tab.locator("#decide")
    form.get_by_text("Эксперимент", exact=True).click()
    form.get_by_label("Сработало, если").fill("Звонков на 5% меньше, чем в контрольной группе")
    form.get_by_label("Срок оценки").fill("2027-01-18")
    form.get_by_label("Ответственный").select_option("Анна Ким")
    form.get_by_label("Ваше имя").select_option("Олег Петров")
    form.get_by_role("button", name="Записать решение").click()
    assert tab.get_by_role("status").inner_text().startswith("Решено: эксперимент")
    tab.goto(sites["ru"] + "/")
    assert tab.locator(".trends").get_by_text("Статус заказа").count() == 0


def test_an_experiment_is_declared_and_started_without_a_script(opened: Any, sites: dict[str, str]):
    tab = opened(390, script=False)
    tab.goto(sites["ru"] + "/declare")
    form = tab.locator("form.experiment-form")
    form.get_by_label("Короткое имя").fill("второй пуш")
    form.get_by_label("Гипотеза").fill(
        "Второй пуш через час поднимет выручку на 2%, потому что первый не видят."
    )
    form.get_by_label("Ответственный").select_option("Анна Ким")
    form.get_by_label("Ваше имя").select_option("Олег Петров")
    second = form.locator(".arm-row").nth(1)
    second.get_by_label("Название").fill("пуш")
    second.get_by_label("Доля").fill("40%")
    form.get_by_label("Главная метрика").select_option("revenue_per_customer")
    form.get_by_role("button", name="Ещё ветка").click()
    assert form.locator(".arm-row").count() == 3
    assert form.get_by_label("Короткое имя").input_value() == "второй пуш"
    third = form.locator(".arm-row").nth(2)
    third.get_by_label("Название").fill("пуш и письмо")
    third.get_by_label("Доля").fill("10%")
    # Enter saves, though the buttons that add rows stand before the one that saves.
    third.get_by_label("Доля").press("Enter")
    assert tab.get_by_role("status").inner_text() == "План «второй-пуш» сохранён."
    tab.locator("#start").get_by_label("Ваше имя").select_option("Олег Петров")
    tab.locator("#start").get_by_role("button").click()
    assert tab.get_by_role("status").inner_text() == "«второй-пуш» запущен."


def test_a_chart_comes_alive_under_the_strict_policy_and_asks_nobody_else(opened: Any, sites: dict[str, str]):
    tab = opened(1280, scheme="dark")
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(sites["ru"] + "/signals/s-1")
    tab.locator("figure.chart .drawn.wide svg").hover()
    canvas = tab.locator(".live canvas")
    canvas.wait_for(timeout=60_000)
    box = canvas.bounding_box()
    # Where the specification puts the point of 17 August, in pixels of the drawing.
    drawing = tab.evaluate(
        "width => fetch(`/signals/s-1/chart?width=${width}`).then(a => a.json())", box["width"]
    )
    rows = [row for rows in drawing["datasets"].values() for row in rows] if "datasets" in drawing else [
        row for layer in drawing["layer"] for row in layer["data"].get("values", [])
    ]  # fmt: skip
    point = next(row for row in rows if str(row.get("label", "")).startswith("17\u00a0августа\u00a02026: "))
    top = drawing["padding"]["top"]
    tab.mouse.move(box["x"] + point["x"] - 3, box["y"] + top + point["y"])
    tab.mouse.move(box["x"] + point["x"], box["y"] + top + point["y"])
    told = tab.locator("#vg-tooltip-element.visible")
    told.wait_for(timeout=10_000)
    assert told.inner_text() == point["label"]
    assert all(url.startswith((sites["ru"], "data:")) for url in asked)


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(253, 253, 252)"), ("dark", "rgb(19, 24, 29)")])
def test_the_systems_theme_is_followed_until_one_is_chosen(
    opened: Any, sites: dict[str, str], scheme: str, paper: str
):
    tab = opened(scheme=scheme)
    tab.goto(sites["en"] + "/")
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    assert tab.evaluate(colour) == paper
    other = {"light": "Dark theme", "dark": "Light theme"}[scheme]
    tab.get_by_role("button", name=other).click()
    assert tab.evaluate(colour) != paper
    tab.goto(sites["en"] + "/signals")
    assert tab.evaluate(colour) != paper
