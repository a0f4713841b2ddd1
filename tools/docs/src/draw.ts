import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([LineChart, GridComponent, LegendComponent, SVGRenderer]);

/** One line. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Figure {
  /** What is counted along the bottom. */
  readonly unit: "epoch" | "step";
  readonly curves: readonly Curve[];
  /** A second panel below, such as momentum. */
  readonly below?: { readonly name: string; readonly curves: readonly Curve[] };
  /** Whether a value holds until the next: for curves that jump. */
  readonly stepped?: boolean;
}

// Readable on white and on black.
export const palette = ["#3b82f6", "#f97316", "#10b981"];
export const ink = "#808791";
const [width, upper, lower] = [720, 250, 130];

const axis = { nameTextStyle: { color: ink }, axisLabel: { color: ink }, axisLine: { lineStyle: { color: ink } } };
const splitLine = { lineStyle: { color: ink, opacity: 0.2 } };

/** An SVG of the figure, without a background. */
export function draw({ unit, curves, below, stepped = false }: Figure): string {
  const panels = [{ name: "lr", curves, top: 36, height: upper - 36 }];
  if (below) panels.push({ ...below, top: upper + 46, height: lower - 30 });
  const last = panels.length - 1;
  const chart = init(null, null, {
    renderer: "svg",
    ssr: true,
    width,
    height: panels[last]!.top + panels[last]!.height + 44,
  });
  chart.setOption({
    animation: false,
    color: palette,
    textStyle: { fontFamily: "system-ui, sans-serif" },
    // Without a browser the widths of texts are estimates: the gap is wide enough for both to be wrong.
    legend: {
      top: 4,
      icon: "roundRect",
      itemHeight: 3,
      itemGap: 40,
      textStyle: { color: ink },
      show: curves.length > 1,
    },
    grid: panels.map(({ top, height }) => ({ left: 66, right: 24, top, height })),
    xAxis: panels.map((_, gridIndex) => ({
      ...axis,
      type: "value",
      gridIndex,
      max: "dataMax",
      splitLine: { show: false },
      name: gridIndex === last ? unit : "",
      nameLocation: "middle",
      nameGap: 26,
    })),
    yAxis: panels.map(({ name }, gridIndex) => ({
      ...axis,
      type: "value",
      gridIndex,
      name,
      splitLine,
      scale: gridIndex > 0,
      splitNumber: gridIndex > 0 ? 3 : 5,
      nameGap: 8,
    })),
    series: panels.flatMap((panel, index) =>
      panel.curves.map(({ name, points }) => ({
        type: "line",
        name,
        xAxisIndex: index,
        yAxisIndex: index,
        data: points,
        step: stepped && index === 0 ? "end" : false,
        showSymbol: false,
        lineStyle: { width: 2 },
      })),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
