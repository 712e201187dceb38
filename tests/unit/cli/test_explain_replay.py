"""`stepdown explain FILE --replay RECORDS`: a report, its exit codes, and files that are not whole."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from stepdown.cli.explain import explain
from stepdown.decide.records import Decided, Hidden, Record, Value, write
from stepdown.decide.slots import slot_of
from tests.kit.configuration import CHURN

ROUTES = """\
listen: 127.0.0.1:0
routes:
  churn:
    match: {path: /infer}
    model: churn
    key: [{header: x-user-id}]
    rules:
      - {name: beta, when: {header: {x-plan: beta}}, split: {"2.0.0": 100}}
      - {name: all, split: {"1.1.0": 90, "2.0.0": 10}}
"""
FILE = CHURN + ROUTES
WIDER = FILE.replace('"1.1.0": 90, "2.0.0": 10', '"1.1.0": 60, "2.0.0": 40')
HIDDEN = msgspec.Raw(b'{"sha256":"ab"}')
APP = typer.Typer()
APP.command()(explain)


def record(user: str | Hidden | None = "u1", *, slot: int = 0, plan: str | None = None, **changes: object) -> Record:
    """What FILE decides and a sidecar records."""
    if isinstance(user, str):
        slot = slot_of(f"churn/all:header:x-user-id:{user}".encode())
    headers: dict[str, Value] = {"x-model-version": None, "x-user-id": user, "x-plan": plan}
    rule, assigned = ("beta", "2.0.0") if plan == "beta" else ("all", "1.1.0" if slot >= 1000 else "2.0.0")
    decided = Decided(
        route="churn",
        model="churn",
        rule=rule,
        salt=f"churn/{rule}",
        pinned="1.1.0",
        assigned=assigned,
        served=assigned,
        reason="split",
        key_source="none" if user is None else "header:x-user-id",
        slot=slot,
    )
    values: dict[str, object] = {
        "event": "decision",
        "time": "2027-01-15T08:00:00.500Z",
        "config": "0123456789abcdef",
        "sample": 0.01,
        "method": "POST",
        "path": "/infer",
        "headers": headers,
        "decided": decided,
    }
    return Record(**(values | changes))  # type: ignore[arg-type]


class Case:
    """A configuration and a file of records."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stepdown.yaml"
        self.records = folder / "decisions.jsonl"

    def run(self, text: str, lines: bytes, *arguments: str) -> Result:
        self.file.write_text(text)
        self.records.write_bytes(lines)
        return CliRunner().invoke(APP, [str(self.file), "--replay", str(self.records), *arguments])

    def report(self, text: str, *records: Record) -> dict:
        done = self.run(text, lines(*records), "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def lines(*records: Record) -> bytes:
    return b"".join(write(one, 4096) for one in records)


USERS = [record(f"u{number}") for number in range(300)]
STAY = sum(one.decided.slot is not None and not 1000 <= one.decided.slot < 4000 for one in USERS)


def test_nobody_moves_where_nothing_changed(case: Case) -> None:
    done = case.run(FILE, lines(*USERS), "--max-moved", "0")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == (
        "0 of 300 recorded requests would move: 0.00% (0.00% to 1.25% of all), which is 0 of 30,000 requests."
    )


def test_a_wider_split_moves_those_in_between(case: Case) -> None:
    report = case.report(WIDER, *USERS)
    (group,) = report["groups"]
    assert (group["route"], group["rule"], group["drawn"]) == ("churn", "all", False)
    assert group["moved"]["records"] == 300 - STAY
    cells = {(cell["from"], cell["to"]): cell["records"] for cell in group["assigned"]}
    assert cells["1.1.0", "2.0.0"] == 300 - STAY
    assert ("2.0.0", "1.1.0") not in cells
    assert group["pinned"] == [{"from": "1.1.0", "to": "1.1.0", "records": 300}]
    low, high = group["moved"]["interval"]
    assert low < 0.3 < high


def test_the_report_for_people_has_the_numbers_and_examples(case: Case) -> None:
    done = case.run(WIDER, lines(*USERS, record(None, slot=2000)))
    assert "all (drawn)" in done.stdout
    assert "Requests without a key are drawn anew each time; here each keeps the slot that it was given." in done.stdout
    assert "2027-01-15T08:00:00.500Z POST /infer" in done.stdout


def test_the_report_for_people_goes_into_rules_of_which_something_becomes_only(case: Case) -> None:
    shown = case.run(WIDER, lines(*USERS, record("u1", plan="beta"))).stdout
    assert "churn all" in shown.splitlines()
    assert "churn beta" not in shown.splitlines()
    assert "beta" in shown.partition("churn all")[0], "it is in the overview all the same"


def test_more_moves_than_allowed_are_exit_code_1(case: Case) -> None:
    done = case.run(WIDER, lines(*USERS), "--max-moved", "5%")
    assert done.exit_code == 1
    assert "would move, and at most 5.00% may" in done.stderr
    assert case.run(WIDER, lines(*USERS), "--max-moved", "50%").exit_code == 0


def test_another_rule_is_told_and_is_no_move_by_itself(case: Case) -> None:
    text = FILE.replace("name: beta", "name: renamed")
    report = case.report(text, record(plan="beta"))
    assert report["whole"]["moved"]["records"] == 0
    assert report["groups"][0]["rules"] == [{"from": "churn/beta", "to": "churn/renamed", "records": 1}]


def test_requests_that_no_route_would_match_any_more_are_refused(case: Case) -> None:
    report = case.report(FILE.replace("/infer", "/other"), record())
    assert report["whole"]["refused"] == {"before": 0, "after": 1}
    assert report["whole"]["assigned"] == [{"from": "1.1.0", "to": "refused: no-route", "records": 1}]


def test_a_header_that_was_not_looked_at_is_named(case: Case) -> None:
    text = FILE.replace("{x-plan: beta}", "{x-country: de}")
    done = case.run(text, lines(record(), record("u2")))
    assert done.exit_code == 2
    assert "2 requests of which this is not on record: header x-country" in done.stderr
    report = case.report(text, record(headers={"x-user-id": "u1", "x-country": "de", "x-model-version": None}))
    assert report["whole"]["assigned"] == [{"from": "1.1.0", "to": "2.0.0", "records": 1}]


def test_a_hidden_key_keeps_its_slot_until_the_salt_changes(case: Case) -> None:
    hidden = record(Hidden("ab"), slot=2000)
    (cell,) = case.report(WIDER, hidden)["whole"]["assigned"]
    assert (cell["from"], cell["to"]) == ("1.1.0", "2.0.0")
    other = case.run(WIDER.replace("name: all,", "name: all, salt: new,"), lines(hidden))
    assert other.exit_code == 2
    assert "the key in header:x-user-id (only its digest is on record" in other.stderr


def test_a_hidden_value_is_recognised_where_the_configuration_knows_it(case: Case) -> None:
    import hashlib

    digest = Hidden(hashlib.sha256(b"beta").hexdigest())
    hidden = record(headers={"x-user-id": "u1", "x-plan": digest, "x-model-version": None})
    report = case.report(FILE, hidden)
    assert report["groups"][0]["rules"] == [{"from": "churn/all", "to": "churn/beta", "records": 1}]
    text = FILE.replace("{x-plan: beta}", f"{{x-plan: {{sha256: {digest.sha256}}}}}")
    assert case.report(text, hidden)["whole"]["moved"]["records"] == 1


def test_overridden_requests_are_left_out_and_counted(case: Case) -> None:
    overridden = record(decided=Decided(route="churn", reason="override", override="honoured"))
    report = case.report(FILE, record(), overridden)
    assert (report["overridden"], report["whole"]["records"]) == (1, 1)


def test_versions_that_were_down_are_down_again(case: Case) -> None:
    down = record(
        "u1",
        down=("1.1.0", "2.0.0"),
        decided=Decided(route="churn", model="churn", error="no-ready-version", status=503),
    )
    report = case.report(FILE, down)
    assert report["whole"]["moved"]["records"] == 0
    assert report["whole"]["refused"] == {"before": 1, "after": 1}


# --- files that are not whole ----------


def test_broken_lines_are_counted_and_named_and_others_passed_over(case: Case) -> None:
    whole = write(record(), 4096)
    other = b'{"time":"x","route":"r"}\n'
    bad_time = write(msgspec.structs.replace(record(), time="never"), 4096)
    data = b"".join((whole, whole[:40] + b"\n", b"\n", other, whole[:70] + whole, bad_time, whole, whole[:99]))
    done = case.run(FILE, data)
    assert done.exit_code == 0
    name = case.records
    assert f"Broken: 4 lines, the first at {name}:2, {name}:5, {name}:6, {name}:8." in done.stdout
    assert "Passed over: 1 lines that are no records of decisions." in done.stdout
    assert "0 of 2 recorded requests would move" in done.stdout


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "nothing in it can be decided again; it has no lines"),
        (b'{"event":"decision",', "it has 1 broken lines, the first at"),
        (b"hello\n\x00\xff\n", "it has 2 lines that are no records of decisions"),
    ],
    ids=["empty", "broken", "other"],
)
def test_a_file_without_records_is_unusable(case: Case, data: bytes, message: str) -> None:
    done = case.run(FILE, data)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_file_that_is_not_there_is_unusable(case: Case) -> None:
    case.file.write_text(FILE)
    done = CliRunner().invoke(APP, [str(case.file), "--replay", "gone.jsonl"])
    assert (done.exit_code, done.stderr) == (2, "gone.jsonl: No such file or directory\n")


def test_records_may_come_on_standard_input(case: Case) -> None:
    case.file.write_text(FILE)
    arguments = ["--config", str(case.file), "--replay", "-"]
    done = CliRunner().invoke(APP, arguments, input=lines(record()))
    assert done.exit_code == 0
    assert "0 of 1 recorded requests would move" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name one configuration file, as FILE or with --config"),
        (("a.yaml", "--config", "b.yaml", "--path", "/"), "name one configuration file"),
        (("a.yaml",), "give either --path, for one request, or --replay, for recorded ones"),
        (("a.yaml", "--path", "/", "--replay", "x"), "give either --path"),
        (("a.yaml", "--path", "/", "--max-moved", "5%"), "--max-moved: goes together with --replay"),
        (("a.yaml", "--replay", "x", "--max-moved", "lots"), "--max-moved lots: allowed a percentage such as 20%"),
        (("gone.yaml", "--replay", "x"), "gone.yaml"),
    ],
)
def test_options_that_do_not_fit_are_said(arguments: tuple[str, ...], message: str) -> None:
    done = CliRunner().invoke(APP, list(arguments))
    assert done.exit_code == 2
    assert message in done.stderr


# --- what is not on record, and what stands for it ----------

BY_BODY = FILE.replace("{header: x-user-id}", "{json: /user/id}")


@pytest.mark.parametrize(
    ("text", "changes", "what"),
    [
        (FILE.replace("header: x-user-id", "cookie: uid"), {}, "cookie uid"),
        (BY_BODY, {}, "body /user/id"),
        (FILE.replace("[{header: x-user-id}]", "[client_ip]\n    limits: {}\n").replace(
            "models:", "trusted_hops: 0\nmodels:"), {}, "the client's address"),
        (FILE.replace("{header: {x-plan: beta}}", "{query: {api_key: a}}"), {"query": "api_key=***"}, "query api_key"),
        (FILE.replace("{header: {x-plan: beta}}", "{query: {plan: a}}"), {"cut": ("query",)}, "query plan"),
        (FILE.replace("{header: {x-plan: beta}}", "{json: {/token: a}}"), {"body": {"/token": HIDDEN}}, "body /token"),
        (FILE, {"cut": ("path",)}, "the path, which was too long"),
        (FILE, {"cut": ("host",)}, "the host, which was too long"),
    ],
    ids=["cookie", "body", "client", "hidden parameter", "query", "hidden member", "path", "host"],
)  # fmt: skip
def test_what_is_missing_is_named_and_nothing_is_guessed(
    case: Case, text: str, changes: dict[str, object], what: str
) -> None:
    done = case.run(text, lines(record(**changes)))
    assert done.exit_code == 2, done.output
    assert f"1 requests of which this is not on record: {what}" in done.stderr


def test_members_of_the_body_are_read_as_they_were(case: Case) -> None:
    text = BY_BODY.replace("{header: {x-plan: beta}}", "{json: {/user/plan: beta}}")
    body = {"/user/id": msgspec.Raw(b'"u1"'), "/user/plan": msgspec.Raw(b'"beta"'), "/user": msgspec.Raw(b"[]")}
    report = case.report(text, record(body=body))
    assert report["groups"][0]["rules"] == [{"from": "churn/all", "to": "churn/beta", "records": 1}]


def test_a_hidden_member_may_still_be_a_key(case: Case) -> None:
    text = FILE.replace("{header: x-user-id}", "{json: /token}")
    decided = msgspec.structs.replace(record().decided, key_source="json:/token", slot=3000)
    report = case.report(text, record(body={"/token": HIDDEN}, decided=decided))
    assert report["whole"]["moved"]["records"] == 0


def test_what_went_through_still_goes_through(case: Case) -> None:
    text = FILE.replace("models:", 'passthrough_to: ["http://127.0.0.1:18089"]\nmodels:')
    report = case.report(text, record(path="/other", decided=Decided()))
    assert report["whole"]["assigned"] == [{"from": "passed through", "to": "passed through", "records": 1}]


def test_a_hidden_key_is_none_of_a_pin_on_a_server(case: Case) -> None:
    text = FILE.replace("    model: churn\n", "    model: churn\n    pin: server\n")
    headers: dict[str, Value] = {"x-model-version": "2", "x-user-id": Hidden("ab"), "x-plan": None}
    report = case.report(text, record(Hidden("ab"), slot=5000, headers=headers))
    assert report["whole"]["assigned"] == [{"from": "1.1.0", "to": "2.0.0", "records": 1}]
