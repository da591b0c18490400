"""Seeded bugs: each is put into a copy of the code, and something has to notice."""
