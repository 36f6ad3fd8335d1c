"""`co_await` stands alone: `x = co_await f(named arguments);`

g++ 12 miscompiles co_await inside conditions, larger expressions and beside temporaries (GCC PR
106188, 99576), without a warning.
"""

import re
import unittest

from tests.lint import sources

# What may stand before it in its statement: nothing, or one assignment, perhaps behind `if (...)`.
BEFORE = re.compile(
    r"^(?:else )?(?:(?:const )?[\w:<>,*& ]+ )?(?:[\w.\->\[\]:*]+|\[[\w, ]+\]) = $|^(?:else )?$"
)


def closing(text, opening):
    """The offset of the bracket that closes the one at `opening`."""
    depth = 0
    for offset in range(opening, len(text)):
        if text[offset] in "([{":
            depth += 1
        elif text[offset] in ")]}":
            depth -= 1
            if depth == 0:
                return offset
    return len(text)


def skip_condition(statement):
    """`if (...) x` without its condition; None where the condition does not end."""
    match = re.match(r"^(?:else )?(?:if(?: constexpr)?|while|for|switch) ?\(", statement)
    if not match:
        return statement
    end = closing(statement, match.end() - 1)
    return None if end == len(statement) else statement[end + 1 :].lstrip()


def statement_start(text, offset):
    """Where the statement starts that `offset` is in: behind ; or { or }, or a label's colon."""
    depth = 0
    for position in range(offset - 1, -1, -1):
        character = text[position]
        if character in ")]":
            depth += 1
        elif character in "([":
            depth -= 1
        elif character in ";{}" and depth <= 0:
            # A semicolon inside `for (...;...)` has an open bracket before it.
            return position + 1
    return 0


def fault_at(text, offset):
    start = statement_start(text, offset)
    before = re.sub(r"\s+", " ", text[start:offset]).lstrip()
    before = re.sub(r"^(?:case [\w:]+|default): ?", "", before)
    before = skip_condition(before)
    if before is None:
        return "in a condition"
    if re.search(r"\b(co_)?return $", before):
        return "in a return"
    if not BEFORE.match(before):
        return "in a larger expression"
    call = text.index("(", offset)
    name = text[offset + len("co_await") : call]
    if not re.match(r"^\s+[\w:.\->\[\]<> ]*[\w>]$", name):
        return "of something other than a call"
    end = closing(text, call)
    if not text[end + 1 :].lstrip().startswith(";"):
        return "in a larger expression"
    arguments = text[call:end]
    if "co_await" in arguments:
        return "inside another"
    if "?" in arguments:
        return "with a choice among its arguments"
    if re.search(r"\[[^\]]*\]\s*(?:\([^)]*\)\s*)?(?:mutable\s*)?\{", arguments):
        return "with a lambda among its arguments"
    if re.search(r"[\w>]\s*\{", arguments):
        return "with a braced temporary among its arguments"
    return None


def faults(text):
    code = sources.blank(text)
    found = []
    for match in re.finditer(r"\bco_await\b", code):
        fault = fault_at(code, match.start())
        if fault:
            found.append((sources.line_of(code, match.start()), "co_await " + fault))
    return found


class Coroutines(unittest.TestCase):
    def test_co_await_stands_alone(self):
        found, seen = [], 0
        for path in sources.files(*sources.ROOMS.values()):
            text = path.read_text()
            seen += len(re.findall(r"\bco_await\b", sources.blank(text)))
            found += [f"{sources.name(path)}:{line}: {fault}" for line, fault in faults(text)]
        self.assertEqual(found, [])
        self.assertGreater(seen, 20, "the lint looks at nothing")


class TheLintItself(unittest.TestCase):
    GOOD = [
        "{ co_await f(); }",
        "{ auto x = co_await f(a, b); }",
        "{ const auto [error, size] = co_await s.async_read(b, asio::as_tuple(use_awaitable)); }",
        "{ observation = co_await check.run(context_, job); }",
        "{ results[i] = co_await work->make(i); }",
        "{ if (other) x = co_await f(a); }",
        "{ if (other) co_await f(a); else co_await g(); }",
        "{ auto x =\n      co_await f(\n  a, b[1], g(c)); }",
        "// return co_await f();\n",
        'auto x = "co_await f() + 1";',
        "switch (a) { case A: x = co_await f(); }",
        "{ const auto n = co_await Awaitable<int>::make(a); }",
    ]
    BAD = [
        "{ if (co_await f()) x(); }",
        "{ while (!co_await f()) x(); }",
        "{ switch (co_await f()) {} }",
        "{ for (auto x = co_await f(); x; ) y(); }",
        "{ return co_await f(); }",
        "{ co_return co_await f(); }",
        "{ g(co_await f()); }",
        "{ x = (co_await f()).value; }",
        "{ x = co_await f() + 1; }",
        "{ x = a ? co_await f() : 1; }",
        "{ x = a && co_await f(); }",
        "{ x = co_await f(a ? b : c); }",
        "{ co_await f([a] { b(); }); }",
        "{ co_await f([a](int b) mutable { b(); }); }",
        "{ co_await f(Job{probe}); }",
        "{ co_await f(co_await g()); }",
        "{ co_await f(a).value(); }",
        "{ auto x = Thing{co_await f()}; }",
        "{ co_await (f() || g()); }",
    ]

    def test_good(self):
        for code in self.GOOD:
            self.assertEqual(faults(code), [], code)

    def test_bad(self):
        for code in self.BAD:
            self.assertNotEqual(faults(code), [], code)


if __name__ == "__main__":
    unittest.main()
