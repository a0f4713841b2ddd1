import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** A curve that grows while the network learns. */
export class Curve {
  readonly #plot: uPlot;
  readonly #steps: number[] = [];
  readonly #values: number[] = [];

  /** Draws into `element` and follows its width; `range` fixes the vertical axis. */
  constructor(element: HTMLElement, label: string, color: string, range?: [number, number]) {
    const ink = getComputedStyle(element).color;
    const axis = { stroke: ink, grid: { stroke: "#8883", width: 1 }, ticks: { stroke: "#8883", width: 1 } };
    const options: uPlot.Options = {
      width: element.clientWidth,
      height: 220,
      scales: { x: { time: false }, y: range ? { range } : {} },
      axes: [{ ...axis, label: "step" }, axis],
      series: [{ label: "step" }, { label, stroke: color, width: 2, points: { show: false } }],
      legend: { show: false },
      cursor: { y: false },
    };
    this.#plot = new uPlot(options, [[], []], element);
    new ResizeObserver(() => this.#plot.setSize({ width: element.clientWidth, height: 220 })).observe(element);
  }

  add(step: number, value: number): void {
    this.#steps.push(step);
    this.#values.push(value);
    this.#plot.setData([this.#steps, this.#values]);
  }

  clear(): void {
    this.#steps.length = 0;
    this.#values.length = 0;
    this.#plot.setData([[], []]);
  }
}
