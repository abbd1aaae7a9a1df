"""``python -m redraft`` is ``redraft``."""

from redraft.interfaces.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
