from __future__ import annotations

import pytest

from stepdown.decide.spec import HealthCheck, Tls
from tests.kit.configuration import Folder, changed


def endpoint(folder: Folder, text: str):
    return folder.load(changed(("[http://churn-v1:8080]", f"[{text}]"))).spec.models[0].versions[1].endpoints[0]


@pytest.mark.parametrize(
    ("text", "identity", "host", "port"),
    [
        ("http://churn", "http://churn:80", "churn", 80),
        ("https://Churn", "https://churn:443", "churn", 443),
        ("'http://[::1]:8080'", "http://[::1]:8080", "::1", 8080),
        ("{url: 'http://churn:1', path: /a}", "http://churn:1/a", "churn", 1),
    ],
)
def test_an_endpoint_has_an_address_and_a_name_for_metrics(folder: Folder, text, identity, host, port) -> None:
    made = endpoint(folder, text)
    assert (made.id, made.host, made.port) == (identity, host, port)


def test_tls_is_on_for_https_and_its_files_are_absolute(folder: Folder) -> None:
    folder.write("ca.pem", "-----BEGIN CERTIFICATE-----")
    assert endpoint(folder, "http://churn").tls is None
    assert endpoint(folder, "https://churn").tls == Tls()
    made = endpoint(folder, "{url: https://churn, tls: {ca_file: ca.pem, server_name: a, verify: false}}")
    assert made.tls == Tls(ca_file=str(folder.path / "ca.pem"), server_name="a", verify=False)


def test_headers_are_edited(folder: Folder) -> None:
    made = endpoint(
        folder, "{url: http://churn, host_header: endpoint, set_headers: {X-A: b}, remove_headers: [Cookie]}"
    )
    assert (made.host_header, made.set_headers, made.remove_headers) == ("endpoint", (("X-A", "b"),), ("cookie",))
    found = folder.refusal(changed(("[http://churn-v1:8080]", "[{url: http://churn, host_header: a b}]")))
    assert found == [
        'stepdown.yaml:8:92: models.churn.versions."1.1.0".endpoints[0].host_header: found "a b"; '
        "allowed keep, endpoint, or a host"
    ]


def health(folder: Folder, text: str) -> HealthCheck:
    return folder.load(changed(('"1.1.0": {schema', f'"1.1.0": {{{text}schema'))).spec.models[0].versions[1].health


def test_without_health_nothing_is_probed_and_failures_eject(folder: Folder) -> None:
    made = health(folder, "")
    assert (made.path, made.metadata_path, made.eject_after) == (None, None, 5)


def test_the_preset_fills_in_what_is_not_given(folder: Folder) -> None:
    made = health(folder, "health: open-inference, ")
    assert (made.path, made.metadata_path) == ("/v2/health/ready", "/v2/models/{model}/versions/{version}")
    made = health(folder, "health: {preset: open-inference, path: /ready, interval: 500ms, rise: 1}, ")
    assert (made.path, made.interval, made.rise) == ("/ready", 0.5, 1)
    assert health(folder, "health: {path: /healthz}, ").metadata_path is None


def test_what_an_endpoint_is_expected_to_run_is_asked_for_by_itself(folder: Folder) -> None:
    versions = folder.load(changed()).spec.models[0].versions
    assert versions[2].endpoints[0].expect == (("model_version", "v2"),)
    assert versions[2].health.metadata_path == "/v2/models/{model}/versions/{version}"


def test_two_versions_that_are_equal_by_precedence_are_one_too_many(folder: Folder) -> None:
    assert folder.refusal(changed(('"1.0.0": {schema', '"1.1.0+b": {schema'), ("^1.0", "1.1.0"))) == [
        'stepdown.yaml:8:7: models.churn.versions."1.1.0": found "1.1.0", which is the same version as "1.1.0+b"; '
        "allowed each version once (build metadata does not count)",
        'stepdown.yaml:28:34: routes.churn.rules[1].split."1.1.0": found "1.1.0", which has no endpoints; allowed a '
        'version that servers run: "2.0.0"',
    ]


def test_an_older_contract_may_say_no_path_of_an_operation(folder: Folder) -> None:
    folder.write(
        "contracts/2.0.0.json",
        '{"type": "object", "properties": {"logits": {"type": "number"}}, "additionalProperties": false}',
    )
    (message,) = folder.refusal(changed())
    assert message.startswith("stepdown.yaml:17:19: models.churn.adapters[0].response[0].move: ")
    assert "/logit" in message


def test_one_adapter_for_each_pair(folder: Folder) -> None:
    again = ("    clients:", '      - {from: v2.0.0, to: "1.1.0"}\n    clients:')
    assert folder.refusal(changed(again))[0].startswith(
        "stepdown.yaml:19:9: models.churn.adapters[1]: found a second adapter from 2.0.0 to 1.1.0; "
        "allowed one for each pair; the first is at "
    )
