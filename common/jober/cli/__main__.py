"""`python -m jober.cli`: the same as `jober`."""

import sys

from jober.cli import main

sys.exit(main())
