"""Rules of sending, wishes and consents over HTTP: the documents of `--json`."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from primeta.web.api import answer, only_json
from primeta.web.page import site_of
from primeta.workspace import attention_policy as verbs
from primeta.workspace.attention_proofs import entry_proof
from primeta.workspace.attention_wishes import Wishes, settle_wish, waiting_wishes

router = APIRouter(prefix="/api/v1/attention")


class PolicyAct(BaseModel):
    """What is done with the rules; `by` is a person's name."""

    act: Literal["draft", "replay", "switch-on", "switch-back", "drop"]
    by: str
    policy: dict[str, Any] = Field(default_factory=dict, description="Of `draft`: keys of `[attention]`")
    number: int = Field(0, description="Of `switch-on` and `drop`: the draft as it was read")
    version: int = Field(0, description="Of `switch-back`: the earlier version")
    read: int | None = Field(
        None, description="Of `draft` the newest save that was seen, of `switch-back` the version in force"
    )
    without_replay: str = Field("", description="Of `switch-on`: why, where the draft was not replayed")


class WishWord(BaseModel):
    """A person's word on a wish."""

    wish: str = Field(description="Its key")
    verdict: Literal["confirmed", "released"]
    by: str
    max_per_week: int | None = None
    channels: list[str] = Field(default_factory=list, description="Those meant, where understood otherwise")
    note: str = ""


class Asked(BaseModel):
    """A customer by his pseudonym or id: it travels in the body and never in an address."""

    customer: str


@router.get("/policy", summary="The rules of sending: in force, earlier versions, the draft and its replay")
def policy(request: Request) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.policy_book(now=site.now()).as_dict())


@router.post(
    "/policy",
    summary="Save a draft, ask for its replay, switch it on, switch an earlier version on, drop the draft",
    dependencies=[Depends(only_json)],
)
def act(request: Request, given: PolicyAct) -> JSONResponse:
    site = site_of(request)
    ws, now = site.workspace, site.now()
    if given.act == "draft":
        ws.save_policy_draft(given.policy, by=given.by, now=now, read=given.read)
    elif given.act == "replay":
        verbs.ask_draft_replay(ws, by=given.by, now=now)
        ws.start_job("attention-draft", now=now)
    elif given.act == "switch-on":
        ws.switch_policy(given.number, by=given.by, now=now, without_replay=given.without_replay)
    elif given.act == "switch-back":
        in_force = ws.policy_book(now=now).in_force.policy.version
        read = in_force if given.read is None else given.read
        verbs.switch_back(ws, given.version, read=read, by=given.by, now=now)
    else:
        verbs.drop_draft(ws, given.number, by=given.by, now=now)
    if given.act.startswith("switch"):
        request.app.state.switched.turn()
    return answer(ws.policy_book(now=now).as_dict())


@router.get("/wishes", summary="What customers asked for and no person has looked at yet")
def wishes(request: Request) -> JSONResponse:
    return answer(_waiting(request).as_dict())


@router.post(
    "/wishes", summary="A person's word on a wish: confirmed or released", dependencies=[Depends(only_json)]
)
def word(request: Request, given: WishWord) -> JSONResponse:
    site = site_of(request)
    settle_wish(
        site.workspace,
        given.wish,
        verdict=given.verdict,
        by=given.by,
        now=site.now(),
        max_per_week=given.max_per_week,
        channels=tuple(given.channels),
        note=given.note,
    )
    return answer(_waiting(request).as_dict())


def _waiting(request: Request) -> Wishes:
    site = site_of(request)
    return Wishes(waiting=waiting_wishes(site.workspace, now=site.now()), zone=site.workspace.config.zone)


@router.get(
    "/consents", summary="How far consents reach, as it was counted last, and when the chain was checked"
)
def consents(request: Request) -> JSONResponse:
    return answer(site_of(request).workspace.coverage().as_dict())


@router.post(
    "/consents",
    summary="What one customer said about being written to, with its proofs",
    dependencies=[Depends(only_json)],
)
def proofs(request: Request, given: Asked) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.customer_proofs(given.customer, now=site.now()).as_dict())


@router.get("/consents/{entry}/proof", summary="One entry of the ledger as a proof, checked")
def proof(request: Request, entry: int) -> JSONResponse:
    site = site_of(request)
    return answer(entry_proof(site.workspace, entry, now=site.now()).as_dict())
