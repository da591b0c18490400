"""The figures: ours beside bare and naive ways of the same work, in one run."""
