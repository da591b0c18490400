"""The shell: takes events and commands, runs a service's pure step on them, and makes the outcome durable, once."""
