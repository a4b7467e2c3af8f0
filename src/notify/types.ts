import type { Alert } from '../statemachine/types.ts';

/** One attempt to tell somebody of an alert. */
export interface Page {
  /** Of the notification, the same in every attempt: whoever receives two knows them for one. */
  readonly id: string;
  readonly target: string;
  /** Which annunciation of the alert, and which round and step of its policy. */
  readonly activation: number;
  readonly loop: number;
  readonly step: number;
  readonly alert: Alert;
}

/** Sent: handed over, nobody knows whether it arrived. Confirmed: it arrived. Failed: it surely did not. */
export interface Delivery {
  readonly outcome: 'sent' | 'confirmed' | 'failed';
  /** For people. */
  readonly detail: string;
  /** Who was really told, where the receiver says so: whoever has the pager, or is on shift. */
  readonly to?: string;
}

/** A way to reach somebody. */
export interface Sender {
  /**
   * Tries once; never rejects. Gives up when `signal` aborts. An attempt that was given up may have arrived: it is `sent`
   * if anything left, and the notification's own time decides what becomes of it.
   */
  send(page: Page, signal: AbortSignal): Promise<Delivery>;
}
