import type { Bed, Device, Patient, Place } from '../../src/statemachine/beside/ward.ts';
import { printable } from './escape.ts';
import { renderTable, type TableOptions } from './table.ts';
import { formatDuration } from './time.ts';

/** Beds, patients and devices as tables. */

const ago = (time: number, now: number): string => `${formatDuration(Math.max(0, now - time))} ago`;

const placeText = (place: Place | undefined): string =>
  place === undefined ? '-' : printable(`${place.unit}/${place.bed}`);

export const renderBeds = (beds: readonly Bed[], now: number, options: TableOptions): string =>
  renderTable<Bed>(
    [
      { title: 'UNIT', cell: ({ unit }) => printable(unit) },
      { title: 'BED', cell: ({ bed }) => printable(bed) },
      { title: 'PATIENT', cell: ({ patient = '-' }) => printable(patient), shrinkTo: 16 },
      { title: 'SINCE', cell: ({ changedAt }) => ago(changedAt, now), align: 'right' },
    ],
    beds,
    options,
  );

export const renderPatients = (
  patients: readonly Patient[],
  now: number,
  options: TableOptions,
): string =>
  renderTable<Patient>(
    [
      { title: 'PATIENT', cell: ({ id }) => printable(id), shrinkTo: 16 },
      { title: 'BED', cell: ({ place }) => placeText(place) },
      { title: 'STATE', cell: stateOf },
      { title: 'ADMITTED', cell: ({ admittedAt }) => ago(admittedAt, now), align: 'right' },
      { title: 'MOVED', cell: ({ movedAt }) => ago(movedAt, now), align: 'right', drop: 1 },
    ],
    patients,
    options,
  );

const stateOf = ({ place, sweep }: Patient): string =>
  sweep !== undefined ? `${sweep.does} goes on` : place === undefined ? 'discharged' : 'there';

export const renderDevices = (
  devices: readonly Device[],
  now: number,
  options: TableOptions,
): string =>
  renderTable<Device>(
    [
      { title: 'DEVICE', cell: ({ id }) => printable(id), shrinkTo: 16 },
      { title: 'MODEL', cell: ({ model = '-' }) => printable(model), drop: 1 },
      { title: 'BED', cell: ({ place }) => placeText(place) },
      { title: 'SINCE', cell: ({ changedAt }) => ago(changedAt, now), align: 'right' },
    ],
    devices,
    options,
  );
