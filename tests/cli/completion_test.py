"""What the shells complete, asked of the shells; and the manual page, asked of groff."""
import os
import shutil
import subprocess
import tempfile
import unittest

CALLREADY = os.environ["CALLREADY"]


class CompletionTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="callready-completion-")
        self.addCleanup(self.folder.cleanup)
        bin_folder = os.path.join(self.folder.name, "bin")
        os.mkdir(bin_folder)
        os.symlink(os.path.abspath(CALLREADY), os.path.join(bin_folder, "callready"))
        self.environment = {"PATH": bin_folder + ":/usr/bin:/bin", "HOME": self.folder.name,
                            "LC_ALL": "C.UTF-8", "TERM": "dumb"}

    def run_it(self, *words, **options):
        return subprocess.run(words, capture_output=True, text=True, timeout=120,
                              env=self.environment, cwd=self.folder.name, **options)

    def script(self, shell):
        done = self.run_it("callready", "completion", shell)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout

    def bash(self, *words):
        """What bash offers for the last of the words."""
        listed = " ".join("'" + word + "'" for word in words)
        done = self.run_it("bash", "-c", self.script("bash") + f"""
compopt() {{ :; }}
COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}
_callready
printf '%s\\n' "${{COMPREPLY[@]}}"
""")
        self.assertEqual("", done.stderr)
        return set(done.stdout.split())

    def test_bash(self):
        commands = self.bash("callready", "")
        self.assertLessEqual({"check", "list", "demo", "help", "completion"}, commands)
        self.assertNotIn("manual", commands)
        self.assertEqual({"check"}, self.bash("callready", "che"))
        self.assertLessEqual({"teams", "teams-direct-routing"}, self.bash("callready", "check", "tea"))
        self.assertEqual({"ms-teams", "ms-teams-direct-routing"},
                         self.bash("callready", "check", "rainbow", "ms-t"))
        self.assertEqual({"--pace"}, self.bash("callready", "check", "--pac") - {"--pac"})
        self.assertEqual({"normal", "fast"}, self.bash("callready", "check", "--pace", ""))
        self.assertEqual({"never"}, self.bash("callready", "-d", "check", "--color", "n"))
        self.assertLessEqual({"check", "show"}, self.bash("callready", "help", ""))
        self.assertEqual(set(), self.bash("callready", "check", "--site", ""))
        with open(os.path.join(self.folder.name, "mine.yaml"), "w", encoding="utf-8"):
            pass
        self.assertEqual({"mine.yaml"}, self.bash("callready", "check", "--set", "mi"))
        self.assertEqual({"mine.yaml"}, self.bash("callready", "validate", "mi"))

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        path = os.path.join(self.folder.name, "callready.fish")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.script("fish"))

        def offered(line):
            done = self.run_it("fish", "--no-config", "-c",
                               f"source {path}; complete -C '{line}'")
            self.assertEqual("", done.stderr)
            return {one.split("\t")[0] for one in done.stdout.splitlines()}
        self.assertLessEqual({"check", "list", "demo"}, offered("callready "))
        self.assertEqual({"ms-teams", "ms-teams-direct-routing"}, offered("callready check ms-t"))
        self.assertEqual({"normal", "fast"}, offered("callready check --pace "))
        self.assertLessEqual({"--thorough", "--timeout"}, offered("callready check --t"))

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        path = os.path.join(self.folder.name, "_callready")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.script("zsh"))
        self.assertEqual("", self.run_it("zsh", "-n", path).stderr)
        done = self.run_it("zsh", "-f", "-c", f"autoload -U compinit; compinit -u -D; source {path};"
                           " print -r -- $_comps[callready]; functions _callready_sets >/dev/null && print sets")
        self.assertEqual("_callready\nsets\n", done.stdout, done.stderr)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_manual(self):
        page = self.run_it("callready", "manual").stdout
        done = self.run_it("groff", "-man", "-Tutf8", "-ww", "-P-cbou", input=page)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        for part in ("--redact-key", "callready check [OPTIONS] [SET...]", "EXIT STATUS", "4 degraded"):
            self.assertIn(part, done.stdout)

    def test_names_are_for_programs(self):
        lines = self.run_it("callready", "list", "--names").stdout.splitlines()
        self.assertIn("ms-teams\tMicrosoft Teams", lines)
        self.assertTrue(all(line.count("\t") == 1 for line in lines))
        self.assertEqual(2, self.run_it("callready", "list", "--names", "--json").returncode)

    def test_a_name_in_any_spelling(self):
        for name in (["ms", "Teams"], ["MSTeams"], ["microsoft_teams"], ["Microsoft Teams"]):
            done = self.run_it("callready", "firewall", *name, "--format", "json")
            self.assertEqual(0, done.returncode, f"{name}: {done.stderr}")
            self.assertEqual(done.stdout,
                             self.run_it("callready", "firewall", "teams", "--format", "json").stdout)


if __name__ == "__main__":
    unittest.main()
