"""Proxies as companies have them, by real squid: how they are found, logged in to and passed."""

import json
import os
import tempfile
import unittest

from .harness import CALLREADY, Site, SiteTest
from .names import HERE

SET = os.path.join(HERE, "corporate.yaml")
PROXY = "http://10.20.0.3:3128"
PROXY_TLS = "https://10.20.0.3:3129"

# Which of the set's rows a proxy may carry; all of them work through it, too.
CARRIED = {"http/tls/portal.example-calls.com:443",
           "http/tls/events.example-calls.com:443?path=/ws&upgrade=websocket",
           "turn/tcp/turn1.example-calls.com:3478", "turn/tls/turn1.example-calls.com:443",
           "sip/tls/sip.example-calls.com:5061"}


def through(report, proxy=PROXY):
    """{probe without its route: outcome}, of what went through the proxy."""
    return {p["id"].removesuffix("@" + proxy): p["outcome"] for p in report["probes"]
            if p["target"]["route"] == proxy}


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class ProxyTest(SiteTest):
    def check(self, site, *options, env=None, login=None):
        """Exit status and report; `login` is the user's, with the password that the site gives."""
        command = [CALLREADY, "check", "example", "--set", SET, "--json", *options]
        if login:
            command = ["sh", "-c", f'CALLREADY_PROXY_USER={login} CALLREADY_PROXY_PASSWORD='
                       '"$CALLREADY_SITE_PROXY_PASSWORD" exec "$@"', "sh", *command]
        done = site.run(command, env=env)
        self.assertIn(done.exit, (0, 1, 3, 4), done.stderr)
        return done.exit, json.loads(done.stdout)

    def report(self, faults, *options, env=None, login=None):
        with Site(faults=faults) as site:
            return self.check(site, *options, env=env, login=login)

    def findings(self, report):
        return sorted(f"{f['code']} {f['confidence']} {f['owner']}" for f in report["findings"])

    def assert_carried(self, report, proxy=PROXY):
        found = through(report, proxy)
        self.assertLessEqual(CARRIED, found.keys())
        self.assertEqual({"answered"}, {found[name] for name in CARRIED}, found)


class Discovery(ProxyTest):
    """One site, with a proxy that is there and not needed."""

    def pac(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".pac", delete=False)
        self.addCleanup(os.unlink, file.name)
        with file:
            file.write(text)
        return file.name

    def test_ways_to_find_it(self):
        with Site() as site:
            with self.subTest("told"):
                status, report = self.check(site, "--proxy", PROXY)
                self.assertEqual((0, []), (status, self.findings(report)))
                self.assert_carried(report)
            with self.subTest("side by side"):
                done = site.run([CALLREADY, "check", "example", "--set", SET, "--verbose",
                                 "--proxy", PROXY])
                self.assertIn("Through the proxy, and directly", done.stdout)
                self.assertRegex(done.stdout, r"through the proxy: answered[^;]*;\s+directly:")
            with self.subTest("environment"):
                status, report = self.check(site, env={
                    "https_proxy": "http://alice:secret@10.20.0.3:3128",
                    "NO_PROXY": "turn1.example-calls.com, .example.org"})
                self.assertEqual((0, []), (status, self.findings(report)))
                self.assertEqual({c for c in CARRIED if "turn1" not in c},
                                 {p for p in through(report) if "example-calls" in p})
                self.assertEqual(PROXY, report["site"]["proxy"])
                self.assertNotIn("secret", json.dumps(report))
                self.assertNotIn("alice", json.dumps(report))
            with self.subTest("none"):
                _, report = self.check(site, "--proxy", "none", env={"https_proxy": PROXY})
                self.assertEqual({}, through(report))
            with self.subTest("no WPAD"):
                _, report = self.check(site, "--proxy", "auto")
                self.assertEqual({}, through(report))
                self.assertTrue(any("No proxy was found" in note for note in report["notes"]))
                self.assertEqual([], self.findings(report))
            with self.subTest("PAC file"):
                status, report = self.check(site, "--pac", self.pac("""
                    function FindProxyForURL(url, host) {
                      if (shExpMatch(url, "https://turn1.*:3478/")) return "DIRECT";
                      if (dnsDomainIs(host, ".example-calls.com"))
                        return "PROXY 10.20.0.3:1; PROXY 10.20.0.3:3128; DIRECT";
                      return "DIRECT"; }"""))
                self.assertEqual((0, []), (status, self.findings(report)), report["notes"])
                self.assertEqual({c for c in CARRIED if ":3478" not in c}, set(through(report)))
                self.assertTrue(any("10.20.0.3:1 " in note for note in report["notes"]),
                                report["notes"])

    def test_a_pac_file_that_asks_dns_and_one_that_names_socks(self):
        with Site() as site:
            # In its confined process a script can ask DNS, and knows its own address.
            status, report = self.check(site, "--pac", self.pac("""
                function FindProxyForURL(url, host) {
                  if (isInNet(dnsResolve("turn1.example-calls.com"), "185.199.40.0",
                              "255.255.254.0") && isInNet(myIpAddress(), "10.20.0.0",
                              "255.255.255.0") && !isResolvable("nobody.example-calls.com"))
                    return "PROXY 10.20.0.3:3128";
                  return "DIRECT"; }"""))
            self.assertEqual((0, []), (status, self.findings(report)), report["notes"])
            self.assert_carried(report)
            _, report = self.check(site, "--pac", self.pac("""
                function FindProxyForURL(url, host) {
                  return dnsDomainIs(host, ".example-calls.com") ? "SOCKS 10.20.0.3:1080"
                                                                 : "DIRECT"; }"""))
            self.assertEqual({}, through(report))
            notes = " ".join(report["notes"])
            self.assertIn("SOCKS 10.20.0.3:1080: SOCKS is not tried", notes)
            self.assertIn("names only SOCKS: they were tried directly", notes)

    def test_a_pac_file_that_cannot_be_used(self):
        broken = {"it never ends": "function FindProxyForURL(url, host) { while (true) {} }",
                  "memory": "function FindProxyForURL(u, h) { var a = 'x'; "
                            "while (true) a = a + a; }",
                  "no script": "<html>Sign in</html>"}
        with Site() as site:
            for what, text in broken.items():
                with self.subTest(what):
                    status, report = self.check(site, "--pac", self.pac(text))
                    self.assertEqual(["proxy.pac_failed certain proxy"], self.findings(report))
                    self.assertEqual(0, status, "programs go directly then")
            with self.subTest("no server"):
                _, report = self.check(site, "--pac", "http://10.20.0.3:9/proxy.pac")
                self.assertEqual(["proxy.pac_failed certain proxy"], self.findings(report))

    def test_wpad(self):
        with Site(faults=["wpad"]) as site:
            status, report = self.check(site, "--proxy", "auto")
            self.assertEqual((0, []), (status, self.findings(report)), report["notes"])
            self.assert_carried(report)
            _, report = self.check(site)
            self.assertEqual({}, through(report), "only when asked")


class Login(ProxyTest):
    def test_basic(self):
        with Site(faults=["proxy-login"]) as site:
            _, report = self.check(site, "--proxy", PROXY)
            self.assertEqual(["proxy.auth_required certain proxy"], self.findings(report))
            status, report = self.check(site, "--proxy", PROXY, login="site")
            self.assertEqual((0, []), (status, self.findings(report)))
            self.assert_carried(report)
            _, report = self.check(site, "--proxy", PROXY, login="nobody")
            self.assertEqual(["proxy.auth_required certain proxy"], self.findings(report))

    def test_ntlm(self):
        with Site(faults=["proxy-ntlm"]) as site:
            _, report = self.check(site, "--proxy", PROXY)
            self.assertEqual(["proxy.auth_required certain proxy"], self.findings(report))
            status, report = self.check(site, "--proxy", PROXY, login="site")
            self.assertEqual((0, []), (status, self.findings(report)))
            self.assert_carried(report)
            # A wrong password is sent once in a run: directories lock accounts for more.
            _, report = self.check(site, "--proxy", PROXY, env={
                "CALLREADY_PROXY_USER": "site", "CALLREADY_PROXY_PASSWORD": "wrong"})
            self.assertEqual(["proxy.auth_required certain proxy"], self.findings(report))
            finding, = report["findings"]
            self.assertIn("rejects the given user name and password", finding["title"])
            done = site.run(["sh", "-c", "grep -c 'NA wrong' /run/site/proxy/ntlm"])
            self.assertEqual("1", done.stdout.strip())

    def test_negotiate(self):
        """The login of the machine's own user: no password is asked for."""
        with Site(faults=["proxy-negotiate"]) as site:
            status, report = self.check(site, "--proxy", PROXY)
            self.assertEqual((0, []), (status, self.findings(report)), report["findings"])
            self.assert_carried(report)
            # A user who has not signed in to the domain.
            _, report = self.check(site, "--proxy", PROXY, env={"KRB5CCNAME": "FILE:/nonexistent"})
            self.assertEqual(["proxy.auth_required certain proxy"], self.findings(report))
            self.assertIn("Negotiate", json.dumps(report["findings"]))

    def test_https_proxy(self):
        with Site(faults=["proxy-login"]) as site:
            status, report = self.check(site, "--proxy", PROXY_TLS, login="site")
            self.assertEqual((0, []), (status, self.findings(report)))
            self.assert_carried(report, PROXY_TLS)


class InTheWay(ProxyTest):
    def test_the_only_way_out(self):
        status, report = self.report(["web-only-proxy"], "--proxy", PROXY)
        self.assertEqual(["proxy.required certain proxy"], self.findings(report))
        self.assertEqual(4, status, "media goes by TURN over TLS through the proxy")
        self.assert_carried(report)
        self.assertIn("UDP 3478 to turn1.example-calls.com", report["findings"][0]["fix"])

    def test_ports_limited(self):
        _, report = self.report(["proxy-denied=3478,5061"], "--proxy", PROXY)
        self.assertEqual(["proxy.connect_denied certain proxy"], self.findings(report))
        self.assertIn("3478 and 5061", report["findings"][0]["title"])

    def test_websocket_is_stripped(self):
        """Inspection that the company means to have (its root is given), and that breaks WSS."""
        _, report = self.report(["proxy-bumps"], "--proxy", PROXY,
                                "--ca-file", "/run/site/inspection/ca.pem")
        self.assertEqual(["proxy.no_websocket certain proxy"], self.findings(report))

    def test_none_there(self):
        _, report = self.report(["proxy-down"], "--proxy", PROXY)
        self.assertEqual(["proxy.unreachable certain proxy"], self.findings(report))


class Inspection(ProxyTest):
    def expect(self, faults, *options):
        _, report = self.report(faults, *options)
        self.assertEqual(["tls.intercepted certain security"], self.findings(report))
        finding = report["findings"][0]
        self.assertIn("Exclude *.example-calls.com from TLS inspection.", finding["fix"],
                      "the vendor's own words")
        return finding, report

    def test_by_the_explicit_proxy(self):
        for fault in ("proxy-bumps", "proxy-bumps-unknown"):
            with self.subTest(fault):
                finding, _ = self.expect([fault], "--proxy", PROXY)
                self.assertIn("portal.example-calls.com", finding["fix"])

    def test_on_the_way(self):
        for fault in ("tls-intercept", "tls-intercept-unknown"):
            with self.subTest(fault):
                self.expect([fault])

    def test_the_product_is_named_and_what_it_leaves_alone(self):
        finding, _ = self.expect(["tls-intercept", "inspector=Zscaler",
                                  "spliced=portal.example-calls.com"])
        self.assertIn("Zscaler", finding["title"])
        self.assertNotIn("portal.example-calls.com", finding["fix"])
        words = " ".join(e["text"] for e in finding["evidence"])
        self.assertIn("Not inspected: portal.example-calls.com", words)
        self.assertIn("turn1.example-calls.com:443", words, "TURN does not survive it")
        self.assertIn("events.example-calls.com:443", words, "WebSocket neither")


if __name__ == "__main__":
    unittest.main()
