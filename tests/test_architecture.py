"""What imports alone cannot show: sizes, names, docstrings, and that the rooms hear and tell what the table says."""

from __future__ import annotations

import ast
import gc
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from truetape.domain import announced_messages, class_messages, messages, register_messages
from truetape.domain.mail import MAIL, TELLS
from truetape.domain.messages import Message

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "truetape"
TESTS = ROOT / "tests"
ROOMS = (
    "api",
    "benchmarks",
    "corporate_actions",
    "distribution",
    "ingestion",
    "processing",
    "quality",
    "reference",
    "storage",
)
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
LONGEST_CHECK = 25
MOST_COMMENTS = 0.07
VAGUE_NAMES = frozenset({"utils", "util", "common", "helpers", "helper", "misc", "base", "manager"})
VAGUE_CLASSES = re.compile(r"(Manager|Handler|Helper|Processor)$|^(Base|Abstract)[A-Z]")
MAY_PRINT = ("app/cli", "app/sandbox", "app/demo.py")
TEXTS = frozenset({".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".sh", ".cfg", ""})
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home|Users|tmp)/")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    # Python before 3.11.8 counts the depth of two parses together (gh-106905). A collection in the midst of this one
    # may log the end of a forgotten task, whose traceback parses too.
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.enable()


def python_files() -> list[Path]:
    return [path for folder in ("src", "tests", "perf", "scripts") for path in modules(ROOT / folder)]


def test_there_are_nine_rooms() -> None:
    """Nine rooms stand under services/, and nothing else does."""
    rooms = sorted(path.name for path in (SOURCE / "services").iterdir() if (path / "__init__.py").exists())

    assert list(ROOMS) == rooms


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_two_files(room: str) -> None:
    """A room is known by its service.py and its config.py."""
    missing = [name for name in ("service.py", "config.py") if not (SOURCE / "services" / room / name).is_file()]

    assert [] == missing


def test_files_are_short() -> None:
    """A file has at most 400 lines."""
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}

    assert {} == {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}


def test_functions_are_short() -> None:
    """A function has at most 40 lines, its docstring not counted."""
    lengths = {
        f"{name_of(path)}:{node.name}": length(node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, Function)
    }

    assert {} == {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}


def test_checks_are_short() -> None:
    """A check has at most 25 lines, its docstring not counted, so that it can be read at a glance."""
    checks = {
        f"{name_of(path)}:{node.name}": length(node)
        for path in modules(SOURCE / "services" / "quality" / "checks")
        for node in ast.walk(tree(path))
        if isinstance(node, Function) and node.returns is not None and ast.unparse(node.returns).startswith("Broken")
    }

    assert {} == {name: lines for name, lines in checks.items() if lines > LONGEST_CHECK}


def test_names_say_what_is_inside() -> None:
    """No file, folder or class has a name that would fit anything."""
    vague_files = [name_of(path) for path in python_files() if VAGUE_NAMES & {*path.relative_to(ROOT).parts, path.stem}]
    vague_classes = [
        f"{name_of(path)}:{node.name}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and VAGUE_CLASSES.search(node.name)
    ]

    assert ([], []) == (vague_files, vague_classes)


def test_public_names_have_docstrings() -> None:
    """Every module and every public class and function says what it is for."""
    assert [] == [f"{name_of(path)}: {name}" for path in modules(SOURCE) for name in undocumented(path)]


def test_comments_are_rare() -> None:
    """At most 7 % of the code's lines carry a comment: names and docstrings do the telling."""
    comments = lines = 0
    for path in modules(SOURCE):
        text = path.read_text(encoding="utf-8")
        lines += len(text.splitlines())
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        comments += sum(token.type == tokenize.COMMENT for token in tokens)

    assert comments / lines <= MOST_COMMENTS


def test_no_error_is_swallowed() -> None:
    """No handler of every exception does nothing."""
    silent = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules(SOURCE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and catches_all(node) and all(does_nothing(one) for one in node.body)
    ]

    assert [] == silent


def test_only_the_front_prints() -> None:
    """Rooms log; only the command line, the sandbox and the demo write to the terminal."""
    behind = [path for path in modules(SOURCE) if not path.relative_to(SOURCE).as_posix().startswith(MAY_PRINT)]

    assert [] == [
        f"{name_of(path)}:{call.lineno}" for path in behind for call in calls(path) if called(call) == "print"
    ]


def test_the_domain_never_waits() -> None:
    """The domain has no coroutine and opens no file."""
    domain = modules(SOURCE / "domain")
    waits = [
        f"{name_of(path)}:{node.lineno}"
        for path in domain
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]

    assert [] == waits + [f"{name_of(path)}: open" for path in domain for call in calls(path) if called(call) == "open"]


def test_messages_flow_forward() -> None:
    """A message never leads back to the room that told it, by whatever way."""
    graph = {room: {hearer for kind in told for hearer in MAIL[kind]} for room, told in TELLS.items()}

    assert {"app", *ROOMS} == set(TopologicalSorter(graph).static_order())


def test_the_table_of_messages_is_whole() -> None:
    """Each message is told by one room and heard by known rooms."""
    named = {**vars(messages), **vars(announced_messages), **vars(class_messages), **vars(register_messages)}
    every = {kind for kind in named.values() if isinstance(kind, type) and issubclass(kind, Message)}
    told = Counter(kind for kinds in TELLS.values() for kind in kinds)

    assert every - {Message} == set(MAIL)
    assert dict.fromkeys(MAIL, 1) == dict(told)
    assert {"app", *ROOMS} == set(TELLS)
    assert {hearer for hearers in MAIL.values() for hearer in hearers} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_hear_what_the_table_says(room: str) -> None:
    """A room subscribes, under its own name, to exactly the messages that the table gives it."""
    service = SOURCE / "services" / room / "service.py"
    subscriptions = [call for call in calls(service) if called(call) == "subscribe" and call.args]
    groups = {ast.literal_eval(word.value) for call in subscriptions for word in call.keywords if word.arg == "group"}
    heard = sorted(ast.unparse(call.args[0]) for call in subscriptions)

    assert sorted(kind.__name__ for kind, hearers in MAIL.items() if room in hearers) == heard
    assert groups <= {room}


@pytest.mark.parametrize("room", TELLS)
def test_rooms_tell_what_the_table_says(room: str) -> None:
    """A room makes exactly the messages that the table lets it tell."""
    folder = SOURCE / "app" if room == "app" else SOURCE / "services" / room
    names = {kind.__name__ for kind in MAIL}
    made = {called(call) for path in modules(folder) for call in calls(path)} & names

    assert {kind.__name__ for kind in TELLS[room]} == made


def test_test_files_have_names_of_their_own() -> None:
    """No two test files share a name, so that pytest can tell them apart."""
    names = Counter(path.name for path in modules(TESTS))

    assert [] == [name for name, times in names.items() if times > 1]


def test_the_repository_knows_no_machine() -> None:
    """No file speaks of a path that exists on one machine only."""
    here = Path(__file__)
    found = [
        f"{name_of(path)}:{number}"
        for path in tracked()
        if path != here and path.suffix in TEXTS and path.name != "LICENSE"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE_PATHS.search(line)
    ]

    assert [] == found


def test_every_page_can_be_reached() -> None:
    """Each page under docs/ is linked from another page."""
    pages = [path for path in tracked() if path.suffix == ".md"]
    linked = {target for page in pages for target in links(page)}

    assert [] == [name_of(page) for page in pages if "docs" in page.parts and page not in linked]


def test_links_lead_somewhere() -> None:
    """A relative link in a page names a file that is there."""
    pages = [path for path in tracked() if path.suffix == ".md"]

    assert [] == [f"{name_of(page)} -> {target}" for page in pages for target in links(page) if not target.exists()]


def tracked() -> list[Path]:
    """Return the files of the repository: what stands in its known folders and beside them."""
    folders = [ROOT / name for name in ("src", "tests", "perf", "docs", "scripts", "requirements", ".ci", "deploy")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    beside = [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith((".coverage", ".git"))]
    return sorted(path for path in (*files, *beside) if "__pycache__" not in path.parts)


def links(page: Path) -> Iterator[Path]:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            yield (page.parent / target).resolve()


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def length(function: Function) -> int:
    """Return how many lines `function` has without its docstring and its decorators."""
    first = function.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(function) else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def undocumented(path: Path) -> Iterator[str]:
    """Yield the public names of a module that lack a docstring."""
    if not ast.get_docstring(tree(path)):
        yield "the module"
    owners: list[ast.Module | ast.ClassDef] = [tree(path)]
    owners += [node for node in tree(path).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for owner in owners:
        for node in owner.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not explained(node):
                yield f"{node.name}, line {node.lineno}"


def explained(node: Function | ast.ClassDef) -> bool:
    """Return whether `node` has a docstring, or is a property that its base class explains."""
    return bool(ast.get_docstring(node)) or [ast.unparse(one) for one in node.decorator_list] == ["property"]


def catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"}


def does_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass | ast.Continue) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]
