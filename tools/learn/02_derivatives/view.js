// The views of lesson 2: the error of a difference quotient against its step, and products with the Jacobian.
"use strict";

// ---- the U-curve ------------------------------------------------------------------------------------------------------

(() => {
  const f64 = { round: (x) => x, epsilon: 2 ** -52 }, f32 = { round: Math.fround, epsilon: 2 ** -23 };
  const names = ["x² tanh(x)", "x³ + x²", "x logistic(x)"];

  /** The functions of the program, with each operation rounded to the format. */
  const functions = [
    (x, { round: r }) => r(r(x * x) * r(Math.tanh(x))),
    (x, { round: r }) => r(r(r(x * x) * x) + r(x * x)),
    (x, { round: r }) => r(x * r(1 / r(1 + r(Math.exp(-x))))),
  ];
  const slopes = [
    (x) => { const t = Math.tanh(x); return 2 * x * t + x * x * (1 - t * t); },
    (x) => 3 * x * x + 2 * x,
    (x) => { const s = 1 / (1 + Math.exp(-x)); return s + x * s * (1 - s); },
  ];

  function quotient(which, central, format, at, step) {
    const r = format.round, f = (x) => functions[which](x, format), x = r(at), h = r(step);
    if (central) return r(r(f(r(x + h)) - f(r(x - h))) / r(2 * h));
    return r(r(f(r(x + h)) - f(x)) / h);
  }

  /** The error of the quotient in exact arithmetic: the mean of f' over its interval, minus f'(x). For small steps, where that
   *  difference would be rounded itself, the first term of Taylor's series. */
  function truncation(which, central, x, h) {
    const slope = slopes[which], d = 1e-3;
    if (h < d && central) return ((h * h) / 6) * (slope(x + d) - 2 * slope(x) + slope(x - d)) / (d * d);
    if (h < d) return ((h / 2) * (slope(x + d) - slope(x - d))) / (2 * d);
    const from = central ? x - h : x, width = central ? 2 * h : h;  // Gauss-Legendre, five points a panel
    const inner = Math.sqrt(5 - 2 * Math.sqrt(10 / 7)) / 3, outer = Math.sqrt(5 + 2 * Math.sqrt(10 / 7)) / 3;
    const heavy = (322 + 13 * Math.sqrt(70)) / 900, light = (322 - 13 * Math.sqrt(70)) / 900;
    const nodes = [[0, 128 / 225], [inner, heavy], [-inner, heavy], [outer, light], [-outer, light]];
    const panels = 16;  // of width / 16 each
    let sum = 0;
    for (let k = 0; k < panels; ++k)
      for (const [t, w] of nodes) sum += (w / 2 / panels) * (slope(from + (width / panels) * (k + (1 + t) / 2)) - slope(x));
    return sum;
  }

  const view = U.view("ucurve", {
    title: "The step of a difference",
    help: "Change the step h, or click into the picture of the errors. Then try the other formula and the other format.",
  });
  const steps = U.numbers("h"), at = Math.fround(U.setting("x"));
  let difference = 0;
  for (let which = 0; which < 3; ++which) {
    U.rows(`quotients/${which}`).forEach((row, kind) => row.forEach((theirs, k) => {
      const format = kind < 2 ? f64 : f32, ours = quotient(which, kind % 2 === 1, format, at, steps[k]);
      const off = (Math.abs(ours - theirs) * steps[k]) / (format.epsilon * Math.max(1, functions[which](at, f64)));
      if (!(off <= difference)) difference = off;
    }));
  }
  view.agree("the quotients for all functions, formulas, formats and steps, in units of ε/h", difference, 4);

  let described = "";
  const graph = view.plot({
    width: 430, height: 400, x: { label: "x" }, y: { label: "f(x)" },
    text: () => `The function with its tangent and the line through the points of the quotient. ${described}`,
  });
  const errors = view.plot({
    width: 430, height: 400, x: { label: "step h", log: true, from: 1e-16, to: 1 },
    y: { label: "error of f'(x)", log: true, from: 1e-18, to: 100 },
    text: () => `The error against the step: it falls with h, reaches a lowest value, and rises again. ${described}`,
  });
  const h = view.slider({ label: "step h", min: 1e-16, max: 1, step: 0.05, log: true, value: 0.5, format: 2 });
  const x = view.slider({ label: "x", min: 0.125, max: 4, step: 0.125, value: at, format: 3 });
  const which = view.choice({ label: "function", options: names.map((name, k) => [k, name]), value: U.setting("function") });
  const central = view.choice({ label: "formula", options: [[false, "forward"], [true, "central"]] });
  const format = view.choice({ label: "format", options: [["f64", "f64: 53 bits"], ["f32", "f32: 24 bits"]] });
  errors.onpick = (step) => { h.value = Number(step.toPrecision(2)); };

  view.update(() => {
    const kind = format.value === "f32" ? f32 : f64, k = which.value, exact = slopes[k](x.value);
    const value = (t) => functions[k](t, f64), error = (step) => quotient(k, central.value, kind, x.value, step) - exact;
    const cut = truncation(k, central.value, x.value, h.value), all = error(h.value), rounding = all - cut;

    const from = Math.min(x.value - 1.1, x.value - h.value * 1.1), to = Math.max(x.value + 1.1, x.value + h.value * 1.1);
    const grid = Array.from({ length: 121 }, (_, i) => from + ((to - from) * i) / 120);
    const left = central.value ? x.value - h.value : x.value, right = x.value + h.value;
    const estimate = exact + all, line = (slope, y) => [from, to].map((t) => y + slope * (t - left));
    graph.clear().line(grid, grid.map(value), { series: 0, name: names[k] })
      .line([from, to], [from, to].map((t) => value(x.value) + exact * (t - x.value)), { series: 2, dashed: true, name: "tangent" })
      .line([from, to], line(estimate, value(left)), { series: 1, name: "quotient" })
      .points([left, right], [value(left), value(right)], { series: 1, radius: 5 });

    const fine = Array.from({ length: 161 }, (_, i) => 10 ** (-16 + i / 10)), size = Math.abs;
    errors.clear()
      .points(fine, fine.map((step) => size(error(step))), { series: 0, radius: 2.2, name: "error" })
      .line(fine, fine.map((step) => size(truncation(k, central.value, x.value, step))), { series: 2, name: "truncation" })
      .line(fine, fine.map((step) => (kind.epsilon * size(value(x.value))) / step), { series: 3, dashed: true, name: "ε |f| / h" })
      .line([1e-16, 1], [kind.epsilon * size(exact), kind.epsilon * size(exact)], { series: 4, dashed: true, name: "ε |f'|: dual numbers" })
      .points([h.value], [size(all)], { series: 1, radius: 6, name: "this step" });

    const lost = kind.round(x.value + kind.round(h.value)) === kind.round(x.value);
    described = `f'(x) is ${U.format(exact, 10)}, the quotient with h = ${U.format(h.value, 2)} is ${U.format(estimate, 10)}. ` +
      `The error ${U.format(all, 3)} is ${U.format(cut, 3)} from truncation and ${U.format(rounding, 3)} from rounding` +
      (lost ? ": x + h is rounded to x, and nothing is left." : ".");
    view.say(described);
  });
})();

// ---- products with the Jacobian ---------------------------------------------------------------------------------------

(() => {
  const view = U.view("sides", {
    title: "Two ways through one matrix",
    help: "v is a direction of the three inputs, u a weight of the two outputs. Forward mode combines columns, reverse mode rows.",
  });
  const jacobian = U.rows("jacobian"), inputs = [0, 1, 2];
  const table = view.table({ caption: "The Jacobian J, its product with v, and that of its transpose with u", columns: ["", "x0", "x1", "x2", "J v"] });
  const slider = (name, value) => view.slider({ label: name, min: -2, max: 2, step: 0.1, value });
  const v = [slider("v0", 0), slider("v1", 1), slider("v2", 0)], u = [slider("u0", 1), slider("u1", 0)];
  view.update(() => {
    const direction = v.map((each) => each.value), weight = u.map((each) => each.value);
    const pushed = jacobian.map((row) => row.reduce((sum, entry, k) => sum + entry * direction[k], 0));
    const pulled = inputs.map((k) => jacobian.reduce((sum, row, i) => sum + row[k] * weight[i], 0));
    table.show([...jacobian.map((row, i) => [`y${i}`, ...row, pushed[i]]), ["Jᵀ u", ...pulled, ""]]);
    const product = (a, b) => U.format(a.reduce((sum, each, k) => sum + each * b[k], 0), 6);
    view.say(`J v = (${pushed.map((each) => U.format(each, 3)).join(", ")}): how the outputs change when the inputs move along v. ` +
      `Jᵀ u = (${pulled.map((each) => U.format(each, 3)).join(", ")}): the gradient of u0 y0 + u1 y1. ` +
      `Either way u · J v is ${product(weight, pushed)} = ${product(pulled, direction)}.`);
  });
})();
