"""Reads what is declared of a model: its versions with their contracts, and the adapters between them.

The file is one model's own, or a configuration of Stepdown, of which one model is taken and all else is ignored:

    versions:                                        models:
      "1.0.0": {schema: contracts/1.0.0.json}          churn:
      "2.0.0": {schema: contracts/2.0.0.json}            versions: ...
    adapters:                                            adapters: ...
      - from: "2.0.0"
        to: "1.0.0"
        response: [...]

The keys are the configuration's. Those that say how a model is served may stand here, and are not looked at. What only
the configuration's reader does is refused rather than misread: `include`, `${NAME}`, merge keys and registries.
"""

from stepdown_adapters.description.declared import DescribedVersion, Description
from stepdown_adapters.description.reader import describe

__all__ = ["DescribedVersion", "Description", "describe"]
