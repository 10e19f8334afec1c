// The view of lesson 1: a walk of (stochastic) gradient descent on the loss surface, and its line through the points.
"use strict";

(() => {
  const [x, y] = U.rows("points"), count = x.length, order = U.rows("sgd/order"), epochs = order.length;
  const [best_a, best_b, lowest] = U.rows("best")[0], curvature = U.numbers("curvature");
  const everyone = x.map((_, i) => i);

  function loss(a, b) {
    let sum = 0;
    for (let i = 0; i < count; ++i) sum += (a * x[i] + b - y[i]) * (a * x[i] + b - y[i]);
    return sum / count;
  }

  function gradient(a, b, batch, targets) {
    let sum_a = 0, sum_b = 0;
    for (const i of batch) {
      const residual = a * x[i] + b - targets[i];
      sum_a += 2 * residual * x[i];
      sum_b += 2 * residual;
    }
    return [sum_a / batch.length, sum_b / batch.length];
  }

  /** The batches of all epochs: those of the program, or all points in each. */
  const batches = (size) => Array.from({ length: epochs }, (_, e) => (size >= count ? everyone : order[e])).flatMap((indices) =>
    Array.from({ length: Math.ceil(count / size) }, (_, k) => indices.slice(k * size, (k + 1) * size)));

  /** The lines after every step, as [a, b], with the batches of the program. */
  function lines({ start = [0, 0], rate, momentum, batch, targets = y }) {
    let [a, b] = start, velocity_a = 0, velocity_b = 0;
    const path = [[a, b]];
    for (const each of batches(batch)) {
      const [grad_a, grad_b] = gradient(a, b, each, targets);
      velocity_a = momentum * velocity_a + grad_a;
      velocity_b = momentum * velocity_b + grad_b;
      a -= rate * velocity_a;
      b -= rate * velocity_b;
      path.push([a, b]);
    }
    return path;
  }

  /** The same as [a, b, loss]. */
  const walk = (options) => lines(options).map(([a, b]) => [a, b, loss(a, b)]);

  /** Whether the walk diverges: whether two of them, with the same batches but different starts, end further apart than they
   *  began. Their difference is itself a walk, for targets of 0. */
  function diverges(options) {
    const start = [1, 0.5], end = lines({ ...options, start, targets: y.map(() => 0) }).at(-1);
    return !(Math.hypot(...end) < Math.hypot(...start));
  }

  /** The largest curvature of the loss of these points. */
  function steepest(points) {
    const mean = points.reduce((sum, i) => sum + x[i], 0) / points.length;
    const square = points.reduce((sum, i) => sum + x[i] * x[i], 0) / points.length;
    return square + 1 + Math.hypot(square - 1, 2 * mean);
  }

  // ---- the same as the program ----------------------------------------------------------------------------------------

  const view = U.view("descent", {
    title: "A walk down the loss surface",
    help: "Change the step, or choose another start with the sliders or by a click on the surface. " +
      "Play shows the walk from its start.",
  });

  const set = { rate: U.setting("learning_rate"), momentum: U.setting("momentum"), batch: U.setting("batch") };
  let difference = 0;
  for (const [name, momentum, batch] of [["gd", 0, count], ["gd_momentum", set.momentum, count],
                                         ["sgd", 0, set.batch], ["sgd_momentum", set.momentum, set.batch]]) {
    const ours = walk({ rate: set.rate, momentum, batch }), theirs = U.rows(name);
    if (ours.length !== theirs.length) difference = Infinity;
    ours.forEach((row, k) => row.forEach((value, c) => {
      const off = Math.abs(value - theirs[k]?.[c]) / Math.max(1, Math.abs(value));
      if (!(off <= difference) && Number.isFinite(value)) difference = off;
    }));
  }
  view.agree("a, b and the loss after every step of its four walks", difference, 1e-12);

  // ---- pictures -------------------------------------------------------------------------------------------------------

  const area = { x_from: -1, x_to: 3, y_from: -2, y_to: 2 }, cells = 80;
  const grid = Array.from({ length: cells }, (_, r) => Array.from({ length: cells }, (_, c) =>
    loss(-1 + (4 * (c + 0.5)) / cells, -2 + (4 * (r + 0.5)) / cells) - lowest));
  const shades = grid.map((row) => row.map((excess) => Math.log10(excess + 0.01)));
  let described = "";
  const surface = view.plot({
    width: 430, height: 400, x: { label: "slope a", from: -1, to: 3 }, y: { label: "intercept b", from: -2, to: 2 },
    text: () => `The loss over a and b: a valley from top left to bottom right. ${described}`,
  });
  const data = view.plot({
    width: 430, height: 400, x: { label: "x", from: 0, to: 2 }, y: { label: "y", from: -2, to: 4.5 },
    text: () => `The points, the best line and the current line. ${described}`,
  });
  const curve = view.plot({
    width: 880, height: 260, x: { label: "epoch", from: 0, to: epochs }, y: { label: "loss − lowest", log: true, from: 1e-5, to: 1000 },
    text: () => `The loss above its lowest against the epoch, up to the current step. ${described}`,
  });

  const rate = view.slider({ label: "learning rate", min: 0.01, max: 1, step: 0.02, log: true, value: set.rate, format: 3 });
  const momentum = view.slider({ label: "momentum", min: 0, max: 0.95, step: 0.05, value: 0 });
  const sizes = [...new Set([1, 2, 5, 10, 20, 50, set.batch, count])].filter((b) => b <= count).sort((a, b) => a - b);
  const batch = view.slider({
    label: "batch", values: sizes, value: count, format: (b) => (b >= count ? `all ${count} points` : b === 1 ? "1 point" : `${b} points`),
  });
  const start_a = view.slider({ label: "start: a", min: -1, max: 3, step: 0.1, value: 0 });
  const start_b = view.slider({ label: "start: b", min: -2, max: 2, step: 0.1, value: 0 });
  const plus = view.check({ label: "the slide's sign: add the gradient" });
  surface.onpick = (a, b) => {
    start_a.value = Number(a.toFixed(2));
    start_b.value = Number(b.toFixed(2));
  };

  let at = Infinity, path = [];  // the current step; infinity: the last one
  view.animate(() => {
    if (at >= path.length - 1) at = 0;
    else at += Math.ceil(count / batch.value / 10);  // at most ten steps of the animation per epoch
    if (at < path.length - 1) return true;
    at = Infinity;
    return false;
  });
  view.button({ label: "To the end", press: () => { at = Infinity; } });

  /** What the learning rate does to this walk. */
  function advice() {
    const largest = (of) => (2 * (1 + momentum.value)) / of, limit = largest(curvature[0]);
    if (plus.value) return "Every step climbs.";
    if (batch.value < count) {
      const late = path.slice(path.length >> 1);
      const mean = late.reduce((sum, row) => sum + row[2] - lowest, 0) / late.length;
      const average = `in the second half it is on average ${U.format(mean, 2)} above the lowest`;
      const lost = diverges({ rate: rate.value, momentum: momentum.value, batch: batch.value });
      if (!lost && mean < loss(0, 0) - lowest) return `With batches it does not come to rest: ${average}.`;
      const own = largest(Math.max(...batches(batch.value).map(steepest)));
      return (lost ? "The walk diverges." : `Steep batches throw the line away: ${average}, worse than a = b = 0.`) +
        ` The largest learning rate that converges would be ${U.format(limit, 3)} with all points in each step, ` +
        `and ${U.format(own, 3)} with only the steepest of these batches.`;
    }
    if (rate.value > limit) return `The learning rate is above the largest one that converges, ${U.format(limit, 3)}.`;
    if (momentum.value > 0) return `The largest learning rate that converges is now ${U.format(limit, 3)}.`;
    const factors = curvature.map((each) => U.format(1 - rate.value * each, 3));
    return `A step multiplies the distance across the valley by ${factors[0]}, and along it by ${factors[1]}.`;
  }

  view.update(() => {
    path = walk({
      start: [start_a.value, start_b.value], rate: plus.value ? -rate.value : rate.value,
      momentum: momentum.value, batch: batch.value,
    });
    const step = Math.min(at, path.length - 1), walked = path.slice(0, step + 1), [a, b, now] = path[step];
    const per_epoch = Math.ceil(count / batch.value), column = (c) => walked.map((row) => row[c]);
    described = Number.isFinite(now)
      ? `Epoch ${U.format(step / per_epoch, 3)} (step ${step}): a = ${U.format(a)}, b = ${U.format(b)}, ` +
        `loss ${U.format(now)}, ${U.format(now - lowest, 2)} above the lowest.`
      : `Epoch ${U.format(step / per_epoch, 3)} (step ${step}): the numbers have overflowed.`;
    surface.clear().map(shades, area).contours(grid, area, [0.03, 0.1, 0.3, 1, 3, 10])
      .line(column(0), column(1), { series: 1, name: "walk" })
      .points(column(0), column(1), { series: 1, radius: 2 })
      .points([a], [b], { series: 3, radius: 6, name: "current line" })
      .points([best_a], [best_b], { series: 2, radius: 5, name: "best line" });
    data.clear().points(x, y, { series: 0, name: "points" })
      .line([0, 2], [best_b, 2 * best_a + best_b], { series: 2, dashed: true, name: "best line" })
      .line([0, 2], [b, 2 * a + b], { series: 3, name: "current line" });
    curve.clear().line(column(2).map((_, k) => k / per_epoch), column(2).map((value) => value - lowest), { series: 1 });
    view.say(`${described} ${advice()}`);
  });
})();
