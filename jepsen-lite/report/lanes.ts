import type { Span } from '../nemeses/nemesis.ts';
import type { Stretch } from '../observer.ts';
import { type Mark, Panel, secondsOf } from './axes.ts';

const LANE = 20;
const FAULT_LANE = 15;
const GAP = 4;
const TOP = 8;
const AXIS = 22;

export const ROLES: Readonly<Record<Stretch['role'], { colour: string; says: string }>> = {
  leader: { colour: '#7db0ee', says: 'leads' },
  follower: { colour: '#dfeaf8', says: 'follows' },
  'pre-candidate': { colour: '#f5dc8b', says: 'asks whether it might lead' },
  candidate: { colour: '#f0bd4f', says: 'asks for votes' },
  silent: { colour: '#d9d4d0', says: 'does not answer us' },
};

/** A lane for each replica: who led when and in which term, who did not answer; below it the faults that were about it. */
export function replicaLanes(
  stretches: readonly Stretch[],
  spans: readonly Span[],
  marks: readonly Mark[],
  endMs: number,
): string {
  const sites = [...new Set(stretches.map(({ site }) => site))].sort((a, b) => a - b);
  const step = LANE + GAP + 5;
  const panel = new Panel(TOP + sites.length * step + AXIS, endMs);
  for (const [row, site] of sites.entries()) {
    const top = TOP + row * step;
    panel.name(top + 14, `replica ${site}`);
    for (const { role, term, from, to } of stretches.filter((each) => each.site === site)) {
      const { colour, says } = ROLES[role];
      const inTerm = role === 'silent' ? '' : ` in term ${term}`;
      const title = `replica ${site} ${says}${inTerm}, ${secondsOf(from)} to ${secondsOf(to)}`;
      const text = role === 'leader' ? `${term}` : '';
      panel.bar(from, to, { top, height: LANE, fill: colour, title, text });
    }
    for (const { name, where, from, to, sites: about } of spans)
      if (about.includes(site))
        panel.bar(from, to, {
          ...{ top: top + LANE + 1, height: 4, fill: '#e08a2e' },
          title: `${name} (${where}), ${secondsOf(from)} to ${secondsOf(to)}`,
        });
  }
  panel.mark(marks);
  return panel.toString();
}

/** A lane for each kind of fault. */
export function faultLanes(spans: readonly Span[], marks: readonly Mark[], endMs: number): string {
  const names = [...new Set(spans.map(({ name }) => name))];
  const step = FAULT_LANE + GAP;
  const panel = new Panel(TOP + names.length * step + AXIS, endMs);
  for (const [row, name] of names.entries()) {
    const top = TOP + row * step;
    panel.name(top + 12, name);
    for (const { where, from, to, sites } of spans.filter((each) => each.name === name))
      panel.bar(from, to, {
        ...{ top, height: FAULT_LANE, fill: '#f0b878' },
        title: `${name} (${where}), ${secondsOf(from)} to ${secondsOf(to)}`,
        text: sites.join(' '),
      });
  }
  panel.mark(marks);
  return panel.toString();
}
