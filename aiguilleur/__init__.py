"""The command line of an installation."""
