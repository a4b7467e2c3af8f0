/** The rule of a heart rate that is too high, as most tests have it. */
export const HR_HIGH = {
  id: 'hr-high',
  metric: 'HR',
  side: 'HI',
  limit: 131,
  startAfter: 10,
  endAfter: 10,
  priority: 'high',
} as const;
