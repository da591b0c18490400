"""What came of trying tokens that are to open nothing, and how another site's form looks to a service."""

from dataclasses import dataclass, field
from typing import Final


@dataclass
class Tried:
    """How many tokens were tried, and what should not have happened. `read`: those of `tries` that were given to the code that
    reads them, and sent to no service."""

    tries: int = 0
    read: int = 0
    faults: list[str] = field(default_factory=list)

    def expect(self, told: str, *, seen: object, wanted: object) -> None:
        """Note that a token was tried, and that something else came of it than is wanted."""
        self.tries += 1
        if seen != wanted:
            self.faults.append(f"{told}: {seen}, wanted {wanted}")

    def unchanged(self, told: str, before: object, after: object) -> None:
        """Note that what a token was tried on is another one now."""
        if before != after:
            self.faults.append(f"{told} changed a request")


CROSS_SITE: Final = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Referer": "https://evil.example/"}
"""What a browser says when another site sends the form. Nothing here trusts a browser by itself (there is no login and no
cookie but the language), so another site can do what anybody can: nothing without the token."""
