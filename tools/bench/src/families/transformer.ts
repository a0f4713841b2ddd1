import * as nn from "@descent/nn";
import { randn, type Tensor } from "@descent/tensor";
import type { JaxModule } from "../peers/jax.ts";
import type { Net } from "./nets.ts";
import { type Any, type JaxNet, jaxLayer } from "./training-jax.ts";

const [length, width, heads] = [128, 256, 4];
const wide = 4 * width;

/** Attention, then two layers with GELU between them, each behind a norm and beside a shortcut. */
class Block extends nn.Module {
  readonly norm1 = new nn.LayerNorm(width);
  readonly qkv = new nn.Linear(width, 3 * width);
  readonly out = new nn.Linear(width, width);
  readonly norm2 = new nn.LayerNorm(width);
  readonly mlp = new nn.Sequential(new nn.Linear(width, wide), new nn.GELU(), new nn.Linear(wide, width));

  override forward(x: Tensor): Tensor {
    const [batch] = x.shape as [number];
    const split = this.qkv.forward(this.norm1.forward(x)).reshape([batch, length, 3, heads, width / heads]);
    const [q, k, v] = split.permute([2, 0, 3, 1, 4]).unbind(0) as [Tensor, Tensor, Tensor];
    const seen = nn.scaledDotProductAttention(q, k, v).transpose(1, 2).reshape([batch, length, width]);
    const h = x.add(this.out.forward(seen));
    return h.add(this.mlp.forward(this.norm2.forward(h)));
  }
}

const torchBlock = (batch: number): string => `class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(${width}), nn.LayerNorm(${width})
        self.qkv, self.out = nn.Linear(${width}, ${3 * width}), nn.Linear(${width}, ${width})
        self.mlp = nn.Sequential(nn.Linear(${width}, ${wide}), nn.GELU(), nn.Linear(${wide}, ${width}))
    def forward(self, x):
        split = self.qkv(self.norm1(x)).reshape(${batch}, ${length}, 3, ${heads}, ${width / heads})
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(${batch}, ${length}, ${width})
        h = x + self.out(seen)
        return h + self.mlp(self.norm2(h))
m, loss = Block(), F.mse_loss
x, y = torch.randn(${batch}, ${length}, ${width}), torch.randn(${batch}, ${length}, ${width})`;

function jaxBlock(jax: JaxModule, batch: number): JaxNet {
  const { numpy, nn: functions, random } = jax;
  const norm = () => [numpy.ones([width]), numpy.zeros([width])];
  const shapes = [
    [width, 3 * width],
    [width, width],
    [width, wide],
    [wide, width],
  ];
  const [qkv, out, up, down] = shapes.map((shape, i) => jaxLayer(jax, i, shape)) as [Any[], Any[], Any[], Any[]];
  const dense = (h: Any, [w, b]: Any[]) => numpy.matmul(h, w).add(b);
  const normed = (h: Any, [scale, shift]: Any[]) => functions.standardize(h).mul(scale).add(shift);
  const forward = (p: Any[], x: Any) => {
    const split = dense(normed(x.ref, p.slice(0, 2)), p.slice(2, 4));
    const parts = numpy.split(split, 3, -1).map((part: Any) => part.reshape([batch, length, heads, width / heads]));
    const seen = functions.dotProductAttention(...parts).reshape([batch, length, width]);
    const h = x.add(dense(seen, p.slice(4, 6)));
    const inner = functions.gelu(dense(normed(h.ref, p.slice(6, 8)), p.slice(8, 10)), { approximate: false });
    return h.add(dense(inner, p.slice(10, 12)));
  };
  const [x, y] = [8, 9].map((key) => random.normal(random.key(key), [batch, length, width]));
  return {
    parameters: [norm(), qkv, out, norm(), up, down].flat(),
    x,
    y,
    loss: (p, x, y) => numpy.square(forward(p, x).sub(y)).mean(),
  };
}

export const transformer = (batch: number): Net => ({
  name: `transformer block ${width}, ${heads} heads, MLP ×4, ${batch} × ${length}`,
  flops: 6 * batch * length * (12 * width ** 2 + 2 * length * width),
  model: () => new Block(),
  data: () => [randn([batch, length, width]), randn([batch, length, width])],
  loss: (output, target) => nn.mseLoss(output, target),
  jax: (jax) => jaxBlock(jax, batch),
  torch: torchBlock(batch),
  missing: { tfjs: "has no gelu and no attention of its own" },
});
