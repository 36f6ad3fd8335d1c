"""The packages for arm64, under qemu's user-mode emulation; skipped where `script/package --arm64` has
not made them. What is emulated has a network and a binfmt_misc of its own: nothing is registered here.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.package.package_test import PACKAGES, VERSION, only, run

STATIC = os.path.join(PACKAGES, "static-arm64")
DEB, TARBALL = "callready_*_arm64.deb", "callready-*-linux-aarch64.tar.gz"
# ELF, 64 bits, little-endian, a program or a shared object, AArch64 (kernel: admin-guide/binfmt-misc).
MAGIC = (r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
         r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
         r":%s:")


@unittest.skipIf(not glob.glob(os.path.join(PACKAGES, DEB)), "no packages for arm64 were made")
class Arm64Test(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="callready-arm64-")
        self.addCleanup(shutil.rmtree, self.root)

    def emulated(self, root, *words):
        """The program `words[0]`, which finds its libraries in `root`; its children are emulated as well,
        whatever the program leaves of their environment."""
        emulator = self.root + "/emulator"
        with open(emulator, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec /usr/bin/qemu-aarch64 -L {root} \"$@\"\n")
        os.chmod(emulator, 0o755)
        script = ("mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && "
                  "printf %s \"$0\" > /proc/sys/fs/binfmt_misc/register && ip link set lo up && exec \"$@\"")
        return run("unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork",
                   "--kill-child", "--mount-proc", "sh", "-c", script, MAGIC % emulator,
                   "env", "-i", "PATH=/usr/bin:/bin", "HOME=" + self.root, "LC_ALL=C.UTF-8", *words, timeout=600)

    def apt(self, *words):
        """Debian 12 for arm64, as packaging/linux/static-libraries knows it."""
        apt = os.path.abspath(os.path.join(STATIC, "apt/bookworm"))
        return run("apt-get", "-q", "--yes", "-o", "APT::Architecture=arm64", "-o", "APT::Architectures=arm64",
                   "-o", "APT::Sandbox::User=root", "-o", "APT::Install-Recommends=false",
                   "-o", f"Dir::Etc::sourcelist={apt}/sources.list", "-o", "Dir::Etc::sourceparts=-",
                   "-o", f"Dir::State::lists={apt}/lists", "-o", "Dir::Cache::pkgcache=",
                   "-o", "Dir::Cache::srcpkgcache=", "-o", "Dir::State::status=/dev/null",
                   *words, cwd=self.root)

    def assert_works(self, root, program):
        done = self.emulated(root, program, "--version")
        self.assertEqual((0, f"callready {VERSION}\n"), (done.returncode, done.stdout), done.stderr)
        done = self.emulated(root, program, "list", "--names")
        self.assertIn("ms-teams\tMicrosoft Teams\n", done.stdout, done.stderr)
        done = self.emulated(root, program, "validate", os.path.abspath("targets/vendors/teams.yaml"))
        self.assertEqual(0, done.returncode, done.stderr)
        done = self.emulated(root, program, "demo")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stdout.splitlines()[0], "^. READY ")
        # Nobody is there to ask: it says so, and does not end by a signal.
        done = self.emulated(root, program, "check", "teams", "--no-keep", "--timeout", "5")
        self.assertIn(done.returncode, (1, 3), done.stdout + done.stderr)

    def test_the_deb_with_what_it_depends_on(self):
        deb = only(DEB)
        done = self.apt("install", "--simulate", deb)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        needed = sorted(set(re.findall(r"^Inst (\S+)", done.stdout, re.MULTILINE)) - {"callready"})
        self.assertIn("libssl3", needed)
        done = self.apt("download", *needed)
        self.assertEqual(0, done.returncode, done.stderr)
        os.makedirs(self.root + "/usr/lib")
        os.symlink("usr/lib", self.root + "/lib")
        for path in [deb, *glob.glob(self.root + "/*.deb")]:
            subprocess.run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$0" --keep-directory-symlink',
                            self.root, path], check=True)
        self.assert_works(self.root, self.root + "/usr/bin/callready")

    def test_the_deb_depends_on_what_its_program_needs(self):
        """Its Depends are those of this system's .deb: right as long as both programs need the same."""
        def needs(pattern):
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run(["dpkg-deb", "-x", only(pattern), folder], check=True)
                program = folder + "/usr/bin/callready"
                libraries = set(re.findall(r"NEEDED\D+\[(.+?)\]", run("readelf", "-d", program).stdout))
                # Of GCC's and of the C library, whose versions differ from one architecture to the other.
                versions = run("readelf", "-V", program).stdout
                newest = {name: max(tuple(map(int, one.split("."))) for one in re.findall(name + r"_([0-9.]+)", versions))
                          for name in ("GLIBC", "GLIBCXX")}
                return {one for one in libraries if not one.startswith("ld-linux")}, newest
        (here, here_newest), (there, there_newest) = needs(f"callready_*_amd64.deb"), needs(DEB)
        self.assertEqual(here, there)
        self.assertLessEqual(there_newest["GLIBC"], here_newest["GLIBC"])
        self.assertLessEqual(there_newest["GLIBCXX"], here_newest["GLIBCXX"])

    def test_the_portable_program(self):
        subprocess.run(["tar", "-xzf", only(TARBALL), "-C", self.root, "--strip-components=1"], check=True)
        program = self.root + "/callready"
        symbols = run("aarch64-linux-gnu-objdump", "-T", program).stdout
        versions = {tuple(map(int, one.split("."))) for one in re.findall(r"GLIBC_([0-9.]+)", symbols)}
        self.assertGreater(len(versions), 1)
        self.assertLessEqual(max(versions), (2, 28))
        with open(program, "rb") as file:
            self.assertNotIn(os.getcwd().encode(), file.read(), "a path of the building machine")
        debian_11 = os.path.abspath(os.path.join(STATIC, "sysroot"))
        self.assert_works(debian_11, program)

    def test_a_pac_file_is_not_evaluated_unconfined(self):
        """The emulation has no seccomp: the child starts, and says so instead of running the script."""
        subprocess.run(["tar", "-xzf", only(TARBALL), "-C", self.root, "--strip-components=1"], check=True)
        with open(self.root + "/proxy.pac", "w", encoding="utf-8") as file:
            file.write("function FindProxyForURL(url, host) { return 'PROXY 127.0.0.1:' + 3128; }")
        done = self.emulated(os.path.abspath(os.path.join(STATIC, "sysroot")), self.root + "/callready", "check",
                             "teams", "--no-keep", "--json", "--pac", self.root + "/proxy.pac", "--timeout", "8")
        told = [evidence["text"] for probe in json.loads(done.stdout)["probes"]
                for evidence in probe["evidence"] if evidence["kind"] == "pac"]
        self.assertIn("this system cannot confine it (seccomp)", " ".join(told))
        self.assertNotIn("127.0.0.1:3128", done.stdout)

    def test_the_rpm(self):
        rpm = only("callready-*.aarch64.rpm")
        self.assertEqual("aarch64", run("rpm", "-qp", "--qf", "%{ARCH}", rpm).stdout)
        self.assertIn("/usr/bin/callready", run("rpm", "-qlp", rpm).stdout.splitlines())
        self.assertIn("libc.so.6(GLIBC_2.17)(64bit)", run("rpm", "-qp", "--requires", rpm).stdout)


if __name__ == "__main__":
    unittest.main()
