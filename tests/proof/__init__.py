"""Figures and proofs, each beside a reference in the same run: `python -m tests.proof <name>`."""
