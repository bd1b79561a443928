"""Primeta."""
