// U.Plot: axes with lines, points, bars, maps of a grid, areas of classes and contours, as view.plot() makes them.
// What is added is kept and drawn together, so that the axes can fit it, again whenever the page's width changes: one
// unit is one pixel, and words are as large on a telephone as on a desk.
"use strict";

(() => {
  const { ticks, decades, scale } = U.axes;
  const margin = { left: 66, right: 14, top: 12, bottom: 46 };
  let clips = 0;

  U.Plot = class {
    /** `box` receives the plot; `options` are those of view.plot(). */
    constructor(box, options) {
      this.options = { width: 640, height: 360, ...options };
      this.x = { label: "", ...options.x };  // may be changed; ticks, [[value, text], …], instead of numbers
      this.y = { label: "", ...options.y };
      this.onpick = null;
      this.items = [];
      this.box = box;
      this.legend = U.html("ul", { class: "legend" }, box);
      this.svg = U.svg("svg", { class: "plot" }, box);
      box.style.maxWidth = `${this.options.width}px`;
      this.pick_with_pointer();
      new ResizeObserver(() => {
        if (Math.round(this.box.clientWidth) !== this.drawn_width) this.render();
      }).observe(box);
    }

    clear() { this.items = []; return this.later(); }
    line(xs, ys, options = {}) { return this.add({ kind: "line", xs, ys, options }); }
    points(xs, ys, options = {}) { return this.add({ kind: "points", xs, ys, options }); }
    bars(xs, ys, options = {}) { return this.add({ kind: "bars", xs, ys, options }); }
    map(rows, options) { return this.add({ kind: "map", rows, options }); }
    regions(rows, options) { return this.add({ kind: "regions", rows, options }); }
    contours(rows, options, levels) { return this.add({ kind: "contours", rows, options, levels }); }
    words(x, y, text, options = {}) { return this.add({ kind: "words", x, y, text, options }); }

    add(item) {
      this.items.push({ ...item, xs: item.xs && Array.from(item.xs), ys: item.ys && Array.from(item.ys) });
      return this.later();
    }

    /** Draws once, after all that the caller adds. */
    later() {
      if (!this.pending) queueMicrotask(() => this.pending && this.render());
      this.pending = true;
      return this;
    }

    scales(width, height) {
      const grids = this.items.filter((item) => item.rows).map((item) => item.options);
      const xs = this.items.flatMap((item) => item.xs ?? []), ys = this.items.flatMap((item) => item.ys ?? []);
      for (const { x_from, x_to, y_from, y_to } of grids) xs.push(x_from, x_to), ys.push(y_from, y_to);
      for (const { xs: centres, options } of this.items.filter((item) => item.kind === "bars")) {
        const half = U.marks.half_width(centres, options);
        for (const centre of centres) xs.push(centre - half, centre + half);
        ys.push(0);
      }
      const padded = grids.length === 0;
      return [scale(this.x, xs, margin.left, width - margin.right, padded),
              scale(this.y, ys, height - margin.bottom, margin.top, padded)];
    }

    render() {
      this.pending = false;
      const width = Math.max(240, Math.min(this.options.width, Math.round(this.box.clientWidth) || this.options.width));
      const height = Math.round(this.options.height * Math.max(0.72, Math.min(1, width / this.options.width)));
      this.drawn_width = Math.round(this.box.clientWidth);
      const [x, y] = this.scales(width, height);
      this.scale_x = x;
      this.scale_y = y;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.svg.replaceChildren(...this.svg.querySelectorAll(":scope > title, :scope > desc"));
      const inner = {
        x: margin.left, y: margin.top, width: width - margin.left - margin.right, height: height - margin.top - margin.bottom,
      };
      const clip = U.svg("clipPath", { id: `clip-${(this.clip ??= ++clips)}` }, this.svg);
      U.svg("rect", inner, clip);
      const layer = U.svg("g", { "clip-path": `url(#clip-${this.clip})` }, this.svg);
      const order = { map: 0, regions: 0, contours: 1, bars: 1, line: 1, points: 2, words: 3 };
      for (const level of [0, 1, 2, 3])
        for (const item of this.items) if (order[item.kind] === level) U.marks[item.kind](item, layer, x, y);
      U.svg("rect", { ...inner, fill: "none", stroke: "#555" }, this.svg);
      this.draw_axes(x, y, width, height);
      this.draw_legend();
    }

    draw_axes(x, y, width, height) {
      const bottom = height - margin.bottom, narrow = width < 420;
      const marks = (axis, scale, many, few) =>
        axis.ticks ?? (scale.log ? decades(scale.from, scale.to, few) : ticks(scale.from, scale.to, many))
          .map((tick) => [tick, U.format(tick)]);
      for (const [tick, name] of marks(this.x, x, narrow ? 4 : 6, narrow ? 4 : 8)) {
        U.svg("path", { stroke: "#555", d: `M${x(tick).toFixed(1)} ${bottom}v5` }, this.svg);
        U.svg("text", { x: x(tick).toFixed(1), y: bottom + 18, "text-anchor": "middle" }, this.svg, name);
      }
      for (const [tick, name] of marks(this.y, y, 5, 6)) {
        U.svg("path", { stroke: "#555", d: `M${margin.left} ${y(tick).toFixed(1)}h-5` }, this.svg);
        U.svg("text", { x: margin.left - 8, y: (y(tick) + 4).toFixed(1), "text-anchor": "end" }, this.svg, name);
      }
      const middle_x = (margin.left + width - margin.right) / 2, middle_y = (margin.top + bottom) / 2;
      U.svg("text", { x: middle_x, y: height - 8, "text-anchor": "middle" }, this.svg, this.x.label);
      U.svg("text", { transform: `translate(14 ${middle_y}) rotate(-90)`, "text-anchor": "middle" }, this.svg, this.y.label);
    }

    draw_legend() {
      const named = this.items.filter((item) => item.options?.name);
      const wanted = named.map(({ kind, options }) => [kind, options.name, options.series, options.dashed].join("|")).join("\n");
      if (wanted === this.legend_drawn) return;
      this.legend_drawn = wanted;
      this.legend.replaceChildren();
      for (const { kind, options } of named) {
        const entry = U.html("li", {}, this.legend);
        const mark = U.html("span", { class: `mark ${kind}${options.dashed ? " dashed" : ""}` }, entry);
        mark.style.color = U.colour(options.series);
        entry.append(options.name);
      }
    }

    /** Calls onpick with the point under the pointer when it is pressed and while it is dragged. */
    pick_with_pointer() {
      const pick = (event) => {
        if (!this.onpick || !this.scale_x) return;
        const frame = this.svg.getBoundingClientRect(), zoom = this.svg.viewBox.baseVal.width / frame.width;
        const { width, height } = this.svg.viewBox.baseVal;
        const inside = (value, low, high) => Math.max(low, Math.min(high, value));
        const x = inside((event.clientX - frame.left) * zoom, margin.left, width - margin.right);
        const y = inside((event.clientY - frame.top) * zoom, margin.top, height - margin.bottom);
        this.onpick(this.scale_x.inverse(x), this.scale_y.inverse(y));
        this.picked?.();
      };
      this.svg.addEventListener("pointerdown", (event) => {
        if (!this.onpick) return;
        this.svg.setPointerCapture(event.pointerId);
        pick(event);
      });
      this.svg.addEventListener("pointermove", (event) => event.buttons & 1 && pick(event));
    }
  };
})();
