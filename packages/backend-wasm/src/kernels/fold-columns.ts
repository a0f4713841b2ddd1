import { add, type Code, choose, divU, get, I32, i32, leU, ltU, mul, simdMemory, sub } from "../asm/code.ts";
import { movePointer, type Pointer } from "../emit/lines.ts";
import { scratchBytes } from "./entry.ts";
import type { FoldContext } from "./fold-context.ts";
import { type Pass, type Passes, vectorsFor } from "./fold-passes.ts";
import { Saved, vectorBytes } from "./fold-saved.ts";
import { Gathered, makeStates } from "./fold-states.ts";
import { isOnRow } from "./layout.ts";

/**
 * Neighbouring rows whose lanes lie next to each other, many vectors at a time: all of them take one element (or a few) before the
 * next. So memory is read in order, as it lies. What is known of the rows meanwhile rests in scratch memory, in a slot per value and vector.
 */
export function emitColumns(c: FoldContext, order: Passes): void {
  const { fn, v, program, inner, place, plan } = c;
  const { body, bindings } = program;
  const last = plan.reduced - 1;
  const { stages } = order;
  const isOwn = (id: number) => !c.constants[id];
  const ownRows = [...order.before, ...stages.flatMap(({ folds, row }) => [...folds, ...row])].filter(isOwn);
  const slotOf = new Map(ownRows.map((id, slot) => [id, slot]));
  const states = stages.map((pass) => makeStates(c, pass, vectorsFor(pass.weight)));
  const stateSlots = Math.max(...states.map((own) => own.flatMap(({ locals }) => locals).length));
  const slots = ownRows.length + stateSlots;

  // Several passes find their elements in the cache if there are not too many.
  const perPlace = order.saved.length + (stages.length > 1 ? 1 : 0);
  const most = divU(i32(scratchBytes / vectorBytes), add(i32(slots + 1), mul(c.width, i32(perPlace))));
  const left = sub(c.outer.extent(plan.kept - 1), get(c.outer.index[plan.kept - 1]!));
  const rest = sub(c.to, get(c.row));
  const vectors = fn.int(divU(choose(ltU(left, rest), left, rest), i32(v.width)));
  const bound = fn.int(most);
  fn.unless(get(bound), () => fn.set(bound, i32(1)));
  fn.set(vectors, choose(ltU(get(bound), get(vectors)), get(bound), get(vectors)));
  const count = get(vectors);

  const slot = fn.local(I32);
  const rowCursors = bindings.map((_, b): Pointer => ({ ...c.pointers[b]!, local: fn.local(I32) }));
  const onRows = bindings.flatMap(({ access }, b) => (isOnRow(access) ? [b] : []));
  const onElements = bindings.flatMap(({ access }, b) => (isOnRow(access) ? [] : [b]));
  const at = (n: number) => n * vectorBytes;
  const fetch = (local: number, n: number) => fn.set(local, simdMemory(0, at(n), get(slot)));
  const put = (value: Code, n: number) => fn.push(simdMemory(11, at(n), get(slot), value));
  /** Repeats `work` for every vector of rows, with their slots and row bindings at hand. */
  const eachVector = (work: () => void) => {
    const done = fn.int(i32(0));
    fn.set(slot, c.scratch);
    for (const b of onRows) fn.set(rowCursors[b]!.local, get(c.rowPlaces[b]!));
    fn.while(ltU(get(done), count), () => {
      work();
      fn.set(slot, add(get(slot), i32(at(slots))));
      for (const b of onRows) movePointer(fn, rowCursors[b]!, v.width);
      fn.set(done, add(get(done), i32(1)));
    });
  };
  /** Constants, and those of `ids` that rest in slots. */
  const known = (ids: Iterable<number>): Code[] => {
    const values = [...c.constants];
    for (const id of new Set(ids)) {
      const n = slotOf.get(id);
      if (n !== undefined) values[id] = v.keep(simdMemory(0, at(n), get(slot)));
    }
    return values;
  };
  const keep = (ids: readonly number[], values: readonly Code[]) => {
    for (const id of ids) if (isOwn(id)) put(values[id]!, slotOf.get(id)!);
  };
  const argsOf = (ids: readonly number[]) => ids.flatMap((id) => body[id]!.args);

  v.lanes = v.width;
  c.placeRow();
  const outside = c.places;
  c.places = { row: rowCursors.map(({ local }) => local), element: outside.element };
  const saved = new Saved(c, order.saved, count);
  if (order.before.some(isOwn)) {
    eachVector(() => {
      const values = known([]);
      c.emit(order.before, values);
      keep(order.before, values);
    });
  }
  for (const [n, pass] of stages.entries()) emitPass(pass, n);
  if (order.rowStores.length)
    eachVector(() => c.write(order.rowStores, known(order.rowStores.map(({ value }) => value))));
  c.places = outside;
  c.next(mul(count, i32(v.width)));

  function emitPass(pass: Pass, n: number): void {
    const own = states[n]!;
    const locals = own.flatMap((state) => state.locals);
    const fetchStates = () => {
      for (const [k, local] of locals.entries()) fetch(local, ownRows.length + k);
    };
    const putStates = () => {
      for (const [k, local] of locals.entries()) put(get(local), ownRows.length + k);
    };
    const stores = n === stages.length - 1 ? order.elementStores : [];
    const used = [...argsOf([...pass.element, ...pass.folds]), ...stores.map(({ value }) => value)];
    const gathered = new Gathered(c, pass.folds, own);
    const counter = fn.int(i32(0));
    const steps = new Map(onElements.map((b) => [b, get(fn.int(c.step(b)))]));
    const cursors = c.pointers.map((pointer): Pointer => ({ ...pointer, local: fn.local(I32) }));
    /** `ways` elements of every row. */
    const visit = (ways: number) => {
      for (const b of onElements) fn.set(cursors[b]!.local, get(c.pointers[b]!.local));
      const { places } = c;
      eachVector(() => {
        const rows = known(used);
        fetchStates();
        for (let k = 0; k < ways; k++) {
          const element: Code[] = [];
          for (const b of onElements) {
            const at = get(cursors[b]!.local);
            element[b] = k ? get(fn.int(add(at, mul(steps.get(b)!, i32(k))))) : at;
          }
          c.places = { ...places, element };
          const values = [...rows];
          for (const id of pass.loads) values[id] = saved.load(id, k);
          c.emit(pass.element, values);
          for (const id of pass.saves) saved.store(id, values[id]!, k);
          gathered.add(values, add(get(place), i32(k)));
          c.write(stores, values);
        }
        gathered.flush();
        putStates();
        for (const b of onElements) movePointer(fn, cursors[b]!, v.width);
        saved.moveVector();
      });
      c.places = places;
      for (const b of onElements) {
        fn.set(c.pointers[b]!.local, add(get(c.pointers[b]!.local), mul(steps.get(b)!, i32(ways))));
      }
      saved.move(ways - 1);
      fn.set(counter, add(get(counter), i32(ways)));
      fn.set(place, add(get(place), i32(ways)));
    };
    if (own.length) {
      for (const state of own) state.reset();
      eachVector(putStates);
    }
    fn.set(place, i32(0));
    saved.start();
    inner.reset(last);
    fn.while(ltU(get(place), c.width), () => {
      c.placeElements();
      const extent = get(fn.int(inner.extent(last)));
      fn.set(counter, i32(0));
      const ways = vectorsFor(pass.weight);
      if (ways > 1) fn.while(leU(add(get(counter), i32(ways)), extent), () => visit(ways));
      fn.while(ltU(get(counter), extent), () => visit(1));
      inner.advance(last);
    });
    if (pass.row.some(isOwn) || own.length) {
      eachVector(() => {
        fetchStates();
        const values = known(argsOf(pass.row));
        pass.folds.forEach((id, k) => {
          values[id] = v.keep(own[k]!.finish(false));
        });
        c.emit(pass.row, values);
        keep([...pass.folds, ...pass.row], values);
      });
    }
  }
}
