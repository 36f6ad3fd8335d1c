"""Firewall rules for devices: every vendor's in every format, read back by that system's own parser
(nft) or by its documented grammar, and compared with the rules as JSON."""

import json
import os
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
V4 = r"\d+\.\d+\.\d+\.\d+"
V6 = r"[0-9a-f:]*:[0-9a-f:]*"
PORT = r"\d+(?:-\d+)?"

# FortiOS CLI Reference: config firewall address, addrgrp, service custom, policy.
FORTIGATE = [
    r"config firewall (?:address6?|addrgrp6?|service custom|policy)",
    r"    edit (?:0|\"%s\")" % NAME, r"    next", r"end",
    r"        set type (?:fqdn|iprange)", r"        set fqdn \"(?:\*\.)?%s\"" % HOST,
    r"        set subnet %s %s" % (V4, V4), r"        set ip6 %s/\d+" % V6,
    r"        set (?:start|end)-ip %s" % V4, r"        set member(?: \"%s\")+" % NAME,
    r"        set comments? \"[^\"]{0,255}\"",
    r"        set (?:tcp|udp)-portrange(?: %s(?::%s)?)+" % (PORT, PORT),
    r"        set name \"%s\"" % NAME, r"        set status disable",
    r"        set (?:src|dst)(?:intf|addr6?) \"%s\"" % NAME, r"        set action accept",
    r"        set schedule \"always\"", r"        set service \"%s\"" % NAME,
]
# PAN-OS CLI: configuration mode, set commands.
PALOALTO = [
    r"set address %s (?:fqdn %s|ip-netmask [0-9a-f.:/]+|ip-range %s-%s)" % (NAME, HOST, V4, V4),
    r"set address-group %s static \[(?: %s)+ \]" % (NAME, NAME),
    r"set service %s protocol (?:tcp|udp) (?:source-)?port %s(?:,%s)*" % (NAME, PORT, PORT),
    r"set profiles custom-url-category %s type \"URL List\"" % NAME,
    r"set profiles custom-url-category %s list \*\.%s/" % (NAME, HOST),
    r"set rulebase security rules %s from any to any source %s destination %s application any "
    r"service %s(?: category %s)? action allow disabled yes description \"[^\"]*\""
    % (NAME, NAME, NAME, NAME, NAME),
]
# Cisco ASA command reference: object network, object-group, access-list extended.
ASA_PORTS = r"(?:eq \d+|range \d+ \d+)"
CISCO = [
    r"object network %s" % NAME, r" fqdn %s" % HOST, r" range %s %s" % (V4, V4),
    r"object-group (?:network|service) %s" % NAME, r" description .{1,200}",
    r" network-object (?:host [0-9a-f.:]+|object %s|%s %s|%s/\d+)" % (NAME, V4, V4, V6),
    r" service-object (?:tcp|udp)(?: source %s)? destination %s" % (ASA_PORTS, ASA_PORTS),
    r"access-list callready remark .{1,200}",
    r"access-list callready extended permit object-group %s (?:any object-group %s|object-group %s "
    r"any)" % (NAME, NAME, NAME),
]
# PAN-OS: Formatting Guidelines for an External Dynamic List.
EDL = {
    "edl-ip": [r"%s(?:/\d+)?" % V4, r"%s(?:/\d+)?" % V6, r"%s-%s" % (V4, V4)],
    "edl-domain": [r"(?:\*\.)?%s" % HOST],
    "edl-url": [r"(?:\*\.)?%s/" % HOST],
}
GRAMMARS = {"fortigate": FORTIGATE, "paloalto": PALOALTO, "cisco-asa": CISCO, **EDL}


def run(*arguments):
    done = subprocess.run([CALLREADY, "firewall", *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def every_set():
    listed = subprocess.run([CALLREADY, "list", "--json"], capture_output=True, text=True, timeout=60,
                            check=True).stdout
    return [one["id"] for one in json.loads(listed)]


def every_scenario(name):
    scenarios = json.loads(run(name, "--format", "json"))["sets"][0]["other_scenarios"]
    shown = json.loads(subprocess.run([CALLREADY, "show", name, "--json"], capture_output=True,
                                      text=True, timeout=60, check=True).stdout)
    ids = [one["id"] for one in shown.get("scenarios", [])]
    assert ids or not scenarios
    return [word for one in ids for word in ("--scenario", one)]


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sets = every_set()
        cls.scenarios = {name: every_scenario(name) for name in cls.sets}
        cls.texts = {}

    def text(self, name, form):
        if (name, form) not in self.texts:
            self.texts[name, form] = run(name, *self.scenarios[name], "--format", form)
        return self.texts[name, form]

    def peers(self, name, *kinds):
        """What a device can be told: of the rules that have a protocol and ports."""
        rules = json.loads(self.text(name, "json"))["sets"][0]["rules"]
        found = set()
        for rule in rules:
            device = rule["protocol"] in ("UDP", "TCP", "TCP (TLS)")
            if not device or not any(re.fullmatch(PORT, port) for port in rule["ports"]):
                continue
            for peer in rule.get("destinations", []) + rule.get("sources_of_traffic", []):
                if peer["kind"] in kinds:
                    found.add(peer["text"])
        return found

    def test_every_line_is_of_the_systems_grammar(self):
        for form, lines in GRAMMARS.items():
            grammar = re.compile("|".join("(?:%s)" % line for line in lines))
            for name in self.sets:
                for line in self.text(name, form).splitlines():
                    self.assertIsNotNone(grammar.fullmatch(line), f"{form} {name}: {line!r}")

    def test_every_name_and_address_is_there(self):
        for name in self.sets:
            names = self.peers(name, "name")
            addresses = self.peers(name, "address")
            for form in ("list", "fortigate", "paloalto", "cisco-asa", "pfsense", "opnsense",
                         "nftables"):
                text = self.text(name, form)
                words = set(re.split(r"[\s\"/,{}<>]+", text.replace("\\n", " ")))
                missing = {one for one in names | addresses if one not in words}
                self.assertEqual(missing, set(), f"{form} {name}")
            self.assertEqual(names - set(self.text(name, "edl-domain").split()), set())
            self.assertEqual(addresses - set(self.text(name, "edl-ip").split()), set())

    def test_objects_are_defined_before_they_are_used_and_once(self):
        for name in self.sets:
            text = self.text(name, "paloalto")
            known = re.findall(r"set (?:address|address-group) (\S+) (?:fqdn|ip-|static)", text)
            self.assertEqual(len(known), len(set(known)), name)
            used = " ".join(re.findall(r"static \[ (.*) \]", text)).split()
            used += [word for word in re.findall(r"(?:source|destination) (\S+)", text)
                     if word not in ("any",)]
            self.assertLessEqual(set(used) - {"any"}, set(known), name)
            text = self.text(name, "cisco-asa")
            known = set(re.findall(r"^object network (\S+)", text, re.M))
            self.assertLessEqual(set(re.findall(r"network-object object (\S+)", text)), known)
            groups = set(re.findall(r"^object-group \w+ (\S+)", text, re.M))
            self.assertLessEqual(set(re.findall(r"^access-list .*permit object-group (\S+)", text,
                                                re.M)), groups)
            text = self.text(name, "fortigate")
            known = set(re.findall(r"edit \"(.*)\"", text))
            for members in re.findall(r"set member(.*)", text):
                self.assertLessEqual(set(re.findall(r"\"(.*?)\"", members)), known, name)

    def test_aliases(self):
        name_of = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,31}")
        for name in self.sets:
            root = xml.fromstring(self.text(name, "pfsense"))
            aliases = [(one.find("name").text, one.find("type").text,
                        one.find("address").text.split()) for one in root.iter("alias")]
            loaded = json.loads(self.text(name, "opnsense"))["aliases"]["alias"]
            imported = [(one["name"], one["type"], one["content"].split("\n"))
                        for one in loaded.values()]
            self.assertEqual(aliases, imported, name)
            self.assertEqual(len({one[0] for one in aliases}), len(aliases))
            entry = {"host": re.compile(HOST), "network": re.compile(r"[0-9a-f.:]+/\d+"),
                     "port": re.compile(r"\d+(?::\d+)?")}
            for alias, kind, content in aliases:
                self.assertIsNotNone(name_of.fullmatch(alias), alias)
                for one in content:
                    self.assertIsNotNone(entry[kind].fullmatch(one), f"{alias}: {one}")

    @unittest.skipUnless(shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin") and
                         shutil.which("unshare"), "needs nft and unshare")
    def test_nft_takes_it(self):
        for name in self.sets:
            done = subprocess.run(["unshare", "-Urn", "sh", "-c", "PATH=$PATH:/usr/sbin nft -c -f -"],
                                  input=self.text(name, "nftables"), capture_output=True, text=True,
                                  timeout=60, check=False)
            if "unshare failed" in done.stderr:
                self.skipTest("this kernel forbids namespaces")
            self.assertEqual(done.returncode, 0, f"{name}: {done.stderr[:2000]}")


if __name__ == "__main__":
    unittest.main()
