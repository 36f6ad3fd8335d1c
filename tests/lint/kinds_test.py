"""A kind of check appears in CheckKind, in the registry, in kinds.hpp, in its own file and in its
test, or nowhere."""

import re
import unittest

from tests.lint import sources

CHECKS = sources.ROOT / "checks"


def functions_declared():
    text = sources.without_comments((CHECKS / "kinds.hpp").read_text())
    return re.findall(r"\b(run_\w+)\(", text)


def registered():
    """Kind and function of each row of the table."""
    text = sources.without_comments((CHECKS / "registry.cpp").read_text())
    table = text[text.index("table = {") :]
    words = dict(re.findall(r'\{CheckKind::(\w+), "([^"]+)"',
                            (sources.ROOT / "probe/model/words.cpp").read_text()))
    rows = re.findall(r'\{\s*CheckKind::(\w+),\s*"[^"]*",\s*(run_\w+),', table[: table.index("};")])
    return [(words[kind], function) for kind, function in rows]


def enumerators():
    text = (sources.ROOT / "probe/model/words.cpp").read_text()
    return re.findall(r'\{CheckKind::\w+, "([^"]+)"', text)


class Kinds(unittest.TestCase):
    def test_the_registry_has_what_is_declared(self):
        self.assertTrue(registered())
        self.assertEqual(sorted(function for _, function in registered()),
                         sorted(functions_declared()))

    def test_functions_are_named_like_their_kinds(self):
        for kind, function in registered():
            self.assertEqual(function, "run_" + kind.replace("-", "_"))

    def test_kinds_are_registered_once(self):
        kinds = [kind for kind, _ in registered()]
        self.assertEqual(len(kinds), len(set(kinds)))

    def test_each_enumerator_is_registered(self):
        # `pac` is what the engine itself says of the proxy's script.
        self.assertEqual(sorted([kind for kind, _ in registered()] + ["pac"]),
                         sorted(enumerators()))

    def test_each_kind_has_its_file_and_its_test(self):
        for kind, function in registered():
            stem = kind.replace("-", "_")
            path = CHECKS / f"{stem}.cpp"
            self.assertTrue(path.is_file(), f"{sources.name(path)} is missing")
            self.assertIn(function + "(", path.read_text())
            self.assertTrue(path.read_text().startswith(f"// {kind}: "),
                            f"{sources.name(path)}: expected to start with '// {kind}: '")
            tests = list((sources.ROOT / "tests/checks").glob(f"{stem}*_test.cpp"))
            self.assertTrue(tests, f"no tests/checks/{stem}_test.cpp")


if __name__ == "__main__":
    unittest.main()
