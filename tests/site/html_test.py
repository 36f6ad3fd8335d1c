"""The HTML report of real runs on the private site, in headless Chromium."""

import os
import subprocess
import tempfile
import unittest

from tests.reports import chromium

from .harness import CALLREADY, Site, SiteTest


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
@unittest.skipUnless(chromium.PROGRAM, "chromium is not installed")
class HtmlReport(SiteTest):
    def page(self, browser, faults, *arguments):
        """Runs `check` under these faults and opens its page: the exit status."""
        folder = tempfile.TemporaryDirectory(prefix="callready-page-")
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "report.html")
        with Site(faults=faults) as site:
            done = site.run([CALLREADY, "check", *arguments, "--site", "Lyon", "--report",
                             "html=" + path], timeout=90)
        self.assertTrue(os.path.exists(path), done.stderr)
        browser.open(path)
        self.assertEqual([], browser.complaints())
        self.assertEqual([], [url for url in browser.requests()
                              if not url.startswith(("data:", "file://" + path))])
        return done.exit

    def test_a_firewall_that_rejects_udp(self):
        with chromium.Chromium() as browser:
            status = self.page(browser, ["reject-udp"], "rainbow")
            self.assertEqual(4, status)
            browser.js("document.querySelectorAll('details').forEach((d) => d.open = true)")
            text = browser.js("document.body.innerText")
            for part in ("Can Lyon make calls?", "DEGRADED", "The firewall blocks all outgoing UDP",
                         "Fix, for your firewall team", "firewall.udp_blocked"):
                self.assertIn(part, text)
            # The drawing ends UDP's lines at the device that said no: of some, since it says so a
            # few times only (icmp_ratelimit), and which probes it tells is chance.
            browser.js("document.querySelector('.path ~ details').open = true")
            stops = browser.js("""[...document.querySelectorAll('.path-table tbody tr')]
                .map((row) => [...row.children].map((cell) => cell.innerText.trim()))
                .filter((row) => row[0].startsWith('UDP'))""")
            self.assertTrue([row for row in stops if "router" in row[1] and "10.20.0.1" in row[2]],
                            stops)
            self.assertTrue(browser.js("document.querySelectorAll('#timings .dot').length") > 5)

    def test_two_places_of_one_site(self):
        folder = tempfile.TemporaryDirectory(prefix="callready-page-")
        self.addCleanup(folder.cleanup)
        path = lambda name: os.path.join(folder.name, name)
        for name, vantage, faults in (("user", "pc", []), ("voice", "phone", ["udp-high-blocked"])):
            with Site(faults=faults) as site:
                site.run([CALLREADY, "check", "cloudoe", "--from", vantage, "--report",
                          f"json={path(name + '.json')}"], timeout=90)
        done = subprocess.run([CALLREADY, "merge", path("user.json"), path("voice.json"), "--site",
                               "Lyon", "--report", "html=" + path("site.html")],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((1, ""), (done.returncode, done.stderr), done.stdout)
        with chromium.Chromium() as browser:
            browser.open(path("site.html"))
            self.assertEqual([], browser.complaints())
            rows = "[...document.querySelectorAll('#vantages tbody tr')].map((row) => row.innerText)"
            user, voice = browser.js(rows)
            self.assertRegex(user, r"^user\s+\S\s*READY\s+Cloudoe")
            self.assertRegex(voice, r"^voice\s+\S\s*BLOCKED\s+Cloudoe")
            # A drawing for each place: voice's ends at the router, the user's leaves the site.
            self.assertEqual(["From user", "From voice"], browser.js(
                "[...document.querySelectorAll('#path h3')].map((h) => h.innerText)"))
            browser.js("document.querySelectorAll('details').forEach((d) => d.open = true)")
            finding = browser.js("document.querySelector('.finding').innerText")
            for part in ("Seen from", "voice", "(and return traffic) from the phones' network",
                         "Voice"):
                self.assertIn(part, finding)
            browser.resize(390, 844, mobile=True)
            browser.js("document.querySelectorAll('details').forEach((d) => d.open = true)")
            self.assertLessEqual(browser.js("document.documentElement.scrollWidth"), 390)
            self.assertGreater(len(browser.call("Page.printToPDF")["data"]), 10000)

    def test_a_clean_site(self):
        with chromium.Chromium() as browser:
            status = self.page(browser, [], "rainbow")
            self.assertEqual(0, status)
            self.assertEqual(0, browser.js("document.querySelectorAll('.finding').length"))
            self.assertEqual(["READY"], browser.js(
                "[...document.querySelectorAll('.verdict .word')].map((w) => w.lastChild.data.trim())"))
