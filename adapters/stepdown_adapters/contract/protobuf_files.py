"""Reads the messages of a `.proto` file or of a descriptor set, with Google's protoc and protobuf library.

Imports are local: they are looked for from the file's own folder, then from the folders above it as far as the
folder that the reference starts from, and in what protoc itself carries (`google/protobuf/...`).
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stepdown_adapters.contract import reading
from stepdown_adapters.contract.mistakes import Mistakes, listed, unknown
from stepdown_adapters.errors import ContractError, nearest

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FileDescriptor
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

MAX_BYTES = 8 * 1024 * 1024
SECONDS = 30
"""protoc needs a few hundredths."""
INSTALL = "needs the extra 'protobuf': pip install 'stepdown[protobuf]'"
_COMPLAINT = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<warning>warning: )?(?P<sentence>.+)")
_NOT_FOUND = re.compile(r"(?P<file>\S+): File not found\.")
_CARRIED = re.compile(r"google/protobuf/[a-z_]+\.proto")


def message(path: Path, name: str, folder: Path, mistakes: Mistakes) -> Descriptor:
    """The message `name`, with its package, of a `.proto` file or a descriptor set.

    Raises:
        ContractError: the extra is not installed, the file is unreadable or broken (each mistake with line and
            column), imports what is not there, or has no such message.
    """
    try:
        import google.protobuf  # noqa: F401, PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ContractError(str(path), INSTALL) from error
    data = (
        _compiled(path, folder, mistakes) if path.suffix == ".proto" else reading.read_bytes(path, str(path), MAX_BYTES)
    )
    files = _loaded(data, str(path))
    messages = {found.full_name: found for file in files for found in _messages(file)}
    if name not in messages:
        raise ContractError(str(path), _no_message(name, messages))
    return messages[name]


def _no_message(name: str, known: Iterable[str]) -> str:
    """Packages are easily forgotten, so names are compared without them."""
    own = [full for full in known if not full.startswith("google.protobuf.")]
    by_last = {full.rpartition(".")[2]: full for full in reversed(own)}
    close = nearest(name.rpartition(".")[2], by_last)
    if close is None:
        return unknown("message", name, own)
    return f"there is no message {name!r}; did you mean {by_last[close]!r}?"


def _compiled(path: Path, folder: Path, mistakes: Mistakes) -> bytes:
    """The descriptor set of a `.proto` file and of all that it imports."""
    reading.read_bytes(path, str(path), MAX_BYTES)
    path, folder = path.resolve(), folder.resolve()
    roots = [root for root in path.parents if root == path.parent or root.is_relative_to(folder)]
    complaints = ""
    for root in roots:
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "set"
            said = _protoc(root, path, output)
            if output.is_file():
                _note(said, mistakes)
                return output.read_bytes()
        complaints = complaints or said
        if not _NOT_FOUND.search(said):
            complaints = said
            break
    _note(complaints, mistakes)
    mistakes.refuse()
    raise ContractError(str(path), f"cannot be compiled: {complaints.strip() or 'protoc gave no reason'}")


def _protoc(root: Path, path: Path, output: Path) -> str:
    """What protoc says; it writes `output` when the file is right. `-P` keeps the working folder out of its imports."""
    command = [sys.executable, "-P", "-m", "grpc_tools.protoc", f"-I{root}", "--include_imports"]
    command += [f"--descriptor_set_out={output}", str(path)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, and a path that never starts with a dash
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ContractError(str(path), f"cannot be compiled: {error}") from error
    if "No module named" in done.stderr and "grpc_tools" in done.stderr:
        raise ContractError(str(path), INSTALL)
    return done.stderr


def _note(complaints: str, mistakes: Mistakes) -> None:
    """Sorts protoc's lines into mistakes and warnings."""
    for line in complaints.splitlines():
        missing = _NOT_FOUND.fullmatch(line)
        found = _COMPLAINT.fullmatch(line)
        if missing:
            mistakes.add(missing["file"], "is imported, but there is no such file in the contract's folder")
        elif found:
            place = f"{found['file']}:{found['line']}:{found['column']}"
            (mistakes.warn if found["warning"] else mistakes.add)(place, found["sentence"])


def _loaded(data: bytes, place: str) -> list[FileDescriptor]:
    """The files of a descriptor set, each after those that it imports."""
    from google.protobuf import descriptor_pb2, descriptor_pool  # noqa: PLC0415 - an extra
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - an extra

    try:
        given = descriptor_pb2.FileDescriptorSet.FromString(data)
    except DecodeError as error:
        raise ContractError(place, "is no descriptor set (what `protoc --descriptor_set_out` writes)") from error
    if not given.file:
        raise ContractError(place, "is a descriptor set without files")
    pool = descriptor_pool.DescriptorPool()
    files = {file.name: file for file in given.file}
    added: list[FileDescriptor] = []
    for file in _in_order(files, place):
        try:
            pool.Add(file)
            added.append(pool.FindFileByName(file.name))
        except (TypeError, KeyError, ValueError) as error:
            raise ContractError(place, f"{file.name} is broken: {error}") from error
    return added


def _in_order(files: dict[str, FileDescriptorProto], place: str) -> Iterator[FileDescriptorProto]:
    """Imported files first; those that protoc carries may be missing from the set."""
    done: set[str] = set()
    waiting = list(reversed(files))
    open_files: set[str] = set()
    while waiting:
        name = waiting[-1]
        if name in done:
            waiting.pop()
            continue
        if name not in files:
            files[name] = _carried(name, files, place)
        missing = [other for other in files[name].dependency if other not in done]
        if missing and name in open_files:
            raise ContractError(place, f"files import one another in a circle: {listed([name, *missing])}")
        if missing:
            open_files.add(name)
            waiting += missing
            continue
        done.add(waiting.pop())
        yield files[name]


def _carried(name: str, files: dict[str, FileDescriptorProto], place: str) -> FileDescriptorProto:
    """A file of `google/protobuf/` that is not in the set."""
    from google.protobuf import descriptor_pb2  # noqa: PLC0415 - an extra

    by = next((file.name for file in files.values() if name in file.dependency), "a file")
    if not _CARRIED.fullmatch(name):
        raise ContractError(place, f"{by} imports {name}, which is not in the set; write it with --include_imports")
    try:
        module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    except ImportError as error:
        raise ContractError(place, f"{by} imports {name}, which is not there") from error
    return descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)


def _messages(file: FileDescriptor) -> Iterator[Descriptor]:
    waiting = list(reversed([*file.message_types_by_name.values()]))
    while waiting:
        found = waiting.pop()
        if not found.GetOptions().map_entry:
            yield found
            waiting += reversed(found.nested_types)
