// The density of lesson 6 with bandwidths that the reader chooses: its map, its score, its modes and the density of the durations.
"use strict";

(() => {
  const data = U.rows("data"), n = data.length, best = U.numbers("best");
  const [x_from, x_to, y_from, y_to] = U.numbers("density/ends");
  const chosen = U.numbers("bandwidths"), scores = U.rows("scores");
  const tried = [U.numbers("scores/duration"), U.numbers("scores/waiting")];

  const kernel = (u) => Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI);
  const weight = (x, c, h) => kernel((x[0] - c[0]) / h[0]) * kernel((x[1] - c[1]) / h[1]);

  function density(x, h) {
    let sum = 0;
    for (const c of data) sum += (kernel((x[0] - c[0]) / h[0]) / h[0]) * (kernel((x[1] - c[1]) / h[1]) / h[1]);
    return sum / n;
  }

  /** The densities in the middles of count × count cells. The kernel is a product, so each factor is computed once. */
  function density_map(count, h) {
    const middle = (from, to, k) => from + ((k + 0.5) / count) * (to - from);
    const factors = (d, from, to) => Array.from({ length: count }, (_, k) =>
      data.map((c) => kernel((middle(from, to, k) - c[d]) / h[d]) / h[d]));
    const columns = factors(0, x_from, x_to), lines = factors(1, y_from, y_to);
    return lines.map((line) => columns.map((column) => column.reduce((sum, k, i) => sum + k * line[i], 0) / n));
  }

  /** The mean log density of each eruption under the estimate from all others. */
  function leave_one_out(h) {
    let total = 0;
    for (let i = 0; i < n; ++i) {
      let sum = 0;
      for (let j = 0; j < n; ++j) if (j !== i) sum += weight(data[i], data[j], h);
      total += Math.log(sum / ((n - 1) * h[0] * h[1]));
    }
    return total / n;
  }

  function mean_shift(x, h) {
    let all = 0, first = 0, second = 0;
    for (const c of data) {
      const w = weight(x, c, h);
      all += w;
      first += w * c[0];
      second += w * c[1];
    }
    return [first / all, second / all];
  }

  const near = (a, b, h, limit) => Math.abs(a[0] - b[0]) < limit * h[0] && Math.abs(a[1] - b[1]) < limit * h[1];

  /** The modes, [{at, density, starts}], highest first, that mean shift reaches from the eruptions. An ascent ends after `steps`
   *  steps or, if `hurry`, as soon as it is close to a mode that is known, or stays where it is. */
  function modes(h, steps, hurry) {
    const found = [];
    for (const start of data) {
      let x = start, known = null;
      for (let step = 0; step < steps && !known; ++step) {
        const next = mean_shift(x, h);
        const rests = near(next, x, h, 1e-4);
        x = next;
        if (hurry) known = found.find((mode) => near(mode.at, x, h, 0.05));
        if (hurry && rests) break;
      }
      known ??= found.find((mode) => near(mode.at, x, h, 0.05));
      if (known) known.starts += 1;
      else found.push({ at: x, density: density(x, h), starts: 1 });
    }
    return found.sort((a, b) => b.density - a.density);
  }

  // ---- the same as the program? -------------------------------------------------------------------------------------------------

  function compare(view) {
    const expected = U.rows("density"), map = density_map(expected.length, chosen);
    let largest = 0;
    map.forEach((row, r) => row.forEach((value, c) => { largest = Math.max(largest, Math.abs(value - expected[r][c])); }));
    view.agree("the density on the map", largest, 1e-14);
    largest = Math.abs(leave_one_out(chosen) - U.numbers("score")[0]);
    for (let r = 0; r < scores.length; r += 4) {
      for (let c = 0; c < scores[r].length; c += 4) {
        largest = Math.max(largest, Math.abs(leave_one_out([tried[0][c], tried[1][r]]) - scores[r][c]));
      }
    }
    view.agree("leave-one-out scores at 26 pairs of bandwidths", largest, 1e-10);
    const found = modes(chosen, U.setting("steps"), false), known = U.rows("modes");
    const distance = (mode, row) => Math.max(Math.abs(mode.at[0] - row[0]), Math.abs(mode.at[1] - row[1]), Math.abs(mode.starts - row[3]));
    largest = found.length === known.length ? Math.max(...found.map((mode, k) => distance(mode, known[k]))) : Infinity;
    view.agree("the modes and the eruptions that lead to them", largest, 1e-8);
  }

  // ---- the view -----------------------------------------------------------------------------------------------------------------

  const view = U.view("bandwidths", {
    title: "Choose the bandwidths",
    help: "Move the sliders, or click into the map of scores. Dark is a high density, and a high score. Crosses mark the modes and the present bandwidths.",
  });
  const controls = [
    view.slider({ label: "duration bandwidth, min", min: 0.03, max: 2, step: 0.02, log: true, value: chosen[0] }),
    view.slider({ label: "waiting bandwidth, min", min: 0.6, max: 40, step: 0.02, log: true, value: chosen[1] }),
  ];
  const set = (h) => h.forEach((value, d) => { controls[d].value = value; });
  const scaled = (factor) => set(controls.map((control) => control.value * factor));
  view.button({ label: "Best by cross-validation", press: () => set(best.slice(0, 2)) });
  view.button({ label: "1 min and 1 min", press: () => set([1, 1]) });
  view.button({ label: "Halve both", press: () => scaled(0.5) });
  view.button({ label: "Double both", press: () => scaled(2) });

  let now = { found: [], score: 0 };
  const count = () => `${now.found.length} mode${now.found.length === 1 ? "" : "s"}`;
  const places = () => now.found.slice(0, 3).map(({ at }) => `(${U.format(at[0], 3)}, ${U.format(at[1], 3)})`).join(", ");
  const map = view.plot({
    width: 560, height: 400, text: () => `The density of the eruptions with ${count()}, the highest at ${places()} minutes.`,
    x: { label: "duration in minutes", from: x_from, to: x_to }, y: { label: "waiting time in minutes", from: y_from, to: y_to },
  });
  // The grid of scores has equal factors between bandwidths, a map has equal steps: each cell shows the nearest bandwidths tried.
  const half = Math.sqrt(tried[0][1] / tried[0][0]);
  const ends = { x_from: tried[0][0] / half, x_to: tried[0].at(-1) * half, y_from: tried[1][0] / half, y_to: tried[1].at(-1) * half };
  const nearest = (d, from, to) => Array.from({ length: 200 }, (_, k) => {
    const steps = Math.log((from + ((k + 0.5) / 200) * (to - from)) / tried[d][0]) / Math.log(tried[d][1] / tried[d][0]);
    return Math.min(tried[d].length - 1, Math.max(0, Math.round(steps)));
  });
  const columns = nearest(0, ends.x_from, ends.x_to);
  const score_map = nearest(1, ends.y_from, ends.y_to).map((r) => columns.map((c) => scores[r][c]));
  const score = view.plot({
    width: 380, height: 300, text: () => `Leave-one-out scores by bandwidth; the cross marks the present ones, with a score of ${U.format(now.score)}.`,
    x: { label: "duration bandwidth, min", log: true, from: 0.04, to: 1 },
    y: { label: "waiting bandwidth, min", log: true, from: 0.8, to: 20 },
  });
  const marginal = view.plot({
    width: 380, height: 220, text: "The density of the durations alone, and the histogram of the data.",
    x: { label: "duration in minutes", from: x_from, to: x_to }, y: { label: "density per minute" },
  });
  score.onpick = (x, y) => set([x, y]);

  const middles = Array.from({ length: 20 }, (_, k) => x_from + (k + 0.5) * 0.25);
  const histogram = middles.map((middle) => data.filter(([x]) => Math.abs(x - middle) <= 0.125 && x !== middle + 0.125).length / (0.25 * n));
  const grid = Array.from({ length: 201 }, (_, k) => x_from + (k / 200) * (x_to - x_from));

  view.update(() => {
    const h = controls.map((control) => control.value);
    now = { found: modes(h, 300, true), score: leave_one_out(h) };
    map.clear().map(density_map(70, h), { x_from, x_to, y_from, y_to });
    map.points(data.map((row) => row[0]), data.map((row) => row[1]), { series: 5, radius: 2 });
    for (const { at } of now.found) map.words(at[0], at[1], "×", { anchor: "middle", centred: true });
    score.clear().map(score_map, { ...ends, low: best[2] - 1, high: best[2] });
    score.words(h[0], h[1], "×", { anchor: "middle", centred: true });
    marginal.clear().bars(middles, histogram, { series: 4, opacity: 0.5, name: "histogram" });
    marginal.line(grid, grid.map((x) => data.reduce((sum, c) => sum + kernel((x - c[0]) / h[0]), 0) / (n * h[0])), { series: 0, name: "estimate" });
    view.say(`Bandwidths ${U.format(h[0], 3)} and ${U.format(h[1], 3)} min: score ${U.format(now.score)} per eruption (best: ${U.format(best[2])}). ${count()}, the highest at ${places()} min.`);
  });
  compare(view);
})();
