"""A certificate authority per site, and a certificate of its own for everyone who answers by TLS.

Every owner (registrable domain) has its own key: one public key on the hosts of unrelated vendors
is what TLS interception looks like.
"""

import os
import subprocess

from .tools import tool

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
PUBLIC_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class Authority:
    """A private CA in a folder; `issue` only starts openssl, `finish` waits for all of them."""

    def __init__(self, folder, title):
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.certificate = os.path.join(folder, "ca.pem")
        self._running = []
        self._start(["-x509", *KEY, "-subj", f"/O={title}/CN={title} Root", "-days", "30",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                     "-keyout", os.path.join(folder, "ca.key"), "-out", self.certificate])
        self.finish()

    def issue(self, label, names, addresses=()):
        """A certificate for these names; returns the paths of the chain and of the key."""
        names = sorted(names)
        alternative = [f"DNS:{n}" for n in names] + [f"IP:{a}" for a in sorted(addresses)]
        base = os.path.join(self.folder, label)
        common = (names or sorted(addresses))[0][:64]
        self._start(["-x509", *KEY, "-subj", f"/CN={common}", "-days", "20",
                     "-CA", self.certificate, "-CAkey", os.path.join(self.folder, "ca.key"),
                     "-addext", "subjectAltName=" + ",".join(alternative),
                     "-addext", "basicConstraints=critical,CA:FALSE",
                     "-addext", "extendedKeyUsage=serverAuth",
                     "-keyout", base + ".key", "-out", base + ".pem"])
        return base + ".pem", base + ".key"

    def _start(self, arguments):
        self._running.append(subprocess.Popen(
            [tool("openssl"), "req", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))

    def finish(self):
        """Waits for what was started; raises with openssl's own words."""
        for process in self._running:
            _, errors = process.communicate(timeout=15)
            if process.returncode != 0:
                raise RuntimeError(f"openssl could not make a certificate: {errors.strip()}")
        self._running = []


def bundle(target, certificates):
    """Writes a trust store: the public one, where this system has it, and these."""
    with open(target, "wb") as out:
        for path in [PUBLIC_BUNDLE, *certificates]:
            if os.path.exists(path):
                with open(path, "rb") as file:
                    out.write(file.read())
