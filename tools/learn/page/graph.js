// U.graph: a computation graph in layers from left to right, with texts in its nodes and on its edges.
//
//   const graph = U.graph(view, { nodes: [{ id: "a", label: "a" }, { id: "b", label: "a · a", inputs: ["a", "a"] }] });
//   graph.show({ current: "b", node: (id) => ["9", ["gradient 1", 1]], edge: (id, input) => [["6", 1]] });
//
// A line of text is a string, or [string, series], which gives it the colour of that series. Inputs come before what
// uses them.
"use strict";

(() => {
  const line_height = 16;

  /** The layer of every node: after its inputs; nodes without inputs are directly before their first use. */
  function layers_of(nodes) {
    const layer = new Map();
    for (const { id, inputs = [] } of nodes) layer.set(id, Math.max(-1, ...inputs.map((input) => layer.get(input))) + 1);
    for (const { id, inputs = [] } of nodes) {
      const uses = nodes.filter((other) => other.inputs?.includes(id)).map((other) => layer.get(other.id));
      if (inputs.length === 0 && uses.length > 0) layer.set(id, Math.min(...uses) - 1);
    }
    return layer;
  }

  /** Places in columns; an edge has a place of its own, without a box, in every column that it passes. `ways`: for every node, the
   *  places from each of its inputs to itself; equal inputs share them. */
  function places_of(nodes) {
    const layer = layers_of(nodes), columns = [], places = new Map(), ways = new Map();
    const put = (id, column) => {
      const place = { id, column, before: [], after: [] };
      (columns[column] ??= []).push(place);
      return place;
    };
    for (const { id } of nodes) places.set(id, put(id, layer.get(id)));
    for (const { id, inputs = [] } of nodes) {
      const way_from = new Map();
      for (const input of new Set(inputs)) {
        const way = [places.get(input)];
        for (let column = layer.get(input) + 1; column < layer.get(id); ++column) way.push(put(null, column));
        way.push(places.get(id));
        for (let k = 1; k < way.length; ++k) {
          way[k].before.push(way[k - 1]);
          way[k - 1].after.push(way[k]);
        }
        way_from.set(input, way);
      }
      ways.set(id, inputs.map((input) => way_from.get(input)));
    }
    return { columns: Array.from(columns, (column) => column ?? []), ways };
  }

  /** Orders every column by the mean height of the neighbours, which removes most crossings, and sets the heights y, in rows. */
  function arrange(columns) {
    const rows = Math.max(...columns.map((column) => column.length));
    const spread = (column) => column.forEach((place, k) => { place.y = (k + 0.5) * (rows / column.length); });
    const mean = (places, otherwise) =>
      places.length > 0 ? places.reduce((sum, place) => sum + place.y, 0) / places.length : otherwise;
    columns.forEach(spread);
    for (let sweep = 0; sweep < 8; ++sweep) {
      const from_left = sweep % 2 === 0;
      for (const column of from_left ? columns : [...columns].reverse()) {
        for (const place of column) place.wanted = mean(from_left ? place.before : place.after, place.y);
        column.sort((a, b) => a.wanted - b.wanted);
        spread(column);
      }
    }
    return rows;
  }

  /** Lines of text around (x, y), centred. */
  function write(parent, x, y, lines, attributes = {}) {
    lines.forEach((line, k) => {
      const [words, series] = Array.isArray(line) ? line : [line];
      const at = { x, y: y + (k - (lines.length - 1) / 2) * line_height + 4.5, "text-anchor": "middle", ...attributes };
      if (series !== undefined) at.style = `fill: ${U.colour(series)}`;
      U.svg("text", at, parent, words);
    });
  }

  class Graph {
    /** `lines`: lines of text in a node below its label; `width` and `row` are the width and the height of a row of nodes. `along`: where
     *  on an edge its text is, from 0 to 1; not in the middle where many edges cross. */
    constructor(view, { nodes, width = 720, row = 96, box = 92, lines = 2, along = 0.5, text }) {
      this.sizes = { width, row, box, lines, along };
      this.svg = view.drawing({ width, height: row, text });
      this.set(nodes);
    }

    /** Other nodes. */
    set(nodes) {
      this.nodes = nodes;
      const { width, row, box } = this.sizes;
      const { columns, ways } = places_of(nodes);
      const rows = arrange(columns), step = (width - box - 16) / Math.max(1, columns.length - 1);
      columns.forEach((column, k) => column.forEach((place) => {
        place.x = columns.length === 1 ? width / 2 : 8 + box / 2 + k * step;
        place.height = place.y * row;
      }));
      this.ways = ways;
      this.places = columns.flat().filter(({ id }) => id !== null);
      this.svg.setAttribute("viewBox", `0 0 ${width} ${rows * row}`);
    }

    /** `node(id)` and `edge(id, input)`, where input counts from 0, return the lines of text; an edge runs between its lines. The
     *  node `current` is emphasised; those for which `pale(id)` holds are pale. */
    show({ current = null, node = () => [], edge = () => [], pale = () => false } = {}) {
      for (const old of this.svg.querySelectorAll(":scope > g")) old.remove();
      const ways = U.svg("g", {}, this.svg), boxes = U.svg("g", {}, this.svg), words = U.svg("g", {}, this.svg);
      for (const { id, inputs = [] } of this.nodes) {
        inputs.forEach((input, i) => {
          const shift = 26 * (inputs.slice(0, i).filter((each) => each === input).length
                              - (inputs.filter((each) => each === input).length - 1) / 2);
          const at = this.way(ways, this.ways.get(id)[i], shift, id === current);
          const lines = edge(id, i);
          write(words, at.x, at.y - (lines.length % 2) * 0.5 * line_height, lines, { class: "on-data", "font-size": 12 });
        });
      }
      for (const { id, x, height } of this.places) {
        const group = U.svg("g", pale(id) ? { opacity: 0.45 } : {}, boxes);
        const { box, lines } = this.sizes, tall = (lines + 1) * line_height + 10, chosen = id === current;
        U.svg("rect", { x: x - box / 2, y: height - tall / 2, width: box, height: tall, rx: 7, fill: chosen ? "#fdf0d0" : "#f5f6f4",
                        stroke: chosen ? "#b35c00" : "#8a939c", "stroke-width": chosen ? 3 : 1 }, group);
        const label = this.nodes.find((each) => each.id === id).label;
        const texts = node(id), top = height - (texts.length * line_height) / 2;
        write(group, x, top, [label], { "font-weight": 650 });
        write(group, x, top + ((texts.length + 1) * line_height) / 2, texts);
      }
    }

    /** Draws one edge, bent down by `shift`, and returns where its text has room. */
    way(parent, places, shift, emphasised) {
      const half = this.sizes.box / 2, t = this.sizes.along, middle = Math.floor((places.length - 2) / 2);
      let path = "", at = null;
      for (let k = 1; k < places.length; ++k) {
        const from = places[k - 1], to = places[k];
        const x0 = from.x + (from.id === null ? 0 : half), x1 = to.x - (to.id === null ? 0 : half), bend = (x1 - x0) / 2;
        path += `${k === 1 ? `M${x0} ${from.height}` : ""}C${x0 + bend} ${from.height + shift} ${x1 - bend} ${to.height + shift} ` +
                `${x1} ${to.height}`;
        if (k - 1 !== middle) continue;
        const bump = 3 * t * (1 - t), rise = t * t * (3 - 2 * t);  // of the Bézier curve
        at = { x: x0 + (x1 - x0) * (bump / 2 + t ** 3), y: from.height + (to.height - from.height) * rise + bump * shift };
      }
      U.svg("path", { d: path, fill: "none", stroke: emphasised ? "#b35c00" : "#8a939c", "stroke-width": emphasised ? 3 : 1.5 }, parent);
      return at;
    }
  }

  /** A graph of `nodes` [{id, label, inputs}] in a drawing of its own in `view`; the other options are those of the constructor. */
  U.graph = (view, options) => new Graph(view, options);
})();
