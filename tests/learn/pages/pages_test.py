#!/usr/bin/env python3
"""Builds the pages of all lessons and checks them in a browser, at the width of a desktop and of a telephone.

usage: pages_test.py LEARN LESSONS

LEARN is the program `learn`, LESSONS the folder with the lessons' programs. Without a browser, its driver, Selenium or
pandoc, the test is skipped with exit status 77.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
WIDTHS = (1200, 390)
SOURCE = pathlib.Path(__file__).resolve().parents[3] / "tools" / "learn"

# A page with these faults, and what the checks must say about them.
FAULTS = [
    ("<script>undefined_function();</script>", "console: "),
    ('<div style="min-width: 2000px; background: #eee">wide</div>', "overflows 1200 pixels"),
    ('<div class="view" id="fault-1"><p class="said">x</p><input type="range"></div>', "a control without a label"),
    ('<div class="view" id="fault-2"><p class="said">x</p></div>', "the view fault-2 has no control"),
    ('<div class="view" id="fault-3"><p class="said">x</p><label>idle <input type="checkbox"></label></div>',
     "the keyboard changes nothing: idle of the view fault-3"),
    ('<div class="view" id="fault-4"><p class="said">x</p><button tabindex="-1">hidden</button></div>',
     "Tab does not reach"),
    ('<div class="view" id="fault-5" data-agree="no"><p class="said">x</p><button>x</button></div>',
     "the view fault-5 is not what the program computed"),
    ('<div class="view" id="fault-6"><button>x</button></div>', "the view fault-6 says nothing"),
    ('<svg width="9" height="9"></svg>', "a picture without a text"),
    ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "an image without a text"),
    ("<h2>x</h2><h4>x</h4>", "a heading h4 after h2"),
    ('<p id="twice"></p><p id="twice"></p>', "the id twice is used twice"),
    ('<a href="99_none.html">x</a>', "a link to 99_none.html, which does not exist"),
    ('<a href="#none">x</a>', "a link to nothing"),
    ("<p>{{loss}}</p>", "marks for the builder"),
    ('<script src="http://localhost:9/x.js"></script>', "requests http://localhost:9/x.js"),
]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def browser_programs():
    """The browser and its driver. Debian has Selenium for its own Python, which may not be the first one in PATH."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        debian = "/usr/bin/python3"
        if os.path.exists(debian) and os.path.realpath(sys.executable) != os.path.realpath(debian):
            os.execv(debian, [debian, *sys.argv])
        skip("Selenium is not installed (apt install python3-selenium)")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        skip("no browser for the tests (apt install chromium chromium-driver)")
    if not shutil.which("pandoc"):
        skip("pages need pandoc (apt install pandoc)")
    return chromium, chromedriver


def run_lessons(programs, folder):
    """Runs all lessons in `folder`, two at a time."""
    def run(name):
        ended = subprocess.run([programs / name], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
        if ended.returncode:
            sys.exit(f"lesson {name} ended with exit status {ended.returncode}:\n{ended.stdout}")

    names = sorted(each.name for each in programs.iterdir() if re.fullmatch(r"\d\d_\w+", each.name))
    if not names:
        sys.exit(f"there are no lessons in {programs}")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(run, names))
    return names


def check_pages(browser, site, names):
    import page_checks
    found = []
    for name in ["index", *names]:
        text = "" if name == "index" else (SOURCE / name / "page.md").read_text()
        if text and '<div class="view"' not in text:
            found.append(f"{name} has no view")
        formulas = re.search(r"\$[^$]+\$", text) is not None
        found += page_checks.complaints(browser, site / f"{name}.html", WIDTHS, formulas)
    return found


def check_checks(browser, site, name):
    """The checks notice faults: each in FAULTS, added to the page of a lesson; no formula; and a blank page."""
    import page_checks
    page = (site / f"{name}.html").read_text()
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy".*?>')  # it would prevent the request
    faulty = site / "faulty.html"
    faults = "".join(html for html, _ in FAULTS)
    faulty.write_text(policy.sub("", page).replace("</main>", faults + "</main>").replace("<math", "<span"))
    noticed = page_checks.complaints(browser, faulty, WIDTHS, formulas=True)
    blank = site / "blank.html"
    blank.write_text("<!DOCTYPE html><title>blank</title><h1></h1>")
    noticed += page_checks.complaints(browser, blank, WIDTHS)
    expected = [text for _, text in FAULTS] + ["no formula", "the page is blank"]
    return [f"the checks do not notice: {text}" for text in expected
            if not any(text in complaint for complaint in noticed)]


def check_umbra(browser, site, name):
    """umbra.js, on the page of a lesson."""
    import page_checks
    page_checks.show(browser, (site / f"{name}.html").as_uri(), WIDTHS[0])
    browser.execute_script(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<div class=\"view\" id=\"tested\"></div>')")
    script = (pathlib.Path(__file__).parent / "umbra_checks.js").read_text()
    return [f"umbra.js: {complaint}" for complaint in browser.execute_script(script)]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    learn, programs = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    chromium, chromedriver = browser_programs()
    import page_checks
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        names = run_lessons(programs, folder)
        subprocess.run([learn, "page", "--out", "site"], cwd=folder, check=True)
        browser = page_checks.start_browser(chromium, chromedriver)
        try:
            found = check_pages(browser, folder / "site", names)
            found += check_umbra(browser, folder / "site", names[0])
            found += check_checks(browser, folder / "site", names[0])
        finally:
            browser.quit()
    print("\n".join(found) or f"{len(names)} lessons: nothing to complain about")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
