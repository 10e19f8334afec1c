// Lesson 8: batch after batch through a batch norm: its input and output, its running statistics, and its two modes.
"use strict";

(() => {
  const epsilon = U.setting("epsilon"), steps = 60;
  const recorded = U.rows("running/x"), [program_means, program_variances] = U.rows("running/statistics");

  const mean_of = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  function statistics(values) {
    const mean = mean_of(values);
    return { mean, variance: mean_of(values.map((value) => (value - mean) ** 2)) };
  }
  const normalised = (values, { mean, variance }, gamma, beta) =>
    values.map((value) => gamma * (value - mean) / Math.sqrt(variance + epsilon) + beta);
  /** The running statistics after each batch; they start at mean 0 and variance 1. */
  function running(batches, momentum) {
    let now = { mean: 0, variance: 1 };
    return batches.map((batch) => {
      const { mean, variance } = statistics(batch), unbiased = variance * batch.length / (batch.length - 1);
      now = { mean: (1 - momentum) * now.mean + momentum * mean, variance: (1 - momentum) * now.variance + momentum * unbiased };
      return now;
    });
  }

  const view = U.view("statistics", {
    title: "Batch after batch through a batch norm",
    help: "Step through the batches, then change where the values lie, how many there are, and how the running statistics move.",
  });
  let step = 12, words = "";
  const histogram = view.plot({ width: 560, height: 260, x: { label: "value" }, y: { label: "share of the batch" }, text: () => words });
  const lines = view.plot({ width: 560, height: 260, x: { label: "batch", from: 0, to: steps }, y: { label: "running statistics" }, text: () => words });
  const modes = view.plot({ width: 560, height: 260, x: { label: "output in training" }, y: { label: "output in evaluation" }, text: () => words });
  const shift = view.slider({ label: "Mean of the values", min: -10, max: 10, step: 0.5, value: 3 });
  const scale = view.slider({ label: "Their standard deviation", min: 0.25, max: 10, step: 0.25, value: 2 });
  const size = view.slider({ label: "Samples in a batch", min: 2, max: 512, log: true, whole: true, value: U.setting("batch") });
  const momentum = view.slider({ label: "Momentum", min: 0.01, max: 1, log: true, value: U.setting("momentum") });
  const gamma = view.slider({ label: "γ", min: -3, max: 3, step: 0.25, value: 1 });
  const beta = view.slider({ label: "β", min: -5, max: 5, step: 0.25, value: 0 });
  view.animate(() => (step = Math.min(step + 1, steps)) < steps, { label: "Next batch", delay: 150 });
  view.button({ label: "From the start", press: () => { step = 1; } });

  /** The batches: those of the program, or others of another size, moved and scaled. */
  function batches() {
    const next = U.random(7);
    const standard = size.value === recorded[0].length
      ? recorded.map((batch) => batch.map((value) => (value - 3) / 2))
      : recorded.map(() => Array.from({ length: size.value }, () => U.normal(next)));
    return standard.map((batch) => batch.map((z) => shift.value + scale.value * z));
  }

  function draw_histogram(before, after) {
    histogram.clear();
    const all = [...before, ...after], low = Math.min(...all), width = (Math.max(...all) - low || 1) / 30;
    [before, after].forEach((values, series) => {
      const shares = new Array(30).fill(0);
      for (const value of values) shares[Math.min(29, Math.floor((value - low) / width))] += 1 / values.length;
      histogram.bars(shares.map((_, k) => low + (k + 0.5) * width), shares, { series, name: series ? "output" : "input" });
    });
  }

  function draw_lines(history) {
    const counted = history.map((_, k) => k + 1);
    lines.clear();
    [["mean", shift.value], ["variance", scale.value ** 2]].forEach(([key, truth], series) => {
      lines.line([0, steps], [truth, truth], { series, dashed: true });
      lines.line(counted, history.map((each) => each[key]), { series, name: `running ${key}` });
    });
  }

  view.update(() => {
    const seen = batches().slice(0, step), batch = seen[step - 1], history = running(seen, momentum.value);
    const now = statistics(batch), kept = history[step - 1];
    const trained = normalised(batch, now, gamma.value, beta.value), evaluated = normalised(batch, kept, gamma.value, beta.value);
    draw_histogram(batch, trained);
    draw_lines(history);
    const low = Math.min(...trained, ...evaluated), high = Math.max(...trained, ...evaluated);
    modes.clear().line([low, high], [low, high], { series: 3, dashed: true, name: "equal" });
    modes.points(trained, evaluated, { series: 2, name: "samples of the batch" });
    const output = statistics(trained), difference = Math.sqrt(mean_of(trained.map((value, i) => (value - evaluated[i]) ** 2)));
    words = `Batch ${step} of ${steps}: ${batch.length} values with mean ${U.format(now.mean, 3)} and variance ` +
      `${U.format(now.variance, 3)} become outputs with mean ${U.format(Math.abs(output.mean) < 1e-12 ? 0 : output.mean, 3)} and variance ` +
      `${U.format(output.variance, 3)}. The running mean is ${U.format(kept.mean, 3)}, the running variance ${U.format(kept.variance, 3)}. ` +
      `The outputs in training and in evaluation differ by ${U.format(difference, 3)} (root mean square).`;
    view.say(words);
  });

  const again = running(recorded, U.setting("momentum"));
  const difference = Math.max(...again.flatMap(({ mean, variance }, k) =>
    [Math.abs(mean - program_means[k]), Math.abs(variance - program_variances[k])]));
  view.agree(`the running statistics after each of ${steps} batches`, difference, 1e-12);
})();
