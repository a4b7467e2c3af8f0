import type { Layout } from '../../src/statemachine/layout.ts';
import { AlertPacker } from '../../src/wire/log/alert-packer.ts';

/** Of a machine that keeps as few alerts as objects as it can: what was changed before the last change is packed. */
export const packed = (seed = 0, unpackedMax = 1, slabBytes = 2_048): Layout => ({
  seed,
  packing: { codec: new AlertPacker(), unpackedMax, slabBytes },
});
