"""An HTTP client that reaches the platform within the process, over a network that may fail."""

import asyncio
from dataclasses import dataclass, field

import httpx
from typing_extensions import override

from connectors.fake_wecom.app import create_app
from connectors.fake_wecom.platform import FakeWecom


@dataclass
class FakeNetwork(httpx.AsyncBaseTransport):
    """Carries requests to the platform. Token calls are never disturbed.

    ``failures``: raised for the next calls, which then never arrive; ``lose_answers``: so many
    calls are carried out, but their answer is lost on the way back.
    """

    platform: FakeWecom
    failures: list[httpx.HTTPError] = field(default_factory=list)
    lose_answers: int = 0
    requests: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._inner = httpx.ASGITransport(create_app(self.platform))

    def client(self) -> httpx.AsyncClient:
        """A client on this network."""
        return httpx.AsyncClient(transport=self)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # like a network, it lets others run meanwhile
        _ = await request.aread()
        self.requests.append(request)
        calls = not request.url.path.endswith("/gettoken")
        if calls and self.failures:
            raise self.failures.pop(0)
        answer = await self._inner.handle_async_request(request)
        if calls and self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadTimeout("the answer is lost", request=request)
        return answer
