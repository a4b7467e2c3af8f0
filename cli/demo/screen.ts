import type { AlertEvent, Priority } from '../../src/statemachine/types.ts';
import type { Look, Paint } from '../output/paint.ts';
import { type Line, narrow, padLine, paintLine, type Span, span } from './lines.ts';
import type { BedScene, ReplicaScene, Scene } from './scene.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** What is smaller is treated as if it were this large; the terminal cuts the rest. */
const COLUMNS_MIN = 20;
const ROWS_MIN = 6;
const GAP = '  ';

/**
 * The live table as lines, at most `rows` − 1 of them and each narrower than the terminal, so that nothing scrolls or
 * wraps.
 */
export function renderScreen(scene: Scene, size: ScreenSize, paint: Paint): readonly string[] {
  const width = Math.max(COLUMNS_MIN, size.columns) - 1;
  const rows = Math.max(ROWS_MIN, size.rows) - 1;
  const across = Math.max(1, Math.floor((width + GAP.length) / (BED_WIDTH + GAP.length)));
  const head = [titleOf(scene, width), stripOf(scene.replicas)];
  const foot = rows >= 12 ? [[span(scene.hint, 'dim')]] : [];
  const room = rows - head.length - foot.length;
  const story = room >= 8 ? storyOf(scene, room >= 24 ? 4 : 2) : storyOf(scene, 1);
  const left = room - story.length;
  const events = left >= 8 ? Math.max(3, left - 2 - Math.ceil(scene.beds.length / across)) : 0;
  const list = events === 0 ? [] : eventsOf(scene, Math.min(events, EVENTS_SHOWN_MAX));
  const table = bedsOf(scene.beds, across, left - list.length);
  const lines = [...head, ...table, ...list, ...story, ...foot].slice(0, rows);
  return lines.map((line) => paintLine(line, width, paint));
}

const EVENTS_SHOWN_MAX = 30;

function titleOf({ beds, speed, seed, elapsedMs, durationMs }: Scene, width: number): Line {
  const left = [
    span('tocsin demo', 'title'),
    span(`  ${beds.length} beds at ${speed}x, seed ${seed}`),
  ];
  const elapsed = Math.min(elapsedMs, durationMs) / 1_000;
  const right = span(`${elapsed.toFixed(0)} of ${durationMs / 1_000} s`, 'title');
  return [...padLine(left, width - right.text.length), right];
}

/** Who leads, in which term, and how far each replica is. */
function stripOf(replicas: readonly ReplicaScene[]): Line {
  const term = Math.max(0, ...replicas.map((one) => one.term ?? 0));
  const commit = Math.max(0, ...replicas.map((one) => one.commit ?? 0));
  return [
    ...replicas.flatMap(({ id, state, applied }) => [
      span(`r${id} `),
      span(isUp(state) ? state : state.toUpperCase(), lookOf(state)),
      span(` ${applied ?? '-'}${GAP}`),
    ]),
    span(`term ${term}${GAP}commit ${commit}`, 'dim'),
  ];
}

const isUp = (state: string): boolean => state !== 'down' && state !== 'silent';

function lookOf(state: string): Look | undefined {
  if (!isUp(state)) return 'bad';
  return state === 'leader' ? 'good' : undefined;
}

/** Titles and places of the columns of one bed; two beds fit 80 columns. */
const HEADINGS = 'BED   HR SpO2 RESP     ART TEMP  ALARM';
const BED_WIDTH: number = HEADINGS.length;

/** Beds side by side, column by column; the most urgent ones where not all fit. */
function bedsOf(beds: readonly BedScene[], across: number, rows: number): readonly Line[] {
  const heading = Array.from({ length: across }, () => HEADINGS);
  const titles: Line = [span(heading.join(GAP), 'dim')];
  const room = Math.max(0, rows - 1);
  const fits = beds.length <= room * across;
  const shown = fits ? beds : mostUrgent(beds, Math.max(0, room - 1) * across);
  const down = Math.ceil(shown.length / across);
  const lines = Array.from({ length: down }, (_, row) =>
    Array.from({ length: across }, (_unused, column) => shown[column * down + row]).flatMap(
      (bed) => (bed === undefined ? [] : [...bedOf(bed), span(GAP)]),
    ),
  );
  if (fits) return [titles, ...lines];
  const more: Line = [span(`and ${beds.length - shown.length} beds more`, 'dim')];
  return [titles, ...lines, more];
}

/** The most urgent ones, in the order of their beds. */
function mostUrgent(beds: readonly BedScene[], count: number): readonly BedScene[] {
  const urgency = ({ worst }: BedScene): number =>
    worst === undefined ? 0 : RANK[worst.priority] * 2 + (worst.acknowledged ? 0 : 1);
  const chosen = new Set(beds.toSorted((a, b) => urgency(b) - urgency(a)).slice(0, count));
  return beds.filter((bed) => chosen.has(bed));
}

const RANK: Readonly<Record<Priority, number>> = { none: 0, low: 1, medium: 2, high: 3 };
const MARKS: Readonly<Record<Priority, string>> = { none: '', low: '*', medium: '**', high: '***' };

/** `B01   78   97   15  124/92 36.9  ***`; a value in alarm has a mark at its right. */
function bedOf({ bed, values, alarms, worst }: BedScene): Line {
  const [hr, spo2, resp, systolic, mean, temperature] = values;
  const [hrAlarm, spo2Alarm, respAlarm, systolicAlarm, meanAlarm, temperatureAlarm] = alarms;
  const pressure =
    isMissing(systolic) && isMissing(mean) ? '--' : `${whole(systolic)}/${whole(mean)}`;
  const cells = [
    span(bed.padEnd(4)),
    ...valueCell(whole(hr), 4, hrAlarm),
    ...valueCell(whole(spo2), 4, spo2Alarm),
    ...valueCell(whole(resp), 4, respAlarm),
    ...valueCell(pressure, 7, worse(systolicAlarm, meanAlarm)),
    ...valueCell(
      isMissing(temperature) ? '--' : (temperature ?? 0).toFixed(1),
      4,
      temperatureAlarm,
    ),
    span(' '),
    ...markOf(worst),
  ];
  return padLine(cells, BED_WIDTH);
}

function valueCell(text: string, width: number, alarm: Priority | undefined): readonly Span[] {
  const mark = alarm === undefined || alarm === 'none' ? ' ' : '!';
  const look = text === '--' && alarm === undefined ? 'dim' : priorityLook(alarm);
  return [span(`${text.padStart(width)}${mark}`, look)];
}

/** `***` asks for somebody; `***ok` has somebody. */
function markOf(worst: BedScene['worst']): readonly Span[] {
  if (worst === undefined) return [];
  const mark = MARKS[worst.priority];
  if (worst.acknowledged) return [span(`${mark}ok`, 'dim')];
  return [span(mark, priorityLook(worst.priority))];
}

const isMissing = (value: number | undefined): boolean =>
  value === undefined || Number.isNaN(value);
const whole = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? '--' : String(Math.round(value));

const priorityLook = (priority: Priority | undefined): Look | undefined =>
  priority === undefined || priority === 'none' ? undefined : priority;

function worse(a: Priority | undefined, b: Priority | undefined): Priority | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return RANK[a] >= RANK[b] ? a : b;
}

/** A headline with the counts, and the newest events below it, the newest first. */
function eventsOf({ events, counts }: Scene, count: number): readonly Line[] {
  const { raised, acknowledged, cleared, open } = counts;
  const said = `raised ${raised}, acknowledged ${acknowledged}, cleared ${cleared}, open ${open}`;
  const newest = events.slice(-count).toReversed();
  const blanks: readonly Line[] = Array.from({ length: count - newest.length }, () => []);
  return [[span('ALERTS', 'dim'), span(`  ${said}`)], ...newest.map(eventLine), ...blanks];
}

/** `raised       ***  ED/B12  HR:HI  Tachycardia  by mon-12`. */
export function eventLine({ effect, alert, actor }: AlertEvent): Line {
  const { priority, subject, condition, text, cause, id } = alert;
  const isNews = effect === 'raised' || effect === 'reactivated' || effect === 'escalated';
  const look = isNews ? priorityLook(priority) : effect === 'cleared' ? 'good' : undefined;
  const value = isNews && cause?.value != null ? ` (${cause.value})` : '';
  const what = `${narrow(text)}${value}`;
  return [
    span(narrow(id).padEnd(5)),
    span(MARKS[priority].padEnd(4), priorityLook(priority)),
    span(effect.padEnd(13), look),
    span(narrow(subject.bed ?? subject.device ?? '-').padEnd(5)),
    span(narrow(condition).padEnd(17)),
    span(what),
    span(effect === 'acknowledged' ? ` by ${narrow(actor)}` : '', 'dim'),
  ];
}

const storyOf = ({ story }: Scene, count: number): readonly Line[] => {
  const newest = story.slice(-count).map((line): Line => [span('> ', 'title'), span(line)]);
  return [...Array.from({ length: count - newest.length }, (): Line => []), ...newest];
};
