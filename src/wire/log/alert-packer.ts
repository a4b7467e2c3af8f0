import type { AlertCodec } from '../../statemachine/alerts/packed-alerts.ts';
import type { Alert } from '../../statemachine/types.ts';
import { readAlert, readDedupKey, writeAlert } from './alert-item.ts';
import { ItemReader } from './item-reader.ts';
import { ItemWriter } from './item-writer.ts';

/** Alerts one by one, each as an item of a snapshot that holds nothing else. */
export class AlertPacker implements AlertCodec {
  readonly #out = new ItemWriter(true);
  /** Of where the last one lay: those that are asked for one after another mostly lie together. */
  #bytes: Uint8Array | undefined;
  #reader: ItemReader | undefined;

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

  #readerOf(bytes: Uint8Array, from: number, to: number): ItemReader {
    if (bytes !== this.#bytes || this.#reader === undefined) {
      this.#bytes = bytes;
      this.#reader = new ItemReader(bytes, true);
    }
    this.#reader.begin(from, to);
    return this.#reader;
  }
}
