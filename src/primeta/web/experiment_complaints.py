"""What is wrong with a declaration, in the reader's language, beside the field that is wrong.

`experiments.declare` finds the mistakes and tells them in English, for files and scripts. Here each kind of
mistake has a sentence of the page; one that has none is shown as it was told, under what its field expects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from primeta.experiments.declare import Problem
from primeta.show.words import N_
from primeta.web.experiment_form import Rows, arm_rows
from primeta.web.reader import Reader

# What is told, by its beginning → the sentence of the page; groups of the pattern are its figures.
KINDS: tuple[tuple[str, str], ...] = (
    (r"letters, digits, _ and - were expected", N_("Give it a short name of letters, digits and hyphens.")),
    (r"'.*': a line such as `average", N_("Say how much worse it may get, such as 2%.")),
    (r"a number was expected, '?(?P<given>.*?)'? was given", N_("“{given}” is no number.")),
    (r"'(?P<given>.*)' can be read in two ways", N_("“{given}” can be read in two ways: write 1000 or 1.5.")),
    (r"a whole number was expected", N_("A whole number belongs here.")),
    (r"the shares must sum to 1, these sum to (?P<sum>[\d.]+)", N_("The shares make {sum:share}; together they must make 100%.")),
    (r"two arms or more were expected|these are missing", N_("Name at least two arms: the control and one to try.")),
    (r"its share is missing", N_("Say how large its share is, such as 50%.")),
    (r"a share above 0 and below 1", N_("A share lies between 0% and 100%.")),
    (r"a cost is 0 or more", N_("A cost is 0 or more.")),
    (r"a short name of letters", N_("Give the arm a short name of letters and digits.")),
    (r"it is there twice|\S+ is there twice", N_("This is there twice.")),
    (r"'.*' is none of the arms", N_("Mark which arm is the control.")),
    (r"a day such as", N_("Name a day.")),
    (r"it ends on .* before anybody can enter", N_("The last day comes before the first one.")),
    (r"there is no metric '(?P<given>.*?)'", N_("There is no metric “{given}” here.")),
    (r"it is the primary metric too", N_("This is the main metric already; a guardrail watches something else, or another number of days.")),
    (r"\S+ looks (?P<days>\d+) days ahead by itself", N_("This metric looks {days} days ahead by itself; leave the days empty.")),
    (r"days from 1 to (?P<most>\d+)", N_("From 1 to {most} days.")),
    (r"above zero was expected", N_("The smallest effect that matters is above zero, such as 2%.")),
    (r"\S+ is good when it goes up; write the effect", N_("For this metric up is good; write the effect without a minus.")),
    (r"\S+ is good when it goes down; write the effect", N_("For this metric down is good; write the effect without a plus.")),
    (r"some room is needed|margin: an amount other than 0", N_("Leave some room, such as 2%: no test can show that nothing at all is lost.")),
    (r"\S+ is neither good nor bad when it rises", N_("Neither way is bad by itself here: write −2% (may not fall by more) or +2% (may not rise by more).")),
    (r"\S+ is good when it goes \w+, so this forbids", N_("This would forbid an improvement; write it without a sign: how much worse it may get.")),
    (r"how much worse it may get is missing", N_("Say how much worse it may get, such as 2%.")),
    (r"(smallest_effect|margin): (?P<size>[-\d.]+)% is more than tenfold", N_("{size}% is more than tenfold; without the % it counts in the metric’s own unit.")),
    (r"a sequential design has 2 to 100 looks", N_("Plan from 2 to 100 looks.")),
    (r"above (?P<low>[\d.]+) and below (?P<high>[\d.]+) was expected", N_("Between {low:share} and {high:share}.")),
    (r"a number from 0 to (?P<most>\d+) was expected", N_("A number from 0 to {most:int}.")),
    (r"two shares", N_("Two shares from 0 to 1, the first below the second, such as 0 : 0.5.")),
    (r"slots divide a layer", N_("Slots divide a layer between experiments; name the layer too.")),
    (r"0 or more and below 1 was expected", N_("From 0% up, below 100%.")),
    (r"above 0 and at most 1 was expected", N_("Above 0%, at most 100%.")),
    (r'"table" needs the table assignments', N_("Arms assigned elsewhere are read from the table of assignments, and none is mapped.")),
    (r"it is longer than (?P<most>\d+) characters", N_("At most {most:int} characters.")),
    (r"a cap is above 0", N_("A cap is above 0.")),
    (r"it is no metric of this experiment", N_("Only metrics of this experiment can be capped.")),
    (r"'.*': a line such as `revenue", N_("One metric a line, such as revenue_per_customer = 1000.")),
    (r"an amount of money was expected", N_("An amount of money belongs here.")),
    (r"the customers have no attribute '(?P<given>.*?)'; did you mean (?P<meant>.*)\?", N_("The customers have no attribute “{given}”; perhaps {meant}?")),
    (r"the customers have no attribute '(?P<given>.*?)'", N_("The customers have no attribute “{given}”. A value stands in single quotes: age = '35-44'.")),
)  # fmt: skip

EXPECTED: dict[str, str] = {
    "name": N_("Give it a short name of letters, digits and hyphens."),
    "hypothesis": N_("Write what you expect to happen and why."),
    "owner": N_("Name who answers for it."),
    "starts": N_("Name the first day on which customers enter."),
    "ends": N_("Name the last day on which customers enter."),
    "primary": N_("Choose the one metric that decides."),
    "window_days": N_("How many days after the entry are counted, such as 30."),
    "smallest_effect": N_("The smallest effect that is worth having, such as 2%."),
    "value": N_("Money that one unit of the difference is worth."),
    "arms": N_("Name at least two arms: the control and one to try."),
    "control": N_("Mark which arm is the control."),
    "guardrails": N_("Choose a metric and say how much worse it may get, such as 2%."),
    "metrics": N_("Choose a metric."),
    "population": N_("A condition over attributes of customers, such as age = '35-44'."),
    "looks": N_("Plan from 2 to 100 looks."),
    "planned_n": N_("How many customers take part in all arms together."),
    "covariate_days": N_("Days before the entry that are compared too, such as 28; 0: none."),
}
FIELD_OF = {"ends": "last", "control": "control-1", "arms": "arm-name-1", "guardrails": "guard-metric-1", "metrics": "other-metric-1", "unit": "name"}  # fmt: skip
"""Key of the declaration → the field of the form, where they differ; rows are looked for first."""


def complaints(
    reader: Reader, problems: Sequence[Problem], values: Mapping[str, str], rows: Rows
) -> dict[str, str]:
    """Field of the form → what is wrong with it, as a sentence of the page; the first complaint of a field counts."""
    found: dict[str, str] = {}
    for problem in problems:
        found.setdefault(_field(problem, values, rows), told(reader, problem))
    return found


def told(reader: Reader, problem: Problem) -> str:
    """One mistake in the reader's language."""
    missing = re.match(r"this is missing|it is empty", problem.message)
    if missing and problem.key in EXPECTED:
        return str(reader._(EXPECTED[problem.key]))
    for pattern, message in KINDS:
        match = re.match(pattern, problem.message)
        if match:
            return str(reader._(message, **_figures(match)))
    expected = str(reader._(EXPECTED[problem.key])) if problem.key in EXPECTED else ""
    return " ".join(part for part in (expected, problem.message.rstrip(".") + ".") if part)


def _figures(match: re.Match[str]) -> dict[str, float | str]:
    numbers = {"sum", "low", "high", "most"}
    return {name: float(text) if name in numbers else text for name, text in match.groupdict().items()}


def _field(problem: Problem, values: Mapping[str, str], rows: Rows) -> str:
    """Where a complaint stands: in the row that it is about, else under the field of its key."""
    if problem.key == "arms" and problem.part:
        row = _row(arm_rows(values, rows), problem.part)
        return f"arm-{_part_of_arm(problem, values, row)}-{row}"
    if problem.key == "arms" and problem.message.startswith("the shares"):
        return f"arm-share-{max(arm_rows(values, rows), default=1)}"
    if problem.key in ("guardrails", "metrics") and problem.part:
        kind, count = ("guard", rows.guards) if problem.key == "guardrails" else ("other", rows.others)
        metric = problem.part.partition(":")[0].strip()
        row = _row({n: values.get(f"{kind}-metric-{n}", "") for n in range(1, count + 1)}, metric)
        return f"{kind}-{_part_of_goal(problem)}-{row}"
    if problem.key == "guardrails":
        # A line that cannot be read is one whose margin is missing: its metric was chosen from a list.
        bare = [
            n
            for n in range(1, rows.guards + 1)
            if values.get(f"guard-metric-{n}") and not values.get(f"guard-margin-{n}")
        ]
        return f"guard-margin-{bare[0] if bare else 1}"
    return FIELD_OF.get(problem.key, problem.key)


def _row(named: Mapping[int, str], wanted: str) -> int:
    """The last row of that name: where a name is there twice, it is the second that is one too many."""
    rows = [row for row, name in named.items() if name == wanted]
    return rows[-1] if rows else min(named, default=1)


def _part_of_arm(problem: Problem, values: Mapping[str, str], row: int) -> str:
    """A complaint about a number stands at the number: the share, or the cost where that cannot be read."""
    if "cost" in problem.message:
        return "cost"
    given = re.search(r"'(.*)'", problem.message)
    if given and given[1] == values.get(f"arm-cost-{row}", "") and given[1] != values.get(f"arm-share-{row}"):
        return "cost"
    return "share" if re.match("a number|'|its share|a share", problem.message) else "name"


def _part_of_goal(problem: Problem) -> str:
    checks: tuple[tuple[str, Callable[[str], object]], ...] = (
        ("days", lambda text: re.match(r"days from|\S+ looks \d+ days|a whole number", text)),
        ("metric", lambda text: re.match(r"there is no metric|it is the primary|.*is there twice", text)),
    )
    fallback = "margin" if problem.key == "guardrails" else "metric"
    return next((part for part, check in checks if check(problem.message)), fallback)
