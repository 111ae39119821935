"""How refusals are told: one table from exception to status, slug and phrase.

Programs get RFC 9457 problem JSON, people a page. Exception texts never leave the process.
"""

import http
import json
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

import handoff.errors as desk
import kb.errors as knowledge
from bot import errors
from bot.assembly import services
from bot.attachments import errors as files
from bot.notifications import errors as notification_errors
from bot.phrases import Phrases

log = structlog.get_logger("bot.web")

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """What one kind of refusal is called; ``slug`` also names its phrase."""

    status: int
    slug: str


PROBLEMS: Mapping[type[Exception], Problem] = {
    errors.ConversationNotFound: Problem(404, "conversation_not_found"),
    errors.NotPermitted: Problem(403, "not_permitted"),
    errors.NotAuthenticated: Problem(401, "not_authenticated"),
    errors.LoginRefused: Problem(401, "login_refused"),
    errors.LockedOut: Problem(429, "locked_out"),
    errors.CsrfRefused: Problem(403, "csrf_refused"),
    errors.NotYourConversation: Problem(409, "not_your_conversation"),
    errors.NothingToAnswer: Problem(409, "nothing_to_answer"),
    errors.TicketNotFound: Problem(404, "ticket_not_found"),
    errors.TicketChanged: Problem(412, "ticket_changed"),
    errors.ReportNotFound: Problem(404, "report_not_found"),
    errors.PasswordChangeRequired: Problem(403, "password_change_required"),
    errors.InvalidInput: Problem(422, "invalid_input"),
    errors.MessageTooLong: Problem(413, "message_too_long"),
    errors.DeadLetterNotFound: Problem(404, "dead_letter_not_found"),
    errors.StaffNotFound: Problem(404, "staff_not_found"),
    errors.CallBackNotFound: Problem(404, "call_back_not_found"),
    errors.CallBackDone: Problem(409, "call_back_done"),
    errors.CalendarNotFound: Problem(404, "calendar_not_found"),
    errors.CalendarChanged: Problem(409, "calendar_changed"),
    errors.LastAdministrator: Problem(409, "last_administrator"),
    errors.GapNotFound: Problem(404, "gap_not_found"),
    errors.IdentityRefused: Problem(401, "identity_refused"),
    errors.GapChanged: Problem(409, "gap_changed"),
    errors.EvaluationNotFound: Problem(404, "evaluation_not_found"),
    errors.EvaluationRunning: Problem(409, "evaluation_running"),
    errors.GoldenGateClosed: Problem(409, "golden_gate_closed"),
    errors.GoldenQuestionInvalid: Problem(422, "golden_question_invalid"),
    files.AttachmentRefused: Problem(422, "attachment_unsupported"),
    files.AttachmentsOff: Problem(403, "attachments_off"),
    files.AttachmentEmpty: Problem(422, "attachment_empty"),
    files.AttachmentTooLarge: Problem(413, "attachment_too_large"),
    files.AttachmentUnsupported: Problem(415, "attachment_unsupported"),
    files.AttachmentHeic: Problem(415, "attachment_heic"),
    files.AttachmentBroken: Problem(422, "attachment_broken"),
    files.AttachmentHasMacros: Problem(422, "attachment_has_macros"),
    files.AttachmentInfected: Problem(422, "attachment_infected"),
    files.AttachmentUnscanned: Problem(503, "attachment_unscanned"),
    files.TooManyAttachments: Problem(409, "too_many_attachments"),
    files.AttachmentNotFound: Problem(404, "attachment_not_found"),
    files.AttachmentGone: Problem(410, "attachment_gone"),
    notification_errors.NotificationInvalid: Problem(422, "notification_invalid"),
    notification_errors.NotificationGone: Problem(404, "notification_gone"),
    notification_errors.NotificationChanged: Problem(409, "notification_changed"),
    notification_errors.SecretsKeyMissing: Problem(409, "secrets_key_missing"),
    notification_errors.SecretUnreadable: Problem(409, "secret_unreadable"),
    desk.TicketNotFound: Problem(404, "ticket_not_found"),
    desk.IllegalTransition: Problem(409, "illegal_transition"),
    desk.StaleTicket: Problem(409, "stale_ticket"),
    desk.NotHolder: Problem(409, "not_holder"),
    desk.NotPermitted: Problem(403, "not_permitted"),
    desk.NothingToChange: Problem(409, "nothing_to_change"),
    desk.InvalidText: Problem(422, "invalid_input"),
    desk.InvalidAppointment: Problem(422, "invalid_input"),
    desk.NoHigherLevel: Problem(409, "no_higher_level"),
    desk.MergeRefused: Problem(409, "merge_refused"),
    desk.LinkRefused: Problem(409, "link_refused"),
    desk.ReportRequired: Problem(409, "report_required"),
    desk.WorkOrderRequired: Problem(422, "work_order_required"),
    desk.RuleInvalid: Problem(422, "rule_invalid"),
    desk.RuleGone: Problem(404, "rule_gone"),
    desk.RuleChanged: Problem(409, "rule_changed"),
    desk.InvalidMark: Problem(422, "invalid_mark"),
    desk.WorkOrderRefused: Problem(409, "work_order_refused"),
    desk.IncidentNotFound: Problem(404, "incident_not_found"),
    desk.StaleIncident: Problem(412, "incident_changed"),
    desk.AttachRefused: Problem(409, "attach_refused"),
    desk.ReviewRequired: Problem(409, "review_required"),
    desk.InvalidTerms: Problem(500, "internal"),
    desk.UnknownTerms: Problem(500, "internal"),
    desk.NoWorkingTime: Problem(500, "internal"),
    desk.BrokenHistory: Problem(500, "internal"),
    knowledge.GuideMissing: Problem(404, "guide_missing"),
    knowledge.GuideInvalid: Problem(422, "guide_invalid"),
    knowledge.AnswerMissing: Problem(404, "answer_missing"),
    knowledge.AnswerVerbRefused: Problem(409, "answer_verb_refused"),
    knowledge.AnswerChanged: Problem(409, "answer_changed"),
    knowledge.AnswerLocked: Problem(409, "answer_locked"),
    knowledge.AnswerOwnReview: Problem(409, "answer_own_review"),
    knowledge.AnswerInvalid: Problem(422, "answer_invalid"),
    OperationalError: Problem(503, "unavailable"),
}
INTERNAL = Problem(500, "internal")
INVALID = Problem(422, "invalid_input")


def install(app: FastAPI) -> None:
    """Answer every refusal of the table, validation errors, and anything unforeseen."""
    for kind in PROBLEMS:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _unforeseen)


async def _known(request: Request, exc: Exception) -> Response:
    problem = next((PROBLEMS[kind] for kind in type(exc).__mro__ if kind in PROBLEMS), INTERNAL)
    if problem.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_failed", path=request.url.path, error=type(exc).__name__)
    headers = {}
    if isinstance(exc, errors.LockedOut):
        headers["Retry-After"] = str(exc.retry_after_s)
    return render(request, problem, headers=headers, extra=_extra(exc))


def _extra(exc: Exception) -> dict[str, object]:
    if isinstance(exc, errors.InvalidInput | desk.InvalidText):
        return {"field": exc.field}
    if isinstance(exc, errors.MessageTooLong | files.AttachmentTooLarge | files.TooManyAttachments):
        return {"limit": exc.limit}
    if isinstance(exc, errors.TicketChanged):
        return {"version": exc.version, "news": [_change(one) for one in exc.news]}
    return {}


def _change(change: errors.Change) -> dict[str, str]:
    return {
        "actor": change.actor,
        "actor_kind": change.actor_kind,
        "action": change.action,
        "at": change.at.isoformat(),
    }


async def _invalid(request: Request, exc: Exception) -> Response:
    fields: list[str] = []
    if isinstance(exc, RequestValidationError):
        fields = sorted({".".join(str(part) for part in e["loc"][1:]) for e in exc.errors()})
    return render(request, INVALID, extra={"fields": fields})


async def _http(request: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    slug = {
        404: "not_found",
        405: "method_not_allowed",
        413: "message_too_long",
    }.get(status, "refused")
    headers = dict(exc.headers or {}) if isinstance(exc, HTTPException) else {}
    return render(request, Problem(status, slug), headers=headers)


async def _left(request: Request, _exc: Exception) -> Response:
    """The browser went to another page while it was sending: nobody reads an answer."""
    log.debug("client_left", path=request.url.path)
    return Response(status_code=400)


async def _unforeseen(request: Request, exc: Exception) -> Response:
    log.error("request_crashed", path=request.url.path, error=type(exc).__name__, exc_info=exc)
    return render(request, INTERNAL)


def render(
    request: Request,
    problem: Problem,
    *,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Response:
    """The problem as JSON for programs and partial requests, as a page for browsers."""
    app = services(request.app)
    body = _body(app.phrases, problem)
    if _wants_page(request):
        return app.pages.problem(
            request,
            status=problem.status,
            title=str(body["title"]),
            detail=str(body["detail"]),
            headers=headers or {},
        )
    return JSONResponse(
        {**body, **(extra or {})},
        status_code=problem.status,
        headers=dict(headers or {}),
        media_type=PROBLEM_JSON,
    )


def told_early(phrases: Phrases, kind: type[Exception]) -> bytes:
    """The body of a refusal that is given before any route is known."""
    problem = PROBLEMS[kind]
    return json.dumps(_body(phrases, problem), ensure_ascii=False).encode()


def _body(phrases: Phrases, problem: Problem) -> dict[str, object]:
    return {
        "type": f"about:blank#{problem.slug}",
        "title": phrases.say(f"problem.{problem.slug}.title"),
        "status": problem.status,
        "detail": phrases.say(f"problem.{problem.slug}.detail"),
    }


def _wants_page(request: Request) -> bool:
    if request.url.path.startswith(("/api/", "/metrics", "/healthz", "/readyz")):
        return False
    return "text/html" in request.headers.get("accept", "")
