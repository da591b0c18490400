"""`python -m deploy.local`: Kafka, PostgreSQL and the mail sink in the foreground, until Ctrl-C.

Prints `export` lines for another terminal. The data goes with the servers, unless --folder says where to keep it.
"""

import argparse
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from deploy.local import address, folders


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the data here for the next run")
    kept: Path | None = parser.parse_args().folder
    folders.sweep_dead_runs()
    folder = kept or folders.own_run()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        with ExitStack() as servers:
            print("Starting Kafka, PostgreSQL and the mail sink (the first time fetches about 120 MB)", file=sys.stderr)
            began = time.monotonic()
            bootstrap = servers.enter_context(address.kafka(folder / "kafka"))
            dsn = servers.enter_context(address.postgres(folder / "postgres"))
            mail = servers.enter_context(address.smtp(folder / "mail"))
            print(f"export AIGUILLEUR_KAFKA={bootstrap}")
            print(f"export AIGUILLEUR_POSTGRES_ADMIN='{dsn}'")
            print(f"export AIGUILLEUR_SMTP={mail.smtp}")
            print(f"# mails: {mail.page or 'see your own server'}", flush=True)
            print(f"Ready after {time.monotonic() - began:.0f} s. Ctrl-C stops them.", file=sys.stderr)
            signal.pause()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    finally:
        if kept is None:
            folders.remove(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
