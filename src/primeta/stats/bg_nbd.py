"""BG/NBD: orders at random while here, and a chance of leaving after each repeat order.

Fader, Hardie & Lee (2005), "Counting your customers the easy way: an alternative to the Pareto/NBD model",
Marketing Science 24, 275. A customer without a repeat order cannot have left.
"""

from __future__ import annotations

from primeta.stats.beta_geometric import BetaGeometric

BG_NBD = BetaGeometric(name="bg-nbd", leaves_at_start=False)
