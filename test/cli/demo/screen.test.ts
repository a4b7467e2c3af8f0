import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderScreen } from '../../../cli/demo/screen.ts';
import { paintFor, plain } from '../../../cli/output/paint.ts';
import { aBed, aScene, eventOf } from './scenes.ts';

const coloured = paintFor({ isTTY: true, color: true, env: {} });
const draw = (columns: number, rows: number): string =>
  renderScreen(aScene(), { columns, rows }, plain).join('\n');

describe('the live table', () => {
  test('fits any terminal, whatever the ward, without a line that wraps or scrolls', () => {
    const sizes = fc.record({
      columns: fc.integer({ min: 20, max: 250 }),
      rows: fc.integer({ min: 6, max: 80 }),
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 120 }), fc.nat(40), (size, beds, events) => {
        const scene = aScene({
          beds: Array.from({ length: beds }, (_, at) => aBed(at + 1)),
          events: Array.from({ length: events }, (_, at) =>
            eventOf(at + 1, 'raised', { text: '心\u001b[2J'.repeat(50) }),
          ),
        });
        const lines = renderScreen(scene, size, coloured);
        expect(lines.length).toBeLessThan(size.rows);
        for (const line of lines) {
          const seen = stripVTControlCharacters(line);
          expect(seen.length).toBeLessThan(size.columns);
          expect([...seen].filter((char) => char < ' ' || char > '\u02af')).toEqual([]);
        }
      }),
    );
  });

  test('shows 24 beds, the cluster, alerts, story and hint on 80 by 24', () => {
    const beds = Array.from({ length: 24 }, (_, at) => aBed(at + 1));
    const text = renderScreen(aScene({ beds }), { columns: 80, rows: 24 }, plain).join('\n');
    for (const { bed } of beds) expect(text).toContain(bed);
    expect(text).toContain('A3');
    expect(text).toContain('replica 2 leads in term 2');
    expect(text).toContain('--endpoints /ip4/127.0.0.1/tcp/28827');
    expect(text).not.toContain('more');
  });

  test('looks like this on 80 by 24', () => {
    expect(draw(80, 24)).toMatchInlineSnapshot(`
      "tocsin demo  4 beds at 15x, seed 7                                    7 of 20 s
      r1 DOWN 19  r2 leader 42  r3 follower 41  term 2  commit 42
      BED   HR SpO2 RESP     ART TEMP  ALARM  BED   HR SpO2 RESP     ART TEMP  ALARM
      B01   78   97   15  124/92 36.9         B03   --!  84!  --!  85/59!39.2! ***ok
      B02  128!  97   15  124/92 36.9  **     B04   --   64  118      --   --
      ALERTS  raised 13, acknowledged 6, cleared 3, open 10
      A3   **  cleared      B02  HR:HI            Tachycardia
      A2   *** acknowledged B02  HR:HI            Tachycardia by nurse-1
      A1   *** raised       B02  HR:HI            Tachycardia (128)











      > SIGKILL to replica 1, the leader
      > replica 2 leads in term 2
      2nd terminal: npx tocsin alert list --endpoints /ip4/127.0.0.1/tcp/28827"
    `);
  });

  test('shows the most urgent beds where not all fit, in the order of the beds', () => {
    const beds = Array.from({ length: 100 }, (_, at) => aBed(at + 1)).map((bed, at) => {
      if (at === 70) return { ...bed, worst: { priority: 'high', acknowledged: false } as const };
      if (at === 90) return { ...bed, worst: { priority: 'low', acknowledged: true } as const };
      return bed;
    });
    const lines = renderScreen(aScene({ beds }), { columns: 40, rows: 16 }, plain);
    const shown = lines.flatMap((line) => line.match(/^B\d+/) ?? []).map(String);
    expect(shown).toEqual(expect.arrayContaining(['B71', 'B91']));
    expect(shown).toEqual(shown.toSorted());
    expect(lines.join('\n')).toContain(`and ${100 - shown.length} beds more`);
  });

  test('marks a value in alarm also where there is no colour', () => {
    const [, , , , second = ''] = draw(50, 24).split('\n');
    expect(second).toContain('B02  128!');
    expect(second).toContain('**');
  });
});
