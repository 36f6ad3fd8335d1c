"""A Kerberos realm for the proxy's Negotiate: a KDC on the router, and a ticket of the PC's user."""

import os

from .plan import FOLDER
from .server import Server, tcp
from .tools import must

REALM, USER, PORT = "EXAMPLE.SITE", "site", 88
CONFIG = os.path.join(FOLDER, "kdc", "krb5.conf")
TICKET = os.path.join(FOLDER, "kdc", "ticket")
PROXY_KEYS = os.path.join(FOLDER, "kdc", "proxy.keytab")


def environment():
    """The variables by which programs find this realm, and nothing of the machine's own."""
    return {"KRB5_CONFIG": CONFIG, "KRB5CCNAME": f"FILE:{TICKET}"}


def kdc(plan, space):
    """krb5kdc, which knows the PC's user and the proxy, each by a key in a file."""
    server = Server("kdc", space)
    server.write("krb5.conf", f"""
[libdefaults]
  default_realm = {REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  {REALM} = {{
    kdc = {plan.router}:{PORT}
  }}
""")
    profile = server.write("kdc.conf", f"""
[kdcdefaults]
  kdc_listen = {plan.router}:{PORT}
  kdc_tcp_listen = {plan.router}:{PORT}
[realms]
  {REALM} = {{
    database_name = {server.path('principals')}
    key_stash_file = {server.path('stash')}
    acl_file = {server.path('acl')}
  }}
[logging]
  kdc = STDERR
""")
    ours = environment() | {"KRB5_KDC_PROFILE": profile}
    proxy = f"HTTP/{plan.proxy}@{REALM}"

    def make(*command):
        must(*command, env=os.environ | ours)
    with space:
        make("kdb5_util", "create", "-s", "-r", REALM, "-P", plan.proxy_password)
        for name, keys in ((f"{USER}@{REALM}", server.path("user.keytab")), (proxy, PROXY_KEYS)):
            make("kadmin.local", "-r", REALM, "-q", f"addprinc -randkey {name}")
            make("kadmin.local", "-r", REALM, "-q", f"ktadd -k {keys} {name}")
    return server.start("krb5kdc", "-n", "-r", REALM, probe=tcp(plan.router, PORT),
                        environment=ours)


def log_in(pc):
    """The ticket that a user of the domain has after signing in to the PC."""
    with pc:
        must("kinit", "-k", "-t", os.path.join(FOLDER, "kdc", "user.keytab"), f"{USER}@{REALM}",
             env=os.environ | environment())
