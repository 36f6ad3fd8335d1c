"""What callready sends, counted on the line (docs/design.md, "Time, load and manners"): a run must not look
like an attack, and must not get the site banned."""

import collections
import json
import sys
import tempfile

from tests.site import names
from tests.site.harness import CALLREADY, Site, SiteTest
from tests.site.tools import beside

CAPTURE = beside("capture.py")
WINDOW_S, HOSTS, PORTS = 10, 24, 12
SIP_GAP_S = 0.5      # a second from start to start; a message leaves some time after its start
FAR = 16             # hops; packets that are to end on the way have a few
# The site's own: the resolver, which every program asks, and the public address (hairpin test).
OWN = {"10.20.0.1", "84.199.10.2"}


INTERNET = names.load()


def captured(site, *arguments, timeout=60):
    """The packets that a run of callready sends to others than the site's own router."""
    done = site.run([sys.executable, CAPTURE, "--", CALLREADY, "check", *arguments],
                    privileged=True, timeout=timeout)
    packets = json.loads(done.stdout)["packets"]
    return [packet for packet in packets if packet["to"] not in OWN]


def arrives(packet):
    """Others end on the way, on purpose, and no server sees them."""
    return packet["ttl"] > FAR


def most_in_a_window(events):
    """`events`: (time, what); the most different things in any ten seconds."""
    most = 0
    for i, (start, _) in enumerate(events):
        seen = {what for at, what in events[i:] if at < start + WINDOW_S}
        most = max(most, len(seen))
    return most


class Manners(SiteTest):
    """One run each; what is counted is the same."""

    def check(self, packets):
        """All the rules that hold for every run at the normal pace."""
        self.assertTrue(packets)
        hosts = [(packet["at"], packet["to"]) for packet in packets]
        self.assertLessEqual(most_in_a_window(hosts), HOSTS)
        ports = collections.defaultdict(list)
        for packet in packets:
            ports[packet["to"]].append((packet["at"], (packet["protocol"], packet["port"])))
        for host, contacts in ports.items():
            self.assertLessEqual(most_in_a_window(contacts), PORTS, host)
        self.check_sip(packets)
        self.check_tls(packets)
        self.check_turn(packets)

    def check_turn(self, packets):
        """One Allocate to a server over each transport; a server that has several names is several.
        Returns how many there were."""
        names = collections.Counter(address for addresses in INTERNET.forward.values()
                                    for address in addresses)
        transactions = {(packet["stun"][1], packet["to"], packet["port"]) for packet in packets
                        if packet.get("stun", [""])[0] == "allocate" and arrives(packet)}
        for (server, port), count in collections.Counter(t[1:] for t in transactions).items():
            self.assertLessEqual(count, names[server], (server, port))
        return len(transactions)

    def check_sip(self, packets):
        """Nobody is rung; beyond the first of a transport, messages to a server are a second apart,
        not counting those that are sent again."""
        messages = {}
        for packet in packets:
            if "sip" in packet and arrives(packet):
                method, branch, transport = packet["sip"]
                self.assertEqual(method, "OPTIONS")
                messages.setdefault((packet["to"], branch), (packet["at"], transport))
        by_server = collections.defaultdict(list)
        for (server, _), (at, transport) in messages.items():
            by_server[server].append((at, transport))
        for server, sent in by_server.items():
            sent.sort()
            seen = set()
            for i, (at, transport) in enumerate(sent):
                if transport in seen:
                    self.assertGreaterEqual(at - sent[i - 1][0], SIP_GAP_S, (server, sent))
                seen.add(transport)

    def check_tls(self, packets):
        """One handshake for a name and port, however often TCP sends it; the path check has one of
        its own with a control, which fills whole packets."""
        greetings = {(packet["tls"], packet["port"], packet["from"], packet.get("sequence"))
                     for packet in packets if packet.get("tls")}
        for (name, port), count in collections.Counter(g[:2] for g in greetings).items():
            self.assertLessEqual(count, 2 if name == "www.google.com" else 1, (name, port))

    def test_healthy_site(self):
        """Of a service with many servers."""
        with Site() as site:
            packets = captured(site, "rainbow", "webex-partner")
        self.check(packets)
        self.assertGreater(self.check_turn(packets), 0)

    def test_several_sets_at_once(self):
        """What they have in common is asked once: names of sites, the NAT, controls."""
        sets = ("teams", "zoom", "meet")
        with Site() as site:
            together = captured(site, *sets)
        self.check(together)
        self.assertIn("zoom.us", {names.owner(p["tls"]) for p in together if p.get("tls")})
        with Site() as site:
            alone = sum(len(captured(site, name)) for name in sets)
        self.assertLess(len(together), 0.8 * alone, "packets, together and one after the other")

    def test_blocked_site(self):
        """Where a second round asks further, and alternates are tried."""
        with Site(faults=["udp-blocked"], delay_ms=5) as site:
            packets = captured(site, "cloudoe")
        self.check(packets)
        self.assertTrue([packet for packet in packets if "sip" in packet])

    def test_everything_at_the_normal_pace(self):
        """--all takes its time instead of meeting more hosts."""
        hosts = [f"198.18.7.{i}" for i in range(1, HOSTS + 7)]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="ascii") as file:
            json.dump({"schema": "callready.targets/1", "id": "many", "title": "Many",
                       "capabilities": [{"id": "c", "title": "C", "needs": ["r"]}],
                       "requirements": [{"id": "r", "title": "R", "check": "tcp", "ports": [443],
                                         "transport": ["tcp"], "addresses": hosts}]}, file)
            file.flush()
            with Site() as site:
                packets = captured(site, "many", "--set", file.name, "--all", "--no-anchors")
        self.check(packets)
        self.assertEqual({packet["to"] for packet in packets}, set(hosts))
