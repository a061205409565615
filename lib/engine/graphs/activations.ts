import type { GraphBuilder, Value } from '../onnx.ts';
import type { Activation } from '../spec.ts';

/** The activations of MLPs: as they are, as gates, and their slopes. `kind` null = a model without MLPs. */

export function activationOf(g: GraphBuilder, kind: Activation | null, h: Value): Value {
  switch (kind) {
    case 'relu':
      return g.op('Relu', [h]);
    case 'gelu':
      return g.op('Gelu', [h]);
    case 'gelu_new':
      return g.op('Gelu', [h], { approximate: 'tanh' });
    case 'silu':
      return g.op('Mul', [h, g.op('Sigmoid', [h])]);
    case null:
      throw noMlp();
  }
}

/** g with act(h) = g·h, without dividing [M9]. */
export function gateOf(g: GraphBuilder, kind: Activation | null, h: Value): Value {
  const half = (inner: Value) => g.op('Mul', [g.op('Add', [inner, g.scalar(1)]), g.scalar(0.5)]);
  switch (kind) {
    case 'relu':
      return g.op('Cast', [g.op('Greater', [h, g.scalar(0)])], { to: 1 });
    case 'gelu':
      return half(g.op('Erf', [g.op('Mul', [h, g.scalar(Math.SQRT1_2)])]));
    case 'gelu_new': {
      const factor = g.op('Add', [g.op('Mul', [g.op('Mul', [h, h]), g.scalar(CUBIC)]), g.scalar(1)]);
      return half(g.op('Tanh', [g.op('Mul', [g.op('Mul', [h, factor]), g.scalar(Math.sqrt(2 / Math.PI))])]));
    }
    case 'silu':
      return g.op('Sigmoid', [h]);
    case null:
      throw noMlp();
  }
}

/** The derivative. */
export function slopeOf(g: GraphBuilder, kind: Activation | null, h: Value): Value {
  const plus = (x: Value, y: Value) => g.op('Add', [x, y]);
  const times = (x: Value, y: Value) => g.op('Mul', [x, y]);
  const gate = gateOf(g, kind, h);
  const rest = () => g.op('Sub', [g.scalar(1), gate]);
  switch (kind) {
    case 'relu':
      return gate;
    case 'gelu': {
      const density = times(g.op('Exp', [times(times(h, h), g.scalar(-0.5))]), g.scalar(1 / Math.sqrt(2 * Math.PI)));
      return plus(gate, times(h, density));
    }
    case 'gelu_new': {
      const inner = plus(times(times(h, h), g.scalar(3 * CUBIC)), g.scalar(1));
      const spread = times(times(gate, rest()), g.scalar(2 * Math.sqrt(2 / Math.PI)));
      return plus(gate, times(times(h, spread), inner));
    }
    case 'silu':
      return times(gate, plus(times(h, rest()), g.scalar(1)));
    case null:
      throw noMlp();
  }
}

/** Of the cubic term in the tanh form of GELU. */
const CUBIC = 0.044715;

function noMlp(): Error {
  return new Error('an attention-only model has no activation');
}
