"""Each code that the diagnosis can give a finding stands in docs/findings.md, and no other does."""

import re
import unittest

from tests.lint import sources

GIVEN = re.compile(
    r'"((?:dns|firewall|media|nat|network|proxy|sip|target|time|tls|turn|vendor)\.[a-z0-9_]+)"')

def given():
    codes = set()
    for path in sorted((sources.ROOT / "probe/diagnosis").glob("*.cpp")):
        codes |= set(GIVEN.findall(sources.without_comments(path.read_text())))
    return codes


class Findings(unittest.TestCase):
    def test_the_page_has_each_code(self):
        page = (sources.ROOT / "docs/findings.md").read_text()
        told = set(re.findall(r"^## ([a-z]+\.[a-z0-9_]+)$", page, re.M))
        self.assertEqual(given(), told)
        self.assertGreater(len(told), 40)


if __name__ == "__main__":
    unittest.main()
