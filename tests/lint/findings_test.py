"""Each code of the table of findings is given by the diagnosis, stands in docs/findings.md, and is
known to the worlds or of contents."""

import re
import unittest

from tests.lint import sources

ROW = re.compile(r'\{(\w+), "([a-z]+\.[a-z0-9_]+)"([^}]*)\}')


def table():
    """(enumerator, word, traits) of each code."""
    return ROW.findall((sources.ROOT / "probe/model/finding_code.cpp").read_text())


def codes_in(*paths):
    text = "".join(sources.without_comments(path.read_text()) for path in paths)
    return set(re.findall(r"FindingCode::(\w+)", text)) - {"other"}


def decided_by_worlds():
    """Of the families that rules about ways name (reach::Code), their findings' codes."""
    folder = sources.ROOT / "probe/diagnosis"
    finding_of = dict(re.findall(r"\{Code::(\w+), FindingCode::(\w+)", (folder / "reach/code.cpp").read_text()))
    text = "".join(path.read_text() for path in sources.files(sources.ROOMS["ways"]))
    return {finding_of[one] for one in re.findall(r"cause_by_worlds\(context,\s*reach::Code::(\w+)", text)}


class Findings(unittest.TestCase):
    def test_the_diagnosis_gives_each_code(self):
        given = codes_in(*(path for room in ("diagnosis", "contents", "ways") for path in sources.files(sources.ROOMS[room]))) | decided_by_worlds()
        self.assertEqual({code for code, _, _ in table()}, given)
        self.assertGreater(len(given), 40)

    def test_the_page_has_each_code(self):
        page = (sources.ROOT / "docs/findings.md").read_text()
        self.assertEqual({word for _, word, _ in table()}, set(re.findall(r"^## (\S+\.\S+)$", page, re.M)))

    def test_the_worlds_know_each_code(self):
        known = codes_in(sources.ROOT / "probe/diagnosis/reach/code.cpp")
        contents = {code for code, _, traits in table() if "of_contents" in traits}
        self.assertEqual({code for code, _, _ in table()}, known | contents)


if __name__ == "__main__":
    unittest.main()
