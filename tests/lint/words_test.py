"""Phrases that no user is to read: a native speaker stumbles over them, or they hide who does what.

Looked for in the string literals of what writes for people. Comments may say what they like."""

import re
import unittest

from tests.lint import sources

FOLDERS = ("reports", "probe/diagnosis", "probe/model", "probe/plan", "probe/cli", "probe/engine", "checks")
PAGES = ("probe/ui/page",)

BANNED = re.compile(
    r"\bof which\b|\bwhoever\b|(?<!there )\bis no\b(?! longer| more)|\bheld against\b|\bto be gone\b"
    r"|\blets? no\b|\bnot well\b|\bwhat came of it\b|\botherwise than\b|\bby a slower or weaker way\b"
    r"|\bis to be changed\b|\bto be mended\b|\bwith the replies\b|\bon the way (?:rewrites|may|has|answers|takes)\b"
    r"|\bnothing that was measured\b|\bno set is so called\b|\bheard of\b|\bcame about\b",
    re.I,
)


def sentences(text):
    """The literals of a source with where they begin; what stands one after the other is one."""
    end, start, joined = None, 0, ""
    for begin, until, part in sources.literals(text):
        if end is not None and not text[end:begin].strip():
            joined += part
        else:
            if joined:
                yield start, joined
            start, joined = begin, part
        end = until
    if joined:
        yield start, joined


def findings(text):
    for offset, sentence in sentences(text):
        banned = BANNED.search(sentence)
        if banned:
            yield offset, banned.group(), sentence


class Words(unittest.TestCase):
    def test_no_message_has_a_banned_phrase(self):
        for folder in FOLDERS:
            for path in sorted((sources.ROOT / folder).rglob("*.?pp")):
                text = sources.without_comments(path.read_text())
                for offset, phrase, sentence in findings(text):
                    with self.subTest(sources.name(path), line=sources.line_of(text, offset)):
                        self.fail(f"\"{phrase}\" in: {sentence}")

    def test_no_page_has_a_banned_phrase(self):
        for folder in PAGES:
            for path in sorted((sources.ROOT / folder).glob("*")):
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if line.strip().startswith(("//", "<!--", "/*")):
                        continue
                    with self.subTest(sources.name(path), line=number):
                        self.assertNotRegex(line, BANNED)

    def test_phrases_are_found(self):
        for text in ('say("ask whoever runs it")', 'say("this is " "no proxy")', 'R"(held against it)"'):
            self.assertEqual(len(list(findings(text))), 1, text)
        for text in ('say("there is no proxy")', 'say("is no longer there")', "// whoever"):
            self.assertEqual(list(findings(text)), [], text)


if __name__ == "__main__":
    unittest.main()
