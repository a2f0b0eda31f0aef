"""`python -m acd`: the same as the command `acd`."""

from acd.cli.entry import main

if __name__ == "__main__":
    main()
