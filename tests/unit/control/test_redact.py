import json

import msgspec

from stepdown.control.redact import HIDDEN, redacted, without_query
from stepdown.decide.rollout_spec import (
    Driven,
    Feedback,
    FeedbackKey,
    Hook,
    MetricServer,
    Query,
    Rollout,
    Threshold,
)
from stepdown.decide.spec import (
    Chain,
    ClientEntry,
    Colours,
    Endpoint,
    HeaderMatch,
    HealthCheck,
    Match,
    Model,
    OverrideKey,
    Overrides,
    Route,
    Rule,
    SnapshotSpec,
    Step,
    Version,
)

SECRETS = [f"sesame-{number}" for number in range(8)]


def spec():
    endpoint = Endpoint(
        id=f"http://a:1/x?key={SECRETS[6]}",
        host="a",
        port=1,
        path=f"/x?key={SECRETS[0]}",
        set_headers=(("Authorization", SECRETS[1]), ("X-Harmless", SECRETS[2])),
    )
    contract = {"properties": {"set_headers": {"type": "array"}, "clients": {"name": "x", "equals": 1}}}
    return SnapshotSpec(
        models=(
            Model(
                name="churn",
                default_version="1.0.0",
                latest="1.0.0",
                versions=(
                    Version(
                        id="1.0.0",
                        endpoints=(endpoint,),
                        idle=(endpoint,),
                        colours=Colours(names=("blue", "green"), active="blue", declared="blue"),
                        contract=contract,
                        health=HealthCheck(path=f"/ready?token={SECRETS[7]}"),
                    ),
                ),
                chains=(
                    Chain(
                        served="2.0.0",
                        pinned="1.0.0",
                        steps=(Step(source="2.0.0", target="1.0.0", response=({"set_headers": "/a", "name": "key"},)),),
                    ),
                ),
                clients=(
                    ClientEntry(
                        match=Match(
                            headers=(
                                HeaderMatch(name="x-team", equals=SECRETS[3]),
                                HeaderMatch(name="x-other", sha256=SECRETS[4]),
                            )
                        ),
                        version="1.0.0",
                    ),
                ),
            ),
        ),
        routes=(
            Route(
                name="churn",
                match=Match(
                    headers=(
                        HeaderMatch(name="x-api-key", any_of=(SECRETS[5],)),
                        HeaderMatch(name="x-plan", equals="beta"),
                    )
                ),
                model="churn",
                rules=(Rule(name="everyone", split=(("1.0.0", 1),)),),
            ),
        ),
    )


def test_nothing_secret_is_left():
    shown = json.dumps(redacted(spec()))
    assert [secret for secret in SECRETS if secret in shown] == []
    assert shown.count(HIDDEN) == len(SECRETS) + 4  # the endpoint stands in both colours, with four of them


def test_the_name_of_an_endpoint_is_shown_without_its_query():
    assert without_query("m/1.0.0/http://a:1/x?key=sesame") == f"m/1.0.0/http://a:1/x?{HIDDEN}"
    assert without_query("m/1.0.0/http://a:1/x") == "m/1.0.0/http://a:1/x"


def test_what_is_not_secret_is_shown_as_it_is():
    shown = redacted(spec())
    assert {"name": "x-plan", "equals": "beta"} in shown["routes"][0]["match"]["headers"]
    (version,) = shown["models"][0]["versions"]
    assert version["endpoints"][0]["set_headers"] == [["Authorization", HIDDEN], ["X-Harmless", HIDDEN]]
    assert version["endpoints"][0]["path"] == "/x?***"


def test_schemas_and_operations_may_use_any_name():
    shown, plain = redacted(spec()), msgspec.to_builtins(spec())
    assert shown["models"][0]["versions"][0]["contract"] == plain["models"][0]["versions"][0]["contract"]
    steps = shown["models"][0]["chains"][0]["steps"]
    assert json.loads(json.dumps(steps)) == json.loads(json.dumps(plain["models"][0]["chains"][0]["steps"]))


def test_what_lets_people_ask_for_a_server_is_hidden():
    key = OverrideKey(header="x-team", sha256="5e5a11e")
    overrides = Overrides(allow=("10.0.0.0/8",), keys=(key,), secrets=("sesame", "simsim"))
    shown = redacted(msgspec.structs.replace(spec(), overrides=overrides))["overrides"]
    assert shown == {
        "allow": ["10.0.0.0/8"],
        "keys": [{"header": "x-team", "sha256": HIDDEN}],
        "secrets": [HIDDEN, HIDDEN],
    }


def test_what_servers_of_metrics_are_sent_and_told_is_hidden():
    server = MetricServer(url="https://metrics/v1?key=sesame", set_headers=(("authorization", "Bearer sesame"),))
    hook = Hook(server=server, tells=(("token", '"sesame"'),))
    guards = (
        Threshold(name="hook", source=hook),
        Threshold(name="query", source=Query(servers=(server,), query="up")),
    )
    rollout = Rollout(name="churn-2", stable="1.0.0", candidate="2.0.0", steps=(), guards=guards)
    whole = msgspec.structs.replace(spec(), rollouts=(rollout,))
    assert "sesame" not in repr(rollout)
    shown = redacted(whole)["rollouts"][0]["guards"]
    assert "sesame" not in json.dumps(shown)
    assert shown[0]["source"]["server"]["url"] == "https://metrics/v1?***"
    assert shown[0]["source"]["server"]["set_headers"] == [["authorization", HIDDEN]]
    assert shown[0]["source"]["tells"] == [["token", HIDDEN]]
    assert shown[1]["source"]["query"] == "up"


def test_what_signs_tokens_who_may_post_them_and_what_hashes_users_is_hidden():
    driven = Driven(run=3, step=1, weight=5.0, stable="1.0.0", salt=SECRETS[0], evidence=True)
    rollout = Rollout(name="churn-2", stable="1.0.0", candidate="2.0.0", steps=(), driven=driven)
    keys = (FeedbackKey(name="shop", sha256=SECRETS[1]),)
    feedback = Feedback(secrets=(SECRETS[2], SECRETS[3]), keys=keys, max_age=60.0)
    whole = msgspec.structs.replace(spec(), rollouts=(rollout,), feedback=feedback)
    for secret in SECRETS:
        assert secret not in repr(whole.feedback) + repr(whole.rollouts)
        assert secret not in json.dumps(redacted(whole))
    shown = redacted(whole)
    assert shown["feedback"]["keys"] == [{"name": "shop", "sha256": HIDDEN}]
    assert shown["feedback"]["secrets"] == [HIDDEN, HIDDEN]
    assert (shown["rollouts"][0]["driven"]["run"], shown["rollouts"][0]["driven"]["salt"]) == (3, HIDDEN)
