"""The program as a user starts it: errors, exit statuses, interruption. CALLREADY names the binary."""

import fcntl
import json
import os
import pty
import re
import resource
import shlex
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import unittest

CALLREADY = os.environ.get("CALLREADY", "")

SET = """schema: callready.targets/1
id: small
title: Small
vendor: Nobody
edition: "1"
document: A table
verified: 2026-11-20
scenarios: [{{ id: day, title: Day, default: true }}, {{ id: night, title: Night }}]
regions: [{{ id: north, title: North }}]
variables: [{{ name: pbx, title: Your PBX, example: pbx.example.com }}]
capabilities: [{{ id: all, title: All, needs: [row] }}]
requirements:
  - {row}
"""

ROW = (
    "{{ id: row, title: Row, source: s, clients: [web], check: {check}, transport: [{transport}], "
    "ports: [{port}], addresses: [127.0.0.1] }}"
)


def row(check="tcp", transport="tcp", port=443):
    return ROW.format(check=check, transport=transport, port=port)


class Listener:
    """A loopback port that the kernel answers for."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class CommandsTest(unittest.TestCase):
    def setUp(self):
        if not CALLREADY:
            self.skipTest("CALLREADY does not name the program")
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, text, name="small.yaml"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def small(self, text=None):
        return self.write(SET.format(row=text or row()))

    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("CALLREADY_")}
        # No set of the user's own.
        return {**kept, "HOME": self.folder.name, "XDG_CONFIG_HOME": self.folder.name,
                "XDG_STATE_HOME": self.path("state"),
                "LC_ALL": "C.UTF-8"}

    def run_it(self, *arguments, **options):
        return subprocess.run([CALLREADY, *arguments], capture_output="stdout" not in options,
                              text=True, timeout=60, env=self.environment(), check=False,
                              stdin=subprocess.DEVNULL, **options)

    def check_small(self, *arguments, text=None, **options):
        return self.run_it("check", "--set", self.small(text), "--no-anchors", *arguments,
                           **options)

    def assert_refused(self, done, *parts):
        """One clear line on standard error, nothing on standard output, exit status 2."""
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.endswith("\n"))
        for part in parts:
            self.assertIn(part, done.stderr)


class Recordings(CommandsTest):
    FAULTS = {"udp-blocked": (1, "firewall.udp_blocked"), "dns-filtered": (1, "dns.filtered"),
              "sip-alg": (4, "sip.alg"), "tls-inspected": (1, "tls.intercepted")}

    def test_each_names_its_cause_and_says_that_it_was_recorded(self):
        for fault, (status, code) in self.FAULTS.items():
            with self.subTest(fault):
                done = self.run_it("demo", "--fault", fault, "--json")
                self.assertEqual(status, done.returncode)
                report = json.loads(done.stdout)
                self.assertIn("nothing was sent from this computer", report["notes"][-1])
                self.assertEqual(code, report["findings"][0]["code"])
                self.assertEqual("callready's test network", report["site"]["name"])
                self.assertEqual("", done.stderr)

    def test_all_are_offered(self):
        self.assertTrue(all(fault in self.run_it("demo", "--help").stdout for fault in self.FAULTS))

    def test_no_run_is_kept(self):
        self.assertEqual(4, self.run_it("demo", "--fault", "sip-alg").returncode)
        self.assertIn("no run has been kept yet", self.run_it("render", "last").stderr)


class Listing(CommandsTest):
    def test_suggests_what_was_meant(self):
        self.assert_refused(self.run_it("list", "rainbwo"), "did you mean 'rainbow'?")
        self.assert_refused(self.run_it("list", "--kind", "pbx", "rainbow"), "no service matches")

    def test_words_may_be_one_argument_and_in_any_order(self):
        for words in (["teams phone"], ["phone", "teams"], ["Phone  Microsoft"]):
            self.assertRegex(self.run_it("list", *words).stdout, r"(?m)^teams +Microsoft Teams ")


class BadSets(CommandsTest):
    CASES = {
        "a wrong key": (row().replace("source:", "souce: t, source:"), ("souce", "source")),
        "a bad port": (row(port=70000), ("70000",)),
        "an unaligned network": (
            row().replace("addresses: [127.0.0.1]", "addresses: [192.0.2.1/24], listening: false"),
            ("192.0.2.1/24",)),
        "a duplicate id": (row() + "\n  - " + row(), ("row",)),
        "an unknown check": (row(check="tpc"), ("tpc", "tcp")),
    }

    def commands(self, file):
        return [("validate", file), ("check", "--set", file), ("show", "small", "--set", file),
                ("show", "--set", file), ("list", "--set", file)]

    def test_what_a_file_is_shown_with_can_be_typed_as_it_stands(self):
        text = SET.format(row=row())
        os.mkdir(self.path("our sets"))
        for name in ("small.yaml", "our sets/small.yaml"):
            file = self.write(text, name)
            shown = " ".join(self.run_it("show", "--set", file).stdout.split())
            commands = re.findall(r"callready (show|firewall) (--set \S+?(?: \S+?\")?)(?: --verbose|\.$)", shown)
            self.assertEqual(["show", "firewall"], [command for command, _ in commands], shown)
            for command, options in commands:
                done = self.run_it(command, *shlex.split(options))
                self.assertEqual((0, ""), (done.returncode, done.stderr))
        shown = self.run_it("show", "rainbow").stdout
        self.assertIn("callready firewall rainbow.", " ".join(shown.split()))

    def test_one_without_a_document_has_no_source(self):
        file = self.write(SET.format(row=row()).replace('document: A table\n', ""))
        self.assertRegex(self.run_it("show", "--set", file).stdout, r"\nSource +no source given\n")
        self.assertRegex(self.run_it("list", "small", "--set", file).stdout, r"\nsmall .* none given ")

    def test_one_file_is_shown_without_its_name(self):
        file = self.small()
        for options in ((), ("--json",), ("--verbose",)):
            by_file = self.run_it("show", "--set", file, *options)
            self.assertEqual((by_file.returncode, by_file.stderr), (0, ""))
            self.assertEqual(by_file.stdout,
                             self.run_it("show", "small", "--set", file, *options).stdout)
        other = self.write(SET.format(row=row()).replace("id: small", "id: other"), "other.yaml")
        self.assert_refused(self.run_it("show", "--set", file, "--set", other),
                            "show takes one set at a time")
        done = self.run_it("show")
        self.assertEqual(2, done.returncode)
        self.assertIn("which service?", done.stderr)

    def test_name_file_line_and_column(self):
        for name, (text, parts) in self.CASES.items():
            file = self.small(text)
            for command in self.commands(file):
                with self.subTest(name, command=command[0]):
                    done = self.run_it(*command)
                    self.assert_refused(done, *parts)
                    self.assertRegex(done.stderr, rf"^{file}:\d+:\d+: ")

    def test_a_missing_file(self):
        for command in self.commands("/nowhere/small.yaml"):
            with self.subTest(command[0]):
                self.assert_refused(self.run_it(*command), "/nowhere/small.yaml")

    def test_several_problems_are_told_in_one_go(self):
        done = self.run_it("validate", self.small(row(check="tpc", port=0)))
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("\n"), 2, done.stderr)

    def test_a_good_one_is_valid(self):
        done = self.run_it("validate", self.small())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("valid", done.stdout)


class BadArguments(CommandsTest):
    def test_a_proxy_and_a_pac_file_are_one_too_many(self):
        done = self.check_small("--proxy", "http://127.0.0.1:1", "--pac", "/nonexistent.pac")
        self.assertEqual(2, done.returncode)
        self.assertIn("--pac", done.stderr)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)

    def test_the_pac_child_answers_nobody_else(self):
        # It may do nothing but ask DNS: a sanitizer's look for leaks would need more.
        done = subprocess.run([CALLREADY, "--evaluate-pac"], input="nonsense", text=True,
                              env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"},
                              capture_output=True, timeout=60, check=False)
        self.assertEqual((2, ""), (done.returncode, done.stdout))

    def test_unknown_names_are_told_with_the_nearest(self):
        self.assert_refused(self.check_small("smal"), "'smal'", "did you mean 'small'?")
        self.assert_refused(self.run_it("show", "smal", "--set", self.small()),
                            "did you mean 'small'?")
        for arguments, parts in {
            ("--scenario", "nigth"): ("unknown scenario 'nigth'", "did you mean 'night'?"),
            ("--region", "nort"): ("unknown region 'nort'", "did you mean 'north'?"),
            ("--var", "pbxx=1"): ("unknown variable 'pbxx'", "did you mean 'pbx'?"),
            ("--only", "rwo"): ("unknown requirement 'rwo'", "did you mean 'row'?"),
            ("--skip", "elsewhere"): ("unknown requirement 'elsewhere'",),
            ("--client", "wb"): ("unknown client 'wb'", "did you mean 'web'?"),
            ("--from", "desk"): ("desk", "room-device"),
            ("--report", "pdf"): ("unknown report format 'pdf'", "json"),
            ("--pace", "slow"): ("slow",),
            ("--interface", "nosuch0"): ("no network interface 'nosuch0'",),
        }.items():
            with self.subTest(arguments):
                self.assert_refused(self.check_small(*arguments), *parts)

    def test_files_that_cannot_be_used(self):
        self.write("not a certificate\n", "roots.pem")
        self.write("{}", "report.json")
        for arguments, parts in {
            ("--ca-file", "/nowhere/roots.pem"): ("/nowhere/roots.pem",),
            ("--ca-file", self.path("roots.pem")): (self.path("roots.pem"),),
            ("--credentials", "/nowhere/secrets"): ("/nowhere/secrets: cannot be read",),
            ("--report", "json=/nowhere/a.json"): ("/nowhere/a.json: No such file",),
            ("--report", "json=" + self.folder.name): ("Is a directory",),
            ("--history", "/nowhere/history.json"): ("/nowhere/history.json: No such file",),
            ("--history", self.path("roots.pem")): ("roots.pem: it holds something other",),
            ("--pac", self.folder.name): ("it is a folder",),
        }.items():
            with self.subTest(arguments):
                self.assert_refused(self.check_small(*arguments), *parts)
        self.assert_refused(self.run_it("render", "/nowhere/report.json"),
                            "/nowhere/report.json: No such file")
        self.assert_refused(self.run_it("render", self.folder.name), "Is a directory")
        self.assert_refused(self.run_it("render", self.path("report.json")), "report.json")

    def test_values_that_make_no_sense(self):
        for arguments, parts in {
            ("--dns", "nonsense"): ("--dns: 'nonsense'",),
            ("--dns", "192.0.2.1:99999"): ("192.0.2.1:99999",),
            ("--timeout", "0"): ("--timeout",),
            ("--timeout", "nan"): ("--timeout",),
            ("--pac", "http://alice:pa/ss@proxy.example.com/a.pac"): ("--pac",),
            ("--pac", "http://proxy.example.com:99999/a.pac"): ("--pac",),
            ("--pac", "file:///etc/proxy.pac"): ("--pac",),
            ("--push-to", "http://127.0.0.1:99999/"): ("--push-to", "65535"),
            ("--proxy", ""): ("--proxy: expected a URL, auto or none",),
            ("--proxy", "proxy.example.com"): ("--proxy",),
            ("--proxy", "ftp://proxy.example.com"): ("--proxy",),
            ("--proxy", "http://proxy.example.com:99999"): ("--proxy", "65535"),
            ("--proxy", "http://proxy.example.com/path"): ("--proxy",),
            ("-4", "-6"): ("excludes",),
            ("--var", "pbx"): ("NAME=VALUE",),
            ("--json", "--report", "text"): ("one report",),
        }.items():
            with self.subTest(arguments):
                self.assert_refused(self.check_small(*arguments), *parts)

    def test_values_that_do_not_fit(self):
        own = row().replace("addresses: [127.0.0.1]", 'hosts: ["${pbx}"]')
        for value, part in {"": "it is empty", "a b": "'a b'", "http://x/": "it is a URL"}.items():
            with self.subTest(value):
                done = self.check_small("--var", "pbx=" + value, text=own)
                self.assert_refused(done, "${pbx} is", part)

    def test_no_set_at_all(self):
        done = self.run_it("check")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("which service?", done.stderr)
        self.assertRegex(done.stderr, r"\n  rainbow +Alcatel-Lucent Rainbow\n")
        self.assertEqual(done.stderr, self.run_it("show").stderr)
        self.assertEqual(done.stderr, self.run_it("firewall").stderr)

    def test_the_saved_example_shows_a_failure(self):
        done = self.run_it("render", os.path.join(os.path.dirname(__file__), "..", "..", "docs", "examples",
                                                  "udp-blocked.json"))
        self.assertEqual((1, ""), (done.returncode, done.stderr))
        self.assertIn("The firewall blocks all outgoing UDP", done.stdout)

    def test_ports_that_serve_cannot_open(self):
        key = self.write("CALLREADY_MEDIA_KEY=0123456789abcdef\n", "key")
        os.chmod(key, 0o600)
        for arguments, parts in {
            ("--media-ports", "10000-12999"): ("3006 ports", "at most 3000"),
            ("--media-ports", "10000-12997", "--sip-port", "off", "--stun-port", "off"):
                ("3001 ports",),
            ("--stun-port", "3478-3479"): ("--stun-port", "expected a port"),
            ("--sip-port", "off", "--sips-port", "5071"): ("--sips-port", "--sip-port"),
            ("--sip-port", "off", "--sips-port", "5061"): ("--sips-port", "--sip-port"),
        }.items():
            with self.subTest(arguments):
                done = self.run_it("serve", "127.0.0.1", "--credentials", key, *arguments)
                self.assert_refused(done, *parts)

    def test_help_is_80_columns_wide(self):
        for command in ("", "check", "firewall", "serve", "exporter", "ui", "diff", "import"):
            done = self.run_it(*command.split(), "--help")
            self.assertEqual(0, done.returncode)
            for line in done.stdout.splitlines():
                with self.subTest(command, line=line):
                    self.assertLessEqual(len(line), 80)

    def test_the_examples_of_the_readme_are_valid(self):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "targets",
                               "README.md"), encoding="utf-8") as file:
            examples = re.findall(r"```yaml\n(schema:.*?)```", file.read(), re.S)
        self.assertEqual(2, len(examples))
        for example in examples:
            done = self.run_it("validate", self.write(example))
            self.assertEqual((0, ""), (done.returncode, done.stderr))

    LEANING = """schema: callready.targets/1
id: leaning
title: Leaning
needs_sets: [{}]
capabilities: [{{ id: calls, title: Calls, needs: [web] }}]
requirements:
  - {{ id: web, title: Web, check: tls, transport: [tls], ports: [443], hosts: [a.example.com] }}
"""

    def test_what_a_set_leans_on(self):
        file = self.write(self.LEANING.format("microsoft-365"))
        done = self.run_it("validate", file)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("valid: leaning (1 requirements)", done.stdout, "its own")
        shown = json.loads(self.run_it("show", "--set", file, "--json").stdout)
        self.assertEqual(["microsoft-365"], shown["needs_sets"])
        self.assertEqual({None, "microsoft-365"},
                         {row.get("of_set") for row in shown["requirements"]})
        self.assertRegex(self.run_it("show", "--set", file).stdout, r"\nNeeds +microsoft-365 \(")
        lists = json.loads(self.run_it("firewall", "--set", file, "--format", "json").stdout)["sets"]
        self.assertEqual(["leaning", "microsoft-365"], [one["id"] for one in lists])
        self.assertEqual(["Leaning"], lists[1]["needed_by"])
        listed = {one["id"]: one for one in json.loads(self.run_it("list", "--json").stdout)}
        self.assertEqual(["microsoft-365", "single-sign-on"], listed["teams"]["needs_sets"])

    def test_a_sign_in_of_ones_own_for_any_service(self):
        """Also where the vendor's document knows of none."""
        lists = json.loads(self.run_it("firewall", "zoom", "whereby", "--format", "json", "--var",
                                       "sign_in=login.example.com").stdout)["sets"]
        (own,) = [one for one in lists if one["id"] == "single-sign-on"]
        self.assertEqual(["Zoom", "Whereby"], own["needed_by"])
        self.assertEqual([["login.example.com"]], [[peer["text"] for peer in rule["destinations"]]
                                                   for rule in own["rules"]])
        lists = json.loads(self.run_it("firewall", "zoom", "whereby", "--format", "json", "--var",
                                       "zoom/sign_in=login.example.com").stdout)["sets"]
        self.assertEqual([["Zoom"]], [one["needed_by"] for one in lists
                                      if one["id"] == "single-sign-on"])
        self.assert_refused(self.run_it("firewall", "asterisk", "--var", "sign_in=login.example.com"),
                            "unknown variable 'sign_in'")

    def test_what_a_set_cannot_lean_on(self):
        file = self.write(self.LEANING.format("nobody"))
        said = f"{file}:4:14: 'needs_sets': 'nobody' cannot be used: no set has this id"
        for arguments in (("validate", file), ("show", "--set", file)):
            with self.subTest(arguments):
                self.assert_refused(self.run_it(*arguments), said)

    def test_lists_for_devices_are_doubted_in_them_or_aside(self):
        done = self.run_it("firewall", "google-sign-in", "librestream", "--format", "edl-domain")
        self.assertIn("google-sign-in: From a second-hand list: ", done.stderr)
        self.assertIn("librestream: The document is ", done.stderr)
        self.assertNotIn("#", done.stdout)
        done = self.run_it("firewall", "google-sign-in", "librestream", "--format", "nftables")
        self.assertEqual("", done.stderr)
        self.assertIn("\n# Check first:\n#   google-sign-in: From a second-hand list: ", done.stdout)
        self.assertIn("librestream: The document is ", done.stdout)
        self.assertIn('comment "second-hand: Google sign-in page', done.stdout)

    def test_what_can_be_deleted_is_told_once(self):
        done = self.run_it("firewall", "teams", "--format", "markdown")
        self.assertEqual(1, done.stdout.count("#### removed-addresses: "), "of UDP and TCP")

    def test_a_table_of_nftables(self):
        for arguments, said in (
            (("--table", "filter; flush ruleset", "--format", "nftables"), "expected a family and a name"),
            (("--chain", "a b", "--format", "nftables"), "expected a chain's name"),
            (("--table", "ip edge", "--format", "fortigate"), "only matter with --format nftables"),
        ):
            with self.subTest(arguments):
                self.assert_refused(self.run_it("firewall", "rainbow", *arguments), said)

    def test_a_list_in_a_pipe_is_whole(self):
        self.assertRegex(self.run_it("list").stdout,
                         r"\nazure-communication-services +Azure Communication Services +platform +")

    def test_no_command(self):
        done = self.run_it()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("\n  callready list ", done.stderr)
        self.assert_refused(self.run_it("chek", "rainbow"), "did you mean 'check'?")

    def test_secrets_are_not_repeated(self):
        self.write("CALLREADY_TURN_PASWORD=hunter2\n", "secrets")
        for arguments in (
            ("--credentials", self.path("secrets")),
            ("--proxy", "http://bob:hunter2@proxy.example.com:3128"),
            ("--turn-password=hunter2",),
        ):
            with self.subTest(arguments[0]):
                done = self.check_small(*arguments)
                self.assert_refused(done)
                self.assertNotIn("hunter2", done.stderr)


class Runs(CommandsTest):
    def test_exit_status_is_the_verdict(self):
        listener = Listener()
        port = listener.port
        done = self.check_small("--json", text=row(port=port))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = json.loads(done.stdout)
        self.assertTrue(report["complete"])
        self.assertEqual(report["sets"][0]["verdict"], "ready")
        listener.close()
        done = self.check_small("--json", text=row(port=port))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["sets"][0]["verdict"], "blocked")

    def test_a_part_that_was_chosen_is_told(self):
        listener = Listener()
        self.addCleanup(listener.close)
        text = row(port=listener.port)
        row_id = text.split("id: ")[1].split(",")[0].split()[0]
        done = self.check_small("--json", "--only", row_id, text=text)
        self.assertIn(f"Only a part was tried, as requested: --only {row_id}.",
                      json.loads(done.stdout)["notes"])
        done = self.check_small("--json", "--client", "web", text=text)
        self.assertEqual(["--client web"], json.loads(done.stdout)["part"])
        done = self.check_small("--json", text=text)
        self.assertEqual([], json.loads(done.stdout)["notes"])
        self.assertNotIn("part", json.loads(done.stdout))

    def test_the_scheme_of_a_proxy_may_be_in_capitals(self):
        done = self.check_small("--json", "--proxy", "HTTP://127.0.0.1:1", text=row(port=1))
        self.assertEqual("http://127.0.0.1:1", json.loads(done.stdout)["site"]["proxy"])

    def test_the_last_run_is_kept_for_its_user_alone(self):
        listener = Listener()
        self.addCleanup(listener.close)
        kept = os.path.join(self.path("state"), "callready", "last.json")
        self.check_small("--no-keep", text=row(port=listener.port))
        self.assertFalse(os.path.exists(kept))
        self.assert_refused(self.run_it("render", "last"), "no run has been kept")
        done = self.check_small("--json", text=row(port=listener.port))
        self.assertEqual(os.stat(kept).st_mode & 0o777, 0o600)
        again = self.run_it("render", "last", "--json")
        self.assertEqual(json.loads(again.stdout), json.loads(done.stdout))

    def test_quiet_in_a_pipe_cuts_nothing(self):
        title = "A service with a name that is longer than any terminal of eighty columns is wide"
        listener = Listener()
        self.addCleanup(listener.close)
        text = SET.format(row=row(port=listener.port)).replace("title: Small", "title: " + title)
        done = self.run_it("check", "--set", self.write(text), "--no-anchors", "-q")
        self.assertIn(title, done.stdout)
        self.assertEqual(done.stdout.count("\n"), 1)

    def test_listing_reads_no_set(self):
        """The index is enough: it costs hardly more than starting the program."""
        def least(*arguments):
            spent = []
            for _ in range(7):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                self.assertEqual(0, self.run_it(*arguments).returncode)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            return min(spent)

        start = least("--version")
        self.assertLess(least("list"), 5 * start, "CPU seconds")
        self.assertLess(least("list", "zoom"), 5 * start, "CPU seconds")

    def test_the_vendors_sets_can_be_used(self):
        done = self.run_it("list", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("cloudoe", "itracks", "librestream", "quicklink", "rainbow", "webex-partner"):
            with self.subTest(name):
                self.assertIn(f'"{name}"', done.stdout)
                self.assertEqual(self.run_it("show", name).stderr, "")

    def test_a_saved_report_is_rendered_with_its_exit_status(self):
        done = self.check_small("--report", "json=" + self.path("report.json"))
        self.assertEqual(done.returncode, 1)
        again = self.run_it("render", self.path("report.json"))
        self.assertEqual(again.returncode, 1)
        self.assertEqual(again.stdout, done.stdout)

    def test_help_names_all_that_a_file_of_credentials_can_give(self):
        said = self.run_it("check", "--help").stdout
        for name in ("TURN_USER", "TURN_PASSWORD", "TURN_SECRET", "TURN_HOST", "PROXY_USER",
                     "PROXY_PASSWORD", "PROXY_HOST", "MEDIA_KEY"):
            self.assertIn(f"CALLREADY_{name},", said)
        self.assertIn("CALLREADY_PUSH_TOKEN)", said)

    def test_standard_output_that_is_full(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.check_small("--json", stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "callready: standard output: No space left on device: the "
                                      "report could not be written\n")

    def test_a_full_standard_output_is_said_by_every_command(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        for arguments in (("firewall", "rainbow"), ("list",), ("validate", self.small())):
            with self.subTest(arguments[0]), open("/dev/full", "w", encoding="utf-8") as full:
                done = self.run_it(*arguments, stdout=full, stderr=subprocess.PIPE)
                self.assertEqual((done.returncode, done.stderr),
                                 (2, "callready: standard output: No space left on device\n"))

    def test_standard_output_that_is_closed(self):
        file = self.path("report.json")
        script = 'exec "$0" "$@" >&-'
        done = subprocess.run(
            ["/bin/sh", "-c", script, CALLREADY, "check", "--set", self.small(), "--no-anchors",
             "--report", "json=" + file],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
            env=self.environment())
        self.assertEqual(done.returncode, 2)
        self.assertIn("standard output", done.stderr)
        with open(file, encoding="utf-8") as report:
            json.load(report)  # the file has its report, and nothing else

    def test_an_interrupted_run_reports_what_it_has(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            mute.settimeout(30)
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(number.name):
                    text = row("stun", "udp", mute.getsockname()[1])
                    process = subprocess.Popen(
                        [CALLREADY, "check", "--set", self.small(text), "--no-anchors", "--json"],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                        env=self.environment())
                    try:
                        mute.recv(2048)  # it is in the middle of its work
                        process.send_signal(number)
                        output, errors = process.communicate(timeout=30)
                    finally:
                        process.kill()
                        process.wait()
                    self.assertEqual((process.returncode, errors), (3, ""))
                    report = json.loads(output)
                    self.assertFalse(report["complete"])
                    self.assertEqual(report["probes"][0]["outcome"], "skipped")
                    self.assertEqual(report["probes"][0]["detail"], "stopped")
                    self.assertEqual(report["sets"][0]["verdict"], "unknown")
                    self.assertIn("interrupted", " ".join(report["notes"]))


class OwnSets(CommandsTest):
    """Sets of the user's own: by --set, and in the configuration folder."""

    def keep(self, text, name):
        """Puts a set into the user's own folder of sets."""
        folder = self.path("callready/targets")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def setUp(self):
        super().setUp()
        self.listener = Listener()
        self.addCleanup(self.listener.close)

    def named(self, name, port=None):
        return SET.format(row=row(port=port or self.listener.port)).replace("id: small",
                                                                            f"id: {name}")

    def test_the_configuration_folder_is_looked_through(self):
        self.keep(self.named("my-pbx"), "pbx.yaml")
        done = self.run_it("check", "my-pbx", "--no-anchors", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(["my-pbx"], [s["id"] for s in json.loads(done.stdout)["sets"]])
        self.assertIn("my-pbx", self.run_it("list").stdout)
        self.assertIn(self.path("callready/targets/pbx.yaml"),
                      self.run_it("show", "my-pbx").stdout.replace("\n           ", ""))

    def test_where_xdg_config_home_is_not_set_it_is_below_the_home_folder(self):
        os.makedirs(self.path(".config/callready/targets"))
        with open(self.path(".config/callready/targets/pbx.yml"), "w", encoding="utf-8") as file:
            file.write(self.named("my-pbx"))
        environment = self.environment()
        for value in (None, "relative/path"):  # which the specification wants ignored
            environment.pop("XDG_CONFIG_HOME", None)
            if value:
                environment["XDG_CONFIG_HOME"] = value
            done = subprocess.run([CALLREADY, "list"], capture_output=True, text=True, timeout=60,
                                  env=environment, check=False)
            self.assertIn("my-pbx", done.stdout)

    def test_a_set_of_ones_own_takes_the_place_of_a_vendors(self):
        self.keep(self.named("webex"), "webex.yaml")
        done = self.run_it("check", "webex", "--no-anchors", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("Small", json.loads(done.stdout)["sets"][0]["title"])

    def test_two_sets_of_ones_own_in_one_run(self):
        self.keep(self.named("my-pbx"), "pbx.yaml")
        file = self.write(self.named("my-sbc"), "sbc.yaml")
        done = self.run_it("check", "my-pbx", "my-sbc", "--set", file, "--no-anchors", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = json.loads(done.stdout)
        self.assertEqual(["my-pbx", "my-sbc"], [s["id"] for s in report["sets"]])
        self.assertEqual(1, len(report["probes"]), "one endpoint, one probe")

    def test_one_in_a_file_is_checked_beside_those_that_are_named(self):
        self.keep(self.named("my-pbx"), "pbx.yaml")
        file = self.write(self.named("my-sbc"), "sbc.yaml")
        done = self.run_it("check", "my-pbx", "--set", file, "--var", "my-sbc/pbx=127.0.0.1",
                           "--no-anchors", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(["my-pbx", "my-sbc"], [s["id"] for s in json.loads(done.stdout)["sets"]])
        done = self.run_it("firewall", "my-pbx", "--set", file, "--format", "json")
        self.assertEqual(["my-pbx", "my-sbc"], [s["id"] for s in json.loads(done.stdout)["sets"]])
        self.assertEqual("my-pbx", json.loads(self.run_it("show", "my-pbx", "--set", file, "--json")
                                              .stdout)["id"])
        self.assert_refused(self.run_it("firewall", "my-pbx", "--var", "my-sbc/pbx=127.0.0.1"),
                            "unknown variable 'my-sbc/pbx'",
                            "'my-sbc' is not among the sets of this run (my-pbx)")

    def test_one_that_a_named_one_needs_is_not_checked_by_itself(self):
        needed = self.write(self.named("my-sbc"), "sbc.yaml")
        file = self.write(self.named("my-pbx") + "needs_sets: [my-sbc]\n", "pbx.yaml")
        for names, sets in ((["my-pbx"], ["my-pbx"]), ([], ["my-pbx", "my-sbc"])):
            done = self.run_it("check", *names, "--set", file, "--set", needed, "--no-anchors", "--json")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(sets, [s["id"] for s in json.loads(done.stdout)["sets"]])

    def test_a_broken_one_in_the_folder_does_not_stop_the_others(self):
        self.keep("schema: callready.targets/1\nid: broken\n", "broken.yaml")
        self.keep(self.named("my-pbx"), "pbx.yaml")
        done = self.run_it("list")
        self.assertEqual(0, done.returncode)
        self.assertIn("my-pbx", done.stdout)
        self.assertIn("broken.yaml:", done.stderr)
        self.assertEqual(2, self.run_it("check", "broken").returncode)


class Firewall(CommandsTest):
    def test_the_three_forms(self):
        for arguments, start in {(): "# Firewall rules", ("--format", "csv"): "set,rule,",
                                 ("--format", "json"): '{\n  "schema": "callready.firewall/1"'}.items():
            with self.subTest(arguments):
                done = self.run_it("firewall", "rainbow", "webex-partner", *arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(start), done.stdout[:60])
                for word in ("turn-rbx1.openrainbow.com", "44.234.52.192/26"):
                    self.assertIn(word, done.stdout)

    def test_what_is_still_missing_at_a_site(self):
        report = self.path("report.json")
        done = self.check_small("--report", "json=" + report, text=row(port=1))
        self.assertEqual(done.returncode, 1)
        missing = ("--from", report, "--missing")
        done = self.run_it("firewall", "--set", self.small(row(port=1)), *missing)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Nothing is missing", done.stdout, "it refuses itself: no firewall's fault")
        with open(report, encoding="utf-8") as file:
            seen = json.load(file)
        seen["probes"][0]["outcome"] = "silent"
        with open(report, "w", encoding="utf-8") as file:
            json.dump(seen, file)
        done = self.run_it("firewall", "--set", self.small(row(port=1)), *missing)
        self.assertIn("| 1 | closed | required | TCP |", done.stdout)
        for old, new, called in (("edition: \"1\"", "edition: \"2\"", "Small, 2"),
                                 ("title: Small\n", "title: Large\n", "Large, 1")):
            other = self.write(SET.format(row=row(port=1)).replace(old, new))
            done = self.run_it("firewall", "--set", other, *missing)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn(f'small: the report went by "Small, 1", this is "{called}": check again',
                          done.stderr)
        self.assert_refused(self.run_it("firewall", "webex", *missing), "no results for webex",
                            "it has: small")

    def test_what_only_the_report_knows_is_listed_from_it(self):
        """A set that is not here, a value that only that run had, a sign-in of one's own."""
        file = self.small(row(port=1).replace("[127.0.0.1]", '["${pbx}"]'))
        other = self.write(SET.format(row=row(port=2)).replace("id: small", "id: other"), "other.yaml")
        report = self.path("report.json")
        self.run_it("check", "--set", file, "--set", other, "--var", "pbx=127.0.0.1", "--no-anchors",
                    "--report", "json=" + report)
        with open(report, encoding="utf-8") as opened:
            seen = json.load(opened)
        for probe in seen["probes"]:
            probe["outcome"] = "silent"
        with open(report, "w", encoding="utf-8") as opened:
            json.dump(seen, opened)
        for options, listed in (((), ["small", "other"]), (("--set", file), ["small", "other"]),
                                (("other", "--set", other), ["other"]), (("Other",), ["other"])):
            with self.subTest(options):
                done = self.run_it("firewall", "--missing", "--from", report, *options, "--format", "json")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                lists = json.loads(done.stdout)["sets"]
                self.assertEqual(listed, [one["id"] for one in lists])
                for one in lists:
                    self.assertEqual([["127.0.0.1"]], [[peer["text"] for peer in rule["destinations"]]
                                                       for rule in one["rules"]])
        self.assert_refused(self.run_it("firewall", "smal", "--missing", "--from", report),
                            "unknown target set 'smal'")

    def test_what_is_missing_is_of_the_scenarios_that_were_checked(self):
        shared = row(port=1).replace("source: s", "source: s, scenarios: [day, night]")
        late = row(port=2).replace("id: row, ", "id: late, ").replace(
            "source: s", "source: s, scenarios: [night]")
        for options, listed in (((), "In this list: Day.\n"),
                                (("--scenario", "night"), "In this list: Night.\n"),
                                (("--scenario", "night", "--scenario", "day"),
                                 "In this list: Night.\n")):
            with self.subTest(options):
                rows = shared + "\n  - " + late
                self.check_small("--report", "json=" + self.path("report.json"), *options, text=rows)
                done = self.run_it("firewall", "--set", self.small(rows), "--from",
                                   self.path("report.json"), "--missing")
                self.assertIn(listed, done.stdout, done.stderr)

    def test_a_scenario_without_rows_of_its_own_is_in_every_list(self):
        rows = row(port=1) + "\n  - " + row(port=2).replace("id: row, ", "id: late, ").replace(
            "source: s", "source: s, scenarios: [night]")
        self.check_small("--report", "json=" + self.path("report.json"), text=rows)
        for options in ((), ("--missing", "--from", self.path("report.json"))):
            done = self.run_it("firewall", "--set", self.small(rows), *options)
            self.assertIn("In this list: Day.\nNot in this list (add with --scenario): night (Night).\n",
                          done.stdout)

    def test_errors(self):
        done = self.run_it("firewall")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("which service?", done.stderr.splitlines()[0])
        self.assertIn("rainbow", done.stderr)  # the sets follow
        self.assert_refused(self.run_it("firewall", "rainbo"), "did you mean 'rainbow'?")
        self.assert_refused(self.run_it("firewall", "rainbow", "--missing"), "--from REPORT.json")
        self.assert_refused(self.run_it("firewall", "rainbow", "--from", "a.json"), "--missing")
        self.assert_refused(self.run_it("firewall", "--from", "/nowhere/a.json", "--missing"),
                            "/nowhere/a.json: No such file")
        self.assert_refused(self.run_it("firewall", "rainbow", "--region", "frence"),
                            "unknown region 'frence'", "did you mean 'france'?")
        self.assert_refused(self.run_it("firewall", "rainbow", "--format", "pdf"), "pdf")
        self.assert_refused(self.run_it("firewall", "librestream", "--var", "sip_port=abc"),
                            "sip_port", "'abc'")


class ServiceTags(CommandsTest):
    def test_errors_say_where(self):
        file = self.write('{\n "changeNumber": 1,\n "cloud": "China",\n "values": [1] }\n',
                          "tags.json")
        for command in ("check", "firewall"):
            with self.subTest(command):
                done = self.run_it(command, "--set", self.small(), "--service-tags", file)
                self.assertEqual(done.returncode, 2)
                self.assertIn(f"{file}:3:2: the cloud is 'China'", done.stderr)
                done = self.run_it(command, "--set", self.small(), "--service-tags", "/nowhere")
                self.assert_refused(done, "/nowhere: cannot be read")

    def test_a_firewall_that_knows_no_tags_gets_their_networks(self):
        file = os.path.join(os.path.dirname(__file__), "..", "targets", "service_tags.json")
        done = self.run_it("firewall", "itracks", "--service-tags", file, "--format", "csv")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("20.49.0.0/16,3478,network,germanywc", done.stdout)
        self.assertNotIn("service_tag,", done.stdout)


class Announcements(CommandsTest):
    def test_more_than_a_normal_run_is_announced(self):
        listener = Listener()
        self.addCleanup(listener.close)
        for option in ("--all", "--thorough"):
            done = self.check_small(option, text=row(port=listener.port))
            self.assertEqual(done.stderr,
                             f"callready: {option}: 1 probes, about 4 packets, to 1 hosts "
                             "(0 names; 1 addresses in 1 networks)\n")
            done = self.check_small(option, "--quiet", text=row(port=listener.port))
            self.assertEqual(done.stderr, "")
        self.assertEqual("", self.check_small(text=row(port=listener.port)).stderr)


class SavedReports(CommandsTest):
    """render, merge and diff: what they refuse, and what they make of files."""

    def saved(self, name, *arguments, text=None):
        done = self.check_small("--report", "json=" + self.path(name), *arguments, text=text)
        self.assertIn(done.returncode, (0, 1), done)
        return self.path(name)

    def test_broken_ones_are_refused_with_their_place(self):
        good = self.saved("good.json")
        with open(good, encoding="utf-8") as file:
            text = file.read()
        self.write(text[:-20], "cut.json")
        self.write(text.replace("callready.report/1", "callready.report/7"), "newer.json")
        self.write(text.replace('"complete": true', '"complete": 1'), "wrong.json")
        lines = text.count("\n", 0, len(text) - 20) + 1
        for name, part in {"cut.json": f"cut.json:{lines}:", "newer.json": "a newer callready",
                           "wrong.json": "at /complete: expected true or false"}.items():
            for command in (("render", self.path(name)), ("merge", good, self.path(name)),
                            ("diff", good, self.path(name))):
                with self.subTest(name, command=command[0]):
                    self.assert_refused(self.run_it(*command), self.path(name), part)

    def test_standard_input_can_be_rendered(self):
        with open(self.saved("a.json"), encoding="utf-8") as file:
            done = subprocess.run([CALLREADY, "render", "-", "--json"], stdin=file, text=True,
                                  capture_output=True, timeout=60, env=self.environment(),
                                  check=False)
        self.assertEqual(done.returncode, 1)
        json.loads(done.stdout)

    def test_a_report_that_is_its_own_standard_output(self):
        saved = self.saved("a.json")
        plain = self.run_it("render", saved, "--json")
        self.assertEqual(plain.stdout, self.run_it("render", saved, "--report=json=-").stdout)
        self.assert_refused(self.run_it("render", saved, "--report=json=-", "--report=csv=-"),
                            "one report")

    def test_what_a_later_edition_added_is_left_out_and_told(self):
        with open(self.saved("a.json"), encoding="utf-8") as file:
            report = json.load(file)
        report["tool"]["version"] = "9.1"
        report["sets"][0]["requirements"][0]["colour"] = "red"
        self.write(json.dumps(report), "later.json")
        done = self.run_it("render", self.path("later.json"), "--json")
        self.assertNotIn("colour", json.loads(done.stdout)["sets"][0]["requirements"][0])
        note = json.loads(done.stdout)["notes"][-1]
        self.assertIn("made by callready 9.1", note)
        self.assertIn("left out: sets/*/requirements/*/colour.", note)
        # Between two reports it may be the whole difference.
        difference = self.run_it("diff", self.path("a.json"), self.path("later.json"))
        self.assertIn("later.json: " + note, " ".join(difference.stdout.split()))
        # Said once, however often the result is read again.
        again = subprocess.run([CALLREADY, "render", "-", "--json"], input=done.stdout, text=True,
                               capture_output=True, timeout=60, env=self.environment(),
                               check=False)
        self.assertEqual(done.stdout, again.stdout)

    def test_vantages_are_merged(self):
        listener = Listener()
        user = self.saved("user.json", "--site", "Lyon", text=row(port=listener.port))
        listener.close()
        voice = self.saved("voice.json", "--site", "Lyon", text=row(port=listener.port))
        done = self.run_it("merge", user, "phones=" + voice, "--json")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        report = json.loads(done.stdout)
        self.assertEqual("Lyon", report["site"]["name"])
        self.assertEqual(["user", "phones"], [part["name"] for part in report["vantages"]])
        self.assertEqual("fail", report["sets"][0]["requirements"][0]["status"])
        self.assertIn("works from user", report["sets"][0]["requirements"][0]["summary"])
        # It is a report like any other: rendered, compared, and merged again.
        self.write(done.stdout, "site.json")
        self.assertEqual(1, self.run_it("render", self.path("site.json")).returncode)
        self.assertEqual(0, self.run_it("diff", self.path("site.json"), self.path("site.json"))
                         .returncode)
        self.assert_refused(self.run_it("merge", user), "at least two")
        self.assert_refused(self.run_it("merge", user, user), "give them different names")
        self.assert_refused(self.run_it("merge", "a=" + user, "b=" + user), "the same run")

    def test_differences_have_an_exit_status(self):
        listener = Listener()
        good = self.saved("good.json", text=row(port=listener.port))
        listener.close()
        bad = self.saved("bad.json", text=row(port=listener.port))
        for before, after, status, word in ((good, bad, 1, "WORSE"), (bad, good, 0, "BETTER"),
                                            (good, good, 0, "THE SAME")):
            done = self.run_it("diff", before, after)
            self.assertEqual((status, ""), (done.returncode, done.stderr))
            self.assertIn(word, done.stdout.splitlines()[0])
        self.assert_refused(self.run_it("diff", good))
        self.assert_refused(self.run_it("diff", "-", "-"), "only one of the two")
        self.assert_refused(self.run_it("merge", "a=-", "b=-"), "only one of the reports")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.run_it("diff", good, bad, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(2, done.returncode)
        self.assertIn("No space left on device", done.stderr)

    def test_the_key_of_pseudonyms_is_made_once_and_for_the_user_alone(self):
        saved = self.saved("a.json", "--site", "Lyon")
        first = self.run_it("render", saved, "--json", "--redact")
        self.assertEqual((first.returncode, first.stderr), (1, ""))
        self.assertNotIn("Lyon", first.stdout)
        key = self.path("callready/redact.key")
        self.assertEqual(0o600, os.stat(key).st_mode & 0o777)
        self.assertEqual(first.stdout, self.run_it("render", saved, "--json", "--redact").stdout)
        logged = self.run_it("-d", "render", saved, "--json", "--redact")
        self.assertIn("this log has real names and addresses", logged.stderr)
        self.write("another key, long enough", "key")
        other = self.run_it("render", saved, "--json", "--redact", "--redact-key",
                            self.path("key"))
        self.assertNotEqual(json.loads(first.stdout)["site"], json.loads(other.stdout)["site"])
        self.write("short", "key")
        self.assert_refused(self.run_it("render", saved, "--redact", "--redact-key",
                                        self.path("key")), "16 characters")
        self.assert_refused(self.run_it("render", saved, "--redact", "--redact-key", "/nowhere"),
                            "/nowhere: cannot be read")
        self.assert_refused(self.run_it("render", saved, "--redact-key", self.path("key")),
                            "--redact")


class Terminals(CommandsTest):
    """What goes to a person's terminal, by what that terminal and its user want."""

    def on_terminal(self, *arguments, columns=80, **environment):
        main, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        done = subprocess.Popen([CALLREADY, *arguments], stdin=subprocess.DEVNULL, stdout=end,
                                stderr=subprocess.DEVNULL,
                                env={**self.environment(), "TERM": "xterm", **environment})
        os.close(end)
        output = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # what Linux says where the other end is closed
                break
            if not part:
                break
            output += part
        os.close(main)
        done.wait(60)
        return output

    def setUp(self):
        super().setUp()
        self.saved = self.write(self.check_small("--json").stdout, "saved.json")

    def test_colours(self):
        escape = b"\x1b["
        self.assertIn(escape, self.on_terminal("render", self.saved))
        for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
            self.assertNotIn(escape, self.on_terminal("render", self.saved, **{name: value}))
        # https://no-color.org: an empty one means nothing, and a choice on the command line wins.
        self.assertIn(escape, self.on_terminal("render", self.saved, NO_COLOR=""))
        self.assertIn(escape, self.on_terminal("render", self.saved, "--color", "always",
                                               NO_COLOR="1"))
        self.assertNotIn("\x1b", self.run_it("render", self.saved).stdout, "in a pipe")

    def test_letters(self):
        plain = self.on_terminal("render", self.saved, LC_ALL="C", NO_COLOR="1")
        self.assertTrue(plain.isascii(), plain)
        self.assertIn("\u2718".encode(), self.on_terminal("render", self.saved, NO_COLOR="1"))

    def test_widths(self):
        for columns in (40, 80, 200):
            text = self.on_terminal("render", self.saved, columns=columns, NO_COLOR="1").decode()
            longest = max(len(line.rstrip("\r")) for line in text.split("\n"))
            self.assertLessEqual(longest, columns)
            self.assertGreater(longest, min(columns, 80) / 2)


class Disks(CommandsTest):
    def saved(self):
        done = self.check_small("--json")
        return self.write(done.stdout, "saved.json")

    def test_one_that_is_full_leaves_no_half_report(self):
        saved = self.saved()
        script = ('mkdir "$2" && mount -t tmpfs -o size=4k tmpfs "$2" && '
                  'echo full > "$2/other" && "$0" render "$1" --report "json=$2/a.json" >/dev/null; echo "exit $?"; ls -A "$2"')
        done = subprocess.run(["unshare", "-Urm", "/bin/sh", "-c", script, CALLREADY, saved,
                               self.path("small")], capture_output=True, text=True, timeout=60,
                              check=False, env=self.environment())
        if "unshare" in done.stderr or "mount:" in done.stderr:
            self.skipTest(done.stderr)
        self.assertEqual("exit 2\nother\n", done.stdout)
        self.assertIn("a.json: No space left on device", done.stderr)

    def test_a_limit_of_the_users_is_no_crash(self):
        saved = self.saved()
        script = 'ulimit -f 1; "$0" render "$1" --report "json=$2"'
        done = subprocess.run(["/bin/sh", "-c", script, CALLREADY, saved, self.path("a.json")],
                              capture_output=True, text=True, timeout=60, check=False,
                              env=self.environment())
        self.assertEqual(2, done.returncode)
        self.assertIn("a.json: File too large", done.stderr)
        self.assertFalse([name for name in os.listdir(self.folder.name) if "a.json" in name])


class Events(CommandsTest):
    def test_they_need_json(self):
        self.assert_refused(self.check_small("--follow"), "--json")

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.check_small("--json", "--follow", "--report", "json=" + self.path("a.json"),
                                    stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(2, done.returncode)
        self.assertEqual("callready: standard output: No space left on device: events of this run "
                         "are missing\n", done.stderr)
        with open(self.path("a.json"), encoding="utf-8") as file:
            self.assertFalse(json.load(file)["complete"])

    def test_nagios_gets_its_own_statuses(self):
        done = self.check_small("--nagios")
        self.assertEqual(2, done.returncode)
        self.assertRegex(done.stdout, r"\ACALLREADY CRITICAL - .*\n\Z")
        for arguments in (("nosuchset",), ("--timeout", "0")):
            done = self.check_small("--nagios", *arguments)
            self.assertEqual(3, done.returncode)
            self.assertRegex(done.stdout, r"\ACALLREADY UNKNOWN - .*\n\Z")


if __name__ == "__main__":
    unittest.main()
