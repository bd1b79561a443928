"""The command line: which verbs there are, and how an error reaches a person.

Verbs are named here by their place and imported when called: `primeta --help` answers at once.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from typing import NoReturn

from cyclopts import App, CycloptsError, Group

from primeta.errors import DiskFull, PrimetaError

LOOP = Group("The loop", sort_key=1)
FILES = Group("On plain files", sort_key=2)
WORKSPACE = Group("A workspace", sort_key=0)
LIFE = Group("In a workspace", sort_key=1)

VERBS = {
    "demo": ("primeta.cli.demo:demo", WORKSPACE, "A workspace from real data, the whole cycle, the pages."),
    "init": ("primeta.cli.workspace:init", WORKSPACE, "A new workspace with a commented primeta.toml."),
    "doctor": ("primeta.cli.doctor:doctor", WORKSPACE, "What is wrong with the data, rule by rule."),
    "serve": ("primeta.cli.workspace:serve", WORKSPACE, "The pages, on this machine only unless told."),
    "world": ("primeta.cli.world:world", WORKSPACE, "A simulated company whose truth is known."),
    "collect": ("primeta.cli.collect:collect", LOOP, "Fetch and read the sources whose time has come."),
    "sources": ("primeta.cli.collect:sources", LOOP, "How every source does, and what failed."),
    "watch": ("primeta.cli.watch:watch", LOOP, "Measure, detect, confirm; safe to repeat and to kill."),
    "signals": ("primeta.cli.watch:signals", LOOP, "What was seen, with its evidence."),
    "trends": ("primeta.cli.trends:trends", LOOP, "Cards with grade, weighing and decision."),
    "log": ("primeta.cli.trends:log", LOOP, "Write down a sign that a person saw."),
    "decide": ("primeta.cli.trends:decide", LOOP, "Answer a trend: what, by when, who, judged how."),
    "voices": ("primeta.cli.voices:voices", LOOP, "What customers speak of, and what they did afterwards."),
    "search": ("primeta.cli.search:search", LOOP, "Find what was said, by words and by meaning."),
    "digest": ("primeta.cli.watch:digest", LOOP, "The week in one page."),
    "deliver": ("primeta.cli.deliver:deliver", LOOP, "Digest and due reviews to mail and messengers, once."),
    "calendar": ("primeta.cli.deliver:calendar", LOOP, "Due reviews and ends of tests for a calendar."),
    "certify": (
        "primeta.cli.certify:certify",
        LOOP,
        "How often are experiments wrong on your own customers?",
    ),
    "detect": ("primeta.cli.detect:detect", FILES, "Change points of any series in a file."),
    "topics": ("primeta.cli.topics:topics", FILES, "What people have begun to speak of, from dated texts."),
    "ltv": ("primeta.cli.ltv:ltv", FILES, "What each customer will bring, from an order log."),
}

EXPERIMENT_IN_A_WORKSPACE = {
    "list": "What waits, what runs and what it says.",
    "show": "One experiment: plan, look, checks, decision.",
    "declare": "Declare one, or a new version of one.",
    "sync": "Take over what primeta.toml declares.",
    "size": "How large and how long, by your own history.",
    "start": "Start it; its plan stays as it is.",
    "stop": "Nobody enters from now on.",
    "audience": "The customers of an arm, as a file.",
    "look": "Look at it now; what was seen is kept.",
    "decide": "Decide on the numbers of the last look.",
    "rollout": "The next step to all; gates may halt it.",
    "lesson": "Write down what was learnt.",
    "lessons": "Find what was learnt.",
}
EXPERIMENT_ON_FILES = {
    "plan": "Sample size and duration.",
    "assign": "The arm of each customer of a file.",
    "analyse": "Effects and a decision from one row per customer.",
}

REACTIVATION: dict[str, tuple[str, str]] = {
    "ladder": (
        "primeta.cli.reactivation_ladder:ladder",
        "What a campaign brought, rung by rung, against the control.",
    ),
    "lapse": ("primeta.cli.reactivation_lapse:lapse", "Who is silent longer than his own rhythm allows."),
    "moment": ("primeta.cli.reactivation_policy:moment", "The best day since the lapse to write on."),
    "sequence": ("primeta.cli.reactivation_policy:sequence", "The best sequence of channels."),
    "discount": ("primeta.cli.reactivation_policy:discount", "The best discount by time since the lapse."),
    "whom": ("primeta.cli.reactivation_whom:whom", "Whom to write, and whether choosing pays."),
    "interviews": (
        "primeta.cli.reactivation_people:interviews",
        "Whom to call, what to ask, what they said.",
    ),
    "farms": (
        "primeta.cli.reactivation_people:farms",
        "One person behind many accounts; effects without them.",
    ),
    "sources": (
        "primeta.cli.reactivation_people:sources",
        "What customers of each acquisition source bring.",
    ),
}

ATTENTION: dict[str, tuple[str, str]] = {
    "replay": (
        "primeta.cli.attention_replay:replay",
        "Which promises did our messages break, and what did they cost in credit?",
    ),
    "health": (
        "primeta.cli.attention_report:health",
        "How much attention customers lend, and what may be sent today.",
    ),
    "promises": (
        "primeta.cli.attention_report:promises",
        "Which promises were broken, how often, by whom.",
    ),
    "campaigns": (
        "primeta.cli.attention_report:campaigns",
        "Which campaigns spent or earned the customers' credit.",
    ),
    "policy": (
        "primeta.cli.attention_policy:policy",
        "The rules of sending: in force, a draft, its replay, switching on.",
    ),
    "may-send": ("primeta.cli.attention_may_send:may_send", "May we send this to him, and why not?"),
    "choose": ("primeta.cli.attention_may_send:choose", "Which of several messages goes to him?"),
    "filter": (
        "primeta.cli.attention_may_send:filter_audience",
        "May we send this to each of a file of customers?",
    ),
    "sync": (
        "primeta.cli.attention_may_send:sync",
        "Take over consents, messages and reactions of the mapped tables.",
    ),
    "links": (
        "primeta.cli.attention_links:links",
        "Links by which each customer unsubscribes, chooses and asks why.",
    ),
    "credit": ("primeta.cli.attention_credit:credit", "How much attention one customer lends us."),
    "blind": (
        "primeta.cli.attention_blind:blind",
        "Who most probably no longer looks, and where fewer look.",
    ),
    "customer": (
        "primeta.cli.attention_customer:customer",
        "What lies before one customer's eyes, at any moment.",
    ),
    "first-days": (
        "primeta.cli.attention_customer:first_days",
        "What new customers really receive in their first days.",
    ),
    "marks": ("primeta.cli.attention_customer:marks", "Would reviewers wait for the next message?"),
    "record": ("primeta.cli.attention:record", "Write events into the ledger, each once."),
    "wishes": ("primeta.cli.attention:wishes", "What customers asked for and nobody has looked at yet."),
    "dossier": ("primeta.cli.attention_rights:dossier", "All that is held about one customer, for him."),
    "erase": ("primeta.cli.attention_rights:erase", "Erase one customer everywhere, with a receipt."),
    "retain": ("primeta.cli.attention_rights:retain", "Empty what is older than it may be kept."),
    "verify": ("primeta.cli.attention:verify", "Was any entry of the ledger changed, removed, inserted?"),
}
CONSENTS: dict[str, tuple[str, str]] = {
    "import": ("primeta.cli.attention:import_consents", "Take over consents with the proof that they have."),
    "coverage": ("primeta.cli.attention_policy:coverage", "How far consents to marketing reach, by channel."),
    "of": ("primeta.cli.attention_policy:of", "What one customer said, each with its proof."),
}


def build() -> App:
    """The application with every verb registered lazily."""
    app = App(
        name="primeta",
        help="Signs, tested against a control group.",
        version=lambda: version("primeta"),
    )
    for name, (place, group, words) in VERBS.items():
        app.command(place, name=name, group=group, help=words)
    trend = App(name="trend", help="Make a trend, attach signals to it, edit its card.", group=LOOP)
    for name in ("new", "attach", "edit"):
        trend.command(f"primeta.cli.trends:{name}", name=name)
    app.command(trend)
    experiment = App(
        name="experiment",
        help="Try an idea against a control group, from hypothesis to decision.",
        group=LOOP,
    )
    for number, (name, words) in enumerate(EXPERIMENT_IN_A_WORKSPACE.items()):
        place = "primeta.cli.experiments:" + ("listing" if name == "list" else name)
        experiment.command(place, name=name, group=LIFE, help=words, sort_key=number)
    for name, words in EXPERIMENT_ON_FILES.items():
        experiment.command(f"primeta.cli.experiment:{name}", name=name, group=FILES, help=words)
    app.command(experiment)
    reactivation = App(
        name="reactivation",
        help="Who came back by himself, who was won back, and what it is worth.",
        group=LOOP,
    )
    for number, (name, (place, words)) in enumerate(REACTIVATION.items()):
        reactivation.command(place, name=name, help=words, sort_key=number)
    if REACTIVATION:
        app.command(reactivation)
    attention = App(
        name="attention",
        help="Promises, consents and what the attention of customers bears.",
        group=LOOP,
    )
    for number, (name, (place, words)) in enumerate(ATTENTION.items()):
        attention.command(place, name=name, help=words, sort_key=number)
    consents = App(name="consents", help="Consents and their proof.")
    for name, (place, words) in CONSENTS.items():
        consents.command(place, name=name, help=words)
    attention.command(consents)
    app.command(attention)
    return app


def run(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit status: 0 done, 1 the answer is no, 2 an error."""
    try:
        status = build()(
            arguments,
            exit_on_error=False,
            print_error=False,
            result_action="return_int_as_exit_code_else_zero",
        )
    except CycloptsError as error:
        _complain(str(error))
    except PrimetaError as error:
        _complain(str(error), error.exit_status)
    except BrokenPipeError:
        # The reader (head, less) has left: nothing to tell and nobody to tell it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            full = DiskFull(f"there is no room to write {error.filename or 'the result'}: {error.strerror}")
            _complain(f"{full}. Free some space and run the command again.")
        _complain(f"{error.filename or 'a file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        _complain("interrupted; nothing was half-written, run the command again to go on", 130)
    sys.exit(status)


def _complain(message: str, status: int = 2) -> NoReturn:
    sys.stderr.write(f"primeta: {message.strip()}\n")
    sys.exit(status)
