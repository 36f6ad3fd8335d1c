"""Each package is installed in a bare root and run there. For script/package --test: root, debootstrap.

The roots are made once, below build/package/roots, and copied for each test. Programs run in a network
namespace of their own that has loopback only.
"""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

PACKAGES = os.environ.get("CALLREADY_PACKAGES", "build/package")
MIRROR = os.environ.get("CALLREADY_MIRROR", "http://deb.debian.org/debian")
BUILDAH = ["buildah", "--storage-driver", "vfs"]
ARCHITECTURE = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True,
                              check=True).stdout.strip()
MACHINE = os.uname().machine
DEB = f"callready_*_{ARCHITECTURE}.deb"
TARBALL = f"callready-*-linux-{MACHINE}.tar.gz"


def only(pattern):
    found = glob.glob(os.path.join(PACKAGES, pattern))
    if len(found) != 1:
        raise AssertionError(f"expected one {pattern} in {PACKAGES}, found {found}")
    return os.path.abspath(found[0])


def run(*words, timeout=900, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=timeout, **options)


def bare_root(suite):
    root = os.path.abspath(os.path.join(PACKAGES, "roots", suite))
    if not os.path.exists(os.path.join(root, "etc/debian_version")):
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(os.path.dirname(root), exist_ok=True)
        unfinished = root + ".new"
        shutil.rmtree(unfinished, ignore_errors=True)
        done = run("debootstrap", "--variant=minbase", suite, unfinished, MIRROR)
        if done.returncode != 0:
            raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])
        os.rename(unfinished, root)
    return root


class PackageTest(unittest.TestCase):
    def copy_of(self, suite):
        folder = tempfile.mkdtemp(prefix=f"callready-{suite}-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", bare_root(suite) + "/.", folder], check=True)
        return folder

    def inside(self, root, *words):
        """In the root, with loopback and nothing else; its mounts end with it."""
        script = ('ip link set lo up && mount -t proc proc "$0/proc" && root=$0 && '
                  'exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 '
                  'chroot "$root" "$@"')
        return run("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
                   "sh", "-c", script, root, *words, timeout=300)

    def assert_works(self, command, version=True):
        """`command` runs the program with the words that follow."""
        done = command("--version")
        self.assertEqual((0, "callready " + VERSION + "\n"), (done.returncode, done.stdout), done.stderr)
        done = command("demo")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stdout.splitlines()[0], "^. READY ")
        done = command("list", "--names")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("ms-teams\tMicrosoft Teams\n", done.stdout)
        # Nobody is there to ask: it says so, and does not end by a signal.
        done = command("check", "teams", "--no-keep", "--timeout", "5")
        self.assertIn(done.returncode, (1, 3), done.stdout + done.stderr)

    def test_the_deb(self):
        deb = only(DEB)
        root = self.copy_of("bookworm")
        shutil.copy(deb, os.path.join(root, "callready.deb"))
        shutil.copy("/etc/resolv.conf", os.path.join(root, "etc/resolv.conf"))
        done = run("chroot", root, "sh", "-c",
                   "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y "
                   "--no-install-recommends ./callready.deb")
        self.assertEqual(0, done.returncode, done.stdout[-2000:] + done.stderr[-2000:])
        self.assert_works(lambda *words: self.inside(root, "callready", *words))
        done = self.inside(root, "sh", "-c", "callready validate /usr/share/callready/vendors/*.yaml")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(len(glob.glob("targets/vendors/*.yaml")), done.stdout.count(": valid: "))
        packed = run("sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -t', deb).stdout.splitlines()
        for file in ("usr/share/man/man1/callready.1.gz", "usr/share/applications/callready.desktop",
                     "usr/share/icons/hicolor/scalable/apps/callready.svg",
                     "usr/share/metainfo/io.github.callready.callready.metainfo.xml",
                     "usr/share/bash-completion/completions/callready",
                     "usr/share/zsh/vendor-completions/_callready",
                     "usr/share/fish/vendor_completions.d/callready.fish",
                     "usr/share/callready/schema/callready.targets-1.schema.json",
                     "usr/lib/systemd/system/callready-check.timer",
                     "usr/lib/systemd/system/callready-exporter.service",
                     "usr/lib/systemd/system/callready-serve.service"):
            self.assertIn("./" + file, packed)
            self.assertTrue(os.path.exists(os.path.join(root, file)), file)
        done = run("chroot", root, "dpkg", "--remove", "callready")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(root, "usr/bin/callready")))

    def test_the_dockerfile_has_what_the_deb_needs(self):
        done = run("dpkg-deb", "--field", only(DEB), "Depends", "Recommends")
        fields = re.sub(r"^\w+:", ",", done.stdout, flags=re.MULTILINE)
        needed = {re.split(r"[ (|]", one.strip())[0] for one in fields.split(",")} - {""}
        with open("docker/Dockerfile", encoding="utf-8") as file:
            installed = set(file.read().split())
        in_the_base = {"libc6", "libcrypt1", "libgcc-s1", "libstdc++6"}
        self.assertEqual(set(), needed - installed - in_the_base)

    def test_lintian_has_nothing_to_say(self):
        done = run("lintian", "--allow-root", "--fail-on", "error,warning", only(DEB))
        self.assertEqual((0, ""), (done.returncode, done.stdout), done.stderr)

    def test_the_desktop_entry(self):
        if shutil.which("desktop-file-validate") is None:
            self.skipTest("desktop-file-utils is not installed")
        done = run("desktop-file-validate", "packaging/linux/callready.desktop")
        self.assertEqual((0, ""), (done.returncode, done.stdout))

    def test_what_software_centres_show(self):
        done = run("appstreamcli", "validate", "--no-net",
                   "packaging/linux/io.github.callready.callready.metainfo.xml")
        self.assertEqual(0, done.returncode, done.stdout)

    def test_the_rpm(self):
        rpm = only(f"callready-*.{MACHINE}.rpm")
        files = run("rpm", "-qlp", rpm).stdout.splitlines()
        for file in ("/usr/bin/callready", "/usr/share/licenses/callready/LICENSE",
                     "/usr/share/man/man1/callready.1.gz", "/usr/share/applications/callready.desktop",
                     "/usr/share/metainfo/io.github.callready.callready.metainfo.xml",
                     "/usr/share/bash-completion/completions/callready",
                     "/usr/share/zsh/site-functions/_callready",
                     "/usr/share/fish/vendor_completions.d/callready.fish",
                     "/usr/share/callready/schema/callready.targets-1.schema.json",
                     "/usr/lib/systemd/system/callready-exporter.service"):
            self.assertIn(file, files)
        needs = run("rpm", "-qp", "--requires", rpm).stdout
        newest = {tuple(map(int, one.split("."))) for one in re.findall(r"\(GLIBC_([0-9.]+)\)", needs)}
        self.assertLessEqual(max(newest), (2, 28))
        libraries = set(re.findall(r"^(\S+?\.so[.0-9]*)\(", needs, re.MULTILINE))
        self.assertLessEqual(libraries, {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0",
                                         "libresolv.so.2", "librt.so.1", "ld-linux-x86-64.so.2"})
        # What rpm knows of this root's libraries is nothing: they are Debian's.
        root = self.copy_of("bookworm")
        into = ("rpm", "--force-debian", "--root", root, "--dbpath", "/var/lib/rpm")
        done = run(*into, "--install", "--nodeps", rpm)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        done = run(*into, "--verify", "--nodeps", "callready")
        self.assertEqual((0, ""), (done.returncode, done.stdout))
        self.assert_works(lambda *words: self.inside(root, "callready", *words))
        done = run(*into, "--erase", "callready")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertFalse(os.path.exists(root + "/usr/bin/callready"))

    def test_the_portable_program(self):
        tarball = only(TARBALL)
        for suite in ("bullseye", "bookworm", "trixie"):
            with self.subTest(suite):
                root = self.copy_of(suite)
                subprocess.run(["tar", "-xzf", tarball, "-C", root + "/opt"], check=True)
                folder = os.path.basename(tarball)[:-len(".tar.gz")]
                self.assert_works(lambda *words: self.inside(root, f"/opt/{folder}/callready", *words))
                shutil.copy("targets/vendors/teams.yaml", root)
                done = self.inside(root, f"/opt/{folder}/callready", "validate", "/teams.yaml")
                self.assertEqual(0, done.returncode, done.stderr)

    def test_a_pac_file_is_evaluated_by_the_portable_program(self):
        """The child that runs JavaScript confines itself: to what this C library needs, too."""
        tarball = only(TARBALL)
        folder = os.path.basename(tarball)[:-len(".tar.gz")]
        for suite in ("bullseye", "trixie"):
            with self.subTest(suite):
                root = self.copy_of(suite)
                subprocess.run(["tar", "-xzf", tarball, "-C", root + "/opt"], check=True)
                with open(os.path.join(root, "proxy.pac"), "w", encoding="utf-8") as file:
                    file.write("function FindProxyForURL(url, host) { return 'PROXY 127.0.0.1:' + 3128; }")
                done = self.inside(root, f"/opt/{folder}/callready", "check", "teams", "--no-keep",
                                   "--json", "--pac", "/proxy.pac", "--timeout", "8")
                self.assertIn("127.0.0.1:3128", done.stdout, done.stderr)

    def test_glibc(self):
        """No symbol that is newer than 2.28, and no library but glibc's."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["tar", "-xzf", only(TARBALL), "-C", folder], check=True)
            program = glob.glob(folder + "/*/callready")[0]
            symbols = run("objdump", "-T", program).stdout
            versions = {tuple(map(int, one.split("."))) for one in re.findall(r"GLIBC_([0-9.]+)", symbols)}
            self.assertGreater(len(versions), 3)
            self.assertLessEqual(max(versions), (2, 28))
            needed = set(re.findall(r"NEEDED +(\S+)", run("objdump", "-p", program).stdout))
            self.assertLessEqual(needed, {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0",
                                          "libresolv.so.2", "librt.so.1", "ld-linux-x86-64.so.2"})
            with open(program, "rb") as file:
                self.assertNotIn(os.getcwd().encode(), file.read(), "a path of the building machine")

    def test_the_roots_of_another_system(self):
        """Fedora keeps them elsewhere than this program's OpenSSL looks: a site whose authority is in
        that file only is trusted, and is not where the file is away."""
        tarball = only(TARBALL)
        folder = os.path.basename(tarball)[:-len(".tar.gz")]
        root = self.copy_of("bookworm")
        subprocess.run(["tar", "-xzf", tarball, "-C", root + "/opt"], check=True)
        place = os.path.join(root, "etc/pki/tls/certs")
        os.makedirs(place)
        done = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                   "-nodes", "-days", "2", "-subj", "/CN=site.test", "-addext",
                   "subjectAltName=DNS:site.test", "-keyout", root + "/key.pem",
                   "-out", place + "/ca-bundle.crt")
        self.assertEqual(0, done.returncode, done.stderr)
        shutil.copy(place + "/ca-bundle.crt", root + "/certificate.pem")
        with open(root + "/etc/hosts", "a", encoding="utf-8") as file:
            file.write("127.0.0.1 site.test\n")
        with open(root + "/own.yaml", "w", encoding="utf-8") as file:
            file.write("schema: callready.targets/1\nid: own\ntitle: Own\n"
                       "capabilities: [{ id: web, title: Web, needs: [web] }]\n"
                       "requirements: [{ id: web, title: Web, check: tls, transport: [tls], "
                       "ports: [4443], hosts: [site.test] }]\n")
        script = ('ip link set lo up && mount -t proc proc "$0/proc" && '
                  'openssl s_server -quiet -accept 127.0.0.1:4443 -key "$0/key.pem" '
                  '-cert "$0/certificate.pem" </dev/zero >/dev/null 2>&1 & '
                  'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do '
                  'ss -Hltn sport = 4443 | grep -q . && break; sleep 0.5; done; '
                  'exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 '
                  'chroot "$0" "$@"')

        def check():
            return run("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script,
                       root, f"/opt/{folder}/callready", "check", "--set", "/own.yaml", "--no-anchors",
                       "--no-keep", "--timeout", "20", timeout=300)
        done = check()
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        os.remove(place + "/ca-bundle.crt")
        done = check()
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)

    def test_the_image(self):
        archive = only("callready-*.oci.tar")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
            blobs = glob.glob(folder + "/blobs/sha256/*")
            size = sum(os.path.getsize(blob) for blob in blobs)
            for blob in blobs:  # a layer that is not compressed counts as what it would be
                with open(blob, "rb") as file:
                    self.assertTrue(file.read(2) in (b"\x1f\x8b", b'{"'), "a layer is not compressed")
        self.assertLessEqual(size, 40 * 1000 * 1000)
        name = run(*BUILDAH, "from", "--pull-never", "oci-archive:" + archive)
        self.assertEqual(0, name.returncode, name.stderr)
        container = name.stdout.strip()
        self.addCleanup(run, *BUILDAH, "rm", container)
        mounted = run(*BUILDAH, "mount", container).stdout.strip()
        self.addCleanup(run, *BUILDAH, "umount", container)
        os.makedirs(mounted + "/proc", exist_ok=True)
        configuration = json.loads(run(*BUILDAH, "inspect", container).stdout)["OCIv1"]["config"]
        self.assertEqual(["/usr/bin/callready"], configuration["Entrypoint"])
        self.assertEqual(["demo"], configuration["Cmd"])
        self.assertEqual("65534:65534", configuration["User"])
        self.assert_works(lambda *words: self.inside_as_nobody(mounted, *words))

    def inside_as_nobody(self, root, *words):
        script = ('ip link set lo up && mount -t proc proc "$0/proc" && root=$0 && '
                  'exec env -i PATH=/usr/sbin:/usr/bin HOME=/tmp LC_ALL=C.UTF-8 '
                  'chroot --userspec=65534:65534 "$root" /usr/bin/callready "$@"')
        return run("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
                   "sh", "-c", script, root, *words, timeout=300)

    def test_nothing_tells_when_and_by_whom_it_was_built(self):
        """What script/package --reproduce would find after an hour: times, owners, order."""
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, "data.tar")
            with open(data, "wb") as file:
                subprocess.run(["dpkg-deb", "--fsys-tarfile", only(DEB)], stdout=file,
                               check=True)
            times = set()
            for archive in (data, only(TARBALL), only("callready-*.oci.tar")):
                with tarfile.open(archive) as members:
                    for member in members:
                        self.assertEqual((0, 0), (member.uid, member.gid), member.name)
                        self.assertFalse(member.mode & 0o022, member.name)
                        times.add(int(member.mtime))
            self.assertEqual(1, len(times), times)
        with open(only(TARBALL), "rb") as file:
            self.assertEqual(b"\0\0\0\0", file.read(8)[4:], "gzip's own time")

    def test_sums_and_sbom(self):
        with open(only("SHA256SUMS"), encoding="utf-8") as file:
            sums = dict(reversed(line.split()) for line in file)
        self.assertEqual({os.path.basename(path) for path in glob.glob(PACKAGES + "/callready[-_]*")}, set(sums))
        self.assertGreaterEqual(len(sums), 5)
        for name, digest in sums.items():
            with open(only(name), "rb") as file:
                self.assertEqual(digest, hashlib.sha256(file.read()).hexdigest(), name)
        described = set()
        for path in glob.glob(PACKAGES + "/callready-*.spdx.json"):
            with self.subTest(path):
                described |= self.described_by(path, sums)
        self.assertEqual(described, {name for name in sums if not name.endswith(".json")})

    def described_by(self, path, sums):
        """The files that an SBOM is about, once it is found to be sound."""
        with open(path, encoding="utf-8") as file:
            sbom = json.load(file)
        packages = {one["SPDXID"]: one for one in sbom["packages"]}
        self.assertEqual(len(packages), len(sbom["packages"]), "an id is there twice")
        for one in packages.values():
            self.assertTrue(one["versionInfo"], one["name"])
        for one in packages.values():
            for digest in one.get("checksums", []):
                self.assertEqual(sums[one["name"]], digest["checksumValue"])
        linked = {packages[one["relatedSpdxElement"]]["name"] for one in sbom["relationships"]
                  if one["relationshipType"] == "STATIC_LINK"}
        self.assertLessEqual({"openssl", "curl", "boost1.81", "gcc-12", "pacparser"}, linked)
        for one in sbom["relationships"]:
            self.assertIn(one["relatedSpdxElement"], packages)
        return {packages[one["relatedSpdxElement"]]["packageFileName"] for one in sbom["relationships"]
                if one["relationshipType"] == "DESCRIBES"}


with open("CMakeLists.txt", encoding="utf-8") as source:
    VERSION = re.search(r"^project\(callready VERSION ([0-9.]+)", source.read(), re.MULTILINE).group(1)

if __name__ == "__main__":
    unittest.main()
