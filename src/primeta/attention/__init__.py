"""Attention credit: promises, consents, "may we send this?", replay."""
