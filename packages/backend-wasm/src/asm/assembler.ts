import { type Code, eqz, flatten, get, I32, set, uleb } from "./code.ts";

/** A function under construction: statements are appended in order, constants are set once at its entry. */
export class Fn {
  readonly params: readonly number[];
  readonly results: readonly number[];
  readonly #locals: number[] = [];
  readonly #entry: Code[] = [];
  readonly #constants = new Map<string, number>();
  #out: Code[] = [];

  constructor(params: readonly number[], results: readonly number[] = []) {
    this.params = params;
    this.results = results;
  }

  /** A new local variable. */
  local(type: number): number {
    return this.params.length + this.#locals.push(type) - 1;
  }

  /** A new local variable that holds `value`. */
  let(type: number, value: Code): number {
    const local = this.local(type);
    this.push(set(local, value));
    return local;
  }

  /** An i32 variable; most are. */
  int(value: Code): number {
    return this.let(I32, value);
  }

  /** Evaluates `value` once, at the entry of the function, under a name that makes it unique. */
  constant(name: string, type: number, value: Code): Code {
    let local = this.#constants.get(name);
    if (local === undefined) {
      local = this.local(type);
      this.#constants.set(name, local);
      this.#entry.push(set(local, value));
    }
    return get(local);
  }

  push(...statements: Code[]): void {
    this.#out.push(...statements);
  }

  set(local: number, value: Code): void {
    this.push(set(local, value));
  }

  /** The statements that `write` appends, for use inside a block. */
  capture(write: () => void): Code {
    const outer = this.#out;
    const inner: Code[] = [];
    this.#out = inner;
    write();
    this.#out = outer;
    return inner;
  }

  if(condition: Code, then: () => void, otherwise?: () => void): void {
    const yes = this.capture(then);
    const no = otherwise ? [0x05, this.capture(otherwise)] : [];
    this.push(condition, 0x04, 0x40, yes, no, 0x0b);
  }

  /** Repeats while `condition` holds; tested at the end, so that the loop has one jump. */
  while(condition: Code, body: () => void): void {
    const inner = this.capture(body);
    this.push(condition, 0x04, 0x40, 0x03, 0x40, inner, condition, 0x0d, 0, 0x0b, 0x0b);
  }

  /** Repeats `body` until it branches out: `br(1)` leaves, falling off the end continues. */
  forever(body: () => void): void {
    const inner = this.capture(body);
    this.push(0x02, 0x40, 0x03, 0x40, inner, 0x0c, 0, 0x0b, 0x0b);
  }

  unless(condition: Code, then: () => void): void {
    this.if(eqz(condition), then);
  }

  bytes(): number[] {
    const groups: [type: number, count: number][] = [];
    for (const type of this.#locals) {
      const last = groups.at(-1);
      if (last?.[0] === type) last[1]++;
      else groups.push([type, 1]);
    }
    const locals = [uleb(groups.length), groups.map(([type, count]) => [uleb(count), type])];
    return flatten([locals, this.#entry, this.#out, 0x0b], []);
  }
}

interface Import {
  readonly name: string;
  readonly params: readonly number[];
  readonly results: readonly number[];
}

const text = (s: string): number[] => [s.length, ...[...s].map((c) => c.charCodeAt(0))];
/** The parts of a section of `count` items, which may be in several parts each: bodies are long, so nothing is copied before the end. */
const section = (id: number, parts: readonly (readonly number[])[], count = parts.length): (readonly number[])[] => {
  if (count === 0) return [];
  const head = uleb(count);
  const length = parts.reduce((sum, part) => sum + part.length, head.length);
  return [[id, ...uleb(length)], head, ...parts];
};

/** What the engine and this backend's memory allow. */
export interface Features {
  readonly shared: boolean;
  readonly relaxed: boolean;
}

/** A module under construction: one imported memory ("e" "m"), imported functions ("h"), own functions, exports. */
export class Assembly {
  readonly features: Features;
  readonly #imports: Import[] = [];
  readonly #functions: Fn[] = [];
  readonly #exports: [name: string, fn: Fn][] = [];
  readonly #helpers = new Map<string, Fn>();
  /** Function signatures used by `call_indirect`, before all others. */
  readonly #types: string[] = [];
  #table = false;

  constructor(features: Features) {
    this.features = features;
  }

  /** Adds a function that is called from outside. */
  export(name: string, fn: Fn): void {
    this.#exports.push([name, fn]);
    this.#functions.push(fn);
  }

  /** Calls an imported function of doubles. */
  callImport(name: string, ...operands: Code[]): Code {
    let index = this.#imports.findIndex((known) => known.name === name);
    if (index < 0) index = this.#imports.push({ name, params: operands.map(() => 0x7c), results: [0x7c] }) - 1;
    return [operands, 0x10, uleb(index)];
  }

  /** Calls a function of this module, made by `make` when first used. */
  callHelper(name: string, make: () => Fn, ...operands: Code[]): Code {
    let fn = this.#helpers.get(name);
    if (!fn) {
      fn = make();
      this.#helpers.set(name, fn);
      this.#functions.push(fn);
    }
    const target = fn;
    return [operands, 0x10, () => uleb(this.#imports.length + this.#functions.indexOf(target))];
  }

  /** Calls entry `index` of the imported table ("e" "t"), a function of `arity` i32 that returns nothing. */
  callIndirect(index: Code, ...operands: Code[]): Code {
    this.#table = true;
    const type = this.#type(
      operands.map(() => I32),
      [],
    );
    return [operands, index, 0x11, uleb(type), 0];
  }

  #type(params: readonly number[], results: readonly number[]): number {
    const key = `${params}|${results}`;
    const found = this.#types.indexOf(key);
    return found < 0 ? this.#types.push(key) - 1 : found;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const { shared } = this.features;
    const imports = this.#imports.map(({ name, params, results }) => [
      ...text("h"),
      ...text(name),
      0,
      ...uleb(this.#type(params, results)),
    ]);
    const declared = this.#functions.map(({ params, results }) => uleb(this.#type(params, results)));
    // Bodies may add imports while they are flattened only through thunks, which read and never write.
    const bodies = this.#functions.map((fn) => fn.bytes());
    const first = this.#imports.length;
    const exported = this.#exports.map(([name, fn]) => [
      ...text(name),
      0,
      ...uleb(first + this.#functions.indexOf(fn)),
    ]);
    const memory = [...text("e"), ...text("m"), 2, ...(shared ? [3, 1, ...uleb(65536)] : [0, 1])];
    const table = this.#table ? [[...text("e"), ...text("t"), 1, 0x70, 0, 0]] : [];
    const types = this.#types.map((key) => {
      const [params, results] = key.split("|").map((part) => (part ? part.split(",").map(Number) : []));
      return [
        0x60,
        (params as number[]).length,
        ...(params as number[]),
        (results as number[]).length,
        ...(results as number[]),
      ];
    });
    const parts = [
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, types),
      ...section(2, [memory, ...table, ...imports]),
      ...section(3, declared),
      ...section(7, exported),
      ...section(
        10,
        bodies.flatMap((body) => [uleb(body.length), body]),
        bodies.length,
      ),
    ];
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}
