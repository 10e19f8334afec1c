#!/usr/bin/env python3
"""Applies the examples of CONTRIBUTING.md, exactly as they are printed, to a copy of the repository.

Every block of a section "### ..." of CONTRIBUTING.md is applied in order: a block with `file=PATH` becomes that file, a
`diff` block is given to `git apply` (or `patch`), and a `bash` block is run in the root of the copy, whose build folder
is `build`. Nothing is repaired: a file that already exists, a diff that does not apply, a command that fails and a new
file that clang-format would change end the run.

  apply_recipes.py                        all examples in one copy, one configuration and one build
  apply_recipes.py --each --times         each example alone in a copy that is built, with the seconds it takes
  apply_recipes.py --list                 the examples and their blocks

With ccache, a copy inside the repository's build folder is compiled from the cache of the main build:
tests/README.md says how.
"""
import argparse
import collections
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARK = ".copy_of_apply_recipes"  # a folder with this file may be deleted

Block = collections.namedtuple("Block", "line language file text")


class Failure(Exception):
    """What is wrong with an example, in one line."""


# ---- CONTRIBUTING.md -------------------------------------------------------------------------------------------------
def read_recipes(page):
    """The blocks of each section "### name" that has any, in order: {name: [Block]}."""
    recipes, name, block, above = collections.OrderedDict(), "", None, ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if block is not None:
            if line.startswith("```"):
                recipes.setdefault(name, []).append(block._replace(text="".join(block.text)))
                block = None
            else:
                block.text.append(line + "\n")
        elif line.startswith("```"):
            language, _, rest = line[3:].partition(" ")
            file = rest.removeprefix("file=") if rest.startswith("file=") and language != "text" else ""
            if file and f"`{file}`" not in above:  # a page in a browser does not show file=
                raise Failure(f"{page.name}, line {number}: the line above the block does not name {file}")
            block = Block(number, language if name else "text", file, [])
        elif line.startswith("#"):
            name = line[4:] if line.startswith("### ") else ""
        elif line:
            above = line
    if block is not None:
        raise Failure(f"{page.name}, line {block.line}: the block has no end")
    return {name: usable(blocks, page) for name, blocks in recipes.items() if name}


def usable(blocks, page):
    """The blocks that do something; an error for one of which this script could not say what it does."""
    blocks = [block for block in blocks if block.language != "text"]
    for block in blocks:
        if not block.file and block.language not in ("diff", "bash"):
            raise Failure(f"{page.name}, line {block.line}: a block must be text, diff or bash, or have file=PATH")
    return blocks


# ---- a copy of the repository ----------------------------------------------------------------------------------------
def repository_files():
    """What git tracks or would track; without git everything except hidden and build folders."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    names = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith((".", "build", "quickstart", "__pycache__"))]
        names += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files]
    return names


def make_copy(folder):
    """An empty build folder and the files of the repository in `folder`, which is emptied if it is an earlier copy."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise Failure(f"the folder '{folder}' is neither empty nor an earlier copy")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    for name in repository_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def cache_settings():
    """The settings of ccache with which tools/test.sh builds, unless the environment has its own."""
    cache = ROOT / "build" / "ccache"
    if "CCACHE_DIR" in os.environ or not cache.is_dir():
        return {}
    return {"CCACHE_DIR": str(cache), "CCACHE_BASEDIR": str(ROOT), "CCACHE_NOHASHDIR": "1", "CCACHE_DEPEND": "1"}


class Copy:
    """A copy of the repository to which examples are applied."""

    def __init__(self, folder, page, quiet):
        self.folder, self.page, self.quiet = folder, page, quiet
        # git must not take the folder for a part of the repository around it.
        self.environment = {**os.environ, **cache_settings(), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        self.before = {}  # path: content before it was changed, None for a new file

    def run(self, command, what, text=None):
        done = subprocess.run(command, cwd=self.folder, env=self.environment, input=text, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if not self.quiet or done.returncode != 0:
            print(done.stdout, end="", flush=True)
        if done.returncode != 0:
            raise Failure(f"{what} failed with exit status {done.returncode}")
        return done.stdout

    def configure(self, arguments):
        self.run(["cmake", "-S", ".", "-B", "build", *arguments], "cmake")

    def place(self, block):
        return f"{self.page.name}, line {block.line}"

    def remember(self, name):
        path = self.folder / name
        self.before.setdefault(name, path.read_bytes() if path.exists() else None)

    def write(self, block):
        path = self.folder / block.file
        if path.exists():
            raise Failure(f"{self.place(block)}: the file {block.file} already exists")
        if not path.parent.is_dir():
            raise Failure(f"{self.place(block)}: there is no folder for the file {block.file}")
        self.remember(block.file)
        path.write_text(block.text, encoding="utf-8")
        formatter = clang_format()
        if formatter and path.suffix in (".h", ".cpp", ".cu"):
            self.run([formatter, "--dry-run", "--Werror", block.file], f"{self.place(block)}: clang-format")

    def patch(self, block):
        for name in re.findall(r"^\+\+\+ b/(\S+)", block.text, re.MULTILINE):
            if not (self.folder / name).is_file():
                raise Failure(f"{self.place(block)}: there is no file {name} to change")
            self.remember(name)
        tool = ["git", "apply", "-"] if shutil.which("git") else ["patch", "--strip=1", "--fuzz=0", "--forward"]
        before = {name: (self.folder / name).read_bytes() for name in self.before if (self.folder / name).exists()}
        self.run(tool, f"{self.place(block)}: {tool[0]}", block.text)
        if all((self.folder / name).read_bytes() == text for name, text in before.items()):
            raise Failure(f"{self.place(block)}: {tool[0]} changed nothing")

    def edit(self, blocks):
        for block in blocks:
            if block.file:
                self.write(block)
            elif block.language == "diff":
                self.patch(block)

    def run_commands(self, blocks):
        for block in blocks:
            if block.language == "bash" and not block.file:
                self.run(["bash", "-euo", "pipefail", "-c", block.text], f"{self.place(block)}: the commands")

    def revert(self):
        for name, text in self.before.items():
            if text is None:
                (self.folder / name).unlink(missing_ok=True)
            else:
                (self.folder / name).write_bytes(text)
        self.before = {}


def clang_format():
    """The name of clang-format 14, or None. Other versions format some code differently."""
    for name in ("clang-format-14", "clang-format"):
        if shutil.which(name):
            version = subprocess.run([name, "--version"], capture_output=True, text=True, check=False).stdout
            if "version 14." in version:
                return name
    return None


# ---- the two ways to run ---------------------------------------------------------------------------------------------
def targets(blocks):
    """What the commands of a recipe build."""
    text = "".join(block.text for block in blocks if block.language == "bash")
    return [name for line in re.findall(r"--target ([\w ]+)", text) for name in line.split()]


class Watch:
    """Seconds since it was made: of the clock, and of the processors, which other programs hardly change."""

    def __init__(self):
        self.begin = self.now()

    @staticmethod
    def now():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic(), used.ru_utime + used.ru_stime

    def seconds(self):
        return tuple(now - begin for now, begin in zip(self.now(), self.begin))


def run_together(copy, recipes, arguments):
    """All examples in one copy. Returns the seconds of each one's commands."""
    for blocks in recipes.values():
        copy.edit(blocks)
    copy.configure(arguments.cmake)
    seconds = {}
    for name, blocks in recipes.items():
        watch = Watch()
        copy.run_commands(blocks)
        seconds[name] = watch.seconds()
    return seconds


def run_each(copy, recipes, arguments):
    """Each example alone in a copy that is already built. Returns the seconds of each one's build and tests."""
    copy.configure(arguments.cmake)
    build = ["cmake", "--build", "build", "--target"]
    wanted = sorted({name for blocks in recipes.values() for name in targets(blocks)})
    watch = Watch()
    copy.run([*build, *wanted], "the build without examples")
    seconds = {"(build without examples)": watch.seconds()}
    for name, blocks in recipes.items():
        watch = Watch()
        copy.edit(blocks)
        copy.run_commands(blocks)
        seconds[name] = watch.seconds()
        copy.revert()
        copy.run([*build, *targets(blocks)], f"the build after '{name}' was taken back")
    return seconds


def list_recipes(recipes):
    for name, blocks in recipes.items():
        print(name)
        for block in blocks:
            print(f"  line {block.line}: {block.file or block.language}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "build" / "recipes",
                        help="where the copy is made; an earlier copy is replaced (default: build/recipes)")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "CONTRIBUTING.md")
    parser.add_argument("--only", metavar="TEXT", help="only the examples with TEXT in their names")
    parser.add_argument("--each", action="store_true", help="each example alone")
    parser.add_argument("--times", action="store_true", help="print the seconds of each example")
    parser.add_argument("--list", action="store_true", help="print the examples and stop")
    parser.add_argument("--quiet", action="store_true", help="print the output only of commands that fail")
    parser.add_argument("--keep", action="store_true", help="keep the copy; one that failed is always kept")
    parser.add_argument("--cmake", action="append", default=[], metavar="ARGUMENT",
                        help="a further argument for cmake, as in --cmake=-DUMBRA_MPI=OFF; may be repeated")
    arguments = parser.parse_args()
    usual = ["-DCMAKE_BUILD_TYPE=Release", "-DUMBRA_WERROR=ON", "-DUMBRA_CUDA=OFF", "-DUMBRA_PEERS=OFF"]
    if shutil.which("ninja") and not any(argument.startswith("-G") for argument in arguments.cmake):
        usual.append("-GNinja")
    if shutil.which("ccache"):
        usual.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    arguments.cmake = usual + arguments.cmake
    return arguments


def main():
    arguments = parse_arguments()
    try:
        recipes = read_recipes(arguments.page)
        recipes = {name: blocks for name, blocks in recipes.items() if (arguments.only or "") in name}
        if not recipes:
            raise Failure(f"{arguments.page} has no examples of this name")
        if arguments.list:
            list_recipes(recipes)
            return 0
        folder = arguments.folder.resolve()
        make_copy(folder)
        copy = Copy(folder, arguments.page, arguments.quiet)
        seconds = (run_each if arguments.each else run_together)(copy, recipes, arguments)
    except Failure as failure:
        print(f"apply_recipes.py: {failure}", file=sys.stderr)
        return 1
    if arguments.times:
        for name, (clock, processors) in seconds.items():
            print(f"{clock:7.1f} s, {processors:7.1f} s of processors  {name}")
    print(f"applied and tested: {', '.join(recipes)}")
    if not arguments.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
