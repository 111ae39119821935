"""Browsers beside three other test processes on two cores take their time."""

from playwright import async_api, sync_api

PATIENCE_MS = 30_000

async_api.expect.set_options(timeout=PATIENCE_MS)
sync_api.expect.set_options(timeout=PATIENCE_MS)
