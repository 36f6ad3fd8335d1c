"""A WebRTC call to `callready serve`, over a line of 40 ms: by the check `ice`, by headless Chromium,
and past firewalls that drop DTLS. The network is media_test's."""

import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

from tests.reports import chromium

from .first_hop_test import TwoLines
from .media_test import CALLREADY, INSIDE, KEY, OUTSIDE, Line, LineTest, run
from .harness import Site, SiteTest
from .tools import Missing, tool

# DTLS records (RFC 9147 section 4): a content type of 20 to 63 and a version of DTLS.
DTLS = "@th,64,8 >= 20 @th,64,8 <= 63 @th,72,16 { 0xfefd, 0xfeff }"

PAGE = """
(async () => {
  const call = new RTCPeerConnection(CONFIGURATION);
  const microphone = await navigator.mediaDevices.getUserMedia({audio: true});
  for (const track of microphone.getTracks()) call.addTrack(track, microphone);
  await call.setLocalDescription(await call.createOffer());
  while (call.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 5));
  const begin = performance.now();
  const headers = {Authorization: 'Bearer TOKEN', 'Content-Type': 'application/sdp'};
  const reply = await fetch('URL/whip', {method: 'POST', headers, body: call.localDescription.sdp});
  if (reply.status !== 201) return {status: reply.status};
  await call.setRemoteDescription({type: 'answer', sdp: await reply.text()});
  const seen = {status: 201, packets: 0};
  while (seen.packets < 25 && performance.now() - begin < 20000) {
    const stats = await call.getStats();
    for (const one of stats.values()) {
      if (one.type === 'inbound-rtp') seen.packets = one.packetsReceived;
      if (one.type === 'remote-candidate') seen.far = one.candidateType + ' ' + one.port;
      if (one.type !== 'transport') continue;
      seen.dtls = one.dtlsState;
      const pair = stats.get(one.selectedCandidatePairId);
      if (pair) seen.near = stats.get(pair.localCandidateId).candidateType;
    }
    if (seen.packets > 0 && !seen.after) seen.after = performance.now() - begin;
    await new Promise((done) => setTimeout(done, 5));
  }
  const end = await fetch('URL' + reply.headers.get('Location'), {method: 'DELETE', headers});
  seen.ended = await end.text();
  call.close();
  return seen;
})()
"""


class CallLine(Line):

    def drop_dtls(self, hook):
        """A firewall at the far end: `input` is on the way out, `output` on the way back."""
        self.nft("add table inet firewall")
        self.nft(f"add chain inet firewall {hook} {{ type filter hook {hook} priority 0; }}")
        self.nft(f"add rule inet firewall {hook} meta l4proto udp {DTLS} counter drop")

    def rules(self):
        return subprocess.run(["ip", "netns", "exec", self.names[2], "nft", "list", "ruleset"],
                              check=True, capture_output=True, text=True).stdout

    def nft(self, rule):
        run("ip", "netns", "exec", self.names[2], "nft", rule)

    def call(self, *options):
        """The probe of the call, the findings, and the statuses of the rows."""
        status, report, errors = self.check("--only", "call", *options)
        if not report:
            raise AssertionError(f"{status}: {errors}")
        probe = next(one for one in report["probes"] if one["check"] == "ice")
        rows = {row["id"]: row["status"] for row in report["sets"][0]["requirements"]}
        self.verdict = report["sets"][0]["verdict"]
        return probe, report["findings"], rows


def evidence(probe, kind):
    return next((one for one in probe["evidence"] if one["kind"] == kind), None)


class Calls(LineTest):
    def test_a_call_gets_through(self):
        with CallLine() as line:
            probe, findings, rows = line.call()
        self.assertEqual(("answered", "called"), (probe["outcome"], probe["detail"]), probe)
        pair = evidence(probe, "ice_pair")
        self.assertEqual((INSIDE, "host", OUTSIDE, "host", 8622),
                         tuple(pair[name] for name in ("address", "type", "far_address", "far_type",
                                                       "far_port")))
        self.assertGreaterEqual(evidence(probe, "call_media")["back"], 490)
        media = probe["media"]
        self.assertEqual((500, 500), (media["up"]["sent"], media["loop"]["sent"]))
        consent = evidence(probe, "call_consent")
        self.assertGreaterEqual(consent["sent"], 15)
        self.assertEqual(consent["sent"], consent["back"])
        self.assertEqual(([], "pass", "ready"), (findings, rows["call"], line.verdict))

    def test_a_firewall_that_drops_dtls_is_named(self):
        for hook, words in (("input", "on the way out"), ("output", "on the way back")):
            with self.subTest(hook), CallLine() as line:
                line.drop_dtls(hook)
                probe, findings, rows = line.call()
                self.assertEqual(("failed", "dtls_silent"), (probe["outcome"], probe["detail"]))
                arrived = evidence(probe, "call_arrived")
                self.assertGreater(arrived["checks_arrived"], 0)
                self.assertEqual(arrived["handshakes_arrived"] == 0, hook == "input")
                self.assertEqual(["firewall.dtls_filtered"], [one["code"] for one in findings])
                finding = findings[0]
                self.assertEqual(("certain", "network"),
                                 (finding["confidence"], finding["owner"]))
                self.assertIn(words, finding["title"])
                self.assertIn(f"UDP 8622 of {OUTSIDE}", finding["fix"])
                self.assertEqual(("fail", "blocked"), (rows["call"], line.verdict))

    def test_a_call_that_was_cut_was_not_silent(self):
        """Ctrl-C while the handshake waits for an answer that never comes."""
        with CallLine() as line:
            line.drop_dtls("input")
            check = subprocess.Popen(
                ["ip", "netns", "exec", line.names[0], CALLREADY, "check", "--set", line.set, "--only",
                 "call", "--no-anchors", "--no-keep", "--proxy", "none", "--json"], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=line.environment())
            self.addCleanup(check.stdout.close)
            while check.poll() is None and "packets 0 " in line.rules():
                pass
            check.send_signal(signal.SIGINT)
            report = json.loads(check.stdout.read())
            self.assertEqual(3, check.wait(timeout=30))
        probe = next(one for one in report["probes"] if one["check"] == "ice")
        self.assertEqual("stopped", probe["detail"], probe)
        self.assertFalse(report["complete"])
        self.assertEqual([], report["findings"])

    def test_udp_that_gets_no_answer_is_not_blamed_on_dtls(self):
        with CallLine() as line:
            line.nft("add table inet firewall")
            line.nft("add chain inet firewall input { type filter hook input priority 0; }")
            line.nft("add rule inet firewall input udp dport 8622 drop")
            probe, findings, rows = line.call()
        self.assertEqual(("failed", "ice_silent"), (probe["outcome"], probe["detail"]))
        self.assertNotIn("firewall.dtls_filtered", [one["code"] for one in findings])
        self.assertEqual("fail", rows["call"])

    def browse(self, line, configuration):
        """What headless Chromium saw of a call that it made over the line."""
        token = hmac.new(KEY.encode(), f"callready whip {OUTSIDE}".encode(), hashlib.sha256)
        script = PAGE.replace("URL", f"https://{OUTSIDE}:8443").replace("TOKEN", token.hexdigest())
        script = script.replace("CONFIGURATION", configuration)
        options = ["--ignore-certificate-errors", "--use-fake-device-for-media-stream",
                   "--use-fake-ui-for-media-stream"]
        before = ["ip", "netns", "exec", line.names[0]]
        with tempfile.NamedTemporaryFile("w", suffix=".html") as page:
            with chromium.Chromium(before, options) as browser:
                browser.open(page.name)
                seen = browser.js(script)
        self.assertEqual((201, "connected"), (seen["status"], seen.get("dtls")), seen)
        self.assertGreaterEqual(seen["packets"], 25, seen)
        self.assertRegex(seen["far"], "^host 8622$")
        counts = dict(re.findall(r"(\w+) (\d+)", seen["ended"]))
        self.assertGreater(int(counts["media"]), 0)
        # Two seconds on an idle computer; a loaded one starts Chromium's threads late.
        self.assertLess(seen["after"], 10_000)
        print(f"{seen.get('near')}: first media after {seen['after']:.0f} ms", flush=True)
        return seen

    @unittest.skipUnless(chromium.PROGRAM, "chromium is not installed")
    def test_a_browser_makes_the_call(self):
        with CallLine() as line:
            self.browse(line, "{iceServers: []}")

    def coturn(self, line, *options):
        """On the far side, with a certificate of its own for TLS on 443."""
        try:
            turnserver, openssl = tool("turnserver"), tool("openssl")
        except Missing as missing:
            self.skipTest(str(missing))
        inside = line.folder.name
        key, certificate = os.path.join(inside, "turn.key"), os.path.join(inside, "turn.pem")
        subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=relay.example", "-addext", f"subjectAltName=IP:{OUTSIDE}", "-keyout", key,
                        "-out", certificate], check=True, capture_output=True)
        process = line.start(line.names[2], turnserver, "-n", "--log-file", "stdout",
                             "--lt-cred-mech", "--user", "somebody:something", "--realm",
                             "relay.example", "--cert", certificate, "--pkey", key,
                             "--tls-listening-port", "443", "--no-dtls", "--no-cli",
                             "--listening-ip", OUTSIDE, "--relay-ip", OUTSIDE, "--pidfile",
                             os.path.join(inside, "turnserver.pid"), "--userdb",
                             os.path.join(inside, "turnserver.db"), *options)
        for text in iter(process.stdout.readline, ""):
            if "IPv4. UDP listener opened" in text or "relay thread" in text.lower():
                break

    def test_where_udp_is_shut_a_relay_over_tls_carries_the_call(self):
        """As browsers do: it works, but worse than it could."""
        with CallLine() as line:
            self.coturn(line)
            with open(line.set, encoding="utf-8") as file:
                text = file.read()
            with open(line.set, "w", encoding="utf-8") as file:
                file.write(text.replace("path: /whip", f'turn: "{OUTSIDE}:443/tls", path: /whip'))
            login = {"CALLREADY_TURN_USER": "somebody", "CALLREADY_TURN_PASSWORD": "something",
                     "CALLREADY_TURN_HOST": OUTSIDE}
            environment = {**line.environment(), **login}
            line.environment = lambda: environment
            line.nft("add table ip firewall")
            line.nft("add chain ip firewall input { type filter hook prerouting priority -300; }")
            line.nft("add rule ip firewall input iifname eth0 meta l4proto udp drop")
            certificate = os.path.join(line.folder.name, "turn.pem")
            probe, findings, rows = line.call("--ca-file", certificate)
            self.assertEqual(("answered", "called"), (probe["outcome"], probe["detail"]), probe)
            pair = evidence(probe, "ice_pair")
            self.assertEqual(("relay", "tls"), (pair["type"], pair["relay_transport"]))
            media = probe["media"]
            self.assertEqual(0, media["up"]["lost"] + media["down"]["lost"])
            self.assertEqual(["media.relay_only"], [one["code"] for one in findings])
            self.assertIn(f"UDP 8622 of {OUTSIDE}", findings[0]["fix"])
            self.assertEqual(("warn", "degraded"), (rows["call"], line.verdict))
            probe, _, rows = line.call()
            self.assertEqual("ice_silent", probe["detail"], "no browser takes that certificate")

    @unittest.skipUnless(chromium.PROGRAM, "chromium is not installed")
    def test_a_browser_makes_the_call_by_a_relay(self):
        with CallLine() as line:
            self.coturn(line)
            for url in ("turn:{}:3478?transport=udp", "turn:{}:3478?transport=tcp",
                        "turns:{}:443?transport=tcp"):
                with self.subTest(url):
                    seen = self.browse(line, f"""{{iceTransportPolicy: 'relay', iceServers: [{{
                        urls: '{url.format(OUTSIDE)}', username: 'somebody',
                        credential: 'something'}}]}}""")
                    self.assertEqual("relay", seen["near"], seen)

    @unittest.skipUnless(chromium.PROGRAM, "chromium is not installed")
    def test_a_browser_behind_a_nat_makes_the_call(self):
        """By the address that a STUN server saw: the far end never learns the PC's own."""
        with TwoLines() as line:
            self.coturn(line)
            seen = self.browse(line, f"{{iceServers: [{{urls: 'stun:{OUTSIDE}:3478'}}]}}")
        self.assertEqual("srflx", seen["near"], seen)


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Candidates(SiteTest):
    """What a browser would gather, by the servers of a vendor's set."""

    def gathered(self, *options, login=True):
        script = ("CALLREADY_TURN_USER=$CALLREADY_SITE_TURN_USER "
                  "CALLREADY_TURN_PASSWORD=$CALLREADY_SITE_TURN_PASSWORD " if login else "")
        with Site() as site:
            done = site.run(["sh", "-c", script + 'exec "$@"', "sh", CALLREADY, "check", "rainbow",
                             "--json", *options], timeout=120)
        report = json.loads(done.stdout)
        self.assertEqual("ready", report["sets"][0]["verdict"])
        self.assertEqual([], report["findings"])
        return [one for one in report["probes"] if one["check"] == "ice"]

    def test_all_kinds(self):
        probe, = self.gathered("--quality")
        types = [one["type"] for one in probe["evidence"] if one["kind"] == "ice_candidate"]
        self.assertEqual({"host", "srflx", "relay"}, set(types), probe)
        self.assertTrue(probe["control"])

    def test_without_credentials_no_relay(self):
        probe, = self.gathered("--quality", login=False)
        types = [one["type"] for one in probe["evidence"] if one["kind"] == "ice_candidate"]
        self.assertEqual({"host", "srflx"}, set(types), probe)

    def test_not_part_of_a_usual_run(self):
        self.assertEqual([], self.gathered(login=False))


if __name__ == "__main__":
    unittest.main()
