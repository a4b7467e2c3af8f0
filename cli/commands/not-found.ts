import { TocsinError } from '../../src/base/errors.ts';
import type { AlertRef } from '../../src/statemachine/types.ts';
import { withHint } from './failure.ts';
import { idMeantBy } from './values.ts';

/** What is said of an alert that is not there. */
export const alertNotFound = (ref: AlertRef): unknown =>
  withIdMeant(
    new TocsinError(
      'ALERT_NOT_FOUND',
      'id' in ref ? `there is no ${ref.id}` : `no alert is open under ${ref.dedupKey}`,
    ),
    ref,
  );

/** Adds to the error of a call about `ref` which id may have been meant, where the alert was not found. */
export const withIdMeant = (error: unknown, ref: AlertRef): unknown =>
  withHint(error, ({ code }) => {
    const id = code === 'ALERT_NOT_FOUND' ? idMeantBy(ref) : undefined;
    return id === undefined ? undefined : `did you mean ${id}?`;
  });
