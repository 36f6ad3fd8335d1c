"""Each code of the table of findings is given by the diagnosis, stands in docs/findings.md, and is
known to the worlds or of contents."""

import re
import unittest

from tests.lint import sources

ROW = re.compile(r'\{(\w+),\s*"([a-z]+\.[a-z0-9_]+)"((?:[^{}]|\{[^}]*\})*)\}')


def table():
    """(enumerator, word, owners and traits) of each code."""
    return ROW.findall((sources.ROOT / "probe/model/finding_code.cpp").read_text())


def codes_in(*paths):
    text = "".join(sources.without_comments(path.read_text()) for path in paths)
    return set(re.findall(r"FindingCode::(\w+)", text)) - {"other"}


class Findings(unittest.TestCase):
    def test_the_diagnosis_gives_each_code(self):
        given = codes_in(*(path for room in ("diagnosis", "contents", "ways") for path in sources.files(sources.ROOMS[room])))
        self.assertEqual({code for code, _, _ in table()}, given)
        self.assertGreater(len(given), 40)

    def test_the_page_has_each_code(self):
        page = (sources.ROOT / "docs/findings.md").read_text()
        self.assertEqual({word for _, word, _ in table()}, set(re.findall(r"^## (\S+\.\S+)$", page, re.M)))

    def test_the_worlds_know_each_code(self):
        text = "".join(sources.without_comments(path.read_text()) for path in sources.files(sources.ROOMS["reach"]))
        boxes = set(re.findall(r"\w+", text)) & {code for code, _, _ in table()}
        # Loss is a world's own; what no world explains is said by a rule.
        known = boxes | {"network_loss", "network_unexplained"}
        contents = {code for code, _, traits in table() if "of_contents" in traits}
        self.assertEqual({code for code, _, _ in table()}, known | contents)


if __name__ == "__main__":
    unittest.main()
