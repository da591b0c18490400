"""Keeps the promise: clocks, warnings, escalations."""
