"""The story, scene by scene: each does something with real clients and servers, and checks what it says about it."""

import time

from config.churn import servers
from config.churn.clients import new
from config.churn.clients.old import Answer, NotWhatWeAgreedError, OldClient
from config.churn.demo.question import ask
from config.churn.demo.screen import DidNotHoldError, Screen
from config.churn.demo.stage import Stage
from config.churn.processes import until

USERS = [f"user-{number}" for number in range(400)]


def start(stage: Stage, screen: Screen) -> None:
    """Trains the models and starts what is needed."""
    screen.scene("Two unmodified model servers, one sidecar")
    began = time.monotonic()
    for line in servers.train(stage.folder).splitlines():
        screen.say(f"trained {line}")
    for server in (stage.v1, stage.v2):
        server.start()
    for server in (stage.v1, stage.v2):
        server.wait()
        screen.done(f"MLServer serves {server.version}", server.url)
    stage.start_sidecar()
    screen.done("Stepdown stands in front of them", f"{stage.url}, after {time.monotonic() - began:.0f} s in all")


def why(stage: Stage, screen: Screen) -> None:
    """Shows what a new version does to an old client."""
    screen.scene("Why: v2 broke its clients")
    with OldClient(stage.v1.url) as client:
        answer = client.ask([stage.customer], USERS[0])
    screen.done("the old client works with v1's server:", _probability(answer))
    with OldClient(stage.v2.url) as client:
        error = _refusal(client, stage.customer)
    screen.refused("the old client does not work with v2's server:", str(error))
    with OldClient(stage.url) as client:
        answer = client.ask([stage.customer], USERS[0])
    screen.done("the old client works through Stepdown:", _probability(answer))


def split(stage: Stage, screen: Screen) -> None:
    """Sends many users through the old client, some of them twice, and counts who served them."""
    screen.scene(f"{len(USERS)} users of the old client, split 95/5")
    served = {}
    with OldClient(stage.url) as client, screen.shares() as shares:
        for number, user in enumerate(USERS):
            answer = client.ask([stage.customers[number % len(stage.customers)]], user)
            served[user] = answer.headers["x-model-served"]
            shares.add(served[user])
        again = {user: client.ask([stage.customer], user).headers["x-model-served"] for user in USERS[:100]}
    screen.done("every answer kept v1's contract, whoever computed it")
    newer = sum(version == "2.0.0" for version in served.values())
    screen.check("about one user in twenty is served by 2.0.0", 0.02 <= newer / len(USERS) <= 0.08, f"{newer}")
    moved = [user for user, version in again.items() if served[user] != version]
    screen.check("a user who comes again is served by the same version", not moved, f"{len(again)} came again")


def shapes(stage: Stage, screen: Screen) -> None:
    """Shows the same question asked by clients of different ages, on both servers."""
    screen.scene("Which server answers is one thing, in which shape another")
    with OldClient(stage.url) as client, screen.answers() as table:
        user_of = {client.ask([stage.customer], user).headers["x-model-served"]: user for user in USERS}
        if set(user_of) != {"1.1.0", "2.0.0"}:
            raise DidNotHoldError(f"the old client is served by both versions; found: {', '.join(user_of)}")
        on_v1, on_v2 = user_of["1.1.0"], user_of["2.0.0"]
        for user in (on_v1, on_v2):
            answer = client.ask([stage.customer], user)
            table.add(f"old client, {user}", _probability(answer), answer.headers)
        fresh = new.ask(stage.url, stage.customer, on_v1)
        table.add(f"new client, {on_v1}", f"score {fresh.score:+.2f}", fresh.headers)
        oldest = ask(stage.url, stage.customer, {"x-user-id": on_v1, "x-model-version": "1.0.0"})
        table.add(f"wants 1.0.0, {on_v1}", f"probability {oldest.first:.2f}", oldest.headers)
        silent = ask(stage.url, stage.customer, {"x-user-id": on_v2})
        table.add(f"says nothing, {on_v2}", f"probability {silent.first:.2f}", silent.headers)
    native = fresh.headers["x-model-served"] == fresh.headers["x-model-version"] == "2.0.0"
    screen.check("the new client gets its own shape, though its user belongs to v1", native)
    stepped_down = answer.headers["x-model-version"] == silent.headers["x-model-version"] == "1.1.0"
    screen.check("who was not written for v2 reads 1.1.0, also where v2 computed it", stepped_down)
    same = ask(stage.url, stage.customer, {"x-user-id": on_v1})
    added = "threshold" in same.answer["parameters"] and "threshold" not in oldest.answer["parameters"]
    screen.check("what 1.1.0 added (a threshold) is taken out for 1.0.0, with no adapter declared", added)
    told = {"deprecation", "sunset", "link"} <= set(oldest.headers)
    screen.check("who reads a shape that is going away is told when, and where to read more:", told)
    screen.headers("X-Model-Version", "X-Model-Served", "Deprecation", "Sunset", "Link", found=oldest.headers)


def without_v1(stage: Stage, screen: Screen) -> None:
    """Ends v1's server and asks on meanwhile, until its users have been served by v2 for a while."""
    screen.scene("v1's server is taken away")
    stage.v1.ask_to_stop()
    give_up = time.monotonic() + 20
    asked = in_a_row = 0
    with OldClient(stage.url) as client:
        while in_a_row < 300 and time.monotonic() < give_up:
            answer = client.ask([stage.customer], USERS[asked % 100])
            asked += 1
            in_a_row = in_a_row + 1 if answer.headers["x-model-served"] == "2.0.0" else 0
    stage.v1.stop()
    screen.check("the old client still works, served by v2", in_a_row == 300, _probability(answer))
    screen.done("no call was lost while the server went", f"{asked} calls")


def broken_input(stage: Stage, screen: Screen) -> None:
    """Deploys a build of v2 whose answer no adapter was written for."""
    screen.scene("v2 breaks its own contract")
    stage.v2.deploy(score_datatype="BYTES")
    screen.say(f"a build of v2 went out that writes the score as text: {ask(stage.v2.url, stage.customer, {}).first!r}")
    with OldClient(stage.url) as client:
        error = _refusal(client, stage.customer)
    kind = error.headers.get("content-type", "")
    screen.document(f"{error.status}  {kind}", error.body)
    clear = error.status == 502 and kind == "application/problem+json"
    screen.check("the old client gets a clear 502, never half an answer", clear, f"{error.status} {kind}")


def restored(stage: Stage, screen: Screen) -> None:
    """Puts everything back."""
    screen.scene("All is well again")
    stage.v2.deploy()
    with OldClient(stage.url) as client:
        answer = client.ask([stage.customer], USERS[0])
        screen.done("v2's good build is back", _probability(answer))
        stage.v1.start()
        stage.v1.wait()
        back = until(lambda: client.ask([stage.customer], USERS[0]).headers["x-model-served"] == "1.1.0", seconds=20)
    screen.check("v1's server is back, and so are its users", back)


def _refusal(client: OldClient, customer: list[float]) -> NotWhatWeAgreedError:
    try:
        client.ask([customer], USERS[0])
    except NotWhatWeAgreedError as error:
        return error
    raise DidNotHoldError("the old client is refused; found: an answer that it can read")


def _probability(answer: Answer) -> str:
    return f"probability {answer.probabilities[0]:.2f}"


SCENES = (start, why, split, shapes, without_v1, broken_input, restored)
