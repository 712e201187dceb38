"""The admin API's calls about rollouts: what they are like, what they came to, and what somebody wants of them.

| call | role | answer |
|---|---|---|
| `GET /v1/rollouts` | view | all of them, each as below |
| `GET /v1/rollouts/NAME` | view | ladder, evidence of each guard, what it waits for and for how long (`rollout.view`) |
| `GET /v1/rollouts/NAME/verdict?of=step` | view | success, failure or inconclusive, with its numbers |
| `GET /v1/rollouts/NAME/history?before=N&limit=100` | view | what happened, the newest first |
| `POST /v1/rollouts/NAME/ACTION` | operate | start, pause, resume, promote, abort or undo: what came of it |

A verdict is asked of the `step` where the rollout stands, of the whole `rollout`, or of one step by its number
(`rollout.verdicts`). `next` of a history is the `before` of the page after it, null on the last. An action may have the
body `{}`, and `start` `{"force": true}`, to start although the cool-down is not over. 200 with `moved: false` and the
reason where there is nothing to do in its phase; a problem where it cannot be asked now.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from aiohttp import web

from stepdown.control.gate import CALLER, takes_members
from stepdown.control.rollouts.asking import Action, Asked, RolloutRefusedError, Standing, unknown
from stepdown.control.state import ControllerState
from stepdown.control.stores.values import Recorded
from stepdown.rollout.members import RolloutView
from stepdown.rollout.verdicts import NOW, asked_of
from stepdown.rollout.view import verdict_view, view
from stepdown.telemetry.log import fields

ACTIONS: tuple[Action, ...] = get_args(Action)
MOST = 1000
"""Transitions in one answer."""
_USUAL = 100

_logger = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()


class _Members(msgspec.Struct, forbid_unknown_fields=True):
    """Body of an action."""

    force: bool = False


def add_calls(router: web.UrlDispatcher, state: ControllerState) -> None:
    """Put the calls where they belong."""
    calls = _Calls(state)
    router.add_get("/v1/rollouts", calls.all)
    router.add_get("/v1/rollouts/{rollout}", calls.one)
    router.add_get("/v1/rollouts/{rollout}/verdict", calls.verdict)
    router.add_get("/v1/rollouts/{rollout}/history", calls.history)
    router.add_post(f"/v1/rollouts/{{rollout}}/{{action:{'|'.join(ACTIONS)}}}", calls.act)


def shown(standing: Standing, of: str = NOW) -> RolloutView:
    """One rollout as it is shown."""
    return view(
        standing.rollout,
        standing.position,
        route=standing.route,
        rule=standing.rule,
        said=standing.said,
        now=standing.now,
        rate=standing.rate,
        leads=standing.leads,
        holder=standing.holder,
        store=standing.store,
        differs=standing.differs,
        of=of,
    )


class _Calls:
    def __init__(self, state: ControllerState) -> None:
        self._state = state

    async def all(self, _request: web.Request) -> web.Response:
        await self._state.rollouts.known()
        found = [msgspec.to_builtins(shown(one)) for one in self._state.rollouts.standings()]
        return _json({"digest": self._state.digest, "rollouts": found})

    async def one(self, request: web.Request) -> web.Response:
        return _json(shown(await self._standing(request)))

    async def verdict(self, request: web.Request) -> web.Response:
        standing = await self._standing(request)
        asked = _query(request, "of")["of"] or NOW
        try:
            of = asked_of(asked, len(standing.rollout.steps))
        except ValueError as error:
            raise _bad(f"{error}.") from error
        return _json(verdict_view(shown(standing, of)))

    async def history(self, request: web.Request) -> web.Response:
        name = (await self._standing(request)).rollout.name
        asked = _query(request, "before", "limit")
        before = _number("before", asked["before"], None)
        limit = min(_number("limit", asked["limit"], _USUAL) or _USUAL, MOST)
        found = await self._state.rollouts.history(name, before, limit)
        following = found[-1].number if len(found) == limit and found[-1].number > 1 else None
        return _json({"rollout": name, "transitions": [_recorded(one) for one in found], "next": following})

    @takes_members
    async def act(self, request: web.Request) -> web.Response:
        action: Action = request.match_info["action"]  # type: ignore[assignment]  # the router lets no other through
        name, who = request.match_info["rollout"], request[CALLER].name
        facts = {"token": who, "address": request.remote, "rollout": name, "action": action}
        members = _members(await request.read(), action)
        _logger.info("admin call: rollout", extra=fields(**facts, force=members.force))
        await self._standing(request)
        done = await self._state.rollouts.act(Asked(name, action, who, members.force))
        now = shown(await self._standing(request))
        _logger.info("rollout was asked", extra=fields(**facts, moved=done.moved, sentence=done.sentence))
        return _json(
            {
                "rollout": name,
                "action": action,
                "moved": done.moved,
                "sentence": done.sentence,
                "phase": now.phase,
                "run": now.run,
                "step": now.step,
                "weight": now.weight,
            }
        )

    async def _standing(self, request: web.Request) -> Standing:
        name = request.match_info["rollout"]
        await self._state.rollouts.known()
        standings: Sequence[Standing] = self._state.rollouts.standings()
        for one in standings:
            if one.rollout.name == name:
                return one
        raise unknown(name, (one.rollout.name for one in standings))


def _bad(detail: str) -> RolloutRefusedError:
    return RolloutRefusedError(400, "bad-request", detail)


def _json(content: object) -> web.Response:
    return web.Response(body=_encoder.encode(content), content_type="application/json", charset="utf-8")


def _members(body: bytes, action: Action) -> _Members:
    try:
        members = msgspec.json.decode(body.strip() or b"{}", type=_Members)
    except msgspec.MsgspecError as error:
        raise _bad(f"The body is not what an action takes: {error}.") from error
    if members.force and action != "start":
        raise _bad(f"Only a start can be forced, and this is to {action}.")
    return members


def _query(request: web.Request, *names: str) -> dict[str, str]:
    """Each parameter, empty where it is not given; others are mistakes."""
    for name in request.query:
        if name not in names:
            raise _bad(f"{name}: found no such parameter; allowed {', '.join(names)}.")
        if len(request.query.getall(name)) > 1:
            raise _bad(f"{name}: found it more than once.")
    return {name: request.query.get(name, "") for name in names}


def _number(name: str, text: str, otherwise: int | None) -> int | None:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 16 and int(text)):
        raise _bad(f'{name}: found "{text}"; allowed a number from 1.')
    return int(text)


def _recorded(one: Recorded) -> dict[str, Any]:
    transition = one.transition
    return {
        "number": one.number,
        "at": transition.at,
        "run": transition.run,
        "sentence": transition.sentence,
        "details": json.loads(transition.details),
    }
