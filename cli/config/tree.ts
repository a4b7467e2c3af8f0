import type { Command } from 'commander';

/** A command that does something, and the words that lead to it. */
export interface Leaf {
  readonly path: string;
  readonly command: Command;
}

export const leavesOf = (command: Command, above: readonly string[] = []): readonly Leaf[] =>
  command.commands.length === 0
    ? [{ path: above.join(' '), command }]
    : command.commands.flatMap((below) => leavesOf(below, [...above, below.name()]));

/** The words that lead to each command, groups included; none for the program itself. */
export const pathsOf = (command: Command): readonly (readonly string[])[] => [
  [],
  ...command.commands.flatMap((below) => pathsOf(below).map((path) => [below.name(), ...path])),
];
