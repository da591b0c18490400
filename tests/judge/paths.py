"""The state table of a life, told anew for the checker. A test holds it against the router's own: a change is made in both."""

from typing import Final

PATHS: Final[dict[str, dict[str, str]]] = {
    "assigned": {
        "take_charge": "in_charge",
        "ask": "waiting",
        "answer": "answered",
        "transfer": "assigned",
        "resolve": "resolved",
        "add": "assigned",
        "withdraw": "withdrawn",
        "erase": "erased",
    },
    "in_charge": {
        "ask": "waiting",
        "answer": "answered",
        "transfer": "assigned",
        "resolve": "resolved",
        "add": "in_charge",
        "withdraw": "withdrawn",
        "erase": "erased",
    },
    "waiting": {
        "ask": "waiting",
        "answer": "answered",
        "transfer": "assigned",
        "resolve": "resolved",
        "add": "in_charge",
        "withdraw": "withdrawn",
        "erase": "erased",
    },
    "answered": {
        "ask": "waiting",
        "answer": "answered",
        "transfer": "assigned",
        "resolve": "resolved",
        "add": "answered",
        "withdraw": "withdrawn",
        "reopen": "assigned",
        "erase": "erased",
    },
    "resolved": {"add": "assigned", "reopen": "assigned", "erase": "erased"},
    "withdrawn": {"erase": "erased"},
    "erased": {},
}
"""By state: what may be asked for in it, and the state that follows."""
OWNED: Final = frozenset({"assigned", "in_charge", "waiting", "answered"})
"""The states in which exactly one service owns the request."""
