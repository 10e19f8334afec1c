#!/usr/bin/env python3
"""apply_recipes.py on a tiny repository: what is printed is what is done, and every mistake ends the run."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import apply_recipes  # noqa: E402

GOOD = """
# Page
```text
not run
```
### First
```text file=no.txt
an output
```
`src/new.py`:
```py file=src/new.py
print("new")
```
```diff
--- a/src/list.def
+++ b/src/list.def
@@ -7,2 +7,3 @@
 one
+two
 three
```
```bash
cmake --build build --target all_of_it
grep --quiet two src/list.def
python3 src/new.py > build/out.txt
```
### Second
`src/other.py`:
```py file=src/other.py
print("other")
```
```bash
test ! -e src/other.txt && cmake --build build --target all_of_it
```
"""
LIST = "zero\none\nthree\n"


class ApplyRecipes(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.root, self.copy = self.folder / "root", self.folder / "copy"
        (self.root / "src").mkdir(parents=True)
        (self.root / "src/list.def").write_text(LIST)
        (self.root / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.22)\nproject(tiny NONE)\nadd_custom_target(all_of_it)\n")

    def run_page(self, page, *arguments):
        """The exit status and everything that was printed."""
        (self.folder / "PAGE.md").write_text(page)
        argv = ["apply_recipes.py", str(self.copy), "--page", str(self.folder / "PAGE.md"), *arguments]
        printed = io.StringIO()
        with mock.patch.object(apply_recipes, "ROOT", self.root), mock.patch.object(sys, "argv", argv), \
                contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = apply_recipes.main()
        return status, printed.getvalue()

    def expect_failure(self, before, after, *parts):
        self.assertIn(before, GOOD)
        status, printed = self.run_page(GOOD.replace(before, after, 1))
        self.assertEqual(status, 1, printed)
        for part in parts:
            self.assertIn(part, printed)

    def test_examples_are_applied_together(self):
        status, printed = self.run_page(GOOD, "--keep", "--times")
        self.assertEqual(status, 0, printed)
        self.assertEqual((self.copy / "src/list.def").read_text(), "zero\none\ntwo\nthree\n")
        self.assertEqual((self.copy / "build/out.txt").read_text(), "new\n")
        self.assertTrue((self.copy / "src/other.py").exists())
        self.assertFalse((self.copy / "no.txt").exists())
        self.assertIn(" s of processors  Second", printed)
        self.assertEqual((self.root / "src/list.def").read_text(), LIST)

    def test_examples_are_applied_alone(self):
        status, printed = self.run_page(GOOD, "--keep", "--each")
        self.assertEqual(status, 0, printed)
        self.assertEqual((self.copy / "src/list.def").read_text(), LIST)
        self.assertFalse((self.copy / "src/new.py").exists())

    def test_a_copy_is_replaced_and_removed_but_no_other_folder(self):
        self.assertEqual(self.run_page(GOOD, "--keep")[0], 0)
        self.assertEqual(self.run_page(GOOD)[0], 0)
        self.assertFalse(self.copy.exists())
        self.copy.mkdir()
        (self.copy / "thesis.tex").touch()
        status, printed = self.run_page(GOOD)
        self.assertEqual(status, 1)
        self.assertIn("neither empty nor an earlier copy", printed)
        self.assertTrue((self.copy / "thesis.tex").exists())

    def test_mistakes_end_the_run(self):
        def head(name):
            return f"`{name}`:\n```py file={name}"

        self.expect_failure(head("src/new.py"), head("src/list.def"), "line 11", "src/list.def already exists")
        self.expect_failure(head("src/new.py"), head("none/new.py"), "line 11", "no folder")
        self.expect_failure("`src/new.py`:", "A file:", "line 11", "does not name src/new.py")
        self.expect_failure("a/src/list.def\n+++ b/src/list.def", "a/none.def\n+++ b/none.def", "line 14", "none.def")
        self.expect_failure(" one\n+two", " uno\n+two", "line 14")
        self.expect_failure("--quiet two", "--quiet four", "line 22", "the commands failed")
        self.expect_failure("```bash\ntest", "```sh\ntest", "line 32", "must be text, diff or bash")
        self.expect_failure('print("other")\n```', 'print("other")', "has no end")


if __name__ == "__main__":
    unittest.main()
