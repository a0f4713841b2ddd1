import { ink, palette } from "./draw.ts";
import { follow, makes } from "./paths.ts";
import { contour, type Surface, surfaces } from "./surfaces.ts";

const [side, gap, top] = [348, 24, 26];
const colors = [...palette, "#a855f7", "#ef4444", "#84cc16", "#eab308", "#ec4899"];
const tenth = (x: number): number => Math.round(x * 10) / 10;

type Point = readonly [number, number];

const known = new Map<Surface, string>();

/** The contour lines, the same in every picture. */
function linesOf(surface: Surface, place: (at: Point) => string): string {
  const made = known.get(surface);
  if (made) return made;
  const drawn = surface.levels.map((level, i) => {
    const d = contour(surface, level)
      .map((line) => `M${line.map(place).join("L")}`)
      .join("");
    return `<path d="${d}" stroke="${ink}" stroke-opacity="${tenth(7 - 0.6 * i) / 10}" stroke-width="0.8"/>`;
  });
  const lines = drawn.join("");
  known.set(surface, lines);
  return lines;
}

/** One surface with the paths over it. */
function panel(surface: Surface, left: number, paths: readonly (readonly Point[])[]): string {
  const place = ([x, y]: Point): string => {
    const [u, v] = [
      (x - surface.x[0]) / (surface.x[1] - surface.x[0]),
      (surface.y[1] - y) / (surface.y[1] - surface.y[0]),
    ];
    return `${tenth(left + u * side)} ${tenth(top + v * side)}`;
  };
  const clip = `clip-${surface.name}-${left}`;
  const lines = linesOf(surface, place);
  const drawn = paths.map((points, i) => {
    const color = colors[i % colors.length];
    const end = place(points.at(-1)!).replace(" ", '" cy="');
    const line = `<polyline points="${points.map(place).join(", ")}"${paths.length < 3 ? ` marker-mid="url(#dot-${i})"` : ""}/>`;
    const dot = `<marker id="dot-${i}" viewBox="-2 -2 4 4" markerUnits="userSpaceOnUse" markerWidth="4" markerHeight="4"><circle r="1.7" fill="${color}" stroke="none"/></marker>`;
    return `${paths.length < 3 ? dot : ""}<g stroke="${color}" stroke-width="1.6">${line}<circle cx="${end}" r="4" fill="${color}"/></g>`;
  });
  const [sx, sy] = place(surface.start).split(" ");
  const [mx, my] = place(surface.minimum).split(" ").map(Number) as [number, number];
  return [
    `<clipPath id="${clip}"><rect x="${left}" y="${top}" width="${side}" height="${side}"/></clipPath>`,
    `<text x="${left}" y="${top - 9}" fill="${ink}" font-size="13">${surface.name}</text>`,
    `<g clip-path="url(#${clip})" fill="none" stroke-linejoin="round">${lines}${drawn.join("")}</g>`,
    `<circle cx="${sx}" cy="${sy}" r="4" fill="none" stroke="${ink}" stroke-width="2"/>`,
    `<path d="M${mx - 5} ${my}h10M${mx} ${my - 5}v10" stroke="${ink}" stroke-width="2"/>`,
    `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="${ink}" stroke-opacity="0.4"/>`,
  ].join("\n");
}

/** An SVG without a background: both surfaces, and over them the paths of the optimizers with these keys. */
export function drawPaths(keys: readonly string[], steps = 300): string {
  const chosen = keys.map((key) => makes[key]!);
  const panels = surfaces.map(
    (surface, i) =>
    panel(surface, i * (side + gap), chosen.map(({ make }) => follow(make, surface, steps))), // biome-ignore format: one line
  );
  const columns = 3;
  const rows = Math.ceil(chosen.length / columns);
  const bottom = top + side + 22;
  const legend = chosen.map(({ title }, i) => {
    const [x, y] = [(i % columns) * 245, bottom + Math.floor(i / columns) * 20];
    return `<rect x="${x}" y="${y - 4}" width="18" height="3" fill="${colors[i % colors.length]}"/><text x="${x + 25}" y="${y + 2}" fill="${ink}" font-size="12">${title}</text>`;
  });
  const [width, height] = [2 * side + gap, bottom + rows * 20 - 6];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif">\n${[...panels, ...legend].join("\n")}\n</svg>\n`;
}

/** Pictures by file name: one per page, and the comparisons. */
export const pictures: Readonly<Record<string, () => string>> = {
  ...Object.fromEntries(Object.keys(makes).filter((key) => key !== "momentum").map((key) => [key, () => drawPaths(key === "sgd" ? ["sgd", "momentum"] : [key])])), // biome-ignore format: one line
  compared: () => drawPaths(["sgd", "momentum", "adam", "rmsprop", "adagrad", "rprop", "muon", "lbfgs"]),
};
