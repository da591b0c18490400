"""Turns anything into a request."""
