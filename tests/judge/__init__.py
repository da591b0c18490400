"""Who judges what a run of the town left behind: the invariants, and the ways to break each on purpose."""
