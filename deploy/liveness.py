"""The image's health check: asks /live of each service that listens in this container.

Exit 0: every one that listens is alive, and at least one does. Standard library only, started every ten seconds.
"""

import os
import sys
import urllib.error
import urllib.request

PORTS = {"INTAKE": 8001, "ROUTER": 8002, "SLA": 8003, "NOTIFIER": 8004, "STATS": 8005}
SECONDS = 3


def fault_of(port: int) -> str | None:
    """Why the service on this port is not alive; None: it is. Raises ConnectionRefusedError: nobody listens."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=SECONDS).close()  # our own address
    except urllib.error.HTTPError as error:
        return error.read(500).decode(errors="replace").strip()
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            raise error.reason from None
        return str(error.reason)
    except OSError as error:
        return str(error) or type(error).__name__
    return None


def main() -> int:
    """Say what is wrong, one line per service."""
    listening = 0
    faults = []
    for name, default in PORTS.items():
        port = int(os.environ.get(f"AIGUILLEUR_{name}_PORT", default))
        try:
            fault = fault_of(port)
        except ConnectionRefusedError:
            continue
        listening += 1
        if fault is not None:
            faults.append(f"{name.lower()}: {fault}")
    print("\n".join(faults) or f"{listening} alive")
    return 0 if listening and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
