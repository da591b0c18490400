"""`aiguilleur serve`: all five services in one process."""

import importlib


def serve() -> None:
    """Run the five services in this one process, each on its own port, until Ctrl-C. Enough for a small commune.

    Example: aiguilleur serve (the same as: python -m services)
    """
    importlib.import_module("services.__main__").main()  # only now: it loads all five services
