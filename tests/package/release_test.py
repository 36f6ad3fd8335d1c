"""script/release with a key of the test's own: what it signs, and what it refuses to sign."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

with open("CMakeLists.txt", encoding="utf-8") as source:
    VERSION = re.search(r"^project\(callready VERSION ([0-9.]+)", source.read(), re.MULTILINE).group(1)


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, **options)


@unittest.skipIf(shutil.which("minisign") is None, "minisign is not installed")
class ReleaseTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="callready-release-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.packages = self.path("packages")
        os.mkdir(self.packages)
        for name in (f"callready_{VERSION}_amd64.deb", f"callready-{VERSION}.spdx.json"):
            self.write(name, "of " + name)
        done = run("sh", "-c", "sha256sum callready* > SHA256SUMS", cwd=self.packages)
        self.assertEqual(0, done.returncode, done.stderr)
        self.make_key("release")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(os.path.join(self.packages, name), "w", encoding="utf-8") as file:
            file.write(text)

    def make_key(self, name):
        done = run("minisign", "-G", "-W", "-p", self.path(name + ".pub"), "-s", self.path(name + ".key"))
        self.assertEqual(0, done.returncode, done.stderr)

    def release(self, key="release", public="release"):
        return run("script/release", env={**os.environ, "CALLREADY_PACKAGES": self.packages,
                                          "CALLREADY_RELEASE_KEY": self.path(key + ".key") if key else "",
                                          "CALLREADY_RELEASE_PUB": self.path(public + ".pub")})

    def documented_commands(self):
        with open("docs/install.md", encoding="utf-8") as file:
            section = re.search(r"^## How to verify a download$(.*?)^## ", file.read(), re.M | re.S).group(1)
        return re.findall(r"^    (\S.*)$", section, re.M)

    def verified(self):
        """What docs/install.md tells people to run says yes, command by command."""
        shutil.copy(self.path("release.pub"), self.packages)
        commands = self.documented_commands()
        self.assertEqual(2, len(commands))
        return [run("sh", "-c", command, cwd=self.packages) for command in commands]

    def test_what_is_signed_is_verified_as_documented(self):
        done = self.release()
        self.assertEqual(0, done.returncode, done.stderr)
        signature, sums = self.verified()
        self.assertEqual((0, 0), (signature.returncode, sums.returncode), signature.stderr + sums.stderr)
        self.assertIn("Signature and comment signature verified", signature.stdout)
        self.assertIn(f"callready {VERSION},", signature.stdout)
        self.assertIn(f"callready_{VERSION}_amd64.deb: OK", sums.stdout)
        self.assertIn(f"callready-{VERSION}.spdx.json: OK", sums.stdout)

    def test_a_file_changed_after_the_release_does_not_pass(self):
        self.assertEqual(0, self.release().returncode)
        self.write(f"callready_{VERSION}_amd64.deb", "something else")
        signature, sums = self.verified()
        self.assertEqual(0, signature.returncode)
        self.assertNotEqual(0, sums.returncode)
        with open(os.path.join(self.packages, "SHA256SUMS"), "a", encoding="utf-8") as file:
            file.write("\n")
        self.assertNotEqual(0, self.verified()[0].returncode)

    def test_a_file_changed_before_is_not_signed(self):
        self.write(f"callready_{VERSION}_amd64.deb", "something else")
        self.assert_refused(self.release())

    def test_a_release_without_an_sbom_is_not_signed(self):
        os.remove(os.path.join(self.packages, f"callready-{VERSION}.spdx.json"))
        self.assertEqual(0, run("sh", "-c", "sha256sum callready* > SHA256SUMS", cwd=self.packages).returncode)
        done = self.release()
        self.assert_refused(done)
        self.assertIn("SBOM", done.stderr)

    def test_what_was_put_beside_the_packages_is_not_signed(self):
        self.write(f"callready-{VERSION}-trial.tar.gz", "made by hand")
        done = self.release()
        self.assert_refused(done)
        self.assertIn(f"callready-{VERSION}-trial.tar.gz is not from script/package", done.stderr)

    def test_another_key_than_the_published_one_is_refused(self):
        self.make_key("other")
        done = self.release(key="other")
        self.assert_refused(done)
        self.assertIn("is not the key of", done.stderr)

    def test_without_a_key_it_says_what_it_wants(self):
        done = self.release(key=None)
        self.assertEqual(2, done.returncode)
        self.assertIn("CALLREADY_RELEASE_KEY", done.stderr)
        self.assertEqual(done.stderr, run("./release", cwd="script").stderr, "wherever it is started")

    def assert_refused(self, done):
        self.assertNotEqual(0, done.returncode, done.stdout)
        left = [name for name in os.listdir(self.packages) if "minisig" in name or name == ".SHA256SUMS"]
        self.assertEqual([], left)


if __name__ == "__main__":
    unittest.main()
