"""The sentences of the sources, and their translations in po/: GNU gettext's .po files.

What people read is made by phrase(), plural(), say(), say_plural() or marked() from an English template
(probe/model/text.hpp), which is the entry's msgid."""

import pathlib
import re

from tests.lint import sources

PO = sources.ROOT / "po"
POT = PO / "callready.pot"
FOLDERS = ("probe/model", "probe/diagnosis", "probe/plan", "probe/engine", "probe/cli", "checks",
           "reports")
CALL = re.compile(r"\b(phrase|plural|say|say_plural|marked)\(")
PLACE = re.compile(r"\{(\d?)\}")
HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {}\\n"
"""
PLURALS = {"fr": "nplurals=2; plural=(n > 1);"}


def _end_of_argument(text, at):
    """Where the argument that begins there ends: at its comma, or at the bracket after it."""
    depth = 0
    while at < len(text):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            if depth == 0:
                return at
            depth -= 1
        elif text[at] == "," and depth == 0:
            return at
        at += 1
    return at


def _literal(text, blank, start, end):
    """The literals between as one; None where there is anything else."""
    found, last = "", start
    for begin, until, part in sources.literals(text[start:end]):
        if blank[last:start + begin].strip():
            return None
        found += part
        last = start + until
    return found if last > start and not blank[last:end].strip() else None


def has_words(template):
    return bool(re.search(r"[A-Za-z]", PLACE.sub("", template)))


def is_translated(template):
    """What has words, or a colon: French sets it apart from a name, too."""
    return has_words(template) or ":" in template


def templates_of(text):
    """Each template of a source as (msgid, msgid_plural or None), and its offset."""
    text = sources.without_comments(text)
    blank = sources.blank(text)
    for call in CALL.finditer(blank):
        at = call.end()
        if call.group(1).endswith("plural"):
            at = _end_of_argument(blank, at) + 1
        end = _end_of_argument(blank, at)
        one = _literal(text, blank, at, end)
        if one is None or not is_translated(one):
            continue
        many = None
        if call.group(1).endswith("plural"):
            many = _literal(text, blank, end + 1, _end_of_argument(blank, end + 1))
        yield (one, many), call.start()


# Folders whose sentences all are templates (those of reach/ are for us), and what in them nobody
# reads as a sentence.
CONVERTED = (*(f"probe/diagnosis/{part}" for part in
               ("", "compare", "contents", "questions", "status", "ways")), "checks", "probe/engine")
# In English only: diff, errors, the progress line, and what authors of sets read.
PLAIN_FILES = {"compare.cpp", "merge.cpp", "registry.cpp", "session.cpp", "progress.cpp", "watchdog.cpp"}
PLAIN = {"mcafee web gateway", "eset ssl filter", "trend micro web", "f5 ssl orchestrator",
         # Failures speak English, as the system's and the libraries' do.
         '\\" is not host:port', '\\" is not host:port/transport', "a message that was cut off",
         "more than 262,140 bytes without a final reply", "the domain says that it has no such service",
         ": it does not hold a JSON object"}
_SENTENCE = re.compile(r"[A-Za-z']+,? [a-z']+,? [a-z']+")


def untranslatable(text):
    """Sentences of a source that no translator sees, and where."""
    text = sources.without_comments(text)
    blank = sources.blank(text)
    marked = []
    for call in CALL.finditer(blank):
        start, end = call.end(), _end_of_argument(blank, call.end())
        if call.group(1).endswith("plural"):
            for _ in range(2):
                end = _end_of_argument(blank, end + 1)
        marked.append((start, end))
    for start, _, part in sources.literals(text):
        if _SENTENCE.search(part) and part not in PLAIN and not any(a <= start < b for a, b in marked):
            yield start, part


PAGE = ("probe/ui/page/index.html", "probe/ui/page/script.js", "probe/ui/page/result.js")
_HTML = re.compile(r'>([^<>]*[A-Za-z][^<>]*)<|(?:placeholder|aria-label)="([^"]+)"')
_SCRIPT = re.compile(r"\bt\('([^']*)'")


def of_page(file):
    """The texts of a page, or what its script says by t('...'), as probe/ui/page_files.cpp looks for them."""
    text = (sources.ROOT / file).read_text()
    found = _HTML.findall(text) if file.endswith(".html") else [(one, "") for one in _SCRIPT.findall(text)]
    for one in ((a or b).strip() for a, b in found):
        if has_words(one) and not one.startswith(("http", "callready ")):
            yield one.replace("\\", "\\\\").replace('"', '\\"')


def wanted():
    """All entries, {msgid: (msgid_plural or None, [files])}, in the order of the sources."""
    entries = {}
    for folder in FOLDERS:
        for path in sorted((sources.ROOT / folder).rglob("*.?pp")):
            for (one, many), _ in templates_of(path.read_text()):
                known = entries.setdefault(one, [many, []])
                known[0] = known[0] or many
                if sources.name(path) not in known[1]:
                    known[1].append(sources.name(path))
    for file in PAGE:
        for one in of_page(file):
            known = entries.setdefault(one, [None, []])
            if file not in known[1]:
                known[1].append(file)
    return entries


_STRING = re.compile(r'"((?:\\.|[^"\\])*)"')


def read(path):
    """{msgid: (msgid_plural or None, [translations], fuzzy)} of a .po file, its head left out."""
    entries, block = {}, []
    for line in path.read_text().splitlines() + [""]:
        if line.strip():
            block.append(line)
            continue
        fuzzy = any(part.startswith("#,") and "fuzzy" in part for part in block)
        fields, field = {}, None
        for part in block:
            if part.startswith("#"):
                continue
            if not part.startswith('"'):
                field, part = part.split(" ", 1)
                fields[field] = ""
            fields[field] += _STRING.search(part).group(1)
        block = []
        if fields.get("msgid"):
            told = [text for name, text in fields.items() if name.startswith("msgstr")]
            entries[fields["msgid"]] = (fields.get("msgid_plural"), told, fuzzy)
    return entries


def written(entries, told, plurals):
    """The text of a .po file with those translations."""
    blocks = [HEAD.format(plurals)]
    for one, (many, files) in entries.items():
        lines = ["#: " + " ".join(files), f'msgid "{one}"']
        texts = told.get(one, [])
        if many is None:
            lines.append(f'msgstr "{texts[0] if texts else ""}"')
        else:
            texts = (texts * 2)[:2] if len(texts) == 1 else texts
            lines.append(f'msgid_plural "{many}"')
            lines += [f'msgstr[{i}] "{texts[i] if texts else ""}"' for i in range(2)]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def update():
    entries = wanted()
    usual = "nplurals=2; plural=(n != 1);"
    POT.write_text(written(entries, {}, usual))
    for path in sorted(PO.glob("*.po")):
        told = {one: texts for one, (_, texts, fuzzy) in read(path).items() if all(texts) and not fuzzy}
        path.write_text(written(entries, told, PLURALS.get(path.stem, usual)))


def places(text):
    """The numbers of the arguments that a template or a translation names; None: it mixes both ways."""
    found = PLACE.findall(text.replace("{{", "").replace("}}", ""))
    if all(found):
        return set(map(int, found))
    return set(range(len(found))) if not any(found) else None


def faults_of(path, entries):
    """What is wrong with one catalogue, a line for each entry."""
    told = read(path)
    for one in entries:
        if one not in told or not all(told[one][1]):
            yield f"{path.name}: missing: {one}"
    for one, (many, texts, fuzzy) in told.items():
        if one not in entries:
            yield f"{path.name}: no longer in the sources: {one}"
            continue
        if fuzzy:
            yield f"{path.name}: fuzzy: {one}"
        if many != entries[one][0]:
            yield f"{path.name}: another plural than the sources have: {one}"
        for text in filter(None, texts):
            has = places(text)
            needs = places(many or one)
            # A form for one thing, or for several, may do without the number itself.
            lost = needs - (has or set()) - ({0} if many else set())
            if has is None or has - needs or lost:
                yield f"{path.name}: places do not match: {one} -> {text}"


def faults():
    entries = wanted()
    found = []
    if written(entries, {}, "nplurals=2; plural=(n != 1);") != POT.read_text():
        found.append("po/callready.pot is not what the sources have: run script/po")
    for path in sorted(PO.glob("*.po")):
        found += faults_of(path, entries)
    return found
