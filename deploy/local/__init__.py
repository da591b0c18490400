"""Real servers for the demo and the tests, from Python packages alone: Kafka, PostgreSQL, a mail sink, Chromium.

`python -m deploy.local` starts them in the foreground. Tests and the demo go through `deploy.local.address`, which
prefers an address in the environment, then Docker, then these local processes.
"""
