"""Signed links: what an agent may do by following a link of a mail."""
