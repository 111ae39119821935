"""A verb that leads back to a page, and to the page's own form when it is refused."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.responses import RedirectResponse, Response

Refusal = TypeVar("Refusal", bound=Exception)


async def or_refused(
    verb: Awaitable[object],
    kinds: type[Refusal] | tuple[type[Refusal], ...],
    page: Callable[[Refusal], Awaitable[Response]],
    *,
    then: str,
) -> Response:
    """Do it and go ``then``; the ``page`` that says why not, when it is refused."""
    try:
        await verb
    except kinds as refused:
        return await page(refused)
    return RedirectResponse(then, 303)
