/** Where the lines of a shell come from. */
export interface Lines {
  /** The next line; undefined = there is none any more. */
  next(prompt: string): Promise<string | undefined>;
  /** Calls `listener` at each Ctrl-C, until the function it returns is called. */
  onInterrupt(listener: () => void): () => void;
  /** The lines so far, the newest first. */
  readonly history: readonly string[];
  close(): void;
}

export interface LinesOptions {
  /** Of sessions before, the newest first. */
  readonly history: readonly string[];
  /** What may take the place of the last word of a line. */
  readonly complete: (line: string) => Promise<readonly string[]>;
}
