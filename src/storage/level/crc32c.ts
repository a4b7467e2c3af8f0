/**
 * CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4), the checksum inside LevelDB's files;
 * node:zlib has only the other one. Eight bytes a step, through eight tables (Kounavis and Berry,
 * 2005).
 */
const POLYNOMIAL_REFLECTED = 0x82f63b78;

/** Table `t` of 256 entries begins at `t * 256`. */
const TABLES: Int32Array = makeTables();

/** The checksum of `bytes` from `begin` to `end`, going on from `previous` (0 = nothing before). */
export function crc32c(bytes: Uint8Array, begin: number, end: number, previous = 0): number {
  const t = TABLES;
  let crc = ~previous;
  let at = begin;
  for (; at + 8 <= end; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (t[1792 + (low & 0xff)] as number) ^
      (t[1536 + ((low >>> 8) & 0xff)] as number) ^
      (t[1280 + ((low >>> 16) & 0xff)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (bytes[at + 4] as number)] as number) ^
      (t[512 + (bytes[at + 5] as number)] as number) ^
      (t[256 + (bytes[at + 6] as number)] as number) ^
      (t[bytes[at + 7] as number] as number);
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

/** As LevelDB stores it: a CRC of bytes that hold CRCs is weak. */
export const masked = (crc: number): number =>
  ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32;

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1)
      crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL_REFLECTED;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
