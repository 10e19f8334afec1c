// U.view: an interactive view, which fills <div class="view" id="NAME"> with pictures, controls and a line that says
// the result. All controls are those of HTML, with labels, so that the keyboard and screen readers work without
// further code.
"use strict";

(() => {
  let identifiers = 0;
  const identifier = (prefix) => `${prefix}-${++identifiers}`;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** The values that a slider can take: from min to max by `step`, or by the factor 10^step if `log`. */
  function slider_values({ min, max, step, log, whole, values }) {
    if (values) return values;
    const [from, to] = log ? [Math.log10(min), Math.log10(max)] : [min, max];
    const by = step ?? (to - from) / 100, count = Math.max(1, Math.round((to - from) / by));
    const value = (k) => {
      const at = k === count ? to : from + k * by;
      if (whole) return Math.round(log ? 10 ** at : at);
      return log ? Number((10 ** at).toPrecision(3)) : Number(at.toPrecision(12));
    };
    return [...new Set(Array.from({ length: count + 1 }, (_, k) => value(k)))];
  }

  class View {
    constructor(place, { title, help }) {
      this.place = place;
      this.redraws = [];
      this.plots = [];
      this.drawings = [];
      this.agreements = new Map();
      const name = identifier("view-title");
      place.setAttribute("role", "group");
      place.setAttribute("aria-labelledby", name);
      this.title = title;
      U.html("p", { class: "view-title", id: name }, place, title);
      if (help) U.html("p", { class: "view-help" }, place, help);
      this.pictures = U.html("div", { class: "pictures" }, place);
      this.controls = U.html("div", { class: "controls" }, place);
      this.said = U.html("p", { class: "said", "aria-live": "polite" }, place);
      this.agreed = U.html("p", { class: "agreed", hidden: "" }, place);
    }

    /** Calls `redraw` now and after every change of a control. */
    update(redraw) {
      this.redraws.push(redraw);
      this.run([redraw]);
    }

    /** Calls all functions of update(), for a change that no control made. */
    refresh() { this.run(this.redraws); }

    run(redraws) {
      for (const redraw of redraws) redraw();
      for (const plot of this.plots) {
        plot.render();
        this.describe(plot.svg, plot.options.text);
      }
      for (const { svg, text } of this.drawings) this.describe(svg, text);
    }

    /** The name of the view and what can be seen, for readers who cannot see it. */
    describe(svg, text) {
      let title = svg.querySelector(":scope > title"), desc = svg.querySelector(":scope > desc");
      if (!title) svg.prepend((title = U.svg("title", { id: identifier("title") })));
      if (!desc) title.after((desc = U.svg("desc", { id: identifier("desc") })));
      title.textContent = this.title;
      desc.textContent = typeof text === "function" ? text() : text ?? "";
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-labelledby", title.id);
      svg.setAttribute("aria-describedby", desc.id);
    }

    // ---- pictures ---------------------------------------------------------------------------------------------------

    /** A plot with axes {label, from, to, log, ticks: [[value, text], …]}: see umbra_plot.js. `text` says what can be
     *  seen; onpick may be set for clicks in data coordinates. */
    plot(options = {}) {
      const plot = new U.Plot(U.html("div", { class: "picture" }, this.pictures), options);
      plot.picked = () => this.refresh();
      this.plots.push(plot);
      this.describe(plot.svg, options.text);
      return plot;
    }

    /** An empty <svg> of width × height units. On a narrow page it shrinks to 70 %, below which it can be scrolled. */
    drawing({ width, height, text }) {
      const box = U.html("div", { class: "picture scrolls" }, this.pictures);
      box.style.maxWidth = `${width}px`;
      box.style.flexBasis = `min(100%, ${width}px)`;
      const svg = U.svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "drawing" }, box);
      svg.style.minWidth = `${Math.round(0.7 * width)}px`;
      U.scrolls(box, this.title);
      this.drawings.push({ svg, text });
      this.describe(svg, text);
      return svg;
    }

    /** A table with the given names of columns; show(rows, marked) fills it, and marks the row `marked`. */
    table({ caption, columns }) {
      const box = U.html("div", { class: "picture scrolls" }, this.pictures);
      const table = U.html("table", {}, box);
      if (caption) U.html("caption", {}, table, caption);
      const head = U.html("tr", {}, U.html("thead", {}, table));
      for (const name of columns) U.html("th", { scope: "col" }, head, name);
      const body = U.html("tbody", {}, table);
      U.scrolls(box, caption ?? this.title);
      return {
        show(rows, marked = -1) {
          body.replaceChildren();
          rows.forEach((row, r) => {
            const line = U.html("tr", r === marked ? { class: "marked" } : {}, body);
            for (const cell of row) U.html("td", {}, line, typeof cell === "number" ? U.format(cell) : cell);
          });
        },
      };
    }

    // ---- controls ---------------------------------------------------------------------------------------------------

    /** `format` is a function or a number of digits. With `log` and `step`, the step is in powers of ten. `whole`: whole numbers
     *  only. `values`: exactly these. `value` is kept exactly, even where the slider has no such place. */
    slider({ label, value, format, ...range }) {
      const values = slider_values(range);
      const shown = typeof format === "function" ? format : (x) => U.format(x, format);
      const field = U.html("div", { class: "control slider" }, this.controls), id = identifier("slider");
      U.html("label", { class: "name", for: id }, field, label);
      const output = U.html("output", { for: id }, field);
      const input = U.html("input", { type: "range", id, min: 0, max: values.length - 1, step: 1 }, field);
      let current;
      const control = {
        input,
        get value() { return current; },
        set value(wanted) {
          current = wanted;
          const distance = (k) => Math.abs(range.log ? Math.log(values[k] / wanted) : values[k] - wanted);
          input.value = values.reduce((best, _, k) => (distance(k) < distance(best) ? k : best), 0);
          this.announce();
        },
        announce() {
          output.textContent = shown(current);
          input.setAttribute("aria-valuetext", shown(current));
        },
      };
      control.value = value ?? values[0];
      input.addEventListener("input", () => {
        current = values[Number(input.value)];
        control.announce();
        this.refresh();
      });
      return control;
    }

    /** One of `options`, [[value, text], …]: radio buttons for up to four, else a list. */
    choice({ label, options, value }) {
      const values = options.map(([each]) => each);
      const parts = options.length <= 4 ? this.radios(label, options) : this.list(label, options);
      const control = {
        get value() { return values[parts.chosen()]; },
        set value(wanted) { parts.choose(Math.max(0, values.indexOf(wanted))); },
      };
      control.value = value ?? values[0];
      parts.field.addEventListener("change", () => this.refresh());
      return control;
    }

    radios(label, options) {
      const field = U.html("fieldset", { class: "control" }, this.controls);
      U.html("legend", { class: "name" }, field, label);
      const name = identifier("choice");
      const inputs = options.map(([, text], k) => {
        const each = U.html("label", {}, field);
        const input = U.html("input", { type: "radio", name, value: k }, each);
        each.append(text);
        return input;
      });
      return { field, chosen: () => inputs.findIndex((input) => input.checked), choose: (k) => { inputs[k].checked = true; } };
    }

    list(label, options) {
      const field = U.html("div", { class: "control" }, this.controls), id = identifier("list");
      U.html("label", { class: "name", for: id }, field, label);
      const select = U.html("select", { id }, field);
      options.forEach(([, text], k) => U.html("option", { value: k }, select, text));
      return { field, chosen: () => select.selectedIndex, choose: (k) => { select.selectedIndex = k; } };
    }

    check({ label, value = false }) {
      const field = U.html("label", { class: "control check" }, this.controls);
      const input = U.html("input", { type: "checkbox" }, field);
      input.checked = value;
      field.append(label);
      input.addEventListener("change", () => this.refresh());
      return { get value() { return input.checked; }, set value(wanted) { input.checked = wanted; } };
    }

    /** Calls `press`, then the functions of update(). */
    button({ label, press }) {
      const button = U.html("button", { type: "button", class: "control" }, this.controls, label);
      button.addEventListener("click", () => {
        press();
        this.refresh();
      });
      return button;
    }

    /** Buttons Play and Step, which call `step`. Play stops when it returns false; readers who prefer less motion have no
     *  Play. */
    animate(step, { label = "Step", play = "Play", delay = 60 } = {}) {
      let timer = null;
      const advance = () => {
        const more = step() !== false;
        this.refresh();
        return more;
      };
      const stop = () => {
        clearTimeout(timer);
        timer = null;
        if (button) button.textContent = play;
        this.said.setAttribute("aria-live", "polite");  // not while playing: nobody can listen to 16 lines a second
      };
      const tick = () => {
        timer = setTimeout(tick, delay);
        if (!advance()) stop();
      };
      const button = calm ? null : this.button({ label: play, press: () => {
        if (timer !== null) return stop();
        button.textContent = "Pause";
        this.said.setAttribute("aria-live", "off");
        tick();
      } });
      this.button({ label, press: () => { stop(); step(); } });
      return { stop };
    }

    // ---- results ----------------------------------------------------------------------------------------------------

    /** The result, as text with its numbers; screen readers read it after each change. */
    say(text) { if (this.said.textContent !== text) this.said.textContent = text; }

    /** Shows that `what`, computed by this page, is what the C++ program computed. */
    agree(what, largest_difference, limit) {
      this.agreements.set(what, { largest_difference, limit, holds: largest_difference <= limit });
      const all = [...this.agreements];
      this.agreed.hidden = false;
      this.place.dataset.agree = all.every(([, { holds }]) => holds) ? "yes" : "no";
      this.agreed.textContent = all.map(([name, found]) => {
        const difference = `largest difference ${U.format(found.largest_difference, 2)}`;
        return found.holds ? `✓ Same as the program: ${name} (${difference}).`
                           : `✗ Differs from the program: ${name} (${difference}, limit ${U.format(found.limit, 2)}).`;
      }).join("\n");
    }
  }

  /** The view in <div class="view" id="NAME">; `help` is one or two sentences on how to use it. */
  U.view = (name, options) => {
    const place = document.getElementById(name);
    if (!place) throw new Error(`the page has no <div class="view" id="${name}"></div>`);
    return new View(place, options);
  };
})();
