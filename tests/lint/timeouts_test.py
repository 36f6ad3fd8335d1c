"""Timeouts live in probe/net/timeouts.hpp, each with its reason; nowhere else in net and checks."""

import re
import unittest

from tests.lint import sources

HOME = "probe/net/timeouts.hpp"

# `milliseconds(250)`, `std::chrono::seconds{2}`, `250ms`; 0 waits for nothing, and one unit is a
# conversion's rounding.
NUMBER = re.compile(
    r"\b(?:nano|micro|milli)?seconds[({]\s*([\d'.]+)\s*[)}]|\b(?:minutes|hours)[({]\s*([\d'.]+)"
    r"|\b(\d[\d'.]*)(?:ns|us|ms|s|min|h)\b"
    r"|\b(?:nano|micro|milli)?seconds\s+\w+\s*[{=(]\s*([\d'.]+)"
)


def faults(text):
    code = sources.blank(text)
    found = []
    for match in NUMBER.finditer(code):
        number = next(group for group in match.groups() if group is not None)
        if number.replace("'", "") in ("0", "1"):
            continue
        found.append((sources.line_of(code, match.start()), match.group()))
    return found


class Timeouts(unittest.TestCase):
    def test_are_in_one_place(self):
        found = []
        for path in sources.files(sources.ROOMS["net"], sources.ROOMS["checks"]):
            if sources.name(path) == HOME:
                continue
            found += [f"{sources.name(path)}:{line}: {text}" for line, text in faults(path.read_text())]
        self.assertEqual(found, [], f"move it to {HOME}, with its reason")

    def test_each_has_its_reason(self):
        lines = (sources.ROOT / HOME).read_text().splitlines()
        for number, line in enumerate(lines):
            if not line.startswith("inline constexpr"):
                continue
            self.assertRegex(lines[number - 1], r"^(//|    )", f"{HOME}:{number + 1}: no reason")


class TheLintItself(unittest.TestCase):
    def test_finds_numbers(self):
        for code in (
            "x = milliseconds(250);",
            "std::chrono::milliseconds try_timeout{1'500};",
            "wait(std::chrono::seconds{2});",
            "auto x = 20ms;",
            "constexpr milliseconds gap{1'000};",
            "milliseconds gap = milliseconds(20);",
        ):
            self.assertNotEqual(faults(code), [], code)

    def test_lets_the_rest_pass(self):
        for code in (
            "Milliseconds took{0};",
            "timer.expires_after(timeouts::dns_try + std::chrono::milliseconds(1));",
            "std::chrono::seconds(next->tv_sec)",
            "// after 250ms",
            'text = "20ms";',
            "elapsed(a, b).count() / 1000",
        ):
            self.assertEqual(faults(code), [], code)


if __name__ == "__main__":
    unittest.main()
