"""A real server of a language model for tests: llama-cpp-python's, with a tiny model of random weights.

It takes an environment of its own, `.envs/llama`, with `llama-cpp-python[server]`, `gguf` and `numpy`, and the script
that writes the model; without them, tests that need it are skipped.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.churn.processes import Program, free_port

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".envs" / "llama" / "bin" / "python"
WRITER = ROOT.parent / "shared" / "llm" / "make-tiny-gguf.py"


@contextmanager
def llama_server(folder: Path, seed: int = 0, interrupts: bool = False) -> Iterator[str]:
    """Serves a model of random weights, which the seed decides, on a free port; gives the URL of its API.

    With `interrupts`, the server's own default, a request ends the streams of all others in silence.
    """
    if not PYTHON.exists() or not WRITER.exists():
        pytest.skip("llama-cpp-python is not installed in .envs/llama, or the writer of tiny models is not there")
    model = folder / "tiny.gguf"
    subprocess.run([PYTHON, WRITER, model, str(seed)], check=True, capture_output=True, timeout=60)
    port = free_port()
    options = ["--model", str(model), "--model_alias", f"tiny-{seed}", "--n_threads", "1", "--host", "127.0.0.1"]
    options += ["--port", str(port), "--interrupt_requests", str(interrupts).lower()]
    server = Program("llama", [str(PYTHON), "-m", "llama_cpp.server", *options], folder / "llama.log", {}, folder)
    try:
        server.wait_for(f"http://127.0.0.1:{port}/v1/models")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.stop()
