"""The mailbox between a trial slot and its worker group: plain asyncio, and light to import."""

import asyncio
from typing import Any

RESTARTED = "restarted"  # in a result: workers were started anew before it, and what is known of why
KILLED = "killed, by somebody or by a system whose memory was full"
ATTEMPTS = 3  # of one job, by groups that die under it one after the other without a result


class Mailbox:
    """Jobs in, results out, between one trial slot and its worker group; only the newest job's results are kept.

    A job that was taken and has not ended is handed out again: to a group that Ray Train started anew after a worker
    died, once the job's next result is waited for. A trial that was stopped never asks for one, and is not trained on.
    A job gives the same results every time, so what was delivered before is not delivered again.
    """

    def __init__(self) -> None:
        self._results: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ready = asyncio.Event()  # there is a job that has not ended
        self._newest = 0
        self._config: dict[str, Any] | None = None
        self._taken = self._delivered = 0  # how often the newest job was since its last result, and how many of these
        self._reason = ""  # what the newest group said as it died
        self._restarted = ""  # why the job was handed out again since its last result
        self._collected = self._answered = 0  # results that were taken away; behind how many the job goes on
        self._news = asyncio.Condition()  # of a new job, and of an answer

    async def submit(self, config: dict[str, Any] | None) -> None:
        """Hand in the next job, or `None` to end the group. What an older job still posts is dropped."""
        self._newest += 1
        self._config = config
        self._taken = self._delivered = self._collected = self._answered = 0
        self._reason = self._restarted = ""
        self._results = asyncio.Queue()
        self._ready.set()
        async with self._news:
            self._news.notify_all()

    async def wait(self) -> None:
        """Wait until there is a job to take whose next result is waited for."""
        async with self._news:
            await self._news.wait_for(lambda: self._ready.is_set() and self._answered == self._collected)

    async def take(self) -> tuple[int, dict[str, Any] | None]:
        """Wait for the newest job: its number and its configuration; given up when taken in vain too often."""
        await self._ready.wait()
        if self._taken == ATTEMPTS:
            await self.fail(
                self._newest, f"its workers died {ATTEMPTS} times in a row, at last: {self._reason or KILLED}"
            )
            await self._ready.wait()
        if self._taken:
            self._restarted = self._reason or "its workers were killed, or their number changed"
            self._reason = ""
        self._taken += 1
        return self._newest, self._config

    async def post(self, job: int, index: int, result: dict[str, Any]) -> bool:
        """Hand in a job's result, numbered from 0; False tells the workers that the job was replaced and may stop.

        A result that says `done` or `failure` is the job's last.
        """
        if job != self._newest:
            return False
        if index >= self._delivered:
            self._delivered += 1
            self._taken = 1  # it goes on behind this result: a group that dies now is the first again
            news = {RESTARTED: self._restarted} if self._restarted and "failure" not in result else {}
            self._restarted = ""
            await self._results.put(result | news)
        if result.get("done") or "failure" in result:
            self._ready.clear()
        return True

    async def answered(self, job: int, index: int) -> None:
        """Wait until it is known whether a job goes on behind a result: the next is waited for, or it was replaced."""
        async with self._news:
            await self._news.wait_for(lambda: job != self._newest or self._answered > index)

    async def goes_on(self, job: int) -> bool:
        """Whether a job was not replaced."""
        return job == self._newest

    async def note(self, job: int, reason: str) -> None:
        """Why the group that took the job is about to die."""
        if job == self._newest:
            self._reason = reason

    async def fail(self, job: int, reason: str) -> None:
        """End a job with a failure, whatever it delivered."""
        await self.post(job, self._delivered, {"failure": reason, "done": True})

    async def collect(self, timeout: float) -> dict[str, Any] | None:
        """Wait up to `timeout` seconds for the newest job's next result; who asks for it lets the job go on to it."""
        self._answered = self._collected
        async with self._news:
            self._news.notify_all()
        try:
            result = await asyncio.wait_for(self._results.get(), timeout)
        except TimeoutError:
            return None
        self._collected += 1
        return result
