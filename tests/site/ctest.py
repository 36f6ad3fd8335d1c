"""Runs one test file for CTest: exit status 77, with a plain message, where no site can be made.

    python3 tests/site/ctest.py site_test
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.site.harness import namespaces_allowed  # pylint: disable=wrong-import-position

if __name__ == "__main__":
    allowed, reason = namespaces_allowed()
    if not allowed:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main(module="tests.site." + sys.argv[1], argv=[sys.argv[0], *sys.argv[2:]],
                  verbosity=2)
