/** Everything that a checker holds a history against, and what it means when it does not hold: for people. */
export const RULES = {
  // the order by revision
  contiguous: 'The history of alerts has a hole, or a revision twice.',
  phantom: 'Something happened that nobody asked for.',
  'exactly-once': 'One command was carried out twice.',
  lost: 'A caller was told yes, and it is gone: an acknowledged change was lost.',
  moved: 'A caller was told one revision, and the change stands at another one.',
  denied: 'A caller was told no, or that nothing was written, and it happened all the same.',
  replay: 'A command did something else than the model of our own says.',
  reply: 'A caller was told something else than what happened.',
  read: 'A reader saw a state that was not there at the revision it was told.',
  future: 'A reader was told a revision that was never reached.',
  'real-time': 'Whoever began after another one was answered came before it.',
  stale: 'A linearizable read saw a state that was over when it began.',
  unexplained:
    'A caller was refused, or told that nothing changed, and no state meanwhile explains it.',
  // without revisions
  linearizable: 'No order of the operations on one condition explains what callers were told.',
  // watches
  'watch-order': 'A watcher was told an event again, or an older one after a newer one.',
  'watch-gap': 'A watcher was not told something that happened.',
  'watch-filter': 'A watcher was told something that it did not ask for.',
  'watch-phantom': 'A watcher was told something that never happened.',
  'watch-content': 'A watcher was told something else than what happened.',
  'watch-progress': 'The progress that a watcher was told went back, or beyond what has happened.',
  'watch-state': 'The state that a watcher was given was not the state at its revision.',
  // annunciations
  'annunciated-once': 'An activation began in silence, or was announced again.',
  resurrected: 'An alert that was resolved came back under the same id.',
  'one-open': 'Two alerts of one condition were open at once.',
  occurrences: 'The occurrences of a condition are not numbered one after the other.',
  // escalations
  'escalation-phantom': 'A policy was carried out for an alert that nobody raised.',
  'escalated-once': 'A step of a policy was carried out twice, left out, or came out of order.',
  'escalated-early': 'A step of a policy did not wait its time for an answer.',
  'escalated-late': 'A step of a policy was carried out after somebody had answered.',
  'never-escalated': 'Nobody answered, and the policy was not carried out to its end.',
  'unanswered-once': 'That nobody answered was not said, was said twice, or was not so.',
  paged:
    'A step of a policy was carried out for an alert that nobody answered, and its page never left.',
  'paged-once': 'One page left under two ids, or two under one: receivers cannot tell.',
  // transactions
  'all-or-nothing': 'A transaction was carried out in part.',
  conserved: 'Somebody who looked at all beds missed a patient, or saw one twice.',
  torn: 'Somebody who looked at all beds saw a mix of two states.',
  registry:
    'The registry says something else of beds, patients and devices than what was done to it.',
} as const;

export type Rule = keyof typeof RULES;
