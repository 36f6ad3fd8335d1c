"""The checks of applications (sip, sip-alg, http, tls, dns, ntp, proxy) against the site's servers:
each outcome that those can be made to give."""

import json
import os
import unittest

from .harness import CALLREADY, Site, SiteTest
from .names import HERE

SET = os.path.join(HERE, "application.yaml")
PUBLIC = "84.199.10.2"
PROXY = "http://10.20.0.3:3128"


class Run:
    """One report, looked at by row."""

    def __init__(self, report):
        self.report = report
        self.rows = {r["id"]: r for s in report["sets"] for r in s["requirements"]}
        self.findings = {f["code"]: f["confidence"] for f in report["findings"]}

    def probes(self, row):
        wanted = self.rows[row]["probes"]
        return [p for p in self.report["probes"] if p["id"] in wanted]

    def outcomes(self, row):
        """{"udp": "answered 200", ...} by transport."""
        return {p["target"]["transport"]: f"{p['outcome']} {p['detail']}" for p in self.probes(row)}

    def routes(self, row):
        """{"direct": "answered 200", "proxied": ...}"""
        return {("direct" if p["target"]["route"] == "direct" else "proxied"):
                f"{p['outcome']} {p['detail']}" for p in self.probes(row)}

    def evidence(self, row, kind):
        return [e for p in self.probes(row) for e in p["evidence"] if e["kind"] == kind]


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class ApplicationTest(SiteTest):
    def check(self, faults, rows, *options, env=None):
        with Site(faults=faults) as site:
            return self.ask(site, rows, *options, env=env)

    def ask(self, site, rows, *options, env=None):
        only = [word for row in rows for word in ("--only", row)]
        done = site.run([CALLREADY, "check", "--set", SET, "--json", "--no-anchors", *only,
                         *options], env=env)
        self.assertTrue(done.stdout, done.stderr)
        return Run(json.loads(done.stdout))


CHECKED = {"udp": "answered records", "tcp": "answered records"}


class CleanSite(ApplicationTest):
    """One site for all of these: nothing in here changes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = cls.enterClassContext(Site())

    def test_sip_servers_say_which_address_they_saw(self):
        run = self.ask(self.site, ["sip", "sip-tls"])
        vias = run.evidence("sip", "sip_via") + run.evidence("sip-tls", "sip_via")
        self.assertEqual(3, len(vias))
        for via in vias:
            self.assertEqual(PUBLIC, via["received"])
            self.assertTrue(via["translated"])
            self.assertGreater(via["rport"], 0)

    def test_sip_servers_are_found_by_naptr_and_srv(self):
        run = self.ask(self.site, ["srv", "srv-tls"])
        self.assertEqual({"udp": "answered 200", "tcp": "answered 200"}, run.outcomes("srv"))
        self.assertEqual({"tls": "answered 200"}, run.outcomes("srv-tls"))
        self.assertIn("SIP+D2U", run.evidence("srv", "sip_naptr")[0]["text"])
        self.assertEqual({"sip.example-calls.com"},
                         {e["host"] for e in run.evidence("srv", "sip_target")})

    def test_nobody_rewrites_sip(self):
        run = self.ask(self.site, ["alg"])
        self.assertEqual({"udp": "answered no_rewriting_seen", "tcp": "answered no_rewriting_seen"},
                         run.outcomes("alg"))
        self.assertEqual("pass", run.rows["alg"]["status"])
        self.assertEqual({}, run.findings)
        for probe in run.probes("alg"):
            self.assertLessEqual(probe["attempts"], 4)

    def test_tls_and_http(self):
        run = self.ask(self.site, ["web", "page", "plain", "ws", "no-ws", "slow"])
        self.assertEqual({"tls": "answered trusted"}, run.outcomes("web"))
        self.assertIn(run.evidence("web", "tls_handshake")[0]["version"], ("TLSv1.2", "TLSv1.3"))
        leaf = run.evidence("web", "certificate")[0]
        self.assertLess(leaf["not_before"], leaf["not_after"])
        self.assertEqual({"tls": "answered 200"}, run.outcomes("page"))
        # Its own redirect to https:// stays on the host.
        self.assertEqual({"tcp": "answered 301"}, run.outcomes("plain"))
        self.assertNotIn("redirect_host", run.evidence("plain", "http_reply")[0])
        self.assertEqual({"tls": "answered 101"}, run.outcomes("ws"))
        self.assertEqual({"tls": "failed no_upgrade"}, run.outcomes("no-ws"))
        self.assertEqual({"tls": "failed http_timed_out"}, run.outcomes("slow"))

    def test_names(self):
        run = self.ask(self.site, ["name-portal", "elsewhere", "records", "naptr", "reverse"])
        self.assertEqual(CHECKED, run.outcomes("name-portal"))
        self.assertEqual(CHECKED, run.outcomes("elsewhere"))
        for row in ("records", "naptr", "reverse"):
            self.assertEqual({"udp": "answered records"}, run.outcomes(row))
        self.assertEqual("10.20.0.1:53", run.evidence("name-portal", "dns_answer")[0]["server"])
        self.assertEqual("9.9.9.9:53", run.evidence("elsewhere", "dns_answer")[0]["server"])

    def test_names_for_reverse_dns(self):
        run = self.ask(self.site, ["conference", "strangers"])
        reverse = [p for p in run.probes("conference") if p["check"] == "dns"]
        self.assertEqual(["answered"], [p["outcome"] for p in reverse])
        self.assertIn("rtc1.example-calls.com", reverse[0]["evidence"][0]["records"])
        self.assertNotIn("reverse DNS", run.rows["conference"]["summary"])
        self.assertIn("has a different name in reverse DNS", run.rows["strangers"]["summary"])
        self.assertNotEqual("fail", run.rows["strangers"]["status"])

    def test_time(self):
        run = self.ask(self.site, ["time"])
        self.assertEqual({"udp": "answered synchronised"}, run.outcomes("time"))
        self.assertLess(abs(run.evidence("time", "clock_offset")[0]["offset_ms"]), 30_000)

    def test_direct_against_proxied(self):
        run = self.ask(self.site, ["connect", "web", "page", "ws", "nowhere"], "--proxy", PROXY)
        self.assertEqual({"tcp": "answered 200"}, run.outcomes("connect"))
        self.assertRegex(run.outcomes("nowhere")["tcp"], "failed 50[0-9]")
        for row, outcome in (("web", "trusted"), ("page", "200"), ("ws", "101")):
            self.assertEqual({"direct": f"answered {outcome}", "proxied": f"answered {outcome}"},
                             run.routes(row))

    def test_what_is_no_proxy(self):
        for url, outcome in (
                # A web server; a name server, which waits for the rest of a question.
                ("http://portal.example-calls.com:80", "failed not_a_proxy"),
                ("http://10.20.0.1:53", "failed proxy_timed_out"),
                ("http://10.20.0.3:9", "refused proxy_unreachable"),
                ("http://nobody.example-calls.com:3128", "unresolved proxy_unresolved")):
            run = self.ask(self.site, ["connect"], "--proxy", url)
            self.assertEqual({"tcp": outcome}, run.outcomes("connect"), url)


class SipServers(ApplicationTest):
    def test_any_final_status_is_an_answer(self):
        for status, more in (("403", ["ntp-ahead=3600"]), ("404", []), ("503", ["vendor-5xx"])):
            run = self.check([f"sip-status={status}", *more], ["sip", "sip-tls", "page", "time"])
            self.assertEqual({"udp": f"answered {status}", "tcp": f"answered {status}"},
                             run.outcomes("sip"))
            self.assertEqual({"tls": f"answered {status}"}, run.outcomes("sip-tls"))
            self.assertEqual("pass", run.rows["sip"]["status"])
            self.assertEqual(status == "503", "sip.server_error" in run.findings, run.findings)
            if status == "403":  # chronyc rounds to seconds, and takes a while on a busy machine
                offset = run.evidence("time", "clock_offset")[0]["offset_ms"]
                self.assertAlmostEqual(3600, offset / 1000, delta=60)
            if status == "503":
                self.assertEqual({"tls": "answered 503"}, run.outcomes("page"))

    def test_silence(self):
        run = self.check(["sip-mute", "ntp-down"], ["sip", "sip-tls", "alg", "time"])
        self.assertEqual({"udp": "silent timed_out", "tcp": "failed sip_timed_out"},
                         run.outcomes("sip"))
        self.assertEqual({"tls": "failed sip_timed_out"}, run.outcomes("sip-tls"))
        # Then nothing is known of gateways. One question serves both rows.
        self.assertEqual(run.outcomes("sip"), run.outcomes("alg"))
        self.assertEqual("unknown", run.rows["alg"]["status"])
        self.assertEqual({"udp": "refused connection_refused"}, run.outcomes("time"))

    def test_a_gateway_over_udp_and_tcp(self):
        run = self.check(["sip-alg"], ["alg", "sip", "sip-tls"])
        self.assertEqual({"udp": "answered rewritten", "tcp": "answered rewritten"},
                         run.outcomes("alg"))
        self.assertEqual("warn", run.rows["alg"]["status"])
        self.assertIn("rewrites SIP", run.rows["alg"]["summary"])
        self.assertEqual({"sip.alg": "certain"}, run.findings)
        for verdict in run.evidence("alg", "sip_alg"):
            self.assertEqual("certain", verdict["confidence"])
        finding, = run.report["findings"]
        self.assertTrue([e for e in finding["evidence"] if "over TLS" in e["text"]], finding)

    def test_the_session_is_sent_to_the_users_own_server_only(self):
        own = ("--var", "pbx=sip.example-calls.com", "--sip-sdp")
        run = self.check(["sip-mirror"], ["own", "alg"], *own)
        for message in run.evidence("alg", "sip_alg_message"):
            self.assertEqual("OPTIONS", message["method"])
        self.assertEqual([True, True], [t["sdp_tested"] for t in run.evidence("own", "sip_alg")])
        self.assertEqual("pass", run.rows["own"]["status"], run.rows["own"]["summary"])
        run = self.check(["sip-mirror", "sip-alg"], ["own"], *own)
        self.assertEqual("warn", run.rows["own"]["status"])
        sessions = [m for m in run.evidence("own", "sip_alg_message") if m["message"] == "session"]
        self.assertEqual([481, 481], [m["status"] for m in sessions])
        for session in sessions:
            self.assertIn("c=", session["mirrored_changes"])


class Certificates(ApplicationTest):
    def test_faults_of_the_servers(self):
        owners = {"expired": "itracks.com", "wrong-name": "gigaset.net",
                  "untrusted": "polycom.com", "incomplete": "yealink.com"}
        faults = [f"certificate={kind}:{owner}" for kind, owner in owners.items()]
        run = self.check([*faults, "certificate=expired:example-calls.com", "tls-old=uatt.ch"],
                         [*(f"web-{kind}" for kind in owners), "web-old", "page-old", "sip-tls"])
        for kind, detail in (("expired", "expired"), ("wrong-name", "wrong_name"),
                             ("untrusted", "untrusted"), ("incomplete", "incomplete_chain"),
                             ("old", "tls_version")):
            self.assertEqual({"tls": f"failed {detail}"}, run.outcomes(f"web-{kind}"), kind)
        self.assertIn("outdated versions of TLS", run.rows["web-old"]["summary"])
        self.assertEqual({"tls": "failed tls_version"}, run.outcomes("page-old"))
        # What the server answered is told beside it.
        self.assertEqual({"tls": "failed expired"}, run.outcomes("sip-tls"))
        self.assertEqual(200, run.evidence("sip-tls", "sip_reply")[0]["status"])

    def test_interception_leaves_its_chain(self):
        run = self.check(["tls-intercept"], ["web", "page", "ws"])
        self.assertIn("Example Corp TLS Inspection", run.evidence("web", "certificate")[0]["issuer"])
        self.assertEqual({"tls": "answered 200"}, run.outcomes("page"))
        self.assertEqual({"tls": "failed no_upgrade"}, run.outcomes("ws"))  # squid strips it
        run = self.check(["tls-intercept-unknown"], ["web"])
        self.assertEqual({"tls": "failed untrusted"}, run.outcomes("web"))


class Portal(ApplicationTest):
    def test_a_portal_redirects_elsewhere(self):
        run = self.check(["captive-portal"], ["plain", "page"])
        self.assertEqual("10.20.0.1", run.evidence("plain", "http_reply")[0]["redirect_host"])
        self.assertEqual("refused", run.probes("page")[0]["outcome"])


class Resolvers(ApplicationTest):
    def test_what_a_resolver_may_say(self):
        domain = "example-calls.com"
        run = self.check(
            [f"dns-nxdomain=portal.{domain}", f"dns-policy=provisioning.{domain}",
             f"dns-refused=turn1.{domain}", f"dns-servfail=turn2.{domain}",
             f"dns-mute=sip.{domain}", "dns-rewritten=sip.example-phones.net"],
            [f"name-{n}" for n in ("portal", "provisioning", "turn1", "turn2", "voice", "phones")]
            + ["elsewhere"])
        for row, outcome in (("portal", "unresolved no_such_name"),
                             ("provisioning", "unresolved no_such_name"),
                             ("turn1", "denied refused"), ("turn2", "failed servfail"),
                             ("phones", "answered records")):
            self.assertEqual({"udp": outcome, "tcp": outcome}, run.outcomes(f"name-{row}"), row)
        self.assertEqual("silent timed_out", run.outcomes("name-voice")["udp"])
        self.assertEqual(CHECKED, run.outcomes("elsewhere"))  # the same name, asked outside
        # Debian's unbound leaves the policy zone's SOA out; tests/checks/dns_test.cpp has one that
        # tells it. Either way another resolver has the name.
        policy = run.evidence("name-provisioning", "dns_answer")[0]
        self.assertEqual(("NXDOMAIN", True), (policy["rcode"], policy["authoritative"]))
        special = run.evidence("name-phones", "dns_special_address")
        self.assertEqual({"10.66.66.66"}, {e["address"] for e in special})

    def test_truncation_and_loss(self):
        run = self.check(["dns-tcp-only", "dns-slow"], ["name-portal"])
        self.assertEqual(CHECKED, run.outcomes("name-portal"))
        udp, = (p for p in run.probes("name-portal") if p["target"]["transport"] == "udp")
        self.assertTrue(udp["evidence"][0]["truncated_over_udp"])
        run = self.check(["dns-tcp-only", "dns-no-tcp"], ["name-portal"])
        self.assertEqual({"udp": "failed truncated", "tcp": "refused connection_refused"},
                         run.outcomes("name-portal"))


class Proxies(ApplicationTest):
    def test_where_only_the_proxy_gets_out(self):
        with Site(faults=["web-only-proxy", "proxy-denied=5061"]) as site:
            run = self.ask(site, ["connect", "web", "page"], "--proxy", PROXY)
            by_port = {p["target"]["port"]: f"{p['outcome']} {p['detail']}"
                       for p in run.probes("connect")}
            self.assertEqual({443: "answered 200", 5061: "denied 403"}, by_port)
            self.assertEqual({"direct": "silent timed_out", "proxied": "answered trusted"},
                             run.routes("web"))
            self.assertEqual("pass", run.rows["web"]["status"])
            run = self.ask(site, ["connect", "web", "page"], "--proxy", "https://10.20.0.3:3129")
            self.assertEqual("answered 200", run.routes("page")["proxied"])
            self.assertEqual("answered trusted", run.routes("web")["proxied"])
            self.assertEqual({443: "answered 200", 5061: "denied 403"},
                             {p["target"]["port"]: f"{p['outcome']} {p['detail']}"
                              for p in run.probes("connect")})

    def test_login(self):
        user = {"CALLREADY_PROXY_USER": "site", "CALLREADY_PROXY_PASSWORD": "wrong"}
        with Site(faults=["proxy-login"]) as site:
            def ask(env):
                return self.ask(site, ["connect", "web"], "--proxy", PROXY, env=env)
            run = ask({})
            self.assertEqual({"tcp": "denied 407"}, run.outcomes("connect"))
            reply = run.evidence("connect", "proxy_reply")[0]
            self.assertEqual("Basic", reply["schemes"])
            self.assertIn("asks for a login with Basic", reply["text"])
            self.assertEqual("denied 407", run.routes("web")["proxied"])
            self.assertEqual({"tcp": "denied 407"}, ask(user).outcomes("connect"))
            done = site.run(["sh", "-c", "printf %s \"$CALLREADY_SITE_PROXY_PASSWORD\""])
            run = ask(user | {"CALLREADY_PROXY_PASSWORD": done.stdout})
            self.assertEqual({"tcp": "answered 200"}, run.outcomes("connect"))
            self.assertEqual("answered trusted", run.routes("web")["proxied"])


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class FirewallDetect(SiteTest):
    """Onsight's order: the private SIP server, the public one, then TeamLink by HTTPS, by HTTP."""

    ROWS = ("own-sip-private", "own-sip-public", "teamlink-https", "teamlink-http")

    def verdict(self, site, private=True):
        servers = ["--var", "sip_server=sip.example-calls.com"]
        if private:
            servers += ["--var", "private_sip_server=sip.example-phones.net"]
        done = site.run([CALLREADY, "check", "librestream", "--json", "--no-anchors",
                         "--scenario", "own-sip-teamlink", *servers,
                         *(word for row in self.ROWS for word in ("--only", row))])
        self.assertTrue(done.stdout, done.stderr)
        found, = json.loads(done.stdout)["sets"]
        calls, = (c for c in found["capabilities"] if c["id"] == "own-calls-or-teamlink")
        return calls["verdict"], calls["summary"]

    def test_the_first_choice_that_works(self):
        with Site() as site:
            self.assertEqual("ready", self.verdict(site)[0])
            self.assertEqual("ready", self.verdict(site, private=False)[0], "only a public one")
        for fault, expected, by in (
                ("host-blocked=sip.example-phones.net", "degraded", "Your own SIP server"),
                ("tcp-ports-blocked=5060", "degraded", "TeamLink, HTTPS"),
                ("tcp-ports-blocked=5060,443", "degraded", "TeamLink, HTTP"),
                ("tcp-ports-blocked=5060,443,80", "blocked", "")):
            with Site(faults=[fault]) as site:
                verdict, summary = self.verdict(site)
            self.assertEqual(expected, verdict, summary)
            self.assertIn(by, summary)


if __name__ == "__main__":
    unittest.main()
