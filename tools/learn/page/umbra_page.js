// What a page of text needs on a narrow screen: code, tables and formulas that are wider than the page scroll by
// themselves.
"use strict";

(() => {
  /** Whenever the content of `box` is wider than the box, it gets the keyboard's focus, so that arrow keys scroll it. */
  U.scrolls = (box, label) => {
    const attributes = { tabindex: "0", role: "region", "aria-label": label };
    new ResizeObserver(() => {
      const wide = box.scrollWidth > box.clientWidth + 1;
      for (const [key, value] of Object.entries(attributes)) wide ? box.setAttribute(key, value) : box.removeAttribute(key);
    }).observe(box);
  };

  for (const box of document.querySelectorAll("pre")) U.scrolls(box, "code");
  for (const box of document.querySelectorAll(".scrolls")) U.scrolls(box, "table");
  for (const formula of document.querySelectorAll('math[display="block"]')) U.scrolls(formula.parentElement, "formula");

  // A formula within a line cannot be broken: one that is wider than the page gets a box in which it scrolls.
  const main = document.querySelector("main");
  new ResizeObserver(() => {
    for (const formula of document.querySelectorAll('math:not([display="block"], .wide-formula > math)')) {
      const bound = formula.closest(".bound") ?? formula;  // with its punctuation
      if (bound.getBoundingClientRect().right <= main.getBoundingClientRect().right) continue;
      const box = U.html("span", { class: "wide-formula" });
      formula.replaceWith(box);
      box.append(formula);
      U.scrolls(box, "formula");
    }
  }).observe(main);
})();
