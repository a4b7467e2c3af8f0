/** The forms in which a command can give its answer: the first two are for people, the others for programs. */
export const FORMATS = ['table', 'wide', 'json', 'jsonl', 'yaml', 'csv'] as const;

export type Format = (typeof FORMATS)[number];

/** Text that is laid out for reading, and may change from version to version. */
export const isForPeople = (format: Format): boolean => format === 'table' || format === 'wide';
