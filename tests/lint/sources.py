"""The program's sources as the lints read them: without comments, and without what is in quotes."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

ROOMS = {
    "util": "probe/util",
    "model": "probe/model",
    "media": "probe/media",
    # Before the room that they lie in.
    "contents": "probe/diagnosis/contents",
    "ways": "probe/diagnosis/ways",
    "reach": "probe/diagnosis/reach",
    "questions": "probe/diagnosis/questions",
    "status": "probe/diagnosis/status",
    "compare": "probe/diagnosis/compare",
    "words": "reports/words",
    "text": "reports/text",
    "html": "reports/html",
    "json": "reports/json",
    "monitoring": "reports/monitoring",
    "firewall": "reports/firewall",
    "privacy": "reports/privacy",
    "diagnosis": "probe/diagnosis",
    "plan": "probe/plan",
    "engine": "probe/engine",
    "platform": "probe/platform",
    "net": "probe/net",
    "webrtc": "probe/webrtc",
    "serve": "probe/serve",
    "web": "probe/web",
    "exporter": "probe/exporter",
    "ui": "probe/ui",
    "cli": "probe/cli",
    "checks": "checks",
    "targets": "targets",
    "reports": "reports",
}

_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\\ ]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])*'",
    re.S,
)


def blank(text):
    """Comments and the inside of literals become blanks; lines stay where they are."""

    def empty(match):
        kept = re.sub(r"[^\n]", " ", match.group())
        return '""' + kept[2:] if match.group()[0] in "\"R" else kept

    return _LITERAL.sub(empty, text)


def without_comments(text):
    def empty(match):
        comment = match.group().startswith(("//", "/*"))
        return re.sub(r"[^\n]", " ", match.group()) if comment else match.group()

    return _LITERAL.sub(empty, text)


def literals(text):
    """Start, end and content of each string literal; escapes as they stand."""
    for match in _LITERAL.finditer(text):
        found = match.group()
        if found.startswith('R"'):
            around = len(match["mark"]) + 2
            yield match.start(), match.end(), found[around + 1:-around]
        elif found.startswith('"'):
            yield match.start(), match.end(), found[1:-1]


def files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).glob("*.?pp")):
            yield path


def name(path):
    return str(path.relative_to(ROOT))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
