"""What all events have in common."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
"""The code of an authority, a service, a category, a promise...: lower case, digits, hyphens."""

Sealed = Annotated[str, StringConstraints(min_length=1, max_length=700_000)]
"""Personal data under the request's key, base64 (shared/vault). Its form is seen when it is opened: it is the longest field."""

MailAddress = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=r"^[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f.]+(\.[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f.]+)+$",
    ),
]
"""A usager's mail address: one @, a domain with a dot, nothing that could end a header. RFC 5321 4.5.3.1 for the lengths."""


class Event(BaseModel):
    """A fact about one request. Frozen; a reader ignores fields it does not know (a later producer may add optional ones).

    `type_` is the CloudEvents type; its last part is the version. Adding an optional field keeps the version, anything
    else is a new one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type_: ClassVar[str]
    request_id: UUID
    authority: Code
    at: AwareDatetime

    @property
    def time(self) -> datetime:
        """The instant of the fact (CloudEvents `time`)."""
        return self.at
