// The techniques in the order in which the web found them: the registry, as the server wrote it into
// the page. Colours and markers are those of all figures.

/** @type {Technique[]} */
export const TECHNIQUES = JSON.parse(document.documentElement.dataset.techniques);

export const SLUGS = TECHNIQUES.map((technique) => technique.slug);

/** @returns {Technique} */
export const technique = (slug) => TECHNIQUES.find((one) => one.slug === slug);

// Corners of each marker in a square from -1 to 1; the circle has none.
const star = Array.from({ length: 10 }, (_, i) => {
  const angle = (i * Math.PI) / 5 - Math.PI / 2;
  const far = i % 2 ? 0.45 : 1.15;
  return [far * Math.cos(angle), far * Math.sin(angle)];
});
const plus = [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35],
  [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]];
const CORNERS = {
  s: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
  D: [[0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]],
  P: plus,
  "^": [[0, -1.1], [1, 0.8], [-1, 0.8]],
  v: [[0, 1.1], [1, -0.8], [-1, -0.8]],
  "<": [[-1.1, 0], [0.8, -1], [0.8, 1]],
  ">": [[1.1, 0], [-0.8, -1], [-0.8, 1]],
  X: plus.map(([x, y]) => [(x - y) * 0.75, (x + y) * 0.75]),
  "*": star,
};

/** Add a marker to a canvas path, around (x, y), `r` pixels wide to each side. */
export function traceMarker(path, marker, x, y, r) {
  const corners = CORNERS[marker];
  if (!corners) {
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], i) => path[i ? "lineTo" : "moveTo"](x + r * dx, y + r * dy));
  path.closePath();
}

/** Make a marker as a small picture beside a technique's name; decoration only. */
export function markerIcon(slug, className = "marker") {
  const { color, marker } = technique(slug);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.3 -1.3 2.6 2.6");
  svg.setAttribute("class", className);
  svg.setAttribute("fill", color);
  svg.setAttribute("aria-hidden", "true");
  const corners = CORNERS[marker];
  const shape = document.createElementNS(svg.namespaceURI, corners ? "polygon" : "circle");
  if (corners) shape.setAttribute("points", corners.map((point) => point.join()).join(" "));
  else shape.setAttribute("r", "1");
  svg.append(shape);
  return svg;
}

/** Return a technique's colour for a light or dark background. */
export function colorOf(slug, isDark) {
  const { color } = technique(slug);
  if (!isDark) return color;
  const parts = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part * 0.5 + 255 * 0.5)).join()})`;
}
