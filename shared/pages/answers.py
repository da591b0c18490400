"""Answers: how a problem reaches the caller, problem+json for programs and a page for people."""

import gettext
import secrets
from collections.abc import Callable
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from shared.pages.brand import Frame
from shared.pages.environment import Pages
from shared.pages.problem import Problem
from shared.pages.validation import field_problems

MEDIA_TYPE = "application/problem+json"
_encode: Final = msgspec.json.Encoder().encode


class ProblemAnswers:
    """Turns problems into answers.

    `frame_of` gives the frame for any request, also one to an unknown authority; it must not raise.
    `report` is told the error id and the exception of each unexpected error; it decides what of it may be logged.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        frame_of: Callable[[Request], Frame],
        report: Callable[[str, Exception], None],
        api_prefixes: tuple[str, ...] = ("/v1/",),
    ) -> None:
        self._pages = pages
        self._frame_of = frame_of
        self._report = report
        self._api_prefixes = api_prefixes

    def install(self, app: FastAPI) -> None:
        """Problems, HTTP errors and validation errors of the application's routes are answered here."""

        async def on_problem(request: Request, error: Exception) -> Response:
            assert isinstance(error, Problem)
            return self.answer(request, error)

        async def on_http(request: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            return self.answer(request, Problem(error.status_code, headers=error.headers))

        async def on_validation(request: Request, error: Exception) -> Response:
            assert isinstance(error, RequestValidationError)
            return self.answer(request, self._validation(request, error))

        app.add_exception_handler(Problem, on_problem)
        app.add_exception_handler(HTTPException, on_http)
        app.add_exception_handler(RequestValidationError, on_validation)

    def answer(self, request: Request, problem: Problem) -> Response:
        frame = self._frame_of(request)
        translations = self._pages.catalogue.translations(frame.language)
        if self._wants_json(request):
            body = _encode(problem_document(problem, translations))
            return Response(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)
        return self._pages.page("page_error.html", frame, status_code=problem.status, headers=problem.headers, problem=problem)

    def unexpected(self, request: Request, error: Exception) -> Response:
        """The answer to what nobody foresaw: an id that leads to the log, and nothing of the error itself."""
        error_id = secrets.token_hex(5)
        self._report(error_id, error)
        try:
            return self.answer(request, Problem(500, error_id=error_id))
        except Exception as second:  # the error page itself failed: the last resort needs no template
            self._report(error_id, second)
            return PlainTextResponse(f"Erreur interne / internal error: {error_id}", status_code=500)

    def _wants_json(self, request: Request) -> bool:
        if request.scope["path"].startswith(self._api_prefixes):
            return True
        accept = request.headers.get("accept", "")
        return "json" in accept and "text/html" not in accept

    def _validation(self, request: Request, error: RequestValidationError) -> Problem:
        errors = error.errors()
        if any(one["type"] == "json_invalid" for one in errors):
            status = 400
        elif any(tuple(one["loc"]) == ("body",) for one in errors) and not _is_json(request):
            status = 415
        else:
            status = 422
        translations = self._pages.catalogue.translations(self._frame_of(request).language)
        return Problem(status, errors=field_problems(errors, translations) if status != 415 else ())


def problem_document(problem: Problem, translations: gettext.NullTranslations) -> dict[str, Any]:  # Any: JSON
    """The members of RFC 9457, and ours: `code`, `remedy`, `errors`, `error_id`."""
    document: dict[str, Any] = {
        "type": problem.type,
        "title": translations.gettext(problem.title),
        "status": problem.status,
        "detail": translations.gettext(problem.detail),
        "code": problem.code,
        "remedy": translations.gettext(problem.remedy),
    }
    if problem.errors:
        document["errors"] = [
            {"field": one.field, "detail": translations.gettext(one.detail), "code": one.code}
            | ({} if one.place == "body" else {"in": one.place})
            for one in problem.errors
        ]
    if problem.error_id:
        document["error_id"] = problem.error_id
    return document


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
