"""Every answer that a test gets is confirmed by a validator of others where that is possible."""

from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.proof.inclusion import Excluded, Inclusion, included


@pytest.fixture
def decide() -> Callable[[Any, Any], Inclusion]:
    def confirmed(inner: Any, outer: Any) -> Inclusion:
        answer = included(inner, outer)
        if isinstance(answer, Excluded):
            assert jsonschema_rs.validator_for(inner).is_valid(answer.witness), answer
            assert not jsonschema_rs.validator_for(outer).is_valid(answer.witness), answer
        return answer

    return confirmed
