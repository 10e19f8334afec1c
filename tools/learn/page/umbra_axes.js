// The axes of a plot: round numbers on them, and functions from data to pixels and back.
"use strict";

(() => {
  /** Round numbers from `from` to `to` in about five steps. */
  function ticks(from, to, wanted = 5) {
    const low = Math.min(from, to), high = Math.max(from, to), raw = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 5].find((factor) => raw <= factor * power * 1.0001) ?? 10);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) found.push(k * step);
    return found;
  }

  /** Powers of ten between the logarithms `from` and `to`, or the two ends where there are fewer than two. */
  function decades(from, to, wanted = 8) {
    const low = Math.min(from, to), high = Math.max(from, to);
    const step = Math.max(1, Math.ceil((high - low) / wanted));
    const found = [];
    for (let k = Math.ceil(low - 1e-9); k <= high + 1e-9; k += step) found.push(10 ** k);
    return found.length < 2 ? [10 ** low, 10 ** high] : found;
  }

  /** A function from data to pixels first…last, with its inverse. `values` is what an axis without ends must show. */
  function scale(axis, values, first, last, padded) {
    const at = (value) => (axis.log ? Math.log10(value) : value);
    const shows = (value) => Number.isFinite(value) && (!axis.log || value > 0);
    let from = axis.from === undefined ? Infinity : at(axis.from), to = axis.to === undefined ? -Infinity : at(axis.to);
    const low = axis.from === undefined, high = axis.to === undefined;
    for (const value of low || high ? values : []) {
      if (!shows(value)) continue;
      if (low) from = Math.min(from, at(value));
      if (high) to = Math.max(to, at(value));
    }
    if (!Number.isFinite(from)) from = Number.isFinite(to) ? to - 1 : 0;
    if (!Number.isFinite(to)) to = from + 1;
    const pad = from === to ? 0.5 : padded ? 0.04 * (to - from) : 0;
    if (low) from -= pad;
    if (high) to += pad;
    const map = (value) => first + Math.max(-4, Math.min(5, (at(value) - from) / (to - from))) * (last - first);
    map.inverse = (pixel) => {
      const found = from + ((pixel - first) / (last - first)) * (to - from);
      return axis.log ? 10 ** found : found;
    };
    return Object.assign(map, { from, to, shows, log: Boolean(axis.log) });
  }

  U.axes = { ticks, decades, scale };
})();
