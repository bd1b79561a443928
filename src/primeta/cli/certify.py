"""`certify`: how often experiments on the team's own customers are wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def certify(
    directory: Path,
    *,
    metric: Annotated[list[str] | None, Parameter(negative="")] = None,
    window: int = 28,
    splits: int = 2_000,
    share: float = 0.5,
    looks: int = 20,
    sample: int = 100_000,
    level: float = 0.95,
    seed: int = 0,
    sizes: Annotated[bool, Parameter(negative="")] = False,
    last: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    language: Language = "",
) -> None:
    """Try thousands of tests without an effect, and with a planted one, on your own customers.

    Exit status 1 where a metric does not keep what its interval promises.

    Parameters
    ----------
    directory:
        The workspace.
    metric:
        Only this metric; may be repeated. Default: all that are watched.
    window:
        Days of the window, the last finished ones; as many before it are the covariate (CUPED).
    splits:
        Random splits for each metric and size.
    share:
        Share of the customers in the arm; the rest are the control.
    looks:
        Looks at which the always-valid interval is tried; 0: none.
    sample:
        Customers in one split, where the base has more.
    level:
        Level of the intervals.
    seed:
        The same seed gives the same certificate.
    sizes:
        For each metric, a table of the sizes that were tried.
    last:
        Show the certificate made last instead of making one.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.errors import NotFound
    from primeta.experiments.certify import Asked

    ws = open_at(directory)
    if last:
        found = ws.last_certificate()
        if found is None:
            raise NotFound(f"no certificate has been made here yet; run `primeta certify {directory}`")
    else:
        asked = Asked(splits=splits, seed=seed, level=level, share=share, looks=looks, most=sample)
        with progress("certify") as step:
            found = ws.certify(
                now=clock(), metrics=metric or (), window_days=window, asked=asked, progress=step
            )
    if json:
        put_json(found.as_dict())
    else:
        lang = language_of(ws, language)
        put(f"{found.line(lang)}\n\n{found.table(lang).text()}")
        if sizes:
            for entry in found.known:
                put(f"\n{found.ladder(lang, metric=entry.name).text()}")
    if not found.ok:
        sys.exit(1)
