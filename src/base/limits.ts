import { assert } from './assert.ts';

/**
 * Every limit of the product, with the relations that justify it. The relations are the design; the numbers are one
 * solution. docs/limits.md is printed from this file.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

// Time. One tick is the core's only clock.
export const TICK_MS = 50;
export const HEARTBEAT_TICKS = 2;
/** For so many heartbeats a replica that was just started listens for a leader before it asks for votes. */
export const LISTEN_HEARTBEATS = 2;
export const ELECTION_TICKS_MIN = 14;
export const ELECTION_TICKS_MAX = 24;

/**
 * How long a leader may answer reads by itself after a quorum heard it, where that is wanted: less than its followers keep
 * to it, by a tenth for clocks that differ in pace, and by two ticks because a tick may come right after a heartbeat.
 */
export const LEASE_MS: number = Math.floor((ELECTION_TICKS_MIN - 2) * TICK_MS * 0.9);
/** A leader whose disk has taken nothing for so many ticks, though it was handed something, gives up. */
export const LEADER_DISK_TICKS_MAX = 28;

// Frames and what they carry.
export const COMMAND_BYTES_MAX: number = 64 * KiB;
/** Of an entry too. A frame of so many is checked in one step, which takes 1 to 1.5 ms of the loop. */
export const COMMANDS_PER_FRAME_MAX = 512;
export const ENTRY_BYTES_MAX: number = 1 * MiB;
export const FRAME_BYTES_MAX: number = 4 * MiB;
/** Before the other side has introduced itself. */
export const HANDSHAKE_FRAME_BYTES_MAX: number = 4 * KiB;
export const HANDSHAKE_MS_MAX = 5_000;
/** How long a closed connection may take to hand over what is still queued, the reason included. */
export const CLOSE_MS_MAX = 1_000;

// MessagePack bodies.
export const BODY_DEPTH_MAX = 16;
export const BODY_ITEMS_MAX = 65_536;
/** Duplicate keys are looked for by comparing; the square of this is what one map may cost. */
export const BODY_MAP_KEYS_MAX = 64;
/** Of a refusal's message; longer ones are cut. */
export const REFUSAL_CHARS_MAX = 256;
/** A page of a list ends early rather than pass this; one alert more may stand beyond it. */
export const PAGE_BYTES_MAX: number = 1 * MiB;
/** Alerts that one GET asks after; those that a turn has no time for are asked after again. */
export const GETS_PER_FRAME_MAX = 128;
/** What a watcher that fell behind may be handed as the current state. */
export const COMPACTED_ALERTS_MAX: number = 2 ** 21;

// Replication.
export const APPEND_BYTES_MAX: number = 1 * MiB;
export const APPEND_ENTRIES_MAX = 1024;
export const INFLIGHT_APPENDS_MAX = 64;
export const INFLIGHT_BYTES_MAX: number = 8 * MiB;
/** How long followers may wait to hear of a commit for the next append to tell them: less than a person notices. */
export const COMMIT_NOTICE_MS = 1;
/** How long reads may wait for those before them to be confirmed: a round trip, and a follower that is busy. */
export const READ_ROUND_MS = 5;
export const UNCOMMITTED_BYTES_MAX: number = 64 * MiB;
/** Memory that entries take which are kept for peers that lag a little; older ones are read from disk. */
export const LOG_MEMORY_BYTES_MAX: number = 32 * MiB;
/** What an entry in memory takes besides its bytes: objects around them, 329 to 337 bytes of heap as measured. */
export const LOG_ENTRY_MEMORY_BYTES = 336;
export const LOG_READ_BYTES_MAX: number = 1 * MiB;
/** Writes of the log after which the high-water mark is put down even when the disk has no pause. */
export const HIGH_WATER_LAG_MAX = 64;
/** A disk that had nothing to write for so many ticks has a pause. */
export const SETTLE_TICKS = 2;
/** Entries that compaction drops at a time, so that a write waits for few of them. */
export const COMPACT_ENTRIES_MAX = 256;
/** One slice of the scrub, and how often there is one: 16 MiB a second at most, so a round of 10 GiB takes 11 minutes. */
export const SCRUB_SLICE_BYTES: number = 1 * MiB;
export const SCRUB_SLICE_MS = 62;
/** After a slice the scrub rests for so many times as long as the slice took: small entries, or a busy machine, slow it. */
export const SCRUB_REST_TIMES = 49;
/** But no longer than this: a process that was stopped within a slice is not to blame the slice. */
export const SCRUB_REST_MS_MAX = 5_000;
/** After a round it rests for so long, or it would read a short log over and over. */
export const SCRUB_ROUND_MS = 1_000;
/** Below this much free room nothing new is taken in, only what ends or frees something. */
export const DISK_FREE_BYTES_LOW: number = 512 * MiB;
/** Below this nothing is taken in at all: LevelDB needs room to put its tables in order. */
export const DISK_FREE_BYTES_OUT: number = 160 * MiB;
/** Complete snapshots that are kept: the newest, and one that a follower may still be fetching. */
export const SNAPSHOTS_KEPT = 2;
export const SNAPSHOT_CHUNKS_MAX = 16_384;
/** Answers to heartbeats that may still be confirmed, and confirmations that are remembered. */
export const BEATS_KEPT_MAX = 16;
/** Between two of them: heartbeats that confirm reads come by the thousand. */
export const BEAT_MS_MIN = 20;
/** Entries taken from LevelDB at a time, so that a scan lets others use the loop in between. */
export const LOG_SCAN_ENTRIES = 256;
/** How much LevelDB gathers in memory, and in its own log, before it writes a table. */
export const LEVEL_BUFFER_BYTES: number = 32 * MiB;
/** Written at a time when a rotten database is made anew. */
export const REBUILD_BATCH_BYTES: number = 4 * MiB;
export const READS_PENDING_MAX = 65_536;
/** A synced write that is under way for so many ticks will not come back in time for anyone: the replica stops. */
export const DISK_WRITE_TICKS_MAX = 200;
/** For a stopping replica's disk to finish; whoever waits for the end is told without it. */
export const CLOSE_DISK_MS_MAX = 5_000;
/** A message whose term is further ahead is a fault of its sender, and ignored. */
export const TERM_JUMP_MAX: number = 2 ** 32;

/** Whoever lacks an entry for longer than so many heartbeats does not keep up: no change of members counts on it. */
export const LAG_ROUNDS_MAX = 5;
/** Heartbeats over which a learner must have kept up before it may become a voter. */
export const PROMOTION_ROUNDS = 5;

// Queues of a replica.
export const PROPOSAL_QUEUE_BYTES_MAX: number = 16 * MiB;
/** Of the proposal queue, kept free for urgent commands: the least urgent are refused first. */
export const PROPOSAL_QUEUE_URGENT_BYTES: number = 4 * MiB;
export const CONNECTION_SEND_BYTES_MAX: number = 16 * MiB;
/** Parts of a frame from this size on are handed to the socket as they are; smaller ones are copied together. */
export const SEND_WHOLE_BYTES_MIN: number = 16 * KiB;
/** What they are copied into. */
export const SEND_SLAB_BYTES_MIN: number = 4 * KiB;
export const SEND_SLAB_BYTES_MAX: number = 64 * KiB;
export const CONNECTIONS_MAX = 1024;
/** One place in so many is kept for peers. */
export const CONNECTIONS_PEERS_SHARE = 4;
/** Connections over CONNECTIONS_MAX that are being told so; any more are dropped without a word. */
export const CONNECTIONS_REFUSED_MAX = 64;
/** Of frames that the clients of a listener have begun to send, all together. */
export const UNFINISHED_BYTES_MAX: number = 256 * MiB;
export const REQUESTS_PER_CONNECTION_MAX = 1024;
export const WATCHES_PER_CONNECTION_MAX = 256;
/** Of one frame with watch messages, so that many watchers take turns. */
export const WATCH_FRAME_BYTES_MAX: number = 256 * KiB;
/** Events one such frame is looked for in: what fits a slice, were none of them to match. */
export const WATCH_SCAN_MAX = 4_096;
/** A watcher whose socket has not taken this much waits: it reads the history later, from where it was. */
export const WATCH_UNSENT_BYTES_MAX: number = 1 * MiB;
/** A watcher hears at least so often how far it has been told. */
export const WATCH_PROGRESS_MS = 500;
/** Between attempts to reach a peer that is down. */
export const RECONNECT_MS_MIN = 10;
export const RECONNECT_MS_MAX = 200;
/** Election time-outs without any leader after which even a replica that is going to be stopped campaigns. */
export const REST_TIMEOUTS = 4;
/** Election time-outs between attempts of a leader to hand over to one who is preferred. */
export const HANDOVER_PAUSE_TIMEOUTS = 8;
/** Twice as many each time in a row that the same one did not take the lead, or did not hold on to it, up to these: five minutes. */
export const HANDOVER_PAUSE_TIMEOUTS_MAX = 256;
/** Election time-outs after which one that leads has shown that it can. */
export const HANDOVER_PROVEN_TIMEOUTS = 48;
/** For a leader that is told to stop to hand over first. */
export const HANDOVER_MS_MAX = 1_000;

// A client.
/** Of one SUBMIT: what its commands may take together. */
export const SUBMIT_BYTES_MAX: number = 512 * KiB;
/** Commands a client has taken and not yet answered its caller; more are refused at once. */
export const CLIENT_COMMANDS_MAX = 65_536;
export const CLIENT_COMMAND_BYTES_MAX: number = 32 * MiB;
/** Reads, likewise. */
export const CLIENT_READS_MAX = 65_536;
/** Requests a client has under way on one connection; more wait. */
export const CLIENT_REQUESTS_IN_FLIGHT_MAX = 768;
/** Silence on a connection that owes an answer, after which the other side is asked whether it is still there. */
export const CLIENT_SILENCE_MS = 500;
/** How long it may take to say so. */
export const CLIENT_PONG_MS = 500;
/** Addresses a client remembers beside those it was given. */
export const CLIENT_ADDRESSES_LEARNED_MAX = 126;
/** Events of its connections that a client holds for a listener that is slow; older ones are counted and dropped. */
export const CLIENT_EVENTS_MAX = 256;
/** Events and alerts that a client read not long ago, and does not read again when the same bytes come; and how long each may be. */
export const CLIENT_RECENT_EVENTS_MAX = 256;
export const CLIENT_RECENT_ALERTS_MAX = 1_024;
export const CLIENT_RECENT_BYTES_MAX: number = 4 * KiB;
/** Alerts that a replica was asked for not long ago, as bytes. */
export const ANSWERS_RECENT_MAX = 1_024;
/** After so much silence a watch asks another replica. */
export const WATCH_SILENCE_MS = 3_000;
/** So many malformed streams in a row are the nature of a server, not an accident. */
export const WATCH_MALFORMED_MAX = 3;
/** How long a call may take, unless told otherwise. */
export const CLIENT_TIMEOUT_MS = 10_000;
/** Of the time left, what is kept back at most so that "too late" from a replica arrives in time. */
export const CLIENT_MARGIN_MS_MAX = 50;
/** Between attempts of a client. */
export const BACKOFF_MS_MIN = 10;
export const BACKOFF_MS_MAX = 500;
/** While nobody leads: an election is over in less, and to ask again costs its replicas little. */
export const BACKOFF_SEEKING_MS_MAX = 150;
/** How long one address may take before the next one is tried beside it. */
export const DIAL_STAGGER_MS = 100;
/** How long the last one may take before the round is over. */
export const DIAL_LAST_MS = 1_000;
/** How long a connection that nobody uses is kept. */
export const CLIENT_IDLE_MS = 5_000;
/** How long a replica that went silent is asked last, even when another names it as the leader. */
export const CLIENT_SUSPECT_MS = 1_000;
/** Messages a watch holds for a consumer that is slow; beyond it the watch is broken off and resumed later. */
export const WATCH_BUFFER_MESSAGES_MAX = 4_096;
export const WATCH_BUFFER_BYTES_MAX: number = 4 * MiB;

/** What one turn of the loop has for all work that can be long together: what is applied, taken of clients, listed, told to watchers, captured. */
export const TURN_MS_MAX = 1.5;
/** What those who wait leave of a turn for what comes in after them: frames of clients come one at a time, and would get one in each turn. */
export const TURN_LEFT_SHARE: number = 1 / 3;
/** Short steps of such work between two looks at the clock, which cost something too: a command, a record of a list or a snapshot. */
export const STEPS_PER_LOOK = 4;
/** Commands from this size on count as long steps when they are checked. */
export const LONG_COMMAND_BYTES = 1_024;
/** Lives of an alert that a replica plays before it starts, and frames of many alerts: after so many V8 has compiled what they need. */
export const REHEARSED_ROUNDS = 50;
export const REHEARSED_FRAMES = 4;
export const REHEARSED_FRAME_COMMANDS = 50;
/** What of a turn that takes, and how long it may take in all: a start goes on without it. */
export const REHEARSED_TURN_MS = 1;
export const REHEARSED_MS_MAX = 3_000;
/** Blocks of LevelDB's files, of some 4 to 32 KiB, that are verified in a turn. */
export const VERIFIED_BLOCKS_PER_TURN = 4;
/** Of entries that LevelDB is given in a turn, if they are more than one: it copies them, 1 to 3 ms a MiB. */
export const PUT_BYTES_PER_TURN_MAX: number = MiB / 4;
/** Read at once from one connection, with a read more, or of a log at rest: what comes is summed and checked in that turn, 1 to 3 ms a MiB. */
export const READ_BYTES_PER_TURN_MAX: number = MiB / 4;
/** Of whole frames of clients that wait for a turn, of all connections together. */
export const INTAKE_HELD_BYTES_MAX: number = 16 * MiB;
/** A loop that stood still for longer, the whole process perhaps, has missed what the others decided meanwhile. */
export const STALL_MS_MAX = 350;
/** For so long after it stood still, shorter than an election takes, a replica waits longer before it campaigns. */
export const STALL_REMEMBERED_TICKS = 600;

// Replicas compare what they have applied.
/** Entries between two places at which the digests are compared. */
export const DIGEST_EVERY = 16;
/** Such places that a replica remembers, of itself and of each peer. */
export const DIGESTS_KEPT_MAX = 512;
/** The newest of them, told with a heartbeat. */
export const DIGESTS_PER_FRAME_MAX = 16;
/** They are told again after so many heartbeats, though there is nothing new. */
export const DIGESTS_REPEAT_BEATS = 10;

// Replicas compare their clocks.
/** Clocks further apart than this do not agree: what is off by more stamps no entry, and does not lead while another can. */
export const CLOCK_SKEW_MS_MAX = 1_000;
/** Half the round trip of asking: a clock that was asked more slowly is not believed. */
export const CLOCK_ERROR_MS_MAX = 250;
/** A clock is asked at every so many heartbeats; at each, while it is not known what all of them show. */
export const CLOCK_ASK_BEATS = 5;
/** For how long it is known what a clock shows, after it was asked. */
export const CLOCK_KEPT_MS = 5_000;

/** Things that are wrong, as a replica tells them of itself. */
export const ALARMS_MAX = 64;

// Snapshots.
/** Entries, or bytes of them, after which the next snapshot is due. */
export const SNAPSHOT_ENTRIES = 100_000;
export const SNAPSHOT_LOG_BYTES: number = 64 * MiB;
/** But never before the log has grown by this share of the snapshot before, which is written whole each time. */
export const SNAPSHOT_LOG_SHARE_MIN = 0.5;
/** After one that found no room. */
export const SNAPSHOT_RETRY_MS = 10_000;
/** How often it is looked at whether those for whom the log is kept still need it. */
export const COMPACT_LOOK_MS = 1_000;
/** What the log keeps at most for peers that lag; whoever needs more is given a snapshot. */
export const LOG_KEPT_BYTES_MAX: number = 512 * MiB;
/** Of snapshots that a replica fetches, in any second, and a chunk more: whoever sends has to have time for everybody else. */
export const SNAPSHOT_BYTES_PER_SECOND: number = 128 * MiB;

// The bulk lane: snapshots and repairs, on connections of their own.
/** Requests of one peer that are under way at once. */
export const BULK_REQUESTS_MAX = 4;
/** For one answer; whoever asked then asks another peer. */
export const BULK_ANSWER_MS_MAX = 10_000;
/** A connection that nobody used for so long is closed. */
export const BULK_IDLE_MS_MAX = 5_000;

// Members.
export const MEMBERS_MAX = 63;
/** Replicas that one which does not know them hears at once, because they may have been added while it was down. */
export const STRANGERS_MAX = 8;
export const PRIORITY_MAX = 1_000;
export const ADDRESS_CHARS_MAX = 512;

/** For a change of members to be committed, before whoever asked is told that nobody knows. */
export const CHANGE_MS_MAX = 10_000;
/** A member that was removed is still reached for so long, so that it hears of it. */
export const FAREWELL_MS = 2_000;

/** Between two rounds of asking for what a log has lost, and how many go without any answer of use before it gives up. */
export const REPAIR_PAUSE_MS = 500;
export const REPAIR_ROUNDS_MAX = 20;

/** What a replica waits for is said after so long, and again after so long from then on. */
export const LONG_WAIT_MS = 3_000;
export const LONG_WAIT_AGAIN_MS = 10_000;

/** How long it counts that a peer has said that it is short of room on its disk. */
export const ROOM_KEPT_MS = 1_000;
/** Between two looks at how much room the disk has. */
export const DISK_LOOK_MS = 1_000;

// Alerts.
export const DEDUP_KEY_CHARS_MAX = 255;
export const TEXT_CHARS_MAX = 1024;
export const NAME_CHARS_MAX = 128;
/** Of whom an alert is offered to: `user:` and whoever is on call. */
export const OFFERED_CHARS_MAX: number = 'user:'.length + NAME_CHARS_MAX;
export const LABELS_MAX = 32;
export const ACKNOWLEDGEMENTS_MAX = 32;
/** Open alerts, and what they weigh. Close to it what can wait is refused, at it every new alert; nothing else ever is. */
export const OPEN_ALERTS_MAX = 2_000_000;
export const OPEN_BYTES_MAX: number = 4096 * MiB;
/** Commands that are done together or not at all, and conditions they may depend on. */
export const TRANSACTION_COMMANDS_MAX = 32;
export const TRANSACTION_GUARDS_MAX = 32;
/** Steps of one transaction, and of what follows from them, that watchers are told as one. */
export const TRANSACTION_EVENTS_MAX = 4_096;
/** What a house has: beds, who is in them and who was, and what measures. */
export const BEDS_MAX = 16_384;
export const PATIENTS_MAX = 32_768;
export const PATIENTS_OVER_MAX = 16_384;
export const DEVICES_MAX = 65_536;
/** Of a unit or a bed: the two together are the name of a bed. */
export const PLACE_CHARS_MAX = 60;
/** Devices that go along with a patient. */
export const MOVED_DEVICES_MAX = 32;
/** Client sessions, and the replies that all of them may keep together: each reserves as many as it has commands under way. */
export const SESSIONS_MAX = 1_024;
export const SESSION_REPLIES_MAX = 65_536;
export const SESSION_WINDOW_MAX = 4_096;
/** For a client to say that it is there, and that it is gone; the cluster finds out by itself too. */
export const SESSION_BEAT_MS_MAX = 5_000;
export const SESSION_END_MS_MAX = 500;
/** What a client could not tell of its session, it tells again after so long. */
export const SESSION_AGAIN_MS = 1_000;
/** Replies kept so that a repeated command gets its first answer. */
export const REPLIES_MAX = 262_144;
/** Events kept in memory for watchers that resume; older ones are compacted to the current state. */
export const HISTORY_EVENTS_MAX = 65_536;
export const RESOLVED_ALERTS_MAX = 65_536;
/** Alerts that changed last and are kept as objects; the others are packed: slower to read, and nothing to the collector of garbage. */
export const ALERTS_UNPACKED_MAX: number = 2 * RESOLVED_ALERTS_MAX;
/** Packed alerts lie together in so many bytes: some 250 of them, which may have to move in one go. */
export const ALERT_SLAB_BYTES: number = 64 * 1_024;
export const LIST_PAGE_MAX = 1_000;
/** Earlier states that a replica keeps ready for further pages of lists; each is at most as large as the history. */
export const PASTS_MAX = 8;
/** Conditions not open whose last occurrence is known; those forgotten count from 1 again. */
export const DEDUP_KEYS_REMEMBERED_MAX = 262_144;
/** Waits for an acknowledgement that a report of how alarms behave takes its quantiles of. */
export const METRIC_SAMPLES_MAX = 65_536;
/** Conditions, beds, units and people that are told apart, each. */
export const METRIC_KEYS_MAX = 262_144;
/** Raises that end a condition's rest sooner than this are counted as chattering. */
export const FLAP_MS_MAX = 60_000;
/** Seconds the sound of an alert may be off at a time, by its priority. */
export const PAUSE_HIGH_SECONDS_MAX = 120;
export const PAUSE_MEDIUM_SECONDS_MAX = 600;
export const PAUSE_LOW_SECONDS_MAX = 3_600;
/** A day: the longest wait, lease or time-out that a command may ask for in seconds. */
export const SECONDS_MAX = 86_400;
/**
 * Changes of alerts and records that one entry of the log makes by itself, because they are due or follow from its commands;
 * what is left over is done with the next. Each is some ten microseconds, and all of them are to be over within a few milliseconds.
 */
export const EFFORT_PER_ENTRY_MAX = 256;
/** Alerts that are looked at and left as they are, for one that is changed. */
export const LOOKS_PER_CHANGE = 4;
/** Alerts looked up of each device, bed or patient of many, or most of what is looked up is left for the next time. */
export const LOOKS_PER_SUBJECT_MIN = 8;
/** What is about no more alerts than this is done at once, whatever else an entry does. */
export const SWEEP_LOOKS_AT_ONCE = 32;
/** What is about more goes on in steps of so many changes, or LOOKS_PER_CHANGE times as many looks: among a million an alert at rest can take 80 µs to change. */
export const SWEEP_EFFORT_PER_STEP = 8;
/** Of what waits for all that is due to single alerts, so many steps are done with each entry, lest it wait for ever. */
export const SWEEPS_PER_ENTRY_MIN = 2;
/** Open alerts of one device that are looked through for what they explain; of a device with more they are kept by condition. */
export const NEIGHBOURS_LOOKED_THROUGH_MAX = 4;
/** Open alerts about one device, bed or patient that stand in a list, which is moved as a whole; more of them in blocks. */
export const SUBJECT_LIST_MAX = 64;
/** Alerts that are named as explaining another; more than one is rare, and no more is done for it. */
export const INHIBITORS_SHOWN_MAX = 64;
/** Devices whose alerts no longer explain others, which are told so together. */
export const EXPLANATIONS_PER_SWEEP_MAX = 64;
/** Ends of silences, windows and the like that not all their alerts have been told of yet. */
export const SWEEPS_MAX = 1_024;
/** Acknowledgements that a far end brings back at once. */
export const MERGED_ACKNOWLEDGEMENTS_MAX = 16;
export const POLICIES_MAX = 1_024;
/** Versions of policies that open alerts go by; before one more is made, some of these have to end. */
export const POLICY_VERSIONS_MAX = 4_096;
export const POLICY_STEPS_MAX = 20;
export const POLICY_REPEATS_MAX = 9;
export const STEP_TARGETS_MAX = 10;
/** Notifications that are over, kept for whoever looks back. */
export const NOTIFICATIONS_OVER_MAX = 65_536;
/** Notifications that something may yet come of; one more has failed at once, and an alert says so. */
export const NOTIFICATIONS_LIVE_MAX = 262_144;
/** Of one alert: the oldest is called off for the next, or whoever escalates it again and again makes its end dear. */
export const NOTIFICATIONS_PER_ALERT_MAX = 256;
/** Silences in force, and those that are over, kept for whoever looks back. */
export const SILENCES_MAX = 256;
export const SILENCES_OVER_MAX = 4_096;
/** Seconds an alert of each priority can be silenced; one without priority for SECONDS_MAX. */
export const SILENCE_HIGH_SECONDS_MAX = 900;
export const SILENCE_MEDIUM_SECONDS_MAX = 3_600;
export const SILENCE_LOW_SECONDS_MAX = 28_800;
export const MATCHERS_MAX = 8;
export const MATCHER_VALUES_MAX = 64;
/** Maintenance windows that are not over, and those that are. */
export const WINDOWS_MAX = 256;
export const WINDOWS_OVER_MAX = 4_096;
/** Units that are told apart on a day, their beds, and counts of earlier days: a year of eleven units. */
export const TALLY_UNITS_MAX = 256;
export const TALLY_BEDS_MAX = 256;
export const TALLY_WAITS_MAX = 64;
export const TALLIES_OVER_MAX = 4_096;
/** Rules by which alerts explain others of the same device, and what each names. */
export const INHIBITIONS_MAX = 64;
export const INHIBITION_CONDITIONS_MAX = 32;
/** Sources that are missed when they fall silent. */
export const SOURCES_MAX = 65_536;
/**
 * Open alerts of a patient or a device that can be looked through at once: where there are more, a discharge needs a reason.
 * A transaction takes no more along, of all its patients and devices together: it looks at each first, all in one step.
 */
export const FOLLOWERS_MAX = 512;
export const PRESENT_KEYS_MAX = 256;
/** Incidents that are open, and closed ones kept for their reviews. */
export const INCIDENTS_MAX = 1_024;
export const INCIDENTS_OVER_MAX = 4_096;
export const INCIDENT_ALERTS_MAX = 256;
export const INCIDENT_ENTRIES_MAX = 256;
/** Alerts that one change of an incident adds or removes: their ids make a line of its timeline. */
export const INCIDENT_CHANGED_ALERTS_MAX = 32;
export const REVIEW_ACTIONS_MAX = 32;
/** A snapshot is written, sent and checked a chunk at a time. */
export const SNAPSHOT_CHUNK_BYTES: number = 1 * MiB;
/** Of a snapshot that is being written, between two syncs: a sync of everything at once would hold up those of the log. */
export const SNAPSHOT_SYNC_BYTES: number = 8 * SNAPSHOT_CHUNK_BYTES;
/** Records one page of a list looks at in a turn, and fewer when its share of the turn is over before. */
export const LIST_SCAN_MAX = 8_192;
/** Turns a page of a list is looked for in; then it ends with what was found. */
export const LIST_TURNS_MAX = 32;
/** Of a page for which nobody says how much it may hold. */
export const LIST_LIMIT_DEFAULT = 100;
/** The last instant a Date can hold (ECMA-262, 21.4.1.1): a later one could not be printed. */
export const UNIX_MILLIS_MAX = 8_640_000_000_000_000;
/** The oldest state that a read can ask for by its age. */
export const READ_AGE_MS_MAX = 3_600_000;
/** The longest time a request may allow itself. */
export const REQUEST_MS_MAX = 3_600_000;

// On-call schedules.
export const SCHEDULES_MAX = 256;
/** Shifts that stand in the log at a time; what is worked out ends with the last of them. */
export const SCHEDULE_SHIFTS_MAX = 256;
/** How far ahead they are worked out, and with how much left they are extended: time enough to mend what keeps them from it. */
export const SCHEDULE_AHEAD_MS: number = 14 * 86_400_000;
export const SCHEDULE_LEFT_MS_MIN: number = 7 * 86_400_000;
/** How long before it begins it is said that nobody will be on call. */
export const SCHEDULE_GAP_AHEAD_MS: number = 86_400_000;
/** For a log whose time is behind that of whoever works them out. */
export const SCHEDULE_BEFORE_MS = 3_600_000;
/** Between two looks at whether some have to be extended. */
export const SCHEDULE_LOOK_MS = 1_000;
export const SCHEDULE_LAYERS_MAX = 16;
export const SCHEDULE_RESTRICTIONS_MAX = 32;
/** Hours, days or weeks between two handoffs. */
export const ROTATION_UNITS_MAX = 1_000;
/** Until then layers are worked out: the handoff that follows has to be an instant that a Date can hold. */
export const ROTATIONS_UNTIL: number = UNIX_MILLIS_MAX - (ROTATION_UNITS_MAX + 1) * 7 * 86_400_000;
export const SCHEDULE_USERS_MAX = 256;
export const SCHEDULE_OVERRIDES_MAX = 1_024;
/** Shifts worked out in one answer: a year of changing every hour, and what restrictions and overrides cut. */
export const SHIFTS_MAX = 16_384;

// Notifications.
/** Notifications that a leader sends at once; more wait. */
export const NOTIFY_UNDER_WAY_MAX = 64;
/** Attempts of one notification, while there is time. */
export const NOTIFY_ATTEMPTS_MAX = 3;
export const NOTIFY_RETRY_MS = 1_000;
/** Of what a program that sends complains of, its end. */
export const NOTIFY_OUTPUT_BYTES_MAX: number = 4 * KiB;

// Rules over samples.
export const RULES_PER_SET_MAX = 256;
/** In force at once, of all lists of a set, each of which is full by itself. */
export const RULES_MAX: number = RULES_PER_SET_MAX * 4;
export const RULE_NAME_CHARS_MAX = 32;
/** Patients, and limits, of one profile. */
export const RULE_PATIENTS_MAX = 256;
export const RULE_PROFILE_LIMITS_MAX = 64;
/** The longest run of samples a rule may wait for: an hour at one a second. */
export const RUN_SAMPLES_MAX = 3_600;
/** Patients judged by one rule engine. */
export const RULE_SUBJECTS_MAX = 65_536;

// What the command line reads.
export const RULES_FILE_BYTES_MAX: number = 1 * MiB;
/** A schedule, or another text that is read as a whole. */
export const TEXT_FILE_BYTES_MAX: number = 1 * MiB;
export const RECORDINGS_MAX = 512;
export const RECORDING_LINE_BYTES_MAX: number = 4 * KiB;
export const WARD_BEDS_MAX = 10_000;
/** Charted stays of one folder, and rows of one of them: a row a second for two days. */
export const STAYS_MAX = 65_536;
export const STAY_ROWS_MAX = 172_800;

// From rules to the cluster.
/** Commands that a sender of alerts holds, under way and waiting; whoever brings more waits. */
export const ALERTS_HELD_MAX = 4_096;
/** Of these, under way at once, each for another condition. */
export const ALERTS_UNDER_WAY_MAX = 512;
/** Alerts that could not be sent, kept one by one for the report; beyond that they are only counted. */
export const ALERT_FAILURES_KEPT_MAX = 1_000;

/** Alarm transitions of one replay: all are held, to be put in order and compared. */
export const REPLAY_EVENTS_MAX: number = 2 ** 20;

// The demonstration.
export const DEMO_BEDS_MAX = 500;
/** Commands that are written down with what their callers were told, to be compared with what the replicas hold. */
export const DEMO_COMMANDS_MAX = 60_000;
/** Acknowledgements that the simulated nurses have in mind. */
export const DEMO_ACKNOWLEDGEMENTS_WAITING_MAX = 1_024;

// `tocsin bench`.
/** Calls that it keeps under way. */
export const BENCH_IN_FLIGHT_MAX = 10_000;

// `tocsin shell`.
/** Lines of its history that are kept. */
export const SHELL_HISTORY_MAX = 1_000;

// A cluster of child processes.
/** For a replica to start and listen: it reads its whole log first, on a machine that may be busy. */
export const LOCAL_START_MS_MAX = 30_000;
/** For a cluster of local processes to agree on a leader. */
export const LOCAL_LEADER_MS_MAX = 15_000;
/** For a replica that was started again to hold what the others hold. */
export const LOCAL_CATCH_UP_MS_MAX = 60_000;
/** A replica that does not tell its status in this time is passed over until the next look. */
export const LOCAL_STATUS_MS_MAX = 500;

assert(HEARTBEAT_TICKS * 4 <= ELECTION_TICKS_MIN, 'three lost heartbeats must not cost a term');
assert(ELECTION_TICKS_MIN + 10 <= ELECTION_TICKS_MAX, 'a narrow spread splits votes');
assert(SCRUB_SLICE_MS < SCRUB_REST_MS_MAX, 'the longest rest is longer than the usual one');
assert(READ_ROUND_MS < TICK_MS, 'reads do not wait for a heartbeat that makes up for a lost round');
assert(COMMIT_NOTICE_MS < TICK_MS, 'a heartbeat tells what is committed in any case');
assert(LEASE_MS > HEARTBEAT_TICKS * TICK_MS * 3, 'a lease must outlive lost heartbeats');
assert(
  LEADER_DISK_TICKS_MAX < DISK_WRITE_TICKS_MAX / 2,
  'a leader with a hung disk must give up long before the replica does',
);
assert(COMMAND_BYTES_MAX * 2 <= ENTRY_BYTES_MAX, 'a command must fit an entry with room');
assert(
  STALL_MS_MAX * 2 <= ELECTION_TICKS_MIN * TICK_MS,
  'a leader that stood still must notice before anyone can have replaced it',
);
assert(STALL_MS_MAX > TICK_MS * 4, 'a late tick is no stall');
assert(
  STALL_REMEMBERED_TICKS >= ELECTION_TICKS_MAX * 8,
  'whoever stands still must yield in the elections that this causes',
);
assert(CLIENT_PONG_MS > STALL_MS_MAX, 'a client does not give up a replica that only stalls');
assert(
  CLIENT_SILENCE_MS + CLIENT_PONG_MS <= ELECTION_TICKS_MAX * TICK_MS,
  'a client looks elsewhere by the time another leads',
);
assert(
  LOG_KEPT_BYTES_MAX >= SNAPSHOT_LOG_BYTES * 4,
  'a peer must have time to fetch a snapshot before the log has moved on',
);
assert(
  LONG_WAIT_MS >= ELECTION_TICKS_MAX * TICK_MS * 2,
  'an election or two are no long wait for a leader',
);
assert(
  FAREWELL_MS >= ELECTION_TICKS_MAX * TICK_MS,
  'a removed member must hear of it before it campaigns',
);
assert(
  CLOCK_ERROR_MS_MAX * 4 <= CLOCK_SKEW_MS_MAX,
  'a slow answer must not pass for a wrong clock',
);
assert(
  CLOCK_ASK_BEATS * HEARTBEAT_TICKS * TICK_MS >= CLOCK_ERROR_MS_MAX * 2,
  'an answer that is believed must come before the next question',
);
assert(
  CLOCK_KEPT_MS >= ELECTION_TICKS_MAX * TICK_MS * 2,
  'whoever is elected must still know what the clocks showed',
);
assert(DIGESTS_PER_FRAME_MAX * 4 <= DIGESTS_KEPT_MAX, 'what was told lately must be remembered');
assert(ENTRY_BYTES_MAX <= APPEND_BYTES_MAX, 'an entry must fit one append');
assert(APPEND_BYTES_MAX * 2 <= FRAME_BYTES_MAX, 'an append must fit one frame with room');
assert(
  DISK_WRITE_TICKS_MAX >= ELECTION_TICKS_MAX * 4,
  'a disk that is merely slow must not cost a replica',
);
assert(CLOSE_MS_MAX < HANDSHAKE_MS_MAX, 'saying goodbye must not take longer than saying hello');
assert(FRAME_BYTES_MAX * 2 <= CONNECTION_SEND_BYTES_MAX, 'a frame must fit an empty send queue');
assert(
  PROPOSAL_QUEUE_URGENT_BYTES >= FRAME_BYTES_MAX,
  'a frame of urgent commands must fit what is kept free for them',
);
assert(
  TERM_JUMP_MAX * ELECTION_TICKS_MIN * TICK_MS > 50 * 365 * 86_400_000,
  'a replica that was away for decades of elections must be let back in',
);
assert(
  TERM_JUMP_MAX * 2 ** 20 <= Number.MAX_SAFE_INTEGER,
  'a million such jumps must leave terms to campaign in',
);
assert(
  LOG_MEMORY_BYTES_MAX >= APPEND_BYTES_MAX * 4 + APPEND_ENTRIES_MAX * LOG_ENTRY_MEMORY_BYTES * 4,
  'a follower in step must be served from memory',
);
assert(
  SCHEDULE_LEFT_MS_MIN * 2 <= SCHEDULE_AHEAD_MS,
  'a schedule that was extended must not be due again at once',
);
assert(INHIBITIONS_MAX <= LIST_PAGE_MAX, 'what explains what must be seen on one page');
assert(
  SCHEDULE_GAP_AHEAD_MS < SCHEDULE_LEFT_MS_MIN,
  'the end of what was worked out must be a gap only once it could not be extended',
);
assert(TALLY_BEDS_MAX <= BODY_ITEMS_MAX, 'the beds of a unit must fit in one record');
assert(SESSION_WINDOW_MAX * 16 <= SESSION_REPLIES_MAX, 'one session must not keep the others out');
assert(PLACE_CHARS_MAX * 2 < NAME_CHARS_MAX, 'a unit and a bed must pass as one name');
assert(PATIENTS_MAX >= BEDS_MAX, 'a full house must still be able to admit who waits for a bed');
assert(
  LAG_ROUNDS_MAX * HEARTBEAT_TICKS < ELECTION_TICKS_MIN,
  'who keeps up holds all before a transfer to it is given up',
);
assert(HISTORY_EVENTS_MAX >= COMMANDS_PER_FRAME_MAX, 'one entry must fit the history');
assert(RUN_SAMPLES_MAX < 2 ** 15, 'a run and its on-bit must fit 16 bits');
assert(
  RULE_SUBJECTS_MAX * RULES_PER_SET_MAX * 2 <= 32 * MiB,
  'the runs of all subjects must stay a small part of memory',
);
assert(
  RULE_PATIENTS_MAX * NAME_CHARS_MAX < COMMAND_BYTES_MAX,
  'a profile of plain names must fit a command',
);
assert(
  RULE_PROFILE_LIMITS_MAX <= BODY_MAP_KEYS_MAX,
  'the limits of a profile must pass as one map',
);
assert(WARD_BEDS_MAX <= RULE_SUBJECTS_MAX, 'one engine must judge a whole ward');
assert(ALERTS_UNDER_WAY_MAX <= ALERTS_HELD_MAX, 'what is under way is part of what is held');
assert(
  ALERTS_UNDER_WAY_MAX <= REQUESTS_PER_CONNECTION_MAX,
  'a sender of alerts must fit one connection, were each command a request of its own',
);
assert(
  LOCAL_LEADER_MS_MAX >= ELECTION_TICKS_MAX * TICK_MS * 4,
  'several split votes must not pass for a cluster without a leader',
);
assert(
  BENCH_IN_FLIGHT_MAX <= CLIENT_COMMANDS_MAX && BENCH_IN_FLIGHT_MAX <= CLIENT_READS_MAX,
  'a client must hold as many calls as the load keeps under way',
);
assert(DEMO_BEDS_MAX <= WARD_BEDS_MAX, 'the demonstration must be a ward');
assert(
  DEMO_COMMANDS_MAX <= HISTORY_EVENTS_MAX,
  'what the demonstration compares must still be in the history from its beginning',
);
assert(RECORDINGS_MAX <= RULE_SUBJECTS_MAX, 'one engine must judge all recordings');
assert(
  SNAPSHOT_CHUNKS_MAX * 2 + MEMBERS_MAX * 8 <= BODY_ITEMS_MAX,
  'the list of all chunks must pass as one body',
);
assert(
  SNAPSHOT_CHUNKS_MAX * 10 + MEMBERS_MAX * ADDRESS_CHARS_MAX * 4 <= SNAPSHOT_CHUNK_BYTES,
  'what a snapshot says of itself must fit a frame beside a chunk',
);
assert(LABELS_MAX <= BODY_MAP_KEYS_MAX, 'the labels of an alert must pass as one map');
assert(
  MEMBERS_MAX * 4 <= CONNECTIONS_MAX / CONNECTIONS_PEERS_SHARE,
  'the places kept for peers must be enough for the lanes of all of them',
);
assert(
  FRAME_BYTES_MAX * 64 <= UNFINISHED_BYTES_MAX,
  'many clients must be able to send the largest frame at once',
);
assert(
  DEDUP_KEYS_REMEMBERED_MAX >= RESOLVED_ALERTS_MAX,
  'the next occurrence must link to a resolved alert that is still kept',
);
assert(LIST_SCAN_MAX >= LIST_PAGE_MAX, 'an unfiltered page must fill in one scan');
assert(
  LIST_TURNS_MAX * TURN_MS_MAX * 100 <= CLIENT_TIMEOUT_MS,
  'whoever waits for a page must not have given up when it is found',
);
assert(LIST_LIMIT_DEFAULT <= LIST_PAGE_MAX, 'what nobody asked for must be allowed');
assert(ACKNOWLEDGEMENTS_MAX >= 3, 'the first, who took charge now, and a newer one must fit');
assert(
  4 + COMMANDS_PER_FRAME_MAX * (4 + 3 * REFUSAL_CHARS_MAX) <= FRAME_BYTES_MAX,
  'the replies to a frame of commands must fit a frame, were they all refusals',
);
assert(
  3 * TEXT_CHARS_MAX + ADDRESS_CHARS_MAX + 128 <= HANDSHAKE_FRAME_BYTES_MAX,
  'a reason to refuse an introduction must fit a frame of it',
);
assert(
  PAGE_BYTES_MAX * 2 <= FRAME_BYTES_MAX,
  'a page must fit a frame with room for one alert more',
);
assert(
  GETS_PER_FRAME_MAX <= BODY_ITEMS_MAX &&
    GETS_PER_FRAME_MAX * 3 * DEDUP_KEY_CHARS_MAX <= FRAME_BYTES_MAX / 2,
  'the keys of all alerts that are asked after at once must fit a frame',
);
assert(
  WATCH_FRAME_BYTES_MAX + WATCH_UNSENT_BYTES_MAX < CONNECTION_SEND_BYTES_MAX,
  'a watcher must not fill the send queue that its connection shares with answers',
);
assert(
  RECONNECT_MS_MAX < ELECTION_TICKS_MIN * TICK_MS,
  'a peer that is back must be reached before it campaigns',
);
assert(COMMAND_BYTES_MAX <= SUBMIT_BYTES_MAX, 'a command must fit a submission');
assert(SUBMIT_BYTES_MAX * 2 <= ENTRY_BYTES_MAX, 'a submission must fit one entry with room');
assert(
  CLIENT_COMMANDS_MAX >= COMMANDS_PER_FRAME_MAX && CLIENT_COMMAND_BYTES_MAX >= SUBMIT_BYTES_MAX,
  'a client must be able to fill a frame',
);
assert(
  CLIENT_REQUESTS_IN_FLIGHT_MAX < REQUESTS_PER_CONNECTION_MAX,
  'requests that a client gave up must not make it pass what a replica lets a connection have',
);
assert(
  CLIENT_ADDRESSES_LEARNED_MAX >= MEMBERS_MAX * 2,
  'a client must know the members before and after a change of all of them',
);
assert(
  WATCH_BUFFER_MESSAGES_MAX * 4 <= HISTORY_EVENTS_MAX,
  'a watch that was let go while its consumer caught up must find its place in the history',
);
assert(
  COMMAND_BYTES_MAX * 4 <= SNAPSHOT_CHUNK_BYTES,
  'an alert, with all that was said of it, must fit a chunk',
);
assert(SNAPSHOT_CHUNK_BYTES * 2 <= FRAME_BYTES_MAX, 'a chunk must fit a frame with room');
assert(
  PAUSE_HIGH_SECONDS_MAX <= PAUSE_MEDIUM_SECONDS_MAX &&
    PAUSE_MEDIUM_SECONDS_MAX <= PAUSE_LOW_SECONDS_MAX &&
    PAUSE_LOW_SECONDS_MAX <= SECONDS_MAX,
  'the more urgent an alert, the sooner it must be heard again',
);
assert(
  EFFORT_PER_ENTRY_MAX <= COMMANDS_PER_FRAME_MAX,
  'what one entry does by itself must stay a slice of work',
);
assert(
  POLICY_VERSIONS_MAX >= POLICIES_MAX * 2,
  'every policy must be able to change while open alerts go by each',
);
assert(
  NOTIFICATIONS_PER_ALERT_MAX >= STEP_TARGETS_MAX * POLICY_STEPS_MAX,
  'a whole loop of a policy must be able to be under way',
);
assert(
  SWEEPS_MAX >= SILENCES_MAX + WINDOWS_MAX,
  'all silences and windows must be able to end at once',
);
assert(
  SWEEPS_MAX >= INHIBITIONS_MAX * 2,
  'all rules of inhibition must be able to change at once, with the defaults coming back',
);
assert(
  MERGED_ACKNOWLEDGEMENTS_MAX <= ACKNOWLEDGEMENTS_MAX,
  'what a far end brings back must fit the list of an alert',
);
assert(
  DISK_FREE_BYTES_LOW - DISK_FREE_BYTES_OUT >= UNCOMMITTED_BYTES_MAX * 2 + PROPOSAL_QUEUE_BYTES_MAX,
  'what was taken in before the disk was low must still find room',
);
assert(
  SILENCE_HIGH_SECONDS_MAX <= SILENCE_MEDIUM_SECONDS_MAX &&
    SILENCE_MEDIUM_SECONDS_MAX <= SILENCE_LOW_SECONDS_MAX &&
    SILENCE_LOW_SECONDS_MAX <= SECONDS_MAX,
  'the more urgent an alert, the sooner it must break through a silence',
);
assert(
  LOOKS_PER_SUBJECT_MIN <= SWEEP_LOOKS_AT_ONCE,
  'what is looked up of one subject must not be more than one step looks at',
);
assert(
  NEIGHBOURS_LOOKED_THROUGH_MAX <= SUBJECT_LIST_MAX,
  'what is looked through for each change must stand in a list',
);
assert(INHIBITORS_SHOWN_MAX <= BODY_ITEMS_MAX, 'what explains an alert must fit in its answer');
assert(
  PRESENT_KEYS_MAX <= EFFORT_PER_ENTRY_MAX,
  'an entry must be able to change all that a source names',
);
assert(
  OPEN_ALERTS_MAX <= COMPACTED_ALERTS_MAX,
  'a watcher that fell behind must be handed all that is open',
);
assert(
  20 * (INCIDENT_CHANGED_ALERTS_MAX + 1) <= TEXT_CHARS_MAX,
  'the ids of alerts that were added to an incident must fit a line of its timeline',
);
assert(
  BEATS_KEPT_MAX * BEAT_MS_MIN >= HEARTBEAT_TICKS * TICK_MS * 3,
  'a beat must be remembered until the leader can have named it, lost heartbeats included',
);
assert(
  LEVEL_BUFFER_BYTES * 4 <= DISK_FREE_BYTES_OUT,
  'LevelDB must find room for what it holds in memory, and for tables while they are merged',
);
assert(
  SNAPSHOT_SYNC_BYTES * 4 <= SNAPSHOT_BYTES_PER_SECOND,
  'a snapshot must be synced often enough that no sync takes long',
);
assert(
  SNAPSHOT_RETRY_MS >= DISK_LOOK_MS * 4,
  'a snapshot that found no room must not be tried again before anyone has looked for room',
);
assert(
  HANDOVER_PAUSE_TIMEOUTS * ELECTION_TICKS_MAX * TICK_MS > HANDOVER_MS_MAX * 4,
  'a leader whose hand-over failed must lead for a while before it tries again',
);
assert(
  HANDOVER_PROVEN_TIMEOUTS > HANDOVER_PAUSE_TIMEOUTS &&
    HANDOVER_PROVEN_TIMEOUTS < HANDOVER_PAUSE_TIMEOUTS_MAX,
  'who leads for no longer than it was left alone has shown nothing',
);
assert(
  SEND_SLAB_BYTES_MIN <= SEND_WHOLE_BYTES_MIN && SEND_WHOLE_BYTES_MIN * 4 <= SEND_SLAB_BYTES_MAX,
  'what is copied together must fit what it is copied into',
);
assert(BACKOFF_MS_MIN < BACKOFF_MS_MAX, 'a client must become more patient');
assert(
  WATCH_SILENCE_MS >= WATCH_PROGRESS_MS * 4,
  'a watch must not take late progress marks for silence',
);
assert(
  CLIENT_SILENCE_MS + CLIENT_PONG_MS < CLIENT_TIMEOUT_MS / 4,
  'a replica that is gone must be noticed while there is time to ask another one',
);
assert(
  DIAL_STAGGER_MS < DIAL_LAST_MS && DIAL_LAST_MS < CLIENT_TIMEOUT_MS,
  'a round of dialling must leave time for the call',
);
assert(CLIENT_MARGIN_MS_MAX * 10 <= CLIENT_TIMEOUT_MS, 'most of the time must be for the replica');
assert(
  REBUILD_BATCH_BYTES <= LEVEL_BUFFER_BYTES,
  'what is written at a time must fit what LevelDB holds in memory',
);
assert(
  REST_TIMEOUTS * ELECTION_TICKS_MIN >= ELECTION_TICKS_MAX * 2,
  'others must have had two elections before a replica that rests begins one',
);
assert(
  ROOM_KEPT_MS >= HEARTBEAT_TICKS * TICK_MS * 4,
  'a peer that is short of room must not seem to have some when a word of it is lost',
);
