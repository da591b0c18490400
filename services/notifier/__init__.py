"""Speaks by mail."""
