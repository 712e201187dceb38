"""The story in six scenes. Each says what it does, does it with real clients and servers, and checks what it says."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

from config.churn import servers
from config.churn.clients import new
from config.churn.clients.old import NotWhatWeAgreedError, OldClient
from config.churn.demo.screen import Screen
from config.churn.demo.stage import FOLDER, Stage, until

USERS = [f"user-{number}" for number in range(400)]


def start(stage: Stage, screen: Screen) -> None:
    """Trains the models and starts what is needed."""
    screen.scene("Two unmodified model servers, one sidecar")
    began = time.monotonic()
    for line in servers.train(FOLDER).splitlines():
        screen.say(f"trained {line}")
    stage.v1.start()
    stage.v2.start()
    stage.v1.wait()
    stage.v2.wait()
    screen.check("MLServer serves v1 and v2, each in a process of its own", True, f"{stage.v1.url}  {stage.v2.url}")
    stage.start_sidecar()
    screen.check(
        "Stepdown stands in front of them", True, f"{stage.url}  after {time.monotonic() - began:.0f} s in all"
    )


def why(stage: Stage, screen: Screen) -> None:
    """Shows what a new version does to an old client."""
    screen.scene("Why: v2 broke its clients")
    customer = stage.customers()[0]
    answer = OldClient(stage.v1.url).ask([customer], USERS[0])
    screen.check("the old client works with v1's server", True, f"probability {answer.probabilities[0]:.2f}")
    try:
        OldClient(stage.v2.url).ask([customer], USERS[0])
        screen.check("the old client fails on v2's server", False)
    except NotWhatWeAgreedError as error:
        screen.refused("the old client does not work with v2's server:", str(error))
    answer = OldClient(stage.url).ask([customer], USERS[0])
    screen.check("through Stepdown the old client works", True, f"probability {answer.probabilities[0]:.2f}")


def split(stage: Stage, screen: Screen) -> None:
    """Sends many users through the old client, and again, and counts who served them."""
    screen.scene(f"{len(USERS)} users of the old client, split 95/5")
    client = OldClient(stage.url)
    customers = stage.customers()
    with screen.shares() as shares:
        served = {}
        for number, user in enumerate(USERS):
            answer = client.ask([customers[number % len(customers)]], user)
            served[user] = answer.headers["x-model-served"]
            shares.add(served[user])
    newer = sum(version == "2.0.0" for version in served.values())
    screen.check("every answer kept v1's contract, whoever computed it", len(served) == len(USERS))
    screen.check("about one user in twenty is served by 2.0.0", 0.02 <= newer / len(USERS) <= 0.08)
    again = {user: client.ask([customers[0]], user).headers["x-model-served"] for user in USERS[:100]}
    moved = sum(served[user] != version for user, version in again.items())
    screen.check("a user who comes again gets the same version", moved == 0)


def shapes(stage: Stage, screen: Screen) -> None:
    """Shows the same question asked by clients of different ages, on both servers."""
    screen.scene("The server is one thing, the shape another")
    customer = stage.customers()[0]
    client = OldClient(stage.url)
    by_version = {client.ask([customer], user).headers["x-model-served"]: user for user in USERS}
    screen.check("there are users on both servers", set(by_version) == {"1.1.0", "2.0.0"})
    with screen.table_of_answers() as table:
        for version, user in sorted(by_version.items()):
            answer = client.ask([customer], user)
            table.add(f"old client, {user}", f"probability {answer.probabilities[0]:.2f}", answer.headers)
            assert answer.headers["x-model-version"] == "1.1.0" and answer.headers["x-model-served"] == version
        fresh = new.ask(stage.url, customer, by_version["1.1.0"])
        table.add(
            f"new client, {by_version['1.1.0']}", f"score {fresh.score:+.2f}, column {fresh.because}", fresh.headers
        )
        oldest, oldest_headers = _ask(stage.url, customer, {"x-model-version": "1.0.0"})
        table.add("X-Model-Version: 1.0.0", f"probability {oldest['outputs'][0]['data'][0]:.2f}", oldest_headers)
        nobody, nobody_headers = _ask(stage.url, customer, {})
        table.add("a client that says nothing", f"probability {nobody['outputs'][0]['data'][0]:.2f}", nobody_headers)
    screen.check(
        "the new client gets its own shape, even where its user belongs to v1",
        fresh.headers["x-model-served"] == "2.0.0",
    )
    screen.check("1.0.0 is told when it ends", "sunset" in oldest_headers and "link" in oldest_headers)
    screen.check("what 1.1.0 added is taken out for 1.0.0", not oldest.get("parameters"))


def without_v1(stage: Stage, screen: Screen) -> None:
    """Ends v1's server and goes on asking."""
    screen.scene("v1's server is taken away")
    client = OldClient(stage.url)
    customer = stage.customers()[0]
    stage.v1.stop()
    screen.say("v1's server has ended")
    answers = [client.ask([customer], user) for user in USERS[:100]]
    served = {answer.headers["x-model-served"] for answer in answers}
    screen.check("the old client still works: 100 of 100 answers keep its contract", len(answers) == 100)
    screen.check(
        "all of them were computed by v2", served == {"2.0.0"}, f"probability {answers[0].probabilities[0]:.2f}"
    )


def broken_input(stage: Stage, screen: Screen) -> None:
    """Deploys a build of v2 whose answer no adapter was written for."""
    screen.scene("v2 breaks its own contract")
    client = OldClient(stage.url)
    customer = stage.customers()[0]
    stage.v2.deploy(score_datatype="BYTES")
    raw, _ = _ask(stage.v2.url, customer, {})
    screen.say(f"a build was deployed that writes the score as text: {raw['outputs'][0]['data']}")
    try:
        client.ask([customer], USERS[0])
        screen.check("the old client hears of it", False, "an answer")
    except NotWhatWeAgreedError as error:
        problem = error.headers.get("content-type", "") == "application/problem+json"
        screen.document(f"{error.status}, {error.headers.get('content-type')}", error.body)
        screen.check("the old client gets a clear 502, never half an answer", error.status == 502 and problem)


def restored(stage: Stage, screen: Screen) -> None:
    """Puts everything back."""
    screen.scene("All is well again")
    client = OldClient(stage.url)
    customer = stage.customers()[0]
    stage.v2.deploy()
    answer = client.ask([customer], USERS[0])
    screen.check("v2's good build is back", answer.headers["x-model-served"] == "2.0.0")
    stage.v1.start()
    stage.v1.wait()
    back = until(lambda: client.ask([customer], USERS[0]).headers["x-model-served"] == "1.1.0", seconds=20)
    screen.check("v1's server is back, and so are its users", back)


def _ask(url: str, customer: Sequence[float], headers: Mapping[str, str]) -> tuple[dict, dict[str, str]]:
    """Asks as anybody would; returns the answer and its headers (names in lower case)."""
    question = {"inputs": [{"name": "x", "shape": [1, 10], "datatype": "FP64", "data": list(customer)}]}
    request = urllib.request.Request(
        f"{url}/v2/models/churn/infer",
        data=json.dumps(question).encode(),
        headers={"content-type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response), {name.lower(): value for name, value in response.headers.items()}


SCENES = (start, why, split, shapes, without_v1, broken_input, restored)
