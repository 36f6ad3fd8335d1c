"""Voice servers of the internet side: relays, plain STUN and SIP."""

from .names import owner
from .rules import SIP_INSIDE, SIP_PORT, SIPS_PORT, STUN_INSIDE
from .server import Server, udp

BINDING = bytes.fromhex("000100002112a442") + bytes(12)  # a STUN request, RFC 8489 section 5
OPTIONS = (b"OPTIONS sip:ready SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKready\r\n"
           b"Max-Forwards: 70\r\nFrom: <sip:ready@site>;tag=1\r\nTo: <sip:ready@site>\r\n"
           b"Call-ID: ready\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


def turn(plan, name, space, authority):
    """coturn: STUN and TURN for one set, on UDP and TCP 3478, TLS 443 and plain TCP 80."""
    server = Server(f"turn-{name}", space)
    group = plan.internet.turn[name]
    chain, key = authority.issue(f"turn-{name}", group.names, group.addresses,
                                 plan.certificates.get(owner(min(group.names, default=""))))
    listen = "\n".join(f"listening-ip={a}" for a in group.addresses)
    # coturn shuffles all ports of each address that it gives relays on, which takes a while.
    listen += "".join(f"\nrelay-ip={a}" for a in group.addresses[:2])
    more = "\n".join(plan.turn_options)
    # coturn speaks TLS or plain, whichever arrives, on its TLS ports: 80 is the second of them.
    # Two addresses give it what RFC 5780 asks for (OTHER-ADDRESS), on 3479.
    config = server.write("turnserver.conf", f"""
listening-port=3478
tls-listening-port=443
alt-tls-listening-port=80
{listen}
min-port=49152
max-port=65535
fingerprint
lt-cred-mech
user=site:{plan.turn_password}
realm=site
cert={chain}
pkey={key}
no-cli
no-dtls
no-multicast-peers
userdb={server.path('turn.db')}
pidfile={server.path('pid')}
log-file=stdout
{more}
""")
    return server.start("turnserver", "-c", config, probe=udp(group.addresses[-1], 3478, BINDING))


def stun(space):
    """coturn as a plain STUN server, which has no other address to tell of (RFC 5780)."""
    server = Server("stun", space)
    config = server.write("turnserver.conf", f"""
listening-port=3478
listening-ip={STUN_INSIDE}.2
stun-only
no-rfc5780
no-tls
no-dtls
no-cli
userdb={server.path('turn.db')}
pidfile={server.path('pid')}
log-file=stdout
""")
    return server.start("turnserver", "-c", config, probe=udp(f"{STUN_INSIDE}.2", 3478, BINDING))


def sip_certificates(net):
    """(owner, label, names, addresses) of all who have a SIP server."""
    for who, addresses in net.sip_owners():
        names = {n for a in addresses for n in net.sip[a]}
        # RFC 5922 section 4: a phone that comes by SRV looks for the domain.
        yield who, f"sip-{who}", names | ({who} - set(addresses)), addresses


def sip(plan, space, authority):
    """kamailio: answers OPTIONS, and turns everything else down politely."""
    server = Server("sip", space)
    sockets, tls = [], []
    for number, (who, *what) in enumerate(sip_certificates(plan.internet), start=1):
        chain, key = authority.issue(*what, plan.certificates.get(who))
        sockets.append(f"listen=tls:{SIP_INSIDE}.{number}:{SIPS_PORT}")
        tls.append(f"[server:{SIP_INSIDE}.{number}:{SIPS_PORT}]\nmethod = TLSv1.2+\n"
                   f"certificate = {chain}\nprivate_key = {key}\n")
    tls_file = server.write("tls.cfg", "[server:default]\nmethod = TLSv1.2+\n"
                            f"certificate = {chain}\nprivate_key = {key}\n" + "".join(tls))
    code, reason = plan.sip_status
    # As it came, in base64, which nothing on the way back can change.
    mirror = ('set_reply_body("$(mb{s.encode.base64})", "application/octet-stream");'
              if plan.sip_mirror else "")
    listen = "\n".join(sockets)
    config = server.write("kamailio.cfg", f"""#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
# One worker for all connections: several share OpenSSL's list of errors, and crash over it
# (Kamailio's issue 3695).
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
tcp_accept_no_cl=yes
listen=udp:{SIP_INSIDE}.1:{SIP_PORT}
listen=tcp:{SIP_INSIDE}.1:{SIP_PORT}
{listen}
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "maxfwd.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "textopsx.so"
modparam("tls", "config", "{tls_file}")
request_route {{
  if (method == "ACK") exit;
  if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  {"if (src_ip != 10.99.0.1) exit;" if plan.sip_mute else ""}
  {mirror}
  if (method == "OPTIONS") {{
    append_to_reply("Allow: OPTIONS, INVITE, ACK, CANCEL, BYE\\r\\n");
    sl_send_reply("{code}", "{reason}");
    exit;
  }}
  if (method == "UPDATE") {{
    sl_send_reply("481", "Call/Transaction Does Not Exist");
    exit;
  }}
  sl_send_reply("403", "Not here");
}}
""")
    # TLSF: with the default allocator, most of the start is a search for free memory.
    return server.start("kamailio", "-DD", "-E", "-x", "tlsf", "-m", "32", "-M", "4", "-Y",
                        server.folder, "-P", server.path("pid"), "-f", config,
                        probe=udp(f"{SIP_INSIDE}.1", SIP_PORT, OPTIONS))
