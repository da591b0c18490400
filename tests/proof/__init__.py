"""Proofs and figures by name: `python -m tests.proof <name>` runs one, prints its table and writes it as JSON."""
