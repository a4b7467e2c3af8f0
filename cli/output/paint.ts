import { styleText } from 'node:util';

/** The few ways in which a word stands out. */
export type Look = 'title' | 'dim' | 'good' | 'bad' | 'high' | 'medium' | 'low';

/** Colours a text that is already safe, or leaves it alone where colour is not wanted. */
export type Paint = (look: Look, text: string) => string;

type Format = Parameters<typeof styleText>[0];

const FORMATS: Readonly<Record<Look, Format>> = {
  title: 'bold',
  dim: 'dim',
  good: 'green',
  bad: ['bold', 'red'],
  // The colours of alarm lights (IEC 60601-1-8, table 2).
  high: ['bold', 'red'],
  medium: 'yellow',
  low: 'cyan',
};

/** Leaves every text alone. */
export const plain: Paint = (_look, text) => text;

const coloured: Paint = (look, text) =>
  text === '' ? '' : styleText(FORMATS[look], text, { validateStream: false });

export interface ColourWishes {
  readonly isTTY: boolean;
  /** False after --no-color. */
  readonly color: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colour only on a terminal that can show it and where nobody said no (no-color.org). */
export function paintFor({ isTTY, color, env }: ColourWishes): Paint {
  const isRefused = !color || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return isTTY && !isRefused ? coloured : plain;
}
