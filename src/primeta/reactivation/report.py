"""The ladder on one sheet: what each rung claims, where the money went, who leads at which rung, what to do next."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path

from primeta.errors import BadInput
from primeta.reactivation import ladder_sentences as said
from primeta.reactivation.ladder_picture import ends_of
from primeta.reactivation.ladder_result import Ladder
from primeta.reactivation.ladder_words import RUNGS, WHY_NOT, WORDS, words
from primeta.reactivation.records import LadderFacts, Returners, Rung
from primeta.reactivation.report_paper import WIDTH, Paper, printed, shortened, width_of, wrapped
from primeta.show import locale
from primeta.show.interval import Scale, scale_of, verdict_of

Place = Callable[[float], float]
"""From a value to x."""
LEFT, RIGHT = 42.0, WIDTH - 42.0
MOST_ARMS = 6
"""On the sheet; the others stand in the tables."""
TONES = ("arm-a", "arm-b", "arm-c")
VERDICTS = {"gain": "gain", "loss": "loss", "unsure": "ink-3"}
LONGEST = 32
"""Letters of an arm's name in a sentence."""
NOTHING = {"en": "C", "ru": "К"}
LETTERS = "ABDEFGHIJ"
"""Not C, which is the control; all of them look alike in both alphabets or are Latin only."""


class _Sheet:
    """What all parts of the sheet share: facts, words, arms with their letters, one scale of money."""

    def __init__(self, facts: LadderFacts, lang: str):
        self.facts, self.lang = facts, lang
        self.pen = said.pen_of(facts, lang)
        self.paper = Paper()
        control = facts.campaign.control
        self.treated = [arm for arm in facts.arms if arm != control][:MOST_ARMS]
        self.left_out = len([arm for arm in facts.arms if arm != control]) - len(self.treated)
        self.letters = {arm: LETTERS[at] for at, arm in enumerate(self.treated)}
        self.tones = {arm: TONES[at % len(TONES)] for at, arm in enumerate(self.treated)}
        if control:
            self.letters[control], self.tones[control] = NOTHING[lang], "ink-3"
        self.short: dict[str, str] = {}
        for arm in facts.arms:
            if len(arm) > LONGEST:
                cut = arm[: LONGEST - 1].rstrip() + "…"
                # two names that begin alike keep their ends
                self.short[arm] = cut if cut not in self.short.values() else "…" + arm[1 - LONGEST :].lstrip()

    def named(self, text: str) -> str:
        """With names of arms that would fill the sheet cut short."""
        for arm, short in self.short.items():
            text = text.replace(arm, short)
        return text

    def tag(self, x: float, y: float, arm: str) -> None:
        self.paper.tag(x, y, self.letters[arm], tone=self.tones[arm])

    def heading(self, x: float, x2: float, y: float, title: str, note: str = "") -> float:
        """A ruled heading with its remark at the right end; returns the baseline for what follows."""
        paper = self.paper
        paper.line(x, y, x2, y, tone="ink", thick=1.5)
        paper.text(x, y + 17, title, size=13, bold=True)
        room = x2 - x - width_of(title, 13, bold=True) - 12
        if note and room > 60:
            paper.text(x2, y + 17, shortened(note, 9, room), size=9, tone="ink-3", anchor="end")
        return y + 36


def report_svg(ladder: Ladder, lang: str = "en") -> str:
    """One A4 page as SVG.

    Returns:
        A document of 794 × 1,123 pixels without scripts, styles or outside resources.
    """
    facts = ladder.facts
    sheet = _Sheet(facts, lang)
    y = _head(sheet)
    y = _ladder(sheet, y)
    y = _money(sheet, y)
    y = _leaders(sheet, y)
    y = _next(sheet, y)
    y = _foot(sheet, ladder, y)
    label = f"{said.finding(facts, lang)}. {said.lead(facts, lang)}"
    return sheet.paper.svg(label=label, height=y, lang=lang)


def report_html(ladder: Ladder, lang: str = "en") -> str:
    """The same page as a file for a browser, with its words as text for who cannot see it; prints on one sheet."""
    facts = ladder.facts
    steps = "".join(
        f"<li><b>{escape(heading)}</b> {escape(why)}</li>" for heading, why in ladder.next_steps(lang)
    )
    title = escape(said.finding(facts, lang))
    hidden = (
        f"<h1>{title}</h1><p>{escape(said.lead(facts, lang))}</p>{ladder.table(lang).html()}"
        f"{ladder.returners_table(lang).html()}<ol>{steps}</ol>"
    )
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>'
        "@page{size:A4;margin:0}body{margin:0;background:#e9ebe9}figure{margin:0 auto;max-width:210mm}"
        "svg{display:block;width:100%;height:auto}details{max-width:210mm;margin:1rem auto;font:14px/1.5 sans-serif;"
        "overflow-x:auto}th,td{padding:.2rem .6rem;text-align:left;vertical-align:top}"
        "@media print{body{background:none}figure{max-width:none}details{display:none}}"
        f"</style></head><body><figure>{report_svg(ladder, lang)}</figure>"
        f"<details><summary>{escape(words(WORDS, 'as-text', lang))}</summary>{hidden}</details></body></html>\n"
    )


def report_pdf(ladder: Ladder, lang: str = "en") -> bytes:
    """The same page as a PDF."""
    import vl_convert

    return vl_convert.svg_to_pdf(printed(report_svg(ladder, lang)))


def write_report(ladder: Ladder, path: Path | str, *, lang: str = "en") -> Path:
    """The sheet as a file: SVG, HTML or PDF by its ending.

    Written under another name first, so that a reader never finds half of it.

    Raises:
        BadInput: another ending, or a folder that is not there.
    """
    target = Path(path)
    makers: dict[str, Callable[[Ladder, str], str | bytes]] = {
        ".svg": report_svg,
        ".html": report_html,
        ".htm": report_html,
        ".pdf": report_pdf,
    }
    maker = makers.get(target.suffix.lower())
    if maker is None:
        raise BadInput(
            f"a report is written as .html, .pdf or .svg, by its ending; {target.name!r} was given. Give the file "
            f"one of these endings"
        )
    if not target.parent.is_dir():
        raise BadInput(
            f"{target.parent}: no such folder, so that {target.name} cannot be written; make it first"
        )
    made = maker(ladder, lang)
    unfinished = target.with_name(f".{target.name}.part")
    try:
        unfinished.write_bytes(made.encode() if isinstance(made, str) else made)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise BadInput(f"{target} cannot be written: {error.strerror}. Give another place") from error
    return target


# Parts of the sheet, from top to bottom; each returns where the next one begins


def _head(sheet: _Sheet) -> float:
    facts, lang, paper, pen = sheet.facts, sheet.lang, sheet.paper, sheet.pen
    name = words(WORDS, "report", lang) + (f" / {facts.campaign.name}" if facts.campaign.name else "")
    when = words(WORDS, "source", lang, until=pen.day(facts.campaign.until))
    paper.text(LEFT, 44, shortened(name, 10, RIGHT - LEFT - width_of(when, 10) - 20), size=10, tone="ink-2")
    paper.text(RIGHT, 44, when, size=10, tone="ink-3", anchor="end")
    y = paper.paragraph(
        LEFT,
        76,
        sheet.named(said.finding(facts, lang)),
        width=RIGHT - LEFT,
        size=21,
        serif=True,
        leading=1.2,
        most=4,
    )
    y = paper.paragraph(
        LEFT,
        y + 1,
        sheet.named(said.lead(facts, lang)),
        width=RIGHT - LEFT,
        size=11.5,
        tone="ink-2",
        serif=True,
        most=5,
    )
    x, y = LEFT, y + 6
    for arm, n in zip(facts.arms, facts.n, strict=True):
        if arm not in sheet.letters:
            continue
        told = f"{shortened(arm, 10.5, 210)}, {pen.count(n)}"
        wide = 20 + width_of(told, 10.5)
        if x + wide > RIGHT and x > LEFT:
            x, y = LEFT, y + 18
        sheet.tag(x, y, arm)
        paper.text(x + 20, y, told, size=10.5, tone="ink-2")
        x += wide + 16
    if sheet.left_out:
        more = words(WORDS, "more-arms", lang, n=sheet.left_out)
        if x + width_of(more, 10.5) > RIGHT:
            x, y = LEFT, y + 18
        paper.text(x, y, more, size=10.5, tone="ink-3")
    return y + 18


NAME, FIGURES, PLOT, WORDS_AT = LEFT, LEFT + 118, LEFT + 292, LEFT + 498
"""Columns of the ladder: the rung, its figures, the picture, what it assumes."""


def _ladder(sheet: _Sheet, y: float) -> float:
    facts, lang, paper, pen = sheet.facts, sheet.lang, sheet.paper, sheet.pen
    y = sheet.heading(LEFT, RIGHT, y, words(WORDS, "ladder", lang), words(WORDS, "money.note", lang))
    scale = scale_of(ends_of(facts), ticks=3)
    right = WORDS_AT - 22
    at = lambda value: PLOT + (right - PLOT) * scale.at(value) / 100  # noqa: E731
    top = y + 4
    for tick in scale.ticks:
        paper.text(at(tick), y, str(pen.money(tick)), size=8.5, tone="ink-3", anchor="middle")
    paper.text(WORDS_AT, y, words(WORDS, "assumes", lang), size=8.5, tone="ink-3")
    y += 9
    for number in range(5):
        rows = [rung for rung in said.rungs_of(facts, number) if rung.arm in sheet.letters]
        if not rows:
            continue
        paper.line(LEFT, y, RIGHT, y, tone="rule")
        base = y + 15
        paper.text(NAME, base, str(number), size=15, serif=True, tone="ink-2")
        name_end = paper.paragraph(
            NAME + 18, base, RUNGS[number][lang], width=FIGURES - NAME - 26, size=10, bold=True, leading=1.25
        )
        name_end = paper.paragraph(
            NAME + 18, name_end, said.about(facts, number, lang), width=FIGURES - NAME - 26, size=8.5, tone="ink-3",
            leading=1.25,
        )  # fmt: skip
        line = base
        control = next((rung for rung in rows if math.isfinite(rung.control)), None)
        if control is not None:
            sheet.tag(FIGURES, line, facts.campaign.control)
            own = pen.money(control.control, control.control_low, control.control_high)
            told = f"{own.text} {words(WORDS, 'unasked' if number == 2 else 'of-each', lang)}"
            paper.text(FIGURES + 20, line, shortened(told, 9.5, PLOT - FIGURES - 26), size=9.5, tone="ink-2")
            paper.disc(at(0.0), line - 3.5, tone="ink-3")
            line += 17
        reasons = {rung.why_not for rung in rows}
        if all(not math.isfinite(rung.money) for rung in rows) and len(reasons) == 1:
            line = _cannot(sheet, rows[0].why_not, line, x=FIGURES)
        else:
            for rung in rows:
                line = _row(sheet, rung, line, at)
        words_end = paper.paragraph(
            WORDS_AT, base, said.assumes(facts, number, lang), width=RIGHT - WORDS_AT, size=8.8, tone="ink-2",
            leading=1.28,
        )  # fmt: skip
        shown = tuple(rung for rung in facts.rungs if rung.arm in sheet.letters)
        away = said.away(replace(facts, rungs=shown), number, lang)
        if away:
            for arm, letter in sheet.letters.items():
                away = away.replace(f"{arm} ", f"{letter}{locale.NBSP}")
            words_end = paper.paragraph(
                WORDS_AT, words_end + 1, away, width=RIGHT - WORDS_AT, size=8.8, bold=True, leading=1.28
            )
        y = max(name_end, line, words_end) + 1
    paper.line(LEFT, y, RIGHT, y, tone="rule")
    _grid(sheet, scale, at, top, y)
    return y + 22


def _grid(sheet: _Sheet, scale: Scale, at: Place, top: float, bottom: float) -> None:
    """Zero and the ticks, under everything that stands on them."""
    own = Paper()
    for tick in scale.ticks:
        own.line(
            at(tick),
            top,
            at(tick),
            bottom,
            tone="ink" if tick == 0 else "rule",
            thick=1.2 if tick == 0 else 0.7,
        )
    sheet.paper.put_under(own)


def _row(sheet: _Sheet, rung: Rung, y: float, at: Place) -> float:
    """One arm on one rung: its tag, its figure, its picture."""
    facts, lang, paper, pen = sheet.facts, sheet.lang, sheet.paper, sheet.pen
    sheet.tag(FIGURES, y, rung.arm)
    room = PLOT - FIGURES - 26
    if not math.isfinite(rung.money):
        return _cannot(sheet, rung.why_not, y, x=FIGURES + 20)
    told = said.money_of(rung, pen)
    measured = rung.rung >= 2
    verdict = VERDICTS[verdict_of(rung.low, rung.high)]
    paper.text(
        FIGURES + 20, y, told.text, size=10.5, bold=True, tone=verdict if verdict != "ink-3" else "ink"
    )
    x = FIGURES + 26 + width_of(told.text, 10.5, bold=True)
    beside = told.interval if measured else words(WORDS, "claimed", lang)
    leads = facts.best.get(f"rung{rung.rung}") == rung.arm
    sure = rung.rung < 2 or facts.best_sure.get(f"rung{rung.rung}", False)
    mark = words(WORDS, "leads" if sure else "leads-unsure", lang) if leads else ""
    space = FIGURES + 20 + room - x
    both = width_of(beside, 9) + width_of(mark, 9, bold=True) + 8 <= space
    paper.text(x, y, shortened(beside, 9, space), size=9, tone="ink-3")
    if measured and math.isfinite(rung.low):
        paper.interval(
            at(rung.money), at(rung.low * rung.n), at(rung.high * rung.n), y - 3.5, tone=verdict,
            hollow=rung.rung == 4 and bool(rung.modelled) and math.isfinite(rung.modelled),
        )  # fmt: skip
    elif measured:
        paper.disc(at(rung.money), y - 3.5, tone="ink-3")
    else:
        paper.bar(at(0.0), at(rung.money), y - 3.5, 9, hatched=True)
    if mark and both:
        paper.text(x + width_of(beside, 9) + 6, y, mark, size=9, bold=True)
    elif mark:
        y += 12
        paper.text(FIGURES + 20, y, mark, size=9, bold=True)
    if rung.why_not and rung.rung == 4:
        y = paper.paragraph(
            FIGURES + 20, y + 12, words(WHY_NOT, rung.why_not, lang), width=room, size=8.5, tone="ink-3",
            leading=1.2, most=3,
        ) - 12 * 0.85  # fmt: skip
    return y + 17


def _cannot(sheet: _Sheet, why_not: str, y: float, *, x: float) -> float:
    """Why there is no figure; over the picture's lines, which have nothing to show here."""
    lang = sheet.lang
    told = f"{locale.CANNOT_TELL[lang]}: {words(WHY_NOT, why_not, lang)}"
    width = WORDS_AT - 22 - x
    lines = wrapped(told, 9.5, width)
    sheet.paper.blank(x, y - 11, width, 13 * len(lines))
    return sheet.paper.paragraph(x, y, told, width=width, size=9.5, tone="ink-3", leading=1.3) + 4


def _money(sheet: _Sheet, y: float) -> float:
    """Left: from the claim to what is left of it. Right: who came back."""
    middle = (LEFT + RIGHT) / 2
    return max(_flow(sheet, LEFT, middle - 14, y), _came_back(sheet, middle + 14, RIGHT, y)) + 20


def _flow(sheet: _Sheet, x: float, x2: float, y: float) -> float:
    """Claimed = what self-returners brought + needless discount + what was won; each a bar that begins where the last ended."""
    facts, lang, paper, pen = sheet.facts, sheet.lang, sheet.paper, sheet.pen
    claims = [
        rung for rung in said.rungs_of(facts, 0) if math.isfinite(rung.money) and rung.arm in sheet.letters
    ]
    if not claims:
        return y
    led = facts.best.get("rung1")
    claim = next((rung for rung in claims if rung.arm == led), max(claims, key=lambda rung: rung.money))
    span = pen.span(facts.campaign.window_days)
    note = words(WORDS, "where.note", lang, arm=claim.arm, span=span)
    y = sheet.heading(x, x2, y, words(WORDS, "where", lang), note)
    net = next((rung for rung in said.rungs_of(facts, 2) if rung.arm == claim.arm), None)
    back = next((row for row in facts.returners if row.arm == claim.arm), None)
    parts: list[tuple[str, float, float, str]] = [("flow.claimed", 0.0, claim.money, "claim")]
    if net is not None and math.isfinite(net.money):
        own_discounts = said.gives_discounts(facts, claim.arm)
        wasted = back.needless_discount if back is not None and own_discounts else 0.0
        wasted = wasted if wasted > 0 else 0.0
        own = net.control * net.n - wasted
        parts.append(("flow.self", claim.money - own, claim.money, "ink-3"))
        if wasted:
            parts.append(("flow.needless", net.money, net.money + wasted, "loss"))
        parts.append(("flow.net", 0.0, net.money, VERDICTS[verdict_of(net.low, net.high)]))
    ends = [end for _, first, last, _ in parts for end in (first, last)]
    if net is not None and math.isfinite(net.low):
        ends += [net.low * net.n, net.high * net.n]
    scale = scale_of(ends, ticks=3)
    figures = x2 - 96
    at = lambda value: x + 4 + (figures - 12 - x - 4) * scale.at(value) / 100  # noqa: E731
    for code, first, last, tone in parts:
        paper.text(x, y, words(WORDS, code, lang), size=9.5, tone="ink-2")
        bar = y + 10
        amount = last - first
        paper.line(at(0.0), bar - 6, at(0.0), bar + 6, tone="ink")
        if tone == "claim":
            paper.bar(at(first), at(last), bar, 10, hatched=True)
        elif code == "flow.net" and net is not None and math.isfinite(net.low):
            paper.interval(at(net.money), at(net.low * net.n), at(net.high * net.n), bar, tone=tone)
        else:
            paper.bar(at(first), at(last), bar, 10, tone=tone)
        sign = "" if code in ("flow.claimed", "flow.net") else locale.MINUS
        told = pen.money(amount, sign=code == "flow.net").text
        paper.text(x2, y + 13, sign + told if amount >= 0 else told, size=10.5, bold=True, anchor="end")
        y += 30
    return _wasted(sheet, back, claim.arm, x, x2, y)


def _wasted(sheet: _Sheet, back: Returners | None, arm: str, x: float, x2: float, y: float) -> float:
    """The needless discount in words, with its interval and bounds."""
    lang, pen, paper = sheet.lang, sheet.pen, sheet.paper
    if back is None or not back.discount > 0 or not math.isfinite(back.needless_low):
        if back is None or not back.why_not:
            return y
        why = f"{words(WORDS, 'needless-title', lang)}: {locale.CANNOT_TELL[lang]}, {words(WHY_NOT, back.why_not, lang)}."
        return paper.paragraph(x, y + 2, why, width=x2 - x, size=8.8, tone="ink-3")
    if not said.gives_discounts(sheet.facts, arm):
        return y
    low, high = back.needless_bounds
    text = words(
        WORDS,
        "wasted",
        lang,
        needless=pen.money(back.needless_discount, back.needless_low, back.needless_high).text,
        interval=pen.between(back.needless_low, back.needless_high, back.needless_discount),
        given=str(pen.money(back.discount)),
        bounds=pen.span_of_money(max(low, 0.0), high) if math.isfinite(low) else locale.CANNOT_TELL[lang],
    )
    return paper.paragraph(x, y + 2, text, width=x2 - x, size=8.8, tone="ink-2", leading=1.3)


def _came_back(sheet: _Sheet, x: float, x2: float, y: float) -> float:
    facts, lang, paper, pen = sheet.facts, sheet.lang, sheet.paper, sheet.pen
    span = pen.span(facts.campaign.window_days)
    y = sheet.heading(x, x2, y, words(WORDS, "who", lang), words(WORDS, "who.note", lang, span=span))
    known = [row for row in facts.returners if math.isfinite(row.self_share) and row.arm in sheet.letters]
    if not known:
        reasons = [row.why_not for row in facts.returners if row.why_not]
        why = words(WHY_NOT, reasons[0], lang) if reasons else ""
        return paper.paragraph(
            x, y, f"{locale.CANNOT_TELL[lang]}: {why}", width=x2 - x, size=10, tone="ink-3"
        )
    alone = known[0].self_share
    most = max([alone, *(row.self_share + max(row.induced_high, 0.0) for row in known)])
    figures = x2 - 118
    at = lambda share: x + 22 + (figures - 10 - x - 22) * min(max(share / most, 0.0), 1.0) if most else x + 22  # noqa: E731
    sheet.tag(x, y, facts.campaign.control)
    paper.bar(at(0.0), at(alone), y - 3.5, 10, tone="ink-3")
    paper.text(figures, y, pen.share(alone), size=10.5, bold=True)
    paper.text(figures + width_of(pen.share(alone), 10.5, bold=True) + 5, y, words(WORDS, "themselves", lang), size=8.8, tone="ink-3")  # fmt: skip
    y += 26
    for row in known:
        sheet.tag(x, y, row.arm)
        end = row.self_share + row.induced_share
        paper.bar(at(0.0), at(min(alone, end)), y - 3.5, 10, tone="ink-3")
        if row.induced_share > 0:
            paper.bar(at(alone), at(end), y - 3.5, 10, tone=sheet.tones[row.arm])
        ends = [at(row.self_share + edge) for edge in (row.induced_low, row.induced_high)]
        paper.line(ends[0], y - 3.5, ends[1], y - 3.5, tone="ink", thick=1.2)
        for edge in ends:
            paper.line(edge, y - 7, edge, y, tone="ink", thick=1.2)
        told = pen.points(row.induced_share, row.induced_low, row.induced_high)
        paper.text(figures, y - 3, told.text, size=10.5, bold=True)
        paper.text(figures, y + 8, told.interval, size=8.8, tone="ink-3")
        y += 26
    return paper.paragraph(
        x, y + 2, words(WORDS, "who.says", lang), width=x2 - x, size=8.8, tone="ink-3", leading=1.3
    )


def _leaders(sheet: _Sheet, y: float) -> float:
    facts, lang, paper = sheet.facts, sheet.lang, sheet.paper
    y = sheet.heading(LEFT, RIGHT, y, words(WORDS, "leaders", lang))
    wide = (RIGHT - LEFT) / 4
    ends = [y]
    for place, number in enumerate((1, 2, 3, 4)):
        x = LEFT + place * wide
        arm = facts.best.get(f"rung{number}")
        paper.text(x, y, shortened(f"{number}  {RUNGS[number][lang]}", 9, wide - 10), size=9, tone="ink-3")
        if arm is None:
            paper.text(x, y + 17, words(WORDS, "nobody", lang), size=11, tone="ink-3")
            ends.append(y + 17)
            continue
        if arm in sheet.letters:
            sheet.tag(x, y + 17, arm)
        name = words(WORDS, "control", lang) if arm == facts.campaign.control else arm
        paper.text(x + 20, y + 17, shortened(name, 11, wide - 32, bold=True), size=11, bold=True)
        sure = number == 1 or facts.best_sure.get(f"rung{number}", False)
        code = "only-claimed" if number == 1 else "for-sure" if sure else "not-sure"
        paper.text(
            x + 20, y + 30, shortened(words(WORDS, code, lang), 8.8, wide - 26), size=8.8, tone="ink-3"
        )
        ends.append(y + 30)
    return max(ends) + 20


def _next(sheet: _Sheet, y: float) -> float:
    facts, lang, paper = sheet.facts, sheet.lang, sheet.paper
    steps = said.next_steps(facts, lang)
    if not steps:
        return y
    y = sheet.heading(LEFT, RIGHT, y, words(WORDS, "next", lang))
    for number, (heading, why) in enumerate(steps, start=1):
        paper.text(LEFT, y + 1, str(number), size=14, serif=True, tone="ink-2")
        y = paper.paragraph(
            LEFT + 22, y, sheet.named(heading), width=RIGHT - LEFT - 22, size=10.5, bold=True, most=2
        )
        y = (
            paper.paragraph(
                LEFT + 22, y, sheet.named(why), width=RIGHT - LEFT - 22, size=9.8, tone="ink-2", most=4
            )
            + 5
        )
    return y + 6


def _foot(sheet: _Sheet, ladder: Ladder, y: float) -> float:
    """What must be known beside, and the level of all intervals."""
    facts, lang, paper = sheet.facts, sheet.lang, sheet.paper
    level = locale.percent(facts.campaign.level, lang)
    remarks = sheet.named(" ".join([*ladder.remarks(lang), words(WORDS, "levels", lang, level=level)]))
    paper.line(LEFT, y - 8, RIGHT, y - 8, tone="rule")
    return (
        paper.paragraph(LEFT, y + 6, remarks, width=RIGHT - LEFT, size=8.5, tone="ink-3", leading=1.3, most=7)
        + 24
    )
