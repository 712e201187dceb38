"""Makes a contract of a Protobuf message: the JSON that proto3's JSON mapping writes for it.

    int32, uint32, ...      an integer within its bounds
    int64, uint64, ...      a string of digits
    float, double           a number, or "NaN", "Infinity", "-Infinity"
    bytes                   a string of base64
    enum                    its names; an open enum also the number of a value that has no name, and more names may come
    map<K, V>               an object, its names as K is written
    oneof                   at most one of its members
    google.protobuf...      Timestamp, Duration, FieldMask, wrappers as scalars; Struct, Value, ListValue, Any as JSON

Members have their `json_name`. Nothing is required but proto2's `required` fields, since a field with its default
value is left out. Objects are open: adding a field is Protobuf's own way to evolve a message.

What JSON Schema cannot say stands in `x-protobuf`, so that a diff can apply the rules of the wire format too:

    of a message    {message, reserved_numbers: [[first, last], ...], reserved_names: [...]}
    of an enum      {enum, closed, numbers: {NAME: number, ...}, reserved_numbers, reserved_names}
    of a field      {name, json_name, number, type, cardinality, oneof?}, with type as `int32`, `message pkg.Name` or
                    `enum pkg.Name`, of a map `map<string, int32>`; cardinality is `implicit`, `optional` (its
                    presence is known), `required`, `repeated` or `map`
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepdown_adapters.contract.dialects import DRAFT_2020_URI
from stepdown_adapters.contract.mistakes import Mistakes
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.protobuf_files import message as find_message

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

_TYPES = (
    *("double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message"),
    *("bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64"),
)
"""In the order of `FieldDescriptorProto.Type`, which counts from 1."""
_SIGNED = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_UNSIGNED = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_SIGNED_TEXT = {"type": "string", "pattern": "^(0|-?[1-9][0-9]*)$"}
_UNSIGNED_TEXT = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
_FLOAT = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
_SCALARS: dict[str, dict[str, Any]] = {
    "double": _FLOAT,
    "float": _FLOAT,
    "int32": _SIGNED,
    "sint32": _SIGNED,
    "sfixed32": _SIGNED,
    "uint32": _UNSIGNED,
    "fixed32": _UNSIGNED,
    "int64": _SIGNED_TEXT,
    "sint64": _SIGNED_TEXT,
    "sfixed64": _SIGNED_TEXT,
    "uint64": _UNSIGNED_TEXT,
    "fixed64": _UNSIGNED_TEXT,
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]*={0,2}$"},
}
_WELL_KNOWN: dict[str, dict[str, Any]] = {
    "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}},
    "google.protobuf.BoolValue": _SCALARS["bool"],
    "google.protobuf.BytesValue": _SCALARS["bytes"],
    "google.protobuf.DoubleValue": _FLOAT,
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.FloatValue": _FLOAT,
    "google.protobuf.Int32Value": _SIGNED,
    "google.protobuf.Int64Value": _SIGNED_TEXT,
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.StringValue": {"type": "string"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Timestamp": {
        "type": "string",
        "format": "date-time",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$",
    },
    "google.protobuf.UInt32Value": _UNSIGNED,
    "google.protobuf.UInt64Value": _UNSIGNED_TEXT,
    "google.protobuf.Value": {},
}
"""Messages that are written as something else than an object of their fields."""
_NAMES_OF_MAPS: dict[str, dict[str, Any]] = {
    "string": {},
    "bool": {"propertyNames": {"enum": ["true", "false"]}},
    "signed": {"propertyNames": {"pattern": _SIGNED_TEXT["pattern"]}},
    "unsigned": {"propertyNames": {"pattern": _UNSIGNED_TEXT["pattern"]}},
}


def contract_of(path: Path, message: str, folder: Path) -> Contract:
    """The contract of a message in a `.proto` file or a descriptor set; `folder` is as far as imports are looked for.

    Raises:
        ContractError: as `protobuf_files.message`.
    """
    mistakes = Mistakes()
    found = find_message(path, message, folder, mistakes)
    schema = _Writer(found).schema()
    return Contract(schema, "protobuf", f"{path}::{message}", warnings=mistakes.warnings)


class _Writer:
    """Writes the schema of one message and of all that it has inside."""

    def __init__(self, root: Descriptor) -> None:
        self._root = root
        self._definitions: dict[str, Any] = {}
        self._waiting: list[Descriptor] = []

    def schema(self) -> dict[str, Any]:
        result = {"$schema": DRAFT_2020_URI, **self._message(self._root)}
        while self._waiting:
            message = self._waiting.pop(0)
            self._definitions[message.full_name] = self._message(message)
        if self._definitions:
            result["$defs"] = self._definitions
        return result

    def _message(self, message: Descriptor) -> dict[str, Any]:
        if message.full_name in _WELL_KNOWN:
            return {**_WELL_KNOWN[message.full_name], "x-protobuf": {"message": message.full_name}}
        result: dict[str, Any] = {"type": "object"}
        fields = {field.json_name: self._field(field) for field in message.fields}
        if fields:
            result["properties"] = fields
        required = [field.json_name for field in message.fields if field.is_required]
        if required:
            result["required"] = required
        alternatives = {
            field.json_name: {"properties": {other.json_name: False for other in oneof.fields[index:]}}
            for oneof in message.oneofs
            for index, field in enumerate(oneof.fields[:-1], 1)
        }
        if alternatives:
            result["dependentSchemas"] = alternatives
        result["x-protobuf"] = {"message": message.full_name, **_reserved_of_message(message)}
        return result

    def _field(self, field: FieldDescriptor) -> dict[str, Any]:
        kind, entry = _type(field), field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            key, content = entry.fields_by_name["key"], entry.fields_by_name["value"]
            value = {"type": "object", "additionalProperties": self._value(content), **_map_names(key)}
            kind, cardinality = f"map<{_type(key)}, {_type(content)}>", "map"
        elif field.is_repeated:
            value, cardinality = {"type": "array", "items": self._value(field)}, "repeated"
        else:
            value = self._value(field)
            presence = "optional" if field.has_presence else "implicit"
            cardinality = "required" if field.is_required else presence
        note: dict[str, Any] = {"name": field.name, "json_name": field.json_name, "number": field.number}
        note |= {"type": kind, "cardinality": cardinality}
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1:
            note["oneof"] = oneof.name
        return {**value, "x-protobuf": note}

    def _value(self, field: FieldDescriptor) -> dict[str, Any]:
        """The schema of one value of a field."""
        message, enum = field.message_type, field.enum_type
        if message is not None:
            if message.full_name == self._root.full_name:
                return {"$ref": "#"}
            if message.full_name not in self._definitions:
                self._definitions[message.full_name] = {}
                self._waiting.append(message)
            return {"$ref": f"#/$defs/{message.full_name}"}
        if enum is not None:
            self._definitions.setdefault(enum.full_name, _enum(enum))
            return {"$ref": f"#/$defs/{enum.full_name}"}
        return _SCALARS[_TYPES[field.type - 1]]


def _type(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    kind = _TYPES[field.type - 1]
    return f"{kind} {named.full_name}" if named is not None else kind


def _map_names(key: FieldDescriptor) -> dict[str, Any]:
    kind = _TYPES[key.type - 1]
    if kind not in _NAMES_OF_MAPS:
        kind = "unsigned" if kind.startswith(("u", "fixed")) else "signed"
    return _NAMES_OF_MAPS[kind]


def _enum(enum: EnumDescriptor) -> dict[str, Any]:
    note = {
        "enum": enum.full_name,
        "closed": enum.is_closed,
        "numbers": {value.name: value.number for value in enum.values},
        **_reserved_of_enum(enum),
    }
    if enum.full_name == "google.protobuf.NullValue":
        return {"type": "null", "x-protobuf": note}
    first = {value.number: value.name for value in reversed(enum.values)}  # of aliases, the first is written
    names = [value.name for value in enum.values if first[value.number] == value.name]
    if enum.is_closed:
        return {"type": "string", "enum": names, "x-protobuf": note}
    known = {"type": "string", "enum": names, "x-extensible-enum": True}
    return {"anyOf": [known, _SIGNED], "x-protobuf": note}


def _reserved_of_message(message: Descriptor) -> dict[str, Any]:
    from google.protobuf.descriptor_pb2 import DescriptorProto  # noqa: PLC0415 - an extra

    proto = DescriptorProto()
    message.CopyToProto(proto)
    return _reserved([[one.start, one.end - 1] for one in proto.reserved_range], list(proto.reserved_name))


def _reserved_of_enum(enum: EnumDescriptor) -> dict[str, Any]:
    from google.protobuf.descriptor_pb2 import EnumDescriptorProto  # noqa: PLC0415 - an extra

    proto = EnumDescriptorProto()
    enum.CopyToProto(proto)
    return _reserved([[one.start, one.end] for one in proto.reserved_range], list(proto.reserved_name))


def _reserved(numbers: list[list[int]], names: list[str]) -> dict[str, Any]:
    """Numbers (from first to last, both included) and names that may not be used again; empty lists are left out."""
    return ({"reserved_numbers": numbers} if numbers else {}) | ({"reserved_names": names} if names else {})
