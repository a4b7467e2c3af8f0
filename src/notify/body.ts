import { displayState } from '../statemachine/alerts/display.ts';
import type { Page } from './types.ts';

/** What a receiver gets, as JSON: stable names, and nothing that names a person. */
export function bodyOf({ id, target, activation, loop, step, alert }: Page): string {
  return JSON.stringify({
    notification: id,
    target,
    activation,
    loop,
    step,
    alert: {
      id: alert.id,
      dedupKey: alert.dedupKey,
      state: displayState(alert),
      kind: alert.kind,
      priority: alert.priority,
      condition: alert.condition,
      text: alert.text,
      subject: alert.subject,
      cause: alert.cause,
      labels: alert.labels,
      occurrence: alert.occurrence,
    },
  });
}
