"""The dossier as a page: it stands alone, loads nothing and prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from primeta.attention.answer_words import WORDS as ANSWERS
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.workspace.dossier_words import WORDS, history_lines, rules_lines, tell
from primeta.workspace.rights_words import name_of

if TYPE_CHECKING:
    from primeta.workspace.dossier import Dossier, Row

_STYLE = """
:root{--ink:#161d24;--soft:#606b75;--line:#dcdfdc;--paper:#fdfdfc}
*{box-sizing:border-box}
body{font:16px/1.55 "Segoe UI",system-ui,-apple-system,sans-serif;color:var(--ink);background:var(--paper);
max-width:52rem;margin:2.5rem auto;padding:0 1.25rem}
h1{font:400 2rem/1.15 Georgia,"PT Serif",serif;margin:0 0 .5rem}
h2{font-size:1.1rem;font-weight:650;border-top:2px solid var(--ink);padding-top:.6rem;margin:2.75rem 0 .75rem}
p{margin:.5rem 0;max-width:42rem}.soft{color:var(--soft)}
nav{border-top:1px solid var(--line);border-bottom:1px solid var(--line);padding:.6rem 0;margin:1.5rem 0;columns:2}
nav a{display:block;color:inherit;padding:.15rem 0;break-inside:avoid}nav b{font-weight:400;color:var(--soft)}
table{border-collapse:collapse;width:100%;font-size:.875rem;table-layout:auto}
th{text-align:left;font-weight:400;color:var(--soft);border-bottom:1px solid var(--ink);white-space:nowrap}
td,th{padding:.4rem .9rem .4rem 0;vertical-align:top}td{overflow-wrap:break-word}
td:first-child{white-space:nowrap;overflow-wrap:normal}
tr{border-bottom:1px solid var(--line);break-inside:avoid}td{white-space:pre-line}
.num{text-align:right;white-space:nowrap}ul{padding-left:1.2rem;max-width:42rem}li{margin:.3rem 0}
.wide{overflow-x:auto}
@media(max-width:40rem){nav{columns:1}body{margin:1.5rem auto}table{font-size:.8125rem}.wide table.t{min-width:38rem}
#profile .wide table.t,#promises .wide table.t,#handed .wide table.t{min-width:0}}
@media(prefers-color-scheme:dark){@media screen{:root{--ink:#e8eaea;--soft:#9aa4ab;--line:#333b42;--paper:#15191d}}}
@page{size:A4;margin:18mm 16mm}
@media print{body{max-width:none;margin:0;padding:0;font-size:10pt;background:none}nav{display:none}
h2{break-after:avoid}.wide{overflow:visible}table{font-size:8.5pt}thead{display:table-header-group}}
"""


def page(told: Dossier, lang: str) -> str:
    """HTML of the whole document."""
    sections = [(code, title, body) for code, title, body in _sections(told, lang) if body]
    controller = told.controller or told.workspace
    at = locale.moment(told.made_at, lang, told.zone)
    body = [f"<h1>{escape(tell(lang, 'title'))}</h1>"]
    body.append(f'<p class="soft">{escape(tell(lang, "head", at=at, controller=controller))}</p>')
    for one in told.erasures:
        when = locale.day(one.at.astimezone(told.zone).date(), lang) if one.at else ""
        body.append(f"<p>{escape(tell(lang, 'erased', at=when, receipt=one.number))}</p>")
    if not told.known:
        if not told.erasures:
            body.append(f"<p>{escape(tell(lang, 'nothing'))}</p>")
        body += [f"<p>{escape(tell(lang, 'not-read', table=name))}</p>" for name, _ in told.not_read]
        return _whole(lang, body)
    links = "".join(f'<a href="#{code}">{escape(title)}</a>' for code, title, _ in sections)
    body.append(f'<nav aria-label="{escape(tell(lang, "contents"))}">{links}</nav>')
    for code, title, content in sections:
        body.append(f'<section id="{code}"><h2>{escape(title)}</h2>{content}</section>')
    return _whole(lang, body)


def _whole(lang: str, body: Sequence[str]) -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(tell(lang, 'title'))}</title><style>{_STYLE}</style></head><body><main>"
        + "".join(body)
        + "</main></body></html>\n"
    )


def _sections(told: Dossier, lang: str) -> Iterable[tuple[str, str, str]]:
    def titled(code: str, body: str) -> tuple[str, str, str]:
        return code, tell(lang, code), body

    yield titled("why", _text(lang, "why.text") + _list(rules_lines(told, lang)))
    yield titled("profile", _profile(told, lang))
    yield titled("consents", _consents(told, lang))
    yield titled("preferences", _preferences(told, lang))
    yield titled("promises", _promises(told, lang))
    yield titled("messages", _messages(told, lang))
    credit = "".join(f"<p>{escape(' '.join(history_lines(one, told, lang)))}</p>" for one in told.history)
    yield titled("credit", credit)
    yield titled("decisions", _decisions(told, lang))
    yield titled("wishes", _wishes(told, lang))
    yield titled("said", _said(told, lang))
    for name in ("orders", "order_lines", "visits", "identities"):
        yield titled(name, _rows(told, told.tables.get(name, ()), lang))
    drawn = [*told.tables.get("assignments", ()), *told.experiments]
    yield titled("experiments", _experiments(told, drawn, lang))
    yield titled(
        "reserved",
        _rows(told, told.reserved, lang, leave=("by", "policy", "probability", "made_at", "expires_at")),
    )
    yield titled("reviewers", _rows(told, told.marks, lang))
    yield titled("handed", _handed(told, lang))
    yield titled("elsewhere", _text(lang, "elsewhere.text") + "".join(
        f"<p>{escape(tell(lang, 'not-read', table=name_of(lang, name)))}</p>" for name, _ in told.not_read
    ))  # fmt: skip
    yield titled("rights", _text(lang, "rights.text"))


def _text(lang: str, code: str) -> str:
    return f"<p>{escape(tell(lang, code))}</p>"


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    kept = tuple(tuple(row) for row in rows)
    if not kept:
        return ""
    return (
        '<div class="wide">' + Table(heads=tuple(Head(head) for head in heads), rows=kept).html() + "</div>"
    )


def _shown(value: Any, told: Dossier, lang: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return locale.moment(value, lang, told.zone)
    if isinstance(value, date):
        return locale.day(value, lang)
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "ru": ("нет", "да")}["ru" if lang == "ru" else "en"][value]
    if isinstance(value, float):
        return locale.number(value, lang, digits=0 if value.is_integer() else 2)
    if isinstance(value, list | tuple):
        return ", ".join(_shown(entry, told, lang) for entry in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(entry, told, lang)}" for name, entry in value.items())
    return str(value)


def _rows(told: Dossier, rows: Sequence[Row], lang: str, *, leave: Sequence[str] = ()) -> str:
    """Rows as they are; columns that carry nothing are left out."""
    names = [
        name
        for name in (rows[0] if rows else {})
        if name not in ("customer_id", *leave) and any(row.get(name) not in (None, "") for row in rows)
    ]
    heads = [_column(name, lang) for name in names]
    return _table(heads, ([_shown(row.get(name), told, lang) for name in names] for row in rows))


def _column(name: str, lang: str) -> str:
    """What a column is called; one of the team's own keeps its name."""
    return tell(lang, f"column.{name}") if f"column.{name}" in WORDS else name


def _profile(told: Dossier, lang: str) -> str:
    rows = [(tell(lang, "id"), told.customer_id)]
    for row in told.tables.get("customers", ()):
        rows += [
            (_column(name, lang), _shown(value, told, lang))
            for name, value in row.items()
            if name != "customer_id" and value not in (None, "")
        ]
    return _table((tell(lang, "name"), tell(lang, "value")), rows)


def _consents(told: Dossier, lang: str) -> str:
    heads = [tell(lang, code) for code in ("when", "what", "channel", "state", "shown")]
    # Texts are kept once, as notices; consents carry their hash.
    shown = {
        entry.payload.get("text_hash"): entry.payload.get("text")
        for entry in told.of_kind("notice", "consent")
    }
    rows: list[Sequence[str]] = []
    for entry in told.of_kind("consent", "suppressed"):
        paid = entry.payload
        state = str(paid.get("state", "withdrawn"))
        text = str(paid.get("text") or shown.get(paid.get("text_hash")) or "")
        where = str(paid.get("surface") or "")
        rows.append(
            (
                locale.moment(entry.happened_at, lang, told.zone),
                tell(lang, f"processing.{paid.get('processing', 'marketing')}"),
                str(paid.get("channel") or "") or tell(lang, "all-channels"),
                tell(lang, "refused-consent" if state == "refused" else state),
                "\n".join(part for part in (text, where) if part),
            )
        )
    if not rows:
        # Consents that were not taken over into the ledger yet.
        return _rows(told, told.tables.get("consents", ()), lang)
    return _table(heads, rows)


def _preferences(told: Dossier, lang: str) -> str:
    rows = [
        (locale.moment(entry.happened_at, lang, told.zone), _setting(name, lang), _shown(value, told, lang))
        for entry in told.of_kind("preference")
        for name, value in entry.payload.items()
        if name not in ("text", "text_hash", "version")
    ]
    return _table((tell(lang, "when"), tell(lang, "name"), tell(lang, "value")), rows)


def _setting(name: str, lang: str) -> str:
    code = f"setting.{name}"
    return tell(lang, code) if code in WORDS else name


def _promises(told: Dossier, lang: str) -> str:
    rows: list[Sequence[str]] = []
    for promise in told.promises:
        times = sum(
            row["promise"] == promise.name and row["version"] == promise.version for row in told.broken
        )
        if times:
            kept = tell(lang, "broken", times=locale.number(times, lang))
        else:
            kept = tell(lang, "not-broken" if promise.checkable else "unverifiable")
        rows.append((promise.text or promise.name, promise.channel or tell(lang, "all-channels"), kept))
    return _table((tell(lang, "promises"), tell(lang, "channel"), tell(lang, "kept")), rows)


def _messages(told: Dossier, lang: str) -> str:
    rows: list[Sequence[str]] = []
    for message in reversed(told.messages()):
        if message.get("withheld"):
            continue
        text = "\n".join(str(message[name]) for name in ("title", "text") if message.get(name))
        name = str(message.get("campaign") or message.get("programme") or "")
        came: list[str] = []
        for sign in message["reactions"]:
            said = tell(lang, sign["kind"])
            came.append(tell(lang, "program", kind=said) if sign["machine"] else said)
        came += [tell(lang, "broke", promise=promise) for promise in message["broke"]]
        sent = message.get("sent_at")
        rows.append(
            (
                _shown(sent, told, lang),
                str(message.get("channel") or ""),
                "\n".join(part for part in (_purpose(message, lang), name) if part),
                text or tell(lang, "no-text"),
                "\n".join(dict.fromkeys(came)),
            )
        )
    return _table([tell(lang, code) for code in ("when", "channel", "what", "text", "came")], rows)


def _purpose(message: Row, lang: str) -> str:
    code = f"purpose.{message.get('purpose') or ''}"
    return tell(lang, code) if code in WORDS else ""


def _decisions(told: Dossier, lang: str) -> str:
    rows: list[Sequence[str]] = []
    for entry in reversed(told.of_kind("decision")):
        paid = entry.payload
        rule = str(paid.get("rule"))
        words = ANSWERS.get(f"rule.{rule}", WORDS.get(f"rule.{rule}", {"en": rule, "ru": rule}))
        reason = words["ru" if lang == "ru" else "en"]
        if paid.get("promise"):
            reason += f" ({paid['promise']})"
        rows.append(
            (
                locale.moment(entry.happened_at, lang, told.zone),
                str(paid.get("channel") or ""),
                _purpose(dict(paid), lang),
                tell(lang, "allowed" if paid.get("allowed") else "refused"),
                reason,
            )
        )
    return _table([tell(lang, code) for code in ("when", "channel", "what", "answer", "rule")], rows)


def _wishes(told: Dossier, lang: str) -> str:
    rows = [
        (
            locale.moment(entry.happened_at, lang, told.zone),
            str(entry.payload.get("sentence") or entry.payload.get("note") or ""),
            str(entry.payload.get("means") or entry.payload.get("verdict") or ""),
        )
        for entry in told.of_kind("wish", "wish-confirmed")
    ]
    return _table([tell(lang, code) for code in ("when", "text", "what")], rows)


def _said(told: Dossier, lang: str) -> str:
    rows: list[tuple[Any, Sequence[str]]] = []
    seen: set[str] = set()
    for row in (*told.said, *told.tables.get("voices", ())):
        text = str(row.get("text") or "")
        if text in seen:
            continue
        seen.add(text)
        title = str(row.get("title") or "")
        cells = (
            _shown(row.get("said_at"), told, lang),
            str(row.get("kind") or row.get("source") or ""),
            "\n".join(part for part in (title if title not in text else "", text) if part),
        )
        rows.append((row.get("said_at"), cells))
    rows.sort(key=lambda pair: pair[0])
    return _table([tell(lang, code) for code in ("when", "channel", "text")], [cells for _, cells in rows])


def _experiments(told: Dossier, drawn: Sequence[Row], lang: str) -> str:
    rows = [
        (
            str(row.get("experiment", "")),
            str(row.get("arm", "")),
            _shown(row.get("assigned_at") or row.get("since") or row.get("entered"), told, lang),
        )
        for row in drawn
    ]
    return _table([tell(lang, code) for code in ("name", "arm", "when")], rows)


def _handed(told: Dossier, lang: str) -> str:
    rows = [
        (
            locale.moment(entry.happened_at, lang, told.zone),
            entry.by,
            str(entry.payload.get("request") or ""),
        )
        for entry in told.of_kind("access")
    ]
    return _table([tell(lang, code) for code in ("when", "by", "request")], rows)
