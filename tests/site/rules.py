"""nftables rules of the routers, the internet side and the relays; text from a plan."""

from .plan import PUBLIC_RESOLVERS

SIP_INSIDE = "10.99.0"      # where kamailio listens; the public addresses are translated to it
STUN_INSIDE = "10.98.0"     # likewise the plain STUN server, .2
SIP_PORT, SIPS_PORT = 15060, 15061  # not 5060 and 5061, where nginx may listen for a set
PORTAL_PORT = 8080
ACCEPT_PORT = 8081
INTERCEPT_PORT = 3130


def router(plan):
    """The first router: what is led elsewhere on the LAN, and what reaches itself."""
    redirect = list(plan.redirect)
    if plan.portal:
        redirect.append(f'iifname "lan" tcp dport 80 dnat to {plan.router}:{PORTAL_PORT}')
    if plan.intercept or plan.web_filter:
        redirect.append(f'iifname "lan" tcp dport 443 dnat to {plan.router}:{INTERCEPT_PORT}')
    if plan.accepts_all:
        redirect.append(f'iifname "lan" ip daddr != {plan.lan}.0/24 meta l4proto tcp '
                        f"dnat to {plan.router}:{ACCEPT_PORT}")
    if plan.nat == "full-cone":
        redirect.append(f'iifname "wan" meta l4proto udp dnat to {plan.pc}')
    return f"""
    table ip site {{
        {_firewall(plan) if plan.firewall_at == "router" else ""}
        {_nat(plan) if plan.nat_at == "router" else ""}
        chain own {{ type filter hook input priority filter;
            {_lines(plan.input)}
            ct state established,related accept
            iifname "wan" meta l4proto != icmp drop
        }}
        chain before {{ type nat hook prerouting priority dstnat;
            {_lines(redirect)}
        }}
        chain raw {{ type filter hook prerouting priority -450;
            {_lines(plan.raw)}
        }}
        chain marks {{ type filter hook postrouting priority mangle;
            {_lines([f'oifname "wan" {rule}' for rule in plan.mangle])}
        }}
        {_mute("router" in plan.mute)}
    }}"""


def _firewall(plan):
    """Replies first: a rule against high UDP ports must not eat DNS replies."""
    block = "\n".join(plan.block + plan.allow)
    if plan.firewall_at != "router":  # there the LAN's resolver is one of those that ask to go out
        block = f"ip daddr {_set(PUBLIC_RESOLVERS)} meta l4proto {{ tcp, udp }} th dport 53 accept\n" + block
    if plan.only is not None:
        block += f"\n{plan.only} accept" if plan.only else ""
        block += "\ndrop"
    open_to_all = plan.firewall_at == "router" and plan.nat in ("full-cone", "none")
    return f"""
        {_lines(plan.sets)}
        chain from_lan {{
            {block}
        }}
        chain through {{ type filter hook forward priority filter;
            {_lines(plan.inspect)}
            ct state established,related accept
            iifname "lan" jump from_lan
            {"" if open_to_all else 'iifname "wan" drop'}
        }}"""


def _nat(plan):
    nat = {"masquerade": 'oifname "wan" masquerade',
           "pool": f'oifname "wan" snat to {plan.wan}.20-{plan.wan}.23 fully-random',
           "symmetric": 'oifname "wan" masquerade fully-random',
           "full-cone": 'oifname "wan" masquerade', "none": ""}[plan.nat]
    if plan.tcp_address:
        nat = f'oifname "wan" meta l4proto tcp snat to {plan.tcp_address}\n            {nat}'
    if plan.hairpin:
        nat += '\n            iifname "lan" oifname "lan" masquerade'
    alg = """
        ct helper sip-udp { type "sip" protocol udp; }
        ct helper sip-tcp { type "sip" protocol tcp; }
        chain alg { type filter hook prerouting priority filter;
            iifname "lan" udp dport 5060 ct helper set "sip-udp"
            iifname "lan" tcp dport 5060 ct helper set "sip-tcp"
        }""" if plan.sip_alg else ""
    return f"""{alg}
        chain after {{ type nat hook postrouting priority srcnat;
            {nat}
        }}"""


def further_router(plan, hop):
    """Any other router, which may be the firewall, the NAT or the provider."""
    parts = [_mute(hop.mute)]
    if hop.name == plan.firewall_at:
        parts.append(_firewall(plan))
    if hop.name == plan.nat_at:
        parts.append(_nat(plan))
    if hop.name == "provider":
        # Of a tunnel, the concentrator's own address is all that the world gets to see.
        tunnel = f'ip saddr {plan.vpn_net}.0/24 oifname "wan*" masquerade' if plan.vpn else ""
        nat = 'oifname "wan*" masquerade' if plan.provider_nat else ""
        parts.append(f"""
        chain carrier {{ type nat hook postrouting priority srcnat;
            {tunnel}
            {nat}
        }}
        chain filter {{ type filter hook forward priority filter;
            {_lines(plan.provider_block)}
        }}""")
    return "table ip site {\n" + "\n".join(parts) + "\n}"


def agent(plan):
    """The PC's own: what leaves it over TCP ends at a program of its own."""
    return chain("nat", "output", "-100",
                 f"ip daddr != {{ 127.0.0.0/8, {plan.lan}.0/24 }} meta l4proto tcp "
                 f"redirect to :{ACCEPT_PORT}")


def branch(plan, name):
    """One of the parallel routers behind the provider."""
    return "table ip site {\n" + _mute(plan.hops_mute or name in plan.mute) + "\n}"


def _mute(mute):
    """Routers need not say where packets died."""
    if not mute:
        return ""
    return "chain out { type filter hook output priority filter; icmp type time-exceeded drop; }"


def internet(plan):
    """SIP and STUN addresses are translated to their servers; UDP that nobody serves is never
    answered, as with media servers that wait for a call."""
    net = plan.internet
    translate = []
    if net.sip:
        everyone = _set(net.sip)
        for transport, ports in (("udp", net.sip_udp_ports), ("tcp", net.sip_tcp_ports)):
            if ports:
                translate.append(f"ip daddr {everyone} {transport} dport {_set(ports)} "
                                 f"dnat to {SIP_INSIDE}.1:{SIP_PORT}")
        for number, (_, addresses) in enumerate(net.sip_owners(), start=1):
            if net.sip_tls_ports:
                translate.append(f"ip daddr {_set(addresses)} tcp dport {_set(net.sip_tls_ports)} "
                                 f"dnat to {SIP_INSIDE}.{number}:{SIPS_PORT}")
    if net.stun:
        translate += [f"ip daddr {_set(net.stun)} {transport} dport {_set(net.stun_ports)} "
                      f"dnat to {STUN_INSIDE}.2:3478" for transport in ("udp", "tcp")]
    return f"""
    table ip site {{
        chain before {{ type nat hook prerouting priority dstnat;
            {_lines(translate)}
        }}
        chain in {{ type filter hook input priority filter;
            iifname != "lan" accept
            {_lines(plan.far)}
            udp dport {{ 53, 123, {SIP_PORT} }} accept
            ip daddr {_set(net.quic)} udp dport 443 accept
            meta l4proto udp drop
        }}
        {_mute(plan.hops_mute) or _EDGE}
    }}"""


# The last router before a destination is one of that network: its error comes from address 254 of
# the destination's /24, which the packet that died names (after 8 bytes of ICMP, 16 of IP).
_EDGE = """chain out { type filter hook output priority filter;
            icmp type time-exceeded ip saddr set @th,192,32 & 0xffffff00 | 0x000000fe
        }"""


def relay(plan, turn):
    """coturn listens on 3478, 443 and 80; a set's other ports lead there."""
    rules = []
    for transport, ports, to in (("udp", turn.udp_ports - {3478}, 3478),
                                 ("tcp", turn.tcp_ports - {3478, 80, 443}, 3478),
                                 ("tcp", turn.tls_ports - {80, 443}, 443)):
        if ports:
            rules.append(f"ip daddr {_set(turn.addresses)} {transport} dport {_set(ports)} "
                         f"dnat to :{to}")
    return f"""
    table ip site {{
        chain before {{ type nat hook prerouting priority dstnat;
            {_lines(rules)}
        }}
        chain in {{ type filter hook input priority filter;
            {_lines(plan.far_relays)}
            {"udp dport 49152-65535 drop" if plan.relays_dead else ""}
        }}
        chain out {{ type filter hook output priority filter;
            {"udp sport 49152-65535 drop" if plan.relays_dead else ""}
        }}
    }}"""


def chain(kind, hook, priority, *rules):
    """A table with one chain."""
    return f"""
    table ip site {{
        chain only {{ type {kind} hook {hook} priority {priority};
            {_lines(rules)}
        }}
    }}"""


def _lines(rules):
    return "\n            ".join(rules)


def _set(values):
    return "{ " + ", ".join(str(v) for v in sorted(values)) + " }"
