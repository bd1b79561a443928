"""Figures that the issues aim at, beside the peers, in one run."""
