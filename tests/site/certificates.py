"""A certificate authority per site, and a certificate of its own for everyone who answers by TLS.

Every owner (registrable domain) has its own key: one public key on the hosts of unrelated vendors
is what TLS interception looks like.
"""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import (AuthorityInformationAccessOID, ExtendedKeyUsageOID,
                                   NameOID)

PUBLIC_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

# Where to find the issuer, as public authorities say it and private ones do not: it tells a chain
# that lacks a part from one that nobody knows.
PUBLIC = (x509.AuthorityInformationAccess([x509.AccessDescription(
    AuthorityInformationAccessOID.CA_ISSUERS,
    x509.UniformResourceIdentifier("http://authority.invalid/issuer.cer"))]), False)

# What may be wrong with a server's certificate.
KINDS = ("expired", "not-yet-valid", "wrong-name", "untrusted", "incomplete")


class Authority:
    """A private CA. What it makes is in memory until it has a folder."""

    def __init__(self, title, skew_s=0, issuer=None):
        self._folder = None
        self._made = {}
        # An hour back: makers of certificates do that, because clocks differ a little.
        self._now = (datetime.datetime.utcnow()
                     + datetime.timedelta(seconds=skew_s) - datetime.timedelta(hours=1))
        self._skew_s = skew_s
        self._others = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, title),
                                x509.NameAttribute(NameOID.COMMON_NAME, f"{title} CA")])
        signer = issuer or self
        self._own = _pem(self._sign(
            self._name, self._key.public_key(), [
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True,
                               content_commitment=False, key_encipherment=False,
                               data_encipherment=False, key_agreement=False, encipher_only=False,
                               decipher_only=False), True)], signer, 0), self._key)

    def keep_in(self, folder):
        """Puts its own certificate and key there, and those that it issues from now on."""
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._folder = folder
        self.certificate, self.key = self._write("ca", *self._own)
        return self

    def issue(self, label, names, addresses=(), kind=None, public=True):
        """A certificate for these names and addresses, with one of KINDS' faults where asked.

        Returns the paths of the certificate and of the key.
        """
        return self._write(label, *self.make(label, names, addresses, kind, public))

    def make(self, label, names, addresses=(), kind=None, public=True):
        """The same in memory, made once."""
        names = ["wrong.invalid"] if kind == "wrong-name" else sorted(names)
        addresses = [] if kind == "wrong-name" else sorted(addresses)
        what = (label, *names, *addresses, kind, public)
        if what not in self._made:
            self._made[what] = self._make(names, addresses, kind, public)
        return self._made[what]

    def _make(self, names, addresses, kind, public):
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = [x509.DNSName(n) for n in names] + [
            x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (names + addresses)[0][:64])])
        certificate = self._sign(subject, key.public_key(), [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName(alternative), False),
            *([PUBLIC] if public and kind != "untrusted" else [])],
            self._signer(kind), {"expired": 60, "not-yet-valid": -10}.get(kind, 0))
        return _pem(certificate, key)

    def _signer(self, kind):
        """An incomplete chain lacks the authority in between; an untrusted one ends elsewhere."""
        if kind not in ("untrusted", "incomplete"):
            return self
        if kind not in self._others:
            other = Authority(f"Example {kind}", self._skew_s, self if kind == "incomplete" else None)
            self._others[kind] = other.keep_in(os.path.join(self._folder, kind))
        return self._others[kind]

    def _sign(self, subject, public_key, extensions, signer, days_ago):
        start = self._now - datetime.timedelta(days=days_ago)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(signer._name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=30)))
        for extension, critical in [
                *extensions,
                (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
                (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer._key.public_key()),
                 False)]:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer._key, hashes.SHA256())

    def _write(self, label, certificate, key):
        base = os.path.join(self._folder, label)
        with open(base + ".pem", "wb") as file:
            file.write(certificate)
        with open(os.open(base + ".key", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(key)
        return base + ".pem", base + ".key"


def _pem(certificate, key):
    return (certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()))


def bundle(target, certificates):
    """Writes a trust store: the public one, where this system has it, and these."""
    with open(target, "wb") as out:
        for path in [PUBLIC_BUNDLE, *certificates]:
            if os.path.exists(path):
                with open(path, "rb") as file:
                    out.write(file.read())
