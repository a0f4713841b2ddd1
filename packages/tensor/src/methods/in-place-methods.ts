import { ElementwiseMethods } from "./elementwise-methods.ts";

/** Methods that change the tensor itself: their names end in an underscore. */
export abstract class InPlaceMethods extends ElementwiseMethods {}
