"""W3C Trace Context: one request is one trace, through pages, log, mails and back.

The trace id of a request is its own id, so that whoever has one finds the other. A caller of the API who sends a
`traceparent` has in their own trace what their call is the cause of.

Source: W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from uuid import UUID

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def read_traceparent(text: str | None) -> str | None:
    """Return the context that a `traceparent` carries, as version 00; None when it is not valid: it is to be ignored then."""
    found = _FORM.fullmatch(text) if text and text.isascii() else None
    if found is None:
        return None
    version, trace, parent, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(parent, 16):
        return None
    return f"00-{trace}-{parent}-{int(flags, 16) & 1:02x}"


def traceparent_of(request_id: UUID) -> str:
    """Return the context that a request has of its own."""
    name = request_id.hex
    return f"00-{name}-{name[16:]}-01"
