import { ShapeMethods } from "./shape-methods.ts";

/** Methods that are sums of products: matrix products, convolutions. */
export abstract class LinearMethods extends ShapeMethods {}
