"""What runs on the LAN's side, all on the router: the resolver, the web proxy, a captive portal."""

import os
import shutil
import subprocess
import sys

from . import kerberos
from .certificates import Authority
from .plan import FOLDER, LAN_V6, NAT64, PUBLIC_RESOLVERS
from .rules import ACCEPT_PORT, INTERCEPT_PORT, PORTAL_PORT
from .server import Server, nginx, says, tcp
from .tools import beside, must, squid_helper, tool

PROXY_PORT, HTTPS_PROXY_PORT = 3128, 3129
HIDDEN_DNS = "127.0.0.53"


def resolver(plan, space):
    """unbound: the LAN's resolver, forwarding over the WAN. All the servers that this takes."""
    server = Server("resolver", space)
    own, others = plan.router, []
    if plan.dns_delay_ms:  # somebody else answers in its place, late
        own = HIDDEN_DNS
        late = Server("late-dns", space)
        others = [late.start(sys.executable, beside("late_dns.py"), plan.router, own,
                             str(plan.dns_delay_ms), probe=says(late, "listening"))]
    forwards = "\n".join(f"  forward-addr: {a}" for a in plan.forwarders)
    # A server that is not there is given up soon, before the clients give up themselves.
    soon = 50 + round(2 * (plan.delay_ms + plan.jitter_ms))
    hasty = ["do-not-query-localhost: no", f"unknown-server-time-limit: {soon}",
             "outbound-msg-retry: 1", f"infra-cache-min-rtt: {soon}",
             f"infra-cache-max-rtt: {2 * soon}"] if plan.stub_zone else []
    lines = "\n".join("  " + line for line in [*plan.resolver, *hasty])
    policy = "".join(f'stub-zone:\n  name: "{n}."\n  stub-addr: 127.0.0.1@9\n'
                     for n in plan.stub_zone)
    actions = [(n, ".") for n in plan.policy_zone] + [
        (n, "rpz-tcp-only.") for n in plan.tcp_only_names]
    if actions:
        zone = server.write("policy.zone", "$TTL 60\n@ SOA policy.site. admin.policy.site. "
                            "1 60 60 60 60\n@ NS policy.site.\n" +
                            "".join(f"{n} CNAME {a}\n*.{n} CNAME {a}\n" for n, a in actions))
        policy += f'rpz:\n  name: "policy.site."\n  zonefile: "{zone}"\n'
    six, modules = "  do-ip6: no", "respip iterator"
    if plan.ipv6 == "nat64":
        six = (f"  interface: {LAN_V6}1\n  access-control: ::0/0 allow\n  do-ip6: yes\n"
               f"  prefer-ip4: yes\n  dns64-prefix: {NAT64}/96")
        modules = "dns64 " + modules
    config = server.write("unbound.conf", f"""
server:
  interface: {own}
  access-control: 0.0.0.0/0 allow
{six}
  do-daemonize: no
  use-syslog: no
  verbosity: 1
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{server.folder}"
  pidfile: ""
  module-config: "{modules}"
  ede: yes
  hide-version: yes
{lines}
remote-control:
  control-enable: no
{policy}forward-zone:
  name: "."
{forwards}
""")
    return [*others, server.start("unbound", "-d", "-c", config, probe=tcp(own, 53))]


def web_filter(plan, space):
    """Hangs up on TLS that greets unwanted names, and lets all else pass as it is."""
    return Server("web-filter", space).start(
        sys.executable, beside("sni_filter.py"), plan.router, str(INTERCEPT_PORT),
        *plan.web_filter, probe=tcp(plan.router, INTERCEPT_PORT))


def accept_all(address, space):
    """Takes every TCP connection that was led here, and never says a word."""
    return Server("accept-all", space).start(
        sys.executable, beside("accept_all.py"), address, str(ACCEPT_PORT),
        probe=tcp(address, ACCEPT_PORT))


def proxy(plan, space, trust, authority):
    """squid: an explicit proxy, and where the plan says so one that opens everybody's TLS.

    It asks the public resolvers itself, as a company's proxy would.
    """
    server = Server("proxy", space)
    login = _login(plan, server) if plan.proxy_login else ""
    opens = plan.intercept or plan.proxy_bumps
    made_by = _inspection(plan) if opens else ""
    # Where it opens no TLS it opens none itself: the authorities that it would trust then take a while.
    intercept = (_intercept(plan, server, trust, made_by) if opens
                 else "tls_outgoing_options default-ca=off\n")
    bump = f" ssl-bump {made_by}" if plan.proxy_bumps else ""
    last = "http_access allow known" if plan.proxy_login else "http_access allow all"
    rules = "\n".join(plan.proxy_rules)
    chain, key = authority.issue("proxy", {"proxy.site"}, [plan.proxy])
    config = server.write("squid.conf", f"""
http_port {plan.proxy}:{PROXY_PORT}{bump}
https_port {plan.proxy}:{HTTPS_PROXY_PORT} tls-cert={chain} tls-key={key}
visible_hostname proxy.site
pid_filename none
cache deny all
cache_mem 8 MB
access_log stdio:{server.path('access.log')}
cache_log stdio:{server.path('cache.log')}
cache_store_log none
coredump_dir none
netdb_filename none
pinger_enable off
hosts_file none
dns_nameservers {' '.join(PUBLIC_RESOLVERS)}
dns_v4_first on
shutdown_lifetime 0 seconds
max_filedescriptors 2048
{login}{intercept}{rules}
{last}
""")
    # squid refuses to be root. A user namespace in which it is somebody else costs no privilege.
    return server.start("squid", "-N", "-f", config, probe=tcp(plan.proxy, PROXY_PORT),
                        prefix=[tool("unshare"), "--user", "--map-user=13", "--map-group=13"],
                        environment={"KRB5_CONFIG": kerberos.CONFIG, "KRB5RCACHENAME": "none:"})


def _login(plan, server):
    """Authentication of the user "site", by the schemes that the plan names."""
    schemes = ""
    if "Negotiate" in plan.proxy_login:
        schemes += ("auth_param negotiate program "
                    f"{squid_helper('negotiate_kerberos_auth')} -k {kerberos.PROXY_KEYS} "
                    f"-s HTTP/{plan.proxy}@{kerberos.REALM}\n"
                    "auth_param negotiate children 2 startup=1 idle=1\n"
                    "auth_param negotiate keep_alive on\n")
    if "NTLM" in plan.proxy_login:
        # A copy: squid splits a command at blanks, and the path of the source tree may have one.
        helper = shutil.copy(beside("ntlm_helper.py"), server.folder)
        password = server.write("password", plan.proxy_password)
        schemes += (f"auth_param ntlm program {sys.executable} {helper} site {password}\n"
                    "auth_param ntlm children 2 startup=1 idle=1\nauth_param ntlm keep_alive on\n")
    if "Basic" in plan.proxy_login:
        schemes += _basic(plan, server)
    return schemes + "acl known proxy_auth REQUIRED\n"


def _basic(plan, server):
    done = subprocess.run([tool("openssl"), "passwd", "-5", "-stdin"], text=True, check=True,
                          input=plan.proxy_password, capture_output=True)
    users = server.write("users", f"site:{done.stdout.strip()}\n")
    return (f"auth_param basic program {squid_helper('basic_ncsa_auth')} {users}\n"
            "auth_param basic children 2 startup=1 idle=1\nauth_param basic realm Site\n")


def _inspection(plan):
    """The authority with which the proxy opens TLS, as options of squid's ports."""
    authority = Authority(plan.inspector).keep_in(os.path.join(FOLDER, "inspection"))
    return f"generate-host-certificates=on cert={authority.certificate} key={authority.key}"


def _intercept(plan, server, trust, made_by):
    """Opens TLS with certificates of its own making (ssl_bump)."""
    certificates, helper = server.path("made"), squid_helper("security_file_certgen")
    must(helper, "-c", "-s", certificates, "-M", "4MB")
    spared = " ".join(plan.spliced)
    splice = f"acl spared ssl::server_name {spared}\nssl_bump splice spared\n" if spared else ""
    transparent = (f"https_port {plan.router}:{INTERCEPT_PORT} intercept ssl-bump {made_by}\n"
                   if plan.intercept else "")
    return (transparent +
            f"sslcrtd_program {helper} -s {certificates} -M 4MB\n"
            "sslcrtd_children 2 startup=1 idle=1\n"
            f"tls_outgoing_options cafile={trust}\n"
            f"acl hello at_step SslBump1\nssl_bump peek hello\n{splice}ssl_bump bump all\n"
            "host_verify_strict off\n")


def inspection_certificate():
    """The root of the authority with which the proxy opens TLS."""
    return os.path.join(FOLDER, "inspection", "ca.pem")


def portal(plan, space):
    """nginx on the router: every page is somewhere else until you sign in."""
    return _pages("portal", space, plan.router, PORTAL_PORT, f"""
    location = /login {{ default_type text/html; return 200 "<h1>Welcome, please sign in</h1>\\n"; }}
    location / {{ return 302 http://{plan.router}:{PORTAL_PORT}/login; }}""")


def block_page(plan, space, authority):
    """nginx out there: what is blocked is told over plain HTTP; over TLS it is somebody else."""
    encrypted = ""
    if plan.block_page_tls:
        chain, key = authority.issue("block-page", {"block.example.net"}, [])
        encrypted = (f"listen {plan.block_page}:443 ssl; ssl_certificate {chain}; "
                     f"ssl_certificate_key {key};")
    return _pages("block-page", space, plan.block_page, 80, f"""{encrypted}
    location / {{ default_type text/html; return 403 "<h1>This site is blocked</h1>\\n"; }}""")


def wpad(plan, space):
    """nginx beside the proxy: the PAC file that sends everybody there."""
    script = f"function FindProxyForURL(url, host) {{ return 'PROXY {plan.proxy}:{PROXY_PORT}'; }}"
    folder = Server("wpad", space)
    folder.write("wpad.dat", script)
    return _pages("wpad", space, plan.proxy, 80,
                  f"location = /wpad.dat {{ alias {folder.path('wpad.dat')}; }}")


def first_resolver(plan, space):
    """dnsmasq: a resolver beside unbound, which denies a domain and forwards the rest."""
    server = Server("first-resolver", space)
    config = server.write("dnsmasq.conf", f"listen-address={plan.proxy}\nbind-interfaces\nno-resolv\n"
                          "no-hosts\nno-daemon\nuser=root\ngroup=\npid-file=\n"
                          f"local=/{plan.denied}/\nserver={PUBLIC_RESOLVERS[0]}\n")
    return server.start("dnsmasq", "-k", "-C", config, probe=tcp(plan.proxy, 53))


def vpn(plan, topology):
    """The PC's tunnel to a concentrator at the provider's."""
    server = Server("vpn", topology.pc)
    return server.start(sys.executable, beside("tunnel.py"), topology.provider.path,
                        f"{plan.vpn_net}.2", f"{plan.vpn_net}.1", *plan.vpn,
                        probe=says(server, "forwarding"))


def nat64(space):
    """tayga: IPv6 packets to NAT64's prefix become IPv4 ones, of addresses that the router hides."""
    server = Server("nat64", space)
    config = server.write("tayga.conf", "tun-device nat64\nipv4-addr 192.168.255.1\n"
                          f"ipv6-addr {LAN_V6}255\nprefix {NAT64}/96\n"
                          f"dynamic-pool 192.168.255.0/24\ndata-dir {server.folder}\n")
    with space:
        must("tayga", "-c", config, "--mktun")
        for command in ("link set nat64 up", "route add 192.168.255.0/24 dev nat64",
                        f"-6 route add {NAT64}/96 dev nat64"):
            must("ip", *command.split())

    def translating():
        if server.ended():
            raise OSError("it has ended")
    return server.start("tayga", "-c", config, "--nodetach", probe=translating)


def _pages(name, space, address, port, locations):
    return nginx(Server(name, space), f"server {{ listen {address}:{port}; {locations} }}", address, port)
