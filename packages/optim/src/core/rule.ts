import type { Value } from "@descent/tensor";

/** Numeric options as a rule sees them. */
export type Hypers<O> = {
  readonly [K in keyof O as O[K] extends number | readonly [number, number] ? K : never]-?: O[K] extends number
    ? Value
    : readonly [Value, Value];
};

/** Options that shape the program: flags and names as they are, and of numbers listed in `switches` whether they are not zero. */
export type Switches<O> = { readonly [K in keyof O]: O[K] extends number ? boolean : O[K] };

/** What an update rule works with: values of one element, and numbers that are the same for all. */
export interface Rule<O, S extends string = never, C extends string = "t"> {
  /** The parameter. */
  readonly p: Value;
  /** Its gradient; negated when the optimizer maximizes. */
  readonly g: Value;
  /** The state buffers. */
  readonly s: Readonly<Record<S, Value>>;
  /** The hyperparameters. Arithmetic among them and `c` happens before the launch, in double precision. */
  readonly h: Hypers<O>;
  /** What `advance` gives for this step; by default `t`, the number of steps, 1 at the first. */
  readonly c: Readonly<Record<C, Value>>;
  /** What of the options decides which program it is. */
  readonly o: Switches<O>;
}

/** What a rule gives: the new parameter and the new buffers. */
export type Updated<S extends string = never> = { readonly p: Value } & { readonly [K in S]?: Value };

/** L2 regularisation: the gradient plus weightDecay times the parameter. */
export const decayed = ({
  p,
  g,
  h,
  o,
}: {
  p: Value;
  g: Value;
  h: { weightDecay: Value };
  o: { weightDecay: boolean };
}) => (o.weightDecay ? g.add(p.mul(h.weightDecay)) : g);
