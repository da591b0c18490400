"""Sealing of personal data under one key per request."""
