"""The scripts: what they make of a bad command line and of an interrupt. Nothing is installed or built."""
import os
import shutil
import subprocess
import tempfile
import unittest

# Stand-ins. The installation is interrupted, as by Ctrl-C.
FAKES = {"dpkg-query": "exit 1", "id": "echo 0",
         "apt-get": "[ $1 = update ] || { test -x \"$POLICY\" && echo installing; kill -TERM $PPID; }"}


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


class Packages(unittest.TestCase):
    """script/packages.sh, with a file of the test's own in the place of /usr/sbin/policy-rc.d."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.policy = os.path.join(folder.name, "policy-rc.d")
        self.script = os.path.join(folder.name, "packages.sh")
        with open("script/packages.sh", encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(1, text.count("/usr/sbin/policy-rc.d"))
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/sbin/policy-rc.d", self.policy))
        self.folder = folder.name
        for name, body in FAKES.items():
            self.fake(name, body)
        self.environment = {**os.environ, "PATH": folder.name + ":" + os.environ["PATH"],
                            "POLICY": self.policy}

    def fake(self, name, body):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)

    def sh(self, text):
        return run("sh", "-c", f'set -eu; . "$0"; {text}', self.script, env=self.environment)

    def test_an_interrupted_installation_lets_services_start_again(self):
        done = self.sh("need_packages nothing-that-is-there")
        self.assertIn("installing", done.stderr)
        self.assertNotEqual(0, done.returncode)
        self.assertFalse(os.path.exists(self.policy))

    def test_who_cannot_install_is_told_what_is_missing(self):
        self.fake("id", "echo 1000")
        for name in ("sh", "sed", "tr"):
            os.symlink(shutil.which(name), os.path.join(self.folder, name))
        self.environment["PATH"] = self.folder  # no sudo
        done = self.sh("need_packages nothing-that-is-there neither-is-this")
        self.assertEqual((1, f"{self.script}: needs root (or sudo) to install: "
                          "nothing-that-is-there neither-is-this\n"), (done.returncode, done.stderr))

    def test_what_is_missing(self):
        self.environment["PATH"] = os.environ["PATH"]
        done = self.sh("missing_packages dpkg nothing-that-is-there g++-nothing libc6")
        self.assertEqual("nothing-that-is-there\ng++-nothing\n", done.stdout, done.stderr)


class CommandLines(unittest.TestCase):
    def test_nothing_is_fuzzed_for_ever_or_by_mistake(self):
        for words in (["--seconds", "ten"], ["--seconds", "0"], ["--help"], ["--sort"]):
            with self.subTest(words):
                done = run("script/fuzz", *words)
                self.assertEqual((2, ""), (done.returncode, done.stdout))
                self.assertIn("script/fuzz --seconds 600 NAME...", done.stderr)

    def test_help_is_found_from_everywhere(self):
        for name in ("fuzz", "package"):
            done = run("./" + name, "--help", cwd="script")
            self.assertEqual(2, done.returncode)
            self.assertTrue(done.stderr.startswith(f"script/{name} "), done.stderr)


if __name__ == "__main__":
    unittest.main()
