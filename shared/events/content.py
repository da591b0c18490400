"""What is sealed inside events: everything that singles out a person. Only intake, the router and the notifier open it."""

from pydantic import BaseModel, ConfigDict, Field


class Content(BaseModel):
    """What the usager gave with the request. `tracking_token` opens their private tracking page."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None
    email: str | None
    phone: str | None
    text: str
    answers: dict[str, str] = Field(default_factory=dict)
    tracking_token: str


class UsagerMessage(BaseModel):
    """A later message of the usager."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str


class AgentAct(BaseModel):
    """Who acted (an agent's mail address, or the name of a business software), and the text for the usager if any."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    agent: str
    text: str | None = None
