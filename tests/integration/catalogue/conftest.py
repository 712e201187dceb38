"""A real server of a language model for the tests beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.llama import llama_server


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as server:
        yield server
