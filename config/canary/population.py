"""Users who ask for recommendations and click later on what they like: `population.py http://127.0.0.1:8080`.

They do not know of versions. Each likes one genre, and clicks on half of the answers that have something of it, some
time after they were shown. The application keeps the token of each answer meanwhile, and posts it with the click. Four
of five users have an old application that reads 1.x. Each second a line of JSON says what has come of it all so far.
"""

import argparse
import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from config.canary.server import GENRES

LEGACY = {"x-api-key": "a-legacy-application"}
ITEM = re.compile(r"[a-z]+-[0-9]+")
CLICKS, CLICKS_ANYWAY = 0.5, 0.05
"""How likely a click is with something of the user's genre in the answer, and without."""
MOST_AT_ONCE = 256
POSTED_EVERY = 0.1


@dataclass
class Seen:
    """What users and their applications have seen so far."""

    asked: int = 0
    left_out: int = 0
    """Not asked, since too many answers had not come yet."""
    failed: int = 0
    """Without an answer at all."""
    statuses: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    """Answers that an application could not read, though their status was 200."""
    clicks: int = 0
    feedback: Counter[str] = field(default_factory=Counter)
    """Statuses of what was posted."""


def items_of_1(answer: Any) -> list[str] | None:
    """What an old application reads; `None` where it cannot: nobody thought of an answer without items then."""
    items = answer.get("items")
    if not isinstance(items, list) or not items or answer.keys() != {"items"}:
        return None
    return items if all(isinstance(item, str) and ITEM.fullmatch(item) for item in items) else None


def items_of_2(answer: Any) -> list[str] | None:
    """What one of today reads."""
    try:
        return [item["id"] for item in answer["recommendations"] if item["score"] >= 0]
    except (KeyError, TypeError):
        return None


class Population:
    """Users, and the application that posts what they click."""

    def __init__(self, url: str, key: str, draw: random.Random, users: int, delay: float) -> None:
        self._url, self._key, self._draw, self._users, self._delay = url, key, draw, users, delay
        self._clicked: list[dict[str, str]] = []
        self._under_way = 0
        self.seen = Seen()

    async def live(self, rate: float) -> None:
        """Come and ask, at random times and as often as `rate` says, whatever becomes of it."""
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            group.create_task(self._post(session))
            group.create_task(self._tell())
            loop = asyncio.get_running_loop()
            due = loop.time()
            while True:
                due += self._draw.expovariate(rate)
                await asyncio.sleep(max(due - loop.time(), 0))
                if self._under_way < MOST_AT_ONCE:
                    self._under_way += 1
                    visit = group.create_task(self._visit(session, self._draw.randrange(self._users)))
                    visit.add_done_callback(self._left)
                else:
                    self.seen.left_out += 1

    def _left(self, _: asyncio.Task[None]) -> None:
        self._under_way -= 1

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(1)
            print(json.dumps(vars(self.seen)), flush=True)

    async def _visit(self, session: aiohttp.ClientSession, user: int) -> None:
        genre, is_old = GENRES[user % len(GENRES)], user // len(GENRES) % 5 != 0
        headers = {"x-user-id": f"user-{user}", **(LEGACY if is_old else {})}
        self.seen.asked += 1
        try:
            asked = session.post(f"{self._url}/recommend", json={"liked": [f"{genre}-1"]}, headers=headers)
            async with asked as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self.seen.failed += 1
            return
        self.seen.statuses[str(response.status)] += 1
        if response.status != 200:
            return
        self.seen.served[response.headers["x-model-served"]] += 1
        items = (items_of_1 if is_old else items_of_2)(answer)
        if items is None:
            self.seen.unreadable += 1
            return
        likes = any(item.startswith(f"{genre}-") for item in items)
        token = response.headers.get("x-stepdown-token")
        if self._draw.random() < (CLICKS if likes else CLICKS_ANYWAY) and token is not None:
            asyncio.get_running_loop().call_later(self._draw.expovariate(1 / self._delay), self._click, token)

    def _click(self, token: str) -> None:
        self.seen.clicks += 1
        self._clicked.append({"token": token, "event": "click"})

    async def _post(self, session: aiohttp.ClientSession) -> None:
        headers = {"authorization": f"Bearer {self._key}"}
        while True:
            await asyncio.sleep(POSTED_EVERY)
            batch, self._clicked = self._clicked[:500], self._clicked[500:]
            if batch:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    path = f"{self._url}/-/stepdown/feedback"
                    async with session.post(path, json={"events": batch}, headers=headers) as response:
                        self.seen.feedback[str(response.status)] += len(batch)


def main() -> None:
    """Live."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of the sidecar")
    parser.add_argument("--key", default="a-feedback-key-of-this-demo", help="with which feedback is posted")
    parser.add_argument("--rate", type=float, default=200, metavar="N", help="questions a second (default: 200)")
    parser.add_argument("--users", type=int, default=20_000, metavar="N", help="how many they are (default: 20000)")
    parser.add_argument("--delay", type=float, default=1.0, help="mean seconds until a click (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of all dice (default: 1)")
    given = parser.parse_args()
    draw = random.Random(given.seed)
    population = Population(given.url, given.key, draw, given.users, given.delay)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(population.live(given.rate))


if __name__ == "__main__":
    main()
