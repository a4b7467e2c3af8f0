import { Option } from 'commander';
import type { RollupStep } from '../../src/wire/trend/trend-query.ts';
import { oneOf } from '../commands/values.ts';

const STEPS: Readonly<Record<string, RollupStep>> = { '1s': 1_000, '1m': 60_000, '1h': 3_600_000 };

export const stepOption = (): Option =>
  new Option('--step <step>', 'rollups of 1s, 1m or 1h instead of samples').argParser(
    (text: string) => STEPS[oneOf(Object.keys(STEPS))(text)],
  );
