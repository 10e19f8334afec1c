// The network of the lesson as a graph of numbers: forward and backward step by step, and who moves when a weight moves. All numbers
// are computed here; at the program's weights they are compared with those of the engine.
"use strict";

(() => {
  const f = (x) => U.format(x, 4);
  const signed = (x, digits = 4) => `${x < 0 ? "−" : "+"}${U.format(Math.abs(x), digits)}`;
  const bracketed = (x) => (x < 0 ? `(${f(x)})` : f(x));
  const label = U.setting("label");

  /** The program's weights and sample under the names that the reader chooses from. */
  function program_numbers() {
    const numbers = {};
    U.numbers("x").forEach((value, k) => { numbers[`x[${k}]`] = value; });
    for (const layer of ["fc1", "fc2"]) {
      U.rows(`${layer}.weight`).forEach((row, m) => row.forEach((value, k) => { numbers[`${layer}.weight[${m},${k}]`] = value; }));
      U.numbers(`${layer}.bias`).forEach((value, m) => { numbers[`${layer}.bias[${m}]`] = value; });
    }
    // The engine rounds 0.3 to a number with 24 bits; the graph starts from the decimal number.
    return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value.toPrecision(7))]));
  }

  // The scalars in the order of the forward pass. An arrow with a weight multiplies by it; `bias` is added.
  const weighted = (id, text, layer, m, inputs) => ({
    id, label: text, inputs, bias: `${layer}.bias[${m}]`, weights: inputs.map((_, k) => `${layer}.weight[${m},${k}]`),
  });
  const scalars = [
    { id: "x0", label: "x0", data: "x[0]" }, { id: "x1", label: "x1", data: "x[1]" },
    ...[0, 1, 2].map((m) => weighted(`a${m}`, `z′${m}`, "fc1", m, ["x0", "x1"])),
    ...[0, 1, 2].map((m) => ({ id: `h${m}`, label: `z${m} = tanh`, inputs: [`a${m}`] })),
    ...[0, 1].map((m) => weighted(`y${m}`, `y${m}`, "fc2", m, ["h0", "h1", "h2"])),
    { id: "loss", label: "loss L", inputs: ["y0", "y1"] },
  ];
  const of = (id) => scalars.find((each) => each.id === id);
  const computed_scalars = scalars.filter(({ inputs }) => inputs);

  /** Values, local derivatives (one for each input) and gradients of all scalars and weights. */
  function compute(numbers) {
    const value = {}, local = {}, gradient = {}, of_weight = {};
    for (const { id, data, inputs, weights, bias } of scalars) {
      if (data) value[id] = numbers[data];
      else if (weights) {
        value[id] = weights.reduce((sum, weight, k) => sum + numbers[weight] * value[inputs[k]], numbers[bias]);
        local[id] = weights.map((weight) => numbers[weight]);
      } else if (id === "loss") {
        const y = inputs.map((input) => value[input]), sum = y.reduce((all, each) => all + Math.exp(each - y[label]), 0);
        value[id] = Math.log(sum);
        local[id] = y.map((each, k) => Math.exp(each - y[label]) / sum - (k === label ? 1 : 0));
      } else {
        value[id] = Math.tanh(value[inputs[0]]);
        local[id] = [1 - value[id] ** 2];
      }
      gradient[id] = id === "loss" ? 1 : 0;
    }
    for (const { id, inputs, weights, bias } of [...computed_scalars].reverse()) {
      inputs.forEach((input, k) => {
        gradient[input] += gradient[id] * local[id][k];
        if (weights) of_weight[weights[k]] = gradient[id] * value[input];
      });
      if (bias) of_weight[bias] = gradient[id];
    }
    return { value, local, gradient, of_weight };
  }

  const original = program_numbers(), start = compute(original), count = computed_scalars.length;
  let numbers = { ...original }, now = start, at = 2 * count - 1, chosen = null;

  const order = (id) => computed_scalars.findIndex((each) => each.id === id);  // -1: data
  const backward = () => at >= count;
  const current = () => computed_scalars[backward() ? 2 * count - 1 - at : at];
  const is_computed = (id) => order(id) <= at;
  const walked = (id) => order(id) >= 0 && backward() && order(id) >= 2 * count - 1 - at;  // its rule has run backward
  const is_reached = (id) => id === "loss" ? backward() : scalars.some(({ id: user, inputs }) => inputs?.includes(id) && walked(user));

  /** The gradient of `id` as far as it has arrived: the sum over those that use it and have been walked. */
  const arrived = (id) => computed_scalars.filter(({ id: user }) => walked(user)).reduce((sum, { id: user, inputs }) =>
    inputs.reduce((all, input, k) => all + (input === id ? now.gradient[user] * now.local[user][k] : 0), sum), id === "loss" ? 1 : 0);

  const view = U.view("step", {
    title: "One training step as a graph of numbers",
    help: "Step forward (values, blue), then backward (gradients, orange; on an arrow, the gradient of its weight). Choose a weight and " +
          "move it: values that differ from the program's are marked with their change.",
  });
  const graph = U.graph(view, {
    nodes: scalars, width: 984, row: 150, box: 108, lines: 3, along: 0.65,
    text: () => scalars.filter(({ id }) => is_computed(id)).map(({ id, label: name }) =>
      `${name}: ${f(now.value[id])}${is_reached(id) ? `, gradient so far ${f(arrived(id))}` : ""}`).join("; "),
  });

  const choice = view.choice({ label: "Number to move", options: Object.keys(original).map((name) => [name, name]), value: "fc1.weight[1,0]" });
  const slider = view.slider({ label: "Its value", min: -2, max: 2, step: 0.01, value: original["fc1.weight[1,0]"] });
  const go = (text, to) => view.button({ label: text, press: () => { at = Math.max(0, Math.min(2 * count - 1, to())); } });
  go("To the start", () => 0);
  go("Step back", () => at - 1);
  go("Step forward", () => at + 1);
  go("To the end", () => Infinity);
  view.button({ label: "One step of SGD", press: () => {
    for (const [name, gradient] of Object.entries(compute(numbers).of_weight)) numbers[name] -= U.setting("learning_rate") * gradient;
    slider.value = numbers[choice.value];
    at = 2 * count - 1;
  } });
  view.button({ label: "Back to the program's weights", press: () => {
    numbers = { ...original };
    slider.value = numbers[choice.value];
  } });

  /** What the current step computes. */
  function words() {
    const { id, label: name, inputs, weights, bias } = current(), { value, gradient, local, of_weight } = now;
    if (!backward()) {
      if (weights) {
        const products = inputs.map((input, k) => `${bracketed(numbers[weights[k]])} × ${bracketed(value[input])}`);
        return `${name} = ${products.join(" + ")} + ${bracketed(numbers[bias])} = ${f(value[id])}`;
      }
      if (id === "loss") return `L = log(exp ${bracketed(value.y0)} + exp ${bracketed(value.y1)}) − ${bracketed(value[`y${label}`])} = ${f(value[id])}`;
      return `z${id[1]} = tanh ${bracketed(value[inputs[0]])} = ${f(value[id])}`;
    }
    const up = bracketed(gradient[id]);
    const parts = inputs.filter((input) => !of(input).data).map((input) =>
      `for ${of(input).label.split(" ")[0]}: ${up} × ${bracketed(local[id][inputs.indexOf(input)])} = ${f(gradient[id] * local[id][inputs.indexOf(input)])}`);
    const to_weights = (weights ?? []).map((weight, k) => `for ${weight}: ${up} × ${bracketed(value[inputs[k]])} = ${f(of_weight[weight])}`);
    const to_bias = bias ? [`for ${bias}: ${up} × 1 = ${f(of_weight[bias])}`] : [];
    return `${name.split(" ")[0]} has the upstream gradient ${f(gradient[id])}; upstream × local is ${[...parts, ...to_weights, ...to_bias].join("; ")}`;
  }

  /** Who differs from the program's run, and what the gradient there predicts. */
  function moved_words() {
    const moved = computed_scalars.filter(({ id }) => now.value[id] !== start.value[id]);
    if (moved.length === 0) return "All numbers are those of the program.";
    const changed = Object.keys(original).filter((name) => numbers[name] !== original[name]);
    const change = now.value.loss - start.value.loss;
    const moves = `${moved.length} of ${count} values move; the loss changes by ${signed(change)}`;
    if (changed.some((name) => name.startsWith("x"))) return `${moves}.`;
    const predicted = changed.reduce((sum, name) => sum + start.of_weight[name] * (numbers[name] - original[name]), 0);
    return `${moves}; gradient × change predicts ${signed(predicted)}.`;
  }

  view.update(() => {
    if (chosen !== choice.value) slider.value = numbers[choice.value];
    else if (slider.value !== numbers[choice.value]) numbers[choice.value] = slider.value;
    chosen = choice.value;
    now = compute(numbers);
    graph.show({
      current: current().id,
      pale: (id) => !is_computed(id),
      node: (id) => {
        if (!is_computed(id)) return [];
        const lines = [[f(now.value[id]), 0]], change = now.value[id] - start.value[id];
        if (change !== 0) lines.push([`moved ${signed(change, 3)}`, 2]);
        if (is_reached(id) && !of(id).data) lines.push([`grad ${f(arrived(id))}`, 1]);
        return lines;
      },
      edge: (id, k) => {
        const { inputs, weights } = of(id);
        if (weights) {
          const mark = numbers[weights[k]] === original[weights[k]] ? undefined : 2;
          const text = `× ${f(numbers[weights[k]])}`;
          return [mark ? [text, mark] : text, ...(walked(id) ? [[f(now.of_weight[weights[k]]), 1]] : [])];
        }
        return walked(id) && inputs ? [`× ${f(now.local[id][k])}`] : [];
      },
    });
    view.say(`Step ${at + 1} of ${2 * count}, ${backward() ? "backward" : "forward"}: ${words()}.\n${moved_words()}`);
  });

  let difference = 0;
  const compare = (theirs, ours) => theirs.forEach((x, k) => { difference = Math.max(difference, Math.abs(x - ours[k])); });
  const values = (ids, table) => ids.map((id) => table[id]);
  for (const [name, ids] of [["before", ["a0", "a1", "a2"]], ["hidden", ["h0", "h1", "h2"]], ["logits", ["y0", "y1"]]]) {
    compare(U.numbers(name), values(ids, start.value));
    compare(U.numbers(`grad/${name}`), values(ids, start.gradient));
  }
  compare(U.numbers("loss"), [start.value.loss]);
  for (const name of ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"])
    compare(U.numbers(`grad/${name}`), Object.keys(original).filter((key) => key.startsWith(`${name}[`)).map((key) => start.of_weight[key]));
  view.agree("all values and gradients of the engine, which computes with 24 bits", difference, 1e-6);
})();
