"""callready.exe: what it needs, and what it says on the private site under wine."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from tests.ui.program import write_set

from .harness import Site, SiteTest
from .names import ROOT
from .windows_page import Page
from .windows_page import run as run_page

FOLDER = os.path.join(ROOT, "build", "windows")
PROGRAM = os.path.join(FOLDER, "callready.exe")
WINE = os.path.join(ROOT, "packaging", "windows", "wine")
UNDER_WINE = os.path.join(ROOT, "packaging", "windows", "callready")  # each in a prefix of its own
ROUTER_AT = os.path.join(FOLDER, "tests", "router_at.exe")
TEMPLATE = os.path.join(FOLDER, "prefix")

LARGEST = 20_000_000
# Of Windows 10 itself.
SYSTEM = {"advapi32.dll", "bcrypt.dll", "crypt32.dll", "dnsapi.dll", "gdi32.dll", "iphlpapi.dll",
          "kernel32.dll", "msvcrt.dll", "ole32.dll", "secur32.dll", "shell32.dll", "user32.dll",
          "winhttp.dll", "winmm.dll", "ws2_32.dll", "mswsock.dll"}


def run(*arguments, timeout=120):
    return subprocess.run([UNDER_WINE, *arguments], timeout=timeout, check=False, text=True,
                          capture_output=True)


def make_template():
    """What the prefix of each run is a copy of."""
    if os.path.exists(os.path.join(TEMPLATE, "system.reg")):
        return
    subprocess.run([WINE, "wineboot", "-i"], timeout=300, check=True, capture_output=True)


def windows_path(path):
    return "Z:" + path.replace("/", "\\")


def installers():
    return [os.path.join(FOLDER, name) for name in os.listdir(FOLDER) if name.endswith(".msi")]


def needs_program(case):
    return unittest.skipUnless(os.path.exists(PROGRAM), "script/windows has not been run")(case)


@needs_program
class TheFile(unittest.TestCase):
    def dump(self, option):
        return subprocess.run(["x86_64-w64-mingw32-objdump", option, PROGRAM], check=True, text=True,
                              capture_output=True).stdout

    def test_needs_nothing_but_windows(self):
        needed = {name.lower() for name in re.findall(r"DLL Name: (\S+)", self.dump("-p"))}
        self.assertIn("kernel32.dll", needed)
        self.assertLessEqual({name for name in needed if not name.startswith("api-ms-win-")}, SYSTEM)

    def test_is_small(self):
        self.assertLess(os.path.getsize(PROGRAM), LARGEST)

    def test_asks_for_no_elevation_and_says_what_it_is(self):
        with open(PROGRAM, "rb") as file:
            content = file.read()
        self.assertIn(b'requestedExecutionLevel level="asInvoker"', content)
        self.assertNotIn(b"requireAdministrator", content)
        for text in ("VS_VERSION_INFO", "FileDescription", "callready.exe"):
            self.assertIn(text.encode("utf-16-le"), content)
        self.assertIn(b"\x89PNG", content)  # of the icon

    def test_holds_no_path_of_the_computer_that_built_it(self):
        with open(PROGRAM, "rb") as file:
            self.assertFalse(ROOT.encode() in file.read())  # in a few words, not in 11 MB

    def test_the_installer_is_for_one_user(self):
        found = installers()
        self.assertEqual(1, len(found))
        said = subprocess.run(["msiinfo", "suminfo", found[0]], check=True, text=True,
                              capture_output=True).stdout
        self.assertRegex(said, r"Template: x64")
        # Of the word count property: 8, no elevation is asked for; 2, compressed.
        self.assertIn("Source: 10", said)


@needs_program
class OnItsOwn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        make_template()

    def test_says_its_version_and_lists_the_sets(self):
        version, listed = run("--version"), run("list")
        self.assertEqual((0, 0), (version.returncode, listed.returncode))
        self.assertRegex(version.stdout, r"callready \d+\.\d+")
        self.assertIn("rainbow", listed.stdout)
        self.assertNotIn("\r", listed.stdout)

    def test_validates_a_file_whose_name_is_not_ascii(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "Büro-日本.yaml")
            shutil.copy(os.path.join(ROOT, "targets", "vendors", "rainbow.yaml"), path)
            good = run("validate", path)
            with open(path, "a", encoding="utf-8") as file:
                file.write("nonsense: 1\n")
            bad = run("validate", path)
        self.assertEqual(0, good.returncode, good.stderr)
        self.assertEqual(2, bad.returncode)
        self.assertIn("Büro-日本.yaml", bad.stdout + bad.stderr)

    def test_the_demo_is_ready(self):
        done = run("demo", "--json")
        self.assertEqual(0, done.returncode, done.stderr + done.stdout[-2000:])
        self.assertEqual({"ready"}, {one["verdict"] for one in json.loads(done.stdout)["sets"]})

    def test_the_users_name_need_not_be_ascii(self):
        with tempfile.TemporaryDirectory() as folder:
            home = os.path.join(folder, "Jürgen 日本")
            os.mkdir(home)
            write_set(home, "local", 9, settings="")
            theirs = windows_path(home)
            steps = "".join(f"set {name}={theirs}&& " for name in ("TMP", "APPDATA", "LOCALAPPDATA"))
            listed, demo = (
                subprocess.run([WINE, "--fresh", "cmd", "/c", f"{steps}{windows_path(PROGRAM)} {command}"],
                               timeout=120, check=False, text=True, capture_output=True)
                for command in ("list --json", "demo --json"))
            left = os.listdir(home)
        self.assertIn("local", [one["id"] for one in json.loads(listed.stdout)], listed.stderr)
        self.assertEqual(0, demo.returncode, demo.stderr)
        self.assertEqual(["callready"], left, "the demo's files are gone")

    def test_is_installed_and_removed_without_an_administrator(self):
        installer = windows_path(installers()[0])
        there = r"%LOCALAPPDATA%\Programs\callready\callready.exe"
        steps = (f"msiexec /i {installer} /qn && if exist {there} ({there} --version) && "
                 f"msiexec /x {installer} /qn && if not exist {there} echo gone")
        done = subprocess.run([WINE, "--fresh", "cmd", "/c", steps], timeout=240, check=False,
                              text=True, capture_output=True)
        self.assertRegex(done.stdout, r"callready \d+\.\d+", done.stderr)
        self.assertIn("gone", done.stdout)

    def test_what_is_not_there_yet_says_so(self):
        done = run("exporter", "--config", "x.yaml")
        self.assertEqual(2, done.returncode)
        self.assertIn("not available on Windows", done.stderr)


@needs_program
class ThePage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        make_template()

    def start(self, **more):
        folder = tempfile.mkdtemp(prefix="callready-page-")
        self.addCleanup(shutil.rmtree, folder, True)
        page = Page(folder, **more)
        self.addCleanup(page.close)
        page.enter()
        return page

    def start_with_slow_set(self, **more):
        """A set with a name that nobody answers."""
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        dns = f"127.0.0.1:{silent.getsockname()[1]}"
        page = self.start(options=["--no-anchors", "--dns", dns], **more)
        write_set(page.folder, "slow", 9, where="hosts: [slow.example]", settings=page.settings())
        return page

    def test_from_the_choice_to_the_ticket(self):
        page = self.start()
        self.assertIn("rainbow", [one["id"] for one in json.loads(page.get("services").text)])
        self.assertEqual(403, page.ask("GET", page.home).status, "without the cookie")
        states = run_page(page, service="demo")
        self.assertTrue(states[-1]["report"], states[-1])
        self.assertGreater(states[-1]["total"], 10)
        self.assertEqual("READY", json.loads(page.get("report?as=summary").text)["sets"][0]["word"])
        self.assertTrue(page.get("report?as=html").text.rstrip().endswith("</html>"), "it is whole")
        self.assertIn("READY", page.get("report?as=ticket&hide=1").text)

    def test_a_run_that_is_stopped_reports_what_it_has(self):
        page = self.start_with_slow_set()
        events = page.events()
        self.addCleanup(events.close)
        # The site's name goes to the child as an argument, the password by its standard input.
        site = 'Büro "Nord", 日本 \\" C:\\'
        reply = page.post("run", {"service": "slow", "site": site, "turn_user": "u",
                                  "turn_password": "p"})
        self.assertEqual(204, reply.status, reply.text)
        while events.next()["total"] == 0:
            pass
        page.post("stop", {})
        last = events.until("ended")[-1]
        self.assertEqual(("", True), (last["problem"], last["report"]))
        report = json.loads(page.get("report?as=json").text)
        self.assertFalse(report["complete"])
        self.assertEqual(site, report["site"]["name"])

    def test_children_end_with_it(self):
        page = self.start_with_slow_set(again=True)
        self.assertEqual(204, page.post("run", {"service": "slow"}).status)
        (run_of_it,) = page.wait_for("the run", lambda: page.processes("--follow", "slow"))
        os.kill(run_of_it, signal.SIGSTOP)  # it cannot come to an end by itself
        (own,) = page.processes("ui", "--no-anchors")
        os.kill(own, signal.SIGKILL)
        page.wait_for("the next page", lambda: len(re.findall("once:", page.said())) > 1)
        page.wait_for("the run's end", lambda: not page.processes("--follow", "slow"))

    def test_ctrl_c_ends_it_and_leaves_nothing(self):
        page = self.start(again=True)
        (own,) = page.processes("ui")
        os.kill(own, signal.SIGINT)  # which wine makes Ctrl-C of
        page.wait_for("the next page", lambda: len(re.findall("once:", page.said())) > 1)
        self.assertFalse(os.path.exists(os.path.dirname(page.file)))


@needs_program
class OnTheSite(SiteTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_template()

    def check(self, *sets, faults=()):
        with Site(faults=faults) as site:
            done = site.run([UNDER_WINE, "check", *sets, "--json"], timeout=180)
        self.assertTrue(done.stdout, done.stderr)
        report = json.loads(done.stdout)
        self.assertTrue(report["complete"], report["notes"])
        return report

    def test_what_only_icmp_errors_could_show_is_unknown_and_nothing_else(self):
        report = self.check("rainbow")
        self.assertEqual([], report["findings"])
        open_ones = {c["id"] for one in report["sets"] for c in one["capabilities"]
                     if c["verdict"] != "ready"}
        self.assertEqual({"conference"}, open_ones)  # a media range whose hosts answer nobody
        self.assertTrue(any("ICMP" in note for note in report["notes"]))

    @unittest.skipUnless(os.path.exists(ROUTER_AT), "script/windows router_at has not been run")
    def test_an_echo_names_the_routers(self):
        """Those that "time exceeded" comes from; wine lets root alone hear it, Windows everybody."""
        def routers(*words, faults=()):
            with Site(faults=faults) as site:
                done = site.run([WINE, "--fresh", ROUTER_AT, *words], timeout=180, privileged=True)
            self.assertEqual(0, done.exit, done.stderr)
            return done.stdout.split()
        way = ["10.20.0.1", "84.199.10.1", "62.4.8.2", "185.199.42.1"]
        self.assertEqual(way, routers("10.20.0.23", "185.199.42.11", "4"))
        way[1] = "-"
        self.assertEqual(way, routers("10.20.0.23", "185.199.42.11", "4", faults=["mute-routers=provider"]))

    def test_the_page_says_the_same(self):
        with Site(faults=["udp-blocked"]) as site:
            done = site.run(["env", "-C", ROOT, sys.executable, "-m", "tests.site.windows_page",
                             "rainbow"], timeout=180)
        self.assertEqual(0, done.exit, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual("rainbow", report["sets"][0]["id"])
        self.assertEqual(["firewall.udp_blocked"], [f["code"] for f in report["findings"]])

    def test_closed_udp_is_named(self):
        report = self.check("rainbow", faults=["udp-blocked"])
        self.assertEqual(["firewall.udp_blocked"], [f["code"] for f in report["findings"]])
        self.assertEqual("degraded", report["sets"][0]["verdict"])


if __name__ == "__main__":
    unittest.main()
