import { describe, expect, test } from 'vitest';
import { paintFor } from '../../../cli/output/paint.ts';

describe('colour', () => {
  test.each([
    ['on a terminal', true, true, {}, true],
    ['not into a pipe', false, true, {}, false],
    ['not after --no-color', true, false, {}, false],
    ['not where NO_COLOR is set', true, true, { NO_COLOR: '1' }, false],
    ['though NO_COLOR is there and empty', true, true, { NO_COLOR: '' }, true],
    ['not on a dumb terminal', true, true, { TERM: 'dumb' }, false],
  ])('%s', (_claim, isTTY, color, env, isColoured) => {
    const painted = paintFor({ isTTY, color, env })('high', '***');

    expect(painted === '***').toBe(!isColoured);
    expect(painted.includes('\u001b[31m')).toBe(isColoured);
  });

  test('never adds to an empty text', () => {
    expect(paintFor({ isTTY: true, color: true, env: {} })('high', '')).toBe('');
  });
});
