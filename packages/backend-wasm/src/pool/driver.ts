import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import {
  add,
  atomicAdd,
  atomicLoad,
  br,
  brIf,
  type Code,
  choose,
  eq,
  eqz,
  get,
  gtU,
  I32,
  i32,
  i64,
  leU,
  load,
  ltU,
  mul,
  ret,
  sub,
} from "../asm/code.ts";
import { command, control, list, phase } from "./protocol.ts";

const wait32 = (address: Code, expected: Code, nanoseconds: bigint): Code => [
  address,
  expected,
  i64(nanoseconds),
  0xfe,
  0x01,
  2,
  0,
];
const notify = (address: Code): Code => [address, i32(-1), 0xfe, 0x00, 2, 0, 0x1a];

/** Looks taken before a thread that may sleep does so: some 100 µs, the time a sleeping one takes to wake. */
const spins = 25_000;
/** Longest sleep between two looks, in milliseconds. */
const nap = 50;
/** Milliseconds that may pass without progress, unless the pool says otherwise: a thread that died finishes nothing. */
const usualPatience = 30_000;

/** What `work` gives where a thread makes no progress. */
export const stuck = 2;

/**
 * `work(list, control, scratch, maySleep)`: takes pieces of the list's phases until nothing is left, as every other thread does.
 * Gives 0 when all is done, 1 when another thread failed, `stuck` when one makes no progress.
 */
export function emitDriver(features: Features, patience = usualPatience): Assembly {
  const naps = Math.ceil(patience / nap);
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32], [I32]);
  const [at, shared, scratch, maySleep] = [get(0), get(1), get(2), get(3)];
  const here = fn.int(load(at, list.first));
  const left = fn.int(load(at, list.phases));
  fn.while(get(left), () => {
    const pieces = get(fn.int(load(get(here), phase.pieces)));
    const own = fn.int(load(get(here), phase.commands));
    const piece = fn.local(I32);
    fn.forever(() => {
      fn.set(piece, atomicAdd(get(here), i32(1), phase.next));
      fn.push(brIf(1, leU(pieces, get(piece))));
      fn.while(leU(load(get(own), command.end), get(piece)), () => {
        fn.set(own, add(get(own), i32(command.bytes)));
      });
      const grain = load(get(own), command.grain);
      const from = get(fn.int(mul(sub(get(piece), load(get(own), command.first)), grain)));
      const to = get(fn.int(add(from, grain)));
      const units = load(get(own), command.units);
      fn.push(
        asm.callIndirect(
          load(get(own), command.slot),
          load(get(own), command.params),
          from,
          choose(gtU(to, units), units, to),
          scratch,
        ),
      );
      const done = add(atomicAdd(get(here), i32(1), phase.done), i32(1));
      fn.if(eq(done, pieces), () => fn.push(notify(add(get(here), i32(phase.done)))));
    });
    const [count, seen, slept] = [fn.int(i32(0)), fn.int(i32(0)), fn.int(i32(0))];
    fn.forever(() => {
      const done = get(fn.int(atomicLoad(get(here), phase.done)));
      fn.push(brIf(1, eq(done, pieces)));
      fn.if(atomicLoad(shared, control.failed), () => fn.push(i32(1), ret));
      fn.unless(eq(done, get(seen)), () => {
        fn.set(seen, done);
        fn.set(slept, i32(0));
      });
      fn.set(count, add(get(count), i32(1)));
      fn.push(brIf(0, ltU(get(count), i32(spins))));
      // A page's main thread may not sleep: it looks on, for as long as some 2³² looks take.
      fn.if(
        maySleep,
        () => {
          fn.push(wait32(add(get(here), i32(phase.done)), done, BigInt(nap) * 1_000_000n), 0x1a);
          fn.set(slept, add(get(slept), i32(1)));
        },
        () => fn.if(eq(get(count), i32(-1)), () => fn.set(slept, i32(naps))),
      );
      fn.if(eq(get(slept), i32(naps)), () => fn.push(i32(stuck), ret));
      fn.push(br(0));
    });
    const check = get(fn.int(load(get(here), phase.check)));
    fn.unless(eqz(check), () => {
      fn.if(load(check), () => fn.push(i32(0), ret));
    });
    fn.set(here, add(get(here), i32(phase.bytes)));
    fn.set(left, sub(get(left), i32(1)));
  });
  fn.push(i32(0));
  asm.export("work", fn);
  return asm;
}
