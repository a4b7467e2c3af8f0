/** A terminal as the live table needs it. */
export interface Terminal {
  /** Of this moment. */
  size(): { readonly columns: number; readonly rows: number };
  write(text: string): void;
  /** Resolves when what was written is out. */
  flush(): Promise<void>;
  /** Calls `listener` when the size has changed, until the function it returns is called. */
  onResize(listener: () => void): () => void;
  /**
   * Calls `restore` when the process ends however it can notice, and around a stop by job control, after which it calls
   * `redraw`; until the function it returns is called.
   */
  onLeave(restore: () => void, redraw: () => void): () => void;
}

const ESC = '\u001b[';
/** The second screen of the terminal, so that the first one is as it was afterwards; no cursor, no line wrap. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}2J`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** A frame appears as a whole where the terminal knows how; others ignore it. */
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;

/** Draws frames in place: only the lines that changed, all in one write. */
export class LiveScreen {
  readonly #terminal: Terminal;
  readonly #render: (size: {
    readonly columns: number;
    readonly rows: number;
  }) => readonly string[];
  readonly #disposers: (() => void)[] = [];
  #shown: readonly string[] = [];
  #isOpen = false;
  #isBusy = false;

  /** `render` makes the lines of a frame: fewer than there are rows, each narrower than the terminal. */
  constructor(
    terminal: Terminal,
    render: (size: { readonly columns: number; readonly rows: number }) => readonly string[],
  ) {
    this.#terminal = terminal;
    this.#render = render;
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#terminal.write(ENTER);
    this.#disposers.push(
      this.#terminal.onLeave(
        () => this.#terminal.write(LEAVE),
        () => this.#again(ENTER),
      ),
      this.#terminal.onResize(() => this.#again(`${ESC}2J`)),
    );
    this.draw();
  }

  /** Shows what has changed. Leaves a frame out while the terminal has not taken the last one. */
  draw(): void {
    if (!this.#isOpen || this.#isBusy) return;
    const lines = this.#render(this.#terminal.size());
    const changed: string[] = [];
    for (let row = 0; row < Math.max(lines.length, this.#shown.length); row += 1) {
      const line = lines[row] ?? '';
      if (line !== (this.#shown[row] ?? '')) changed.push(`${ESC}${row + 1};1H${line}${ESC}K`);
    }
    this.#shown = lines;
    if (changed.length === 0) return;
    this.#isBusy = true;
    this.#terminal.write(`${BEGIN}${changed.join('')}${END}`);
    void this.#terminal.flush().then(() => {
      this.#isBusy = false;
    });
  }

  /** Gives the terminal back as it was. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.#terminal.write(LEAVE);
  }

  #again(prefix: string): void {
    this.#terminal.write(prefix);
    this.#shown = [];
    this.#isBusy = false;
    this.draw();
  }
}
