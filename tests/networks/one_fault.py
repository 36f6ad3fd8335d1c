"""Every built-in set on the same usual network, with one thing wrong at a time, in memory.

    python3 tests/networks/one_fault.py NETWORKS            the table, and what is not as it should be
    python3 tests/networks/one_fault.py NETWORKS udp rate   these faults only

NETWORKS is the program of this folder. For each fault: for how many sets the cause was named, was
named as possible only, was not named because the set is ready all the same (nothing of it is hurt)
or undecided, or another cause was named. The last is a failure, and so is a violation of the
oracle's properties; so is an undecided set, unless the fault may leave it undecided.
"""

import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

NETWORK = """ask {set} with variables
pc 192.168.1.23
hop 192.168.1.1 inside unlimited
hop 84.199.10.1 unlimited
hop 62.4.8.1 unlimited
hop 62.4.8.9 unlimited
line after 1 delay 20 loss 0 0
dns {dns}
ipv6 none
proxy {proxy}
box nat at 1 drop outside 84.199.10.2 mapping {mapping} filtering address_and_port
{box}chance 1
"""
# Undecided on a clean network, too: they wait for Azure's service tags, or for a value that has no
# example.
NEVER_DECIDED = {"itracks", "nfon"}
# How our address is seen from outside, whatever else is wrong.
ALWAYS = {"nat.double", "nat.carrier_grade"}
CLOSED = "box rule at 1 drop match any 1-65535"
BUT_NAMES = "box rule at 1 except drop match udp 53"
WEB = "match tcp 80 match tcp 443 match udp 53 match tcp 53"


class Fault:
    """`causes` are the codes that are right, each by itself or together."""

    def __init__(self, *causes, box="", dns="works 3 ms", proxy="port 443", mapping="independent",
                 undecided=()):
        self.causes = set(causes)
        self.undecided = set(undecided) | NEVER_DECIDED
        self.settings = {"box": box + "\n" if box else "", "dns": dns, "proxy": proxy,
                         "mapping": mapping}

    def network(self, name):
        return NETWORK.format(set=name, **self.settings)


UDP = ("firewall.udp_blocked", "firewall.udp_range_blocked", "firewall.udp_port_blocked")
TCP = ("firewall.tcp_port_blocked", "firewall.flow_blocked")
PROXY = ("proxy.connect_denied",)  # it connects to port 443 only
# None of their hosts answers strangers over TCP: the site may let nothing out except to them.
MEDIA_ALONE = ("slack-huddles", "amazon-chime-sdk", "asterisk", "goto-connect-phones",
               "ovhcloud-voip", "sipgate")
FAULTS = {
    "none": Fault(),
    "udp": Fault(*UDP, box="box rule at 1 drop match udp 54-65535"),
    "udp, with a word": Fault(*UDP, box="box rule at 1 prohibit match udp 54-65535"),
    "udp, at the provider": Fault(*UDP, box="box rule at 3 drop match udp 54-65535"),
    "udp from 1024": Fault(*UDP, box="box rule at 1 drop match udp 1024-65535"),
    "udp from 10000": Fault(*UDP, box="box rule at 1 drop match udp 10000-65535"),
    "udp 3478": Fault(*UDP, box="box rule at 1 drop match udp 3478"),
    "replies over udp": Fault(*UDP, "media.one_way", box="box replies at 1 drop match udp 54-65535"),
    "tcp 443": Fault(*TCP, box="box rule at 1 drop match tcp 443"),
    "tcp 80": Fault(*TCP, box="box rule at 1 drop match tcp 80"),
    "tcp 3478": Fault(*TCP, box="box rule at 1 drop match tcp 3478"),
    "tcp 5061": Fault(*TCP, box="box rule at 1 drop match tcp 5061"),
    "tcp from 1024": Fault(*TCP, box="box rule at 1 drop match tcp 1024-65535",
                           undecided=("freeswitch",)),
    "sip's ports": Fault(*TCP, "firewall.udp_port_blocked", "firewall.sip_filtered",
                         box="box rule at 1 drop match any 5060-5061"),
    "all but web": Fault("firewall.web_only", box=f"box rule at 1 except drop {WEB}"),
    "all but web, refused": Fault("firewall.web_only", box=f"box rule at 1 except refuse {WEB}"),
    "all": Fault("network.offline", box=CLOSED, undecided=MEDIA_ALONE),
    # Daily has a TURN server on UDP 53, which gets out.
    "all but names": Fault("network.offline", "firewall.flow_blocked", box=BUT_NAMES,
                           undecided=(*MEDIA_ALONE, "daily")),
    "all but a proxy": Fault("proxy.required", *PROXY, box=CLOSED, proxy="given port 443",
                             undecided=MEDIA_ALONE),
    "all but a proxy and names": Fault("proxy.required", *PROXY, box=BUT_NAMES,
                                       proxy="given port 443", undecided=MEDIA_ALONE),
    "login at the proxy": Fault("proxy.auth_required", box=CLOSED, proxy="given login port 443"),
    "proxy is down": Fault("proxy.unreachable", box=CLOSED, proxy="given down port 443"),
    "stun": Fault("firewall.stun_filtered",
                  box="box protocol at 1 drop payload stun match udp 1-65535",
                  # Its relays may use any port: high ones may be closed further out.
                  undecided=("wire",)),
    "sip": Fault("firewall.sip_filtered",
                 box="box protocol at 1 drop payload sip match udp 1-65535"),
    # Their hosts on TCP 443 are sent single packets only: whether TLS would get through is unknown.
    "tls": Fault("firewall.tls_filtered",
                 box="box protocol at 1 drop payload tls match tcp 1-65535",
                 undecided=("amazon-chime-sdk", "slack-huddles")),
    "no dns": Fault("dns.unreachable", dns="dead 3 ms"),
    "dns fails": Fault("dns.unreachable", dns="servfail 3 ms"),
    "no such name": Fault("dns.filtered", dns="no_such_name 3 ms"),
    "names to nowhere": Fault("dns.rewritten", dns="sinkhole 3 ms"),
    "slow dns": Fault("dns.slow", dns="works 1500 ms"),
    "sign-in page": Fault("network.captive_portal", box="box portal at 1 drop"),
    "sign-in page, refusing": Fault("network.captive_portal", box="box portal at 1 refuse"),
    # Media over TCP 443 that the device answers may work or not.
    "inspection": Fault("tls.intercepted", box="box intercept at 1 match tcp 443",
                        undecided=MEDIA_ALONE),
    "large packets": Fault("network.mtu", box="box mtu at 1 limit 1300"),
    "a few new flows a second": Fault("firewall.rate_limited", "firewall.new_flows_limited",
                                      box="box rate at 1 limit 5", undecided=("*",)),
    # Nothing was heard of these over UDP at the time, so no answers could be counted.
    "twenty new flows a second": Fault("firewall.rate_limited", "firewall.new_flows_limited",
                                       box="box rate at 1 limit 20",
                                       undecided=("google-meet", "rainbow", "ringcentral")),
    "one of two paths dead": Fault("network.dead_path", box="box branch at 1 drop match any 1-65535",
                                   # Too few flows, or none of them twice to one port.
                                   undecided=("asterisk", "microsoft-365", "ovhcloud-voip",
                                              "rainbow", "vonage-contact-center", "webex",
                                              "webex-partner", "whereby")),
    "shut out after four hosts": Fault("firewall.rate_limited", "firewall.destination_blocked",
                                       box="box ban at 1 limit 4",
                                       # Nothing of theirs had answered before, or what had
                                       # answered was not asked again.
                                       undecided=("amazon-chime-sdk", "asterisk",
                                                  "ovhcloud-voip", "sipgate",
                                                  "slack-huddles")),
    "whoever connects is accepted": Fault(box="box accept at 1 match tcp 1-65535",
                                          undecided=("*",)),
    "symmetric nat": Fault("nat.symmetric", mapping="address_and_port"),
    "sip alg": Fault("sip.alg", box="box sip_alg at 1"),
}


def sets():
    folder = os.path.join(ROOT, "targets", "vendors")
    return sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".yaml"))


def reports(program, names, fault):
    """By set: its verdict, its findings as (code, confidence), and what the oracle objects to."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name in names:
            paths[name] = os.path.join(folder, name)
            with open(paths[name], "w", encoding="utf-8") as file:
                file.write(fault.network(name))
        run = subprocess.run([program, "--show", *paths.values()], cwd=ROOT, capture_output=True,
                             text=True, check=False, timeout=120)
    found = {}
    objections = []
    for line in run.stdout.splitlines():
        if line.startswith(folder):
            objections.append(line[len(folder) + 1:])
        elif match := re.match(r"set (\S+): (\w+)$", line):
            current = found[match[1]] = (match[2], [], objections)
            objections = []
        elif match := re.match(r"finding (\S+) (\w+): ", line):
            current[1].append((match[1], match[2]))
    missing = set(names) - set(found)
    if missing:
        raise RuntimeError(f"no report for {sorted(missing)}: {run.stdout[-300:]}{run.stderr}")
    return found


def judge(name, fault, verdict, findings):
    """One of the table's columns, and whether that is as it should be."""
    strong = {code for code, confidence in findings if confidence != "possible"} - ALWAYS
    if strong - fault.causes:
        return "wrong", False
    if strong or (not fault.causes and verdict == "ready"):
        return "named", True
    if verdict == "ready":
        return "not hurt", True
    fine = name in fault.undecided or "*" in fault.undecided
    possible = any(code in fault.causes for code, _ in findings)
    return "possible" if possible else "undecided", fine


def main(program, wanted):
    columns = ["named", "possible", "not hurt", "undecided", "wrong"]
    print(f"{'closed or wrong':28}", *(f"{column:>9}" for column in columns))
    failures = []
    for title in wanted or FAULTS:
        fault = FAULTS[title]
        counts = dict.fromkeys(columns, 0)
        for name, (verdict, findings, objections) in reports(program, sets(), fault).items():
            column, fine = judge(name, fault, verdict, findings)
            counts[column] += 1
            if not fine or objections:
                said = ", ".join(" ".join(one) for one in findings) or "nothing"
                failures.append("; ".join([f"{title}: {name} is {verdict}; found: {said}",
                                           *objections]))
        print(f"{title:28}", *(f"{counts[column]:9}" for column in columns))
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
