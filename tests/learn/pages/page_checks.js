// What page_checks.py asks a page, as functions of window.pageChecks.
"use strict";

window.pageChecks = (() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const shown = (element) => element.getClientRects().length > 0;
  const named = (element) => (element.getAttribute("aria-label") ?? "").trim() !== "";
  const short = (element) => element.outerHTML.slice(0, 90).replace(/\s+/g, " ");
  const controls = (view) => all("input, select, button, textarea", view).filter(shown);

  function texts() {
    const found = [];
    for (const image of all("img")) if (!image.alt) found.push(`an image without a text: ${short(image)}`);
    for (const svg of all("svg")) {
      if (svg.parentElement.closest("svg")) continue;
      const parts = all(":scope > title, :scope > desc", svg).map((part) => part.textContent.trim());
      if (!named(svg) && !parts.some(Boolean)) found.push(`a picture without a text: ${short(svg)}`);
      else if (svg.closest(".view") && parts.length === 2 && !parts[1])
        found.push(`a view's picture without a description: ${parts[0]}`);
    }
    return found;
  }

  function controls_of_views() {
    const found = [];
    for (const view of all(".view")) {
      if (controls(view).length === 0) found.push(`the view ${view.id} has no control`);
      if (!view.querySelector(".said")?.textContent.trim()) found.push(`the view ${view.id} says nothing`);
      if (view.dataset.agree && view.dataset.agree !== "yes")
        found.push(`the view ${view.id} is not what the program computed: ${view.querySelector(".agreed")?.textContent}`);
    }
    for (const control of all("input, select, textarea, button")) {
      const labels = control.tagName === "BUTTON" ? [control] : [...control.labels];
      const label = labels.map((each) => each.textContent).join("");
      if (!named(control) && !label.trim()) found.push(`a control without a label: ${short(control)}`);
    }
    return found;
  }

  function structure() {
    const found = [], levels = all("h1, h2, h3, h4, h5, h6").map((heading) => Number(heading.tagName[1]));
    if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1) found.push("the page has not one h1, first");
    levels.forEach((level, i) => {
      if (i > 0 && level > levels[i - 1] + 1) found.push(`a heading h${level} after h${levels[i - 1]}`);
    });
    const ids = all("[id]").map((element) => element.id);
    for (const id of new Set(ids.filter((each, i) => ids.indexOf(each) !== i))) found.push(`the id ${id} is used twice`);
    for (const link of all('a[href^="#"]'))
      if (!document.getElementById(link.getAttribute("href").slice(1))) found.push(`a link to nothing: ${short(link)}`);
    if (all("merror").length) found.push("a formula with an error");
    if (/\{\{|\$\$|@[A-Z]+@/.test(document.body.innerText)) found.push("marks for the builder in the text");
    return found;
  }

  function layout() {
    const root = document.documentElement, width = root.clientWidth;
    if (root.scrollWidth <= width + 1) return [];
    const scrolls = (element) =>
      element !== root && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
    const wide = all("body *").find((each) => each.getBoundingClientRect().right > width + 1 && !scrolls(each.parentElement));
    return [`overflows ${width} pixels by ${root.scrollWidth - width}: ${wide ? short(wide) : ""}`];
  }

  /** Notes which elements get the focus while the test presses Tab. */
  function note_focus() {
    window.focused = new Set();
    addEventListener("focusin", (event) => window.focused.add(event.target));
    return all("input, select, textarea, button, a[href], summary, [tabindex]").length;
  }

  /** Controls that Tab did not reach. Of radio buttons, it reaches one of each group. */
  function unreachable() {
    const reached = (control) =>
      control.type === "radio" ? [...window.focused].some((each) => each.name === control.name) : window.focused.has(control);
    const missed = controls(document).filter((control) => !control.disabled && !reached(control));
    return missed.map((control) => `Tab does not reach ${short(control)}`);
  }

  /** The controls to operate: of radio buttons, the one that is chosen. */
  function operated() {
    return all(".view").flatMap(controls).filter((control) => !control.disabled && (control.type !== "radio" || control.checked));
  }

  /** A number for everything that a view shows, except for the control itself. */
  function picture(control) {
    const own = control.closest(".control") ?? control;
    const text = (node) => {
      if (node === own) return "";
      if (node.nodeType !== Node.ELEMENT_NODE) return node.textContent;
      return node.tagName + [...node.attributes].map((each) => each.value) + [...node.childNodes].map(text).join("");
    };
    let sum = 0;
    for (const character of text(control.closest(".view"))) sum = (Math.imul(sum, 31) + character.charCodeAt(0)) | 0;
    return sum;
  }

  /** Gives the control the focus. Returns its type and its picture. */
  function focused(control) {
    control.focus();
    return [control.type, picture(control)];
  }

  return {
    all: () => [...texts(), ...controls_of_views(), ...structure(), ...layout()],
    layout, note_focus, unreachable, operated, picture, focused,
    links: () => all("a[href]").map((link) => link.getAttribute("href")),
    formulas: () => all("math").length,
    describe: (control) => {
      const view = control.closest(".view").id, label = control.labels?.[0]?.textContent ?? control.textContent;
      return `${(label || short(control)).trim()} of the view ${view}`;
    },
  };
})();
