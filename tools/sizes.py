#!/usr/bin/env python3
"""The size of the sources, and the files and functions that are longer than the limits.

A function of C++ or CUDA is a pair of braces, outside comments and strings, whose head has a parameter list and that is
not inside another function, so a lambda counts as part of the function that contains it. A function's lines are those
from its head to its closing brace. Functions of Python are found with the module ast.
"""
import argparse
import ast
import collections
import os
import re
import subprocess
import sys

CPP = {".h", ".cpp", ".cu", ".cuh"}
LIMITED = CPP | {".py"}
SOURCES = LIMITED | {".def", ".sh", ".cmake", ".R"}  # a .def file is a list and grows with what it lists
LIMITS = (300, 400, 60, 120)

Function = collections.namedtuple("Function", "path line name lines is_kernel")
Source = collections.namedtuple("Source", "path lines functions")


# ---- the files -------------------------------------------------------------------------------------------------------

def walk(root):
    """The files in the folder, except in hidden and build folders."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".", "build", "__pycache__"))]
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)


def source_paths(root):
    """The sources that git tracks or would track, sorted; without git, those in the folder."""
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = walk(root)
    return sorted(path for path in set(listed) if os.path.isfile(os.path.join(root, path)) and
                  (os.path.splitext(path)[1] in SOURCES or os.path.basename(path) == "CMakeLists.txt"))


# ---- functions of C++ and CUDA ---------------------------------------------------------------------------------------

NOT_CODE = re.compile(r"""
    //(?:\\\n|[^\n])* | /\*.*?\*/
  | R"(?P<mark>[^()\s\\]*)\(.*?\)(?P=mark)"
  | "(?:\\.|[^"\\\n])*" | (?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])*'
  | ^[ \t]*\#(?:\\\n|[^\n])*""", re.VERBOSE | re.DOTALL | re.MULTILINE)
BEFORE_THE_NAME = {"__launch_bounds__", "__attribute__", "alignas", "decltype", "explicit", "noexcept", "requires", "sizeof"}


def code_only(text):
    """The text with comments, strings, characters and preprocessor lines blanked, without moving any line."""
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def without_templates(head):
    """The head after its template <...> lists."""
    while match := re.match(r"\s*template\s*<", head):
        depth, end = 1, match.end()
        while depth and end < len(head):
            depth += {"<": 1, ">": -1}.get(head[end], 0)
            end += 1
        head = head[end:]
    return head


def name_of(head):
    """The name of the function with this head; None if the brace after it opens something else."""
    head = without_templates(head)
    if re.match(r"\s*(?:namespace|enum|extern\s*$)", head):
        return None
    if function_object := re.search(r"(\w+)\s*=\s*\[[^\]]*\]\s*(?:\(|$)", head):
        return function_object[1]
    for match in re.finditer(r"(operator\s*\(\s*\)|operator\s*[^\s\w(]+|[\w:~]+(?:<[^<>()]*>)?)\s*\(", head):
        if match[1] in BEFORE_THE_NAME:
            continue
        if "=" in head[:match.start()] and "operator" not in head:
            return None
        if re.match(r"TEST|TYPED_TEST|INSTANTIATE|BENCHMARK", match[1]):
            return re.sub(r"\s+", " ", head[match.start():].strip())
        return match[1]
    return None


def is_member_initialiser(head):
    """Whether the brace after this head is the x{...} of a constructor's  : x{...}, y(...)."""
    return re.search(r"\)[\s\w]*(?<!:):(?!:)", without_templates(head)) and re.search(r"[\w>]\s*$", head)


def closing(code, begin):
    """Where the brace at `begin` closes; None if it does not."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, begin):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return None


def cpp_functions(path, text):
    """All functions, including members of classes; ValueError if braces do not match."""
    code, functions = code_only(text), []
    at = head = depth = 0
    while match := re.compile(r"[{}();]").search(code, at):
        at, sign = match.end(), match[0]
        if sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == ";" and depth == 0 or sign == "}":
            head = at
        elif sign == "{":
            before = code[head:match.start()]
            name = name_of(before) if depth == 0 else None
            inside = depth > 0 or is_member_initialiser(before)
            if name is None and not inside:
                head = at  # a namespace, a class, or a list of values
                continue
            end = closing(code, match.start())
            if end is None:
                raise ValueError(f"line {code.count(chr(10), 0, at) + 1}: the brace is not closed")
            at = end + 1
            if not inside:
                first = head + len(before) - len(before.lstrip())
                line = code.count("\n", 0, first) + 1
                functions.append(Function(path, line, name, code.count("\n", first, end) + 1, "__global__" in before))
                head = at
    return functions


# ---- all sources -----------------------------------------------------------------------------------------------------

def python_functions(path, text):
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [Function(path, node.lineno, node.name, node.end_lineno - node.lineno + 1, False) for node in nodes]


def read_source(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        text = file.read()
    end = os.path.splitext(path)[1]
    find = cpp_functions if end in CPP else python_functions if end == ".py" else lambda *_: []
    try:
        return Source(path, len(text.splitlines()), find(path, text))
    except (SyntaxError, ValueError) as problem:
        raise ValueError(f"{path}: {problem}") from problem


def complaints(sources, limits):
    file_limit, test_limit, function_limit, kernel_limit = limits
    for source in sources:
        most = test_limit if source.path.startswith("tests/") else file_limit
        if source.lines > most and os.path.splitext(source.path)[1] in LIMITED:
            yield f"{source.path}: {source.lines} lines, the limit is {most}"
        for path, line, name, lines, is_kernel in source.functions:
            most = kernel_limit if is_kernel else function_limit
            if lines > most:
                yield f"{path}:{line}: {name}: {lines} lines, the limit of a {'kernel' if is_kernel else 'function'} is {most}"


# ---- the tables ------------------------------------------------------------------------------------------------------

def folders_of(path):
    """The folders in which a file counts: all, its top-level folder, engine/ops and its folder there."""
    parts = path.split("/")
    yield "all"
    yield parts[0] if len(parts) > 1 else "."
    if parts[:2] == ["engine", "ops"]:
        yield "engine/ops"
        if len(parts) > 3:
            yield "/".join(parts[:3])


def print_folders(sources):
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for source in sources:
        for folder in folders_of(source.path):
            for i, more in enumerate((1, source.lines, len(source.functions))):
                counts[folder][i] += more
    print(f"{'folder':<26} {'files':>6} {'lines':>7} {'functions':>10}")
    for folder in sorted(counts, key=lambda name: (name == "all", name)):
        indented = "  " * folder.count("/") + folder.split("/")[-1]
        print("{:<26} {:>6} {:>7} {:>10}".format(indented, *counts[folder]))


def print_longest(sources, count):
    print("\nlongest files")
    for source in sorted(sources, key=lambda s: -s.lines)[:count]:
        print(f"{source.lines:>6}  {source.path}")
    print("\nlongest functions")
    functions = [function for source in sources for function in source.functions]
    for path, line, name, lines, is_kernel in sorted(functions, key=lambda f: -f.lines)[:count]:
        print(f"{lines:>6}  {path}:{line}: {name}{' (kernel)' if is_kernel else ''}")


def limits_of(text):
    limits = tuple(int(part) for part in text.split(","))
    if len(limits) != 4 or min(limits) < 1:
        raise ValueError
    return limits


def command_line():
    parser = argparse.ArgumentParser("sizes.py", description=__doc__, allow_abbrev=False, add_help=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-h", "--help", action="help", help="print this help and exit")
    parser.add_argument("folder", nargs="?", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."),
                        help="root of the sources (default: the repository of this script)")
    parser.add_argument("--longest", type=int, default=10, metavar="N", help="how many of the longest to show (default 10)")
    parser.add_argument("--limits", type=limits_of, default=LIMITS, metavar="FILE,TEST,FUNCTION,KERNEL",
                        help="maximum lines of a file of C++, CUDA or Python, of one below tests/, of a function, and "
                        f"of a CUDA kernel (__global__); default {','.join(map(str, LIMITS))}. Exit status 1: a limit "
                        "is exceeded")
    return parser


def main():
    arguments = command_line().parse_args()
    try:
        sources = [read_source(arguments.folder, path) for path in source_paths(arguments.folder)]
    except (OSError, ValueError) as problem:
        print(f"sizes.py: {problem}", file=sys.stderr)
        return 1
    print_folders(sources)
    print_longest(sources, arguments.longest)
    broken = list(complaints(sources, arguments.limits))
    print("\n" + ("\n".join(["too long", *broken]) if broken else "no file and no function is too long"))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
