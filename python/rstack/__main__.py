"""`python -m rstack run|enable|disable`."""

from rstack._commands import main

main()
