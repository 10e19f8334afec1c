// Lesson 7: a kernel of 3³ taps on small volumes with their padding, and which of its taps meet data.
"use strict";

(() => {
  // Column numbers of the record "layers".
  const IN = 0, OUT = 1, KERNEL = 2, STRIDE = 3, PADDING = 4, LIVE = 5;
  const layers = U.rows("layers"), names = U.words("names");
  const kinds = [];  // one layer for each different geometry with 3³ taps on at most 4³ positions
  layers.forEach((layer, k) => {
    const same = ({ layer: other }) => [IN, OUT, KERNEL, STRIDE, PADDING].every((c) => other[c] === layer[c]);
    if (layer[KERNEL] === 3 && layer[IN] <= 4 && !kinds.some(same)) kinds.push({ layer, name: names[k] });
  });

  const inside = (layer, position) => position.every((p) => p >= 0 && p < layer[IN]);
  const cube = (side) => Array.from({ length: side ** 3 }, (_, i) => [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side]);
  const met = (layer, output, tap) => tap.map((t, a) => output[a] * layer[STRIDE] - layer[PADDING] + t);
  const live_at = (layer, output) => cube(layer[KERNEL]).map((tap) => inside(layer, met(layer, output, tap)));
  const live_anywhere = (layer) => {
    const live = new Array(layer[KERNEL] ** 3).fill(false);
    for (const output of cube(layer[OUT])) live_at(layer, output).forEach((is, t) => { live[t] ||= is; });
    return live;
  };
  const count = (flags) => flags.filter(Boolean).length;

  if (kinds.length === 0) {
    const none = U.view("live", { title: "No volume in this run is small enough to be drawn" });
    none.say("Run the lesson with voxels=25.");
    return;
  }
  const view = U.view("live", {
    title: "Which taps of a kernel meet data?",
    help: "Choose a volume (blue), and move the kernel over its output positions. Orange taps meet data, grey ones meet padding.",
  });
  let words = "";
  const scene = view.drawing({ width: 420, height: 340, text: () => words });
  const map = view.drawing({ width: 420, height: 190, text: () => words });
  const kind = view.choice({
    label: "Convolution",
    options: kinds.map(({ layer, name }, k) =>
      [k, `${layer[IN]}³ to ${layer[OUT]}³, stride ${layer[STRIDE]}: ${name}`]),
  });
  const largest = Math.max(...kinds.map(({ layer }) => layer[OUT])) - 1;
  const current = () => kinds[kind.value].layer;
  const axes = ["depth", "row", "column"].map((label) => view.slider({
    label: `Output position, ${label}`, min: 0, max: Math.max(1, largest), step: 1, whole: true, value: 0,
    format: (value) => String(value),
  }));
  const output = () => axes.map((axis) => Math.min(axis.value, current()[OUT] - 1));

  // ---- the volume, as cubes in parallel projection -------------------------------------------------------------------

  function box(parent, [deep, down, right], edge, attributes) {
    const at = ([z, y, x]) => [210 + (x - z) * edge * 0.87, 170 + (x + z) * edge * 0.5 + y * edge];
    const face = (corners) => "M" + corners.map((corner) => at(corner).map((v) => v.toFixed(1)).join(" ")).join("L") + "z";
    const [z, y, x] = [deep, down, right], faces = [
      [[z, y, x], [z, y, x + 1], [z + 1, y, x + 1], [z + 1, y, x]],                          // top
      [[z + 1, y, x], [z + 1, y, x + 1], [z + 1, y + 1, x + 1], [z + 1, y + 1, x]],          // left
      [[z, y, x + 1], [z + 1, y, x + 1], [z + 1, y + 1, x + 1], [z, y + 1, x + 1]],          // right
    ];
    for (const corners of faces) U.svg("path", { d: face(corners), "stroke-width": 1, ...attributes }, parent);
  }

  function draw_scene(layer, position) {
    scene.querySelectorAll("path").forEach((path) => path.remove());
    const side = layer[IN] + 2 * layer[PADDING], edge = Math.min(40, 150 / side), middle = side / 2;
    const taps = new Set(cube(layer[KERNEL]).map((tap) => met(layer, position, tap).join()));
    const cells = cube(side).map((cell) => cell.map((p) => p - layer[PADDING]));
    cells.sort((a, b) => (a[0] + a[2] - a[1]) - (b[0] + b[2] - b[1]));  // from the back to the front
    const kinds_of_cells = [  // the taps last, so that nothing hides them
      [(data, tap) => data && !tap, { fill: U.colour(0), "fill-opacity": 0.07, stroke: U.colour(0), "stroke-opacity": 0.45 }],
      [(data, tap) => tap && !data, { fill: "#999", "fill-opacity": 0.1, stroke: "#888" }],
      [(data, tap) => tap && data, { fill: U.colour(1), "fill-opacity": 0.75, stroke: "#7a3500" }],
    ];
    for (const [is, attributes] of kinds_of_cells)
      for (const cell of cells)
        if (is(inside(layer, cell), taps.has(cell.join())))
          box(scene, cell.map((p) => p + layer[PADDING] - middle), edge, attributes);
  }

  // ---- the kernel, as three planes -----------------------------------------------------------------------------------

  function draw_map(here, anywhere) {
    map.querySelectorAll("rect, text").forEach((old) => old.remove());
    [0, 1, 2].forEach((plane) => {
      const left = 20 + plane * 135;
      U.svg("text", { x: left + 55, y: 18, "text-anchor": "middle", "font-size": 14 }, map, `depth ${plane}`);
      for (let k = 0; k < 9; ++k) {
        const t = plane * 9 + k, x = left + (k % 3) * 37, y = 28 + Math.floor(k / 3) * 37;
        const fill = here[t] ? U.colour(1) : anywhere[t] ? U.colour(4) : "#e4e4e4";
        U.svg("rect", { x, y, width: 35, height: 35, fill, "fill-opacity": here[t] ? 0.8 : 0.45 }, map);
        U.svg("text", { x: x + 17.5, y: y + 23, "text-anchor": "middle", "font-size": 16 }, map,
              here[t] ? "●" : anywhere[t] ? "○" : "×");
      }
    });
    ["● meets data here", "○ at other positions", "× nowhere: dead"].forEach((text, k) =>
      U.svg("text", { x: 20 + k * 135, y: 168, "font-size": 13 }, map, text));
  }

  view.update(() => {
    const layer = current(), position = output(), here = live_at(layer, position), anywhere = live_anywhere(layer);
    draw_scene(layer, position);
    draw_map(here, anywhere);
    words = `A volume of ${layer[IN]}³ positions with ${layer[PADDING]} of padding on each side, and a kernel of 27 taps. At output ` +
      `(${position.join(", ")}) of ${layer[OUT]}³, ${count(here)} of 27 taps meet data. Over all output positions, ` +
      `${count(anywhere)} of 27 are live and ${27 - count(anywhere)} are dead.`;
    view.say(words);
  });

  const difference = Math.max(...layers.map((layer) => Math.abs(count(live_anywhere(layer)) - layer[LIVE])));
  view.agree(`the live taps of all ${layers.length} convolutions`, difference, 0);
})();
