"""PC - router - provider - internet: namespaces, links, addresses, routes and nftables rules.

        PC            router           provider          internet ---- one namespace per TURN set
    10.20.0.23    .1 10.20.0.0/24
                  .2 84.199.10.0/24 .1
                                     .1 62.4.8.0/24 .2   ---- "quiet": every other address

The first namespace of the site is the PC's, so whatever is started without care is on the PC.
"""

import subprocess

from . import isolation
from .plan import Plan, PUBLIC_RESOLVERS
from .tools import tool

CORE = "62.4.8"        # provider .1, internet .2
SIP_INSIDE = "10.99.0"  # where kamailio listens; the public addresses are translated to it


class Topology:
    """The namespaces of a site, wired up."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.pc = isolation.Namespace("pc", existing=True)
        self.router = isolation.Namespace("router")
        self.provider = isolation.Namespace("provider")
        self.internet = isolation.Namespace("internet")
        self.quiet = isolation.Namespace("quiet")
        self.wire = isolation.Namespace("wire") if plan.needs_wire else None
        self.turn = {name: isolation.Namespace(f"turn-{name}") for name in plan.internet.turn}
        for space in self.spaces():
            with space:
                self._sysctl()
                _ip("link set lo up")

    def spaces(self):
        """All namespaces, the PC's first."""
        spaces = [self.pc, self.router, self.provider, self.internet, self.quiet]
        return spaces + ([self.wire] if self.wire else []) + list(self.turn.values())

    @staticmethod
    def _sysctl():
        for name, value in (("ipv4/ip_forward", "1"), ("ipv4/conf/all/rp_filter", "0"),
                            ("ipv4/conf/default/rp_filter", "0"),
                            ("ipv6/conf/default/disable_ipv6", "1")):
            with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
                file.write(value)

    def build(self):
        """Links, addresses and routes."""
        plan = self.plan
        self._link(self.pc, "eth0", self.router, "lan")
        self._link(self.router, "wan", self.provider, "site")
        if self.wire:
            self._link(self.provider, "core", self.wire, "near")
            self._link(self.wire, "far", self.internet, "core")
        else:
            self._link(self.provider, "core", self.internet, "core")
        self._link(self.internet, "quiet", self.quiet, "core")
        with self.pc:
            _ip(f"addr add {plan.pc}/24 dev eth0", f"route add default via {plan.router}")
        with self.router:
            _ip(f"addr add {plan.router}/24 dev lan", f"addr add {plan.proxy}/24 dev lan",
                f"addr add {plan.wan}.2/24 dev wan", f"route add default via {plan.wan}.1")
            if not plan.wan_up:
                _ip("link set wan down")
        with self.provider:
            _ip(f"addr add {plan.wan}.1/24 dev site", f"addr add {CORE}.1/24 dev core",
                f"route add default via {CORE}.2")
            if plan.nat == "none":
                _ip(f"route add {plan.lan}.0/24 via {plan.wan}.2")
        self._build_internet()
        self._rules()

    def _build_internet(self):
        plan = self.plan
        commands = [f"addr add {CORE}.2/24 dev core", "addr add 62.4.9.1/30 dev quiet"]
        if not plan.provider_nat:
            commands.append(f"route add {plan.wan}.0/24 via {CORE}.1")
        if plan.nat == "none":
            commands.append(f"route add {plan.lan}.0/24 via {CORE}.1")
        commands += [f"route add local {a} dev lo" for a in PUBLIC_RESOLVERS]
        commands += [f"route add local {a} dev lo" for a in {*plan.internet.web,
                                                             *plan.internet.sip}]
        commands.append(f"addr add {SIP_INSIDE}.1/24 dev lo")
        commands += [f"addr add {SIP_INSIDE}.{n}/32 dev lo" for n in range(2, 30)]
        commands.append("route add default via 62.4.9.2")
        for number, (name, space) in enumerate(self.turn.items()):
            link, net = f"turn{number}", f"62.4.{10 + number}"
            self._link(self.internet, link, space, "core")
            commands.append(f"addr add {net}.1/30 dev {link}")
            with space:
                addresses = plan.internet.turn[name].addresses
                _ip(f"addr add {net}.2/30 dev core", f"route add default via {net}.1",
                    *(f"route add local {a} dev lo" for a in addresses))
            commands += [f"route add {a} via {net}.2" for a in addresses]
        with self.internet:
            _ip(*commands)
        with self.quiet:
            _ip("addr add 62.4.9.2/30 dev core", "route add default via 62.4.9.1",
                "route add local default dev lo table 50", "rule add iif core lookup 50")

    @staticmethod
    def _link(one, one_name, other, other_name):
        with one:
            _ip(f"link add name {one_name} type veth peer name {other_name} netns {other.path}",
                f"link set {one_name} up")
        with other:
            _ip(f"link set {other_name} up")

    def _rules(self):
        plan = self.plan
        with self.router:
            _nft(router_rules(plan))
        if plan.provider_nat:
            with self.provider:
                _nft(_chain("nat", "postrouting", "srcnat", 'oifname "core" masquerade'))
        with self.internet:
            _nft(internet_rules(plan))
        with self.quiet:  # no known listener: whatever arrives is never answered
            _nft(_chain("filter", "input", "filter", 'iifname "core" drop'))
        for name, space in self.turn.items():
            with space:
                _nft(turn_rules(plan.internet.turn[name]))


def router_rules(plan):
    """The site's firewall and NAT. Replies first: a rule against high UDP ports must not eat DNS
    replies."""
    block = "\n".join(plan.block)
    if plan.only is not None:
        block += f"\n{plan.only} accept" if plan.only else ""
        block += "\ndrop"
    nat = {"masquerade": 'oifname "wan" masquerade',
           "symmetric": 'oifname "wan" masquerade fully-random',
           "full-cone": 'oifname "wan" masquerade', "none": ""}[plan.nat]
    back = f'iifname "wan" meta l4proto udp dnat to {plan.pc}' if plan.nat == "full-cone" else ""
    from_outside = "" if plan.nat in ("full-cone", "none") else 'iifname "wan" drop'
    redirects = "\n".join(plan.prerouting)
    alg = """
        ct helper sip-udp { type "sip" protocol udp; }
        ct helper sip-tcp { type "sip" protocol tcp; }
        chain alg { type filter hook prerouting priority filter;
            iifname "lan" udp dport 5060 ct helper set "sip-udp"
            iifname "lan" tcp dport 5060 ct helper set "sip-tcp"
        }""" if plan.sip_alg else ""
    own = "\n".join(plan.input)
    return f"""
    table ip site {{{alg}
        chain from_lan {{
            {block}
        }}
        chain through {{ type filter hook forward priority filter;
            ct state established,related accept
            iifname "lan" jump from_lan
            {from_outside}
        }}
        chain own {{ type filter hook input priority filter;
            ct state established,related accept
            {own}
            iifname "wan" meta l4proto != icmp drop
        }}
        chain before {{ type nat hook prerouting priority dstnat;
            {redirects}
            {back}
        }}
        chain after {{ type nat hook postrouting priority srcnat;
            {nat}
        }}
    }}"""


def internet_rules(plan):
    """SIP addresses are translated to kamailio; UDP that nobody serves is never answered."""
    net = plan.internet
    translate = []
    if net.sip:
        everyone = _set(net.sip)
        for transport, ports in (("udp", net.sip_udp_ports), ("tcp", net.sip_tcp_ports)):
            if ports:
                translate.append(f"ip daddr {everyone} {transport} dport {_set(ports)} "
                                 f"dnat to {SIP_INSIDE}.1:5060")
        for number, (_, addresses) in enumerate(sip_owners(net), start=1):
            if net.sip_tls_ports:
                translate.append(f"ip daddr {_set(addresses)} tcp dport {_set(net.sip_tls_ports)} "
                                 f"dnat to {SIP_INSIDE}.{number}:5061")
    rules = "\n".join(translate)
    return f"""
    table ip site {{
        chain before {{ type nat hook prerouting priority dstnat;
            {rules}
        }}
        chain in {{ type filter hook input priority filter;
            iifname != "core" accept
            udp dport {{ 53, 123, 5060 }} accept
            meta l4proto udp drop
        }}
    }}"""


def turn_rules(turn):
    """coturn listens on 3478, 443 and 80; a set's other ports lead there. Not its media ports."""
    rules = []
    for transport, ports, to in (("udp", turn.udp_ports - {3478}, 3478),
                                 ("tcp", turn.tcp_ports - {3478, 80, 443}, 3478),
                                 ("tcp", turn.tls_ports - {80, 443}, 443)):
        if ports:
            rules.append(f"ip daddr {_set(turn.addresses)} {transport} dport {_set(ports)} "
                         f"dnat to :{to}")
    return _chain("nat", "prerouting", "dstnat", *rules)


def _chain(kind, hook, priority, *rules):
    lines = "\n".join(rules)
    return f"""
    table ip site {{
        chain only {{ type {kind} hook {hook} priority {priority};
            {lines}
        }}
    }}"""


def sip_owners(net):
    """[(owner, addresses)]: kamailio has one TLS socket, with its own certificate, for each."""
    from .names import owner  # pylint: disable=import-outside-toplevel
    owners = {}
    for address, names in net.sip.items():
        owners.setdefault(owner(min(names)) if names else address, []).append(address)
    return list(owners.items())[:29]


def _set(values):
    return "{ " + ", ".join(str(v) for v in sorted(values)) + " }"


def _run(argv, text):
    done = subprocess.run(argv, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}\n{text}")


def _ip(*commands):
    _run([tool("ip"), "-batch", "-"], "\n".join(commands) + "\n")


def _nft(rules):
    _run([tool("nft"), "-f", "-"], rules)
