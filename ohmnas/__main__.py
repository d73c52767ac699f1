"""`python -m ohmnas` is the command `ohmnas`."""

from __future__ import annotations

import sys

from ohmnas.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
