// U: what the interactive views of a lesson use. This file reads the numbers of the run, which are embedded in the
// page, and has random numbers, formatting and colours; umbra_plot.js draws; umbra_view.js has the views and their
// controls. Plain JavaScript without modules, so that a page works when it is opened as a file.
"use strict";

const U = (() => {
  const element = document.getElementById("run");
  const run = element ? JSON.parse(element.textContent) : { settings: {}, data: {} };

  // The palette of Okabe & Ito (2008), which readers with any colour vision can tell apart; the figures have the same.
  const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];

  // JSON has no NaN and no infinities: the run writes them as words.
  const unusual = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  const number_of = (value) => (typeof value === "string" ? unusual[value] : value);
  const cache = new Map();

  /** What the program recorded under `name`: {shape, numbers} or {shape, words}. */
  function data(name) {
    if (cache.has(name)) return cache.get(name);
    if (!Object.hasOwn(run.data, name)) throw new Error(`the run has no record "${name}"`);
    const { shape, numbers, words } = run.data[name];
    const found = words ? { shape, words } : { shape, numbers: numbers.map(number_of) };
    cache.set(name, found);
    return found;
  }

  function numbers(name) {
    const found = data(name).numbers;
    if (!found) throw new Error(`the record "${name}" has words, not numbers`);
    return found;
  }

  function number(name) {
    const found = numbers(name);
    if (found.length !== 1) throw new Error(`the record "${name}" has ${found.length} numbers, not one`);
    return found[0];
  }

  function words(name) {
    const found = data(name).words;
    if (!found) throw new Error(`the record "${name}" has numbers, not words`);
    return found;
  }

  /** An array of rows; a record with more than two dimensions is cut along the last one. */
  function rows(name) {
    const { shape } = data(name);
    const all = numbers(name);
    if (shape.length < 2) throw new Error(`the record "${name}" has no rows`);
    const columns = shape[shape.length - 1];
    return Array.from({ length: all.length / columns }, (_, r) => all.slice(r * columns, (r + 1) * columns));
  }

  /** The value of a setting in this run: a number where it is one. */
  function setting(key) {
    if (!Object.hasOwn(run.settings, key)) throw new Error(`the run has no setting "${key}"`);
    const text = String(run.settings[key]);
    const value = Number(text);
    return text.trim() === "" || Number.isNaN(value) ? text : value;
  }

  /** At most `digits` significant digits, with the signs of print: −1.5·10⁻⁹, 10⁻⁹, 12 345, ∞. */
  function format(x, digits = 4) {
    if (Number.isNaN(x)) return "NaN";
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
    if (x === 0) return "0";
    const [mantissa, power] = x.toExponential(digits - 1).split("e").map(Number);
    if (power >= -4 && power < Math.max(digits, 5)) {
      const [whole, ...fraction] = String(Number(x.toPrecision(digits))).replace("-", "−").split(".");
      return [power < 4 ? whole : whole.replace(/(?<=\d)(?=(\d{3})+$)/g, "\u202f"), ...fraction].join(".");
    }
    const raised = [...String(power)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");
    return `${mantissa}·10${raised}`.replace("-", "−").replace(/^(−?)1·/, "$1");
  }

  /** A function that gives numbers in [0, 1), the same ones for the same seed (mulberry32). */
  function random(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  /** A standard normal number from two of random() (Box & Muller). */
  function normal(next) {
    return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  }

  /** Creates an SVG element, appended to `parent` if there is one. */
  function svg(tag, attributes = {}, parent = null, text = null) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== null) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  /** Creates an HTML element, appended to `parent` if there is one. */
  function html(tag, attributes = {}, parent = null, text = null) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== null) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  const colour = (series = 0) => colours[series % colours.length];

  // From light to dark blue, for a share in 0…1, and from blue through white to orange, for -1…1.
  const mixed = (a, b, share) => a.map((value, k) => Math.round(value + share * (b[k] - value)));
  const shade = (share) => mixed([247, 251, 255], [8, 48, 107], Math.min(1, Math.max(0, share)));
  const signed_shade = (share) =>
    mixed([250, 250, 250], share < 0 ? [0, 90, 160] : [200, 80, 0], Math.min(1, Math.abs(share)));
  const rgb = (parts) => `rgb(${parts.join(",")})`;

  return {
    run, colours, colour, data, number, numbers, rows, words, setting, format, random, normal, svg, html,
    shade: (share) => rgb(shade(share)),
    signed_shade: (share) => rgb(signed_shade(share)),
  };
})();
