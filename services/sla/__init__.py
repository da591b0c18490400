"""Keeps the promise."""
