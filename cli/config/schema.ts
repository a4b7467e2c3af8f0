import type { Command, Option } from 'commander';
import { isRepeatable } from '../input/repeatable.ts';
import { keyOf, settable } from './settings.ts';
import { leavesOf } from './tree.ts';

/** JSON Schema (2020-12) of the configuration, made from the flags themselves. */
export function schemaOf(program: Command): unknown {
  const leaves = leavesOf(program);
  const all = new Map<string, unknown>();
  for (const { command } of leaves)
    for (const option of settable(command))
      if (!all.has(keyOf(option)) || isRepeatable(option.parseArg))
        all.set(keyOf(option), valueSchema(option));
  const section = sectionSchema(all);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of tocsin',
    type: 'object',
    additionalProperties: false,
    properties: {
      context: { type: 'string', description: 'the context in use' },
      previous: { type: 'string', description: 'the context before it' },
      contexts: {
        type: 'object',
        description: 'settings under a name: a cluster and who one is there',
        additionalProperties: section,
      },
      defaults: { ...section, description: 'settings of every command' },
      commands: {
        type: 'object',
        description: 'settings of single commands, by their words',
        additionalProperties: false,
        properties: Object.fromEntries(
          leaves.map(({ path, command }) => [
            path,
            sectionSchema(
              new Map(settable(command).map((option) => [keyOf(option), valueSchema(option)])),
            ),
          ]),
        ),
      },
    },
  };
}

const sectionSchema = (properties: ReadonlyMap<string, unknown>): object => ({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(properties),
});

const valueSchema = (option: Option): unknown => ({
  description: option.description,
  ...(option.isBoolean()
    ? { type: 'boolean' }
    : isRepeatable(option.parseArg)
      ? { type: ['string', 'number', 'array'], items: { type: ['string', 'number'] }, minItems: 1 }
      : { type: ['string', 'number'] }),
});
