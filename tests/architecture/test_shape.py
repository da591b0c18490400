"""Files are one noun, functions are short, names say what is in them, settings come from one place."""

import ast

from tests.architecture.tree import Function, Module, modules

MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_STORIES = 400
"""Of a test file: its stories are read one at a time."""
MOST_LINES_OF_A_FUNCTION = 60
LONG_FILES: dict[str, str] = {}
"""Longer files, each with the reason why it is still one noun."""
LONG_FUNCTIONS: dict[str, str] = {}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
READ_THE_ENVIRONMENT = ("aiguilleur/", "deploy/", "tests/", "shared/delivery/points.py", "shared/settings.py")


def test_files_are_short() -> None:
    long = {module.path for module in modules() if len(module.text.splitlines()) > most_lines(module.path)}
    assert not long - LONG_FILES.keys(), f"too long, two nouns in one file: {sorted(long - LONG_FILES.keys())}"
    assert LONG_FILES.keys() <= long, f"no longer long, take it off the list: {sorted(LONG_FILES.keys() - long)}"


def most_lines(path: str) -> int:
    return MOST_LINES_OF_STORIES if path.startswith("tests/") else MOST_LINES_OF_A_FILE


def test_functions_are_short() -> None:
    long = {
        f"{module.path}:{function.name}"
        for module in modules()
        for function in module.functions()
        if own_lines(function) > MOST_LINES_OF_A_FUNCTION
    }
    assert not long - LONG_FUNCTIONS.keys(), f"more than {MOST_LINES_OF_A_FUNCTION} lines: {sorted(long - LONG_FUNCTIONS.keys())}"
    assert LONG_FUNCTIONS.keys() <= long


def own_lines(function: Function) -> int:
    """The lines of a function without those of the functions in it: one that only holds routes is not long."""
    inner = [node for child in ast.iter_child_nodes(function) for node in ast.walk(child) if isinstance(node, Function)]
    outermost = [one for one in inner if not any(one is not other and _holds(other, one) for other in inner)]
    return _lines(function) - sum(_lines(one) for one in outermost)


def _holds(outer: Function, inner: Function) -> bool:
    return any(node is inner for node in ast.walk(outer))


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_a_long_function_is_seen() -> None:
    body = "\n".join("    a = 1" for _ in range(70))
    (long,) = [node for node in ast.walk(ast.parse(f"def long():\n{body}\n")) if isinstance(node, Function)]
    assert own_lines(long) == 71
    nested = ast.parse(f"def holder():\n    def inner():\n{body.replace('    ', '        ')}\n    return inner\n").body[0]
    assert isinstance(nested, Function)
    assert own_lines(nested) == 2


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [module.path for module in modules() if VAGUE & set(module.name.split("."))]
    assert not vague


def test_only_settings_read_the_environment() -> None:
    """Settings are arguments: whoever reads the environment elsewhere cannot be tested, nor listed by --help."""
    found = [
        module.path for module in modules() if reads_environment(module) and not module.path.startswith(READ_THE_ENVIRONMENT)
    ]
    assert not found


def reads_environment(module: Module) -> bool:
    """Whether it looks at the environment itself, or lets pydantic do it outside a `settings.py`."""
    names = module.imports()
    if {"os.environ", "os.getenv", "os.environb"} & names:
        return True
    asks = any(
        isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb", "putenv")
        for node in ast.walk(module.tree)
    )
    return asks or ("pydantic_settings.BaseSettings" in names and not module.path.endswith("settings.py"))


def test_only_the_frame_and_the_commands_ask_for_settings() -> None:
    """`app.py` and all below get them as arguments."""
    asked = {
        module.path
        for module in modules("services", "shared")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read_settings"
    }
    assert asked <= {"shared/app.py", "services/__main__.py"}


def test_only_app_and_main_know_the_whole_service() -> None:
    """`app.py` is the one place that wires: nothing of a service imports it but the one that runs it."""
    importers = {
        module.path
        for module in modules("services", "shared")
        if any(name.startswith("services.") and ".app" in name for name in module.imports())
    }
    allowed = {f"services/{name}/__main__.py" for name in ("intake", "router", "sla", "notifier", "stats")}
    assert importers <= allowed | {"services/__main__.py"}
