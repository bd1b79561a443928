"""What the pages of reactivation read: campaigns with their ladders, as far as they are worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from primeta.reactivation.records import LadderFacts

if TYPE_CHECKING:
    from primeta.reactivation.acquisition_result import Sources
    from primeta.reactivation.farms import Farms
    from primeta.reactivation.interviews import Interviews
    from primeta.reactivation.ladder_result import Ladder
    from primeta.reactivation.lapse import Lapse
    from primeta.reactivation.policy.result import PolicyResult
    from primeta.reactivation.whom.result import Whom


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLadder:
    """A ladder as it was worked out, and whether facts or questions have changed since."""

    facts: LadderFacts
    at: datetime
    stale: bool = False

    @property
    def ladder(self) -> Ladder:
        from primeta.reactivation.ladder_result import Ladder

        return Ladder(facts=self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView:
    """One campaign: an experiment that was started, one that stands in the assignments alone, or messages that were
    sent without a control group."""

    name: str
    kind: Literal["experiment", "assignments", "messages"]
    first: date
    last: date
    """The last day on which anybody was assigned or written to."""
    customers: int
    control: str = ""
    arms: tuple[str, ...] = ()
    what: Mapping[str, str] = field(default_factory=dict)
    """Arm → what its customers get, in the words of the plan."""
    hypothesis: str = ""
    entry: str = ""
    """How customers came in: `list`, `arrival`, `table`; empty for messages."""
    kept: KeptLadder | None = None
    """None: not worked out yet."""
    problem: str = ""
    """Why the last attempt gave no ladder."""
    varied: tuple[str, ...] = ()
    """What its lottery varied besides the arm: any of `moment`, `sequence`, `discount`."""

    @property
    def reached(self) -> int | None:
        """The highest rung that the campaign has reached; None: not worked out yet."""
        if self.kept is None:
            return None
        return max((step.rung for step in self.kept.facts.climb if step.reached), default=0)


PolicyKind = Literal["moment", "sequence", "discount"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """What a campaign tells of the best moment, sequence or discount, as far as it is worked out."""

    campaign: CampaignView
    kind: PolicyKind
    result: PolicyResult | None = None
    """None: not worked out yet, or its lottery did not vary this."""
    at: datetime | None = None
    stale: bool = False

    @property
    def varied(self) -> bool:
        return self.kind in self.campaign.varied


@dataclass(frozen=True, slots=True, kw_only=True)
class WhomView:
    """Whom to write, learnt from a campaign, as far as it is worked out."""

    campaign: CampaignView
    result: Whom | None = None
    at: datetime | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLapse:
    """The flow of customers who lapse as it was worked out, and whether facts have changed since."""

    lapse: Lapse
    at: datetime
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InterviewsView:
    """Whom to call of a campaign and what was said, as far as it is worked out."""

    campaign: CampaignView
    result: Interviews | None = None
    problem: str = ""
    """Why there is none: what the last attempt said, or what is missing for any."""
    at: datetime | None = None
    """When it was worked out or tried; None: never."""
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmsView:
    """Accounts that look like one person's and the effects of a campaign without them, as far as they are worked out."""

    campaign: CampaignView
    result: Farms | None = None
    problem: str = ""
    at: datetime | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesView:
    """What customers of each acquisition source bring, as far as it is worked out."""

    result: Sources | None = None
    problem: str = ""
    at: datetime | None = None
    stale: bool = False
