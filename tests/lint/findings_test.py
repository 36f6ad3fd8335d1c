"""Each code that the diagnosis can give a finding stands in docs/findings.md and in the tables of the
worlds, and no other does."""

import re
import unittest

from tests.lint import sources

GIVEN = re.compile(
    r'"((?:computer|dns|dtls|firewall|media|nat|network|proxy|sip|target|time|tls|turn|vendor)\.[a-z0-9_]+)"')


def codes_in(path):
    return set(GIVEN.findall(sources.without_comments(path.read_text())))


def given():
    return set().union(*map(codes_in, (sources.ROOT / "probe/diagnosis").glob("*.cpp")))


class Findings(unittest.TestCase):
    def test_the_page_has_each_code(self):
        page = (sources.ROOT / "docs/findings.md").read_text()
        told = set(re.findall(r"^## ([a-z]+\.[a-z0-9_]+)$", page, re.M))
        self.assertEqual(given(), told)
        self.assertGreater(len(told), 40)

    def test_the_worlds_know_each_code(self):
        self.assertEqual(codes_in(sources.ROOT / "probe/diagnosis/reach/code.cpp"), given())


if __name__ == "__main__":
    unittest.main()
