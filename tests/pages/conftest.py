"""A small application on the kit: a JSON API, forms and pages that go wrong on purpose."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Form, UploadFile
from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.pages.answers import ProblemAnswers
from shared.pages.brand import Brand
from shared.pages.environment import Pages
from shared.pages.language import frame_for
from shared.pages.problem import FieldProblem, Problem
from shared.pages.security import secure

BRAND = Brand(code="rives", name="Ville de Rives", short_name="Rives", languages=("fr", "en"))
LIMIT = 2_000
SECRET = "Madame Secrète"


class Contact(BaseModel):
    email: str = Field(max_length=20)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    contact: Contact
    service: str

    @field_validator("service")
    @classmethod
    def known(cls, service: str) -> str:
        if service != "roads":
            raise ValueError("Service inconnu <b>.")
        return service


def build(reported: list[tuple[str, Exception]]) -> FastAPI:
    app = FastAPI()

    @app.post("/v1/requests")
    async def submit(body: Body) -> dict[str, str]:
        return {"service": body.service}

    @app.get("/v1/requests/{number}")
    async def read(number: int, limit: int = 1) -> int:
        return number

    @app.get("/v1/conflict")
    async def conflict() -> None:
        raise Problem(409, "key-reused", errors=[FieldProblem(field="/key", detail="Déjà utilisée.", code="reused")])

    @app.post("/form")
    async def form(text: Annotated[str, Form()]) -> str:
        return text

    @app.post("/upload")
    async def upload(file: UploadFile) -> int:
        return len(await file.read())

    @app.get("/broken")
    @app.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET)

    @app.get("/gone")
    async def gone() -> None:
        raise Problem(410)

    answers = ProblemAnswers(
        Pages(),
        frame_of=lambda request: frame_for(request, BRAND),
        report=lambda error_id, error: reported.append((error_id, error)),
    )
    secure(app, answers, max_body_bytes=LIMIT)
    return app


@pytest.fixture
def reported() -> list[tuple[str, Exception]]:
    return []


@pytest.fixture
async def client(reported: list[tuple[str, Exception]]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build(reported))
    async with httpx.AsyncClient(transport=transport, base_url="http://rives.test") as client:
        yield client
