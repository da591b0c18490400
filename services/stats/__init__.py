"""Counts without names."""
