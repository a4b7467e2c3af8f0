import { TocsinError } from '../../base/errors.ts';
import { hashText } from '../../base/hash.ts';
import { NOTIFICATIONS_OVER_MAX } from '../../base/limits.ts';
import { type AlertLimits, completeLimits } from '../alert-limits.ts';
import { idNumber } from '../alerts/alert-id.ts';
import { AlertTable } from '../alerts/alert-table.ts';
import { type Notification, Notifications, numberOf } from '../beside/notifications.ts';
import { Policies } from '../beside/policies.ts';
import { Records } from '../beside/records-beside.ts';
import { placeOfKey } from '../beside/sessions.ts';
import { ReplyTable } from '../collections/reply-table.ts';
import { type Layout, PLAIN } from '../layout.ts';
import { Ledger } from '../ledger.ts';
import { AlertMachine } from '../machine.ts';
import type { Alert } from '../types.ts';
import { type CaptureHeader, MACHINE_VERSION, type SnapshotItem } from './capture.ts';
import { identityOf } from './digest.ts';

const ORDER: readonly SnapshotItem['kind'][] = [
  'header',
  'policy',
  'open',
  'resolved',
  'remembered',
  'notification',
  'record',
  'reply',
];

/**
 * Makes a machine from the items of a capture, given in their order. Whatever could not have come from a machine with
 * these limits is refused, since the replica would differ from the others for ever.
 */
export class MachineRestorer {
  readonly #limits: AlertLimits;
  readonly #layout: Layout;
  readonly #table: AlertTable;
  readonly #replies: ReplyTable;
  readonly #policies = new Policies();
  readonly #notifications = new Notifications(NOTIFICATIONS_OVER_MAX);
  #ledger: Ledger | undefined;
  #header: CaptureHeader | undefined;
  #policyCount = 0;
  #notificationCount = 0;
  #records: Records | undefined;
  #recordCount = 0;
  /** Place in ORDER of the newest item. */
  #stage = 0;
  #newestOpen = 0;

  constructor(limits: Partial<AlertLimits> = {}, layout: Layout = PLAIN) {
    this.#limits = completeLimits(limits);
    this.#layout = layout;
    this.#table = new AlertTable(this.#limits, layout);
    this.#replies = new ReplyTable(this.#limits.repliesMax, layout.seed);
  }

  /** @throws TocsinError DATA_CORRUPT; the restorer is of no use afterwards */
  add(item: SnapshotItem): void {
    const stage = ORDER.indexOf(item.kind);
    if (stage < this.#stage) corrupt(`${item.kind} after ${ORDER[this.#stage]}`);
    if ((stage === 0) !== (this.#header === undefined)) corrupt('not one header, first');
    this.#stage = stage;
    switch (item.kind) {
      case 'header':
        this.#begin(item.header);
        return;
      case 'policy':
        this.#policyCount += 1;
        this.#policies.restore(item);
        return;
      case 'open':
        this.#open(item.alert);
        return;
      case 'resolved':
        this.#resolved(item.alert);
        return;
      case 'remembered':
        this.#remembered(item);
        return;
      case 'notification':
        this.#notification(item.notification);
        return;
      case 'record':
        this.#recordCount += 1;
        if (this.#records?.restore(item) !== true) corrupt(`${item.record.id} does not fit in`);
        return;
      case 'reply':
        this.#reply(item);
    }
  }

  /** @throws TocsinError DATA_CORRUPT when something is missing */
  finish(): AlertMachine {
    const header = this.#header ?? corrupt('it is empty');
    const ledger = this.#ledger ?? corrupt('it is empty');
    const table = this.#table;
    expectCount('policies', this.#policyCount, header.policies);
    expectCount('notifications', this.#notificationCount, header.notifications);
    expectCount('records', this.#recordCount, header.records);
    expectCount('open alerts', table.openCount, header.open);
    expectCount('resolved alerts', table.resolvedCount, header.resolved);
    expectCount('remembered conditions', table.rememberedCount, header.remembered);
    expectCount('replies', this.#replies.size, header.replies);
    const records = this.#records ?? corrupt('it is empty');
    expectCount('replies of sessions', records.sessions.replyCount, header.sessionReplies);
    ledger.inhibitions.renew();
    const parts = { ledger, replies: this.#replies, notifications: this.#notifications, records };
    return new AlertMachine(this.#limits, this.#layout, parts);
  }

  #begin(header: CaptureHeader): void {
    if (header.machineVersion !== MACHINE_VERSION)
      throw new TocsinError(
        header.machineVersion > MACHINE_VERSION ? 'DATA_NEWER_FORMAT' : 'DATA_OLDER_FORMAT',
        `the snapshot is of machine version ${header.machineVersion}, not ${MACHINE_VERSION}`,
      );
    expectRoom('resolved alerts', header.resolved, this.#limits.resolvedAlertsMax);
    expectRoom('remembered conditions', header.remembered, this.#limits.dedupKeysRememberedMax);
    expectRoom('replies', header.replies, this.#limits.repliesMax);
    this.#header = header;
    this.#policies.begin(header.policiesMade);
    this.#notifications.begin(header.notificationsMade);
    this.#ledger = new Ledger(this.#table, this.#policies, this.#limits, header);
    this.#ledger.inhibitions.clear();
    this.#records = new Records(this.#ledger);
  }

  #open(alert: Alert): void {
    const id = this.#idOf(alert);
    if (id <= this.#newestOpen) corrupt(`${alert.id} is out of order`);
    if (alert.resolution !== undefined) corrupt(`${alert.id} is open and resolved`);
    if (this.#table.openUnder(alert.dedupKey) !== undefined)
      corrupt(`${alert.id} is a second open ${alert.dedupKey}`);
    if (alert.escalation !== undefined && !this.#policies.knows(alert.escalation))
      corrupt(`the policy of ${alert.id} is missing`);
    this.#newestOpen = id;
    this.#table.restore(alert, identityOf(alert));
    this.#ledger?.restore(alert);
  }

  #resolved(alert: Alert): void {
    this.#idOf(alert);
    if (alert.resolution === undefined) corrupt(`${alert.id} is resolved without a resolution`);
    if (this.#table.find({ id: alert.id }) !== undefined) corrupt(`${alert.id} is there twice`);
    if (this.#table.resolvedCount >= this.#limits.resolvedAlertsMax)
      corrupt('too many resolved alerts');
    this.#table.keep(alert);
  }

  #remembered({ dedupKey, last }: SnapshotItem & { kind: 'remembered' }): void {
    const table = this.#table;
    if (table.openUnder(dedupKey) !== undefined || table.lastOf(dedupKey) !== undefined)
      corrupt(`${dedupKey} is remembered and there`);
    if (table.rememberedCount >= this.#limits.dedupKeysRememberedMax)
      corrupt('too many remembered conditions');
    table.remember(dedupKey, last);
  }

  #notification(notification: Notification): void {
    const number = numberOf(notification.id);
    if (number > (this.#header?.notificationsMade ?? 0))
      corrupt(`${notification.id} is not made yet`);
    if (this.#notifications.get(number) !== undefined) corrupt(`${notification.id} is there twice`);
    this.#notificationCount += 1;
    this.#notifications.put(notification);
    if (notification.dueAt !== undefined)
      this.#ledger?.timers.set('notification', number, notification.dueAt);
  }

  #reply({ key, fingerprint, reply }: SnapshotItem & { kind: 'reply' }): void {
    const place = placeOfKey(key);
    if (place !== undefined) {
      if (this.#records?.sessions.restoreReply(place, { fingerprint, reply }) !== true)
        corrupt(`the reply to ${key} does not fit in`);
      return;
    }
    const hash = hashText(key);
    if (this.#replies.get(key, hash) !== undefined) corrupt(`two replies to key ${key}`);
    if (this.#replies.size >= this.#limits.repliesMax) corrupt('too many replies');
    this.#replies.add(key, hash, fingerprint, reply);
  }

  #idOf(alert: Alert): number {
    const id = idNumber(alert.id) ?? corrupt(`${alert.id} is not an alert id`);
    const newest = this.#header?.revision ?? 0;
    if (id > alert.revision || alert.revision > newest)
      corrupt(`${alert.id} is at revision ${alert.revision} of ${newest}`);
    return id;
  }
}

function corrupt(what: string): never {
  throw new TocsinError('DATA_CORRUPT', `the snapshot does not fit together: ${what}`);
}

function expectCount(what: string, actual: number, announced: number): void {
  if (actual !== announced) corrupt(`${actual} ${what}, ${announced} announced`);
}

function expectRoom(what: string, announced: number, max: number): void {
  if (announced > max) corrupt(`${announced} ${what}, at most ${max}`);
}
