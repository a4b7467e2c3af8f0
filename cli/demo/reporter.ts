import type { AlertEvent } from '../../src/statemachine/types.ts';
import type { Paint } from '../output/paint.ts';
import { type Line, paintLine, span } from './lines.ts';
import { LiveScreen, type Terminal } from './live-screen.ts';
import type { Scene } from './scene.ts';
import { eventLine, renderScreen } from './screen.ts';

/** Tells whoever watches the demo what happens. */
export interface Reporter {
  /** Something happened to the cluster or to the demo: seldom, and worth a line. */
  story(text: string): void;
  /** A step of the alert history. */
  event(event: AlertEvent): void;
  /** The ward plays from now on; `scene` may be asked for at any time until `close`. */
  open(scene: () => Omit<Scene, 'story' | 'events'>): void;
  close(): void;
}

const STORY_KEPT_MAX = 100;
const EVENTS_KEPT_MAX = 64;
/** At most ten frames a second. */
const FRAME_MS = 100;

/** One line for each thing that happens. */
export function plainReporter(write: (text: string) => void, paint: Paint): Reporter {
  const stamp = stopwatch();
  const tell = (line: Line): void =>
    write(`${paintLine([span(stamp(), 'dim'), ...line], Number.POSITIVE_INFINITY, paint)}\n`);
  return {
    story: (text) => tell([span(text, 'title')]),
    event: (event) => tell(eventLine(event)),
    open: () => {},
    close: () => {},
  };
}

/** A table that is redrawn in place; before it opens and after it closes, the story in lines. */
export function liveReporter(terminal: Terminal, paint: Paint): Reporter {
  const stamp = stopwatch();
  const kept: { readonly stamp: string; readonly text: string }[] = [];
  const events: AlertEvent[] = [];
  let screen: LiveScreen | undefined;
  let timer: NodeJS.Timeout | undefined;
  let told = 0;
  const tellKept = (): void => {
    for (const { stamp: at, text } of kept.slice(told))
      terminal.write(`${paint('dim', at)}${text}\n`);
    told = kept.length;
  };
  return {
    story: (text) => {
      if (kept.length >= STORY_KEPT_MAX) return;
      kept.push({ stamp: stamp(), text });
      if (screen === undefined) tellKept();
      else screen.draw();
    },
    event: (event) => {
      events.push(event);
      if (events.length > EVENTS_KEPT_MAX) events.shift();
    },
    open: (scene) => {
      screen = new LiveScreen(terminal, (size) =>
        renderScreen({ ...scene(), events, story: kept.map(({ text }) => text) }, size, paint),
      );
      screen.open();
      timer = setInterval(() => screen?.draw(), FRAME_MS);
    },
    close: () => {
      clearInterval(timer);
      screen?.close();
      screen = undefined;
      tellKept();
    },
  };
}

/** Seconds since it was made, in a column that stands still. */
function stopwatch(): () => string {
  const start = performance.now();
  return () => `${((performance.now() - start) / 1_000).toFixed(1).padStart(6)} s  `;
}
