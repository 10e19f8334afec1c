// What a plot draws between its axes: lines, points, bars, maps of a grid, areas of classes, contours and words. Each
// function of U.marks gets an item that U.Plot has kept, the SVG layer and the scales of the axes.
"use strict";

(() => {
  /** The straight pieces of the contour at `level`, through the centres of the grid's cells (marching squares). */
  function contour(rows, place, level) {
    let path = "";
    const [xs, ys] = [(c) => place.x(c + 0.5), (r) => place.y(r + 0.5)];
    for (let r = 0; r + 1 < rows.length; ++r) {
      for (let c = 0; c + 1 < rows[r].length; ++c) {
        const corners = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
        const crossings = [];
        corners.forEach(([c0, r0], k) => {
          const [c1, r1] = corners[(k + 1) % 4];
          const a = rows[r0][c0] - level, b = rows[r1][c1] - level;
          if (a < 0 === b < 0 || !Number.isFinite(a - b)) return;
          const share = a / (a - b);
          crossings.push(`${xs(c0 + share * (c1 - c0)).toFixed(1)} ${ys(r0 + share * (r1 - r0)).toFixed(1)}`);
        });
        for (let k = 0; k + 1 < crossings.length; k += 2) path += `M${crossings[k]}L${crossings[k + 1]}`;
      }
    }
    return path;
  }

  /** Pixels to and from the cells of a grid whose outer edges are x_from…x_to (columns) and y_from…y_to (rows). */
  function grid_place(rows, options, x, y) {
    const { x_from, x_to, y_from, y_to } = options, height = rows.length, width = rows[0].length;
    return {
      x: (c) => x(x_from + ((x_to - x_from) * c) / width),
      y: (r) => y(y_from + ((y_to - y_from) * r) / height),
      column: (pixel) => Math.floor(((x.inverse(pixel) - x_from) / (x_to - x_from)) * width),
      row: (pixel) => Math.floor(((y.inverse(pixel) - y_from) / (y_to - y_from)) * height),
    };
  }

  /** Colours of cells, as [red, green, blue, opacity]. */
  function painter(item) {
    const parts = (text) => text.match(/\d+/g).map(Number);
    if (item.kind === "regions") {
      const hex = (series) => [1, 3, 5].map((k) => parseInt(U.colour(series).slice(k, k + 2), 16));
      return (value) => [...hex(value), 64];
    }
    const all = item.rows.flat().filter(Number.isFinite);
    let low = item.options.low ?? Infinity, high = item.options.high ?? -Infinity;
    for (const value of all) {
      if (item.options.low === undefined) low = Math.min(low, value);
      if (item.options.high === undefined) high = Math.max(high, value);
    }
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    if (item.options.signed) return (value) => [...parts(U.signed_shade(value / most)), 255];
    return (value) => [...parts(U.shade(high > low ? (value - low) / (high - low) : 0.5)), 255];
  }

  /** The cells of a grid as an image: a picture of 100 × 100 cells would be slow as 10 000 rectangles. */
  function draw_cells(item, layer, x, y) {
    const { rows, options } = item, place = grid_place(rows, options, x, y), paint = painter(item);
    const left = Math.min(place.x(0), place.x(rows[0].length)), right = Math.max(place.x(0), place.x(rows[0].length));
    const top = Math.min(place.y(0), place.y(rows.length)), bottom = Math.max(place.y(0), place.y(rows.length));
    const canvas = document.createElement("canvas");
    canvas.width = x.log ? Math.ceil(right - left) : rows[0].length;
    canvas.height = y.log ? Math.ceil(bottom - top) : rows.length;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let j = 0; j < canvas.height; ++j) {
      const row = rows[place.row(top + ((j + 0.5) / canvas.height) * (bottom - top))];
      for (let i = 0; i < canvas.width; ++i) {
        const value = row?.[place.column(left + ((i + 0.5) / canvas.width) * (right - left))];
        if (Number.isFinite(value)) image.data.set(paint(value), 4 * (j * canvas.width + i));
      }
    }
    context.putImageData(image, 0, 0);
    U.svg("image", {
      href: canvas.toDataURL(), x: left, y: top, width: right - left, height: bottom - top,
      preserveAspectRatio: "none", style: "image-rendering: pixelated",
    }, layer);
  }

  const dash = (options) => (options.dashed ? { "stroke-dasharray": "6 4" } : {});

  /** Half the width of bars: `options.width`, or a little less than the smallest distance between two. */
  function half_width(xs, options) {
    const gaps = xs.slice(1).map((value, i) => Math.abs(value - xs[i]));
    return (options.width ?? 0.84 * Math.min(...(gaps.length ? gaps : [1]))) / 2;
  }

  const draw = {
    line({ xs, ys, options }, layer, x, y) {
      let path = "", inside = false;
      for (let i = 0; i < xs.length; ++i) {
        const shown = x.shows(xs[i]) && y.shows(ys[i]);
        if (shown) path += `${inside ? "L" : "M"}${x(xs[i]).toFixed(1)} ${y(ys[i]).toFixed(1)}`;
        inside = shown;
      }
      const width = options.width ?? 2;
      U.svg("path", { d: path, fill: "none", stroke: U.colour(options.series), "stroke-width": width, ...dash(options) }, layer);
    },
    points({ xs, ys, options }, layer, x, y) {
      const radius = options.radius ?? (xs.length > 400 ? 1.6 : 3.5), fill = U.colour(options.series), rim = Math.min(0.8, radius / 5);
      xs.forEach((value, i) => {
        if (!x.shows(value) || !y.shows(ys[i])) return;
        // A white rim sets dots off from a map, and from each other.
        U.svg("circle", { cx: x(value).toFixed(1), cy: y(ys[i]).toFixed(1), r: radius, fill, "fill-opacity": 0.9, stroke: "#fff", "stroke-width": rim }, layer);
      });
    },
    bars({ xs, ys, options }, layer, x, y) {
      const half = half_width(xs, options), floor = y.log ? y(10 ** y.from) : y(0);
      xs.forEach((value, i) => {
        if (!x.shows(value) || !y.shows(ys[i])) return;
        const top = y(ys[i]), left = x(value - half);
        U.svg("rect", {
          x: left, width: Math.max(1, x(value + half) - left), y: Math.min(top, floor), height: Math.abs(top - floor),
          fill: U.colour(options.series), "fill-opacity": options.opacity ?? 1,
        }, layer);
      });
    },
    map: draw_cells,
    regions: draw_cells,
    contours({ rows, options, levels }, layer, x, y) {
      const place = grid_place(rows, options, x, y);
      const stroke = options.series === undefined ? "#444" : U.colour(options.series);
      for (const level of levels)
        U.svg("path", { d: contour(rows, place, level), fill: "none", stroke, "stroke-width": options.width ?? 1 }, layer);
    },
    words({ x: at_x, y: at_y, text, options }, layer, x, y) {
      if (!x.shows(at_x) || !y.shows(at_y)) return;
      const fill = options.series === undefined ? "#222" : U.colour(options.series);
      U.svg("text", { x: x(at_x), y: y(at_y), fill, class: "on-data", "text-anchor": options.anchor ?? "start", "dominant-baseline": options.centred ? "central" : "auto" }, layer, text);
    },
  };

  U.marks = { ...draw, half_width };
})();
