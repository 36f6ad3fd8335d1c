"""The checks of applications (sip, sip-alg, http, tls, dns, ntp, proxy) against the site's servers:
each outcome that those can be made to give."""

import json
import os
import unittest

from .harness import Site, SiteTest
from .names import HERE

CALLREADY = os.environ.get("CALLREADY")
SET = os.path.join(HERE, "application.yaml")
PUBLIC = "84.199.10.2"
PC = "10.20.0.23"


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

    def evidence(self, row, kind):
        return [e for p in self.probes(row) for e in p["evidence"] if e["kind"] == kind]


@unittest.skipUnless(CALLREADY, "CALLREADY does not name the program")
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


class Sip(ApplicationTest):
    def test_any_final_status_is_an_answer(self):
        for status in ("200", "403", "404", "486", "503"):
            run = self.check([f"sip-status={status}"], ["sip", "sip-tls"])
            self.assertEqual({"udp": f"answered {status}", "tcp": f"answered {status}"},
                             run.outcomes("sip"))
            self.assertEqual({"tls": f"answered {status}"}, run.outcomes("sip-tls"))
            self.assertEqual("pass", run.rows["sip"]["status"])
            errors = {"sip.server_error": "certain"} if status == "503" else {}
            self.assertEqual(errors, run.findings)

    def test_silence(self):
        run = self.check(["sip-mute"], ["sip", "sip-tls"])
        self.assertEqual({"udp": "silent timed_out", "tcp": "failed sip_timed_out"},
                         run.outcomes("sip"))
        self.assertEqual({"tls": "failed sip_timed_out"}, run.outcomes("sip-tls"))

    def test_the_server_says_which_address_it_saw(self):
        run = self.check([], ["sip", "sip-tls"])
        vias = run.evidence("sip", "sip_via") + run.evidence("sip-tls", "sip_via")
        self.assertEqual(3, len(vias))
        for via in vias:
            self.assertEqual(PUBLIC, via["received"])
            self.assertTrue(via["translated"])
            self.assertGreater(via["rport"], 0)

    def test_servers_are_found_by_naptr_and_srv(self):
        run = self.check([], ["srv", "srv-tls"])
        self.assertEqual({"udp": "answered 200", "tcp": "answered 200"}, run.outcomes("srv"))
        self.assertEqual({"tls": "answered 200"}, run.outcomes("srv-tls"))
        self.assertIn("SIP+D2U", run.evidence("srv", "sip_naptr")[0]["text"])
        self.assertEqual({"sip.example-calls.com"},
                         {e["host"] for e in run.evidence("srv", "sip_target")})

    def test_without_srv_the_name_itself_is_asked(self):
        run = self.check(["dns-nxdomain=_sip._udp.example-calls.com,_sip._tcp.example-calls.com"],
                         ["srv"])
        self.assertEqual("unresolved", run.probes("srv")[0]["outcome"], run.outcomes("srv"))

    def test_a_bad_certificate_is_told_beside_the_answer(self):
        run = self.check(["certificate=expired:example-calls.com"], ["sip-tls"])
        self.assertEqual({"tls": "failed expired"}, run.outcomes("sip-tls"))
        self.assertEqual(200, run.evidence("sip-tls", "sip_reply")[0]["status"])


class SipAlg(ApplicationTest):
    def test_a_clean_site(self):
        run = self.check([], ["alg"])
        self.assertEqual({"udp": "answered no_rewriting_seen", "tcp": "answered no_rewriting_seen"},
                         run.outcomes("alg"))
        self.assertEqual("pass", run.rows["alg"]["status"])
        self.assertEqual({}, run.findings)
        for probe in run.probes("alg"):
            self.assertLessEqual(probe["attempts"], 4)

    def test_over_udp_and_tcp(self):
        run = self.check(["sip-alg"], ["alg", "sip", "sip-tls"])
        self.assertEqual({"udp": "answered rewritten", "tcp": "answered rewritten"},
                         run.outcomes("alg"))
        self.assertEqual("warn", run.rows["alg"]["status"])
        self.assertIn("rewrites SIP", run.rows["alg"]["summary"])
        self.assertEqual({"sip.alg": "certain"}, run.findings)
        for verdict in run.evidence("alg", "sip_alg"):
            self.assertEqual("certain", verdict["confidence"])
        finding, = run.report["findings"]
        over_tls = [e["text"] for e in finding["evidence"] if "over TLS" in e["text"]]
        self.assertTrue(over_tls, finding)

    def test_it_is_not_tried_where_the_server_is_silent(self):
        run = self.check(["sip-mute"], ["alg", "sip"])
        self.assertEqual("skipped server_silent", run.outcomes("alg")["udp"])
        self.assertEqual("unknown", run.rows["alg"]["status"])

    def test_silence_on_the_usual_port_only(self):
        run = self.check(["sip-udp-blocked"], ["alg"])
        self.assertEqual("silent only_other_port", run.outcomes("alg")["udp"])

    def test_the_session_is_sent_to_the_users_own_server_only(self):
        own = ("--var", "pbx=sip.example-calls.com", "--sip-sdp")
        run = self.check(["sip-mirror"], ["own", "alg"], *own)
        for message in run.evidence("alg", "sip_alg_message"):
            self.assertEqual("OPTIONS", message["method"])
        tests = run.evidence("own", "sip_alg")
        self.assertEqual([True, True], [t["sdp_tested"] for t in tests])
        self.assertEqual("pass", run.rows["own"]["status"])
        run = self.check(["sip-mirror", "sip-alg"], ["own"], *own)
        self.assertEqual("warn", run.rows["own"]["status"])
        sessions = [m for m in run.evidence("own", "sip_alg_message") if m["message"] == "session"]
        self.assertEqual(2, len(sessions))
        for session in sessions:
            self.assertIn("c=", session["mirrored_changes"])
            self.assertEqual(481, session["status"])


class Tls(ApplicationTest):
    def test_certificates(self):
        for kind, detail in (("expired", "expired"), ("wrong-name", "wrong_name"),
                             ("untrusted", "untrusted"), ("incomplete", "incomplete_chain")):
            run = self.check([f"certificate={kind}:example-calls.com"], ["web"])
            self.assertEqual({"tls": f"failed {detail}"}, run.outcomes("web"))
            self.assertTrue(run.evidence("web", "certificate"))

    def test_a_server_of_tls_1_0_only(self):
        run = self.check(["tls-old"], ["web", "page"])
        self.assertEqual({"tls": "failed tls_version"}, run.outcomes("web"))
        self.assertIn("outdated versions of TLS", run.rows["web"]["summary"])
        self.assertEqual({"tls": "failed tls_version"}, run.outcomes("page"))

    def test_interception_leaves_its_chain(self):
        run = self.check(["tls-intercept"], ["web"])
        self.assertIn("Example Corp TLS Inspection", run.evidence("web", "certificate")[0]["issuer"])
        run = self.check(["tls-intercept-unknown"], ["web"])
        self.assertEqual({"tls": "failed untrusted"}, run.outcomes("web"))

    def test_a_version_and_dates_are_evidence(self):
        run = self.check([], ["web"])
        self.assertEqual({"tls": "answered trusted"}, run.outcomes("web"))
        self.assertEqual("TLSv1.3", run.evidence("web", "tls_handshake")[0]["version"])
        leaf = run.evidence("web", "certificate")[0]
        self.assertLess(leaf["not_before"], leaf["not_after"])


class Http(ApplicationTest):
    def test_websocket(self):
        run = self.check([], ["ws", "no-ws", "page"])
        self.assertEqual({"tls": "answered 101"}, run.outcomes("ws"))
        self.assertEqual({"tls": "failed no_upgrade"}, run.outcomes("no-ws"))
        self.assertEqual({"tls": "answered 200"}, run.outcomes("page"))

    def test_an_inspecting_proxy_strips_the_upgrade(self):
        run = self.check(["tls-intercept"], ["ws", "page"])
        self.assertEqual({"tls": "failed no_upgrade"}, run.outcomes("ws"))
        self.assertEqual({"tls": "answered 200"}, run.outcomes("page"))

    def test_a_portal_redirects_elsewhere(self):
        run = self.check(["captive-portal"], ["plain", "page"])
        self.assertEqual("10.20.0.1", run.evidence("plain", "http_reply")[0]["redirect_host"])
        self.assertEqual("refused", run.probes("page")[0]["outcome"])
        run = self.check([], ["plain"])  # its own redirect to https:// stays on the host
        self.assertNotIn("redirect_host", run.evidence("plain", "http_reply")[0])

    def test_a_server_out_of_order_has_answered(self):
        run = self.check(["vendor-5xx"], ["page"])
        self.assertEqual({"tls": "answered 503"}, run.outcomes("page"))

    def test_a_server_that_says_nothing(self):
        run = self.check([], ["slow"])
        self.assertEqual({"tls": "failed http_timed_out"}, run.outcomes("slow"))


class Dns(ApplicationTest):
    def expect(self, faults, outcomes, rows=("names",)):
        run = self.check(faults, rows)
        self.assertEqual(outcomes, run.outcomes(rows[0]), faults)
        return run

    def test_answers(self):
        run = self.check([], ["names", "elsewhere", "records", "naptr", "reverse"])
        both = {"udp": "answered records", "tcp": "answered records"}
        self.assertEqual(both, run.outcomes("names"))
        self.assertEqual(both, run.outcomes("elsewhere"))
        for row in ("records", "naptr", "reverse"):
            self.assertEqual({"udp": "answered records"}, run.outcomes(row))
        self.assertEqual("10.20.0.1:53", run.evidence("names", "dns_answer")[0]["server"])
        self.assertEqual("9.9.9.9:53", run.evidence("elsewhere", "dns_answer")[0]["server"])

    def test_denied_names(self):
        gone = {"udp": "unresolved no_such_name", "tcp": "unresolved no_such_name"}
        run = self.expect(["dns-nxdomain"], gone, ("names", "elsewhere"))
        self.assertEqual("answered records", run.outcomes("elsewhere")["udp"])
        run = self.expect(["dns-policy"], gone)
        self.assertEqual("policy.site", run.evidence("names", "dns_answer")[0]["soa_zone"])

    def test_refused_failed_and_mute(self):
        self.expect(["dns-refused"], {"udp": "denied refused", "tcp": "denied refused"})
        self.expect(["dns-servfail"], {"udp": "failed servfail", "tcp": "failed servfail"})
        self.assertEqual("silent timed_out", self.check(["dns-mute"], ["names"]).outcomes(
            "names")["udp"])

    def test_rewritten(self):
        run = self.expect(["dns-rewritten"], {"udp": "answered records", "tcp": "answered records"})
        special = run.evidence("names", "dns_special_address")
        self.assertEqual({"10.66.66.66"}, {e["address"] for e in special})

    def test_lost_questions_are_asked_again(self):
        run = self.expect(["dns-slow"], {"udp": "answered records", "tcp": "answered records"})
        self.assertTrue(run.evidence("names", "dns_answer"))

    def test_truncation(self):
        run = self.expect(["dns-tcp-only"],
                          {"udp": "answered records", "tcp": "answered records"})
        udp, = (p for p in run.probes("names") if p["target"]["transport"] == "udp")
        self.assertTrue(udp["evidence"][0]["truncated_over_udp"])
        self.expect(["dns-tcp-only", "dns-no-tcp"],
                    {"udp": "failed truncated", "tcp": "refused connection_refused"})

    def test_names_for_reverse_dns(self):
        run = self.check([], ["conference", "strangers"])
        reverse = [p for p in run.probes("conference") if p["check"] == "dns"]
        self.assertEqual(["answered"], [p["outcome"] for p in reverse])
        self.assertIn("rtc1.example-calls.com", reverse[0]["evidence"][0]["records"])
        self.assertNotEqual("fail", run.rows["conference"]["status"])
        self.assertNotIn("reverse DNS", run.rows["conference"]["summary"])
        self.assertIn("has another name in reverse DNS", run.rows["strangers"]["summary"])


class Time(ApplicationTest):
    def offset(self, faults):
        run = self.check(faults, ["time"])
        self.assertEqual({"udp": "answered synchronised"}, run.outcomes("time"))
        return run.evidence("time", "clock_offset")[0]["offset_ms"] / 1000

    def test_the_offset(self):
        self.assertLess(abs(self.offset([])), 1)
        self.assertAlmostEqual(3600, self.offset(["ntp-ahead=3600"]), delta=3)

    def test_no_server(self):
        run = self.check(["ntp-down"], ["time"])
        self.assertEqual({"udp": "refused connection_refused"}, run.outcomes("time"))


class Proxy(ApplicationTest):
    def through(self, faults, rows, proxy="http://10.20.0.3:3128", env=None):
        return self.check(faults, rows, "--proxy", proxy, env=env)

    def routes(self, run, row):
        return {("proxied" if p["target"]["route"] != "direct" else "direct"):
                f"{p['outcome']} {p['detail']}" for p in run.probes(row)}

    def test_direct_against_proxied(self):
        run = self.through([], ["connect", "web", "page", "ws"])
        self.assertEqual({"tcp": "answered 200"}, run.outcomes("connect"))
        self.assertEqual({"direct": "answered trusted", "proxied": "answered trusted"},
                         self.routes(run, "web"))
        self.assertEqual({"direct": "answered 101", "proxied": "answered 101"},
                         self.routes(run, "ws"))
        run = self.through(["web-only-proxy"], ["web", "page"])
        self.assertEqual({"direct": "silent timed_out", "proxied": "answered trusted"},
                         self.routes(run, "web"))
        self.assertEqual("pass", run.rows["web"]["status"])

    def test_denied_ports(self):
        run = self.through(["proxy-denied=5061"], ["connect"])
        by_port = {p["target"]["port"]: f"{p['outcome']} {p['detail']}"
                   for p in run.probes("connect")}
        self.assertEqual({443: "answered 200", 5061: "denied 403"}, by_port)

    def test_login(self):
        user = {"CALLREADY_PROXY_USER": "site", "CALLREADY_PROXY_PASSWORD": "wrong"}
        with Site(faults=["proxy-login"]) as site:
            ask = lambda env: self.ask(site, ["connect", "web"], "--proxy", "http://10.20.0.3:3128",
                                       env=env)
            run = ask({})
            self.assertEqual({"tcp": "denied 407"}, run.outcomes("connect"))
            reply = run.evidence("connect", "proxy_reply")[0]
            self.assertEqual("Basic", reply["schemes"])
            self.assertIn("wants a login by Basic", reply["text"])
            self.assertEqual("denied 407", self.routes(run, "web")["proxied"])
            self.assertEqual({"tcp": "denied 407"}, ask(user).outcomes("connect"))
            password = site.run(["sh", "-c", "printf %s \"$CALLREADY_SITE_PROXY_PASSWORD\""]).stdout
            run = ask(user | {"CALLREADY_PROXY_PASSWORD": password})
            self.assertEqual({"tcp": "answered 200"}, run.outcomes("connect"))
            self.assertEqual("answered trusted", self.routes(run, "web")["proxied"])

    def test_a_target_that_the_proxy_does_not_reach(self):
        run = self.through([], ["nowhere"])
        self.assertEqual({"tcp": "failed 503"}, run.outcomes("nowhere"))

    def test_what_is_no_proxy(self):
        for fault, url, outcome in (
                ("proxy-down", "http://10.20.0.3:3128", "refused proxy_unreachable"),
                # A web server; a name server, which waits for the rest of a question.
                (None, "http://portal.example-calls.com:80", "denied 405"),
                (None, "http://10.20.0.1:53", "failed proxy_timed_out"),
                (None, "http://nobody.example-calls.com:3128", "unresolved proxy_unresolved")):
            run = self.through([fault] if fault else [], ["connect"], url)
            self.assertEqual({"tcp": outcome}, run.outcomes("connect"), url)

    def test_an_https_proxy(self):
        run = self.through(["web-only-proxy"], ["connect", "page", "web"],
                           "https://10.20.0.3:3129")
        self.assertEqual({"tcp": "answered 200"}, run.outcomes("connect"))
        self.assertEqual("answered 200", self.routes(run, "page")["proxied"])
        self.assertEqual("answered trusted", self.routes(run, "web")["proxied"])


if __name__ == "__main__":
    unittest.main()
