// The tape of an expression, forward and backward, step by step. The structure of every tape comes from the program; values, local
// derivatives and gradients are computed here and compared with the program's.
"use strict";

(() => {
  const operation = { input: 0, add: 1, multiply: 2, tanh: 3 };
  const expressions = [["counter", "f = b + b·b, with b = a + 1"], ["tanh", "f = t·t + x·t, with t = tanh(x·y)"], ["neuron", "a neuron: tanh(x1·w1 + x2·w2 + bias)"]];
  const walks = [["tape", "tape: once from the end"], ["first", "recursion, first input first"], ["last", "recursion, last input first"],
                 ["twice", "tape, twice"], ["cleared", "tape, twice; the first input cleared in between"]];
  const f = (x) => U.format(x, 4);

  /** The tape `name` of the program, with other inputs. */
  function forward(name, inputs) {
    const labels = U.words(`${name}/labels`), entries = [];
    for (const [kind, first, second, , , recorded] of U.rows(`${name}/tape`)) {
      const at = entries.length, x = entries[first]?.value, y = entries[second]?.value;
      const made = { label: labels[at], inputs: [first, second].filter((each) => each >= 0) };
      if (kind === operation.input) Object.assign(made, { value: inputs?.[at] ?? recorded, local: [] });
      if (kind === operation.add) Object.assign(made, { value: x + y, local: [1, 1] });
      if (kind === operation.multiply) Object.assign(made, { value: x * y, local: [y, x] });
      if (kind === operation.tanh) Object.assign(made, { value: Math.tanh(x), local: [1 - Math.tanh(x) ** 2] });
      entries.push(made);
    }
    return entries;
  }

  /** The steps of a walk: {at, gradients after it, words}. */
  function backward(entries, walk) {
    const last = entries.length - 1, gradients = entries.map(() => 0), steps = [];
    const note = (at, words) => steps.push({ at, gradients: [...gradients], words });
    const visit = (at) => {
      const { label, inputs, local } = entries[at];
      const parts = inputs.map((input, i) => {
        gradients[input] += gradients[at] * local[i];
        return `${f(gradients[at])} × ${f(local[i])} to ${entries[input].label}`;
      });
      if (parts.length > 0) note(at, `${label} adds ${parts.join(" and ")}.`);
    };
    const once = () => {
      gradients[last] = 1;
      note(last, `The gradient of ${entries[last].label} is set to 1.`);
      for (let at = last; at >= 0; --at) visit(at);
    };
    const recurse = (at) => {
      visit(at);
      const next = [...new Set(entries[at].inputs)];
      for (const input of walk === "last" ? next.reverse() : next) recurse(input);
    };
    if (walk === "first" || walk === "last") {
      gradients[last] = 1;
      note(last, `The gradient of ${entries[last].label} is set to 1.`);
      recurse(last);
      return steps;
    }
    once();
    if (walk === "cleared") {
      gradients[0] = 0;
      note(0, `Only the gradient of ${entries[0].label} is cleared; the walk is repeated.`);
    }
    if (walk !== "tape") once();
    return steps;
  }

  const view = U.view("tape", {
    title: "The tape, forward and backward",
    help: "Step through the computation: values (blue) forward, then gradients (orange) backward. Change the walk to see it fail.",
  });
  let at = 0, shown = "", entries = [], steps = [];
  const graph_nodes = (list) => list.map(({ label, inputs }, id) => ({ id, label, inputs }));
  const state = () => {
    const computed = Math.min(at + 1, entries.length);
    return { computed, step: at < entries.length ? null : steps[at - entries.length] };
  };
  const graph = U.graph(view, { nodes: graph_nodes(forward("counter")), width: 760, row: 100, text: () => described() });
  function described() {
    const { computed, step } = state();
    return entries.slice(0, computed).map(({ label, value }, id) =>
      `${label} = ${f(value)}${step ? `, gradient ${f(step.gradients[id])}` : ""}`).join("; ");
  }

  const expression = view.choice({ label: "Expression", options: expressions });
  const walk = view.choice({ label: "Walk back", options: walks });
  const sliders = new Map(expressions.map(([name]) => [name, forward(name).filter(({ inputs }) => inputs.length === 0).map(
    ({ label, value }) => view.slider({ label: label === "1" ? "the constant 1" : label, min: -4, max: label === "bias" ? 8 : 4, step: 0.1, value }))]));
  const go = (label, to) => view.button({ label, press: () => { at = Math.max(0, Math.min(entries.length + steps.length - 1, to())); } });
  go("To the start", () => 0);
  go("Step back", () => at - 1);
  go("Step forward", () => at + 1);
  go("To the end", () => Infinity);

  view.update(() => {
    for (const [name, list] of sliders)
      for (const { input } of list) input.closest(".control").style.display = name === expression.value ? "" : "none";
    entries = forward(expression.value, sliders.get(expression.value).map((slider) => slider.value));
    steps = backward(entries, walk.value);
    const wanted = `${expression.value} ${walk.value}`;
    if (shown !== wanted) {
      graph.set(graph_nodes(entries));
      at = entries.length + steps.length - 1;
      shown = wanted;
    }
    at = Math.min(at, entries.length + steps.length - 1);
    const { computed, step } = state(), current = step ? step.at : at;
    graph.show({
      current,
      pale: (id) => id >= computed,
      node: (id) => (id >= computed ? [] : [[f(entries[id].value), 0], ...(step ? [[f(step.gradients[id]), 1]] : [])]),
      edge: (id, i) => {
        if (id >= computed) return [];
        const { inputs, local } = entries[id];
        if (!step) return [[f(entries[inputs[i]].value), 0]];
        return [[`× ${f(local[i])}`], ...(id === current ? [[f(step.gradients[id] * local[i]), 1]] : [])];
      },
    });
    const right = backward(entries, "tape").at(-1).gradients, end = steps.at(-1).gradients;
    const output = entries.at(-1).label, input = entries[0].label;
    const is_right = Math.abs(end[0] - right[0]) <= 1e-9 * Math.max(1, Math.abs(right[0]));
    const result = `At the end of this walk the gradient of ${input} is ${f(end[0])}` +
      (is_right ? `, the derivative of ${output}.` : `, but the derivative of ${output} is ${f(right[0])}.`);
    const what = step ? step.words : `${entries[at].label} = ${f(entries[at].value)} is written on the tape.`;
    view.say(`Step ${at + 1} of ${entries.length + steps.length}, ${step ? "backward" : "forward"}: ${what}\n${result}`);
  });

  // The same numbers as the program, at its inputs.
  let difference = 0;
  const compare = (ours, theirs) => ours.forEach((x, k) => { difference = Math.max(difference, Math.abs(x - theirs[k])); });
  for (const [name] of expressions) {
    const tape = forward(name), rows = U.rows(`${name}/tape`);
    compare(tape.map(({ value }) => value), rows.map((row) => row[5]));
    tape.forEach(({ local }, id) => compare(local, rows[id].slice(3)));
    compare(backward(tape, "tape").at(-1).gradients, rows.map((row) => row[6]));
  }
  U.rows("walks/gradients").forEach((row, k) => compare(backward(forward("counter"), walks[k][0]).at(-1).gradients, row));
  view.agree("values, local derivatives and gradients of all tapes and walks", difference, 1e-14);
})();
