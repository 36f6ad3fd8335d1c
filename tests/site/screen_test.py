"""The first screen of a small terminal, for faults that a helpdesk meets: what is wrong, why, what to
do and who does it, before anything has to be scrolled."""

import concurrent.futures
import json
import os
import unittest

from .harness import CALLREADY, Site, SiteTest

LINES, COLUMNS = 24, 80
AT_ONCE = 3

# Faults; sets; the verdict and the cause that must be read there.
CASES = {
    "no UDP": (["udp-blocked"], ["rainbow"], "DEGRADED", "The firewall blocks all outgoing UDP"),
    "no UDP, and no fallback": (["udp-blocked"], ["cloudoe"], "BLOCKED",
                                "The firewall blocks all outgoing UDP"),
    "inspection": (["tls-intercept"], ["rainbow"], "DEGRADED",
                   "A device in the path decrypts TLS traffic"),
    "a proxy that wants a login": (["web-only-proxy", "proxy-login"], ["rainbow"], "BLOCKED",
                                   "requires a user name and password"),
    "a proxy that is needed": (["web-only-proxy"], ["rainbow"], "BLOCKED",
                               "This site lets traffic out only through the proxy"),
    "a strict NAT": (["symmetric-nat"], ["cloudoe"], "DEGRADED",
                     "The NAT uses a different public port for each destination"),
    "SIP is rewritten": (["sip-alg"], ["cloudoe"], "DEGRADED",
                         "A device in the path rewrites SIP messages"),
    "two at once": (["udp-blocked", "tls-intercept"], ["rainbow"], "BLOCKED",
                    "The firewall blocks all outgoing UDP"),
    "no Internet": (["offline"], ["rainbow", "cloudoe", "webex-partner"], "BLOCKED",
                    "no Internet access from here"),
}


def first_screen(text):
    """The lines that are seen; the shell's prompt takes one."""
    return text.splitlines()[:LINES - 1]


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class FirstScreen(SiteTest):
    def seen(self, case):
        faults, sets, _, _ = case
        command = [CALLREADY, "check", *sets, "--report", "json=/run/report.json"]
        if "web-only-proxy" in faults:
            command = ["sh", "-c", '"$@" --proxy "$CALLREADY_SITE_PROXY"', "sh", *command]
        with Site(faults=faults) as site:
            done = site.run(command, timeout=90)
            report = site.run(["cat", "/run/report.json"]).stdout
        return done.stdout, report

    def test_says_what_is_wrong_why_what_to_do_and_who(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            seen = list(pool.map(self.seen, CASES.values()))
        for (name, (_, _, verdict, title)), (text, saved) in zip(CASES.items(), seen):
            with self.subTest(name):
                finding = json.loads(saved)["findings"][0]
                lines = first_screen(text)
                screen = "\n".join(lines)
                self.assertLessEqual(max(map(len, text.splitlines())), COLUMNS)
                self.assertRegex(lines[0], r"^\S " + verdict, screen)
                words = " ".join(screen.split())
                self.assertIn("1. " + finding["title"], words)
                self.assertIn(title, words)
                for label in ("   Cause ", "   For   ", "   Fix   "):
                    self.assertIn("\n" + label, screen)
                self.assertIn("code: " + finding["code"], words)
                # The whole instruction, not its beginning.
                self.assertIn(" ".join(finding["fix"].split()), words)


if __name__ == "__main__":
    unittest.main()
