"""What must hold for every page of the course. complaints() loads a page in a browser and returns what is wrong with it."""
import json
import pathlib
import zlib

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

CHECKS = (pathlib.Path(__file__).parent / "page_checks.js").read_text()
# Keys that operate a control, in the order in which they are tried until the view changes.
KEYS = {
    "range": [Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.PAGE_UP, Keys.HOME, Keys.END],
    "number": [Keys.ARROW_UP, Keys.ARROW_DOWN],
    "checkbox": [Keys.SPACE],
    "radio": [Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN],
    "select-one": [Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ARROW_UP],
    "button": [Keys.ENTER, Keys.SPACE],
}


def start_browser(chromium, chromedriver):
    options = Options()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(chromedriver))


def ask(browser, function, *arguments):
    return browser.execute_script(f"return pageChecks.{function}(...arguments)", *arguments)


def console(browser):
    return [f"console: {entry['message']}" for entry in browser.get_log("browser")
            if entry["level"] in ("WARNING", "SEVERE")]


def requests(browser):
    found = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        url = message.get("params", {}).get("request", {}).get("url", "")
        if message["method"] == "Network.requestWillBeSent" and not url.startswith(("file:", "data:")):
            found.append(f"requests {url}")
    return found


def broken_links(browser, path):
    found = []
    for link in ask(browser, "links"):
        target = link.split("#")[0]
        if "://" not in target and target and not (path.parent / target).is_file():
            found.append(f"a link to {target}, which does not exist")
    return found


def is_blank(png):
    """Whether nearly all pixels are the same. In a PNG, what is equal to its neighbours is stored as zeros."""
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at:at + 4], "big")
        if png[at + 4:at + 8] == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += 12 + length
    pixels = zlib.decompress(data)
    return len(pixels) - pixels.count(0) < 0.005 * len(pixels)


def press(browser, key, count=1):
    ActionChains(browser, duration=0).send_keys(key * count).perform()


def operates(browser, control):
    """Presses the keys of a control until its view shows something else."""
    kind, before = ask(browser, "focused", control)
    for i, key in enumerate(KEYS.get(kind, [Keys.ENTER])):
        if i > 0:
            ask(browser, "focused", control)
        press(browser, key)
        if kind == "radio":  # the focus moves to the next one of the group
            control = browser.switch_to.active_element
        if ask(browser, "picture", control) != before:
            if control.text == "Pause":  # an animation that runs
                press(browser, key)
            return True
    return False


def out_of_reach(browser):
    """The controls that Tab does not reach."""
    count = ask(browser, "note_focus")
    press(browser, Keys.TAB, count + 2)
    return ask(browser, "unreachable")


def not_operated(browser, url, widths):
    """Each control must change its view by the keyboard: a button perhaps only after others were used, a slider perhaps
    only before another choice is made. What they show then must fit into a page of each width."""
    found = []
    controls = ask(browser, "operated")
    idle = [i for i, control in enumerate(controls) if not operates(browser, control)]
    idle = [i for i in idle if not operates(browser, controls[i])]
    for width in reversed(widths):
        resize(browser, width)
        browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")  # plots follow
        found += ask(browser, "layout")
    if idle:
        show(browser, url, widths[0])
        controls = ask(browser, "operated")
    return found + [f"the keyboard changes nothing: {ask(browser, 'describe', controls[i])}" for i in idle
                    if not operates(browser, controls[i])]


def resize(browser, width):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})


def show(browser, url, width):
    resize(browser, width)
    browser.get(url)
    browser.execute_script(CHECKS)


def complaints(browser, path, widths, formulas=False):
    """All that is wrong with the page `path` at each of the widths, in pixels; `formulas`: it must have some."""
    found = []
    for width in reversed(widths):  # the controls are operated at the first
        show(browser, path.as_uri(), width)
        here = ask(browser, "all") + broken_links(browser, path)
        if formulas and ask(browser, "formulas") == 0:
            here.append("no formula")
        if is_blank(browser.get_screenshot_as_png()):
            here.append("the page is blank")
        found += [f"at {width}: {each}" for each in here + out_of_reach(browser)]
    found += not_operated(browser, path.as_uri(), widths)
    return [f"{path.name}: {each}" for each in found + console(browser) + requests(browser)]
