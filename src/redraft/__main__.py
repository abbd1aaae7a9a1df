"""`python -m redraft` is the `redraft` command."""

from redraft.interfaces.cli import main

if __name__ == "__main__":
    main()
