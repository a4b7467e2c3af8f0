import { system } from '../system.ts';

/** Drops packets that come in by one device. */
export interface PacketFilter {
  readonly name: string;
  /** Drops each with this chance, 0 … 1. `inside` goes before commands, to run them where the device is. */
  readonly set: (inside: readonly string[], device: string, chance: number) => Promise<void>;
  /** Leaves nothing of it behind. */
  readonly remove: (inside: readonly string[], device: string) => Promise<void>;
}

/** nft where it is installed, or else tc, which comes with ip. */
export async function findFilter(table: string): Promise<PacketFilter> {
  try {
    await system(['nft', '--version']);
    return nft(table);
  } catch {
    return TC;
  }
}

const nft = (table: string): PacketFilter => ({
  name: 'nft',
  set: async (inside, device, chance) => {
    const chain = `netdev ${table} ${device}`;
    const hook = `{ type filter hook ingress device "${device}" priority 0; }`;
    const base = `add table netdev ${table}; add chain ${chain} ${hook}; flush chain ${chain}`;
    const some = `numgen random mod 1000 < ${Math.round(chance * 1_000)} `;
    const rule = chance === 0 ? '' : `; add rule ${chain} ${chance === 1 ? '' : some}drop`;
    await system([...inside, 'nft', base + rule]);
  },
  remove: async (inside, device) => {
    await system([...inside, 'nft', `delete chain netdev ${table} ${device}`]);
  },
});

/** Where a program of classic BPF answers with what becomes of the packet: pass or drop. */
const PASS = '6 0 0 0';
const DROP = '6 0 0 2';
/** Loads a random number of 32 bits. */
const RANDOM = '32 0 0 4294963256';
const TWO_TO_32 = 2 ** 32;

const TC: PacketFilter = {
  name: 'tc',
  set: async (inside, device, chance) => {
    // The second time it is there already.
    await system([...inside, 'tc', 'qdisc', 'add', 'dev', device, 'clsact']).catch(() => {});
    const place = ['dev', device, 'ingress', 'pref', '1', 'handle', '1'];
    const code = ['bpf', 'da', 'bytecode', programOf(chance)];
    await system([...inside, 'tc', 'filter', 'replace', ...place, ...code]);
  },
  remove: async (inside, device) => {
    await system([...inside, 'tc', 'qdisc', 'del', 'dev', device, 'clsact']);
  },
};

function programOf(chance: number): string {
  if (chance === 0) return `1,${PASS}`;
  if (chance === 1) return `1,${DROP}`;
  const above = Math.floor((1 - chance) * TWO_TO_32);
  return `4,${RANDOM},37 0 1 ${above},${DROP},${PASS}`;
}
