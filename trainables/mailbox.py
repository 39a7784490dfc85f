"""The mailbox between a trial slot and its worker group: plain asyncio, and light to import."""

import asyncio
from typing import Any


class Mailbox:
    """Jobs in, results out, between one trial slot and its worker group; only the newest job's results are kept."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[tuple[int, dict[str, Any] | None]] = asyncio.Queue()
        self._results: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._newest = 0

    async def submit(self, config: dict[str, Any] | None) -> None:
        """Hand in the next job, or `None` to end the group. What an older job still posts is dropped."""
        self._newest += 1
        self._results = asyncio.Queue()
        await self._jobs.put((self._newest, config))

    async def take(self) -> tuple[int, dict[str, Any] | None]:
        """Wait for the next job: its number and its configuration. Jobs that were replaced meanwhile are skipped."""
        job, config = await self._jobs.get()
        while job != self._newest:
            job, config = await self._jobs.get()
        return job, config

    async def post(self, job: int, result: dict[str, Any]) -> bool:
        """Hand in a result; False tells the worker that its job was replaced and may stop."""
        if job == self._newest:
            await self._results.put(result)
        return job == self._newest

    async def collect(self, timeout: float) -> dict[str, Any] | None:
        """Wait up to `timeout` seconds for the newest job's next result."""
        try:
            return await asyncio.wait_for(self._results.get(), timeout)
        except TimeoutError:
            return None
