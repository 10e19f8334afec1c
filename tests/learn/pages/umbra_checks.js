// What umbra.js must do, on a page with a run and an empty <div class="view" id="tested">. Returns what it does not.
"use strict";

const complaints = [];
function equal(what, got, expected) {
  if (JSON.stringify(got) !== JSON.stringify(expected))
    complaints.push(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
}
function throws(what, action) {
  try {
    action();
    complaints.push(`${what} is accepted`);
  } catch (error) { /* as expected */ }
}

const formatted = [0, -0, 0.1, -2.5, 1234.56, 12346, 1e5, -1e-9, 1.5e-9, 0.00012346, NaN, -Infinity].map((x) => U.format(x));
equal("U.format", formatted.join(" "), "0 0 0.1 −2.5 1235 12\u202f350 10⁵ −10⁻⁹ 1.5·10⁻⁹ 0.0001235 NaN −∞");
equal("U.format with 7 digits", U.format(1234567.8, 7), "1\u202f234\u202f568");

const random = U.random(7), again = U.random(7), other = U.random(8);
const draws = Array.from({ length: 4000 }, random);
equal("U.random with the same seed", draws.slice(0, 5), Array.from({ length: 5 }, again));
equal("U.random with another seed", draws[0] === other(), false);
equal("U.random within [0, 1)", draws.every((x) => x >= 0 && x < 1), true);
const mean = (xs) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
equal("the mean of U.random", Math.abs(mean(draws) - 0.5) < 0.02, true);
const normals = Array.from({ length: 4000 }, () => U.normal(random));
equal("mean and variance of U.normal", Math.abs(mean(normals)) < 0.06 && Math.abs(mean(normals.map((x) => x * x)) - 1) < 0.08, true);

U.run.data.sample = { shape: [2, 2], numbers: [1, "nan", "-inf", 4] };
U.run.data.labels = { shape: [2], words: ["a", "b"] };
U.run.settings.rate = "1e-3";
U.run.settings.method = "adam";
equal("U.rows", U.rows("sample").map((row) => row.map(String)), [["1", "NaN"], ["-Infinity", "4"]]);
equal("U.words", U.words("labels"), ["a", "b"]);
equal("U.setting", [U.setting("rate"), U.setting("method")], [0.001, "adam"]);
throws("an unknown record", () => U.numbers("none"));
throws("an unknown setting", () => U.setting("none"));
throws("four numbers as one", () => U.number("sample"));
throws("an unknown view", () => U.view("none", { title: "x" }));

const view = U.view("tested", { title: "tested" });
const move = (control, place) => {
  control.input.value = place;
  control.input.dispatchEvent(new Event("input"));
  return control.value;
};
const linear = view.slider({ label: "a", min: 0, max: 1, step: 0.1, value: 0.25 });
equal("a value between the places of a slider", linear.value, 0.25);
equal("places of a slider", [0, 3, 10].map((place) => move(linear, place)), [0, 0.3, 1]);
const powers = view.slider({ label: "b", min: 0.001, max: 1, step: 1, log: true, value: 0.1 });
equal("places of a logarithmic slider", [0, 1, 2, 3].map((place) => move(powers, place)), [0.001, 0.01, 0.1, 1]);
const whole = view.slider({ label: "c", min: 1, max: 8, step: 0.1, log: true, whole: true, value: 2 });
equal("whole numbers of a slider", [0, 1, 2, 7].map((place) => move(whole, place)), [1, 2, 3, 8]);
const choice = view.choice({ label: "d", options: [[null, "none"], [2, "two"]], value: 2 });
equal("a choice", choice.value, 2);

let drawn = 0, picked = null;
const plot = view.plot({ width: 400, height: 300, x: { from: 0, to: 10 }, y: { from: 1, to: 100, log: true } });
plot.onpick = (x, y) => { picked = [x, y].map((value) => Number(value.toPrecision(3))); };
view.update(() => { ++drawn; });
linear.input.dispatchEvent(new Event("input"));
equal("how often a view is drawn", drawn, 2);
const frame = plot.svg.querySelector(":scope > rect").getBoundingClientRect();
plot.svg.dispatchEvent(new PointerEvent("pointermove", { buttons: 1, clientX: frame.x + frame.width / 2, clientY: frame.y + frame.height / 2 }));
equal("the picked point", picked, [5, 10]);
const hill = Array.from({ length: 9 }, (_, r) => Array.from({ length: 9 }, (_, c) => (r - 4) ** 2 + (c - 4) ** 2));
plot.contours(hill, { x_from: 0, x_to: 9, y_from: 1, y_to: 10 }, [4]);
plot.y = { from: 1, to: 10 };
plot.x = { from: 0, to: 9 };
plot.render();
const radii = plot.svg.querySelector("g path").getAttribute("d").match(/[\d.]+ [\d.]+/g).map((pair) => {
  const [x, y] = pair.split(" ").map(Number);
  return Math.hypot(plot.scale_x.inverse(x) - 4.5, plot.scale_y.inverse(y) - 5.5);
});
equal("the contour of a round hill is a circle of radius 2", radii.length > 15 && radii.every((r) => Math.abs(r - 2) < 0.1), true);

view.agree("equal numbers", 1e-16, 1e-12);
equal("agreement", view.place.dataset.agree, "yes");
for (const [difference, agree] of [[2e-12, "no"], [1e-12, "yes"], [NaN, "no"]]) {
  view.agree("other numbers", difference, 1e-12);
  equal(`agreement of a difference of ${difference}`, view.place.dataset.agree, agree);
}
return complaints;
