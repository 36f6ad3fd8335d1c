"""The translations have what the sources say, and nothing else."""

import pathlib
import re
import tempfile
import unittest

from tests.lint import catalogue, sources


class Sources(unittest.TestCase):
    def test_finds_each_template(self):
        text = 'a = phrase("UDP to {} " // why\n "{}", f(x, "no"), 1); plural(g(1, 2), "{} row", "{} rows"); b = "no";'
        self.assertEqual([found for found, _ in catalogue.templates_of(text)],
                         [("UDP to {} {}", None), ("{} row", "{} rows")])

    def test_leaves_out_what_has_no_words(self):
        self.assertEqual(list(catalogue.templates_of('phrase("{}, {}", a, b); phrase(words);')), [])

    def test_has_colons_since_french_sets_them_apart(self):
        self.assertEqual([found for found, _ in catalogue.templates_of('phrase("{}: {}", a, b);')], [("{}: {}", None)])


class Faults(unittest.TestCase):
    ENTRIES = {"a {}": [None, ["x.cpp"]], "{} row": ["{} rows", ["x.cpp"]]}

    def faults(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "de.po"
            path.write_text(text)
            return list(catalogue.faults_of(path, self.ENTRIES))

    def test_none_where_all_is_told(self):
        told = {"a {}": ["b {}"], "{} row": ["eine Zeile", "{} Zeilen"]}
        self.assertEqual(self.faults(catalogue.written(self.ENTRIES, told, "")), [])

    def test_names_each(self):
        good = catalogue.written(self.ENTRIES, {"a {}": ["b {}"], "{} row": ["{} Zeile", "{} Zeilen"]}, "")
        for old, new, fault in (("b {}", "", "missing"), ('msgid "a {}"', 'msgid "a  {}"', "no longer"),
                                ("b {}", "b", "places"), ("b {}", "b {1}", "places"),
                                ("#: x.cpp", "#, fuzzy", "fuzzy"), ("{} rows", "{} lines", "plural")):
            with self.subTest(fault):
                self.assertTrue(any(fault in line for line in self.faults(good.replace(old, new, 1))))


class French(unittest.TestCase):
    def test_has_no_line_break_before_its_punctuation(self):
        text = (sources.ROOT / "po/fr.po").read_text(encoding="utf-8")
        lines = re.findall(r'^msgstr.*?"(.*)"$', text, re.MULTILINE)
        self.assertEqual([line for line in lines if re.search(r"(?<!\u00a0)[:;!?](?=\s|$)", line)], [])


class Sentences(unittest.TestCase):
    def test_finds_one_that_is_no_template(self):
        text = 'a = fmt::format("it is so {}", 1); b = phrase("it is so {}", "as it is"); c = "it is so"; d = "it_is so";'
        self.assertEqual([part for _, part in catalogue.untranslatable(text)], ["it is so {}", "as it is", "it is so"])

    def test_looks_at_the_rules(self):
        looked_at = {sources.name(path) for path in sources.files(*catalogue.CONVERTED)}
        for room in ("contents", "ways"):
            self.assertLessEqual({sources.name(path) for path in sources.files(sources.ROOMS[room])}, looked_at)

    def test_all_are_templates(self):
        for path in sources.files(*catalogue.CONVERTED):
            if path.name in catalogue.PLAIN_FILES:
                continue
            text = path.read_text()
            for offset, part in catalogue.untranslatable(text):
                with self.subTest(sources.name(path), line=sources.line_of(text, offset)):
                    self.fail(f"by phrase() or plural(): {part}")


class Catalogues(unittest.TestCase):
    def test_have_what_the_sources_say(self):
        # A catalogue of which nothing is translated is yet to be written, and says nothing wrong.
        begun = {path.name for path in catalogue.PO.glob("*.po") if any(
            any(texts) for _, texts, _ in catalogue.read(path).values())}
        for fault in catalogue.faults():
            name = fault.split(":")[0]
            with self.subTest(fault):
                self.assertTrue(name.endswith(".po") and name not in begun, "script/po brings po/ up to date")


if __name__ == "__main__":
    unittest.main()
