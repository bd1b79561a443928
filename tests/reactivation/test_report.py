"""The ladder on one sheet: one A4 page, no text over another, Cyrillic in the PDF, no outside resources."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from small_follow_up import drawn, follow_up

from primeta.errors import BadInput
from primeta.reactivation.ladder import climb_ladder
from primeta.reactivation.ladder_result import Ladder
from primeta.reactivation.report import report_html, report_pdf, report_svg
from primeta.reactivation.report_paper import HEIGHT, WIDTH, shortened, width_of, wrapped

LONG = (
    "control",
    "Скидка десять процентов на привычную корзину по промокоду в приложении и смс",
    "reminder_of_usual_basket_without_any_discount_push_and_email_variant_2026_spring",
)


def ladder(**given) -> Ladder:
    return Ladder(facts=climb_ladder(drawn(np.random.default_rng(3), **given), None))


CASES = {
    "usual": lambda: ladder(n=1500, name="spring", currency="RUB"),
    "long names": lambda: ladder(n=1500, arms=LONG, name="Очень длинное название " * 6, currency="RUB"),
    "no currency": lambda: ladder(n=600, basket=4e6),
    "small": lambda: ladder(n=30),
    "no control": lambda: Ladder(
        facts=climb_ladder(follow_up([0] * 90, [(3, 2.0, 9.0, 1.0)], arms=("mail",), control=""), None)
    ),
    "many arms": lambda: Ladder(
        facts=climb_ladder(
            follow_up(
                np.arange(900) % 9,
                [(who, 3.0, 40.0, 4.0) for who in range(0, 900, 4)],
                arms=("control", *(f"variant {name}" for name in "abcdefgh")),
            ),
            None,
        )
    ),
}


@pytest.fixture(scope="module")
def sheets() -> dict[tuple[str, str], str]:
    return {(name, lang): report_svg(made(), lang) for name, made in CASES.items() for lang in ("en", "ru")}


def boxes(svg: str) -> list[tuple[float, float, float, float, str]]:
    """left, top, right, bottom and words of every text, by the reckoned widths."""
    found = []
    for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        size, x, y = (float(node.attrib[name]) for name in ("font-size", "x", "y"))
        wide = width_of(node.text or "", size, bold="font-weight" in node.attrib)
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[node.attrib["text-anchor"]]
        found.append((left, y - size * 0.72, left + wide, y + size * 0.08, node.text or ""))
    return found


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("case", CASES)
def test_no_text_lies_over_another_or_beyond_the_page(sheets, case, lang):
    svg = sheets[case, lang]
    texts = boxes(svg)
    left, top, wide, tall = map(float, re.search(r'viewBox="([^"]+)"', svg).group(1).split())
    assert wide / tall == pytest.approx(WIDTH / HEIGHT, rel=1e-3)
    for box in texts:
        assert left + 20 < box[0], box
        assert box[2] < left + wide - 20, box
        assert box[3] < top + tall, box
    for at, first in enumerate(texts):
        for second in texts[at + 1 :]:
            apart = (
                first[2] <= second[0]
                or second[2] <= first[0]
                or first[3] <= second[1]
                or second[3] <= first[1]
            )
            assert apart, (first, second)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_sheet_says_what_a_head_must_know(sheets, lang):
    words = " ".join(text for *_, text in boxes(sheets["usual", lang]))
    sections = {
        "en": (
            "Five rungs, one scale",
            "Where the money went",
            "Who came back",
            "Who leads",
            "What to do next",
        ),
        "ru": ("Пять ступеней", "Куда ушли деньги", "Кто вернулся", "Кто впереди", "Что делать дальше"),
    }
    for section in sections[lang]:
        assert section in words
    assert ("₽" in words) == (lang in ("en", "ru"))
    assert "nan" not in words.lower().split()
    assert "{" not in words


def test_what_was_claimed_adds_up_to_what_is_left():
    facts = ladder(n=1500).facts
    claim, net = (
        next(row for row in facts.rungs if row.rung == number and row.arm == "b") for number in (0, 2)
    )
    # rung 0 less what the control brings a customer, over all of the arm, is rung 2
    assert claim.money - net.control * net.n == pytest.approx(net.money)


def test_the_svg_needs_nothing_from_outside(sheets):
    for svg in sheets.values():
        assert "<script" not in svg
        assert "style=" not in svg
        assert "href" not in svg
        ElementTree.fromstring(svg)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_html_prints_on_one_page_and_can_be_read_aloud(lang):
    page = report_html(ladder(n=600, currency="RUB", name="<b>spring</b>"), lang)
    assert page.startswith(f'<!doctype html><html lang="{lang}">')
    assert "@page{size:A4" in page
    assert "<b>spring</b>" not in page
    assert 'role="img"' in page
    assert '<table class="t">' in page


def test_pdf_is_one_page_with_cyrillic():
    found = report_pdf(ladder(n=600, currency="RUB"), "ru")
    assert found.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", found)) == 1
    # letters are embedded with a map back to Unicode, so that the text can be found
    assert b"/ToUnicode" in found


def test_texts_are_wrapped_and_cut():
    assert wrapped("a bb ccc", 10, width_of("a bb", 10) + 0.1) == ["a bb", "ccc"]
    assert wrapped("x" * 50, 10, 100)[0] != ""
    assert all(width_of(line, 10) <= 100 for line in wrapped("слово " * 20 + "д" * 60, 10, 100))
    assert wrapped("one two three four", 10, 50, most=1)[0].endswith("…")
    assert shortened("short", 10, 100) == "short"


def test_a_file_is_written_by_its_ending_or_refused(tmp_path):
    made = ladder(n=300)
    assert made.report(tmp_path / "sheet.svg").read_text(encoding="utf-8").startswith("<svg")
    assert (
        made.report(tmp_path / "sheet.html", lang="ru")
        .read_text(encoding="utf-8")
        .startswith("<!doctype html>")
    )
    assert made.report(tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sheet.html", "sheet.pdf", "sheet.svg"]
    with pytest.raises(BadInput, match=r"\.html, \.pdf or \.svg"):
        made.report(tmp_path / "sheet.docx")
    with pytest.raises(BadInput, match="no such folder"):
        made.report(tmp_path / "not-there" / "sheet.pdf")
