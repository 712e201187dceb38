"""`python -m config.llm.demo`: two servers of a language model behind one address, and an old application before it.

Starts both servers and the sidecar, asks as the application would, says what held, and shows the shadow's report. Where
the server cannot be started, it says what is missing and leaves it at that.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from config.churn.processes import Program, StartError, free_port, until

FOLDER = Path(__file__).parent
ENVIRONMENTS = FOLDER.parents[1] / ".envs"
LLAMA = os.environ.get("STEPDOWN_LLAMA_PYTHON") or str(ENVIRONMENTS / "llama/bin/python")
"""A Python that has llama-cpp-python's server."""
OPENAI = str(ENVIRONMENTS / "openai/bin/python")
STEPDOWN = [sys.executable, "-m", "stepdown"]
PROMPTS = ["the customer will", "hello world", "the answer is", "one two three", "the score of the customer is"]


def missing() -> str:
    """What this demo needs and has not; empty where there is all of it."""
    if _lacks(OPENAI, "openai"):
        return "openai-python is not installed in .envs/openai; `make servers` installs it."
    if why := _lacks(LLAMA, "llama_cpp.server, gguf, numpy"):
        return (
            f"The server is not installed ({why}): name a Python that has `llama-cpp-python[server]`, `gguf` and "
            "`numpy` in STEPDOWN_LLAMA_PYTHON, or put them into .envs/llama (without a wheel for your machine it is "
            "compiled)."
        )
    return ""


def _lacks(python: str, modules: str) -> str:
    """Why a Python cannot import these; empty where it can."""
    try:
        tried = subprocess.run([python, "-c", f"import {modules}"], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{python}: {error.strerror}"
    return f"{python}: {_last_line(tried.stderr)}" if tried.returncode else ""


def _last_line(told: str) -> str:
    return (told.strip().splitlines() or ["it does not say why"])[-1]


class Stage:
    """Two servers with a sidecar in front of them, on free ports."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.listen, self.status, self.admin, self.v1, self.v2 = (free_port() for _ in range(5))
        self.environment = {
            "LLM_LISTEN": f"127.0.0.1:{self.listen}",
            "LLM_STATUS": f"127.0.0.1:{self.status}",
            "LLM_ADMIN": f"127.0.0.1:{self.admin}",
            "LLM_V1_URL": f"http://127.0.0.1:{self.v1}",
            "LLM_V2_URL": f"http://127.0.0.1:{self.v2}",
            "STEPDOWN_ADMIN": f"http://127.0.0.1:{self.admin}",
            "STEPDOWN_ADMIN_TOKEN": os.environ.get("STEPDOWN_ADMIN_TOKEN") or "a-secret-of-this-demo",
        }

    @contextmanager
    def server(self, port: int, seed: int) -> Iterator[None]:
        """A server of the model that the seed decides, until the end of the block."""
        model = str(self._folder / f"{seed}.gguf")
        command = [LLAMA, str(FOLDER / "model.py"), model, str(seed)]
        written = subprocess.run(command, capture_output=True, text=True, check=False)
        if written.returncode:
            raise StartError(f"the model of server-{seed} cannot be written: {_last_line(written.stderr)}")
        # Its default ends the streams of all others in silence when a request comes.
        options = ["--n_threads", "1", "--interrupt_requests", "false", "--host", "127.0.0.1", "--port", str(port)]
        program = self._started(f"server-{seed}", [LLAMA, "-m", "llama_cpp.server", "--model", model, *options])
        with self._stopping(program, f"http://127.0.0.1:{port}/v1/models"):
            yield

    @contextmanager
    def sidecar(self) -> Iterator[None]:
        """The sidecar, until the end of the block."""
        program = self._started("stepdown", [*STEPDOWN, "run", str(FOLDER / "stepdown.yaml")])
        with self._stopping(program, f"http://127.0.0.1:{self.status}/readyz"):
            yield

    def ask(self, prompts: list[str], *options: str) -> list[dict[str, Any]]:
        """What the application reads of these prompts."""
        url = f"http://127.0.0.1:{self.listen}/v1"
        command = [OPENAI, str(FOLDER / "client.py"), url, "--json", *options, *prompts]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=300)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def report(self) -> dict[str, Any]:
        """The shadow's report; empty while there is none."""
        done = self._stepdown("shadow", "report", "completions", "next", "--json", stdout=subprocess.PIPE)
        return dict(json.loads(done.stdout)["report"]["total"]) if done.returncode == 0 else {}

    def compare(self, answers: int) -> None:
        """Wait until so many are compared; asks more where copies were dropped for want of time."""
        for _ in range(5):
            if until(lambda: self.report().get("compared", 0) >= answers, 15):
                return
            self.ask(PROMPTS)

    def show(self, *command: str) -> None:
        """Run a command as a person would."""
        print(f"\n$ stepdown {' '.join(command)}", flush=True)
        self._stepdown(*command)

    def _stepdown(self, *command: str, stdout: int | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*STEPDOWN, *command], env={**os.environ, **self.environment}, stdout=stdout, check=False)

    def _started(self, name: str, arguments: list[str]) -> Program:
        return Program(name, arguments, self._folder / f"{name}.log", self.environment, FOLDER)

    @contextmanager
    def _stopping(self, program: Program, ready: str) -> Iterator[None]:
        try:
            program.wait_for(ready)
            yield
        finally:
            program.stop()


def streamed(answers: list[dict[str, Any]], version: str) -> bool:
    """Whether each is a whole stream of text completions, in pieces, that says what the document says."""
    return all(
        not one["error"]
        and one["served"] == version
        and one["object"] == "text_completion"
        and one["finish"] in ("stop", "length")
        and len(one["pieces"]) > 1
        and "".join(one["pieces"]) == one["text"]
        for one in answers
    )


def equal_but_for_text(report: dict[str, Any], answers: int) -> bool:
    """Whether so many were compared, all of them good, that differ in their text and where it ends only."""
    paths = {path["path"] for path in report.get("paths", ())}
    contract = report.get("contract", {})
    return (
        report.get("compared", 0) >= answers
        and paths <= {"/choices/*/text", "/choices/*/finish_reason"}
        and contract["checked"] > 0
        and contract["invalid_candidate"] == 0
    )


def told(answers: list[dict[str, Any]]) -> None:
    """Print what the application has read, a bar between the events."""
    for one in answers:
        print(f"  {one['prompt']!r}: {one['error'] or '|'.join(filter(None, one['pieces']))}")


def play(folder: Path) -> dict[str, bool]:
    """The whole demo; what should hold, and whether it does."""
    stage, held = Stage(folder), {}
    with ExitStack() as stack:
        stack.enter_context(stage.server(stage.v1, 1))
        stack.enter_context(stage.server(stage.v2, 2))
        stack.enter_context(stage.sidecar())

        print("The application asks for text completions, and 1.0.0 serves them. 2.0.0 gets copies:")
        told(before := stage.ask(PROMPTS))
        held["the application reads streams and documents of 1.0.0"] = streamed(before, "1.0.0")

        stage.compare(2 * len(PROMPTS))  # and 2.0.0, which answers one request at a time, is free again
        print("\nThe same application in the trial, served by 2.0.0, which knows chats only:")
        told(after := stage.ask(PROMPTS, "--trial"))
        held["it reads streams and documents of 2.0.0, in the shape that it knows"] = streamed(after, "2.0.0")

        print("\nWhat a chat has no words for is refused, in a sentence:")
        told(refused := stage.ask(PROMPTS[:1], "--trial", "--logprobs"))
        held["log-probabilities of a chat are refused"] = "UnprocessableEntityError" in refused[0]["error"]

        stage.show("shadow", "report", "completions")
        held["copies were compared in the application's shape, and differ in nothing but the text"] = (
            equal_but_for_text(stage.report(), 2 * len(PROMPTS))
        )
    return held


def main() -> int:
    """The exit code: 0 if all of it held, or if there is nothing to play with."""
    try:
        if lacks := missing():
            print(f"Skipped. {lacks}")
            return 0
        with tempfile.TemporaryDirectory() as folder:
            held = play(Path(folder))
    except KeyboardInterrupt:
        print("\nInterrupted; everything was ended.")
        return 130
    except (StartError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)
        return 1
    print()
    for what, good in held.items():
        print(f"{'held' if good else 'NOT HELD'}: {what}")
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
