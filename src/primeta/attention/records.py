"""What attention credit is made of: entries of the ledger, promises, touches, credit, the answer to "may we send this?"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

Purpose = Literal["service", "useful", "offer", "press"]
"""What a message is for: it serves an order or an account; it is of use to the customer; it sells; it presses."""
PURPOSES: tuple[Purpose, ...] = ("service", "useful", "offer", "press")
Processing = Literal["service", "marketing", "personalisation", "profiling"]
"""What consent is given for."""
PROCESSINGS: tuple[Processing, ...] = ("service", "marketing", "personalisation", "profiling")
NEEDS: Mapping[Purpose, Processing] = {
    "service": "service",
    "useful": "marketing",
    "offer": "marketing",
    "press": "marketing",
}
LegalBasis = Literal[
    "consent", "contract", "legal_obligation", "legitimate_interest", "vital_interest", "public_task"
]
ConsentState = Literal["given", "withdrawn", "refused", "never"]
EntryKind = Literal[
    "notice", "consent", "preference", "promise", "wish", "wish-confirmed", "decision", "touch", "reaction",
    "kept", "broken", "suppressed", "erased", "access",
]  # fmt: skip
"""A notice was shown; a consent given, refused or withdrawn; a preference set; a promise made to this customer; a wish
found in a ticket or a reply, and what a person said of it; an answer that was given; a message sent or withheld; what
came of it; a promise kept or broken (worked out, with the version of code that did); writing forbidden for good;
the payload of earlier entries deleted; what is held about him was handed out."""
ReactionKind = Literal["delivered", "opened", "clicked", "replied", "unsubscribed", "complained", "bounced"]
Level = Literal["none", "useful", "sell", "press"]
"""What credit allows at most, by the lower bound: nothing, useful messages only, selling, pressing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger: append-only, bitemporal, chained."""

    number: int
    """1, 2, 3 … without gaps."""
    key: str
    """The sender's own id of the event (idempotency): the same event told twice is one entry; empty after erasure."""
    kind: EntryKind
    customer_id: str
    """As mapped; empty after erasure."""
    happened_at: datetime
    learnt_at: datetime
    """When it was written here; never before the entry before."""
    payload: Mapping[str, Any]
    """Canonical JSON; empty after erasure."""
    salt: str
    """32 random bytes in hexadecimal; empty after erasure."""
    commitment: str
    """SHA-256 of salt, key, kind, customer, `happened_at` and canonical payload, in hexadecimal."""
    chain: str
    """SHA-256 of the previous entry's chain, number, kind, both times, `by` and the commitment."""
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Subject × processing × channel × legal basis × controller, with its proof."""

    customer_id: str
    processing: Processing
    channel: str
    """Empty: every channel."""
    state: ConsentState
    happened_at: datetime
    learnt_at: datetime
    legal_basis: LegalBasis = "consent"
    controller: str = ""
    text: str = ""
    version: str = ""
    language: str = ""
    surface: str = ""
    """Where it was asked: `checkout`, `app settings`, `paper form 12` …"""
    text_hash: str = ""
    """SHA-256 of the text as shown."""
    entry: int = 0
    """Number in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A statement shown to customers, with the predicate that the log can check."""

    name: str
    text: str
    version: int = 1
    channel: str | None = None
    purpose: Purpose | None = None
    customers: Literal["all"] | tuple[str, ...] = "all"
    max: int | None = None
    """At most so many messages in any rolling window: every send counts, broken ones too."""
    window: timedelta | None = None
    hours: tuple[int, int] | None = None
    """Only from … to … o'clock where the customer lives; (22, 8) goes over midnight."""
    purposes_only: tuple[Purpose, ...] = ()
    channels_only: tuple[str, ...] = ()
    programmes_only: tuple[str, ...] = ()
    """Topics: programmes or campaigns that were promised, nothing else."""
    personal_only: bool = False
    """Messages must carry `personal`; where the log has no such column it cannot be checked."""
    deliver: str = ""
    """A programme or campaign that was promised to come …"""
    by: datetime | None = None
    """… up to this time."""
    stop_within: timedelta | None = None
    """After an opt-out nothing but service messages later than this."""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def checkable(self) -> bool:
        """Whether the text has a meaning that the log can check; if not it is never counted as kept."""
        return bool(
            (self.max is not None and self.window is not None)
            or self.hours
            or self.purposes_only
            or self.channels_only
            or self.programmes_only
            or self.personal_only
            or (self.deliver and self.by)
            or self.stop_within is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One message that was sent, is about to be, or was withheld at random."""

    message_id: str
    customer_id: str
    sent_at: datetime
    channel: str
    purpose: Purpose
    campaign: str = ""
    programme: str = ""
    team: str = ""
    cost: float = float("nan")
    withheld: bool = False
    probability: float = float("nan")
    """Of sending, where it was drawn."""
    personal: bool | None = None
    learnt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Probability that the next useful touch is welcomed and does not drive away."""

    value: float
    low: float
    high: float
    """95% interval of the predicted probability."""
    welcome: float
    drive_away: float
    blind: float
    """Probability that he no longer looks at what comes here."""
    level: Level
    model: Literal["state-space", "counts", "beta-binomial", "prior"]
    """What worked it out: the model where it beats both baselines on held-out time and customers, else the better
    baseline; the prior where nothing is known of the customer."""
    touches: int
    as_of: datetime
    why_not: str = ""
    rest_until: datetime | None = None
    """Until when marketing rests on this channel since he most probably no longer looks; then one useful message tries
    whether he does again. None: no alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A smallest change that turns the answer round."""

    change: str
    """Code: `wait-until`, `purpose`, `channel`, `consent`, `confirm-wish`, `cap` …"""
    to: str
    """The value: a time in ISO 8601, another purpose or channel …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May we send this to him now?"""

    customer_id: str
    channel: str
    purpose: Purpose
    at: datetime
    campaign: str = ""
    programme: str = ""
    message_id: str = ""
    personal: bool = False
    personalised: bool = False
    """Uses what is known of the customer: needs personalisation not to be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Yes or no with the rule that decided, what would change it and the earliest time allowed."""

    allowed: bool
    rule: str
    """Code of the deciding rule: `opted-out`, `no-consent`, `wish`, `suppressed`, `promise`, `cap`, `quiet-hours`,
    `level`, `first-touches`, `after-broken`, `purpose-rule`, `withheld`, `unknown-customer`, `default`, `allowed` …"""
    promise: str = ""
    promise_version: int = 0
    promise_text: str = ""
    credit: Credit | None = None
    earliest: datetime | None = None
    """None where no waiting helps."""
    flips: tuple[Flip, ...] = ()
    policy: int = 0
    """Version of the policy."""
    probability: float = 1.0
    """Of this answer, where the cap was drawn at random."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """For the words of the reason."""

    def line(self, lang: str = "en") -> str:
        """One line for a chat."""
        from primeta.attention.answer_words import line

        return line(self, lang)

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        """The document of `--json`."""
        from primeta.attention.answer_words import document

        return document(self, lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most so many in a rolling window."""

    max: int
    window: timedelta
    channel: str = ""
    purposes: tuple[Purpose, ...] = ("useful", "offer", "press")
    strict: bool = True
    """A strict cap holds under concurrent writers; another may be left out at random by the holdout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`[attention]`: what is allowed to whom and when; each change is a new version."""

    version: int = 1
    caps: tuple[Cap, ...] = ()
    quiet_hours: tuple[int, int] | None = (21, 9)
    """From … to … o'clock where the customer lives nothing but service is sent."""
    first_useful: int = 3
    """So many first touches are useful ones only."""
    useful_after_broken: int = 2
    """So many useful touches that were not refused earn selling again after a broken promise."""
    sell_at: float = float("nan")
    press_at: float = float("nan")
    """Lower bounds of credit; NaN: from expected loss (`loss_of_customer`, `gain_per_touch`, cost per message)."""
    gain_per_touch: Mapping[Purpose, float] = field(default_factory=dict)
    loss_of_customer: float = float("nan")
    cost_per_message: Mapping[str, float] = field(default_factory=dict)
    """By channel, money."""
    priority: tuple[Purpose, ...] = ("service", "useful", "offer", "press")
    channels: tuple[str, ...] = ()
    """The only channels that there are, so that a misspelt one is refused; empty: any."""
    service_programmes: tuple[str, ...] = ()
    """The only programmes that may call themselves service; empty: any, and suspicious ones are reported."""
    rest_when_blind: bool = True
    """Whoever most probably no longer looks is left alone for a while, then tried with one useful message."""
    holdout: float = 0.0
    """Share of questions, drawn by hash, in which caps that are not strict are left out or doubled: what makes causal
    words possible later."""
    default: Literal["refuse", "allow-service", "allow"] = "allow-service"
    """What the sender does where no answer comes."""
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A promise that a message broke."""

    promise: str
    version: int
    customer_id: str
    message_id: str
    at: datetime
    knowable: bool
    """Whether all rows needed to know it were learnt before the send."""
    campaign: str = ""
    programme: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCredit:
    """Credit that a campaign spent or earned over its touches."""

    campaign: str
    programme: str
    team: str
    touches: int
    credit_spent: float
    """Sum over touches of credit before less credit after, in customers' worth of credit; negative: earned. NaN where it
    cannot be told."""
    low: float
    high: float
    basis: Literal["randomised", "observational"]
    broken: int
    day: date | None = None
    why_not: str = ""
    """`too-early`: most of its touches are of the last two weeks, and nobody knows whether credit comes back."""
