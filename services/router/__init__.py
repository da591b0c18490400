"""Owns who does what, and the request's life."""
