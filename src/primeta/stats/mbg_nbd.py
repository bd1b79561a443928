"""MBG/NBD: as BG/NBD, but a customer may also leave right after his first order.

Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis",
International Journal of Research in Marketing 24, 201.
"""

from __future__ import annotations

from primeta.stats.beta_geometric import BetaGeometric

MBG_NBD = BetaGeometric(name="mbg-nbd", leaves_at_start=True)
