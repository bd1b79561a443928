"""Consents: how far they reach, the proofs of one customer, wishes that wait for a person, whether the chain is whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.attention.consent_counts import REACHES
from primeta.attention.coverage_words import BASES, KINDS, PROCESSINGS, WORDS
from primeta.attention.ledger_words import tell
from primeta.attention.preferences import FIELDS as PREFERENCES
from primeta.attention.proof import Proof
from primeta.errors import BadInput, Conflict, NotAllowed, NotFound
from primeta.show.locale import Language
from primeta.show.result import plain
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of, text_of
from primeta.web.reader import Reader
from primeta.workspace.attention_coverage import CHECKED, CONSENTS, Coverage, ask_for
from primeta.workspace.attention_customer_words import preference_text
from primeta.workspace.attention_customer_words import tell as customer_words
from primeta.workspace.attention_proofs import customer_proofs, entry_proof, whole_proof
from primeta.workspace.attention_wish_desk import SettledWish, wish_desk
from primeta.workspace.attention_wishes import WishView, settle_wish, waiting_wishes

router = APIRouter()
HERE = "/attention/consents"
WISHES = 50
TEXTS = 12
MONTHS = 24
BY_CHANNELS = ("stop-channel", "only-channels")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """One channel: of how many customers what is known."""

    channel: str
    parts: tuple[tuple[str, str, int, float], ...]
    """(code, words, customers, share)."""
    bar: Markup


@router.get(HERE)
def consents(request: Request) -> Response:
    return _show(request, Form(values={"by": person_of(request)}))


def _show(request: Request, form: Form, *, wish: str = "", status: int = 200) -> Response:
    """Args:
    wish: Key of the wish whose form was sent.
    """
    site, reader = site_of(request), reader_of(request)
    ws = site.workspace
    found = ws.coverage()
    told = found.counted.document if found.counted else None
    desk = wish_desk(ws, now=site.now(), most=WISHES)
    lang = _lang(reader)
    return page(
        request,
        "attention_consents.html",
        reader,
        status=status,
        place="/attention",
        found=found,
        told=told,
        title=_title(reader, found),
        channels=_channels(reader, told) if told else [],
        reaches=[(code, WORDS[code][lang]) for code in REACHES],
        texts=told["texts"][:TEXTS] if told else [],
        more_texts=max(len(told["texts"]) - TEXTS, 0) if told else 0,
        months=list(reversed(told["months"]))[:MONTHS] if told else [],
        problems=_problems(reader, told) if told else [],
        wishes=[(wish_, _meant(reader, wish_)) for wish_ in desk.waiting],
        waiting=desk.total,
        settled=[(one, _meant(reader, one.wish), _verdict(reader, one)) for one in desk.settled],
        by_channels=BY_CHANNELS,
        plain_form=_plain_form,
        form=form,
        wish=wish,
    )


def _plain_form(wish: WishView) -> Form:
    """What was understood, to be corrected."""
    often = "" if wish.max_per_week is None else str(wish.max_per_week)
    return Form(values={"max_per_week": often, "channels": ", ".join(wish.channels)})


def _lang(reader: Reader) -> Any:
    return "ru" if reader.lang == "ru" else "en"


def _title(reader: Reader, found: Coverage) -> str:
    if found.checked is not None and not found.checked.document["ok"]:
        return str(reader._("The chain of the ledger is broken"))
    if found.counted is None or not found.counted.document["channels"]:
        return str(reader._("Who agreed to what, and how we know"))
    told = found.counted.document
    best = max(told["channels"], key=lambda row: row["proven"] + row["accepted"])
    share = (best["proven"] + best["accepted"]) / told["customers"] if told["customers"] else float("nan")
    return str(
        reader._(
            "{share} of customers may be written to by {channel}, more than on any other channel",
            share=reader.percent(share, 0),
            channel=best["channel"],
        )
        if len(told["channels"]) > 1
        else reader._(
            "{share} of customers may be written to by {channel}",
            share=reader.percent(share, 0),
            channel=best["channel"],
        )
    )


def _channels(reader: Reader, told: Any) -> list[ChannelRow]:
    lang, total = _lang(reader), max(told["customers"], 1)
    rows: list[ChannelRow] = []
    for row in sorted(told["channels"], key=lambda row: -(row["proven"] + row["accepted"])):
        parts = tuple((code, WORDS[code][lang], row[code], row[code] / total) for code in REACHES)
        rows.append(ChannelRow(channel=row["channel"], parts=parts, bar=_bar(parts)))
    return rows


def _bar(parts: tuple[tuple[str, str, int, float], ...]) -> Markup:
    """The customers of a channel side by side; the figures stand in the table."""
    drawn, at = [], 0.0
    for code, _words, _customers, share in parts:
        drawn.append(f'<rect class="{code}" x="{at * 100:.2f}%" width="{share * 100:.2f}%" height="100%"/>')
        at += share
    return Markup(f'<svg class="reach" width="100%" height="14" aria-hidden="true">{"".join(drawn)}</svg>')


def _problems(reader: Reader, told: Any) -> list[tuple[str, int, str]]:
    """(what, customers, what Primeta does) of what a person should look at."""
    _ = reader._
    rows = [
        (
            _("written to in the last 35 days, though no consent with proof was ever given"),
            told["written_without"],
            _("marketing is refused by may-send; look which sender does not ask"),
        ),
        (
            _("written to after they had taken their consent back"),
            told["written_after"],
            _("look which sender does not ask"),
        ),
        (
            _("consent and opt-out told for the same moment"),
            told["same_moment"],
            _("the opt-out holds"),
        ),
        (
            _("a later consent claimed, without proof, after an opt-out"),
            told["claimed_after"],
            _("the opt-out holds until a proof comes"),
        ),
        (_("consent dated later than today"), told["to_come"], _("not in force until then")),
    ]
    return [(str(what), customers, str(does)) for what, customers, does in rows if customers]


def _meant(reader: Reader, wish: WishView) -> str:
    return wish.words(_lang(reader))


def _verdict(reader: Reader, one: SettledWish) -> str:
    return str(reader._("confirmed") if one.verdict == "confirmed" else reader._("released"))


# Jobs


@router.post(HERE + "/count")
def count(request: Request, sent: Sent) -> Response:
    return _job(request, CONSENTS, "attention-consents")


@router.post(HERE + "/verify")
def check(request: Request, sent: Sent) -> Response:
    return _job(request, CHECKED, "attention-verify")


def _job(request: Request, name: str, kind: str) -> Response:
    site = site_of(request)
    ask_for(site.workspace, name, now=site.now(), by=person_of(request) or "page")
    job = site.workspace.start_job(kind, now=site.now())
    return done(f"/jobs/{job.id}?back={quote(HERE, safe='')}")


# Wishes


@router.post(HERE + "/wishes")
def word_on(request: Request, sent: Sent) -> Response:
    """A person's word on one wish."""
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, ("wish", "verdict", "by", "max_per_week", "channels", "note"))
    form.require({"by": str(reader._("Say who you are."))})
    form.one_of("verdict", ("confirmed", "released"), str(reader._("Is it meant or not?")))
    key, often = form.values["wish"], form.values["max_per_week"]
    if often and not (often.isdigit() and int(often) <= 100):
        form.errors["max_per_week"] = str(reader._("A whole number from 0 to {n}.", n=100))
    if not form.ok:
        return _show(request, form, wish=key, status=400)
    confirmed = form.values["verdict"] == "confirmed"
    names = tuple(name.lower() for name in re.split(r"[,;\s]+", form.values["channels"]) if name)
    wanted = next((one for one in waiting_wishes(site.workspace, now=site.now()) if one.key == key), None)
    corrected = names if wanted is None or set(names) != set(wanted.channels) else ()
    try:
        settle_wish(
            site.workspace,
            key,
            verdict=form.values["verdict"],
            by=form.values["by"],
            now=site.now(),
            max_per_week=int(often) if often and confirmed else None,
            channels=corrected if confirmed else (),
            note=form.values["note"],
        )
    except Conflict as error:
        form.problem = str(reader._("Somebody confirmed this wish already"))
        form.detail = (
            str(reader._("Only a consent that the customer gives himself undoes that.")) + f" ({error})"
        )
        return _show(request, form, wish=key, status=409)
    except (BadInput, NotFound) as error:
        if confirmed and wanted is not None and wanted.means == "less-often" and not often:
            form.errors["max_per_week"] = str(reader._("How many messages a week did he mean?"))
        else:
            form.problem, form.detail = str(reader._("This was not saved")), str(error)
        return _show(request, form, wish=key, status=400)
    return done(f"{HERE}#wishes", "done.wish", person=form.values["by"])


# Proofs


@router.post(HERE + "/search")
def search(request: Request, sent: Sent) -> Response:
    """An id travels in the form and never in an address."""
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, ("customer", "by"))
    said = form.values["customer"]
    form.values["customer"] = ""
    if not said:
        form.errors["customer"] = str(reader._("Whom is it about? His pseudonym or his id."))
        return _show(request, form, status=400)
    found = customer_proofs(site.workspace, said, now=site.now())
    if not found.known:
        form.errors["customer"] = str(reader._("The ledger holds nothing of this customer."))
        return _show(request, form, status=404)
    return done(f"{HERE}/of/{found.customer}")


@router.get(HERE + "/of/{pseudonym}")
def of_customer(request: Request, pseudonym: str) -> Response:
    """All that one customer said, with its proofs."""
    site, reader = site_of(request), reader_of(request)
    found = customer_proofs(site.workspace, pseudonym, now=site.now())
    if not found.known or found.customer != pseudonym:
        raise NotFound(f"there is no customer {pseudonym}")
    lang = _lang(reader)
    return page(
        request,
        "attention_proofs.html",
        reader,
        place="/attention",
        found=found,
        title=_standing(reader, found.standings),
        standings=[
            (channel or str(reader._("any other channel")), _state(reader, standing))
            for channel, standing in found.standings.items()
        ],
        proofs=[(proof, _kind(proof, lang), _of(reader, proof)) for proof in found.proofs],
        settings=lambda proof: _settings(proof, lang),
    )


def _standing(reader: Reader, standings: Any) -> str:
    given = [channel for channel, standing in standings.items() if standing.given]
    if not given:
        return str(reader._("Nothing may be sold to this customer"))
    if "" in given and len(given) == len(standings):
        return str(reader._("This customer agreed to marketing on every channel"))
    named = reader.listed([channel for channel in given if channel])
    if not named:
        return str(reader._("This customer agreed to marketing, but not on every channel"))
    return str(reader._("This customer agreed to marketing by {channels}", channels=named))


def _state(reader: Reader, standing: Any) -> str:
    if standing.given:
        return str(reader._("may be written to"))
    if standing.state in ("withdrawn", "refused"):
        return str(reader._("taken back or refused"))
    return str(reader._("claimed without proof") if standing.claimed else reader._("never given"))


def _kind(proof: Proof, lang: Any) -> str:
    return KINDS.get(proof.kind, {}).get(lang, proof.kind)


def _of(reader: Reader, proof: Proof) -> str:
    """`marketing, push`."""
    lang = _lang(reader)
    if proof.means:
        if proof.means == "less-often" and proof.max_per_week is not None:
            return tell(lang, "less-often-n", n=proof.max_per_week)
        return tell(lang, proof.means, channels=", ".join(proof.channels) or "—")
    if not proof.processing and proof.kind not in ("unsubscribed", "complained"):
        return ""
    of = PROCESSINGS.get(proof.processing or "marketing", {}).get(lang, proof.processing)
    everywhere = reader._("every channel")
    return f"{of}, {proof.channel or everywhere}"


def _settings(proof: Proof, lang: Language) -> list[tuple[str, str]]:
    """What he set, in words; what he took back is said too."""
    if proof.kind != "preference" or proof.said is None:
        return []
    return [
        (
            customer_words(lang, f"preference.{name}"),
            customer_words(lang, "preference.none")
            if proof.said[name] is None
            else preference_text(lang, name, proof.said[name]),
        )
        for name in PREFERENCES
        if name in proof.said
    ]


@router.get(HERE + "/{entry:int}/proof")
def proof_page(request: Request, entry: int) -> Response:
    """One entry for a court or a regulator, to be printed; `?format=json` downloads it."""
    site = site_of(request)
    proof = entry_proof(site.workspace, entry, now=site.now())
    if request.query_params.get("format") == "json":
        return _download(f"proof-{entry}.json", proof.as_dict())
    return _proof(request, proof, Form())


@router.post(HERE + "/{entry:int}/proof")
def proof_whole(request: Request, entry: int, sent: Sent) -> Response:
    """The same with id, salt and payload, for whoever knows the id already."""
    site, reader = site_of(request), reader_of(request)
    try:
        whole = whole_proof(site.workspace, entry, text_of(sent, "customer"), now=site.now())
    except NotAllowed:
        form = Form(errors={"customer": str(reader._("This entry is not about a customer with this id."))})
        return _proof(request, entry_proof(site.workspace, entry, now=site.now()), form, status=403)
    return _download(f"proof-{entry}-whole.json", whole)


def _proof(request: Request, proof: Proof, form: Form, *, status: int = 200) -> Response:
    site, reader = site_of(request), reader_of(request)
    lang = _lang(reader)
    return page(
        request,
        "attention_proof.html",
        reader,
        status=status,
        place="/attention",
        proof=proof,
        kind=_kind(proof, lang),
        about=_of(reader, proof),
        settings=_settings(proof, lang),
        basis=BASES.get(proof.legal_basis, {}).get(lang, proof.legal_basis),
        printed=site.now(),
        precise=_precise,
        form=form,
        controller=proof.controller or site.workspace.config.attention.controller,
    )


def _precise(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _download(name: str, document: Any) -> Response:
    text = json.dumps(plain(document), ensure_ascii=False, indent=2)
    return Response(
        text + "\n",
        media_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
