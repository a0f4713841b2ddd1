import * as echarts from "echarts";
import type { Progress } from "./train.ts";

const panels = [
  { title: "loss", of: (p: Progress) => p.loss, color: "#c0392b" },
  { title: "accuracy in training", of: (p: Progress) => p.accuracy, color: "#2471a3" },
  { title: "learning rate", of: (p: Progress) => p.lr, color: "#7d6608" },
] as const;

/** Loss, accuracy and learning rate over the steps of a run, one above the other, as SVG. */
export function plotRun(history: readonly Progress[], title: string): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 760, height: 720 });
  const top = (i: number) => 70 + i * 215;
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: [
      { text: title, left: "center", top: 10 },
      ...panels.map((panel, i) => ({
        text: panel.title,
        left: 70,
        top: top(i) - 28,
        textStyle: { fontSize: 13, color: panel.color },
      })),
    ],
    grid: panels.map((_, i) => ({ left: 70, right: 30, top: top(i), height: 150 })),
    xAxis: panels.map((_, i) => ({
      type: "value",
      gridIndex: i,
      max: history.at(-1)?.step ?? 1,
      name: i === panels.length - 1 ? "step" : "",
      nameLocation: "middle",
      nameGap: 26,
    })),
    yAxis: panels.map((_, i) => ({ type: "value", gridIndex: i, scale: i !== 0 })),
    series: panels.map((panel, i) => ({
      type: "line",
      showSymbol: false,
      xAxisIndex: i,
      yAxisIndex: i,
      lineStyle: { color: panel.color, width: 2 },
      data: history.map((progress) => [progress.step, panel.of(progress)]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
