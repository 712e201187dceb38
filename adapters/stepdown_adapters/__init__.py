"""Contracts, adapter operations and compiled chains: a library without network code, usable alone.

    from stepdown_adapters import Adapter

    step_down = Adapter.load("churn.yaml", "2.0.0", "1.0.0")
    old = step_down(new)

The names below are loaded when they are asked for, so that a process which runs compiled chains carries neither the
readers of contracts nor their validator.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepdown_adapters.adapter import Adapter
    from stepdown_adapters.contract.checked import BrokenContractError, Contract
    from stepdown_adapters.contract.validator import Violation
    from stepdown_adapters.diff.change import Change, Diff
    from stepdown_adapters.diff.comparison import compare
    from stepdown_adapters.errors import AdaptError, AdaptersError, ContractError, ModelError, OperationError
    from stepdown_adapters.model import Model
    from stepdown_adapters.step import Step
    from stepdown_adapters.stream.adapting.chain import Limits, StreamChain
    from stepdown_adapters.stream.adapting.collecting import Collector
    from stepdown_adapters.stream.adapting.failures import BrokenStreamError, NoStreamAdapterError
    from stepdown_adapters.versions import Range, Version, VersionError

__all__ = [
    "AdaptError",
    "Adapter",
    "AdaptersError",
    "BrokenContractError",
    "BrokenStreamError",
    "Change",
    "Collector",
    "Contract",
    "ContractError",
    "Diff",
    "Limits",
    "Model",
    "ModelError",
    "NoStreamAdapterError",
    "OperationError",
    "Range",
    "Step",
    "StreamChain",
    "Version",
    "VersionError",
    "Violation",
    "compare",
]
_ROOMS = {
    "adapter": ("Adapter",),
    "contract.checked": ("BrokenContractError", "Contract"),
    "contract.validator": ("Violation",),
    "diff.change": ("Change", "Diff"),
    "diff.comparison": ("compare",),
    "errors": ("AdaptError", "AdaptersError", "ContractError", "ModelError", "OperationError"),
    "model": ("Model",),
    "step": ("Step",),
    "stream.adapting.chain": ("Limits", "StreamChain"),
    "stream.adapting.collecting": ("Collector",),
    "stream.adapting.failures": ("BrokenStreamError", "NoStreamAdapterError"),
    "versions": ("Range", "Version", "VersionError"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Loads an exported name (PEP 562)."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    """The exported names, for whoever explores them."""
    return __all__
