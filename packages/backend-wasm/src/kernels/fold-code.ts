import type { Assembly, Features } from "../asm/assembler.ts";
import { add, and, get, i32, leU, ltU, sub } from "../asm/code.ts";
import { emitLine, movePointer } from "../emit/lines.ts";
import { emitColumns } from "./fold-columns.ts";
import { FoldContext } from "./fold-context.ts";
import { type Passes, vectorsFor } from "./fold-passes.ts";
import type { FoldPlan, FoldShape } from "./fold-plan.ts";
import { Saved } from "./fold-saved.ts";
import { Gathered, makeStates } from "./fold-states.ts";
import { isOnRow } from "./layout.ts";

/** Rows `[from, to)` of a fold: each row passes over its elements once per stage. */
export function emitFold(plan: FoldPlan, shape: FoldShape, features: Features): Assembly {
  const c = new FoldContext(plan, shape, features);
  const { fn, v } = c;
  const order = shape.saves ? plan.saving : plan.passes;
  c.outer.decompose(get(c.row));
  const group = (lanes: number) => {
    emitRows(c, order, lanes);
    c.next(i32(shape.across ? 1 : lanes));
  };
  fn.while(ltU(get(c.row), c.to), () => {
    if (shape.across) return group(v.width);
    const width = i32(v.width);
    const fits = and(
      leU(add(get(c.outer.index[plan.kept - 1]!), width), c.outer.extent(plan.kept - 1)),
      leU(width, sub(c.to, get(c.row))),
    );
    fn.if(
      fits,
      () => (shape.columns ? emitColumns(c, order) : group(v.width)),
      () => group(1),
    );
  });
  c.asm.export("run", fn);
  return c.asm;
}

/** One row, when lanes run across it; otherwise the rows of a vector, of which `lanes` count. */
function emitRows(c: FoldContext, order: Passes, lanes: number): void {
  const { fn, v, program, across, inner, place, plan } = c;
  const last = plan.reduced - 1;
  c.placeRow();
  v.lanes = lanes;
  /** What is known of the rows. */
  const known = [...c.constants];
  const saved = new Saved(c, order.saved, i32(1));
  c.emit(order.before, known);

  order.stages.forEach((pass, n) => {
    const { element, folds, saves, loads } = pass;
    const ways = across && !c.plain ? 1 : vectorsFor(pass.weight);
    const states = makeStates(c, pass, ways);
    for (const state of states) state.reset();
    const gathered = new Gathered(c, folds, states);
    /** The elements of one vector. */
    const visit = (block: number) => {
      const values = [...known];
      c.block = block;
      for (const id of loads) values[id] = saved.load(id);
      c.emit(element, values);
      for (const id of saves) saved.store(id, values[id]!);
      gathered.add(values, across ? add(add(get(place), get(c.at)), i32(block * v.width)) : get(place));
      if (n === order.stages.length - 1) c.write(order.elementStores, values);
      c.block = 0;
    };
    const elementBindings = c.pointers.filter((_, b) => !isOnRow(program.bindings[b]!.access));
    fn.set(place, i32(0));
    saved.start();
    inner.reset(last);
    fn.while(ltU(get(place), c.width), () => {
      c.placeElements();
      const extent = get(fn.int(inner.extent(last)));
      if (across) {
        emitLine(
          v,
          extent,
          [...elementBindings, ...saved.pointers([...saves, ...loads])],
          ways,
          (at, block, vectors) => {
            c.at = at;
            visit(block);
            if (block === vectors - 1) gathered.flush();
          },
        );
        c.at = place;
        fn.set(place, add(get(place), extent));
      } else {
        const at = fn.int(i32(0));
        c.at = at;
        const visitSome = (count: number) => {
          for (let k = 0; k < count; k++) {
            visit(0);
            program.bindings.forEach((binding, b) => {
              if (!isOnRow(binding.access)) movePointer(fn, { ...c.pointers[b]!, reach: { stride: c.step(b) } }, 1);
            });
            saved.move(1);
            fn.set(at, add(get(at), i32(1)));
            fn.set(place, add(get(place), i32(1)));
          }
          gathered.flush();
        };
        if (ways > 1) fn.while(leU(add(get(at), i32(ways)), extent), () => visitSome(ways));
        fn.while(ltU(get(at), extent), () => visitSome(1));
        c.at = place;
      }
      inner.advance(last);
    });
    v.lanes = lanes;
    folds.forEach((id, k) => {
      known[id] = v.keep(states[k]!.finish(across));
    });
    c.emit(pass.row, known);
  });
  if (across) v.lanes = 1;
  c.write(order.rowStores, known);
  v.lanes = v.width;
}
