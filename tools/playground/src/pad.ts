const side = 28;

/** A field to draw in. `changed` gets the digit as the network was taught: 28 × 28 grey levels, 255 is ink. */
export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #changed: (greys: Uint8Array) => void;

  constructor(canvas: HTMLCanvasElement, changed: (greys: Uint8Array) => void) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
    this.#changed = changed;
    this.#context.lineWidth = 22;
    this.#context.lineCap = "round";
    this.#context.lineJoin = "round";
    this.#context.strokeStyle = "#fff";
    this.clear();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#context.beginPath();
      this.#line(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons !== 0) this.#line(event);
    });
  }

  clear(): void {
    const { width, height } = this.#canvas;
    this.#context.fillStyle = "#000";
    this.#context.fillRect(0, 0, width, height);
  }

  #line({ offsetX, offsetY }: PointerEvent): void {
    const scale = this.#canvas.width / this.#canvas.clientWidth;
    this.#context.lineTo(offsetX * scale, offsetY * scale);
    this.#context.stroke();
    this.#changed(this.#digit());
  }

  /** As the digits of MNIST were prepared: fitted into 20 × 20, then moved so that the centre of mass is in the middle. */
  #digit(): Uint8Array {
    const { width, height } = this.#canvas;
    const ink = inkOf(this.#context, width, height);
    const [left, top, right, bottom] = boxOf(ink, width, height);
    const scale = 20 / Math.max(right - left, bottom - top, 1);
    const size = [(right - left) * scale, (bottom - top) * scale] as const;
    const small = new OffscreenCanvas(side, side).getContext("2d", {
      willReadFrequently: true,
    }) as OffscreenCanvasRenderingContext2D;
    const drawAt = (x: number, y: number): Uint8Array => {
      small.fillStyle = "#000";
      small.fillRect(0, 0, side, side);
      small.imageSmoothingQuality = "high";
      small.drawImage(this.#canvas, left, top, right - left, bottom - top, x, y, size[0], size[1]);
      return inkOf(small, side, side);
    };
    const [x, y] = [(side - size[0]) / 2, (side - size[1]) / 2];
    const [massX, massY] = centreOf(drawAt(x, y), side);
    return drawAt(x + side / 2 - massX, y + side / 2 - massY);
  }
}

const inkOf = (
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  width: number,
  height: number,
): Uint8Array => {
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: width * height }, (_, i) => data[4 * i] as number);
};

/** Left, top, right and bottom of what is drawn. */
function boxOf(ink: Uint8Array, width: number, height: number): [number, number, number, number] {
  const box: [number, number, number, number] = [width, height, 0, 0];
  ink.forEach((grey, i) => {
    if (grey < 32) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x + 1);
    box[3] = Math.max(box[3], y + 1);
  });
  return box;
}

/** The centre of mass of the ink. */
function centreOf(ink: Uint8Array, width: number): [number, number] {
  let [mass, x, y] = [0, 0, 0];
  ink.forEach((grey, i) => {
    mass += grey;
    x += grey * ((i % width) + 0.5);
    y += grey * (Math.floor(i / width) + 0.5);
  });
  return mass === 0 ? [width / 2, width / 2] : [x / mass, y / mass];
}
