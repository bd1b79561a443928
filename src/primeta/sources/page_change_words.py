"""A change of a page in plain words: a title that says it in short, and the whole of it line by line."""

from __future__ import annotations

from primeta.show import locale
from primeta.sources.page_change import Change, Piece, PriceMove
from primeta.sources.page_prices import Price, Tag, shown

MOST = 200
"""Entries of each sort that are told one by one."""
_LONGEST = 600
_TITLE = 160

WORDS: dict[str, dict[str, str]] = {
    "price": {"en": "price {was} → {now}", "ru": "цена {was} → {now}"},
    "price-new": {"en": "has a price now: {now}", "ru": "появилась цена {now}"},
    "price-gone": {"en": "shows no price any more (it was {was})", "ru": "цены больше нет (была {was})"},
    "struck": {"en": "struck price {was} → {now}", "ru": "зачёркнутая цена {was} → {now}"},
    "struck-new": {"en": "now shows a struck price: {now}", "ru": "появилась зачёркнутая цена {now}"},
    "struck-gone": {"en": "the struck price {was} is gone", "ru": "зачёркнутой цены {was} больше нет"},
    "depth": {"en": "discount {was} → {now}", "ru": "скидка {was} → {now}"},
    "depth-new": {"en": "there is a discount now: {now}", "ru": "появилась скидка {now}"},
    "depth-gone": {"en": "there is no discount any more (it was {was})", "ru": "скидки больше нет (была {was})"},
    "percent": {"en": "percent {was} → {now}", "ru": "проценты: {was} → {now}"},
    "percent-new": {"en": "now says {now}", "ru": "появилось «{now}»"},
    "percent-gone": {"en": "no longer says {was}", "ru": "больше не указано «{was}»"},
    "prices": {"en": "Prices", "ru": "Цены"},
    "lines": {"en": "Changed", "ru": "Изменено"},
    "added": {"en": "Added", "ru": "Добавлено"},
    "removed": {"en": "Removed", "ru": "Убрано"},
    "was": {"en": "was", "ru": "было"},
    "now": {"en": "now", "ru": "стало"},
    "more": {"en": "and {n} more", "ru": "и ещё {n}"},
    "rewritten": {"en": "The page was written anew.", "ru": "Страница написана заново."},
    "page": {"en": "The page changed", "ru": "Страница изменилась"},
}  # fmt: skip
_QUOTES = {"en": ("“", "”"), "ru": ("«", "»")}


def title_of(change: Change, *, page: str, lang: str) -> str:
    """In one line: the page, and the change itself where it is one, else how many there are of each."""
    only = len(change.prices) + len(change.lines) + len(change.added) + len(change.removed) == 1
    if change.rewritten:
        said = WORDS["rewritten"][lang].rstrip(".")
    elif only and change.prices:
        said = _of_price(change.prices[0], lang)
    elif only:
        said = _one(change, lang)
    else:
        said = _counts(change, lang)
    said = _cut(said, _TITLE)
    name = _cut(" ".join(page.split()), 80)
    if not name:
        return f"{WORDS['page'][lang]}: {_lower(said)}" if not only else said
    return f"{name}: {said if only and change.prices else _lower(said)}"


def telling(change: Change, *, lang: str) -> str:
    """The whole change, one line each: prices, changed lines, what was added, what was removed."""
    lines: list[str] = []
    if change.rewritten:
        lines.append(WORDS["rewritten"][lang])
    if change.prices:
        lines.append(f"{WORDS['prices'][lang]}:")
        lines += _all([_of_price(move, lang) for move in change.prices], lang)
    if change.lines:
        lines.append(f"{WORDS['lines'][lang]}:")
        lines += _all(
            [
                f"{_place(move.where, lang)}{WORDS['was'][lang]} {_quoted(move.was, lang)}, {WORDS['now'][lang]} "
                f"{_quoted(move.now, lang)}"
                for move in change.lines
            ],
            lang,
        )
    for name, pieces in (("added", change.added), ("removed", change.removed)):
        if pieces:
            lines.append(f"{WORDS[name][lang]}:")
            lines += _all([f"{_place(piece.where, lang)}{_of_piece(piece)}" for piece in pieces], lang)
    return "\n".join(lines)


def _of_price(move: PriceMove, lang: str) -> str:
    parts: list[str] = []
    if said := _moved("price", move.was.prices, move.now.prices, lang, grown=True):
        parts.append(said)
    if said := _moved("struck", move.was.struck, move.now.struck, lang, grown=False):
        parts.append(said)
    was, now = _depth(move.was, lang), _depth(move.now, lang)
    if was != now:
        parts.append(_either("depth", was, now, lang))
    if move.was.percents != move.now.percents and sorted(move.was.percents) != sorted(move.now.percents):
        # A badge that says the discount's depth has been told.
        gone = [each for each in move.was.percents if each.lstrip("−+") != was]
        came = [each for each in move.now.percents if each.lstrip("−+") != now]
        if gone != came:
            parts.append(_either("percent", ", ".join(gone), ", ".join(came), lang))
    name = _quoted(move.name, lang) if move.name else ""
    return f"{name}: {', '.join(parts)}" if name else ", ".join(parts)


def _moved(name: str, was: tuple[Price, ...], now: tuple[Price, ...], lang: str, *, grown: bool) -> str:
    if sorted(price.value for price in was) == sorted(price.value for price in now):
        return ""
    before, after = ", ".join(price.written for price in was), ", ".join(price.written for price in now)
    said = _either(name, before, after, lang)
    if grown and len(was) == len(now) == 1 and was[0].value > 0:
        share = 100 * (now[0].value / was[0].value - 1)
        if abs(share) < 1000:
            digits = 0 if abs(share) >= 1 else 1
            said += f" ({locale.percent(share / 100, lang, digits=digits, sign=True)})"
    return said


def _either(name: str, was: str, now: str, lang: str) -> str:
    key = name if was and now else f"{name}-new" if now else f"{name}-gone"
    return WORDS[key][lang].format(was=was, now=now)


def _depth(tag: Tag, lang: str) -> str:
    return "" if tag.depth is None else locale.percent(tag.depth / 100, lang, digits=0)


def _of_piece(piece: Piece) -> str:
    return _cut(" · ".join(shown(line) for line in piece.lines), _LONGEST)


def _one(change: Change, lang: str) -> str:
    if change.lines:
        move = change.lines[0]
        return f"{WORDS['was'][lang]} {_quoted(_cut(move.was, 60), lang)}, {WORDS['now'][lang]} {_quoted(_cut(move.now, 60), lang)}"
    if change.added:
        return f"{WORDS['added'][lang]}: {_of_piece(change.added[0])}"
    return f"{WORDS['removed'][lang]}: {_of_piece(change.removed[0])}"


def _counts(change: Change, lang: str) -> str:
    counts = (
        ("prices", change.prices),
        ("lines", change.lines),
        ("added", change.added),
        ("removed", change.removed),
    )
    said = [f"{WORDS[name][lang].lower()}: {len(entries)}" for name, entries in counts if entries]
    return ", ".join(said)


def _all(entries: list[str], lang: str) -> list[str]:
    said = [f"– {entry}" for entry in entries[:MOST]]
    if len(entries) > MOST:
        said.append(f"– {WORDS['more'][lang].format(n=locale.number(len(entries) - MOST, lang, digits=0))}")
    return said


def _place(where: str, lang: str) -> str:
    return f"{_quoted(_cut(where, 80), lang)}: " if where else ""


def _quoted(text: str, lang: str) -> str:
    opening, closing = _QUOTES[lang]
    return f"{opening}{_cut(shown(text), _LONGEST)}{closing}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
