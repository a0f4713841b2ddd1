import type { Backend } from "./backend.ts";

/** A backend that does as `backend` does, except for `changes`: what every decorator is made with. */
export function decorate(backend: Backend, changes: Partial<Backend>): Backend {
  return {
    name: backend.name,
    limits: backend.limits,
    alloc: (dtype, length) => backend.alloc(dtype, length),
    free: (buffer) => backend.free(buffer),
    write: (buffer, data, offset) => backend.write(buffer, data, offset),
    read: (buffer, offset, length) => backend.read(buffer, offset, length),
    ...(backend.readSync && { readSync: backend.readSync.bind(backend) }),
    compile: (program) => backend.compile(program),
    launch: (launch) => backend.launch(launch),
    ...(backend.submit && { submit: backend.submit.bind(backend) }),
    close: () => backend.close(),
    ...changes,
  };
}
