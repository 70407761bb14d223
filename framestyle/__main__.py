"""`python -m framestyle`."""

import sys

from framestyle.doors.cli import main

sys.exit(main())
