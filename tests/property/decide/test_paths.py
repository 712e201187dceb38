"""A path that passes as unambiguous stays what it is under everything that servers do to paths."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from stepdown.decide.paths import is_unambiguous

pieces = st.sampled_from(
    [b"/", b"a", b".", b"..", b"%2e", b"%2F", b"%5c", b"%00", b"%41", b"%", b";", b"\\", b"%zz", b"-"]
)


@given(st.lists(pieces, max_size=10).map(lambda parts: b"/" + b"".join(parts)))
def test_decoding_merging_and_resolving_leave_the_segments_of_an_unambiguous_path_alone(path: bytes) -> None:
    decoded = unquote_to_bytes(path)
    same = (
        posixpath.normpath(decoded) == (decoded.rstrip(b"/") or b"/")
        and not path.startswith(b"//")
        and not path.endswith(b"//")
        and decoded.count(b"/") == path.count(b"/")
        and not re.search(rb"[\\\0;]", decoded)
        and not re.search(rb"%(?![0-9a-fA-F]{2})", path)
    )
    assert is_unambiguous(path) == same
