// The petal network of lesson 5, trained again in the page: it starts from the program's weights, or from weights drawn here when
// the reader changes the number of hidden units.
"use strict";

(() => {
  const names = ["setosa", "versicolor", "virginica"];
  const petals = U.rows("petals"), [mean, deviation] = U.rows("petals/statistics");
  const classes = petals.map((_, i) => Math.floor(i / 50));  // the table has 50 flowers of each species, in order
  const [longest, widest] = U.numbers("regions/ends");
  const epochs = U.setting("epochs"), hidden_units = U.setting("hidden"), rate = U.setting("learning_rate");

  const standard = (lengths) => lengths.map((value, j) => (value - mean[j]) / deviation[j]);
  const inputs = petals.map(standard);

  // ---- the network: layers {w: rows [out][in], b: [out]}, with ReLU between them ----------------------------------------------

  function recorded(name) {
    const layer = (k) => ({ w: U.rows(`${name}/fc${k}.weight`), b: U.numbers(`${name}/fc${k}.bias`).slice() });
    return hidden_units > 0 ? [layer(1), layer(2)] : [layer(1)];
  }

  function drawn(units, seed) {
    const next = U.random(seed);
    const layer = (ins, outs) => {
      const number = () => (2 * next() - 1) / Math.sqrt(ins);
      return { w: Array.from({ length: outs }, () => Array.from({ length: ins }, number)), b: Array.from({ length: outs }, number) };
    };
    return units > 0 ? [layer(2, units), layer(units, 3)] : [layer(2, 3)];
  }

  /** The activations of all layers for one input; the last are the logits. */
  function forward(layers, x) {
    const steps = [x];
    layers.forEach(({ w, b }, k) => {
      const z = w.map((row, o) => row.reduce((sum, weight, i) => sum + weight * steps[k][i], 0) + b[o]);
      steps.push(k + 1 < layers.length ? z.map((value) => Math.max(value, 0)) : z);
    });
    return steps;
  }

  function softmax(logits) {
    const largest = Math.max(...logits), powers = logits.map((z) => Math.exp(z - largest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  const best = (values) => values.indexOf(Math.max(...values));
  const logits_at = (layers, lengths) => forward(layers, standard(lengths)).at(-1);

  /** The mean loss of the flowers, and its gradient in the shape of the layers: backpropagation, by hand. */
  function loss_and_gradient(layers) {
    const gradient = layers.map(({ w, b }) => ({ w: w.map((row) => row.map(() => 0)), b: b.map(() => 0) }));
    let loss = 0;
    inputs.forEach((x, i) => {
      const steps = forward(layers, x), logits = steps.at(-1), largest = Math.max(...logits);
      loss += (Math.log(logits.reduce((sum, z) => sum + Math.exp(z - largest), 0)) + largest - logits[classes[i]]) / inputs.length;
      let delta = softmax(logits).map((p, k) => (p - (k === classes[i])) / inputs.length);  // (p - y) / N
      for (let k = layers.length - 1; k >= 0; --k) {
        delta.forEach((d, o) => {
          gradient[k].b[o] += d;
          steps[k].forEach((value, j) => { gradient[k].w[o][j] += d * value; });
        });
        const below = steps[k].map((value, j) => delta.reduce((sum, d, o) => sum + d * layers[k].w[o][j], 0));
        delta = below.map((d, j) => (steps[k][j] > 0 ? d : 0));  // through the ReLU
      }
    });
    return { loss, gradient };
  }

  /** A training that can be continued: step() is one epoch of Adam. */
  function training(layers, learning_rate) {
    const state = { layers, epoch: 0, losses: [loss_and_gradient(layers).loss] };
    const first = layers.map(({ w, b }) => ({ w: w.map((row) => row.map(() => 0)), b: b.map(() => 0) }));
    const second = structuredClone(first);
    state.step = () => {
      const { gradient } = loss_and_gradient(layers), t = ++state.epoch;
      const size = learning_rate / (1 - 0.9 ** t), root = Math.sqrt(1 - 0.999 ** t);
      const update = (p, g, m, v) => p.forEach((_, j) => {
        m[j] = 0.9 * m[j] + (1 - 0.9) * g[j];
        v[j] = 0.999 * v[j] + (1 - 0.999) * g[j] * g[j];
        p[j] -= (size * m[j]) / (Math.sqrt(v[j]) / root + 1e-8);
      });
      layers.forEach(({ w, b }, k) => {
        w.forEach((row, o) => update(row, gradient[k].w[o], first[k].w[o], second[k].w[o]));
        update(b, gradient[k].b, first[k].b, second[k].b);
      });
      state.losses.push(loss_and_gradient(layers).loss);
    };
    return state;
  }

  function answers(layers, count) {
    const middle = (k, length) => (length * (k + 0.5)) / count;
    return Array.from({ length: count }, (_, r) =>
      Array.from({ length: count }, (_, c) => best(logits_at(layers, [middle(c, longest), middle(r, widest)]))));
  }

  // ---- the same as the program? -------------------------------------------------------------------------------------------------

  function compare(view) {
    const repeat = training(recorded("start"), rate), shown = U.numbers("regions/epochs");
    const expected = U.rows("regions"), count = expected[0].length;
    let cells = 0;
    for (let e = 0; e <= epochs; ++e) {
      const k = shown.indexOf(e);
      if (k >= 0) {
        answers(repeat.layers, count).forEach((row, r) => row.forEach((value, c) => {
          if (value !== expected[k * count + r][c]) ++cells;
        }));
      }
      if (e < epochs) repeat.step();
    }
    const largest = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
    view.agree(`the losses of all ${epochs} epochs`, largest(repeat.losses, U.numbers("petals/loss")), 1e-9);
    const end = recorded("end");
    const weights = (layers) => layers.flatMap(({ w, b }) => [...w.flat(), ...b]);
    view.agree("the weights at the end", largest(weights(repeat.layers), weights(end)), 1e-7);
    view.agree("the cells of the maps, number that differ", cells, 0);
  }

  // ---- the view -----------------------------------------------------------------------------------------------------------------

  const view = U.view("regions", {
    title: "Train a network on the petals",
    help: "Play trains, and the buttons next to it train for five epochs or for one. Changing a setting of the training starts again. Click into the map, or use the last two sliders, to ask the network about a flower.",
  });
  const controls = {
    rate: view.slider({ label: "learning rate", min: 0.0003, max: 3, log: true, value: rate }),
    hidden: view.slider({ label: "hidden units", values: [0, 1, 2, 3, 4, 6, 8, 12, 16, 32], value: hidden_units }),
    length: view.slider({ label: "petal length asked, cm", min: 0, max: longest, step: 0.1, value: 4.9 }),
    width: view.slider({ label: "petal width asked, cm", min: 0, max: widest, step: 0.1, value: 1.6 }),
  };

  let state, made_for;
  function begin() {
    const { rate: r, hidden } = controls;
    state = training(hidden.value === hidden_units ? recorded("start") : drawn(hidden.value, 1), r.value);
    made_for = `${r.value} ${hidden.value}`;
  }
  begin();

  const probabilities = () => softmax(logits_at(state.layers, [controls.length.value, controls.width.value]));
  const asked = () => probabilities().map((p, k) => `${names[k]} ${(100 * p).toFixed(1)} %`).join(", ");
  function result() {
    const right = inputs.filter((x, i) => best(forward(state.layers, x).at(-1)) === classes[i]).length;
    return `Loss ${U.format(state.losses.at(-1))}, ${right} of ${inputs.length} flowers right.`;
  }

  const summary = () => `Areas of the three answers after ${state.epoch} epochs, and the flowers. ${result()}`;
  const map = view.plot({
    width: 560, height: 400, text: summary,
    x: { label: "petal length in cm", from: 0, to: longest }, y: { label: "petal width in cm", from: 0, to: widest },
  });
  const curve = view.plot({
    width: 380, height: 260, text: () => `The loss falls from ${U.format(state.losses[0])} to ${U.format(state.losses.at(-1))}.`,
    x: { label: "epochs", from: 0, to: epochs }, y: { label: "cross-entropy", log: true, from: 0.02, to: 3 },
  });
  const bars = view.plot({
    width: 380, height: 200, text: () => `Probabilities at the asked flower: ${asked()}.`,
    x: { label: "0 setosa, 1 versicolor, 2 virginica", from: -0.6, to: 2.6 }, y: { label: "probability", from: 0, to: 1 },
  });
  map.onpick = (x, y) => {
    controls.length.value = Math.round(10 * x) / 10;
    controls.width.value = Math.round(10 * y) / 10;
  };
  const playing = view.animate(() => {
    for (let k = 0; k < 5 && state.epoch < 1000; ++k) state.step();
    return state.epoch < 1000;
  }, { label: "5 epochs" });
  view.button({ label: "1 epoch", press: () => { playing.stop(); state.step(); } });
  view.button({ label: "Start again", press: begin });
  view.button({ label: `Train to ${epochs} epochs`, press: () => { while (state.epoch < epochs) state.step(); } });
  view.update(() => {
    if (made_for !== `${controls.rate.value} ${controls.hidden.value}`) begin();
    map.clear().regions(answers(state.layers, 60), { x_from: 0, x_to: longest, y_from: 0, y_to: widest });
    names.forEach((name, k) => {
      const mine = petals.filter((_, i) => classes[i] === k);
      map.points(mine.map((row) => row[0]), mine.map((row) => row[1]), { series: k, name });
    });
    map.points([controls.length.value], [controls.width.value], { series: 3, radius: 7, name: "the flower asked about" });
    curve.x.to = Math.max(epochs, state.epoch);
    curve.clear().line(U.numbers("petals/loss").map((_, e) => e), U.numbers("petals/loss"), { series: 1, dashed: true, name: "the program" });
    curve.line(state.losses.map((_, e) => e), state.losses, { series: 0, name: "here" });
    bars.clear();
    probabilities().forEach((p, k) => bars.bars([k], [p], { series: k, width: 0.8 }));
    view.say(`${state.epoch} epoch${state.epoch === 1 ? "" : "s"}: ${result()} A flower of ${U.format(controls.length.value)} × ${U.format(controls.width.value)} cm: ${asked()}.`);
  });
  compare(view);
})();
