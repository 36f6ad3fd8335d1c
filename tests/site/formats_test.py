"""Every format of one real run with faults, each read by a program that did not come from us."""

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from .harness import CALLREADY, Site, SiteTest
from .names import ROOT

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMAS = os.path.join(ROOT, "reports", "schema")
JUNIT = os.path.join(ROOT, "tests", "site", "junit.xsd")
KEY = "0123456789abcdef-a-key-for-this-test"

# Must not be found in any report, whatever the format.
SECRETS = {
    "CALLREADY_TURN_USER": "turn-user-8731640299",
    "CALLREADY_TURN_PASSWORD": "turn-password-8731640299",
    "CALLREADY_TURN_SECRET": "turn-secret-8731640299",
    "CALLREADY_PROXY_USER": "proxy-user-8731640299",
    "CALLREADY_PROXY_PASSWORD": "proxy-password-8731640299",
}
SECRET = "8731640299"

# What this site could be known by: the PC's and the router's addresses, its name, its interfaces,
# and the authority of its inspection device. The provider's router shows in some runs only.
SITES_OWN = ["10.20.0.", "84.199.10.", "lyon-hq", "eth0", "example corp"]
STEMS = ("plain", "redacted", "merged")
PROVIDERS = ["62.4.8."]


def command(*arguments, status=(0, 1, 3, 4), **options):
    done = subprocess.run([CALLREADY, *arguments], capture_output=True, text=True, timeout=60,
                          check=False, env={**os.environ, "CALLREADY_REDACT_KEY": KEY}, **options)
    if done.returncode not in status:
        raise AssertionError(f"exit {done.returncode}: {done.stderr}")
    return done


def validate(document, name):
    with open(os.path.join(SCHEMAS, f"callready.{name}-1.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(document)


def formats():
    """As the program lists them."""
    text = command("render", "--help").stdout
    return re.findall(r"[a-z]+", re.search(r"Formats: ([a-z, \n]+)", text).group(1))


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class EveryFormat(SiteTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.formats = formats()
        with Site(faults=["udp-high-blocked", "tls-intercept", "sip-alg"]) as site:
            cls.run_ = site.run(
                [CALLREADY, "check", "rainbow", "cloudoe", "--site", "Lyon-HQ", "--verbose",
                 *cls.reports("plain")], timeout=90,
                env={**SECRETS, "https_proxy": "http://proxy-user-8731640299:8731640299@10.20.0.3:3128"})
            cls.followed = site.run([CALLREADY, "check", "cloudoe", "--json", "--follow",
                                     "--redact", "--site", "Lyon-HQ", "--report",
                                     "json=" + cls.path("followed.json")],
                                    env={**SECRETS, "CALLREADY_REDACT_KEY": KEY})
            cls.left = site.run(["/bin/bash", "-c",
                                 '"$0" check rainbow --json --follow --report json="$1" | head -n 2; '
                                 'echo "exit ${PIPESTATUS[0]}"', CALLREADY, cls.path("left.json")])
        if cls.run_.exit != 1:
            raise AssertionError(f"exit {cls.run_.exit}: {cls.run_.stderr}")
        command("render", cls.path("plain.json"), "--redact", "--verbose", *cls.reports("redacted"))
        command("merge", f"user={cls.path('plain.json')}", f"voice={cls.path('left.json')}",
                "--redact", *cls.reports("merged"))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def reports(cls, stem):
        return [f"--report={name}={cls.path(f'{stem}.{name}')}" for name in cls.formats]

    def text(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return file.read()

    def document(self, name):
        return json.loads(self.text(name))

    def test_there_is_a_file_of_each(self):
        self.assertLessEqual({"text", "json", "markdown", "junit", "csv", "prometheus", "nagios"},
                             set(self.formats))
        for name in self.formats:
            for stem in STEMS:
                self.assertGreater(len(self.text(f"{stem}.{name}")), 50, name)

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_json_is_valid(self):
        for stem in STEMS:
            validate(self.document(f"{stem}.json"), "report")
        self.assertIn("tls.intercepted",
                      [finding["code"] for finding in self.document("plain.json")["findings"]])

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_sets_merged_and_compared_reports_are_valid_json(self):
        for name in ("rainbow", "cloudoe", "webex-partner"):
            validate(json.loads(command("show", name, "--json").stdout), "set")
        merged = command("merge", f"user={self.path('plain.json')}",
                         f"voice={self.path('left.json')}", "--json", "--redact")
        validate(json.loads(merged.stdout), "report")
        different = command("diff", self.path("left.json"), self.path("plain.json"), "--json")
        validate(json.loads(different.stdout), "diff")
        self.assertEqual(1, different.returncode)

    @needs("xmllint")
    def test_junit_is_valid(self):
        for stem in STEMS:
            done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", JUNIT,
                                   self.path(f"{stem}.junit")], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(0, done.returncode, done.stderr)
        suites = xml.etree.ElementTree.parse(self.path("plain.junit")).getroot()
        for suite, target_set in zip(suites, self.document("plain.json")["sets"]):
            rows = [case for case in suite.iter("testcase")
                    if case.get("classname").endswith(".requirements")]
            self.assertEqual([row["id"] for row in target_set["requirements"]],
                             [row.get("name").split(":")[0] for row in rows])
            for kind in ("failure", "error", "skipped"):
                count = len(list(suite.iter(kind)))
                self.assertEqual(count, int(suite.get(kind + "s" if kind != "skipped" else kind)))

    @needs("promtool")
    def test_prometheus_is_accepted(self):
        for name in [f"{stem}.{kind}" for stem in STEMS for kind in ("prometheus", "exporter")]:
            done = subprocess.run(["promtool", "check", "metrics"], capture_output=True, text=True,
                                  input=self.text(name), check=False)
            self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr), name)

    def test_csv_is_read_back(self):
        for stem in STEMS:
            for row in csv.DictReader(io.StringIO(self.text(stem + ".csv")), strict=True):
                self.assertTrue(None not in row and None not in row.values(), stem)
        rows = list(csv.DictReader(io.StringIO(self.text("plain.csv")), strict=True))
        report = self.document("plain.json")
        self.assertTrue(all(None not in row and None not in row.values() for row in rows))
        expected = {(s["id"], r["id"]) for s in report["sets"] for r in s["requirements"]}
        self.assertEqual(expected, {(row["set"], row["requirement"]) for row in rows
                                    if row["set"]})
        hosts = {probe["target"]["host"] for probe in report["probes"]}
        self.assertEqual(hosts, {row["host"] for row in rows if row["check"]})
        for row in rows:
            for cell in row.values():
                self.assertNotRegex(cell, r"^[=+\-@\t\r]", "a spreadsheet would run it")

    @needs("cmark-gfm")
    def test_markdown_becomes_tables(self):
        done = subprocess.run(["cmark-gfm", "-e", "table", "-e", "autolink", "-e", "tagfilter",
                               "--unsafe", self.path("plain.markdown")], capture_output=True,
                              text=True, check=True)
        self.assertGreaterEqual(done.stdout.count("<table>"), 4)
        self.assertNotIn("|", re.sub(r"<[^>]*>", "", done.stdout), "a table fell apart")
        self.assertNotIn("<a href", done.stdout)
        self.assertNotIn("<img", done.stdout)
        for row in re.findall(r"<tbody>.*?</tbody>", done.stdout, re.S):
            self.assertNotIn("<td></td>\n</tr>", row.replace("<td></td>\n<td>", ""), "a lost cell")

    def test_nagios_is_one_line_and_its_own_exit_status(self):
        done = command("render", self.path("plain.json"), "--nagios", status=(2,))
        self.assertRegex(done.stdout, r"\ACALLREADY CRITICAL - [^|\n]+ \| "
                                      r"endpoints=\d+ reached=\d+ time=\d+\.\d{3}s\n\Z")
        self.assertEqual(self.text("plain.nagios"), done.stdout)
        done = command("render", "/nowhere.json", "--nagios", status=(3,))
        self.assertRegex(done.stdout, r"\ACALLREADY UNKNOWN - .*/nowhere.json.*\n\Z")

    def test_both_ways_are_told_by_what_people_read(self):
        self.assertTrue(any(probe["target"]["route"] == "http://10.20.0.3:3128"
                            for probe in self.document("plain.json")["probes"]))
        for name in ("text", "html", "markdown"):
            self.assertIn("Tried both ways: ", " ".join(self.text("plain." + name).split()), name)
            self.assertIn("Through the proxy, and directly", self.text("plain." + name), name)

    def test_no_secret_is_in_any_of_them(self):
        everything = {name: self.text(name) for name in os.listdir(self.folder.name)}
        everything["standard output"] = self.run_.stdout
        everything["standard error"] = self.run_.stderr
        everything["events"] = self.followed.stdout
        for name, text in everything.items():
            self.assertFalse(SECRET in text, name)

    def test_nothing_of_the_site_is_in_a_redacted_one(self):
        texts = {name: self.text("redacted." + name) for name in self.formats}
        texts |= {"merged " + name: self.text("merged." + name) for name in self.formats}
        texts["events"] = self.followed.stdout
        texts["followed.json"] = self.text("followed.json")
        pair = ["diff", self.path("left.json"), self.path("plain.json"), "--redact"]
        texts["compared"] = command(*pair).stdout + command(*pair, "--json").stdout
        plain = self.text("plain.json").lower()
        for own in SITES_OWN:
            self.assertTrue(own in plain, f"{own} is not shown, so hiding it proves nothing")
        host = re.compile(r"(?<![\w.-])" + re.escape(socket.gethostname().lower()) + r"(?![\w-])")
        for name, text in texts.items():
            for own in SITES_OWN + PROVIDERS:
                found = text.lower().find(own)
                self.assertEqual(-1, found, f"{name}: {text[max(found - 60, 0):found + 60]}")
            self.assertIsNone(host.search(text.lower()), name)
            # Nagios has no room for hosts, and labels of the exporter none for their number.
            if name not in ("nagios", "merged nagios", "exporter", "merged exporter", "events",
                            "followed.json"):
                self.assertTrue("openrainbow.com" in text, name)

    def test_pseudonyms_are_the_same_in_two_reports(self):
        one, other = self.document("redacted.json"), self.document("followed.json")
        self.assertEqual(one["redacted"], other["redacted"])
        for member in ("name", "host", "resolvers", "interfaces"):
            self.assertEqual(one["site"][member], other["site"][member])

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_every_event_is_valid(self):
        events = [json.loads(line) for line in self.followed.stdout.splitlines()]
        for event in events:
            validate(event, "event")
        kinds = [event["event"] for event in events]
        self.assertEqual(("started", "finished"), (kinds[0], kinds[-1]))
        probes = [event for event in events if event["event"] == "probe"]
        self.assertEqual(list(range(1, len(probes) + 1)), [event["done"] for event in probes])
        report = self.document("followed.json")
        self.assertEqual(sorted(probe["id"] for probe in report["probes"]),
                         sorted(event["probe"]["id"] for event in probes))
        self.assertEqual(report["findings"],
                         [event["finding"] for event in events if event["event"] == "finding"])
        self.assertEqual(self.followed.exit, events[-1]["exit_status"])

    def test_a_reader_that_leaves_ends_the_run_politely(self):
        lines = self.left.stdout.splitlines()
        self.assertEqual("exit 3", lines[-1])
        self.assertEqual("", self.left.stderr)
        self.assertEqual("started", json.loads(lines[0])["event"])
        report = self.document("left.json")
        self.assertFalse(report["complete"])
        self.assertIn("nothing was reading its events any more", " ".join(report["notes"]))


if __name__ == "__main__":
    unittest.main()
