"""May we send this? Questions asked of a workspace: one, many, several for one slot; places under the caps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from primeta.attention.credit_kept import credit_events, pack_credit, unpack_credit
from primeta.attention.decide import CLOCK_MAY_DIFFER, CreditAt, decide, promises_of, seen_once
from primeta.attention.fold import CustomerState, SeenTouch, state_as_of
from primeta.attention.policy import impossible, policy_from, seal_of
from primeta.attention.priority import Place, Wanting, choose
from primeta.attention.quick import Verdict
from primeta.attention.quiet_hours import zone_of
from primeta.attention.records import PURPOSES, Answer, Credit, Entry, Policy, Promise, Question
from primeta.attention.reserve import HELD_FOR, LONGEST_HELD, Held, looks_back
from primeta.config import Config, config_error, load_config
from primeta.errors import BadInput, NotFound
from primeta.store import reservations
from primeta.store.attention_hot import forgotten_since, hot_state
from primeta.store.attention_read import Packed, StateReader
from primeta.store.attention_state import unpack
from primeta.store.keys import keys_of
from primeta.store.ledger import load_entries
from primeta.store.policies import from_file, newest_policy, save_policy
from primeta.store.touches_before import with_all_touches
from primeta.workspace.attention_sync import told_by_tables, zone_in_tables

if TYPE_CHECKING:
    from primeta.attention.credit import CreditModel
    from primeta.workspace.workspace import Workspace


def policy_in_force(
    ws: Workspace, *, now: datetime, promises: Sequence[Promise] = (), config: Config | None = None
) -> Policy:
    """The newest version; where `[attention]` says something new, it is taken over as the next one.

    Args:
        config: The workspace's file as it is now; None: as it was read when the workspace was opened.
    Raises:
        BadConfig: a key is wrong, or the policy would never allow anything; names its line.
    """
    config = config or ws.config
    declared = _declared(config)
    with ws.database.read() as connection:
        known, newest = from_file(connection), newest_policy(connection)
    if newest is not None and seal_of(declared) != known and config is ws.config:
        # A process that has run for long knows an old file: what stands there today counts, or two processes would
        # take turns in putting back what each of them has read.
        config = load_config(ws.folder)
        declared = _declared(config)
    if newest is not None and seal_of(declared) == known:
        return newest.policy
    if why := impossible(declared, promises, now=now):
        key = "caps" if declared.caps else "quiet_hours"
        raise config_error(config, "attention", key, f"{why}. Change one of them")
    with ws.database.write() as connection:
        return save_policy(connection, declared, origin="file", by="primeta.toml", now=now).policy


def _declared(config: Config) -> Policy:
    return policy_from(config.attention.policy, fail=partial(config_error, config, "attention"))


def promises_in_force(ws: Workspace, config: Config | None = None) -> tuple[Promise, ...]:
    """What the team promised to everybody: the file that `[attention] promises` names."""
    named = (config or ws.config).attention.promises
    if not named:
        return ()
    from primeta.attention.promise_file import read_promises

    return read_promises(ws.folder / named, zone=ws.config.zone)


class Desk:
    """Answers questions of one workspace. It reads policy and promises once; open a new one to see changes.

    Args:
        now: To take over a new version of the policy.
        like: With the policy and the promises of this one, which need not be read again.
        reread: The workspace's file was changed since the workspace was opened.
    Raises:
        BadConfig: the policy cannot be used.
    """

    def __init__(self, ws: Workspace, *, now: datetime, like: Desk | None = None, reread: bool = False):
        self.ws = ws
        if like is None:
            config = load_config(ws.folder) if reread else ws.config
            self.promise_file = config.attention.promises
            self.promises = seen_once(promises_in_force(ws, config))
            self.policy = policy_in_force(ws, now=now, promises=self.promises, config=config)
        else:
            self.promise_file, self.promises, self.policy = like.promise_file, like.promises, like.policy
        self.back = looks_back(self.policy, self.promises)
        self.reader = StateReader(ws.database)
        self.keys = keys_of(ws.database, now=now)
        self.default_zone = ws.config.timezone
        self._model: CreditModel | None = None
        self._prior: dict[str, Credit] = {}
        self._mark = ""

    def close(self) -> None:
        self.reader.close()

    # One question

    def answer(self, question: Question, *, now: datetime, explain: bool = True, zone: str = "") -> Answer:
        """One question, from the kept state of its customer; nothing is fitted, and no ledger is read.

        The ledger is read for a question about an earlier moment, and for windows longer than a state remembers.
        """
        if now - question.at > CLOCK_MAY_DIFFER:
            return self.full_answer(question, now=now, zone=zone, explain=explain, learn=False)
        row = self.reader.one(question.customer_id)
        places = self._places(question, now)
        return self.answer_of(question, row, places, now=now, zone=zone, explain=explain)

    def answer_of(
        self,
        question: Question,
        row: Packed | None,
        places: Sequence[SeenTouch] = (),
        *,
        now: datetime,
        explain: bool = False,
        zone: str = "",
        state: CustomerState | None = None,
        known: bool = False,
    ) -> Answer:
        """The same where the row was read already.

        Args:
            state: Of one who has no row.
            known: Whether he was looked for among the erased, too.
        """
        if row is not None:
            # To explain, other channels are tried too.
            since = min(now, question.at) - self.back
            state = hot_state(
                row.state,
                channel="" if explain else question.channel,
                since=since,
                first_useful=self.policy.first_useful,
            )
            if state is None:
                state = self._whole(unpack(row.state), since)
            zone = zone or row.zone
        elif state is None and not known:
            state = self._erased(question.customer_id)
        credit = unpack_credit(row.credit, channel=question.channel, policy=self.policy) if row else None
        return decide(
            question,
            state,
            self.policy,
            self.promises,
            credit or self.prior(question.channel, now),
            now=now,
            reserved=places,
            zone=self.zone(zone),
            explain=explain,
        )

    def answers(
        self, questions: Sequence[Question], *, now: datetime, zones: Sequence[str] | None = None
    ) -> list[Answer]:
        """Many at once, in their order, without what would change each; `verdicts` is quicker and tells less."""
        if any(now - question.at > CLOCK_MAY_DIFFER for question in questions):
            return [
                self.answer(question, now=now, zone=zones[place] if zones is not None else "", explain=False)
                for place, question in enumerate(questions)
            ]
        ids = [question.customer_id for question in questions]
        rows = self.reader.many(ids)
        places = self.reader.places(ids, since=now - self.back, now=now)
        return [
            self.answer_of(
                question,
                rows.get(question.customer_id),
                places.get(question.customer_id, ()),
                now=now,
                zone=zones[place] if zones is not None else "",
            )
            for place, question in enumerate(questions)
        ]

    def verdicts(
        self, questions: Sequence[Question], *, now: datetime, zones: Sequence[str] | None = None
    ) -> list[Verdict]:
        """Of many at once what a sender acts on, in their order: allowed, rule, earliest, promise.

        Args:
            zones: Where each lives, where it is known better than here; empty: not.
        """
        from primeta.workspace.verdicts import verdicts

        return verdicts(self, questions, now=now, zones=zones)

    def full_answer(
        self, question: Question, *, now: datetime, zone: str = "", explain: bool = True, learn: bool = True
    ) -> Answer:
        """One question from the ledger itself, for a person: with credit worked out for now and for later moments.

        A question about an earlier moment is answered as things stood then.

        Args:
            learn: The model of credit is learnt first where it is missing or old, which takes its time.
        """
        from primeta.attention.credit import credit_of, state_of

        with self.ws.database.read() as connection:
            entries = load_entries(connection, question.customer_id)
        row = self.reader.one(question.customer_id)
        past = question.at < now
        state = None
        since = min(now, question.at) - self.back
        if past:
            entries = tuple(entry for entry in entries if entry.happened_at <= question.at)
            state = (
                state_as_of(entries, happened=question.at, customer_id=question.customer_id)
                if entries
                else None
            )
        elif row is not None:
            state = unpack(row.state)
        zone = zone or (row.zone if row else "")
        if state is not None:
            state = self._whole(state, since, until=question.at if past else None)
        else:
            state = self._erased(question.customer_id)
        if state is None and not entries:
            # Nothing was taken over yet: the tables themselves are asked.
            state, entries = told_by_tables(self.ws, question.customer_id, at=question.at)
        if not zone and state is not None:
            zone = zone_in_tables(self.ws, question.customer_id)
        model = self.learnt_model(now=now) if learn else self.model()
        credits = state_of(credit_events(entries), model=model, until=min(now, question.at) if past else now)

        def credit(at: datetime) -> Credit:
            return credit_of(
                credits, model=model, channel=question.channel, at=max(at, credits.as_of), policy=self.policy
            )

        kept = unpack_credit(row.credit, channel=question.channel, policy=self.policy) if row else None
        asked: CreditAt | Credit = kept if kept is not None and not past else credit
        return decide(
            question,
            state,
            self.policy,
            self.promises,
            asked,
            now=now,
            reserved=self._places(question, now),
            zone=self.zone(zone),
            explain=explain,
        )

    def choose(self, wanting: Sequence[Wanting], *, now: datetime) -> tuple[Place, ...]:
        """Which of several messages to one customer goes."""
        return choose(
            wanting,
            answer=lambda question: self.answer(question, now=now, explain=False),
            policy=self.policy,
            now=now,
        )

    # Places under the caps

    def reserve(self, question: Question, *, now: datetime, by: str, held_for: timedelta = HELD_FOR) -> Held:
        """Hold a place for a message that is about to be sent; see `store.reservations.reserve`."""
        if not timedelta(0) < held_for <= LONGEST_HELD:
            raise BadInput(f"a place is held for more than nothing and at most {LONGEST_HELD.days} day")
        # Worked out before the transaction begins.
        self.prior(question.channel, now)

        def answer(
            state: CustomerState | None, credit: bytes | None, zone: str, places: Sequence[SeenTouch]
        ) -> Answer:
            if state is None:
                state = self._erased(question.customer_id)
            else:
                state = self._whole(state, min(now, question.at) - self.back)
            kept = unpack_credit(credit, channel=question.channel, policy=self.policy)
            return decide(
                question,
                state,
                self.policy,
                self.promises,
                kept or self.prior(question.channel, now),
                now=now,
                reserved=places,
                zone=self.zone(zone),
                explain=False,
            )

        return reservations.reserve(
            self.ws.database, question, decide=answer, back=self.back, now=now, by=by, held_for=held_for
        )

    def confirm(self, question: Question, *, sent_at: datetime, now: datetime, by: str) -> Held:
        """The message was sent: it counts in the next question, under caps and in credit."""
        from primeta.attention.credit import CreditEvent
        from primeta.attention.credit_bulk import credits_of_one
        from primeta.workspace.attention_keep_credit import mark_of

        model = self.model()
        if not self._mark:
            self._mark = mark_of(model)

        def recount(entries: Sequence[Entry], asked: Question, at: datetime) -> Callable[[int], bytes]:
            events = credit_events(entries)
            # A purpose that there is not is kept in the ledger as told, and says nothing to credit.
            if asked.purpose in PURPOSES:
                sent = CreditEvent(
                    kind="touch",
                    at=at,
                    channel=asked.channel,
                    purpose=asked.purpose,
                    message_id=asked.message_id,
                )
                events.append(sent)
            credits = credits_of_one(events, model=model, policy=self.policy, now=max(now, at))
            return lambda number: pack_credit(
                credits, policy=self.policy, at=now, number=number, model=self._mark
            )

        return reservations.confirm(
            self.ws.database, question, sent_at=sent_at, now=now, by=by, recount=recount
        )

    def release(self, message_id: str, *, now: datetime) -> Held:
        """The message is not going to be sent."""
        return reservations.release(self.ws.database, message_id, now=now)

    # What questions are answered from

    def zone(self, name: str) -> ZoneInfo:
        return zone_of(name, self.default_zone)

    def model(self) -> CreditModel:
        """The fitted model of credit, else the prior."""
        if self._model is None:
            from primeta.attention.credit import CreditModel
            from primeta.workspace.attention_credit import kept_model

            kept = kept_model(self.ws.folder)
            self._model = kept.model if kept is not None else CreditModel.prior()
        return self._model

    def learnt_model(self, *, now: datetime) -> CreditModel:
        """The same, learnt now from the workspace's messages where it is missing or a week old; takes its time."""
        from primeta.workspace.attention_credit import credit_model

        if "messages" in self.ws.config.tables:
            # A log without a single message that can be read teaches nothing.
            with contextlib.suppress(NotFound):
                self._model = credit_model(self.ws, now=now)
                self._prior.clear()
                self._mark = ""
        return self.model()

    def prior(self, channel: str, now: datetime) -> Credit:
        """Of a customer of whom credit knows nothing."""
        kept = self._prior.get(channel)
        if kept is None:
            from primeta.attention.credit import credit_of

            kept = credit_of(None, model=self.model(), channel=channel, at=now, policy=self.policy)
            if len(self._prior) < 1000:
                self._prior[channel] = kept
        return kept

    def _places(self, question: Question, now: datetime) -> Sequence[SeenTouch]:
        since = min(now, question.at) - self.back
        return self.reader.places([question.customer_id], since=since, now=now).get(question.customer_id, ())

    def _whole(
        self, state: CustomerState, since: datetime, *, until: datetime | None = None
    ) -> CustomerState:
        """With every message that the longest window counts, also that of a promise to him alone."""
        own = [promise.window for promise in promises_of(state) if promise.window is not None]
        since -= max(max(own, default=self.back) - self.back, timedelta(0))
        if not forgotten_since(state, since):
            return state
        with self.ws.database.read() as connection:
            return with_all_touches(connection, state, since=since, until=until)

    def erased_of(self, customers: Sequence[str]) -> Callable[[str], CustomerState | None]:
        """Of many what `_erased` says of one, asked at once."""
        digests = {one: self.keys.suppression_digest(one) for one in customers}
        since = self.reader.forbidden_of(digests.values()) if digests else {}

        def state(customer_id: str) -> CustomerState | None:
            at = since.get(digests.get(customer_id, b""))
            return None if at is None else CustomerState(customer_id=customer_id, suppressed_at=at)

        return state

    def _erased(self, customer_id: str) -> CustomerState | None:
        """Nothing is left of the erased but that they must not be written to."""
        since = self.reader.forbidden(self.keys.suppression_digest(customer_id))
        return None if since is None else CustomerState(customer_id=customer_id, suppressed_at=since)


def may_send(ws: Workspace, question: Question, *, now: datetime) -> Answer:
    """One question, explained.

    Raises:
        BadConfig: the policy or the promises cannot be used.
        BadInput: the time has no zone.
    """
    desk = Desk(ws, now=now)
    try:
        return desk.full_answer(question, now=now)
    finally:
        desk.close()


def moment_of(ws: Workspace, *, now: datetime) -> datetime:
    """Now; in a history (`today = "facts"`), the last moment that its facts know."""
    if ws.config.as_of_facts:
        from primeta.warehouse.facts_store import load_facts

        facts = load_facts(ws.folder / "facts")
        if facts is not None and facts.seen_until is not None:
            return min(facts.seen_until, now)
    return now


def without_answer(policy: Policy, purpose: str) -> Answer:
    """What a sender does where Primeta does not answer in time: what the policy declared beforehand."""
    allowed = policy.default == "allow" or (policy.default == "allow-service" and purpose == "service")
    return Answer(allowed=allowed, rule="default", policy=policy.version)


def ask_or_default(
    ask: Callable[[], Mapping[str, Any]], *, purpose: str, default: str = "allow-service"
) -> Mapping[str, Any]:
    """For senders: the answer, or the declared default where asking fails or takes too long.

    Args:
        ask: Sends the question, with a timeout of its own, and returns the document of the answer.
        default: As in the policy: `refuse`, `allow-service`, `allow`.
    """
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - whatever a client's library raises, the sender goes on
        allowed = default == "allow" or (default == "allow-service" and purpose == "service")
        return {"allowed": allowed, "rule": "default", "why_not": f"{type(error).__name__}: {error}"}
