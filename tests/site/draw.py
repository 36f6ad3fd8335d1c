"""Draws a site at random: its shape, its line, up to three faults, and the truth about each."""

import random
from dataclasses import dataclass, field

from .names import owner
from .truth import Effect, destinations

VENDORS = ("rainbow", "webex-partner", "cloudoe", "librestream", "quicklink")
NETWORK = {"network"}
STUN, SIP = ("stun", "nat"), ("sip", "sip-alg")  # by what a flow speaks


@dataclass
class Drawn:
    """A site, and what is true there."""
    seed: int
    sets: list
    faults: list = field(default_factory=list)
    line: dict = field(default_factory=dict)
    options: list = field(default_factory=list)
    effects: list = field(default_factory=list)

    def described(self):
        """In one line."""
        line = [f"{name}={value}" for name, value in self.line.items()]
        return " ".join([", ".join(self.sets) + ":", *(self.faults or ["nothing wrong"]), *line,
                         *self.options])


class _Draw:
    def __init__(self, seed, internet):
        self.random = random.Random(seed)
        self.internet = internet
        self.site = Drawn(seed, sorted(self.random.sample(VENDORS, self.random.choice((1, 1, 2)))))
        # Of the rows that a run may try which names no scenario.
        self.flows = [flow for one in self.site.sets for row in internet.rows[one].values()
                      if row.check and row.default and row.severity != "optional"
                      for flows in destinations(row) for flow in flows]

    def _effect(self, fault, share=lambda flow: 0, codes=None, **more):
        self.site.faults.append(fault)
        self.site.effects.append(Effect(fault, share, codes or {}, **more))

    # What is blocked. `dns` rows ask the LAN's own resolver, which no firewall here concerns.

    def _ports_of(self, transport):
        return sorted({f.first for f in self.flows if f.transport == transport and f.first == f.last
                       and f.speaks != "dns" and f.first not in (80, 443)})

    def _few_places(self, transport, first, last):
        """Whether so few destinations use these ports that a finding may name those instead."""
        return len({f.place for f in self.flows if f.transport == transport
                    and f.first <= last and f.last >= first}) <= 2

    def _at_or_below(self, name):
        """The addresses of a name and of those below it, which the site's faults mean by it."""
        return {a for n in self.internet.names_of(name) for a in self.internet.forward[n]}

    def _closed(self, fault, transport, first, last, codes):
        def share(flow):
            if flow.transport != transport or flow.speaks == "dns":
                return 0
            common = min(last, flow.last) - max(first, flow.first) + 1
            return max(0, common) / (flow.last - flow.first + 1)
        few = self._few_places(transport, first, last)
        if few:
            codes = {**codes, "firewall.flow_blocked": NETWORK,
                     "firewall.destination_blocked": NETWORK}
        self._effect(fault, share, codes, may=() if few else ("firewall.flow_blocked",))

    def udp_ports(self):
        ports, ranges = self._ports_of("udp"), [(10000, 65535), (49152, 65535), (40000, 65535)]
        first = self.random.randrange(10000, 50000)
        ranges.append((first, first + self.random.randrange(5000, 15000)))
        if ports and self.random.random() < 0.5:
            ranges = [(port, port) for port in ports]
        first, last = self.random.choice(ranges)
        how = self.random.choice(("blocked", "rejected"))
        text = f"{first}-{last}" if last > first else str(first)
        self._closed(f"udp-ports-{how}={text}", "udp", first, last,
                     {"firewall.udp_port_blocked": NETWORK, "firewall.udp_range_blocked": NETWORK})

    def tcp_port(self):
        ports = self._ports_of("tcp")
        if ports:
            port, how = self.random.choice(ports), self.random.choice(("blocked", "rejected"))
            self._closed(f"tcp-ports-{how}={port}", "tcp", port, port,
                         {"firewall.tcp_port_blocked": NETWORK})

    def sip_port(self):
        names = {f"firewall.{t}_port_blocked": NETWORK for t in ("tcp", "udp")}
        self._effect("ports-blocked=5060", lambda f: f.first == f.last == 5060,
                     {**names, "firewall.flow_blocked": NETWORK,
                      "firewall.destination_blocked": NETWORK})

    def host(self):
        names = sorted({f.name for f in self.flows if f.name and f.speaks != "dns"})
        if names:
            name, how = self.random.choice(names), self.random.choice(("blocked", "rejected", "reset"))
            addresses = self._at_or_below(name)
            self._effect(f"host-{how}={name}",
                         lambda f: f.place in addresses and f.speaks != "dns",
                         {"firewall.destination_blocked": NETWORK, "firewall.flow_blocked": NETWORK},
                         may=("firewall.*_port_blocked", "firewall.udp_range_blocked")
                         if len(names) <= 2 else ())

    def flow(self):
        choice = [f for f in self.flows if f.name and f.first == f.last and f.speaks != "dns"]
        if choice:
            chosen = self.random.choice(choice)
            addresses = self._at_or_below(chosen.name)
            same = {"firewall.udp_port_blocked": NETWORK, "firewall.tcp_port_blocked": NETWORK}
            self._effect(f"flow-blocked={chosen.transport}:{chosen.name}:{chosen.first}",
                         lambda f: f.place in addresses and f.transport == chosen.transport
                         and f.first == f.last == chosen.first,
                         {"firewall.flow_blocked": NETWORK, "firewall.destination_blocked": NETWORK,
                          **(same if self._few_places(chosen.transport, chosen.first, chosen.last)
                             else {})})

    def udp(self):
        fault = self.random.choice(("udp-blocked", "reject-udp", "udp-replies-dropped"))
        self._effect(fault, lambda f: f.transport == "udp" and f.speaks != "dns",
                     {"firewall.udp_blocked": NETWORK, "media.one_way": NETWORK})

    def new_flows(self):
        self._effect(f"udp-new-flows={self.random.randrange(2, 8)}",
                     lambda f: 0.1 if f.transport == "udp" and f.speaks != "dns" else 0,
                     {"firewall.new_flows_limited": NETWORK,
                      "firewall.rate_limited": {"security", "network"}}, due=False)

    def _has(self, fault):
        return any(effect.fault.startswith(fault) for effect in self.site.effects)

    def only_web(self):
        if self._has("only-vendor"):  # a firewall has one list
            return
        self._effect("only-web", lambda f: f.speaks != "dns" and not (
            f.transport == "tcp" and f.first == f.last and f.first in (80, 443)),
                     {"firewall.web_only": NETWORK}, may=("firewall.udp_blocked",))

    def inspection(self):
        fault, code, hit = self.random.choice((
            ("stun-inspected", "stun", lambda f: f.transport == "udp" and f.speaks in STUN),
            ("sip-inspected", "sip", lambda f: not f.tls and f.speaks in SIP),
            ("sip-udp-inspected", "sip", lambda f: f.transport == "udp" and f.speaks in SIP)))
        self._effect(fault, hit, {f"firewall.{code}_filtered": {"network", "security"}})

    def nothing_but_listed(self):
        """No finding at all is due: only the anchors are shut off, and nobody needs those."""
        if self._has("only-web"):
            return
        self._effect("only-vendor=" + ",".join(self.site.sets))

    # Names, TLS, the far end

    def dns(self):
        names = sorted({f.name for f in self.flows if f.name})
        if names:
            fault = self.random.choice(("dns-nxdomain", "dns-policy", "dns-refused", "dns-servfail",
                                        "dns-sinkhole", "dns-rewritten", "dns-redirected"))
            name = self.random.choice(names)
            domain = self.random.choice((name, owner(name)))
            self._effect(f"{fault}={domain}",
                         lambda f: f.name == domain or f.name.endswith("." + domain),
                         {"dns.filtered": {"dns"}, "dns.rewritten": {"dns"}})

    def interception(self):
        trusted = self.random.random() < 0.5
        self._effect("tls-intercept" if trusted else "tls-intercept-unknown",
                     lambda f: f.tls and f.first == 443 and (f.speaks in STUN or not trusted),
                     {"tls.intercepted": {"security"}},
                     concerns=lambda f: f.tls and f.first == 443 and f.speaks not in STUN)

    def down(self):
        fault, hit = self.random.choice((
            ("sip-down", lambda f: f.speaks in SIP),
            ("turn-down", lambda f: f.speaks in STUN)))  # all vendors': they all go down
        self._effect(fault, hit, {"vendor.down": {"vendor"}})

    # What concerns NAT

    def symmetric(self):
        self._effect("symmetric-nat", codes={"nat.symmetric": NETWORK},
                     concerns=lambda f: f.speaks == "nat",
                     sets=("cloudoe",))

    def alg(self):
        self._effect("sip-alg", codes={"sip.alg": NETWORK},
                     concerns=lambda f: f.speaks == "sip-alg" and f.transport == "udp",
                     sets=("cloudoe",))

    # Nothing works

    def total(self):
        fault, codes = self.random.choice((
            ("captive-portal", {"network.captive_portal": {"user"}}),
            ("captive-portal-silent", {"network.captive_portal": {"user"}}),
            ("web-only-proxy", {"network.offline": NETWORK, "proxy.required": {"proxy"}}),
            ("offline", {"network.offline": {"provider"}}), ("dns-dead", {"dns.unreachable": {"dns"}})))
        if fault == "dns-dead":
            self._effect(fault, lambda f: bool(f.name), codes)
        else:
            self._effect(fault, lambda f: f.speaks != "dns" or fault == "offline", codes)

    # The shape of the site, about which there is nothing to find

    def topology(self):
        n = self.random.randrange(1, 4)
        fault, may = self.random.choice((
            (f"campus={n}", ()), (f"company={n}", ()), (f"provider-firewall={min(n, 2)}", ()),
            ("carrier-firewall", ("nat.carrier_grade",)), ("mute-routers=provider", ()),
            ("mute-routers=exchange", ()), ("mute-branch", ()), ("double-nat", ("nat.double",)),
            ("carrier-nat", ("nat.carrier_grade",)), ("full-cone", ()), ("no-nat", ())))
        self._effect(fault, may=may)

    def draw(self):
        """The site."""
        pick, site = self.random, self.site
        count = pick.choices((0, 1, 2, 3), (20, 40, 25, 15))[0]
        if count and pick.random() < 0.1:
            self.total()
            return site
        if pick.random() < 0.5:
            self.topology()
        translated = not any(f.startswith(("campus", "no-nat", "full-cone")) for f in site.faults)
        kinds = [self.udp_ports, self.udp_ports, self.tcp_port, self.sip_port, self.host, self.flow,
                 self.udp, self.new_flows, self.only_web, self.inspection, self.nothing_but_listed,
                 self.dns, self.interception, self.down]
        kinds += [self.symmetric, self.alg] if translated else []
        for kind in dict.fromkeys(pick.sample(kinds, count)):
            kind()
        if pick.random() < 0.4:
            site.line = {"delay_ms": pick.randrange(5, 100), "jitter_ms": pick.randrange(0, 10),
                         "loss_percent": pick.choice((0, 0, 0.5, 1, 2))}
            site.effects.append(Effect("the line", lambda f: 0, may=("media.*", "network.loss")))
        if pick.random() < 0.1:
            site.options.append("--no-anchors")
        self._interplay()
        self._look_alike()
        return site

    def _interplay(self):
        """A device that opens TLS asks the servers itself, past the firewall of its own router."""
        faults = [effect.fault for effect in self.site.effects]
        if not any(f.startswith("tls-intercept") for f in faults) or any(
                f.startswith(("campus", "company", "provider-f", "carrier-f")) for f in faults):
            return
        for effect in self.site.effects:
            if effect.fault.startswith(("host-", "flow-")):
                effect.share = lambda flow, inner=effect.share: (
                    0 if flow.transport == "tcp" and flow.first == 443 else inner(flow))

    def _answered_over_udp(self):
        """Whether the vendors have anybody who answers everybody over UDP."""
        return any(f.transport == "udp" and f.speaks in (*STUN, *SIP) for f in self.flows)

    def _look_alike(self):
        """What looks like something else, because what would tell the two apart is shut as well."""
        faults = {effect.fault.partition("=")[0] for effect in self.site.effects}
        lonely = "only-vendor" in faults or bool(self.site.options)
        for effect in self.site.effects:
            if faults & {"provider-firewall", "carrier-firewall"}:  # that it is lost out there is true
                effect.codes = {code: owners | {"vendor"} if owners == NETWORK else owners
                                for code, owners in effect.codes.items()}
            if effect.fault == "only-web" and len(faults) > 1:  # what else would show it may be shut
                effect.codes["firewall.udp_blocked"] = NETWORK
            if lonely:  # nobody unrelated to the vendor answers
                effect.due = False
                if effect.fault == "udp-replies-dropped" and not self._answered_over_udp():
                    effect.share = lambda flow, inner=effect.share: 0.1 if inner(flow) else 0
                effect.may += ("firewall.*",) if effect.codes and "firewall" in str(effect.codes) else ()
                effect.may += ("tls.untrusted",) if effect.fault.startswith("tls-") else ()
            if effect.fault == "sip-alg" and faults & {"carrier-nat", "double-nat", "carrier-firewall"}:
                effect.due = False  # the second NAT hides that the first one has changed addresses
            if effect.fault.startswith("dns-") and faults & {"only-web", "only-vendor"}:
                effect.due = False  # the only resolver that can be asked may be right


def draw(seed, internet):
    """The site of this seed; always the same."""
    return _Draw(seed, internet).draw()
