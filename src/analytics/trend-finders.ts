import type { TrendRule } from '../base/rules/trend-rules.ts';
import type { Baseline } from './baseline.ts';
import { CusumChart, EwmaChart } from './charts.ts';
import { RateWindow } from './rate-window.ts';
import { Slope } from './slope.ts';

/** What one rule about a trend gathers of one series. */
export interface Finder {
  /** What is compared with the rule's limit: a score, a rate, minutes. NaN = it says nothing, neither for nor against. */
  find(time: number, value: number): number;
  isBad(finding: number): boolean;
  /** The condition is over: what was gathered for it begins anew. */
  reset(): void;
}

const nothingToReset = (): void => {};

export function finderOf(rule: TrendRule, baseline: Baseline): Finder {
  switch (rule.kind) {
    case 'stuck':
      return new StuckFinder();
    case 'rate': {
      const window = new RateWindow(rule.overSeconds * 1_000);
      const { perMinute } = rule;
      return {
        find: (time, value) => window.add(time, value),
        isBad:
          rule.side === 'HI'
            ? (finding) => finding >= perMinute
            : (finding) => finding <= -perMinute,
        reset: nothingToReset,
      };
    }
    case 'zscore':
      return ofBaseline(baseline, rule.limit, (score) => score);
    case 'ewma': {
      const chart = new EwmaChart(rule.weight);
      return ofBaseline(baseline, rule.limit, (score) => chart.add(score));
    }
    case 'cusum': {
      const chart = new CusumChart(rule.slack, rule.limit * 1.5);
      const finder = ofBaseline(baseline, rule.limit, (score) => chart.add(score));
      return { ...finder, reset: () => chart.reset() };
    }
    case 'slope':
      return slopeFinder(rule);
  }
}

/** The same value again. A missing one is no value, and the first one says nothing. */
class StuckFinder implements Finder {
  #before = Number.NaN;
  #isSame = false;

  find(_time: number, value: number): number {
    if (Number.isNaN(value)) return value;
    const before = this.#before;
    this.#isSame = value === before;
    this.#before = value;
    return Number.isNaN(before) ? before : value;
  }

  isBad(): boolean {
    return this.#isSame;
  }

  reset(): void {}
}

function ofBaseline(baseline: Baseline, limit: number, add: (score: number) => number): Finder {
  return {
    find: () => (baseline.isReady ? add(baseline.score) : Number.NaN),
    isBad: (finding) => Math.abs(finding) >= limit,
    reset: nothingToReset,
  };
}

function slopeFinder(rule: TrendRule & { readonly kind: 'slope' }): Finder {
  const slope = new Slope(rule.points);
  return {
    find: (time, value) => {
      slope.add(time, value);
      if (!slope.isFull) return Number.NaN;
      const isToward = rule.side === 'HI' ? slope.perMinute > 0 : slope.perMinute < 0;
      return isToward ? slope.minutesTo(rule.limit) : Infinity;
    },
    isBad: (finding) => finding <= rule.withinMinutes,
    reset: nothingToReset,
  };
}
