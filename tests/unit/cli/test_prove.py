"""`stepdown prove` as a command: options, forms of output, kept cases, recordings, exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from stepdown.recordings.compression import compressed
from stepdown.recordings.entry import Entry, write
from stepdown_adapters.proof import static
from stepdown_adapters.proof.inclusion import Included
from tests.kit.configuration import GOOD, Folder
from tests.kit.recordings import a_copy, an_answer, an_entry, recording
from tests.kit.terminal import in_terminal

ROOT = Path(__file__).parents[3]
PRUNED = GOOD.replace(
    "          - sigmoid: /score\n",
    "          - sigmoid: /score\n          - remove: {path: /note, on_missing: skip}\n        prune: true\n",
)
NULLABLE = '{"type": "object", "properties": {"logit": {"type": ["number", "null"]}}, "required": ["logit"]}'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["prove", *map(str, arguments)])


@pytest.fixture
def leaking(tmp_path: Path) -> Folder:
    """The worked example: 2.0.0 is open, so that a member `note` of any type passes through to 1.1.0."""
    folder = Folder(tmp_path)
    folder.write("stepdown.yaml", GOOD)
    return folder


@pytest.fixture
def pruned(tmp_path: Path) -> Folder:
    """The same with what 2.0.0 says nothing of taken out."""
    folder = Folder(tmp_path)
    folder.write("stepdown.yaml", PRUNED)
    return folder


def test_the_help_teaches_grades_examples_and_exit_codes() -> None:
    text = run("--help").output
    for word in ("PROVED", "TESTED n", "REFUTED", "VACUOUS", "UNGRADED", "CONTRADICTION"):
        assert f"  {word} " in text
    for line in (
        "stepdown prove --keep tests/proof-cases",
        "0  everything is PROVED",
        "3  Stepdown contradicts itself",
    ):
        assert line in text


def test_a_leak_is_refuted_with_the_smallest_counterexample(leaking: Folder) -> None:
    result = run(leaking.file, "--documents", 100)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[1:6] == [
        "model churn",
        "  chain                    of       grade    documents  refused  coverage",
        *(line for line in lines[3:6]),
    ]
    assert [line.split("  ")[1] for line in lines[3:6]] == [
        "2.0.0 -> 1.1.0", "1.1.0 -> 1.0.0", "2.0.0 -> 1.1.0 -> 1.0.0"
    ]  # fmt: skip
    assert [re.findall(r"[A-Z]{4,}(?: \d+)?", line) for line in lines[3:6]] == [["REFUTED"], ["PROVED"], ["REFUTED"]]
    at = lines.index('churn 2.0.0 -> 1.1.0 answers: REFUTED: at /note: 0 breaks type "string"')
    assert lines[at + 1 : at + 4] == [
        '    2.0.0: {"logit": 0, "note": 0}',
        '    1.1.0: {"note": 0, "score": 0.5}',
        '    breaks 1.1.0: at /note: 0 breaks type "string"',
    ]
    assert lines[-1] == "failed: 1 PROVED, 2 REFUTED"


def test_what_is_repaired_is_proved(pruned: Folder) -> None:
    result = run(pruned.file, "--documents", 100)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "passed: 3 PROVED")


def test_chains_are_chosen_by_model_and_versions(pruned: Folder) -> None:
    def chosen(*options: str) -> list[str]:
        report = json.loads(run(pruned.file, "--documents", "10", "--json", *options).stdout)
        return [f"{one['from']} {one['to']}" for one in report["gradings"]]

    assert chosen("--from", "v2.0.0") == ["2.0.0 1.1.0", "2.0.0 1.0.0"]
    assert chosen("--to", "1.0.0") == ["1.1.0 1.0.0", "2.0.0 1.0.0"]
    assert chosen("--model", "churn", "--from", "1.1.0", "--to", "1.0.0") == ["1.1.0 1.0.0"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--model", "chrn"], "--model chrn: allowed churn"),
        (["--from", "9.0.0"], "--from 9.0.0: allowed 1.0.0, 1.1.0, 2.0.0"),
        (["--to", "one"], "--to one: "),
        (["--from", "1.0.0", "--to", "2.0.0"], "2.0.0 cannot be had from 1.0.0: "),
        (["--to", "2.0.0"], "no chain leads to 2.0.0\n"),
        (["--from", "1.0.0"], "no chain leads from 1.0.0\n"),
        (["--from", "2.0.0", "--from-recording", "none.jsonl"], "none.jsonl: cannot be read: No such file"),
    ],
)
def test_what_cannot_be_proved_is_said_with_what_is_allowed(pruned: Folder, options: list[str], says: str) -> None:
    result = run(pruned.file, "--documents", 5, *options)
    assert result.exit_code == 2
    assert says in result.stderr


def test_where_clients_check_formats_a_text_without_one_is_refuted(pruned: Folder) -> None:
    dated = '{"type": "object", "properties": {"score": {}, "note": {"type": "string", "format": "date"}}}'
    pruned.write("contracts/1.1.0.json", dated)
    pruned.write(
        "stepdown.yaml",
        GOOD.replace("- sigmoid: /score\n", '- sigmoid: /score\n          - add: {path: /note, value: "x"}\n'),
    )
    options = (pruned.file, "--from", "2.0.0", "--to", "1.1.0", "--documents", 100)
    assert "PROVED" in run(*options).stdout
    asserted = run(*options, "--formats", "asserted")
    assert asserted.exit_code == 1
    assert "REFUTED: at /note: " in asserted.stdout


def test_a_file_with_mistakes_is_not_proved(leaking: Folder) -> None:
    leaking.write("stepdown.yaml", GOOD.replace("sigmoid", "sigmoit"))
    result = run(leaking.file)
    assert result.exit_code == 2
    assert "did you mean" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("nothing is proved, because of what is wrong above")


def test_a_file_without_adapters_has_nothing_to_prove(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("stepdown.yaml", "listen: 127.0.0.1:8080\nmodels: {}\nroutes: {}\n")
    result = run(folder.file)
    assert (result.exit_code, result.stdout) == (0, "\npassed: there is no chain, so nothing is to be proved\n")


def test_refusals_are_counted_and_total_makes_them_failures(pruned: Folder) -> None:
    pruned.write("contracts/2.0.0.json", NULLABLE)
    options = (pruned.file, "--from", "2.0.0", "--to", "1.1.0", "--documents", 100)
    result = run(*options)
    assert result.exit_code == 0, result.output
    assert re.search(r"^    refused: \d+ of \d+ documents$", result.stdout, re.MULTILINE)
    assert "2.0.0 -> 1.1.0: response[1]/sigmoid at /score: null is not a number" in result.stdout
    total = run(*options, "--total")
    assert total.exit_code == 1
    assert "documents, which --total forbids" in total.stdout
    assert '      such as {"logit": null}' in total.stdout


def test_counterexamples_are_kept_replayed_and_told_when_they_are_stale(leaking: Folder) -> None:
    folder = leaking.path / "cases"
    options = ("--from", "2.0.0", "--to", "1.1.0", "--keep", folder)
    assert run(leaking.file, *options, "--documents", 100).exit_code == 1
    (kept,) = folder.iterdir()
    assert re.fullmatch(r"churn-2\.0\.0-1\.1\.0-response-[0-9a-f]{12}\.json", kept.name)
    case = json.loads(kept.read_text())
    assert (case["document"], case["adapted"]) == ({"logit": 0, "note": 0}, {"score": 0.5, "note": 0})
    assert case["breaks"] == 'at /note: 0 breaks type "string"'

    (again,) = _gradings(run(leaking.file, *options, "--documents", 100, "--json"))
    assert (again["trial"]["distinct"], again["trial"]["kept_cases"]) == (0, {"replayed": 1, "stale": 0})
    assert list(folder.iterdir()) == [kept]

    kept.write_text(json.dumps({**case, "document": {"note": 1}}))
    stale = run(leaking.file, *options, "--documents", 100)
    assert "    kept cases: 1 of 1 are no documents of the contract any more" in stale.stdout


def test_a_kept_case_of_a_model_that_was_renamed_is_told_where_everything_is_proved(pruned: Folder) -> None:
    pruned.write("cases/customers-2.0.0-1.1.0-response-0.json", "{}")
    options = ("--keep", pruned.path / "cases", "--documents", 5)
    told = run(pruned.file, *options).stderr
    assert told.endswith("not replayed, for it is about no chain here: customers-2.0.0-1.1.0-response-0.json\n")
    assert run(pruned.file, *options, "--from", "2.0.0").stderr == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "cannot be used: "), ('{"format": 1}', "lacks 'model'"), ('{"format": 9}', "has the format 9")],
)
def test_a_kept_case_that_cannot_be_read_ends_with_2(pruned: Folder, text: str, says: str) -> None:
    pruned.write("cases/churn-2.0.0-1.1.0-response-0.json", text)
    result = run(pruned.file, "--keep", pruned.path / "cases", "--documents", 5)
    assert result.exit_code == 2
    assert "churn-2.0.0-1.1.0-response-0.json:1:1: " in result.stdout
    assert says in result.stdout


def _gradings(result: Result) -> list[dict[str, Any]]:
    report = json.loads(result.stdout)
    assert report["format"] == 1
    found: list[dict[str, Any]] = report["gradings"]
    return found


def test_json_has_the_whole_of_it(leaking: Folder) -> None:
    first = _gradings(run(leaking.file, "--json", "--documents", 100, "--seed", 5))[0]
    assert (first["model"], first["side"], first["via"], first["grade"]) == ("churn", "response", [], "REFUTED")
    assert first["counterexample"]["document"] == {"logit": 0, "note": 0}
    assert first["proof"]["holds"] is False
    assert "note" in first["proof"]["not_excluded"]
    assert first["trial"]["seed"] == 5


def test_a_contradiction_has_an_exit_code_of_its_own(leaking: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the prover had a mistake.
    monkeypatch.setattr(static, "included", lambda inner, outer, **_: Included())
    result = run(leaking.file, "--documents", 100)
    assert result.exit_code == 3
    assert "CONTRADICTION: at /note: 0 breaks" in result.stdout
    assert "a bug of Stepdown" in result.stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"logit": 0.5}, "1 (1 keep the contract, 0 break it, 0 refused)"),
        ({"response": {"status": 200, "body": {"logit": 0.5}}}, "1 (1 keep"),
        ({"body": '{"logit": 0.5}', "request": {"body": {"x": 1}}}, "1 (1 keep"),
        (
            {"response": {"status": 500, "body": {"error": "x"}}},
            "1 (0 keep the contract, 0 break it, 0 refused, 1 errors",
        ),
        ({"logit": "high"}, "1 (0 keep the contract, 0 break it, 1 refused)"),
    ],
)
def test_recorded_answers_go_through_chain_and_contract(pruned: Folder, line: Any, says: str) -> None:
    pruned.write("answers.jsonl", json.dumps(line) + "\n\n")
    options = ("--from", "2.0.0", "--to", "1.1.0", "--documents", 10, "--from-recording", pruned.path / "answers.jsonl")
    result = run(pruned.file, *options)
    assert result.exit_code == 0, result.output
    assert f"recorded answers, churn 2.0.0 -> 1.1.0: {says}" in result.stdout


def test_a_recorded_answer_that_breaks_the_contract_is_shown_with_its_line(leaking: Folder) -> None:
    lines = [{"logit": 0.0}, {"logit": 0.0, "note": 5}]
    leaking.write("answers.jsonl", "\n".join(map(json.dumps, lines)))
    options = ("--from", "2.0.0", "--to", "1.1.0", "--from-recording", leaking.path / "answers.jsonl")
    result = run(leaking.file, *options)
    assert result.exit_code == 1
    assert '    line 2: {"logit": 0.0, "note": 5}' in result.stdout
    assert '      breaks 1.1.0: at /note: 5 breaks type "string"' in result.stdout


def test_a_recorded_answer_that_is_none_of_its_version_is_told(pruned: Folder) -> None:
    pruned.write("answers.jsonl", '{"logit": "0.5"}\n')
    options = ("--from", "2.0.0", "--to", "1.1.0", "--documents", 10, "--from-recording", pruned.path / "answers.jsonl")
    text = run(pruned.file, *options).stdout
    assert "    1 of them are no answers of 2.0.0: line 1, at /logit: is a string, not of type number" in text
    pruned.write("answers.jsonl", "{}\n{")
    broken = run(pruned.file, *options)
    assert (broken.exit_code, "answers.jsonl:2: is no JSON" in broken.stderr) == (2, True)


def _entries(*entries: Entry, compress: bool = False) -> bytes:
    lines = b"".join(map(write, entries))
    return compressed(lines) if compress else lines


@pytest.mark.parametrize("compress", [False, True])
def test_what_stepdown_recorded_goes_through_the_chains_of_the_version_that_answered(
    pruned: Folder, compress: bool
) -> None:
    failed = an_answer(head=b"HTTP/1.1 500 Oops\r\n\r\n", status=500)
    nobody = an_answer(head=b"", served="", status=502, error="upstream-connect")
    of_another = an_entry(b"{}", b'{"score": 1, "note": "a"}', a_copy(served="1.1.0"), an_answer(served="1.1.0"))
    text = _entries(
        an_entry(),
        an_entry(answer=failed, answer_body=b'{"error": "x"}'),
        an_entry(answer=nobody, answer_body=b""),
        an_entry(answer_body=b"no JSON"),
        an_entry(settings=recording(redact=("/logit",))),
        of_another,
        compress=compress,
    )
    pruned.write("recorded/churn-1.jsonl" + ".zst" * compress, text)
    for path in ("recorded", "recorded/churn-1.jsonl" + ".zst" * compress):
        result = run(pruned.file, "--documents", 10, "--from-recording", pruned.path / path)
        assert result.exit_code == 0, result.output
        assert "recorded answers, churn 2.0.0 -> 1.1.0: 2 (1 keep the contract, 0 break it, 0 refused, 1 errors" in (
            result.stdout
        )
        assert "    left out: 1 not answered by a server, 1 without a JSON body, 1 redacted\n" in result.stdout
        assert "recorded answers, churn 1.1.0 -> 1.0.0: 1 (1 keep the contract" in result.stdout


def test_a_recording_that_is_cut_is_read_as_far_as_it_goes(leaking: Folder) -> None:
    leaks = an_entry(answer_body=b'{"logit": 0.0, "note": 5}')
    leaking.write("a.jsonl", _entries(leaks, leaks)[:-40])
    result = run(leaking.file, "--from", "2.0.0", "--to", "1.1.0", "--from-recording", leaking.path / "a.jsonl")
    assert result.exit_code == 1
    assert '    line 1: {"logit": 0.0, "note": 5}' in result.stdout
    assert "1.1.0: 1 (0 keep the contract, 1 break it" in result.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{}\n", "a.jsonl:1: does not say what version answered: say it with --from (and --model)"),
        (b"", "a.jsonl: has no line"),
        (b'{"recording":2}\n', "a.jsonl:1: is no recorded exchange: has the format 2, and this version reads 1"),
        (
            _entries(an_entry(answer=an_answer(served="9.0.0"))),
            "a.jsonl: nothing in it can be judged: 1 of churn 9.0.0",
        ),
        (_entries(an_entry(), compress=True)[:-4] + b"\0" * 4, "a.jsonl: cannot be decompressed: "),
    ],
)
def test_a_recording_that_says_nothing_is_no_proof(pruned: Folder, text: bytes, says: str) -> None:
    pruned.write("a.jsonl", text)
    result = run(pruned.file, "--documents", 5, "--from-recording", pruned.path / "a.jsonl")
    assert (result.exit_code, says in result.stderr) == (2, True), result.output


def test_a_request_is_read_only_in_the_shape_in_which_it_came(pruned: Folder) -> None:
    text = GOOD.replace("- sigmoid: /score", "- sigmoid: /score\n          - add: {path: /note, value: {request: /x}}")
    pruned.write("stepdown.yaml", text)
    pruned.write("a.jsonl", _entries(an_entry(b'{"x": "mine"}')))
    result = run(pruned.file, "--from", "2.0.0", "--from-recording", pruned.path / "a.jsonl", "--json")
    told = {one["to"]: (one["kept"], sum(one["refused"].values())) for one in json.loads(result.stdout)["recordings"]}
    assert told == {"1.1.0": (1, 0), "1.0.0": (0, 1)}, result.output  # the client's shape is that of 1.1.0


def test_the_grades_of_the_worked_example_are_those_that_the_page_shows() -> None:
    page = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
    (command, shown) = re.findall(r"^```console\n\$ stepdown prove (.*)\n((?:.*\n)*?)```$", page, re.MULTILINE)[0]
    file, *options = command.split()
    result = run(ROOT / file, *options)
    assert result.stdout.strip("\n") == shown.strip("\n")
    assert result.exit_code == 0


def test_a_terminal_gets_colours_and_progress(leaking: Folder) -> None:
    code, text = in_terminal("prove", str(leaking.file), "--documents", "200", errors=True)
    assert code == 1
    assert "\x1b[31mREFUTED" in text
    assert "\x1b[32mPROVED" in text
    assert "churn 1.1.0 -> 1.0.0 answers: 100 of 200" in text


def test_other_commands_do_not_pay_for_proofs() -> None:
    code = "import stepdown.cli.app, sys; print([name for name in sys.modules if 'proof.grading' in name])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "[]\n"
