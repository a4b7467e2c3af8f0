import type { AlertCodec } from '../../statemachine/alerts/packed-alerts.ts';
import type { Alert, Glance } from '../../statemachine/types.ts';
import { readAlert, readDedupKey, readGlance, writeAlert } from './alert-item.ts';
import { ItemReader } from './item-reader.ts';
import { ItemWriter } from './item-writer.ts';
import { RecentTexts } from './recent-texts.ts';

/** An alert, what explains it, and what is about the same. */
const READERS = 4;

/** Alerts one by one, each as an item of a snapshot that holds nothing else. */
export class AlertPacker implements AlertCodec {
  readonly #out = new ItemWriter(true);
  readonly #texts = new RecentTexts();
  /** Of where the last ones lay: those that are asked for one after another mostly lie together. */
  readonly #readers: ItemReader[] = [];
  #next = 0;

  get encoded(): Uint8Array {
    return this.#out.written;
  }

  encode(alert: Alert): number {
    this.#out.forget();
    writeAlert(this.#out, alert);
    return this.#out.length;
  }

  readonly decode = (bytes: Uint8Array, from: number, to: number): Alert =>
    readAlert(this.#readerOf(bytes, from, to));

  readonly dedupKeyOf = (bytes: Uint8Array, from: number, to: number): string =>
    readDedupKey(this.#readerOf(bytes, from, to));

  readonly glanceAt = (bytes: Uint8Array, from: number, to: number): Glance =>
    readGlance(this.#readerOf(bytes, from, to));

  #readerOf(bytes: Uint8Array, from: number, to: number): ItemReader {
    let reader = this.#readers.find((one) => one.isOf(bytes));
    if (reader === undefined) {
      reader = new ItemReader(bytes, this.#texts);
      this.#readers[this.#next] = reader;
      this.#next = (this.#next + 1) % READERS;
    }
    reader.begin(from, to);
    return reader;
  }
}
