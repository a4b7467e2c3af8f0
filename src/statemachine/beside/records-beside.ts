import type { KeptRule } from '../../base/rules/listed-rules.ts';
import type { Command } from '../commands.ts';
import type { Ledger } from '../ledger.ts';
import type { Kept, Refusal } from '../types.ts';
import { type Incident, type IncidentCommand, Incidents } from './incidents.ts';
import type { InhibitionCommand, KeptInhibition } from './inhibition.ts';
import { InhibitionBook } from './inhibition-book.ts';
import type { Notification } from './notifications.ts';
import type { EscalationPolicy } from './policies.ts';
import type { Registry, RegistryView } from './registry.ts';
import { RuleBook, type RuleCommand } from './rule-book.ts';
import type { KeptSchedule, ScheduleCommand } from './schedule.ts';
import { Schedules } from './schedules.ts';
import { type KeptSession, type SessionCommand, Sessions } from './sessions.ts';
import { type Source, type SourceCommand, Sources } from './sources.ts';
import type { MaintenanceWindow, Silence, SuppressionCommand } from './suppression.ts';
import { Suppressions } from './suppressions.ts';
import type { AlertSweep } from './sweep.ts';
import { Sweeps } from './sweeps.ts';
import type { Tally } from './tallies.ts';
import { type Bed, type Device, isWard, type Patient, type WardCommand } from './ward.ts';
import { WardBook } from './ward-book.ts';

/** The kinds of records beside the alerts that are kept in registries, and what each is. */
export interface RecordTypes {
  readonly silence: Silence;
  readonly window: MaintenanceWindow;
  readonly source: Source;
  readonly incident: Incident;
  readonly rule: KeptRule;
  readonly schedule: KeptSchedule;
  readonly session: KeptSession;
  readonly inhibition: KeptInhibition;
  readonly tally: Tally;
  readonly bed: Bed;
  readonly patient: Patient;
  readonly device: Device;
  readonly sweep: AlertSweep;
}

export type RecordKind = keyof RecordTypes;

/** What is done about them. */
type BesideCommand =
  | SuppressionCommand
  | InhibitionCommand
  | SourceCommand
  | IncidentCommand
  | RuleCommand
  | ScheduleCommand
  | SessionCommand
  | WardCommand;

const BESIDE: Readonly<Record<Exclude<BesideCommand, WardCommand>['type'], true>> = {
  silence: true,
  unsilence: true,
  'open-window': true,
  'end-window': true,
  'set-inhibition': true,
  'remove-inhibition': true,
  'restore-inhibitions': true,
  heartbeat: true,
  'retire-source': true,
  'open-incident': true,
  'change-incident': true,
  'set-rule': true,
  'remove-rule': true,
  'open-session': true,
  'keep-session': true,
  'end-session': true,
  'set-schedule': true,
  'extend-schedule': true,
  'remove-schedule': true,
};

export const isBeside = (command: Command): command is BesideCommand =>
  command.type in BESIDE || isWard(command);

/** What can be asked for, page by page: these records but one kind, and those that are kept elsewhere. */
export interface QueryTypes extends Omit<RecordTypes, 'sweep'> {
  readonly policy: EscalationPolicy;
  readonly notification: Notification;
}

export type QueryKind = keyof QueryTypes;

/** A record with its kind. */
export type AnyRecord = {
  readonly [K in RecordKind]: { readonly type: K; readonly record: RecordTypes[K] };
}[RecordKind];

export const RECORD_KINDS: readonly RecordKind[] = [
  'silence',
  'window',
  'source',
  'incident',
  'rule',
  'schedule',
  'session',
  'inhibition',
  'tally',
  'bed',
  'patient',
  'device',
  'sweep',
];

/** What a capture holds of them. */
export type RecordViews = { readonly [K in RecordKind]: RegistryView<RecordTypes[K]> };

/** The records beside the alerts. */
export class Records {
  readonly suppressions: Suppressions;
  readonly inhibitions: InhibitionBook;
  readonly #ledger: Ledger;
  readonly sources: Sources;
  readonly incidents: Incidents;
  readonly rules: RuleBook;
  readonly schedules: Schedules;
  readonly sessions: Sessions;
  readonly ward: WardBook;
  readonly sweeps: Sweeps;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.sweeps = new Sweeps(ledger);
    this.suppressions = new Suppressions(ledger, this.sweeps);
    this.inhibitions = new InhibitionBook(ledger, this.sweeps);
    this.sources = new Sources(ledger, this.sweeps);
    this.incidents = new Incidents(ledger);
    this.rules = new RuleBook(ledger);
    this.schedules = new Schedules(ledger);
    this.sessions = new Sessions(ledger);
    this.ward = new WardBook(ledger, this.sweeps);
  }

  execute(command: BesideCommand): Kept | Refusal {
    switch (command.type) {
      case 'silence':
      case 'unsilence':
      case 'open-window':
      case 'end-window':
        return this.suppressions.execute(command);
      case 'set-inhibition':
      case 'remove-inhibition':
      case 'restore-inhibitions':
        return this.inhibitions.execute(command);
      case 'heartbeat':
        return this.sources.heartbeat(command);
      case 'retire-source':
        return this.sources.retire(command);
      case 'open-incident':
        return this.incidents.open(command);
      case 'change-incident':
        return this.incidents.change(command);
      case 'set-rule':
        return this.rules.set(command);
      case 'remove-rule':
        return this.rules.remove(command);
      case 'open-session':
      case 'keep-session':
      case 'end-session':
        return this.sessions.execute(command);
      case 'set-schedule':
      case 'extend-schedule':
      case 'remove-schedule':
        return this.schedules.execute(command);
      default:
        return this.ward.execute(command);
    }
  }

  /** Records in their order, after the first `after` of them. */
  page<K extends RecordKind>(kind: K, after: number, countMax: number): readonly RecordTypes[K][] {
    if (kind === 'tally') this.#ledger.tallies.settle();
    const found: RecordTypes[K][] = [];
    let place = 0;
    for (const record of this.#registry(kind).all()) {
      if (place >= after) found.push(record);
      place += 1;
      if (found.length === countMax) break;
    }
    return found;
  }

  capture(): RecordViews {
    this.#ledger.tallies.settle();
    return {
      silence: this.suppressions.silences.freeze(),
      window: this.suppressions.windows.freeze(),
      source: this.sources.registry.freeze(),
      incident: this.incidents.registry.freeze(),
      rule: this.rules.registry.freeze(),
      schedule: this.schedules.registry.freeze(),
      session: this.sessions.registry.freeze(),
      inhibition: this.#ledger.inhibitions.registry.freeze(),
      tally: this.#ledger.tallies.registry.freeze(),
      bed: this.ward.beds.freeze(),
      patient: this.ward.patients.freeze(),
      device: this.ward.devices.freeze(),
      sweep: this.sweeps.registry.freeze(),
    };
  }

  /** Takes in a record of a snapshot; false when it is there already, or there is no room for it. */
  restore({ type, record }: AnyRecord): boolean {
    const registry: Registry<AnyRecord['record']> = this.#registry(type);
    if (registry.get(record.id) !== undefined || !registry.fits(record)) return false;
    switch (type) {
      case 'silence':
        return this.suppressions.restoreSilence(record);
      case 'window':
        this.suppressions.restoreWindow(record);
        return true;
      case 'source':
        this.sources.restore(record);
        return true;
      case 'incident':
        this.incidents.registry.put(record);
        return true;
      case 'rule':
        this.rules.restore(record);
        return true;
      case 'schedule':
        this.schedules.restore(record);
        return true;
      case 'session':
        return this.sessions.restore(record);
      case 'inhibition':
        this.#ledger.inhibitions.registry.put(record);
        return true;
      case 'tally':
        this.#ledger.tallies.restore(record);
        return true;
      case 'bed':
        this.ward.beds.put(record);
        return true;
      case 'patient':
        this.ward.restorePatient(record);
        return true;
      case 'device':
        this.ward.restoreDevice(record);
        return true;
      case 'sweep':
        this.sweeps.restore(record);
        return true;
    }
  }

  #registry<K extends RecordKind>(kind: K): Registry<RecordTypes[K]> {
    const all: { readonly [T in RecordKind]: Registry<RecordTypes[T]> } = {
      silence: this.suppressions.silences,
      window: this.suppressions.windows,
      source: this.sources.registry,
      incident: this.incidents.registry,
      rule: this.rules.registry,
      schedule: this.schedules.registry,
      session: this.sessions.registry,
      inhibition: this.#ledger.inhibitions.registry,
      tally: this.#ledger.tallies.registry,
      bed: this.ward.beds,
      patient: this.ward.patients,
      device: this.ward.devices,
      sweep: this.sweeps.registry,
    };
    return all[kind];
  }
}
