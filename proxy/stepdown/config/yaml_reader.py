"""YAML text to a tree with places, in one pass over the parser's events.

The events come from libyaml (which bounds nesting at 1,000 levels). Built here rather than by PyYAML's constructors
because those forget positions, take the last of two equal keys, and read `no` as false (YAML 1.1). Aliases share a
node, so a chain of aliases costs nothing to read; what it would cost to write out is counted as `size`, and bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

import yaml

from stepdown.config import yaml_scalars
from stepdown.config.environment import UnfilledError, fill_in
from stepdown.config.findings import Finding, Place
from stepdown.config.tree import Items, Key, Member, Members, Node, Scalar, describe, dotted

MOST_BYTES = 8 * 1024 * 1024
"""Longest file that is read."""
MOST_VALUES = 500_000
"""Most values in a file, counted with every alias written out."""
DEEPEST = 100
"""Most levels of nesting: what walks the tree later may recurse."""

_TAG = "tag:yaml.org,2002:"
_TAGGED: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(Exception):
    """The text is no YAML that can be read; carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def read(text: str, file: str, environ: Mapping[str, str]) -> tuple[Node | None, list[Finding]]:
    """The tree of a document (`None` if it cannot be read or is empty), and all findings about its text."""
    reader = _Reader(file, environ)
    try:
        return reader.document(text), reader.findings
    except UnreadableError as error:
        return None, [*reader.findings, error.finding]
    except yaml.YAMLError as error:
        return None, [*reader.findings, _syntax(error, text, file)]


class _Reader:
    """State of reading one document."""

    def __init__(self, file: str, environ: Mapping[str, str]) -> None:
        self.file = file
        self.environ = environ
        self.findings: list[Finding] = []
        self.anchors: dict[str, Node] = {}
        self.path: list[Key] = []
        self.events: Iterator[yaml.Event] = iter(())

    def document(self, text: str) -> Node | None:
        self.events = iter(yaml.parse(text, Loader=_LOADER))
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.stop(event, "found a second document", "one document in a file")
                root = self.node(next(self.events), depth=1)
        if isinstance(root, Scalar) and root.value is None:
            root = None
        if root is None:
            self.findings.append(Finding(Place(self.file, 1, 1), "", "the file is empty"))
        return root

    def place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None
        return Place(self.file, mark.line + 1, mark.column + 1)

    def stop(self, event: yaml.Event, problem: str, allowed: str = "") -> NoReturn:
        raise UnreadableError(Finding(self.place(event), dotted(self.path), problem, allowed))

    def note(self, place: Place, problem: str, allowed: str = "") -> None:
        self.findings.append(Finding(place, dotted(self.path), problem, allowed))

    # --- nodes ------------------------------------------------------------------------------------------------------

    def node(self, event: yaml.Event, depth: int) -> Node:
        """The node that begins with `event`; its anchor is known only when it is whole, so no node contains itself."""
        if depth > DEEPEST:
            self.stop(event, f"found more than {DEEPEST} levels of nesting")
        assert isinstance(event, yaml.NodeEvent)
        anchor = event.anchor or ""
        if isinstance(event, yaml.AliasEvent):
            if anchor not in self.anchors:
                self.stop(event, f"found the alias *{anchor}", f"an alias of an earlier, complete &{anchor}")
            return self.anchors[anchor]
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self.check_tag(event, "seq")
            node = self.items(event, depth)
        else:
            assert isinstance(event, yaml.MappingStartEvent)
            self.check_tag(event, "map")
            node = self.members(event, depth)
        if node.size > MOST_VALUES:
            self.stop(event, f"found more than {MOST_VALUES} values (aliases written out)")
        if anchor:
            self.anchors[anchor] = node
        return node

    def items(self, start: yaml.Event, depth: int) -> Items:
        node = Items(self.place(start))
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            self.path.append(len(node.items))
            item = self.node(event, depth + 1)
            self.path.pop()
            node.numbers.append(len(node.items))
            node.items.append(item)
            node.size += item.size
        return node

    def members(self, start: yaml.Event, depth: int) -> Members:
        node = Members(self.place(start))
        merged: list[Node] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            place = self.place(event)
            plain_key = isinstance(event, yaml.ScalarEvent) and event.implicit[0]
            key = self.key(event, depth)
            self.path.append(key)
            value = self.node(next(self.events), depth + 1)
            node.size += value.size
            if key == "<<" and plain_key:
                merged += value.items if isinstance(value, Items) else [value]
            elif key in node.members:
                first = node.members[key].key_place
                self.note(
                    place, f'found the key "{key}" a second time', f"each key once; the first is at line {first.line}"
                )
            else:
                node.members[key] = Member(place, value)
            self.path.pop()
        self.merge(node, merged)
        return node

    def merge(self, node: Members, merged: list[Node]) -> None:
        """`<<: *base`: the base's members that the mapping does not have itself; an earlier base wins."""
        for base in merged:
            if not isinstance(base, Members):
                self.note(
                    base.place, 'found "<<" with something else than a mapping', "a mapping, or a list of mappings"
                )
                continue
            for key, member in base.members.items():
                node.members.setdefault(key, member)

    def key(self, event: yaml.Event, depth: int) -> str:
        """A key as text; what YAML reads as something else must be quoted, so that nobody is surprised by `1.10`."""
        node = self.anchors.get(event.anchor or "") if isinstance(event, yaml.AliasEvent) else None
        if isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(self.value(event, event.value), self.place(event), event.value)
            if not isinstance(scalar.value, str):
                self.note(scalar.place, f"found {describe(scalar)} as a key", f'text; quote it: "{scalar.text}"')
            if event.anchor:
                self.anchors[event.anchor] = scalar
            return event.value
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        self.stop(event, "found a key that is a list, a mapping or a foreign alias", "text")

    # --- scalars ----------------------------------------------------------------------------------------------------

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        place, text = self.place(event), event.value
        if "${" in text:
            try:
                text = fill_in(text, self.environ)
            except UnfilledError as error:
                self.note(place, *error.args)
                return Scalar("", place, event.value)
        return Scalar(self.value(event, text), place, event.value)

    def value(self, event: yaml.ScalarEvent, text: str) -> yaml_scalars.Value:
        """`text` typed: by its tag, or by its looks if it is unquoted."""
        if event.tag == "!":
            return text
        if event.tag is None:
            return yaml_scalars.resolve(text) if event.implicit[0] else text
        tag = event.tag.removeprefix(_TAG)
        if tag == "str":
            return text
        value = yaml_scalars.resolve(text)
        if type(value) not in _TAGGED.get(tag, ()):
            self.note(self.place(event), f"found the tag {event.tag.replace(_TAG, '!!')}", "no tag")
        return value

    def check_tag(self, event: yaml.CollectionStartEvent, usual: str) -> None:
        if event.tag is not None and event.tag not in {"!", _TAG + usual}:
            self.note(self.place(event), f"found the tag {event.tag.replace(_TAG, '!!')}", "no tag")


def _syntax(error: yaml.YAMLError, text: str, file: str) -> Finding:
    """PyYAML's complaint as a finding."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        context = f" {error.context}" if error.context else ""
        return Finding(Place(file, mark.line + 1, mark.column + 1), "", f"no YAML: {error.problem}{context}")
    position = getattr(error, "position", 0)
    before = text.encode()[:position].decode(errors="replace")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Finding(Place(file, line, column), "", f"no YAML: {getattr(error, 'reason', error)}")
