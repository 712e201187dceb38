"""The story, scene by scene: each does something with real clients and servers, and checks what it says about it."""

import time

from config.churn import servers
from config.churn.clients import new
from config.churn.clients.old import NotWhatWeAgreedError, OldClient
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
    customer = stage.customers()[0]
    with OldClient(stage.v1.url) as client:
        answer = client.ask([customer], USERS[0])
    screen.done("the old client works with v1's server:", f"probability {answer.probabilities[0]:.2f}")
    with OldClient(stage.v2.url) as client:
        error = _refusal(client, customer)
    screen.refused("the old client does not work with v2's server:", str(error))
    with OldClient(stage.url) as client:
        answer = client.ask([customer], USERS[0])
    screen.done("the old client works through Stepdown:", f"probability {answer.probabilities[0]:.2f}")


def split(stage: Stage, screen: Screen) -> None:
    """Sends many users through the old client, some of them twice, and counts who served them."""
    screen.scene(f"{len(USERS)} users of the old client, split 95/5")
    customers = stage.customers()
    served = {}
    with OldClient(stage.url) as client, screen.shares() as shares:
        for number, user in enumerate(USERS):
            answer = client.ask([customers[number % len(customers)]], user)
            served[user] = answer.headers["x-model-served"]
            shares.add(served[user])
        again = {user: client.ask([customers[0]], user).headers["x-model-served"] for user in USERS[:100]}
    screen.done("every answer kept v1's contract, whoever computed it")
    newer = sum(version == "2.0.0" for version in served.values())
    screen.check("about one user in twenty is served by 2.0.0", 0.02 <= newer / len(USERS) <= 0.08, f"{newer}")
    moved = [user for user, version in again.items() if served[user] != version]
    screen.check("a user who comes again is served by the same version", not moved, f"{len(again)} came again")


def shapes(stage: Stage, screen: Screen) -> None:
    """Shows the same question asked by clients of different ages, on both servers."""
    screen.scene("Which server answers is one thing, in which shape another")
    customer = stage.customers()[0]
    with OldClient(stage.url) as client, screen.answers() as table:
        one_of = {client.ask([customer], user).headers["x-model-served"]: user for user in USERS}
        for version, user in sorted(one_of.items()):
            answer = client.ask([customer], user)
            table.add(f"old client, {user}", f"probability {answer.probabilities[0]:.2f}", answer.headers)
            if (answer.headers["x-model-version"], answer.headers["x-model-served"]) != ("1.1.0", version):
                raise DidNotHoldError(f"{user} reads 1.1.0, served by {version}")
        fresh = new.ask(stage.url, customer, one_of["1.1.0"])
        table.add(f"new client, {one_of['1.1.0']}", f"score {fresh.score:+.2f}", fresh.headers)
        oldest = ask(stage.url, customer, {"x-model-version": "1.0.0"})
        table.add("X-Model-Version: 1.0.0", f"probability {oldest.first:.2f}", oldest.headers)
        silent = ask(stage.url, customer, {})
        table.add("says nothing", f"probability {silent.first:.2f}", silent.headers)
    screen.check("the old client was served by both versions", set(one_of) == {"1.1.0", "2.0.0"})
    native = fresh.headers["x-model-served"] == fresh.headers["x-model-version"] == "2.0.0"
    screen.check("the new client gets its own shape, though its user belongs to v1", native)
    told = {"deprecation", "sunset", "link"} <= set(oldest.headers)
    screen.check("who reads a shape that is going away is told when, and where to read more", told)
    screen.check("what 1.1.0 added is taken out for 1.0.0", not oldest.answer.get("parameters"))


def without_v1(stage: Stage, screen: Screen) -> None:
    """Ends v1's server and goes on asking."""
    screen.scene("v1's server is taken away")
    customer = stage.customers()[0]
    with OldClient(stage.url) as client:
        client.ask([customer], USERS[0])
        stage.v1.stop()
        screen.say("v1's server has ended")
        answers = [client.ask([customer], user) for user in USERS[:100]]
    screen.done("the old client still works", f"{len(answers)} answers, all keep v1's contract")
    served = {answer.headers["x-model-served"] for answer in answers}
    found = f"probability {answers[0].probabilities[0]:.2f}"
    screen.check("all of them were computed by v2 and stepped down", served == {"2.0.0"}, found)


def broken_input(stage: Stage, screen: Screen) -> None:
    """Deploys a build of v2 whose answer no adapter was written for."""
    screen.scene("v2 breaks its own contract")
    customer = stage.customers()[0]
    stage.v2.deploy(score_datatype="BYTES")
    screen.say(f"a build of v2 went out that writes the score as text: {ask(stage.v2.url, customer, {}).first!r}")
    with OldClient(stage.url) as client:
        error = _refusal(client, customer)
    kind = error.headers.get("content-type", "")
    screen.document(f"{error.status}  {kind}", error.body)
    clear = error.status == 502 and kind == "application/problem+json"
    screen.check("the old client gets a clear 502, never half an answer", clear, f"{error.status} {kind}")


def restored(stage: Stage, screen: Screen) -> None:
    """Puts everything back."""
    screen.scene("All is well again")
    customer = stage.customers()[0]
    stage.v2.deploy()
    with OldClient(stage.url) as client:
        answer = client.ask([customer], USERS[0])
        screen.done("v2's good build is back", f"probability {answer.probabilities[0]:.2f}")
        stage.v1.start()
        stage.v1.wait()
        back = until(lambda: client.ask([customer], USERS[0]).headers["x-model-served"] == "1.1.0", seconds=20)
    screen.check("v1's server is back, and so are its users", back)


def _refusal(client: OldClient, customer: list[float]) -> NotWhatWeAgreedError:
    try:
        client.ask([customer], USERS[0])
    except NotWhatWeAgreedError as error:
        return error
    raise DidNotHoldError("the old client is refused; found: an answer that it can read")


SCENES = (start, why, split, shapes, without_v1, broken_input, restored)
