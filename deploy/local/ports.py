"""Free loopback ports."""

import random
import socket

# Below Linux's ephemeral range (32768-60999): there, an outgoing connection could take the port of a server
# that is being restarted.
_FIRST, _LAST = 20_000, 32_000
_handed_out: set[int] = set()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on now and that this process has not handed out before."""
    for _ in range(1_000):
        port = random.randint(_FIRST, _LAST)
        if port not in _handed_out and is_free(port):
            _handed_out.add(port)
            return port
    raise RuntimeError(f"no free port between {_FIRST} and {_LAST} on 127.0.0.1")
