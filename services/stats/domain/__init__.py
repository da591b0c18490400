"""The pure part of the service: no framework, no clock, no I/O."""
