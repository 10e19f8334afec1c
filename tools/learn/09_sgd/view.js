// SGD, momentum and Adam in the valley of the program: the gradients are those of real minibatches of its 200 points.
"use strict";

(() => {
  const [x, y] = U.rows("valley/points"), minimum = U.numbers("valley/minimum"), curvatures = U.numbers("valley/curvatures");
  const batches = U.rows("valley/batches"), steps = batches.length, start = [-2, 2];
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const mean_x = mean(x), mean_xx = mean(x.map((value) => value * value));
  const noise = mean(x.map((value, i) => (minimum[0] + minimum[1] * value - y[i]) ** 2));  // variance of the points around the line
  const f = (value) => U.format(value, 3);

  const excess = ([w0, w1]) => {
    const a = w0 - minimum[0], b = w1 - minimum[1];
    return (a * a + 2 * mean_x * a * b + mean_xx * b * b) / 2;
  };

  function gradient([w0, w1], batch) {
    let g0 = 0, g1 = 0;
    for (const i of batch) {
      const share = (w0 + w1 * x[i] - y[i]) / batch.length;
      g0 += share;
      g1 += share * x[i];
    }
    return [g0, g1];
  }

  /** The optimisers: each returns a function from a gradient, in step t = 1, 2, …, to the change of the weights. */
  const optimisers = {
    sgd: ({ lr }) => (g) => g.map((each) => -lr * each),
    momentum({ lr, momentum }) {
      const velocity = [0, 0];
      return (g) => g.map((each, i) => -lr * (velocity[i] = momentum * velocity[i] + each));
    },
    adam({ lr }) {
      const first = [0, 0], second = [0, 0];
      return (g, t) => g.map((each, i) => {
        first[i] = 0.9 * first[i] + 0.1 * each;
        second[i] = 0.999 * second[i] + 0.001 * each * each;
        return (-lr * first[i] / (1 - 0.9 ** t)) / (Math.sqrt(second[i] / (1 - 0.999 ** t)) + 1e-8);
      });
    },
  };

  function path_of(kind, options, draws) {
    const step = optimisers[kind](options), path = [start];
    for (let t = 1; t <= steps; ++t) {
      const w = path[t - 1], ended = !(Math.hypot(...w) < 1e6);  // it diverges
      const change = ended ? [0, 0] : step(gradient(w, draws[t - 1]), t);
      path.push([w[0] + change[0], w[1] + change[1]]);
    }
    return path;
  }

  /** The batches of the program or, for another size, others. */
  function drawn(size) {
    if (size === batches[0].length) return batches;
    const random = U.random(9);
    return Array.from({ length: steps }, () => Array.from({ length: size }, () => Math.floor(random() * x.length)));
  }

  /** The mean excess loss of the noise ball, in the theory for a quadratic loss; Adam has no such formula. */
  function ball({ kind, lr, momentum, batch }) {
    const mu = kind === "momentum" ? momentum : 0;
    return curvatures.reduce((sum, curvature) => {
      const room = 2 * (1 + mu) - lr * curvature;
      return room <= 0 ? Infinity : sum + (lr * curvature * noise * (1 + mu)) / (2 * batch * (1 - mu) * room);
    }, 0);
  }

  const view = U.view("valley", {
    title: "A random walk with drift",
    help: "Change the optimiser, its learning rate and the size of the minibatch. Blue is the path; the orange cloud is its second half.",
  });
  let described = "", shown = steps;
  const map_x = [-3, 3], map_y = [-1, 3], cells = 60;
  const plot = view.plot({ width: 440, height: 360, x: { label: "w0", from: map_x[0], to: map_x[1] }, y: { label: "w1", from: map_y[0], to: map_y[1] },
                           text: () => described });
  const losses = view.plot({ width: 440, height: 360, x: { label: "step", from: 0, to: steps },
                             y: { label: "loss above its minimum", log: true, from: 1e-4, to: 100 },
                             text: () => `The loss above its minimum against the step. ${described}` });
  const kind = view.choice({ label: "Optimiser", options: [["sgd", "SGD"], ["momentum", "momentum"], ["adam", "Adam"]] });
  const lr = view.slider({ label: "learning rate", min: 0.001, max: 1, log: true, value: U.setting("lr") });
  const batch = view.slider({ label: "points in a minibatch", values: [1, 2, 4, 8, 16, 32, 64, 128, 200], value: U.setting("batch") });
  const momentum = view.slider({ label: "momentum (if chosen)", min: 0, max: 0.98, step: 0.02, value: U.setting("momentum") });
  view.animate(() => {
    shown = shown >= steps ? 5 : Math.min(steps, shown + 5);
    return shown < steps;
  }, { label: "5 steps" });
  view.button({ label: "All steps", press: () => { shown = steps; } });

  const middle = ([from, to], k) => from + ((k + 0.5) * (to - from)) / cells;
  const surface = Array.from({ length: cells }, (_, row) => Array.from({ length: cells }, (_, column) =>
    Math.log10(excess([middle(map_x, column), middle(map_y, row)]) + 1e-3)));

  view.update(() => {
    const options = { kind: kind.value, lr: lr.value, momentum: momentum.value, batch: batch.value };
    const path = path_of(options.kind, options, drawn(options.batch)).slice(0, shown + 1);
    const half = path.slice(-Math.floor(steps / 2)), late = mean(half.map(excess));
    const frame = { x_from: map_x[0], x_to: map_x[1], y_from: map_y[0], y_to: map_y[1] };
    plot.clear().contours(surface, frame, [-1, 0, 1]);
    plot.line(path.map(([w0]) => w0), path.map(([, w1]) => w1), { series: 0, name: "path" });
    if (shown === steps) plot.points(half.map(([w0]) => w0), half.map(([, w1]) => w1), { series: 1, radius: 2, name: "second half" });
    plot.points([minimum[0]], [minimum[1]], { series: 2, radius: 6, name: "minimum" });
    losses.clear().line(path.map((_, t) => t), path.map((w) => Math.min(1e6, excess(w))), { series: 0 });

    const theory = ball(options), at = path.at(-1);
    if (shown < steps) described = `After ${shown} steps: w0 = ${f(at[0])}, w1 = ${f(at[1])}, loss above the minimum ${f(excess(at))}.`;
    else if (!(late < 1e3)) described = "The step is too large for the steep direction: the path diverges.";
    else described = `Mean loss above the minimum in the last ${half.length} steps: ${f(late)}.` +
      (options.kind === "adam" ? "" : ` The noise ball alone, in the theory of small steps: ${f(theory)}.`);
    if (options.kind === "momentum") described += ` The effective rate lr / (1 − momentum) is ${f(options.lr / (1 - options.momentum))}.`;
    view.say(described);
  });

  let difference = 0;
  const settings = { lr: U.setting("lr"), momentum: U.setting("momentum") };
  for (const name of Object.keys(optimisers)) {
    const recorded = U.rows(`valley/${name}`);
    path_of(name, settings, batches).forEach((w, t) => {
      for (const k of [0, 1]) difference = Math.max(difference, Math.abs(w[k] - recorded[k][t]));
    });
  }
  view.agree(`the paths of SGD, momentum and Adam at the settings of the program`, difference, 1e-11);
})();

// One weight on a parabola: the walk, and the histogram of its places with the normal distribution of the theoretical variance.
(() => {
  const walks = U.rows("diffusion/walks"), steps = 3000, forgotten = 500, bins = 41;  // learning rate, momentum, batch, variance, theory
  const variance_of = (s2, lr, momentum, batch) =>
    ((lr * s2) / batch) * ((1 + momentum) / ((1 - momentum) * (2 * (1 + momentum) - lr)));
  const s2 = walks[0][4] / variance_of(1, walks[0][0], walks[0][1], walks[0][2]);  // variance of the program's numbers
  const f = (value) => U.format(value, 3);
  /** Steps after which the distance from the minimum has fallen to 1/e: from the roots of z² - (1 + momentum - lr) z + momentum. */
  const memory = (lr, momentum) => {
    const sum = 1 + momentum - lr, room = sum * sum - 4 * momentum;
    const root = room < 0 ? Math.sqrt(momentum) : (Math.abs(sum) + Math.sqrt(room)) / 2;
    return root === 0 ? 0 : -1 / Math.log(root);
  };

  const view = U.view("diffusion", {
    title: "Drift, then diffusion",
    help: "One weight starts at 3 and is pulled to 0. Change rate, batch and momentum, and compare the variance with the formula.",
  });
  let described = "";
  const path = view.plot({ width: 420, height: 320, x: { label: "step", from: 0, to: 600 }, y: { label: "w", from: -3, to: 4 }, text: () => described });
  const places = view.plot({ width: 420, height: 320, x: { label: "w", from: -2.5, to: 2.5 }, y: { label: "density", from: 0 }, text: () => described });
  const lr = view.slider({ label: "learning rate", min: 0.01, max: 1.9, log: true, value: 0.1 });
  const batch = view.slider({ label: "numbers in a minibatch", values: [1, 2, 4, 8, 16, 32, 64], value: 1 });
  const momentum = view.slider({ label: "momentum", min: 0, max: 0.95, step: 0.05, value: 0 });

  view.update(() => {
    const random = U.random(3), noise = Math.sqrt(s2 / batch.value), ws = [3];
    for (let t = 1, w = 3, velocity = 0; t <= steps; ++t) {
      velocity = momentum.value * velocity + w + noise * U.normal(random);
      ws.push((w -= lr.value * velocity));
    }
    const late = ws.slice(forgotten), measured = late.reduce((sum, w) => sum + w * w, 0) / late.length;
    const theory = variance_of(s2, lr.value, momentum.value, batch.value), width = 8 * Math.sqrt(theory) / bins;
    const centres = Array.from({ length: bins }, (_, k) => (k - (bins - 1) / 2) * width), counts = centres.map(() => 0);
    for (const w of late) {
      const k = Math.round(w / width + (bins - 1) / 2);
      if (k >= 0 && k < bins) counts[k] += 1 / (late.length * width);
    }
    const shown = ws.slice(0, 601), edge = Math.sqrt(theory);
    path.clear().line(shown.map((_, t) => t), shown, { series: 0, width: 1 });
    for (const side of [-1, 1]) path.line([0, 600], [side * edge, side * edge], { series: 1, dashed: true, name: side > 0 ? "± √V in theory" : undefined });
    Object.assign(places.x, { from: -4 * edge, to: 4 * edge });
    places.clear().bars(centres, counts, { series: 4, name: `steps ${forgotten} to ${steps}` });
    places.line(centres, centres.map((w) => Math.exp((-w * w) / (2 * theory)) / Math.sqrt(2 * Math.PI * theory)), { series: 1, dashed: true, name: "theory" });
    described = `Variance of w after ${forgotten} steps: ${f(measured)}; theory ${f(theory)}. The start is forgotten after about ` +
      `${f(memory(lr.value, momentum.value))} steps` +
      (momentum.value > 0 ? `; the effective rate is ${f(lr.value / (1 - momentum.value))}.` : ".");
    view.say(described);
  });
  const difference = Math.max(...walks.map(([rate, mu, b, , theory]) => Math.abs(variance_of(s2, rate, mu, b) / theory - 1)));
  view.agree(`the variance in theory for its ${walks.length} walks`, difference, 1e-12);
})();
