"""An application of this process on a free port of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.postgres import free_port
from tests.thrift import PromptServer


@asynccontextmanager
async def listening(app: Any, port: int = 0, **options: Any) -> AsyncIterator[int]:
    """Serve it on ``port``, or on a free one; gives the port once it answers.

    ``options`` are uvicorn's; without them the application gets no lifespan events. In the end it
    waits for connections that are open: whoever holds some ends them first.
    """
    given = {"host": "127.0.0.1", "log_level": "error", "lifespan": "off", **options}
    config = uvicorn.Config(app, port=port or free_port(), **given)
    server = PromptServer(config)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            if running.done():
                running.result()
                raise ConnectionError("the server ended before it began")
        yield config.port
    finally:
        server.should_exit = True
        await running
