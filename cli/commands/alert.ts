import { Command } from 'commander';
import { careCommands } from './alert-care.ts';
import { historyCommand } from './alert-history.ts';
import { metricsCommand } from './alert-metrics.ts';
import { getCommand, listCommand } from './alert-read.ts';
import { transactionCommand } from './alert-transaction.ts';
import { watchCommand } from './alert-watch.ts';
import { ackCommand, clearCommand, raiseCommand } from './alert-write.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';

/** `tocsin alert …`. */
export function alertCommand(io: Io): Command {
  const group = new Command('alert')
    .description('raise, clear, acknowledge and look at alerts')
    .usage('<command> [options]');
  const commands = [
    listCommand,
    getCommand,
    historyCommand,
    watchCommand,
    ackCommand,
    raiseCommand,
    clearCommand,
  ];
  for (const make of commands) group.addCommand(make(io));
  for (const command of careCommands(io)) group.addCommand(command);
  group.addCommand(transactionCommand(io));
  group.addCommand(metricsCommand(io));
  return withExamples(group, [
    ['tocsin alert list', 'what is open now'],
    ['tocsin alert get A1042', 'everything about one alert'],
    ['tocsin alert ack A1042', 'take charge of it'],
    ['tocsin alert watch', 'the alert history as it happens'],
  ]);
}
