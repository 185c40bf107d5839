"""`python -m jive` is the command `jive`."""

from jive.cli import main

main()
