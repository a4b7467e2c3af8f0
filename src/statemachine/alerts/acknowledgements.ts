import type { Acknowledgement, Alert } from '../types.ts';

/**
 * A full list gives up its oldest, except two: the first of the occurrence, and the first of the
 * activation in force, who took charge of it.
 */
export function withAcknowledgement(
  before: readonly Acknowledgement[],
  added: Acknowledgement,
  activation: number,
  acknowledgementsMax: number,
): readonly Acknowledgement[] {
  const after = [...before, added];
  if (after.length <= acknowledgementsMax) return after;
  const tookCharge = after.findIndex((one) => one.activation === activation);
  after.splice(tookCharge === 1 ? 2 : 1, 1);
  return after;
}

/** Whether an acknowledgement is one of these already. */
export const isAmong = (
  known: readonly Acknowledgement[],
  { by, at, activation }: Acknowledgement,
): boolean => known.some((one) => one.by === by && one.activation === activation && one.at === at);

/** Whether an acknowledgement is one of the activation in force that the alert does not know. */
export const isNewOf = (alert: Alert, one: Acknowledgement): boolean =>
  one.activation === alert.activation && !isAmong(alert.acknowledgements, one);
