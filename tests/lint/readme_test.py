"""README counts the services that there are."""

import re
import unittest

from tests.lint import sources


class Readme(unittest.TestCase):
    def test_counts_the_services(self):
        sets = [path.read_text() for path in (sources.ROOT / "targets/vendors").glob("*.yaml")]
        services = [text for text in sets if "\nkind: shared\n" not in text]
        told = re.search(r"knows what\s+(\d+)\s+calling services", (sources.ROOT / "README.md").read_text())
        self.assertEqual(len(services), int(told[1]))


if __name__ == "__main__":
    unittest.main()
