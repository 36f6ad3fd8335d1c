"""Details, checks, evidence and their facts are enumerators. Their words stand in the tables of
probe/model and nowhere else, so that a misspelt one does not compile.

A word of several parts ("left_site", "udp-range") is found wherever it stands as a literal of its
own. A word of one part ("hop", "tls", "refused") is also a scheme, a JSON key or plain English:
it is found where something is compared with it or looked up by it."""

import re
import unittest

from tests.lint import sources

TABLES = {
    "probe/model/detail.cpp": "DetailCode",
    "probe/model/evidence.cpp": "EvidenceKind|Fact",
    "probe/model/words.cpp": "CheckKind",
}

# The same letters with another meaning, by file.
ALLOWED = {
    # Parameters of checks, and how a property was measured.
    "probe/diagnosis/questions/follow_up.cpp": {"path"},
    "probe/plan/plan_size.cpp": {"turn"},
    "checks/turn.cpp": {"ipv6"},
    "checks/nat.cpp": {"other_address"},
    "checks/sip_alg_judge.cpp": {"via_changed"},
    "probe/model/describe.cpp": {"relay"},
    "checks/registry.cpp": {"public_key_sha256"},
    "checks/certificate_evidence.cpp": {"public_key_sha256"},
    "probe/diagnosis/facts_of_one.cpp": {"public_key_sha256"},
    "probe/cli/command_check.cpp": {"none"},  # --proxy none
    "probe/cli/recordings.hpp": {"sip-alg"},  # a fault of the test site
    # Schemes and an environment variable.
    "probe/net/proxy_rules.cpp": {"http", "no_proxy", "proxy"},
    "probe/platform/proxy_settings_windows.cpp": {"no_proxy"},
    "targets/syntax.cpp": {"http", "public_key_sha256"},
    # A member of the site in reports.
    "reports/json/fields.hpp": {"port_preservation"},
}

LITERAL = re.compile(
    r'R"(?P<mark>[^()\\ ]*)\((?P<raw>.*?)\)(?P=mark)"|"(?P<plain>(?:\\.|[^"\\\n])*)"', re.S)

# What comes right before a literal that is compared or looked up, and right after it.
BEFORE = re.compile(
    r"(?:[=!]=|\b(?:starts_with|ends_with|contains|find|at|count|erase|try_emplace|compare)\(|(?<!json)\["
    r"|\bparse<(?:CheckKind|DetailCode|EvidenceKind|Fact)>\(|\bDetail::parse\()\s*"
    r"(?:std::string(?:_view)?[({]\s*)?$")
AFTER = re.compile(r"^\s*(?:sv?\b\s*)?[)}]?\s*[=!]=")


def words():
    """The words of the tables, by the enumerators' type."""
    found = {}
    for path, types in TABLES.items():
        text = (sources.ROOT / path).read_text()
        for kind, word in re.findall(r"\{(%s)::\w+,\s*\"([^\"]+)\"" % types, text):
            found.setdefault(kind, set()).add(word)
    return found


def faults(text, tables):
    code = sources.without_comments(text)
    named = tables["DetailCode"] | tables["CheckKind"] | tables["EvidenceKind"]
    found = []
    for match in LITERAL.finditer(code):
        word = match["plain"] if match["plain"] is not None else match["raw"]
        if code[:match.start()].endswith("#include "):
            continue
        several = re.search("[_-]", word)
        compared = BEFORE.search(code[max(0, match.start() - 60):match.start()]) or AFTER.search(
            code[match.end():match.end() + 20])
        fact = word in tables["Fact"]
        if (several and (word in named or fact)) or (compared and word in named):
            found.append((sources.line_of(code, match.start()), word))
    return found


class Facts(unittest.TestCase):
    def test_are_named_in_the_tables_only(self):
        tables = words()
        found, used = [], set()
        for path in sources.files(*sources.ROOMS.values()):
            name = sources.name(path)
            if name in TABLES:
                continue
            for line, word in faults(path.read_text(), tables):
                if word in ALLOWED.get(name, ()):
                    used.add((name, word))
                else:
                    found.append(f"{name}:{line}: \"{word}\"")
        self.assertEqual(found, [], "use the enumerator")
        listed = {(name, word) for name, all_ in ALLOWED.items() for word in all_}
        self.assertEqual(listed - used, set(), "no longer needed")

    def test_tables_are_read(self):
        tables = words()
        for kind, known in (("DetailCode", "left_site"), ("EvidenceKind", "udp_port"),
                            ("Fact", "sent_by"), ("CheckKind", "sip-alg")):
            self.assertIn(known, tables[kind])


class TheLintItself(unittest.TestCase):
    TABLES = {"DetailCode": {"left_site", "silent"}, "EvidenceKind": {"hop", "udp_port"},
              "Fact": {"by", "sent_by"}, "CheckKind": {"tls", "sip-alg"}}

    def test_finds_words(self):
        for code in (
            'if (x == "left_site") {',
            'const auto left = "left_site";',
            'const auto left = R"(left_site)";',
            'seen.detail.text() == "silent"',
            'to_string(probe.check) != "tls"',
            'if ("tls" == word) {',
            'x == std::string("tls")',
            'x == std::string_view{"tls"}',
            'if ("tls"sv == word) {',
            'parse<EvidenceKind>("hop")',
            'parse<CheckKind>("tls")',
            'Detail::parse("silent")',
            'text.starts_with("silent")',
            'by_kind["hop"]',
            'by_kind.find("hop")',
            'by_kind.contains("hop")',
            'call("sent_by")',
            '{"sip-alg", run}',
            'x ==\n    "tls"',
        ):
            self.assertNotEqual(faults(code, self.TABLES), [], code)

    def test_lets_the_rest_pass(self):
        for code in (
            '// "left_site"',
            '/* x == "tls" */',
            'scheme = "tls";',
            '{"hop", one}',
            'fmt::format("tls: {}", x)',
            'x == "tls_"',
            'x == DetailCode::left_site',
            'call("by")',
            '#include "sip-alg"',
            'json["hop"] = x',
        ):
            self.assertEqual(faults(code, self.TABLES), [], code)


if __name__ == "__main__":
    unittest.main()
