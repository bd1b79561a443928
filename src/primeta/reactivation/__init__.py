"""Reactivation, measured honestly: lapse, the ladder, whom to write and when, who they are."""
