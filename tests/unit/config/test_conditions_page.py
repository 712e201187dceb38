"""The examples of conditions on the page about the configuration: they load, and mean what is said beside them."""

from __future__ import annotations

import re
from pathlib import Path

from stepdown.decide.sentences import sentence_of
from tests.kit.configuration import Folder, changed

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_segments_on_the_page_are_good_and_say_what_is_written_beside_them(folder: Folder) -> None:
    section = PAGE.read_text().partition("\n## Conditions\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    names = re.findall(r"^  ([a-z-]+):", example, re.MULTILINE)
    used = ", ".join(f"{{segment: {name}}}" for name in names)
    folder.write("beta-users.txt", "u1\n")
    text = changed(
        ("when: {header: {x-plan: beta}}", f"when: {{any: [{used}]}}"), ("listen:", "trusted_hops: 0\nlisten:")
    )
    loaded = folder.load(text + example)
    assert loaded.warnings == ()
    assert {segment.name: sentence_of(segment.when) for segment in loaded.spec.segments} == {
        "beta": "header x-plan is 'beta' or cookie beta is present or the key is in beta-users.txt or the key is among "
        "5 % of all (salt 'segment/beta')",
        "at-the-office": "the client's address is in 10.0.0.0/8 or 2001:db8::/32 and the time is on mon, tue, wed, "
        "thu, fri between 08:00 and 18:00 (Europe/Berlin)",
        "testers": "the request is in segment beta and not (the request is in segment at-the-office)",
        "new-apps": "header user-agent matches 'ChurnApp/.*' and header x-app-version is a version in >=4.2 and query "
        "parameter mode is one of fast, fastest and the pinned version is in ^1.1",
        "big-accounts": "header x-api-key has the SHA-256 9f86d081... and body field /account/tier begins with 'gold' "
        "and body field /account/seats is 500 and body field /account/trial is false",
    }
