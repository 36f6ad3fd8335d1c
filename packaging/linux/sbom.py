"""sbom.py OBJECTS STATIC VERSION PACKAGE...: the packages' SBOM (SPDX 2.3, JSON).

What the portable program holds is read from the linker's map: a library without a licence here ends the
build. What a .deb needs is read from its Depends; tar.gz, .rpm and image hold the portable program.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import time

# By archive: the name of the source, the package that contains it, the licence.
LINKED = {
    "libssl.a": ("openssl", "libssl-dev", "Apache-2.0"),
    "libcrypto.a": ("openssl", "libssl-dev", "Apache-2.0"),
    "libcares.a": ("c-ares", "libc-ares-dev", "MIT"),
    "libyaml-cpp.a": ("yaml-cpp", "libyaml-cpp-dev", "MIT"),
    "libosip2.a": ("libosip2", "libosip2-dev", "LGPL-2.1-or-later"),
    "libosipparser2.a": ("libosip2", "libosip2-dev", "LGPL-2.1-or-later"),
    "libutf8proc.a": ("utf8proc", "libutf8proc-dev", "MIT AND Unicode-DFS-2015"),
    "libpsl.a": ("libpsl", "libpsl-dev", "MIT"),
    "libidn2.a": ("libidn2", "libidn2-dev", "LGPL-3.0-or-later OR GPL-2.0-or-later"),
    "libunistring.a": ("libunistring", "libunistring-dev", "LGPL-3.0-or-later OR GPL-2.0-or-later"),
    "libseccomp.a": ("libseccomp", "libseccomp-dev", "LGPL-2.1-only"),
    "libcrypt.a": ("libxcrypt", "libcrypt-dev", "LGPL-2.1-or-later"),
    "libstdc++.a": ("gcc-12", "libstdc++-12-dev", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libgcc.a": ("gcc-12", "libgcc-12-dev", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libgcc_eh.a": ("gcc-12", "libgcc-12-dev", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    # Built by static-libraries, which records the versions.
    "libcurl.a": ("curl", None, "curl"),
    "libpacparser.a": ("pacparser", None,
                       "LGPL-3.0-or-later AND (MPL-1.1 OR GPL-2.0-or-later OR LGPL-2.1-or-later)"),
    "libfmt.a": ("fmtlib", None, "MIT"),
    "libspdlog.a": ("spdlog", None, "MIT"),
    "libc_nonshared.a": ("glibc", None, "LGPL-2.1-or-later"),
    "libpthread_nonshared.a": ("glibc", None, "LGPL-2.1-or-later"),
}
# These are header-only.
COMPILED_IN = [("boost1.81", "libboost1.81-dev", "BSL-1.0"),
               ("nlohmann-json3", "nlohmann-json3-dev", "MIT"),
               ("cli11", "libcli11-dev", "BSD-3-Clause")]


def version_of(package, static):
    """Of what it was built with: this system's, or for another architecture that of its root."""
    root = os.path.join(static, "debian/var/lib/dpkg")
    which = []
    if os.path.isdir(root) and package in ("libstdc++-12-dev", "libgcc-12-dev"):
        package += "-arm64-cross"
    elif os.path.isdir(root):
        which = ["--admindir=" + root]

    def installed(pattern, field):
        return subprocess.run(["dpkg-query", *which, "-W", "-f", field, pattern], check=True,
                              capture_output=True, text=True).stdout
    # A name that another package provides has no version of its own.
    for line in installed("*", "${Version}\t${Provides}\n").splitlines():
        version, provided = line.split("\t")
        if package in re.split(r"[ ,]+", provided):
            return version
    # Architecture-independent packages (ca-certificates) are not in that root.
    if package not in installed("*", "${Package}\n").split():
        which = []
    return installed(package, "${Version}")


def linked_archives(map_file):
    """The archives of which the linker took something; the program's own rooms are left out."""
    with open(map_file, encoding="utf-8", errors="replace") as file:
        beginning = file.read().split("\nDiscarded input sections")[0].split("\nMemory Configuration")[0]
    names = {os.path.basename(path) for path in re.findall(r"^(\S+\.a)\(", beginning, re.MULTILINE)}
    return sorted(name for name in names if not name.startswith("libcallready_"))


def libraries(objects, static):
    with open(os.path.join(static, "VERSIONS"), encoding="utf-8") as file:
        built = dict(line.split() for line in file)
    found = {}
    for archive in linked_archives(os.path.join(objects, "portable.map")):
        if archive not in LINKED:
            sys.exit(f"sbom.py: {archive} is linked in, but its licence is not known here")
        source, package, licence = LINKED[archive]
        found[source] = (version_of(package, static) if package else built[source], licence)
    for source, package, licence in COMPILED_IN:
        found[source] = (version_of(package, static), licence)
    return found


def depends_of(deb):
    field = subprocess.run(["dpkg-deb", "--field", deb, "Depends"], check=True, capture_output=True,
                           text=True).stdout
    return [part.strip().split("|")[0].split(" ")[0] for part in field.split(",")]


def identifier(*parts):
    return "SPDXRef-" + "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", part) for part in parts)


def package(ref, name, version, licence, **more):
    return {"SPDXID": ref, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", **more}


def document(objects, static, version, *paths):
    packages, relationships, digests = [], [], []
    portable = [path for path in paths if not path.endswith(".deb")]

    def relate(one, kind, other):
        relationships.append({"spdxElementId": one, "relationshipType": kind,
                              "relatedSpdxElement": other})
    refs = {}
    for path in paths:
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        name = os.path.basename(path)
        digests.append(digest)
        refs[path] = identifier("Package", name)
        packages.append(package(refs[path], name, version, "Apache-2.0", packageFileName=name,
                                checksums=[{"algorithm": "SHA256", "checksumValue": digest}]))
        relate("SPDXRef-DOCUMENT", "DESCRIBES", refs[path])
    for name, (its_version, licence) in sorted(libraries(objects, static).items()):
        ref = identifier("Library", name)
        packages.append(package(ref, name, its_version, licence, externalRefs=[{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name}@{its_version}?arch=source"}]))
        for path in portable:
            relate(refs[path], "STATIC_LINK", ref)
    for deb in (path for path in paths if path.endswith(".deb")):
        for name in depends_of(deb):
            ref = identifier("Debian", name)
            packages.append(package(ref, name, version_of(name, static), "NOASSERTION"))
            relate(refs[deb], "DEPENDS_ON", ref)
    for image in (path for path in paths if path.endswith(".oci.tar")):
        holds = os.path.join(objects, "image-tree/var/lib/dpkg/status.d")
        for field in sorted(os.listdir(holds)):
            with open(os.path.join(holds, field), encoding="utf-8") as file:
                its_version = re.search(r"^Version: (.*)$", file.read(), re.MULTILINE).group(1)
            ref = identifier("Image", field)
            packages.append(package(ref, field, its_version, "NOASSERTION"))
            relate(refs[image], "CONTAINS", ref)
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"callready-{version}",
        "documentNamespace": "https://github.com/callready/callready/spdx/"
                             + hashlib.sha256("".join(digests).encode()).hexdigest(),
        "creationInfo": {"created": created, "creators": ["Tool: callready-script-package"]},
        "packages": packages, "relationships": relationships}


if __name__ == "__main__":
    print(json.dumps(document(*sys.argv[1:]), indent=1))
