import * as matmul from "../ops/matmul.ts";
import type { Tensor } from "../tensor.ts";
import { IndexMethods } from "./index-methods.ts";

/** Methods that are sums of products. */
export abstract class LinearMethods extends IndexMethods {
  /** Matrix product by all of PyTorch's rules: leading axes broadcast, a vector is a row on the left and a column on the right. */
  matmul(this: Tensor, right: Tensor): Tensor {
    return matmul.matmul(this, right);
  }
  /** `[n, k] · [k, m]`. */
  mm(this: Tensor, right: Tensor): Tensor {
    return matmul.mm(this, right);
  }
  /** `[n, k] · [k]`. */
  mv(this: Tensor, vector: Tensor): Tensor {
    return matmul.mv(this, vector);
  }
  /** Σ of the products of two vectors. */
  dot(this: Tensor, right: Tensor): Tensor {
    return matmul.dot(this, right);
  }
  /** As `dot`: all numbers are real. */
  vdot(this: Tensor, right: Tensor): Tensor {
    return matmul.vdot(this, right);
  }
  /** `[b, n, k] · [b, k, m]`. */
  bmm(this: Tensor, right: Tensor): Tensor {
    return matmul.bmm(this, right);
  }
  /** beta · this + alpha · (left · right). */
  addmm(this: Tensor, left: Tensor, right: Tensor, options?: matmul.AddProductOptions): Tensor {
    return matmul.addmm(this, left, right, options);
  }
  /** beta · this + alpha · (matrix · vector). */
  addmv(this: Tensor, matrix: Tensor, vector: Tensor, options?: matmul.AddProductOptions): Tensor {
    return matmul.addmv(this, matrix, vector, options);
  }
  /** beta · this + alpha · (left · right) of batches of matrices. */
  baddbmm(this: Tensor, left: Tensor, right: Tensor, options?: matmul.AddProductOptions): Tensor {
    return matmul.baddbmm(this, left, right, options);
  }
  /** All products of an element of this vector with one of `right`. */
  outer(this: Tensor, right: Tensor): Tensor {
    return matmul.outer(this, right);
  }
}
