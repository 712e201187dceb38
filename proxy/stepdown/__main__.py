"""The `stepdown` console script.

`run` goes its own way: what makes the other commands pleasant to use takes longer to load than a worker to start.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the console script."""
    if sys.argv[1:2] == ["run"]:
        from stepdown.cli.run import run  # noqa: PLC0415 - see above

        sys.exit(run(sys.argv[2:]))
    from stepdown.cli.app import app  # noqa: PLC0415

    app()


if __name__ == "__main__":
    main()
