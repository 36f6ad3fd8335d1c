"""What can be broken at a site. One row per fault: a name, what it does, and how the plan changes.

A fault changes the plan (plan.py) before the site is built, so faults combine. Where a row has a
`value`, `--fault NAME=VALUE` replaces it. A new fault is a row in one of the tables below, and a
test in faults_test.py.
"""

import ipaddress
import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import Callable

from .certificates import KINDS
from .names import ROOT
from .plan import AAAA


class Unknown(Exception):
    """No such fault, or not with such a value."""


@dataclass
class Fault:
    name: str
    description: str
    apply: Callable      # apply(plan), or apply(plan, value) if it takes one
    value: str = ""      # the default of VALUE, if there is one


def _add(part, *rules):
    """A fault that adds fixed lines to one of the plan's lists."""
    return lambda plan: getattr(plan, part).extend(rules)


def _set(**changes):
    """A fault that sets some of the plan's fields."""
    def apply(plan):
        for name, value in changes.items():
            setattr(plan, name, value)
    return apply


def _block(text):
    """A firewall rule with a value in it."""
    return lambda plan, value: plan.block.append(text.format(value.replace(",", ", ")))


def _hosts_file(plan, value):
    name, _, address = value.partition(":")
    plan.hosts_file.append(f"{ipaddress.ip_address(address)} {name}")


def _browser_policy(plan, value):
    name, _, what = value.partition(":")
    plan.browser_policies[name] = what


def _own_firewall(verdict):
    def apply(plan, value):
        transport, _, ports = value.partition(":")
        if transport not in ("udp", "tcp") or not ports:
            raise ValueError("a transport is udp or tcp, then a colon and ports")
        plan.pc_output.append(f"{transport} dport {{ {ports.replace(',', ', ')} }} {verdict}")
    return apply


def _host_blocked(plan, value):
    for name in value.split(","):
        plan.block.append(f"ip daddr {{ {', '.join(plan.addresses_of(name))} }} drop")


def _each(part, *lines):
    """Lines for each name of a comma-separated value."""
    def apply(plan, value):
        for name in value.split(","):
            getattr(plan, part).extend(line.format(name) for line in lines)
    return apply


def _host_reset(plan, value):
    """A reset in the target's name for TCP; UDP just vanishes."""
    for name in value.split(","):
        where = f"ip daddr {{ {', '.join(plan.addresses_of(name))} }}"
        plan.block += [f"{where} meta l4proto tcp reject with tcp reset", f"{where} drop"]


def _host_rejected(plan, value):
    for name in value.split(","):
        plan.block.append(f"ip daddr {{ {', '.join(plan.addresses_of(name))} }} "
                          "reject with icmp type admin-prohibited")


def _no_route(plan, value):
    for network in value.split(","):
        plan.block.append(f"ip daddr {network} reject with icmp type host-unreachable")


def _walled_garden(plan, value):
    hosts = [address for name in value.split(",") for address in plan.addresses_of(name)]
    _set(portal=True, only="")(plan)
    plan.block += [f"ip daddr {{ {', '.join(hosts)} }} accept",
                   "tcp dport 443 reject with tcp reset"]


def _flow_blocked(plan, value):
    """TRANSPORT:HOST:PORT"""
    transport, host, port = value.split(":")
    plan.block.append(f"ip daddr {{ {', '.join(plan.addresses_of(host))} }} "
                      f"{transport} dport {int(port)} drop")


def _cut_after(plan, value):
    """TRANSPORT:PORT:PACKETS; setting up a relay over UDP takes nine packets."""
    transport, port, packets = value.split(":")
    plan.flows_counted = True
    plan.inspect.append(f"meta l4proto {transport} ct original proto-dst {int(port)} "
                        f"ct packets > {int(packets)} drop")


def _hosts_refuse(plan, value):
    """Web and SIP servers: the far end itself sends a reset."""
    for name in value.split(","):
        plan.far.append(f"ip daddr {{ {', '.join(plan.addresses_of(name))} }} "
                        "meta l4proto tcp reject with tcp reset")


def _vendor_silent(plan, value):
    """Matches the original destination address: SIP servers listen on another one."""
    for name in value.split(","):
        where = f"ct original ip daddr {{ {', '.join(plan.addresses_of(name))} }} drop"
        plan.far.append(where)
        plan.far_relays.append(f'iifname "core" {where}')


def _certificate(plan, value):
    kind, _, owner = value.partition(":")
    if kind not in KINDS or not owner:
        raise Unknown(f"a certificate is one of {', '.join(KINDS)}, then a colon and a domain")
    plan.certificates[owner] = kind


def _no_nat(plan):
    plan.nat, plan.lan = "none", "84.199.20"


def _ipv6_vendor_dead(plan, value):
    plan.ipv6 = "dual"
    plan.ipv6_lost += [address for domain in value.split(",") for name, address in AAAA.items()
                       if f".{name}".endswith(f".{domain}")]
    if not plan.ipv6_lost:
        raise ValueError("none of these domains has IPv6")


def _hairpin(plan):
    plan.redirect.append(f'iifname "lan" ip daddr {plan.wan}.2 meta l4proto udp dnat to {plan.pc}')
    plan.hairpin = True


def _carrier(plan):
    plan.provider_nat, plan.wan = True, "100.72.10"


def _double(plan):
    plan.provider_nat, plan.wan = True, "192.168.178"


def _rate_limited(plan, value):
    """Counts hosts in a set that is too small for more: an element that does not fit matches
    nothing, and the packet goes on to the rule that bans its sender."""
    plan.sets.append("set banned { type ipv4_addr; flags dynamic,timeout; timeout 60s; }")
    plan.sets.append(f"set seen {{ type ipv4_addr; size {int(value)}; flags dynamic,timeout; "
                     "timeout 10s; gc-interval 1s; }")
    plan.sets.append('chain count_hosts {\nadd @seen { ip daddr } return\n'
                     "add @banned { ip saddr } drop\n}")
    plan.inspect += ['iifname "lan" ip saddr @banned drop',
                     'iifname "lan" ct state new jump count_hosts']


def _sip_status(plan, value):
    code, _, reason = value.partition(" ")
    if not 100 <= int(code) <= 699:
        raise ValueError("a SIP status has three digits")
    plan.sip_status = (int(code), reason or "As The Test Says")


def _split_horizon(plan, value):
    """The company's own view: an inside address, behind which the same servers are."""
    for number, name in enumerate(value.split(","), start=5):
        inside = f"10.66.0.{number}"
        plan.resolver.append(f'local-data: "{name}. A {inside}"')
        plan.redirect.append(f'iifname "lan" ip daddr {inside} dnat to {plan.addresses_of(name)[0]}')


def _search_wildcard(plan, value):
    """Every name below the PC's own domain leads to this address."""
    plan.search = "corp.example.net"
    plan.resolver += [f'local-zone: "{plan.search}." redirect',
                      f'local-data: "{plan.search}. A {value}"']


def _wpad(plan):
    plan.wpad, plan.search = True, "lyon.example.net"
    plan.resolver.append(f'local-data: "wpad.lyon.example.net. A {plan.proxy}"')


def _only_vendor(plan, value):
    """Exactly what the documents of these sets list, as networks and ports."""
    plan.only = ""
    for name in value.split(","):
        if name not in plan.internet.rows:
            raise ValueError("there is no such set")
        for row in plan.internet.rows[name].values():
            places = ipaddress.collapse_addresses(ipaddress.ip_network(p) for _, p in row.places)
            where = f"ip daddr {{ {', '.join(map(str, places))} }}"
            plan.allow += [f"{where} {transport} dport {{ {', '.join(row.ports)} }} accept"
                           for transport in sorted({"tcp" if t == "tls" else t
                                                    for t in row.transports})
                           if row.places and row.ports]


def _only_list(plan, value):
    """What `callready firewall` lists, its names filled in as the site resolves them."""
    program = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))
    done = subprocess.run([program, "firewall", *value.split(","), "--format", "json"],
                          capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    plan.only = ""
    for rule in (rule for one in json.loads(done.stdout)["sets"] for rule in one["rules"]):
        places = {place for peer in rule.get("destinations", [])
                  for place in (plan.addresses_of(peer["text"].removeprefix("*."))
                                if peer["kind"] in ("name", "wildcard") else [peer["text"]])}
        networks = [ipaddress.ip_network(place) for place in places
                    if re.fullmatch(r"[\d./]+", place)]
        ports = [port for port in rule["ports"] if re.fullmatch(r"[\d-]+", port)]
        if networks and ports:
            plan.allow.append(
                f"ip daddr {{ {', '.join(map(str, ipaddress.collapse_addresses(networks)))} }} "
                f"{rule['protocol'].lower()[:3]} dport {{ {', '.join(ports)} }} accept")


def _new_flows(plan, value):
    plan.block.append(f"meta l4proto udp ct state new limit rate over {int(value)}/second "
                      f"burst {int(value)} packets drop")


def _block_page(answers_tls):
    def apply(plan, value):
        domains, _, address = value.partition(":")
        plan.block_page, plan.block_page_tls = str(ipaddress.IPv4Address(address)), answers_tls
        for domain in domains.split(","):
            plan.resolver += [f'local-zone: "{domain}." redirect',
                              f'local-data: "{domain}. A {plan.block_page}"']
    return apply


def _dns_redirected(plan, value):
    """Whoever is asked, the LAN's resolver answers, and it denies these domains."""
    for transport in ("udp", "tcp"):
        plan.redirect.append(f'iifname "lan" {transport} dport 53 dnat to {plan.router}')
    FAULTS["dns-nxdomain"].apply(plan, value)


def _further(plan, value, most=3):
    """More routers of the site's own; the firewall is on the last one."""
    if not 1 <= int(value) <= most:
        raise ValueError(f"between 1 and {most}")
    plan.inside = [f"inside{n}" for n in range(1, int(value) + 1)]
    plan.firewall_at = plan.inside[-1]


def _campus(plan, value):
    _no_nat(plan)
    _further(plan, value)


def _company(plan, value):
    plan.inside_net = "10.21."
    _further(plan, value)
    plan.nat_at = plan.inside[-1]


def _provider_firewall(plan, value):
    """1: at the router that the site's line leads to, 2: at the next one."""
    if value not in ("1", "2"):
        raise ValueError("1 or 2")
    if value == "2":
        plan.outside.append("backbone")
    plan.firewall_at = "provider" if value == "1" else "backbone"


def _carrier_firewall(plan):
    _carrier(plan)
    plan.outside.append("carrier")
    plan.firewall_at = "carrier"


def _mute_branch(plan):
    plan.outside.insert(0, "joint")
    plan.branches, plan.mute = ["branch0", "branch1"], [*plan.mute, "branch1"]


def _down(*names):
    return lambda plan: plan.down.update(names)


# How requests of SIP begin: OPTI, REGI, INVI.
SIP_WORDS = ("0x4f505449", "0x52454749", "0x494e5649")

# A segment that begins with a handshake record whose first message is a ClientHello; the record's
# length is @ih,24,16 (RFC 8446 sections 4 and 5.1).
CLIENT_HELLO = "tcp dport 443 @ih,0,8 0x16 @ih,40,8 0x01"

FIREWALL = [
    Fault("udp-blocked", "the firewall drops all UDP but DNS",
          _add("block", "udp dport != 53 drop")),
    Fault("reject-udp", "the same, but it says so: ICMP administratively prohibited",
          _add("block", "udp dport != 53 reject with icmp type admin-prohibited")),
    Fault("dtls-part-cut", "DTLS greetings' later datagrams are dropped",  # by their offset
          _add("inspect", "meta l4proto udp @th,64,8 22 @th,88,16 0 @th,168,8 1 @th,216,24 != 0 drop")),
    Fault("udp-3478-blocked", "UDP 3478 (STUN and TURN) is dropped",
          _add("block", "udp dport 3478 drop")),
    Fault("sip-udp-blocked", "UDP 5060 is dropped", _add("block", "udp dport 5060 drop")),
    Fault("udp-high-blocked", "UDP from port 1024 up is dropped, except 3478 and 5060",
          _add("block", "udp dport >= 1024 udp dport != { 3478, 5060 } drop")),
    Fault("udp-ports-blocked", "these UDP ports are dropped",
          _block("udp dport {{ {} }} drop"), "49200-49259"),
    Fault("unreachable-udp-3478", "UDP 3478 is refused by the firewall: ICMP port unreachable",
          _add("block", "udp dport 3478 reject with icmp type port-unreachable")),
    Fault("hijacked-udp-3478", "UDP 3478 ends at the router, which refuses in the server's name",
          lambda plan: plan.redirect.append(f'iifname "lan" udp dport 3478 dnat to {plan.router}')),
    Fault("tcp-5061-blocked", "TCP 5061 (SIP over TLS) is dropped",
          _add("block", "tcp dport 5061 drop")),
    Fault("rst-tcp-5061", "TCP 5061 is refused by the firewall, with a forged reset",
          _add("block", "tcp dport 5061 reject with tcp reset")),
    Fault("udp-ports-rejected", "these UDP ports are refused: ICMP administratively prohibited",
          _block("udp dport {{ {} }} reject with icmp type admin-prohibited"), "49152-65535"),
    Fault("udp-unknown-dropped", "UDP is dropped unless it is STUN, SIP, DNS or NTP",
          _add("inspect", *(f'iifname "lan" {match} accept' for match in (
              "udp dport { 53, 123 }", "meta l4proto udp @th,96,32 0x2112a442",
              *(f"meta l4proto udp @th,64,32 {word}" for word in SIP_WORDS))),
               'iifname "lan" meta l4proto udp drop')),
    Fault("udp-replies-dropped", "UDP gets out, but no replies come back, except DNS's",
          _add("inspect", 'iifname "wan" udp sport != 53 drop')),
    Fault("udp-replies-dropped-from", "UDP gets out, and replies from these ports do not come back",
          _each("inspect", 'iifname "wan" udp sport {} drop'), "3478"),
    Fault("tcp-ports-rejected", "these TCP ports are refused: ICMP administratively prohibited",
          _block("tcp dport {{ {} }} reject with icmp type admin-prohibited"), "5061"),
    Fault("tcp-ports-blocked", "these TCP ports are dropped",
          _block("tcp dport {{ {} }} drop"), "5060,5061"),
    Fault("host-blocked", "nothing gets to these hosts or domains",
          _host_blocked, "turn1.example-calls.com"),
    Fault("host-rejected", "the same, but the firewall says so: ICMP administratively prohibited",
          _host_rejected, "turn1.example-calls.com"),
    Fault("host-reset", "the same, and TCP is answered with a reset in the host's name",
          _host_reset, "turn1.example-calls.com"),
    Fault("no-route", "the router says that it has no route to these networks", _no_route,
          "52.112.0.0/14"),
    Fault("flow-blocked", "one transport to one port of one host is dropped",
          _flow_blocked, "tcp:sip.example-calls.com:5061"),
    Fault("only-web", "only TCP 80 and 443 get out", _set(only="tcp dport { 80, 443 }")),
    Fault("web-only-proxy", "nothing gets out but through the proxy", _set(only="")),
    Fault("stun-inspected", "UDP packets with STUN's cookie are dropped, on any port",
          _add("inspect", "meta l4proto udp @th,96,32 0x2112a442 drop")),
    Fault("sip-inspected", "SIP requests are dropped, on any port, over UDP and TCP",
          _add("inspect", *(f"{where} {word} drop"
                            for where in ("meta l4proto udp @th,64,32", "meta l4proto tcp @ih,0,32")
                            for word in SIP_WORDS))),
    Fault("sip-5060-swallowed", "SIP over UDP 5060 gets out, and its replies never come back",
          _add("inspect", 'iifname "wan" udp sport 5060 drop')),
    Fault("long-hello-cut", "TLS ClientHellos of more than 1,000 bytes are dropped",
          _add("inspect", f"{CLIENT_HELLO} @ih,24,16 > 1000 drop")),
    Fault("long-hello-reset", "the same, and the connection is reset",
          _add("inspect", f"{CLIENT_HELLO} @ih,24,16 > 1000 reject with tcp reset")),
    Fault("split-hello-cut", "TLS ClientHellos of more than one packet are dropped",
          _add("inspect", f"{CLIENT_HELLO} @ih,24,16 > 1400 drop",
               f"{CLIENT_HELLO} @ih,24,16 > 220 ip length < 300 drop")),
    Fault("quic-rejected", "QUIC is refused on UDP 443, by the firewall's ICMP",
          _add("block", "udp dport 443 reject with icmp type admin-prohibited")),
    Fault("quic-dropped", "UDP 443 is dropped",
          _add("block", "udp dport 443 drop")),
    Fault("quic-initial-cut", "QUIC version 1 is dropped; questions for versions pass",
          _add("inspect", "udp dport 443 @th,72,32 0x00000001 drop")),
    Fault("quic-initial-rejected", "the same, and the firewall says so: ICMP",
          _add("inspect", "udp dport 443 @th,72,32 0x00000001 "
               "reject with icmp type admin-prohibited")),
    Fault("relay-cut-after", "flows to this port are cut after this many packets, both ways, as "
          "TRANSPORT:PORT:PACKETS", _cut_after, "udp:3478:12"),
    Fault("fragments-dropped", "IP fragments are dropped, both ways",
          _add("raw", "ip frag-off & 0x1fff != 0 drop")),
    Fault("fragments-dropped-inbound", "the same, but only of what comes in",
          _add("raw", 'iifname "wan" ip frag-off & 0x1fff != 0 drop')),
    Fault("sip-udp-inspected", "SIP requests over UDP are dropped, on any port",
          _add("inspect", *(f"meta l4proto udp @th,64,32 {word} drop" for word in SIP_WORDS))),
    Fault("turn-inspected", "TURN's Allocate over UDP is dropped, on any port; STUN passes",
          _add("inspect", "meta l4proto udp @th,64,16 0x0003 @th,96,32 0x2112a442 drop")),
    Fault("rate-limited", "a PC that meets more hosts than this in 10 s is shut out for a minute",
          _rate_limited, "30"),
    Fault("mtu-black-hole", "packets of more than this many bytes vanish, both ways",
          lambda plan, value: plan.inspect.append(f"meta length > {int(value)} drop"), "1400"),
    Fault("idle-timeout", "UDP bindings die after this many seconds",
          lambda plan, value: setattr(plan, "udp_timeout", int(value)), "5"),
    Fault("dscp-cleared", "the router clears the marks of packets",
          _add("mangle", "ip dscp set cs0")),
    Fault("rtp-dropped", "UDP that looks like RTP is dropped, whatever its port",
          _add("inspect", 'iifname "lan" udp dport != { 53, 123, 443 } '
               "meta l4proto udp @th,64,2 2 drop")),
    Fault("tcp-carries-nothing", "TCP connects, and what it carries is dropped",
          _add("inspect", 'iifname "lan" tcp flags & (syn | rst) == 0 drop')),
    Fault("tls-reset", "TLS hellos to 443 are answered with a reset, whoever they are for",
          _add("inspect", "tcp dport 443 @ih,0,16 0x1603 reject with tcp reset")),
    Fault("tls-dropped", "TLS hellos to 443 vanish, whoever they are for",
          _add("inspect", "tcp dport 443 @ih,0,16 0x1603 drop")),
    Fault("udp-new-flows", "this many new UDP flows a second get out, the rest are dropped",
          _new_flows, "4"),
    Fault("dead-path", "flows are spread over two paths, by their ports, and one path is dead",
          _add("block", "meta l4proto { tcp, udp } th sport & 2 == 0 drop")),
    Fault("ports-blocked", "these ports are dropped, over TCP and UDP",
          _block("meta l4proto {{ tcp, udp }} th dport {{ {} }} drop"), "5060"),
    Fault("only-vendor", "nothing gets out but what the documents of these sets list",
          _only_vendor, "rainbow"),
    Fault("only-list", "nothing gets out but what `callready firewall` lists for these sets",
          _only_list, "rainbow"),
    Fault("tcp-accepted", "a device accepts every TCP connection to elsewhere, and says no more",
          _set(accepts_all=True)),
    Fault("web-filter", "a filter hangs up on TLS that greets these domains (SNI)",
          lambda plan, value: plan.web_filter.extend(value.split(",")), "example-calls.com"),
]

THIS_COMPUTER = [
    Fault("pc-drops", "the PC's own firewall drops what it sends to these ports, as TRANSPORT:PORTS",
          _own_firewall("drop"), "udp:49152-65535"),
    Fault("pc-rejects", "the same, and it says so: ICMP port unreachable",
          _own_firewall("reject"), "udp:49152-65535"),
    Fault("pc-resets", "the PC's own firewall answers connections to these ports with a reset",
          lambda plan, value: _own_firewall("reject with tcp reset")(plan, f"tcp:{value}"), "5061"),
    Fault("pc-prohibits", "the same, with ICMP administratively prohibited",
          _own_firewall("reject with icmp type admin-prohibited"), "udp:49152-65535"),
    Fault("agent-takes-tcp", "a program on the PC takes its TCP connections to elsewhere, and says no "
          "more", _set(agent=True)),
    Fault("browser-policy", "the PC's administrator has set this policy of Chrome's, as NAME:VALUE",
          _browser_policy, "WebRtcIPHandling:disable_non_proxied_udp"),
    Fault("hosts-file", "the PC's hosts file has a name at this address, as NAME:ADDRESS",
          _hosts_file, "portal.example-calls.com:127.0.0.1"),
]

ADDRESSES = [
    Fault("small-mtu", "the line takes packets of this many bytes, and the router says so",
          lambda plan, value: setattr(plan, "wan_mtu", int(value)), "1400"),
    Fault("vpn-full-tunnel", "the PC's VPN carries all traffic", _set(vpn=["default"])),
    Fault("vpn-split", "the PC's VPN carries these networks only",
          lambda plan, value: setattr(plan, "vpn", value.split(",")), "172.16.0.0/12"),
    Fault("vpn-overlay", "the PC's VPN has addresses of 100.64/10, and carries all traffic",
          _set(vpn=["default"], vpn_net="100.64.0")),
    Fault("ipv6-broken", "IPv6 is announced on the LAN, and leads nowhere", _set(ipv6="broken")),
    Fault("ipv6", "IPv6 works, and some web servers have it", _set(ipv6="dual")),
    Fault("ipv6-vendor-dead", "IPv6 works, but not to these domains' hosts: packets there vanish",
          _ipv6_vendor_dead, "example-calls.com"),
    Fault("ipv6-elsewhere", "web servers have IPv6 addresses, and the site has none",
          _set(ipv6="elsewhere")),
    Fault("ipv6-only", "the PC has IPv6 only, with NAT64 and DNS64", _set(ipv6="nat64")),
    Fault("symmetric-nat", "every destination sees another port", _set(nat="symmetric")),
    Fault("tcp-elsewhere", "TCP leaves from another public address than UDP, this one",
          lambda plan, value: setattr(plan, "tcp_address", value), "84.199.10.9"),
    Fault("public-pool", "each flow leaves from one of four public addresses, at random",
          _set(nat="pool")),
    Fault("full-cone", "UDP from anywhere comes in once a port is in use", _set(nat="full-cone")),
    Fault("hairpin", "the PC's own outside addresses lead back to it", _hairpin),
    Fault("no-nat", "the PC has a public address, and no firewall", _no_nat),
    Fault("carrier-nat", "the provider translates again, from 100.64/10", _carrier),
    Fault("double-nat", "a second router at home translates again, from 192.168/16", _double),
    Fault("sip-alg", "the router rewrites SIP on port 5060", _set(sip_alg=True)),
]

HOPS = [
    Fault("unplugged", "the PC's network adapter is switched off", _set(pc_up=False)),
    Fault("no-signal", "the PC's cable is out; its address and routes are still there",
          _set(connection="no-signal")),
    Fault("no-address", "no DHCP server gives the PC an address", _set(connection="no-address")),
    Fault("no-gateway", "the PC has an address, and no default route",
          _set(connection="no-gateway")),
    Fault("gateway-silent", "the router does not answer the PC, not even ARP",
          _set(connection="gateway-silent")),
    Fault("provider-drops", "the provider drops these TCP ports",
          lambda plan, value: plan.provider_block.append(
              f"tcp dport {{ {value.replace(',', ', ')} }} drop"), "5060,5061"),
    Fault("provider-rejects", "the provider refuses these TCP ports: ICMP prohibited",
          lambda plan, value: plan.provider_block.append(
              f"tcp dport {{ {value.replace(',', ', ')} }} "
              "reject with icmp type admin-prohibited"), "5060,5061"),
    Fault("campus", "public addresses inside, this many more routers, the firewall on the last one",
          _campus, "1"),
    Fault("company", "private addresses inside, this many more routers, NAT and firewall on the "
          "last one", _company, "1"),
    Fault("provider-firewall", "the firewall is on this router after the site's line, 1 or 2",
          _provider_firewall, "1"),
    Fault("carrier-firewall", "the provider translates again, and the firewall is beyond",
          _carrier_firewall),
    Fault("mute-routers", "these routers do not say where packets died",
          lambda plan, value: plan.mute.extend(value.split(",")), "provider"),
    Fault("mute-branch", "flows take one of two ways behind the provider, and one is mute",
          _mute_branch),
    Fault("patient-routers", "routers say of every packet where it died, however many die",
          _set(icmp_limited=False)),
    Fault("routers-limited", "every router has Linux's limit of ICMP answers, the last one too",
          _set(far_limited=True)),
    Fault("mute-hops", "no router beyond the site says where packets died", _set(hops_mute=True)),
]

NAMES = [
    Fault("split-horizon", "the LAN's resolver gives inside addresses for these names, which answer",
          _split_horizon, "sip.example-calls.com"),
    Fault("dns-first-denies", "the PC has two resolvers, and its first denies this domain",
          lambda plan, value: setattr(plan, "denied", value), "example-calls.com"),
    Fault("dns-dead", "no resolver answers, neither the LAN's nor others",
          lambda plan: (plan.input.extend(f'iifname "lan" {t} dport 53 drop' for t in ("udp", "tcp")),
                        plan.block.extend(f"{t} dport 53 drop" for t in ("udp", "tcp")))),
    Fault("dns-local-only", "only the LAN's resolver can be asked",
          _add("block", "udp dport 53 drop", "tcp dport 53 drop")),
    Fault("dns-nxdomain", "the LAN's resolver denies these domains",
          _each("resolver", 'local-zone: "{}." always_nxdomain'), "example-calls.com"),
    Fault("search-wildcard", "the PC completes names by a domain in which every name leads to this "
          "address", _search_wildcard, "10.66.66.66"),
    Fault("doh-canary", "the LAN's resolver denies the name by which networks ask Firefox not to use "
          "DNS over HTTPS",
          _add("resolver", 'local-zone: "use-application-dns.net." always_nxdomain')),
    Fault("dns-policy", "the same by a response policy zone",
          _each("policy_zone", "{}"), "example-calls.com"),
    Fault("dns-rewritten", "the LAN's resolver gives a private address for these domains",
          _each("resolver", 'local-zone: "{}." redirect', 'local-data: "{}. A 10.66.66.66"'),
          "example-calls.com"),
    Fault("dns-sinkhole", "the LAN's resolver gives 0.0.0.0 for these domains",
          _each("resolver", 'local-zone: "{}." redirect', 'local-data: "{}. A 0.0.0.0"'),
          "example-calls.com"),
    Fault("block-page", "the LAN's resolver sends these domains to a filter's page, which answers TLS "
          "with its own certificate, as DOMAINS:ADDRESS", _block_page(True),
          "example-calls.com:146.112.61.106"),
    Fault("block-page-closed", "the same, and the page's address refuses all but plain HTTP",
          _block_page(False), "example-calls.com:146.112.61.106"),
    Fault("dns-refused", "the LAN's resolver refuses queries for these domains",
          _each("resolver", 'local-zone: "{}." always_refuse'), "example-calls.com"),
    Fault("dns-redirected", "port 53 leads to the LAN's resolver, whoever is asked, which denies these "
          "domains", _dns_redirected, "example-calls.com"),
    Fault("dns-upstream-dead", "the LAN's resolver answers, but reaches no other",
          _set(forwarders=["192.0.2.53"])),
    Fault("dns-late", "the LAN's resolver gets its answers this many milliseconds late",
          lambda plan, value: setattr(plan, "dns_delay_ms", float(value)), "1500"),
    Fault("name-gone", "these names no longer exist anywhere",
          lambda plan, value: plan.gone.update(value.split(",")), "portal.example-calls.com"),
    Fault("dns-slow", "every other query to the LAN's resolver is lost",
          _add("input", 'iifname "lan" udp dport 53 numgen inc mod 2 0 drop')),
    Fault("dns-servfail", "the LAN's resolver fails for these domains: their servers are not there",
          _each("stub_zone", "{}"), "example-calls.com"),
    Fault("dns-mute", "the LAN's resolver does not answer for these domains",
          _each("resolver", 'local-zone: "{}." always_deny'), "example-calls.com"),
    Fault("dns-tcp-only", "the LAN's resolver truncates its answers for these domains over UDP",
          _each("tcp_only_names", "{}"), "example-calls.com"),
    Fault("dns-tcp-dropped", "queries to the LAN's resolver over TCP vanish",
          _add("input", 'iifname "lan" tcp dport 53 drop')),
    Fault("dns-no-tcp", "the LAN's resolver refuses TCP",
          _add("input", 'iifname "lan" tcp dport 53 reject with tcp reset')),
]

WEB = [
    Fault("captive-portal", "a sign-in page answers plain HTTP, and nothing else gets out",
          lambda plan: (_set(portal=True, only="")(plan),
                        plan.block.append("tcp dport 443 reject with tcp reset"))),
    Fault("walled-garden", "the same, and these hosts can be reached before signing in",
          _walled_garden, "www.google.com,www.cloudflare.com"),
    Fault("tls-intercept", "TLS on 443 is opened, by an authority that the PC trusts",
          _set(intercept="trusted")),
    Fault("tls-intercept-unknown", "TLS on 443 is opened, by an authority that the PC does not know",
          _set(intercept="unknown")),
    Fault("captive-portal-silent", "the same, and TLS is dropped instead of refused",
          _set(portal=True, only="")),
    Fault("proxy-bumps", "the proxy opens TLS, with an authority that the PC trusts",
          _set(proxy_bumps="trusted")),
    Fault("proxy-bumps-unknown", "the proxy opens TLS, with an authority that the PC does not know",
          _set(proxy_bumps="unknown")),
    Fault("proxy-login", "the proxy wants a user name and a password", _set(proxy_login="Basic")),
    Fault("proxy-ntlm", "the proxy wants the login of a Windows domain (NTLM)",
          _set(proxy_login="NTLM")),
    Fault("proxy-negotiate", "the proxy wants a Kerberos ticket (Negotiate), which the PC has",
          _set(proxy_login="Negotiate")),
    Fault("wpad", "a PAC file that leads to the proxy is where WPAD looks for it", _wpad),
    Fault("spliced", "the device that opens TLS leaves that of these hosts alone",
          lambda plan, value: plan.spliced.extend(value.split(",")), "portal.example-calls.com"),
    Fault("inspector", "the device that opens TLS calls itself this",
          lambda plan, value: setattr(plan, "inspector", value), "Zscaler"),
    Fault("proxy-denied", "the proxy denies CONNECT to these ports",
          lambda plan, value: plan.proxy_rules.extend(
              ["acl denied port " + value.replace(",", " "), "acl tunnel method CONNECT",
               "http_access deny tunnel denied"]), "80,3478,5061"),
    Fault("proxy-down", "there is no proxy", _set(proxy_up=False)),
]

FAR_END = [
    Fault("offline", "the line to the provider is down", _set(wan_up=False)),
    Fault("turn-down", "the relays are not running: connections are refused", _down("turn")),
    Fault("sip-down", "the SIP servers are not running", _down("sip")),
    Fault("web-down", "no web server is running", _down("web")),
    Fault("hosts-refuse", "these web or SIP hosts themselves refuse TCP",
          _hosts_refuse, "portal.example-calls.com"),
    Fault("vendor-silent", "nothing answers at these hosts or domains: packets get as far as their "
          "network", _vendor_silent, "example-calls.com"),
    Fault("relays-udp-only", "the relays' 80 and 443 are closed",
          _add("far_relays", "tcp dport { 80, 443 } reject with tcp reset")),
    Fault("relays-udp-only-silent", "the relays' 80 and 443 are filtered, at their own end",
          _add("far_relays", "tcp dport { 80, 443 } drop")),
    Fault("sip-mute", "the SIP servers do not answer strangers' OPTIONS", _set(sip_mute=True)),
    Fault("media-loud", "media hosts answer that nothing listens yet", _set(media_loud=True)),
    Fault("ntp-down", "no time server is running", _down("ntp")),
    Fault("web-status", "the vendors' web servers answer with this status",
          lambda plan, value: setattr(plan, "web_status", int(value)), "403"),
    Fault("vendor-5xx", "the vendors' web servers answer 503", _set(web_status=503)),
    Fault("sip-5xx", "the SIP servers answer 503", _set(sip_status=(503, "Service Unavailable"))),
    Fault("sip-status", "the SIP servers answer OPTIONS with this status",
          _sip_status, "404 Not Found"),
    Fault("responder", "(no fault) this program's `serve` is out there, too",
          lambda plan, value: setattr(plan, "responder", value), "callready"),
    Fault("sip-mirror", "the SIP servers send back what they received", _set(sip_mirror=True)),
    Fault("tls-old", "the web servers of this domain know TLS 1.0 only",
          lambda plan, value: plan.old_tls.update(value.split(",")), "example-calls.com"),
    Fault("ntp-ahead", "the time servers are ahead by this many seconds",
          lambda plan, value: setattr(plan, "ntp_ahead_s", int(value)), "3600"),
    Fault("turn-quota", "the relays allow no more than this many allocations per user",
          lambda plan, value: plan.turn_options.append(f"user-quota={int(value)}"), "1"),
    Fault("turn-full", "the relays have this many ports for allocations, on each address",
          lambda plan, value: plan.turn_options.extend(
              ["min-port=49152", f"max-port={49151 + int(value)}"]), "1"),
    Fault("turn-password", "the relays know another password than the one given out",
          lambda plan: setattr(plan, "turn_password_given", plan.turn_password + "-old")),
    Fault("turn-peers-denied", "the relays let no peer in",
          _add("turn_options", "denied-peer-ip=0.0.0.0-255.255.255.255")),
    Fault("turn-no-loops", "the relays of a server do not talk to each other",
          lambda plan: plan.turn_options.extend(
              f"denied-peer-ip={address}" for turn in plan.internet.turn.values()
              for address in turn.addresses)),
    Fault("turn-no-udp-relay", "the relays relay TCP only", _add("turn_options", "no-udp-relay")),
    Fault("turn-no-tls", "the relays do not speak TLS on any port", _add("turn_options", "no-tls")),
    Fault("turn-secret", "the relays take time-limited credentials made with this secret",
          lambda plan, value: plan.turn_options.extend(
              ["use-auth-secret", f"static-auth-secret={value}"]), "north"),
    Fault("relays-dead", "allocations succeed, and nothing goes through them",
          _set(relays_dead=True)),
    Fault("certificate", f"a certificate is bad ({', '.join(KINDS)}), for this domain",
          _certificate, "expired:example-calls.com"),
    Fault("clock", "the whole internet's clock is ahead of the PC's by this many seconds",
          lambda plan, value: setattr(plan, "skew_s", float(value)), "7200"),
]

FAULTS = {fault.name: fault for fault in [*FIREWALL, *THIS_COMPUTER, *ADDRESSES, *HOPS, *NAMES, *WEB, *FAR_END]}


def apply_all(plan, wanted):
    """Applies faults given as NAME or NAME=VALUE."""
    for text in wanted:
        name, given, value = text.partition("=")
        fault = FAULTS.get(name)
        if fault is None:
            raise Unknown(f"no fault is called {name}; --list-faults shows them")
        if given and not fault.value:
            raise Unknown(f"the fault {name} takes no value")
        try:
            if fault.value:
                fault.apply(plan, value or fault.value)
            else:
                fault.apply(plan)
        except ValueError as error:
            raise Unknown(f"the fault {name} does not take {value}: {error}") from error
