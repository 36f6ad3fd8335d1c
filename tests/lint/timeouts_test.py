"""Timeouts live in probe/net/timeouts.hpp (of a run) and service_timeouts.hpp (of what stands around
it), each with its reason; nowhere else in the rooms that wait."""

import re
import unittest

from tests.lint import sources

HOMES = ("probe/net/timeouts.hpp", "probe/net/service_timeouts.hpp")

ROOMS = ("net", "webrtc", "checks", "engine", "serve", "web", "exporter", "ui", "cli")

# Times that nobody waits for.
NO_TIMEOUTS = {
    "probe/engine/progress.cpp",  # how often a bar is drawn
    "probe/exporter/config.cpp",  # how often sets are run
    "probe/exporter/config.hpp",
    "probe/exporter/ways.cpp",
    "probe/serve/certificates.hpp",  # how long certificates are valid
    "probe/serve/responder.cpp",
    "probe/webrtc/ice_call_posix.cpp",  # how often packets are sent
}

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
        for path in sources.files(*(sources.ROOMS[room] for room in ROOMS)):
            if sources.name(path) in HOMES or sources.name(path) in NO_TIMEOUTS:
                continue
            found += [f"{sources.name(path)}:{line}: {text}" for line, text in faults(path.read_text())]
        self.assertEqual(found, [], f"move it to one of {HOMES}, with its reason")

    def test_each_has_its_reason(self):
        for home in HOMES:
            lines = (sources.ROOT / home).read_text().splitlines()
            for number, line in enumerate(lines):
                if not line.startswith("inline constexpr"):
                    continue
                self.assertRegex(lines[number - 1], r"^(//|    )", f"{home}:{number + 1}: no reason")


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
