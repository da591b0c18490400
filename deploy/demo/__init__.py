"""A day of a town's requests through the real services: `make demo`."""
