"""What customers do on the pages that links open: links made and opened, states read, acts written.

Writers that come at once go into one transaction: the first one writes for all that wait (group commit), so that a
mailing to a million which brings hundreds of opt-outs a second costs one write to disk for each few dozen of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from primeta.attention.fold import CustomerState
from primeta.attention.ledger import Event
from primeta.attention.links import Link, Sealer
from primeta.attention.promise_file import in_force
from primeta.attention.records import Policy, Promise
from primeta.attention.why_sent import Why, why_of
from primeta.errors import PrimetaError, Unavailable
from primeta.store.attention_state import load_states
from primeta.store.database import Database
from primeta.store.erased import erased_among
from primeta.store.keys import keys_of
from primeta.store.ledger import append, load_entries, load_head, prepare
from primeta.store.link_keys import link_secrets
from primeta.store.policies import newest_policy
from primeta.store.reservations import let_go
from primeta.workspace.may_send import promises_in_force

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

PATIENCE_S = 4.0
"""So long a customer, or his mail program, waits for the state; then he is told that nothing was recorded."""
LOOK_AGAIN_S = 2.0
"""After so long keys are looked at again where a token has one that is not known."""
KNOWN_FOR_S = 30.0
"""After so long promises and quiet hours are read again."""
MOST_AT_ONCE = 200

Act = Callable[[CustomerState], list[Event]]
"""His state → the entries that his act becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What came of an act."""

    before: CustomerState | None
    """None: he was erased, and nothing is written of him."""
    state: CustomerState | None
    new: int
    """Entries written; 0: it stood like this already."""


@dataclass(slots=True, eq=False)
class _Waiting:
    customer_id: str
    act: Act
    now: datetime
    shown: bool
    turn: threading.Event = field(default_factory=threading.Event)
    """It is written, or its thread is the one that writes for all that wait."""
    settled: bool = False
    acted: Acted | None = None
    error: BaseException | None = None


class PreferenceDesk:
    """Opens links, reads and writes; any thread may use it."""

    def __init__(self, ws: Workspace, *, now: datetime):
        self.ws = ws
        here = ws.database.url.startswith("sqlite")
        self.database = Database(ws.database.url, busy_timeout_s=PATIENCE_S) if here else ws.database
        self._own = here
        self.keys = keys_of(self.database, now=now)
        self.sealer = self._sealer()
        self._looked = time.monotonic()
        self._queue: list[_Waiting] = []
        self._told: tuple[float, tuple[Promise, ...], tuple[int, int] | None] | None = None
        self._entering = threading.Lock()
        self._led = False

    def close(self) -> None:
        if self._own:
            self.database.close()

    def _sealer(self) -> Sealer:
        with self.database.read() as connection:
            return Sealer(link_secrets(connection, self.keys))

    def open(self, token: str) -> Link | None:
        """What a link says; None: it is none of ours, or cut off."""
        link = self.sealer.open(token)
        if (
            link is None or link.key == self.sealer.newest
        ) and time.monotonic() - self._looked > LOOK_AGAIN_S:
            # Another process may have made a new key.
            self._looked = time.monotonic()
            self.sealer = self._sealer()
            link = self.sealer.open(token)
        return link

    def state(self, customer_id: str) -> CustomerState | None:
        """His state; None: he was erased, or is never to be written to."""
        with self.database.read() as connection:
            return self._states(connection, [customer_id])[customer_id]

    def _states(self, connection: Connection, customers: Sequence[str]) -> dict[str, CustomerState | None]:
        known = load_states(connection, customers)
        unknown = [customer_id for customer_id in customers if customer_id not in known]
        erased = erased_among(connection, unknown, keys=self.keys)
        found: dict[str, CustomerState | None] = {}
        for customer_id in customers:
            state = known.get(customer_id)
            if state is not None:
                found[customer_id] = None if state.suppressed(at=state.as_of) else state
            else:
                gone = customer_id in erased and not erased[customer_id].lifted
                found[customer_id] = None if gone else CustomerState(customer_id=customer_id)
        return found

    def why(self, link: Link, *, now: datetime) -> Why | None:
        """Why he got a message; None: he was erased."""
        with self.database.read() as connection:
            if self._states(connection, [link.customer_id])[link.customer_id] is None:
                return None
            entries = load_entries(connection, link.customer_id)
        return why_of(entries, link, promises_in_force(self.ws), now=now, zone=self.ws.config.zone)

    def told_to_all(self, channel: str, *, now: datetime) -> tuple[Promise | None, tuple[int, int] | None]:
        """What everybody was promised on how often, and from … to … o'clock nothing but service is sent."""
        if self._told is None or time.monotonic() - self._told[0] > KNOWN_FOR_S:
            try:
                with self.database.read() as connection:
                    newest = newest_policy(connection)
                quiet = newest.policy.quiet_hours if newest is not None else Policy().quiet_hours
                self._told = (time.monotonic(), promises_in_force(self.ws), quiet)
            except PrimetaError:
                # A file of promises that cannot be read must not keep anybody from choosing.
                return None, None
        counted = [
            promise
            for promise in in_force(self._told[1])
            if promise.max is not None
            and promise.customers == "all"
            and promise.channel in (None, channel)
            and promise.purpose is None
            and (promise.valid_from is None or promise.valid_from <= now)
            and (promise.valid_to is None or promise.valid_to > now)
        ]
        return (counted[0] if counted else None), self._told[2]

    # Writing

    def act(self, customer_id: str, act: Act, *, now: datetime, shown: bool = True) -> Acted:
        """Write what a customer did, at once in force; what holds already is not written again.

        Args:
            shown: The state afterwards is wanted, too; else it is the one before.
        Raises:
            Locked, Unavailable: nothing was written.
        """
        mine = _Waiting(customer_id, act, now, shown)
        with self._entering:
            self._queue.append(mine)
            leads, self._led = not self._led, True
        if not leads:
            mine.turn.wait()
        if not mine.settled:
            try:
                self._write_waiting()
            finally:
                self._hand_on()
        if mine.error is not None:
            raise mine.error
        assert mine.acted is not None
        return mine.acted

    def _write_waiting(self) -> None:
        """Everybody who waits, each customer once; a second act of the same one sees what the first has written."""
        # Whoever leads stands first in the queue, so that his own act is among them.
        with self._entering:
            taken: dict[str, _Waiting] = {}
            left: list[_Waiting] = []
            for one in self._queue:
                if one.customer_id in taken or len(taken) >= MOST_AT_ONCE:
                    left.append(one)
                else:
                    taken[one.customer_id] = one
            self._queue = left
        some = list(taken.values())
        try:
            self._write(some)
        except PrimetaError as error:
            if len(some) > 1 and not isinstance(error, Unavailable):
                # One of them cannot be kept: the others must not suffer for it.
                for one in some:
                    self._alone(one)
                return
            for one in some:
                one.error = error
        except BaseException as error:  # noqa: BLE001 — it is raised where it was asked for
            for one in some:
                one.error = error
        finally:
            for one in some:
                one.settled = True
                one.turn.set()

    def _hand_on(self) -> None:
        """The one who has waited longest writes next; with nobody waiting, the next to come."""
        with self._entering:
            self._led = bool(self._queue)
            following = self._queue[0] if self._queue else None
        if following is not None:
            following.turn.set()

    def _alone(self, one: _Waiting) -> None:
        try:
            self._write([one])
        except Exception as error:  # noqa: BLE001 — it is raised where it was asked for
            one.error = error

    def _write(self, some: Sequence[_Waiting]) -> None:
        now = max(one.now for one in some)
        with self.database.write() as connection:
            load_head(connection, lock=True)
            states = self._states(connection, [one.customer_id for one in some])
            events: list[Event] = []
            written: dict[str, int] = {}
            for one in some:
                state = states[one.customer_id]
                his = [] if state is None else one.act(state)
                events += his
                written[one.customer_id] = len(his)
            after = states
            if events:
                append(connection, prepare(events, self.keys), now=now, keys=self.keys)
                stopped: dict[str, set[str]] = {}
                for event in events:
                    if event.kind == "consent" and event.payload["state"] == "withdrawn":
                        stopped.setdefault(event.customer_id, set()).add(event.payload["channel"])
                if stopped:
                    let_go(connection, stopped, now=now)
                shown = [one.customer_id for one in some if one.shown and written[one.customer_id]]
                after = {**states, **(load_states(connection, shown) if shown else {})}
        for one in some:
            one.acted = Acted(
                before=states[one.customer_id], state=after[one.customer_id], new=written[one.customer_id]
            )
