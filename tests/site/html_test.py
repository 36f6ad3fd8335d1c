"""The HTML report of real runs on the private site, in headless Chromium."""

import os
import tempfile
import unittest

from tests.reports import chromium

from .harness import Site, SiteTest
from .names import ROOT

CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))


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
            text = browser.js("document.body.innerText")
            for part in ("Can Lyon make calls?", "DEGRADED", "The firewall lets no UDP out",
                         "Fix, for your firewall team", "firewall.udp_blocked"):
                self.assertIn(part, text)
            # The drawing ends the media's line at the device that said no.
            browser.js("document.querySelector('.path ~ details').open = true")
            stops = browser.js("""[...document.querySelectorAll('.path-table tbody tr')]
                .map((row) => [...row.children].map((cell) => cell.innerText.trim()))
                .filter((row) => row[0].startsWith('UDP 3478'))""")
            self.assertTrue([row for row in stops if "router" in row[1] and "10.20.0.1" in row[2]],
                            stops)
            self.assertTrue(browser.js("document.querySelectorAll('#timings .dot').length") > 5)

    def test_a_clean_site(self):
        with chromium.Chromium() as browser:
            status = self.page(browser, [], "rainbow")
            self.assertEqual(0, status)
            self.assertEqual(0, browser.js("document.querySelectorAll('.finding').length"))
            self.assertEqual(["READY"], browser.js(
                "[...document.querySelectorAll('.verdict .word')].map((w) => w.lastChild.data.trim())"))
