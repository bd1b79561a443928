"""What the simulated messages say: a title and a text for each campaign and each triggered message, in English."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.worlds.attention import PURPOSES, AttentionWorld

_STREAM = 11
"""Of random numbers, beside those of the world itself: the same seed draws the same world, with texts and without."""

# By purpose; {thing} and {percent} are drawn once for each campaign.
CAMPAIGNS: dict[str, tuple[tuple[str, str], ...]] = {
    "useful": (
        ("Five ways to wear {thing}", "Our stylist put together a week of outfits. A two-minute read."),
        ("How to look after {thing}", "Wash it cold, dry it flat: small habits that make it last for years."),
        ("What is new this week: {thing}", "Nine things that came in since Monday, and which of them go together."),
        ("Which size of {thing} is yours?", "Measure once, save it in your account, and stop guessing."),
    ),
    "offer": (
        ("{percent}% off {thing}", "In the shop and online until Sunday evening. Delivery to you is free."),
        ("A second pair of {thing} at half price", "Put both in the basket; the cheaper one is counted by half."),
        ("{thing}: the season's prices", "Down by {percent}% on what is left of the collection."),
        ("Points are worth double on {thing}", "Every purchase of this week brings twice as many points."),
    ),
    "press": (
        ("Last hours: {percent}% off {thing}", "It ends at midnight and will not be repeated this season."),
        ("Only a few left of {thing}", "Your size is nearly gone. Order now, or it goes to somebody else."),
        ("Did you forget something? {thing}", "We keep your basket until tonight. Do not let it go to waste."),
        ("Final call for {thing}", "{percent}% off today only. After that the price is back where it was."),
    ),
}  # fmt: skip
TRIGGERED: dict[str, tuple[tuple[str, str], ...]] = {
    "service": (
        ("Your order is on its way", "It will be with you tomorrow between 10 and 14. Track it in the app."),
        ("Your parcel is waiting", "It lies at the pick-up point until Friday. Show the code at the counter."),
        ("Your receipt", "Thank you. The receipt and the guarantee are in your account."),
        ("The refund is done", "The money is on its way to your card; banks take up to three days."),
    ),
    "useful": (
        ("How did it go?", "Tell us in one tap whether the size was right; we will remember it."),
        ("Back in stock: what you looked at", "It is here again in your size. We hold nothing and press nothing."),
        ("How to keep it like new", "Care for what you bought last month, in four pictures."),
        ("Your points, and what they are good for", "You have enough for free delivery. They last until December."),
    ),
    "offer": (
        ("It goes well with what you bought", "A belt and a bag that our customers take with it."),
        ("Still thinking about it?", "What you looked at costs less this week."),
        ("A gift for your next order", "A code for 5% lies in your account for ten days."),
        ("We have missed you", "Ten per cent off the next order, if you feel like coming back."),
    ),
}  # fmt: skip
THINGS = (
    "linen shirts",
    "running shoes",
    "wool coats",
    "denim",
    "summer dresses",
    "rain jackets",
    "bags",
    "knitwear",
)
PERCENTS = (10, 15, 20, 25, 30, 40)


def message_texts(world: AttentionWorld) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Title and text of each touch; (n,) texts each."""
    rng = np.random.default_rng([world.seed, _STREAM])
    n = len(world.sent)
    title, text = np.empty(n, dtype=object), np.empty(n, dtype=object)
    title[:], text[:] = "", ""
    campaigns = int(world.campaign.max(initial=-1)) + 1
    draws = rng.integers(0, 4 * len(THINGS) * len(PERCENTS), size=campaigns)
    for purpose, variants in CAMPAIGNS.items():
        rows = np.flatnonzero((world.campaign >= 0) & (world.purpose == PURPOSES.index(purpose)))
        told = np.array([_filled(variants, int(draw)) for draw in draws] or [("", "")], dtype=object)
        title[rows], text[rows] = told[world.campaign[rows]].T
    which = rng.integers(0, 4, size=n)
    for purpose, variants in TRIGGERED.items():
        rows = np.flatnonzero((world.campaign < 0) & (world.purpose == PURPOSES.index(purpose)))
        title[rows], text[rows] = np.array(variants, dtype=object)[which[rows]].T
    return title, text


def _filled(variants: tuple[tuple[str, str], ...], draw: int) -> tuple[str, str]:
    variant, rest = draw % 4, draw // 4
    words = {"thing": THINGS[rest % len(THINGS)], "percent": PERCENTS[rest // len(THINGS)]}
    title, text = (part.format(**words) for part in variants[variant])
    return title[:1].upper() + title[1:], text
