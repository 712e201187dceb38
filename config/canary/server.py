"""A recommendation server: `server.py 18082 2.0.0` or `server.py 18083 3.0.0`, which takes `--build dull` or `empty`.

It is told what a user liked, and mostly finds something of that genre. The dull build mostly does not, which no status
and no contract shows. The empty one has nothing to recommend to one user in five, and says so with 200.
"""

import argparse
import asyncio
import random
from collections import Counter

from aiohttp import web

GENRES = ("comedy", "crime", "nature", "opera", "space")
FINDS = {"good": 0.8, "dull": 0.35, "empty": 0.8}
"""How often a build finds something that the user likes."""
FALLS_BACK = 0.02
"""How often it has to guess, of which only the server itself knows."""


class Recommender:
    """One build of one version."""

    def __init__(self, version: str, build: str, draw: random.Random) -> None:
        self._version, self._build, self._draw = version, build, draw
        self._counted = Counter({"requests": 0, "fallbacks": 0})

    async def recommend(self, request: web.Request) -> web.Response:
        """Three items for `{"liked": ["space-7"]}`, after about ten milliseconds of thinking."""
        liked = (await request.json())["liked"][0].partition("-")[0]
        await asyncio.sleep(self._draw.lognormvariate(-4.6, 0.3))
        self._counted["requests"] += 1
        self._counted["fallbacks"] += self._draw.random() < FALLS_BACK
        return web.json_response(self.answer(liked))

    def answer(self, liked: str) -> dict[str, object]:
        """What the version says to somebody who likes this genre."""
        found = self._draw.sample([genre for genre in GENRES if genre != liked], 3)
        if self._draw.random() < FINDS[self._build]:
            found[0] = liked
        if self._build == "empty" and self._draw.random() < 0.2:
            found = []
        items = [
            (f"{genre}-{self._draw.randrange(1000)}", genre, 0.9 - place / 10) for place, genre in enumerate(found)
        ]
        if self._version == "2.0.0":
            return {"recommendations": [{"id": one, "score": score} for one, _, score in items]}
        listed = [{"item": {"id": one, "genre": genre}, "score": score} for one, genre, score in items]
        return {"recommendations": listed, "strategy": "two-tower"}

    async def metrics(self, _: web.Request) -> web.Response:
        """For Prometheus."""
        lines = [
            f'# TYPE recommender_{name}_total counter\nrecommender_{name}_total{{version="{self._version}"}} {value}\n'
            for name, value in self._counted.items()
        ]
        return web.Response(text="".join(lines))


async def ready(_: web.Request) -> web.Response:
    """That it is up."""
    return web.Response()


def main() -> None:
    """Serve until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("version", choices=["2.0.0", "3.0.0"])
    parser.add_argument("--build", choices=list(FINDS), default="good")
    given = parser.parse_args()
    recommender = Recommender(given.version, given.build, random.Random(given.version))
    application = web.Application()
    application.add_routes(
        [web.post("/recommend", recommender.recommend), web.get("/metrics", recommender.metrics), web.get("/", ready)]
    )
    web.run_app(application, host="127.0.0.1", port=given.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
