"""Makes a contract of a Pydantic model, or of any type that Pydantic knows, named by its import path.

    package.module:Model        a BaseModel, a dataclass, a TypedDict, `Annotated[...]`, or a TypeAdapter

What a server answers is what the model is serialised to, by alias; what it is asked is what the model validates. The
module is imported, so its code runs: it has to be importable where Stepdown runs, as an adapter's hook has.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from typing import Any

from stepdown_adapters.contract.bundle import Bundle, Target
from stepdown_adapters.contract.documents import Documents, File
from stepdown_adapters.contract.mistakes import Mistakes, unknown
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.openapi_dialects import OPENAPI_3_1
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.errors import ContractError


def contract_of(reference: str, *, side: Side = "output") -> Contract:
    """The contract of the type at `package.module:Name`.

    Raises:
        ContractError: the module cannot be imported, has no such member, or that is no type with a JSON Schema.
    """
    mistakes = Mistakes()
    schema = _schema(_imported(reference), reference, side, mistakes)
    file = File(reference, schema)
    file.index(schema)
    result = Bundle(Documents(file), mistakes).schema(Target(file, "", OPENAPI_3_1))
    mistakes.refuse()
    return Contract(result, "pydantic", reference, warnings=mistakes.warnings)


def _imported(reference: str) -> Any:
    module_name, _, path = reference.partition(":")
    if not all(name.isidentifier() for name in [*module_name.split("."), *path.split(".")]):
        raise ContractError(reference, "is no import path such as 'package.module:Model'")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ContractError(reference, f"there is no module {error.name!r} here: it has to be importable") from error
    except (Exception, SystemExit) as error:  # whatever a module does when it is imported
        raise ContractError(reference, f"{module_name} cannot be imported: {_in_words(error)}") from error
    for name in path.split("."):
        if not hasattr(found, name):
            members = (
                [member for member in vars(found) if not member.startswith("_")] if hasattr(found, "__dict__") else []
            )
            raise ContractError(reference, unknown("member", name, members))
        found = getattr(found, name)
    return found


def _schema(found: Any, reference: str, side: Side, mistakes: Mistakes) -> Any:
    """Pydantic's own JSON Schema of a type."""
    from pydantic import PydanticUserError, TypeAdapter  # noqa: PLC0415 - only this reading room needs it

    if inspect.isroutine(found) or inspect.ismodule(found):
        raise ContractError(reference, "is no type, but a function or a module")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            adapter = found if isinstance(found, TypeAdapter) else TypeAdapter(found)
            schema = adapter.json_schema(mode="serialization" if side == "output" else "validation")
        except PydanticUserError as error:
            raise ContractError(reference, f"has no JSON Schema: {_in_words(error)}") from error
        except Exception as error:  # whatever a type does when it is asked for its schema
            raise ContractError(reference, f"is no type that Pydantic knows: {_in_words(error)}") from error
    for warning in caught:
        mistakes.warn(reference, str(warning.message))
    return schema


def _in_words(error: BaseException) -> str:
    """A foreign error in one line, without the advice of its further ones."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
