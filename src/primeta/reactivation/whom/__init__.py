"""Whom to write: uplift learnt from a lottery, and what a policy built on it is worth to customers held out."""
