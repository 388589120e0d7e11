"""`python -m robself` is the command `robself`."""

from robself.cli import main

main()
