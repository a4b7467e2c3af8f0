/** Who is in which bed and which device is at which, as the registry has it, by what was done to it. */

export type RegistryKind = 'bed' | 'patient' | 'device';

/** One record of the registry. */
export interface Kept {
  readonly id: string;
  /** Of a bed, who is in it; of a patient or a device, at which bed; undefined = nobody, at none. */
  readonly with: string | undefined;
  /** Grows by one with each change. */
  readonly version: number;
}

/** All records of one kind, as somebody saw them. */
export interface RegistryLook {
  readonly call: number;
  readonly end: number;
  readonly revision: number;
  readonly kind: RegistryKind;
  readonly records: readonly Kept[];
}

/** A patient that comes into a bed, or changes it, with one device. */
export interface Stay {
  readonly patient: string;
  readonly device: string;
  /** Undefined = the patient is new. */
  readonly from: string | undefined;
  readonly to: string;
  /** The device is detached before and attached after, or is moved along with the patient. */
  readonly isAttachedAnew: boolean;
}

/** A model of our own: small enough to be believed. */
export class RegistryModel {
  readonly #records: Readonly<Record<RegistryKind, Map<string, Kept>>> = {
    bed: new Map(),
    patient: new Map(),
    device: new Map(),
  };

  /** `beds` are those that were made before anybody came. */
  constructor(beds: readonly string[]) {
    for (const bed of beds) this.#put('bed', bed, undefined);
  }

  take({ patient, device, from, to, isAttachedAnew }: Stay): void {
    if (from !== undefined && isAttachedAnew) this.#put('device', device, undefined);
    this.#put('device', device, to);
    if (from !== undefined) this.#put('bed', from, undefined);
    this.#put('bed', to, patient);
    this.#put('patient', patient, to);
  }

  /** In what somebody saw something else than there is, for people; undefined = in nothing. */
  differenceFrom({ kind, records }: RegistryLook): string | undefined {
    const known = this.#records[kind];
    if (records.length !== known.size) return `${records.length} of ${known.size} ${kind}s`;
    const other = records.find(({ id, with: where, version }) => {
      const is = known.get(id);
      return is === undefined || is.with !== where || is.version !== version;
    });
    if (other === undefined) return undefined;
    return `${kind} ${told(other)}, not ${told(known.get(other.id))}`;
  }

  #put(kind: RegistryKind, id: string, where: string | undefined): void {
    const version = (this.#records[kind].get(id)?.version ?? 0) + 1;
    this.#records[kind].set(id, { id, with: where, version });
  }
}

const told = (record: Kept | undefined): string =>
  record === undefined
    ? 'known'
    : `${record.id} with ${record.with ?? 'nothing'}, version ${record.version}`;
