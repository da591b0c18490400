"""The JSON API: hand over a request, see what became of it."""

import re
from typing import Any, Final

import msgspec
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, request_response

from services.intake.documents import AcceptedDocument, ProblemDocument, TrackedDocument, submission_schema
from services.intake.site import Site, unavailable
from services.intake.submission import Accepted, Invalid, submit
from services.intake.tracking import find_tracked
from shared.delivery.core import DigestMismatch
from shared.delivery.errors import Unavailable
from shared.delivery.values import Ticket
from shared.events.inbound import Submission
from shared.pages.problem import N_, FieldProblem, Problem

_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
_encode: Final = msgspec.json.Encoder().encode
_PROBLEM_CONTENT: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
_PROBLEMS: Final = {
    400: "The body is no JSON, is not UTF-8, or holds a NUL character",
    404: "No request has this token",
    409: "The same Idempotency-Key came with another body",
    413: "The body is too large",
    415: "The content type is not application/json",
    422: "Fields are wrong; `errors` names each by a JSON pointer",
    429: "Too many calls from this address; wait for Retry-After seconds",
    500: "An error that we did not foresee; `error_id` leads to our log. Try again with the same Idempotency-Key",
    503: "The database is away, or too many posts wait: try again after Retry-After seconds with the same Idempotency-Key",
}
_RETRY: Final = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}}


def _problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Any: OpenAPI."""
    told: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        told[code] = {"description": _PROBLEMS[code], "content": _PROBLEM_CONTENT}
        if code in (429, 503):
            told[code]["headers"] = _RETRY
    return told


_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Unique and hard to guess (a UUID). Sent again with the same body it gives the same answer, with 200.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[!-~]{1,200}$"},
}
_TOKEN_PARAMETER: Final = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "The tracking token",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_LINK_TO_TRACK: Final[dict[str, Any]] = {
    "operationId": "track_request",
    "parameters": {"token": "$response.body#/tracking_token"},
    "description": "What became of it",
}
"""Any: OpenAPI."""


def add_api(site: Site) -> None:
    """Add the API's routes to the application, and its OpenAPI document."""
    http = site.app.http

    @http.post(
        "/v1/requests",
        status_code=201,
        summary="Hand over a request",
        response_model=AcceptedDocument,
        responses={
            201: {
                "description": "Accepted and committed",
                "headers": {"Location": {"schema": {"type": "string"}}},
                "links": {"track": _LINK_TO_TRACK},
            },
            200: {"description": "The same Idempotency-Key and body as before: the same answer", "model": AcceptedDocument},
            **_problems(400, 409, 413, 415, 422, 429, 500, 503),
        },
        openapi_extra={
            "parameters": [_KEY_PARAMETER],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Submission"}}},
            },
        },
    )
    async def submit_request(request: Request) -> Response:
        """Take a request for a service of an authority.

        The answer comes once the request is committed: after it nothing can be lost. A service that does not exist or
        is closed is no error: the front desk takes the request.
        """
        site.limit_calls(request)
        submission = _read(request, await request.body())
        ticket = _ticket(site, request, submission)
        try:
            accepted = await submit(site.app.shell, site.acceptance, submission, ticket)
        except Invalid as invalid:
            raise _refusal(invalid) from None
        except DigestMismatch:
            raise _key_reused() from None
        except Unavailable:
            raise unavailable() from None
        return _accepted(site, accepted)

    _without_dependencies(http.routes[-1])
    http.routes.insert(0, http.routes.pop())  # compared with a path before all others: the way that must be fast

    @http.get(
        "/v1/requests/{token}",
        operation_id=_LINK_TO_TRACK["operationId"],
        summary="See what became of a request",
        response_model=TrackedDocument,
        responses={200: {"description": "The request as its usager may see it"}, **_problems(404, 500, 503)},
        openapi_extra={"parameters": [_TOKEN_PARAMETER]},
    )
    async def track_request(request: Request) -> Response:
        """Return state and history of the request that the token opens."""
        try:
            tracked = await find_tracked(site.app, site.vault, request.path_params["token"])
        except Unavailable:
            raise unavailable() from None
        if tracked is None:
            raise Problem(404, "unknown-token", detail=N_("Aucune demande n’a ce jeton de suivi."))
        body = TrackedDocument.of(tracked).model_dump_json()
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    http.openapi = lambda: _document(site)  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _without_dependencies(route: BaseRoute) -> None:
    """Call the endpoint straight: it takes a request and gives a response, FastAPI has nothing to inject or to serialise."""
    if not isinstance(route, APIRoute):
        raise TypeError("the route just added is FastAPI's")
    route.app = request_response(route.endpoint)


def _read(request: Request, body: bytes) -> Submission:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, detail=N_("Seul application/json est accepté à cette adresse."))
    try:
        return Submission.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        if any(fault["type"] == "value_error" for fault in faults):
            raise _unreachable() from None
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None


def _ticket(site: Site, request: Request, submission: Submission) -> Ticket | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        detail = N_("De 1 à 200 caractères ASCII visibles.")
        raise Problem(422, errors=[FieldProblem(field="Idempotency-Key", detail=detail, code="format", place="header")])
    return site.acceptance.ticket(submission, source=f"api/{submission.authority}", id=key)


def _refusal(invalid: Invalid) -> Problem:
    return Problem(422, errors=[FieldProblem(field=one.pointer, detail=one.message, code=one.code) for one in invalid.faults])


def _unreachable() -> Problem:
    detail = N_("Donnez une adresse électronique ou un téléphone, pour que l’on puisse répondre.")
    return Problem(422, errors=[FieldProblem(field="/email", detail=detail, code="unreachable")])


def _key_reused() -> Problem:
    return Problem(
        409,
        "idempotency-key-reused",
        title=N_("Cette clé a déjà servi"),
        detail=N_("La même clé Idempotency-Key est arrivée avec un autre contenu."),
        remedy=N_("Prenez une nouvelle clé pour une nouvelle demande."),
    )


def _accepted(site: Site, accepted: Accepted) -> Response:
    """Return the answer to an accepted request, made by hand: this is the way that must be fast."""
    state = accepted.state
    authority = site.app.authority(state.authority)
    promise, received_at = state.promise, state.received_at
    if promise is None or received_at is None or accepted.token is None:
        raise RuntimeError(f"request {accepted.request_id}: its tracking token cannot be made with the keys at hand")
    service = authority.owner_to_be(state.chosen, received_at)
    contact = service.contact(authority)
    document = {
        "request_id": accepted.request_id,
        "reference": state.reference,
        "tracking_token": accepted.token,
        "tracking_url": site.url(authority, site.tracking_path(authority.code, accepted.token)),
        "received_at": received_at,
        "service": {
            "code": service.code,
            "name": contact.name,
            "postal_address": contact.postal_address,
            "phone": contact.phone,
            "email": contact.email,
        },
        "promise": {
            "code": promise.code,
            "label": promise.label,
            "working_seconds": promise.working_seconds,
            "due_at": promise.due_at,
        },
    }
    return Response(
        _encode(document),
        status_code=200 if accepted.repeated else 201,
        media_type="application/json",
        headers={"Location": f"/v1/requests/{accepted.token}", "Cache-Control": "no-store"},
    )


def _document(site: Site) -> dict[str, Any]:
    """Return the OpenAPI document with the authorities installed now. Any: JSON."""
    http = site.app.http
    about = "Hand over requests to French local authorities, and follow them. Errors are problem details (RFC 9457)."
    document = get_openapi(title="Aiguilleur intake", version=http.version, routes=http.routes, description=about)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Submission"] = submission_schema(tuple(site.app.organisation.current.authorities))
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["ProblemDocument"] = problem
    return document
