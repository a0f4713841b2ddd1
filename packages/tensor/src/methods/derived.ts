import type { Elementwise } from "../ops/define.ts";

/** What a function of a tensor and more looks like as a method of the tensor. */
type Method<F> = F extends (x: never, ...rest: infer R) => infer Y ? (...rest: R) => Y : never;

/** The functions of a module as methods. */
export type Methods<T> = { readonly [K in keyof T]: Method<T[K]> };

/** The functions of a module as methods that change the tensor: their names end in an underscore. */
export type InPlaceForms<T> = { readonly [K in keyof T & string as `${K}_`]: Method<T[K]> };

/** A module of element-wise functions, whatever they take. */
export type Family = Readonly<Record<string, Elementwise<never>>>;

type Loose = Elementwise<unknown[]>;

/** Gives `prototype` a method `name + suffix` for every function of a module, made by `bind`. Types come from `Methods`. */
export function install(
  prototype: object,
  family: Family,
  bind: (f: Loose) => (...args: unknown[]) => unknown,
  suffix = "",
): void {
  for (const [name, f] of Object.entries(family)) {
    const call = bind(f as unknown as Loose);
    Object.defineProperty(prototype, name + suffix, {
      value(...rest: unknown[]) {
        return call(this, ...rest);
      },
      writable: true,
      configurable: true,
    });
  }
}
