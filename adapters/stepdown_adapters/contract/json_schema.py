"""Reads a contract: a JSON Schema file with everything that it refers to, made one self-contained schema.

References are resolved by file, never over the network: `#/...`, `#anchor`, and `other.json#/...` for files in the
schema's folder or below. A referenced file becomes one entry of the root's `$defs`, and all references become JSON
Pointers from the root, so cycles, across files too, need nothing special. `$id` and anchors have then done their work
and are left out.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import jsonschema_rs

from stepdown_adapters.contract import keywords, reading
from stepdown_adapters.contract.keywords import Schema, children, pointer
from stepdown_adapters.errors import ContractError

MAX_FILES = 64
MAX_DEPTH = 100
MAX_SCHEMAS = 50_000
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
DIALECTS = {
    DRAFT_2020: "2020-12",
    "http://json-schema.org/draft-07/schema": "draft-07",
    "https://json-schema.org/draft-07/schema": "draft-07",
}


def load_schema(path: Path) -> Schema:
    """The contract in `path` (JSON or YAML), with all references inlined into `$defs`.

    Raises:
        ContractError: the file or one that it refers to is unreadable, no JSON Schema 2020-12 or draft 7, refers to
            something remote, missing or outside the folder, or is over a bound. Its place is file and JSON Pointer.
    """
    return _Bundle(path).bundled()


class _File:
    """One schema file: its value, and the JSON Pointers of what can be referred to by name in it."""

    def __init__(self, name: str, schema: Any) -> None:
        self.name = name
        self.schema = schema
        self.anchors: dict[str, str] = {}
        self.identifiers: dict[str, str] = {}
        self.prefix = ""
        """JSON Pointer of this file's schema in the bundle."""
        if not isinstance(schema, dict | bool):
            raise ContractError(name, "a schema is an object, true or false")
        self.dialect = self._dialect()
        self.count = 0
        self._collect(schema, "", 0)
        self._check_metaschema()

    def place(self, at: str) -> str:
        return f"{self.name}#{at}"

    def _dialect(self) -> str:
        uri = self.schema.get("$schema", DRAFT_2020) if isinstance(self.schema, dict) else DRAFT_2020
        dialect = DIALECTS.get(uri.removesuffix("#")) if isinstance(uri, str) else None
        if dialect is None:
            raise ContractError(self.place("/$schema"), f"{uri!r} is neither JSON Schema 2020-12 nor draft 7")
        return dialect

    def _collect(self, schema: Any, at: str, depth: int) -> None:
        """Finds anchors and identifiers, and refuses what is over a bound."""
        self.count += 1
        if depth > MAX_DEPTH:
            raise ContractError(self.place(at), f"is nested deeper than {MAX_DEPTH} schemas")
        if self.count > MAX_SCHEMAS:
            raise ContractError(self.name, f"holds more than {MAX_SCHEMAS} schemas")
        if not isinstance(schema, dict):
            return
        for keyword in ("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"):
            if keyword in schema:
                raise ContractError(self.place(at), f"{keyword} is not supported; write a plain $ref")
        anchor, identifier = schema.get("$anchor"), schema.get("$id")
        if isinstance(anchor, str):
            self.anchors[anchor] = at
        if isinstance(identifier, str):
            if identifier.startswith("#"):  # draft 7's way to write an anchor
                self.anchors[identifier[1:]] = at
            else:
                self.identifiers[identifier.removesuffix("#")] = at
        for tokens, child in children(schema):
            self._collect(child, at + pointer(*tokens), depth + 1)

    def _check_metaschema(self) -> None:
        uri = DRAFT_2020 if self.dialect == "2020-12" else "http://json-schema.org/draft-07/schema#"
        schema = {**self.schema, "$schema": uri} if isinstance(self.schema, dict) else self.schema
        try:
            jsonschema_rs.meta.validate(schema)
        except jsonschema_rs.ValidationError as error:
            at = pointer(*(str(token) for token in error.instance_path))
            raise ContractError(self.place(at), f"is no valid schema: {error.message}") from error
        except ValueError as error:
            raise ContractError(self.name, f"cannot be read as a schema: {error}") from error


class _Bundle:
    """The files that make one contract, the first of them its root."""

    def __init__(self, path: Path) -> None:
        self.folder = path.parent.resolve()
        self.files: dict[str, _File] = {}
        self.root = self._file(path.name, path, str(path))

    def bundled(self) -> Schema:
        if isinstance(self.root.schema, bool):
            return self.root.schema
        result: dict[str, Any] = self._rewritten(self.root, self.root.schema, "")
        definitions = {}
        done = {self.root.name}
        while waiting := [file for file in self.files.values() if file.name not in done]:
            for file in waiting:
                definitions[file.name] = self._rewritten(file, file.schema, "")
                done.add(file.name)
        if definitions:
            result["$defs"] = {**result.get("$defs", {}), **definitions}
        _check_references(result, self.root)
        return result

    def _file(self, name: str, path: Path, place: str) -> _File:
        """The file `name` (relative to the folder), read once."""
        if name not in self.files:
            if len(self.files) == MAX_FILES:
                raise ContractError(place, f"more than {MAX_FILES} files are referred to")
            file = _File(name, reading.read(path, name))
            if self.files:
                if file.dialect != self.root.dialect:
                    raise ContractError(place, f"{name} is {file.dialect}, but {self.root.name} is {self.root.dialect}")
                file.prefix = pointer("$defs", name)
                local = self.root.schema.get("$defs", {}) if isinstance(self.root.schema, dict) else {}
                if name in local:
                    raise ContractError(self.root.place(file.prefix), f"has the name of the file {name}; rename it")
            self.files[name] = file
        return self.files[name]

    def _rewritten(self, file: _File, schema: Any, at: str) -> Any:
        """A copy whose references are pointers from the bundle's root."""
        if not isinstance(schema, dict):
            return schema
        copy = {keyword: value for keyword, value in schema.items() if keyword not in ("$id", "$anchor")}
        if file is not self.root and not at:
            copy.pop("$schema", None)
        for tokens, child in children(schema):
            keyword = tokens[0]
            if len(tokens) == 1:
                copy[keyword] = self._rewritten(file, child, at + pointer(*tokens))
                continue
            if copy[keyword] is schema[keyword]:
                copy[keyword] = schema[keyword].copy()
            key = int(tokens[1]) if isinstance(copy[keyword], list) else tokens[1]
            copy[keyword][key] = self._rewritten(file, child, at + pointer(*tokens))
        if "$ref" in copy:
            copy["$ref"] = self._reference(file, copy["$ref"], file.place(at + "/$ref"))
        return copy

    def _reference(self, file: _File, reference: Any, place: str) -> str:
        if not isinstance(reference, str):
            raise ContractError(place, "a reference is a string")
        target, fragment = urldefrag(reference)
        if target in file.identifiers:
            base = file.identifiers[target]
        else:
            base = ""
            if target:
                file = self._referred(file, target, place)
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            if fragment not in file.anchors:
                raise ContractError(place, f"{file.name} has no anchor {fragment!r}")
            return "#" + file.prefix + file.anchors[fragment]
        return "#" + file.prefix + base + fragment

    def _referred(self, file: _File, target: str, place: str) -> _File:
        """The file that `target` names, seen from `file`."""
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            raise ContractError(place, f"{target} is remote; references are to files in the schema's folder, or below")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(file.name), unquote(parts.path)))
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder):
            raise ContractError(place, f"{target} is outside of the schema's folder")
        if not path.is_file():
            raise ContractError(place, f"there is no file {target}")
        return self._file(name, path, place)


def _check_references(schema: Any, root: _File) -> None:
    """Every reference must lead somewhere, and the validator that runs live must accept the whole."""
    waiting: list[tuple[str, Any]] = [("", schema)]
    while waiting:
        at, inner = waiting.pop()
        if not isinstance(inner, dict):
            continue
        if "$ref" in inner:
            try:
                target = keywords.at(schema, inner["$ref"].removeprefix("#"))
            except (LookupError, ValueError) as error:
                raise ContractError(root.place(at + "/$ref"), f"{inner['$ref']} leads nowhere") from error
            if not isinstance(target, dict | bool):
                raise ContractError(root.place(at + "/$ref"), f"{inner['$ref']} leads to no schema")
        waiting += [(at + pointer(*tokens), child) for tokens, child in children(inner)]
    try:
        jsonschema_rs.validator_for(schema)
    except jsonschema_rs.ValidationError as error:
        at = pointer(*(str(token) for token in error.instance_path))
        raise ContractError(root.place(at), f"cannot be used for validation: {error.message}") from error
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise ContractError(root.name, f"cannot be used for validation: {error}") from error
