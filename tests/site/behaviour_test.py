"""Faults that show in how things are answered, rather than in whether they are."""

import json

from .faults_test import ANCHOR_WEB, PORTAL, SIP, SIP_TCP, SIP_TLS, SIP_UDP, SIP_UDP_2, STUN_TLS
from .faults_test import STUN_UDP, TURN, WEB
from .harness import ExampleSite, SiteTest
from .site_test import CLIENT, call, run_until


class Behaviour(SiteTest):
    def one(self, site, *arguments, privileged=False):
        done = site.run(["/usr/bin/python3", CLIENT, *arguments], privileged=privileged)
        self.assertEqual(0, done.exit, done.stderr)
        return json.loads(done.stdout)

    def nat(self, *faults, change="answer"):
        """`change` is "silent" where no other address gets through."""
        with ExampleSite(faults=faults) as site:
            return (self.one(site, "mapping", "udp", TURN, 3478),
                    self.one(site, "change", "udp", TURN, 3478, change))

    def test_masquerade(self):
        mapping, change = self.nat(change="silent")
        self.assertEqual({"84.199.10.2:" + mapping["local"].split(":")[1]}, set(mapping["mapped"]))
        self.assertEqual("silent", change["error"])

    def test_symmetric_nat(self):
        mapping, change = self.nat("symmetric-nat", change="silent")
        self.assertEqual(3, len(set(mapping["mapped"])))
        self.assertEqual("silent", change["error"])

    def test_full_cone(self):
        mapping, change = self.nat("full-cone")
        self.assertEqual(1, len(set(mapping["mapped"])))
        self.assertEqual("185.199.41.11:3479", change["from"])

    def test_no_nat(self):
        mapping, change = self.nat("no-nat")
        self.assertEqual({mapping["local"]}, set(mapping["mapped"]))
        self.assertEqual("185.199.41.11:3479", change["from"])

    def test_providers_that_translate(self):
        for fault, hop in (("carrier-nat", "100.72.10.1"), ("double-nat", "192.168.178.1")):
            with ExampleSite(faults=[fault]) as site:
                answer, = call(site, STUN_UDP)
                self.assertEqual("62.4.8.1", answer["mapped"].split(":")[0])
                self.assertEqual(hop, self.one(site, "hop", "udp", TURN, 2)["hop"])

    def test_idle_timeout(self):
        with ExampleSite(faults=["idle-timeout=7"]) as site:
            self.assertEqual([True, False], self.one(site, "keep", "udp", TURN, 3478)["alive"])

    def test_sip_alg(self):
        with ExampleSite(faults=["sip-alg"]) as site:
            udp, tcp, other, tls = call(site, SIP_UDP, SIP_TCP, SIP_UDP_2, SIP_TLS)
        # The server saw the public address in the Via; the reply is written back, "received" too.
        self.assertEqual(["10.20.0.23"] * 2, [udp["received"], tcp["received"]])
        self.assertEqual(["84.199.10.2"] * 2, [other["received"], tls["received"]])
        self.assertIn("10.20.0.23:", udp["via"])

    def test_rate_limited(self):
        hosts = [("hello", "udp", f"185.199.42.{n}", 5000) for n in range(1, 21)]
        relay = ("stun", "udp", "185.199.40.11", 3478)
        with ExampleSite(faults=["rate-limited=10"]) as site:
            before, = call(site, STUN_UDP)
            call(site, *hosts, silent=hosts)
            after, = call(site, relay, silent=[relay])
        self.assertTrue(before["answer"])
        self.assertEqual("silent", after["error"])
        with ExampleSite(faults=["rate-limited=10"]) as site:
            call(site, *hosts[:8], silent=hosts)
            self.assertTrue(call(site, relay)[0]["answer"])

    def test_dns_rewritten(self):
        with ExampleSite(faults=["dns-rewritten"]) as site:
            done = site.run(["getent", "ahostsv4", PORTAL])
            self.assertIn("10.66.66.66", done.stdout)
            self.assertNotIn("10.66", site.run(["getent", "ahostsv4", "www.google.com"]).stdout)

    def test_dns_slow(self):
        with ExampleSite(faults=["dns-slow"]) as site:
            done = site.run(["bash", "-c", f"time getent ahostsv4 {PORTAL}"])
        self.assertIn("146.", done.stdout)
        self.assertRegex(done.stderr, r"real\s+(0m[5-9]|0m[1-5]\d)")  # glibc asks again after 5 s

    def test_vendor_5xx(self):
        with ExampleSite(faults=["vendor-5xx"]) as site:
            for url, status in ((f"https://{PORTAL}/", "503"), (f"http://{PORTAL}/", "503"),
                                ("http://www.msftncsi.com/ncsi.txt", "200"),
                                ("https://www.cloudflare.com/", "200")):
                self.assertEqual(status, self.status(site, url), url)

    def status(self, site, url, *options):
        return site.run(["curl", "-s", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}",
                         *options, url]).stdout

    def test_captive_portal_redirects(self):
        with ExampleSite(faults=["captive-portal"]) as site:
            done = site.run(["curl", "-si", "http://www.msftncsi.com/ncsi.txt"])
        self.assertIn("302", done.stdout)
        self.assertIn("Location: http://10.20.0.1:8080/login", done.stdout)

    def test_proxy(self):
        url, proxy = f"https://{PORTAL}/", ["--proxy", "http://10.20.0.3:3128"]
        with ExampleSite(faults=["web-only-proxy"]) as site:
            self.assertEqual("000", self.status(site, url, "--connect-timeout", "1"))
            self.assertEqual("200", self.status(site, url, *proxy))
            self.assertEqual("000", self.status(site, url, "--connect-timeout", "1", "--proxy",
                                                "http://10.20.0.3:3129"))

    def test_proxy_login(self):
        url, proxy = f"https://{PORTAL}/", "--proxy http://10.20.0.3:3128"
        with ExampleSite(faults=["proxy-login"]) as site:
            done = site.run(["sh", "-c", f"curl -s {proxy} -w '%{{http_connect}}' {url}; "
                             f"curl -s {proxy} -U site:$CALLREADY_SITE_PROXY_PASSWORD {url}"])
        self.assertEqual(f"407{PORTAL}\n", done.stdout)

    def test_proxy_denied(self):
        with ExampleSite(faults=["proxy-denied=5061"]) as site:
            for port, status in ((443, "200"), (5061, "403")):
                done = site.run(["curl", "-sk", "--max-time", "20", "-o", "/dev/null", "-w",
                                 "%{http_connect}", "--proxy", "http://10.20.0.3:3128",
                                 f"https://{SIP}:{port}/"])
                self.assertEqual(status, done.stdout)

    def test_tls_intercept(self):
        for fault, trusted in (("tls-intercept", True), ("tls-intercept-unknown", False)):
            with ExampleSite(faults=[fault]) as site:
                web, anchor, sip, turn = call(site, WEB, ANCHOR_WEB, SIP_TLS, STUN_TLS,
                                              silent=[STUN_TLS])
                for answer in (web, anchor):
                    if trusted:
                        self.assertIn("Inspection", answer["issuer"]["organizationName"])
                        self.assertEqual("200", self.status(site, f"https://{PORTAL}/"))
                    else:
                        self.assertEqual("tls", answer["error"])
                self.assertEqual(200, sip["status"])  # 5061 is not opened
                self.assertFalse(turn.get("answer"))  # STUN is not HTTP: inspection ends it

    def test_relays(self):
        command = ["sh", "-c", "timeout 20 turnutils_uclient -y -c -n 2 -m 1 -u site "
                   f"-w $CALLREADY_SITE_TURN_PASSWORD {TURN}"]
        wordy = [*command[:2], command[2].replace("-y", "-v -y")]
        with ExampleSite() as site:
            self.assertIn("tot_recv_msgs=4", run_until(site, command, "tot_recv_msgs=4").stdout)
        with ExampleSite(faults=["relays-dead"]) as site:
            done = site.run(command)
            # The relays take their two addresses in turn, each of their threads by itself.
            self.assertRegex(run_until(site, wordy, "Received relay addr").stdout,
                             r"Received relay addr: 185\.199\.4[01]\.11\b")
            self.assertNotIn("tot_recv_msgs=4", done.stdout)
        with ExampleSite(faults=["turn-password"]) as site:
            self.assertNotEqual(0, site.run(command).exit)
        with ExampleSite(faults=["turn-quota"]) as site:  # -y needs two allocations
            self.assertIn("486", run_until(site, wordy, "486").stdout)

    def test_dscp_cleared(self):
        for fault, mark in (([], 0xb8), (["dscp-cleared"], 0)):
            with ExampleSite(faults=fault) as site:
                self.assertEqual(mark, self.one(site, "mark", "udp", TURN, 3478, privileged=True)["tos"])
