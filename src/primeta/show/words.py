"""The English words and sentences for every code that a record may carry; other languages translate these.

`N_` only marks a message for extraction. A code is added here together with the code that emits it.
"""

from __future__ import annotations


def N_(message: str) -> str:
    """Mark a message for the catalogues."""
    return message


def NN_(key: str, singular: str, plural: str) -> tuple[str, str, str]:
    """Mark a message that counts the figure `key`."""
    return key, singular, plural


WORDS: dict[str, str] = {
    # Grades
    "noticed": N_("noticed"),
    "holding": N_("holding"),
    "repeating": N_("repeating"),
    "confirmed": N_("confirmed"),
    "fading": N_("fading"),
    "refuted": N_("refuted"),
    # Origins
    "metric": N_("metric"),
    "attention": N_("customers’ attention"),
    "voice": N_("customers’ voices"),
    "outside": N_("outside text"),
    "competitor": N_("competitor"),
    "regulator": N_("regulator"),
    "hand": N_("noted by hand"),
    # Types of trend
    "behavioural": N_("behavioural"),
    "technological": N_("technological"),
    "regulatory": N_("regulatory"),
    "socio-cultural": N_("socio-cultural"),
    "commercial": N_("commercial"),
    # Answers, as a badge and as a choice
    "experiment": N_("experiment"),
    "observe": N_("observe"),
    "prepare": N_("prepare"),
    "reject": N_("reject"),
    "choose.experiment": N_("Experiment"),
    "choose.observe": N_("Observe"),
    "choose.prepare": N_("Prepare infrastructure"),
    "choose.reject": N_("Reject"),
    "hint.experiment": N_("try it on a part of the customers, against a control group"),
    "hint.observe": N_("look again at a set date"),
    "hint.prepare": N_("the data or the tools are not there yet"),
    "hint.reject": N_("write why, so that it is not reopened"),
    # The eleven fields
    "field.name": N_("Name"),
    "field.description": N_("Short description"),
    "field.signal_sources": N_("Signal sources"),
    "field.metrics": N_("Metrics to track"),
    "field.hypothesis": N_("Hypothesis of CRM impact"),
    "field.experiment_plan": N_("Experiment plan"),
    "field.resources": N_("Resources and technology"),
    "field.risks": N_("Risk assessment"),
    "field.criteria": N_("Decision criteria"),
    "field.review": N_("Review date"),
    "field.owner": N_("Owner"),
    # A trend taken apart
    "part.signal": N_("Signal: what was seen"),
    "part.mechanism": N_("Mechanism: why it would happen"),
    "part.drivers": N_("Drivers: what pushes it"),
    "part.behaviour": N_("Behaviour: how people will act"),
    # Filters
    "relevance": N_("Relevance to goals"),
    "economic": N_("Economic effect"),
    "feasibility": N_("Feasibility"),
    "horizon": N_("Time horizon"),
    "compliance": N_("Compliance risk"),
    # Basis
    "measured": N_("measured"),
    "experiments": N_("past experiments"),
    "computed": N_("computed"),
    "declared": N_("set in the workspace"),
    "guess": N_("a guess"),
    # Outcomes of the scenarios
    "outcome.money": N_("Money a year"),
    "outcome.retention": N_("Retention"),
    "outcome.arpu": N_("ARPU"),
    "outcome.conversion": N_("Conversion"),
    # Readings of a week
    "more": N_("more"),
    "less": N_("less"),
    "better": N_("better"),
    "worse": N_("worse"),
    "usual": N_("usual"),
    "cannot-tell": N_("cannot tell"),
    "up": N_("up"),
    "down": N_("down"),
    "neither": N_("neither good nor bad"),
    # Types of trend, as the sectors of the radar
    "sector.behavioural": N_("behaviour"),
    "sector.technological": N_("technology"),
    "sector.regulatory": N_("law"),
    "sector.socio-cultural": N_("culture"),
    "sector.commercial": N_("market"),
    # Grains
    "week": N_("week"),
    "month": N_("month"),
    "quarter": N_("quarter"),
    # Grains to choose from
    "by.week": N_("weeks"),
    "by.month": N_("months"),
    "by.quarter": N_("quarters"),
    "field.type": N_("Type"),
    # Inputs of the scenarios
    "input.reach": N_("Reach: share of revenue in the slices touched"),
    "input.adoption": N_("Adoption: how many will follow"),
    "input.effect": N_("Effect on revenue among them"),
    "input.margin": N_("Margin"),
    "input.cost": N_("Cost a year"),
    "input.compliance": N_("Compliance, 0 to 100"),
    "input-hint.adoption": N_("A share, or low:likely:high, such as 20%:35%:50%"),
    "input-hint.effect": N_("Relative, such as 2% or 0%:2%:5%"),
    "input-hint.cost": N_("Money a year, such as 100000 or 80000:100000:150000"),
    "input-hint.compliance": N_("A lawyer’s word: 100 is no risk at all"),
    # Who enters
    "entry.list": N_("Those who are there on the first day"),
    "entry.arrival": N_("Also those who come later"),
    "entry.table": N_("Whom another system has assigned"),
    "entry-hint.list": N_("for a single mailing"),
    "entry-hint.arrival": N_("each on the day on which he first belongs here"),
    "entry-hint.table": N_("arms and days come from the table of assignments"),
    # When one may look
    "design.fixed": N_("Once, at the end"),
    "design.sequential": N_("At planned looks"),
    "design.anytime": N_("At any time"),
    "design-hint.fixed": N_("Needs the fewest customers. Who looks earlier may not decide by it."),
    "design-hint.sequential": N_(
        "A few looks, evenly spread. A strong effect ends it early; it needs hardly more customers."
    ),
    "design-hint.anytime": N_(
        "The interval holds whenever you look, so it may end any day. It needs more customers."
    ),
    # Guardrails
    "guard.holds": N_("holds"),
    "guard.broken": N_("broken"),
    "guard.open": N_("not shown yet"),
    # What the doctor does with what it finds
    # Steps of a watch
    "step.facts": N_("reading the facts"),
    "step.measure": N_("measuring"),
    "step.detect": N_("looking for changes"),
    "step.weigh": N_("weighing trends"),
    "step.collect": N_("asking the sources"),
    "step.terms": N_("reading the texts"),
    "step.topics": N_("looking for topics"),
    "step.look": N_("looking at experiments"),
    "step.ladder": N_("ladders of campaigns"),
    "step.lapse": N_("each customer’s own rhythm"),
    "step.interviews": N_("whom to call"),
    "step.farms": N_("accounts that belong together"),
    "step.sources": N_("customers of each source"),
    "step.messages": N_("taking over messages"),
    "step.credit": N_("credit of each customer"),
    "step.replay": N_("holding the year against promises"),
    "step.certify": N_("splitting customers by lot"),
    # Canonical tables
    "table.customers": N_("Customer list"),
    "table.orders": N_("Orders"),
    "table.order_lines": N_("Order lines"),
    "table.messages": N_("Messages"),
    "table.reactions": N_("Reactions"),
    "table.visits": N_("Visits"),
    "table.voices": N_("Voices"),
    "table.identities": N_("Identities"),
    "table.consents": N_("Consents"),
    "table.promotions": N_("Promotions"),
    "table.spend": N_("Spend"),
    "table.assignments": N_("Assignments"),
    "act.drops": N_("leaves out"),
    "act.keeps": N_("keeps"),
    "act.asks": N_("asks you"),
}

SENTENCES: dict[str, str] = {
    # Why a grade
    "notes_only": N_("Only people have noted it so far; no metric of ours has moved."),
    "passed_yearly_level": N_("Its evidence passes the level that keeps a year of weekly looks honest."),
    "below_yearly_level": N_(
        "Its evidence is below the level that keeps a year of weekly looks honest; seen once is not enough."
    ),
    "not_repeated_yet": N_("It has not repeated yet: too few weeks have gone beyond the smallest effect."),
    "repeats_weeks": N_("It repeats by weeks."),
    "repeats_months": N_("It repeats by months."),
    "repeats_quarters": N_("It repeats by quarters."),
    "months_not_repeated_yet": N_("It repeats by weeks, not yet by months."),
    "one_origin": N_("Only one side has seen it. A second, independent one would confirm it."),
    "two_origins": N_("Sides that could not copy each other have seen it."),
    "one_owner": N_("Only one owner speaks of it."),
    "second_owner_unproven": N_(
        "Others speak of it too; that a second one speaks more of it is not shown yet."
    ),
    "going_back": N_("The last weeks are going back to what was expected."),
    "went_back": N_("It has gone back to what was expected."),
    "no_last_year": N_(
        "There is no last year to compare with: a season could look like this. Ask again in a year."
    ),
    "in-slice": N_("{slice:slice}"),
    # Filters
    "relevance-no-goals": N_("no goals are set in the workspace"),
    "relevance-none": N_("touches none of the goals of the year"),
    "relevance-goals": N_("{touched} of {goals} goals of the year: {names:metric}"),
    "economic-unknown": N_("money cannot be told yet"),
    "economic-money": N_("{p50:gain} a year, from {p10:gain} to {p90:gain}"),
    "economic-beside": N_(
        "seen beside this change in the same slices and weeks; whether it comes of it, only an experiment tells"
    ),
    "feasibility-unknown": N_("nobody has said which events it takes"),
    "feasibility-events": N_("{exist} of {needed} events exist; {weakest} is {full:share} full"),
    "feasibility-missing": N_("{exist} of {needed} events exist; missing: {missing}"),
    "horizon-unknown": N_("cannot be computed from the history yet"),
    "horizon-quick": N_("an answer in {weeks:int} weeks: quick"),
    "horizon-long": N_("an answer in {weeks:int} weeks: a long investment"),
    "horizon-never": N_("an effect of {effect:share} cannot be seen here in any time"),
    "compliance-word": N_("the word of {by}, {at:date}"),
    "compliance-no-consents": N_("no consents are mapped, nobody has said"),
    "compliance-consents": N_("consent covers {share:share} of the customers reached"),
    # Why a signal is suggested
    "same-metric": N_("same metric"),
    "same-family": N_("a metric that moves with it"),
    "same-slice": N_("same slice"),
    "nested-slice": N_("a slice within the other"),
    "same-time": N_("about the same time"),
    "same-words": N_("same words"),
    "same-field": N_("words of the same field"),
    "names-slice": N_("it names this slice"),
    "said-before": N_("it was said before the change"),
    "same-customers": N_("customers of this slice say it"),
    "same-meaning": N_("near in meaning"),
    "same-topic": N_("another side of the same topic"),
    "same-link": N_("the same link"),
    # Why there is no number
    "inputs-missing": N_("an input is missing; put in a guess, or set the margin in the workspace"),
    "not-measured": N_("it is not measured in these slices"),
    "no-expectation": N_("there is too little history to expect anything"),
    "no-values": N_("no value is known for that week"),
    "not-weighed": N_("it has not been weighed yet"),
    "too_short": N_("there are too few known points"),
    "short_history": N_("its history is too short to be watched"),
    "gaps": N_("its history has too many gaps to be watched"),
    "constant": N_("it does not move at all, so there is nothing to watch"),
    "no_recent_weeks": N_("no value is known for the last weeks"),
    "needs": N_("needs {tables}"),
    "not-chosen": N_("the workspace file chooses other metrics to watch"),
    "not-measured-yet": N_("not measured yet; the next watch will"),
    "facts-stopped": N_("No facts have come since {seen_until:date}"),
    # Counted blocks
    "counted.weeks": N_("Weeks beyond the smallest effect that matters: {n} of {of}; {needs} are needed."),
    "counted.months": N_("Months beyond the smallest effect that matters: {n} of {of}; {needs} are needed."),
    "counted.quarters": N_(
        "Quarters beyond the smallest effect that matters: {n} of {of}; {needs} are needed."
    ),
    # Done
    "done.trend": N_("“{name}” has a card now."),
    "done.attached": N_("Attached to “{name}”."),
    "done.refused": N_("Taken out of “{name}”; it will not be offered again."),
    "done.logged": N_("Written down: {subject}."),
    "done.marked.read": N_("Marked as read."),
    "done.marked.keep": N_("Kept."),
    "done.marked.dismiss": N_("Dismissed; it will not be shown again."),
    "done.marked.unread": N_("It is among the unread again."),
    "done.touch-mark": N_("Your mark is kept."),
    "done.calendar": N_("The calendar has a new address; the old one answers no more."),
    "done.decided": N_("Decided: {answer:word}, to be judged on {due:date}."),
    "done.saved": N_("The card “{name}” is saved."),
    "done.unchanged": N_("Nothing was changed."),
    "done.policy-draft": N_("The draft is saved. Nothing that is sent has changed."),
    "done.policy-on": N_("Version {n} is in force."),
    "done.policy-dropped": N_("The draft is dropped."),
    "done.wish": N_("Your word on it is in the ledger."),
    "done.declared": N_("The plan of {name} is saved."),
    "done.beside": N_("{name} runs on unaltered; your plan is kept beside it as a draft."),
    "done.started": N_("{name} runs."),
    "done.stopped": N_("{name} is stopped: nobody enters any more."),
    "done.settled": N_("Decided about {name}."),
    "done.rolled": N_("{name}: {share} of the customers from now on."),
    "done.halted": N_("The rollout of {name} is halted."),
    "done.reopened": N_("The rollout of {name} goes on."),
    "done.lesson": N_("Written down."),
    # History
    "event.review": N_("Review"),
    "event.experiment": N_("Experiment declared: {experiment}"),
    "event.experiment-end": N_("Experiment decided: {experiment}"),
}

COUNTED: dict[str, tuple[str, str, str]] = {
    "said-by": NN_(
        "n", "{n:m} independent source speaks more of it.", "{n:m} independent sources speak more of it."
    ),
}
