"""Sets against the texts that they were made from: every address, name and port row of each text is
in its sets.

facts/NAME.txt lists what a text has, made from the text by somebody who had not seen the set:

    udp 3478-3481 52.112.0.0/14       transport, ports, destination; "-" where the text has none
    tcp 80,443 *.example.com

A fact is in a set where rows of the set have its destination, transport and ports (tls is tcp with
TLS: either will do). One without ports may also stand in the words of an advice.
"""

import ipaddress
import pathlib
import re
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
VENDORS = HERE.parents[1] / "targets/vendors"

# The sets of texts that have another name than their set, or several sets.
SETS = {
    "amazon-chime": ["amazon-chime-sdk"],
    "avaya-cloud": ["avaya-spaces", "avaya-experience-platform"],
    "cisco-jabber-mra": ["cisco-jabber"],
    "element-call-matrix": ["element-call"],
    "generic-pbx": ["asterisk", "freeswitch"],
    "jitsi-selfhosted": ["jitsi"],
    "microsoft-365-common": ["microsoft-365", "google-sign-in", "single-sign-on", "teams"],
    "microsoft-teams": ["teams", "teams-direct-routing"],
    "ovh-voip": ["ovhcloud-voip"],
    "telekom-sip": ["telekom-companyflex"],
    "telnyx-nfon": ["telnyx", "nfon"],
    "webex": ["webex", "webex-calling"],
}
# Their lists are in vendor_facts.txt.
ELSEWHERE = {"cloudoe", "itracks", "librestream", "quicklink", "rainbow", "webex-partner"}


def sets_of(text):
    return SETS.get(text, [text])


def as_address(text):
    """A network or address in one spelling, a name as it is: "192.0.2.1/32" is "192.0.2.1"."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text.lower()
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def port_range(text):
    first, _, last = str(text).partition("-")
    return int(first), int(last or first)


class Row:
    """A requirement as far as facts are compared with it."""

    def __init__(self, row, defaults):
        def filled(value):
            return re.sub(r"\$\{(\w+)\}", lambda m: defaults.get(m[1], m[0]), str(value))

        listed = row.get("ports", []) + row.get("source_ports", [])
        self.ports = [port_range(filled(ports)) for ports in listed if "$" not in filled(ports)]
        words = [filled(word) for word in row.get("transport", [])]
        self.transports = {"tcp" if word == "tls" else word for word in words}
        self.destinations = set()
        for key in ("hosts", "reverse_dns", "wildcards", "addresses", "service_tags"):
            for item in row.get(key, []):
                self._add(item)
        self.words = words_of([row.get("title"), row.get("note"), row.get("unprobed"),
                               *row.get("conditions", [])])

    def _add(self, item):
        if not isinstance(item, dict):
            self.destinations.add(as_address(str(item)))
            return
        for key in ("name", "pattern", "address", "network", "range"):
            if key in item:
                self.destinations.add(as_address(str(item[key])))
        self.destinations.update(item.get("examples", []))

    def has(self, transport, ports, destination):
        if destination != "-" and destination not in self.destinations | self.words:
            return False
        if transport not in ("-", "any") and self.transports and transport not in self.transports:
            return False
        if ports is None:
            return True
        return any(low <= ports[0] and ports[1] <= high for low, high in self.ports)


def words_of(texts):
    text = " ".join(str(one) for one in texts if one)
    return {as_address(word.strip(".,;:()\"'")) for word in text.split()}


class Sets:
    """One or several sets, asked for facts."""

    def __init__(self, documents):
        self.rows, self.words = [], set()
        for document in documents:
            defaults = {one["name"]: str(one["default"])
                        for one in document.get("variables", []) if "default" in one}
            self.rows += [Row(row, defaults) for row in document["requirements"]]
            self.words |= words_of(one["text"] for one in document.get("advice", []))

    def have(self, fact):
        transport, ports, destination = fact.split()
        transport = "tcp" if transport == "tls" else transport
        destination = as_address(destination)
        if ports == "-" and destination in self.words:
            return True
        pieces = [None] if ports == "-" else [port_range(piece) for piece in ports.split(",")]
        return all(any(row.has(transport, piece, destination) for row in self.rows)
                   for piece in pieces)


def load(set_id):
    # Dates stay text.
    return yaml.load((VENDORS / f"{set_id}.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)


def facts_in(path):
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


class Facts(unittest.TestCase):
    def test_sets_have_what_their_texts_have(self):
        lists = sorted((HERE / "facts").glob("*.txt"))
        self.assertTrue(lists)
        for path in lists:
            with self.subTest(path.stem):
                facts = facts_in(path)
                self.assertTrue(facts)
                sets = Sets([load(set_id) for set_id in sets_of(path.stem)])
                missing = [fact for fact in facts if not sets.have(fact)]
                print(f"{path.stem}: {len(facts) - len(missing)} of {len(facts)}")
                self.assertEqual([], missing)

    def test_each_set_has_a_list(self):
        texts = {path.stem for path in (HERE / "facts").glob("*.txt")}
        listed = {set_id for text in texts for set_id in sets_of(text)} - ELSEWHERE
        self.assertEqual({path.stem for path in VENDORS.glob("*.yaml")} - ELSEWHERE, listed)

    def test_what_is_missing_is_seen(self):
        sets = Sets([yaml.load("""
            variables: [{name: port, default: 5060}]
            requirements:
              - {transport: [udp], ports: [3478-3481], addresses: [192.0.2.0/24, 2001:db8::/32]}
              - {transport: [tls], ports: [443], hosts: [{name: a.example.com}]}
              - {transport: [tcp], ports: ["${port}"], hosts: ["${server}"]}
              - {transport: [udp], ports: [5353], note: "Multicast to 224.0.0.251."}
              - {transport: [tcp], ports: ["${own}"], addresses: [{address: 192.0.2.1}]}
            advice: [{id: a, text: "See test.example.com."}]
            """, yaml.BaseLoader)])
        for fact in ("udp 3478-3481 192.0.2.0/24", "udp 3478,3480 2001:db8:0::/32",
                     "any 3479 192.0.2.0/24", "- - 192.0.2.0/24", "tcp 443 a.example.com",
                     "tls 443 A.example.com", "tcp 5060 -", "udp 5353 224.0.0.251",
                     "- - test.example.com", "tcp - 192.0.2.1/32"):
            self.assertTrue(sets.have(fact), fact)
        for fact in ("udp 3478-3482 192.0.2.0/24", "tcp 3478 192.0.2.0/24", "udp 3478,443 -",
                     "udp 3478 192.0.2.0/25", "udp 3478 192.0.2.1", "udp 443 a.example.com",
                     "tcp 443 b.example.com", "udp 5060 -", "- - other.example.com",
                     "tcp 443 test.example.com", "tcp 443 192.0.2.1"):
            self.assertFalse(sets.have(fact), fact)


if __name__ == "__main__":
    unittest.main()
