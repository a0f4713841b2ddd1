import { decode, encode } from "./element.ts";
import { DescentError } from "./error.ts";
import type { Binding, GatherProgram, ScatterProgram } from "./program.ts";
import { at, dot, forEachIndex, type HostArg, type HostLaunch } from "./walk.ts";

/** The index a gather or scatter uses, checked against the extent of its axis. */
function checkedIndex(launch: HostLaunch, binding: number, index: readonly number[]): number {
  const arg = launch.args[binding] as HostArg;
  const chosen = at(arg.data, arg.offset + dot(index, arg.strides));
  const extent = launch.uniforms[1] as number;
  if (chosen >= 0 && chosen < extent) return chosen;
  throw new DescentError(
    "argument",
    launch.label,
    "index out of range",
    { index: chosen, extent },
    `Indices run from 0 to ${extent - 1}.`,
  );
}

/** Checks every index before anything is written. */
function checkIndices(launch: HostLaunch, binding: number): void {
  forEachIndex(launch.shape, (index) => {
    checkedIndex(launch, binding, index);
  });
}

export function interpretGather(_program: GatherProgram, launch: HostLaunch): void {
  const [source, , out] = launch.args as [HostArg, HostArg, HostArg];
  const stride = launch.uniforms[0] as number;
  checkIndices(launch, 1);
  forEachIndex(launch.shape, (index, linear) => {
    out.data[out.offset + linear] = at(
      source.data,
      source.offset + dot(index, source.strides) + stride * checkedIndex(launch, 1, index),
    );
  });
}

export function interpretScatter(program: ScatterProgram, launch: HostLaunch): void {
  const [target, , source] = launch.args as [HostArg, HostArg, HostArg];
  const stride = launch.uniforms[0] as number;
  const { dtype } = program.bindings[0] as Binding;
  checkIndices(launch, 1);
  forEachIndex(launch.shape, (index) => {
    const place = target.offset + dot(index, target.strides) + stride * checkedIndex(launch, 1, index);
    const value = decode(dtype, at(source.data, source.offset + dot(index, source.strides)));
    target.data[place] = encode(dtype, program.mode === "sum" ? decode(dtype, at(target.data, place)) + value : value);
  });
}
