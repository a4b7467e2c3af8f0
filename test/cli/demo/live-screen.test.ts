import { describe, expect, test } from 'vitest';
import { LiveScreen, type Terminal } from '../../../cli/demo/live-screen.ts';

const ESC = '\u001b[';
/** A move to a row, another control sequence, or text. */
const WRITTEN: RegExp = new RegExp(
  String.raw`${'\u001b'}\[(\d+);1H|${'\u001b'}\[([?0-9]*[a-zA-Z])|([^${'\u001b'}]+)`,
  'g',
);

/** A terminal that understands what the live table writes, and nothing else. */
class FakeTerminal implements Terminal {
  readonly rows: string[] = [];
  written = '';
  isAlternate = false;
  hasCursor = true;
  wraps = true;
  frames = 0;
  resize: (() => void) | undefined;
  restore: (() => void) | undefined;
  redraw: (() => void) | undefined;
  readonly #flushed: (() => void)[] = [];
  isStuck = false;

  size(): { columns: number; rows: number } {
    return { columns: 40, rows: 10 };
  }

  write(text: string): void {
    this.written += text;
    let row = 0;
    for (const [, move, code, plain] of text.matchAll(WRITTEN)) {
      if (move !== undefined) row = Number(move) - 1;
      else if (plain !== undefined) this.rows[row] = plain;
      else this.#obey(code ?? '', row);
    }
  }

  #obey(code: string, row: number): void {
    if (code === '?1049h') this.isAlternate = true;
    else if (code === '?1049l') this.isAlternate = false;
    else if (code === '?25l') this.hasCursor = false;
    else if (code === '?25h') this.hasCursor = true;
    else if (code === '?7l') this.wraps = false;
    else if (code === '?7h') this.wraps = true;
    else if (code === '2J') this.rows.length = 0;
    else if (code === '?2026h') this.frames += 1;
    else if (code === 'K') this.rows[row] ??= '';
    else if (code !== '?2026l') throw new Error(`what is ${code}?`);
  }

  flush(): Promise<void> {
    return this.isStuck ? new Promise((resolve) => this.#flushed.push(resolve)) : Promise.resolve();
  }

  unstick(): void {
    this.isStuck = false;
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  onResize(listener: () => void): () => void {
    this.resize = listener;
    return () => {
      this.resize = undefined;
    };
  }

  onLeave(restore: () => void, redraw: () => void): () => void {
    this.restore = restore;
    this.redraw = redraw;
    return () => {
      this.restore = undefined;
    };
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function opened(): { terminal: FakeTerminal; screen: LiveScreen; lines: string[] } {
  const terminal = new FakeTerminal();
  const lines = ['one', 'two', 'three'];
  const screen = new LiveScreen(terminal, () => [...lines]);
  screen.open();
  return { terminal, screen, lines };
}

describe('LiveScreen', () => {
  test('takes the second screen, and gives all back', () => {
    const { terminal, screen } = opened();
    expect(terminal).toMatchObject({ isAlternate: true, hasCursor: false, wraps: false });
    expect(terminal.rows).toEqual(['one', 'two', 'three']);
    screen.close();
    screen.close();
    expect(terminal).toMatchObject({ isAlternate: false, hasCursor: true, wraps: true });
    expect(terminal.restore).toBeUndefined();
    expect(terminal.resize).toBeUndefined();
    const before = terminal.written;
    screen.draw();
    expect(terminal.written).toBe(before);
  });

  test('writes the lines that changed, in one frame, and nothing when none did', async () => {
    const { terminal, screen, lines } = opened();
    await settled();
    terminal.written = '';
    screen.draw();
    expect(terminal.written).toBe('');
    lines[1] = 'TWO';
    screen.draw();
    expect(terminal.written).toBe(`${ESC}?2026h${ESC}2;1HTWO${ESC}K${ESC}?2026l`);
  });

  test('empties lines that are no longer there', async () => {
    const { terminal, screen, lines } = opened();
    await settled();
    lines.length = 1;
    terminal.rows.fill('', 1);
    terminal.written = '';
    screen.draw();
    expect(terminal.written).toContain(`${ESC}2;1H${ESC}K${ESC}3;1H${ESC}K`);
  });

  test('leaves frames out while the terminal does not take them', async () => {
    const { terminal, screen, lines } = opened();
    await settled();
    terminal.isStuck = true;
    for (let at = 0; at < 5; at += 1) {
      lines[0] = `frame ${at}`;
      screen.draw();
    }
    expect(terminal.rows[0]).toBe('frame 0');
    terminal.unstick();
    await settled();
    screen.draw();
    expect(terminal.rows[0]).toBe('frame 4');
  });

  test('draws everything again after the size has changed, and after a stop', () => {
    const { terminal } = opened();
    terminal.rows.splice(0, 3, 'torn', 'torn', 'torn');
    terminal.resize?.();
    expect(terminal.rows).toEqual(['one', 'two', 'three']);
    terminal.restore?.();
    expect(terminal).toMatchObject({ isAlternate: false, hasCursor: true });
    terminal.redraw?.();
    expect(terminal).toMatchObject({ isAlternate: true, hasCursor: false });
    expect(terminal.rows).toEqual(['one', 'two', 'three']);
  });
});
