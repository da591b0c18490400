"""Loaded by schemathesis: about half of what it makes up for a path becomes a request or an authority that exists."""

import os
from typing import Any

import schemathesis

KNOWN = {"request_id": os.environ["FUZZ_REQUEST_ID"], "authority": "rivemont"}


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Any: whatever schemathesis made up."""
    told = dict(path_parameters or {})
    for name, value in told.items():
        if name in KNOWN and sum(map(ord, str(value))) % 2 == 0:
            told[name] = KNOWN[name]
    return told
