import type { UnixMillis } from '../base/ids.ts';
import type {
  AcknowledgeInput,
  CareInput,
  ClearInput,
  RaiseInput,
  RecordInput,
} from './alert-api.ts';
import type { Command } from './commands.ts';
import type { AcknowledgeCommand, ClearCommand, RaiseCommand } from './types.ts';

/** What a command says about its sender when the caller does not say it. */
export interface CommandOrigin {
  readonly actor: string;
  readonly observedAt: UnixMillis;
}

/**
 * Commands from what callers give, with the defaults that AlertApi names; the text defaults to the condition. Nothing is
 * checked here: fields that are wrong or unknown stay, for `parseCommand` to refuse.
 */
export function raiseFrom(input: RaiseInput, origin: CommandOrigin): RaiseCommand {
  const {
    kind = 'physiological',
    subject = {},
    latching = false,
    acknowledgementRequired = false,
    text = input.condition,
    actor = origin.actor,
    observedAt = origin.observedAt,
  } = input;
  const defaulted = { kind, subject, latching, acknowledgementRequired, text, actor, observedAt };
  return { type: 'raise', ...input, ...defaulted };
}

export function clearFrom(input: ClearInput, origin: CommandOrigin): ClearCommand {
  const { actor = origin.actor, observedAt = origin.observedAt } = input;
  return { type: 'clear', ...input, actor, observedAt };
}

export function acknowledgeFrom(
  input: AcknowledgeInput,
  origin: CommandOrigin,
): AcknowledgeCommand {
  const { actor = origin.actor, observedAt = origin.observedAt } = input;
  return { type: 'acknowledge', ...input, actor, observedAt };
}

/** Any other command: it says its type itself. */
export function commandFrom(input: CareInput | RecordInput, origin: CommandOrigin): Command {
  const { actor = origin.actor, observedAt = origin.observedAt } = input;
  return { ...input, actor, observedAt };
}
