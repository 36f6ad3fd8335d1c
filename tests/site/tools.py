"""Finding the programs that a site is made of; most live in /usr/sbin, which users lack in PATH."""

import glob
import os
import shutil
import subprocess

from .names import HERE, ROOT

# program -> Debian package
PACKAGES = {"ip": "iproute2", "nft": "nftables", "openssl": "openssl", "dnsmasq": "dnsmasq-base",
            "unbound": "unbound", "nginx": "nginx-light", "turnserver": "coturn",
            "kamailio": "kamailio", "chronyd": "chrony", "squid": "squid-openssl",
            "tayga": "tayga", "gtlsserver": "ngtcp2-server", "krb5kdc": "krb5-kdc", "kdb5_util": "krb5-kdc", "kinit": "krb5-user",
            "kadmin.local": "krb5-admin-server", "setpriv": "util-linux", "unshare": "util-linux"}
FAKETIME = "libfaketime"  # only for faults that concern clocks and expiry


class Missing(Exception):
    """A program that the site needs is not installed."""


def search_path():
    """PATH and the folders of system programs."""
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"


def tool(name):
    """The full path of a program; says which Debian package has it where there is none."""
    found = shutil.which(name, path=search_path())
    if found is None:
        raise Missing(f"{name} is not installed: apt-get install {PACKAGES.get(name, name)}")
    return found


def must(program, *arguments, text="", **more):
    """Runs a program that has to succeed, and gives what it prints; the error has what it said."""
    done = subprocess.run([tool(program), *arguments], input=text, text=True, capture_output=True,
                          check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{os.path.basename(program)}: {done.stderr.strip()}\n{text}".strip())
    return done.stdout


def ends_with_us(program, *arguments):
    """A command whose process the kernel ends with this one, however this one ends: with the thread
    that starts it, so start it from one that lives as long as it is needed."""
    # Checks its parent after telling the kernel: this process may have ended before.
    alive = f'[ "$PPID" = {os.getpid()} ] && exec "$@"'
    return [tool("setpriv"), "--pdeathsig", "KILL", "--", "sh", "-c", alive, "sh", program, *arguments]


def is_running(pid):
    """Whether there is such a process, and it has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def beside(name):
    """A program of the site's own, in this folder."""
    return os.path.join(HERE, name)


def wan_program():
    """callready-wan, as CTest names it or from the newest build of this source tree."""
    given = os.environ.get("CALLREADY_WAN")
    built = sorted(glob.glob(os.path.join(ROOT, "build", "*", "tests", "callready-wan")),
                   key=os.path.getmtime)
    if not (given or built):
        raise Missing("delay, jitter, loss and a rate need callready-wan: "
                      "cmake --build --preset dev --target callready-wan")
    return given or built[-1]


def at_time(offset_s):
    """Environment in which a program sees a clock that is off by so many seconds."""
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not found:
        raise Missing(f"faketime's library is not installed: apt-get install {FAKETIME}")
    # The library reads its variables again every ten seconds, and nginx clears its environment.
    return {"LD_PRELOAD": found[0], "FAKETIME": f"{offset_s:+.0f}", "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "86400"}


def squid_helper(name):
    """One of squid's own helper programs."""
    path = os.path.join("/usr/lib/squid", name)
    if not os.access(path, os.X_OK):
        raise Missing(f"{path} is not installed: apt-get install {PACKAGES['squid']}")
    return path
