import { TocsinError } from '../base/errors.ts';
import type { BitReader, BitWriter } from './bits.ts';

/**
 * A column of finite numbers in few bits, without loss. Readings of monitors are short decimals: as whole numbers of
 * their last place their differences are small, and are written in Rice code (Rice, 1979) with the parameter that suits
 * the column. Waveforms were few whole numbers once, at their converter: where a column has few different values, they
 * are listed, and their places in the list take the values' place. What is not a short decimal is written as Gorilla writes floats (Pelkonen et al., VLDB 2015, section 4.1.2):
 * each XORed with the one before.
 */

/** Powers of ten that are tried: monitors give at most five places. */
const PLACES_MAX = 5;
const DICTIONARY = 6;
const XOR = 7;
const MODE_BITS = 3;
/** A converter of n bits knows 2ⁿ values, however they are scaled afterwards. */
const DICTIONARY_BITS = 12;
const DICTIONARY_MAX = 2 ** DICTIONARY_BITS - 1;
const DICTIONARY_VALUES_MIN = 64;
/** For the choice only: what a word, and a float in a noisy signal, take as a rule. */
const WORD_BITS_USUAL = 12;
const XOR_BITS_USUAL = 50;
/** Scaled values stay below, so that differences fit 32 bits in zigzag. */
const SCALED_MAX = 2 ** 30;
const RICE_BITS = 5;
const RICE_MAX = 30;
/** Quotients from here on are followed by the number itself. */
const QUOTIENT_MAX = 20;

export function writeValues(out: BitWriter, values: Float64Array): void {
  const places = placesOf(values);
  const plain = places === undefined ? undefined : differencesOf(values, 10 ** places);
  const dictionary = dictionaryOf(values);
  if (
    dictionary !== undefined &&
    dictionary.bits < (plain?.bits ?? values.length * XOR_BITS_USUAL)
  ) {
    out.write(DICTIONARY, MODE_BITS);
    out.write(dictionary.words.length, DICTIONARY_BITS);
    writeValues(out, dictionary.words);
    writeRiced(out, dictionary.places);
  } else if (plain === undefined) {
    out.write(XOR, MODE_BITS);
    writeXor(out, values);
  } else {
    out.write(places as number, MODE_BITS);
    writeRiced(out, plain);
  }
}

/** @throws TocsinError DATA_CORRUPT */
export function readValues(bits: BitReader, count: number): Float64Array {
  const mode = bits.read(MODE_BITS);
  if (mode === XOR) return readXor(bits, count);
  if (mode !== DICTIONARY) return readRiced(bits, count).map((scaled) => scaled / 10 ** mode);
  const length = bits.read(DICTIONARY_BITS);
  if (length * 4 > count) throw new TocsinError('DATA_CORRUPT', `a dictionary of ${length} words`);
  const words = readValues(bits, length);
  return readRiced(bits, count).map((place) => {
    const word = words[place];
    if (word === undefined) throw new TocsinError('DATA_CORRUPT', `no word ${place}`);
    return word;
  });
}

interface Dictionary {
  /** In ascending order. */
  readonly words: Float64Array;
  readonly places: Riced;
  /** All told, roughly. */
  readonly bits: number;
}

/** Undefined when there are so many different values that a dictionary cannot pay. */
function dictionaryOf(values: Float64Array): Dictionary | undefined {
  if (values.length < DICTIONARY_VALUES_MIN) return undefined;
  const sorted = values.slice().sort();
  const words = sorted.filter((value, at) => at === 0 || value !== sorted[at - 1]);
  if (words.length > DICTIONARY_MAX || words.length * 4 > values.length) return undefined;
  const placeOf = new Map<number, number>();
  for (const [place, word] of words.entries()) placeOf.set(word, place);
  const places = riced(values.map((value) => placeOf.get(value) as number));
  return { words, places, bits: places.bits + words.length * WORD_BITS_USUAL };
}

/** The fewest decimal places that give each value back exactly; undefined = none do. */
function placesOf(values: Float64Array): number | undefined {
  let places = 0;
  let scale = 1;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    while (!isWhole(value, scale)) {
      places += 1;
      if (places > PLACES_MAX) return undefined;
      scale = 10 ** places;
      // What was whole at fewer places need not fit at more.
      i = -1;
      break;
    }
  }
  return places;
}

function isWhole(value: number, scale: number): boolean {
  const scaled = Math.round(value * scale);
  return Math.abs(scaled) < SCALED_MAX && scaled / scale === value;
}

/** Differences of whole numbers in zigzag, the first one from 0, and how they are best written. */
interface Riced {
  readonly zigzags: Uint32Array;
  readonly rice: number;
  readonly bits: number;
}

const differencesOf = (values: Float64Array, scale: number): Riced =>
  riced(values.map((value) => Math.round(value * scale)));

function riced(numbers: Float64Array): Riced {
  const zigzags = new Uint32Array(numbers.length);
  let before = 0;
  let sum = 0;
  for (let i = 0; i < numbers.length; i += 1) {
    const difference = (numbers[i] as number) - before;
    before = numbers[i] as number;
    const zigzag = difference >= 0 ? difference * 2 : -difference * 2 - 1;
    zigzags[i] = zigzag;
    if (i > 0) sum += zigzag;
  }
  return { zigzags, ...riceOf(zigzags, sum) };
}

function writeRiced(out: BitWriter, { zigzags, rice }: Riced): void {
  out.write(rice, RICE_BITS);
  for (let i = 0; i < zigzags.length; i += 1)
    if (i === 0) out.write(zigzags[0] as number, 32);
    else writeRice(out, zigzags[i] as number, rice);
}

/** The parameter that needs the fewest bits: at or next to the logarithm of the mean. */
function riceOf(zigzags: Uint32Array, sum: number): { rice: number; bits: number } {
  const mean = sum / Math.max(1, zigzags.length - 1);
  const guess = Math.min(RICE_MAX, Math.max(0, Math.floor(Math.log2(mean + 1e-9))));
  let best = guess;
  let bestBits = Infinity;
  for (const rice of [Math.max(0, guess - 1), guess, Math.min(RICE_MAX, guess + 1)]) {
    let bits = 0;
    for (let i = 1; i < zigzags.length; i += 1) {
      const quotient = (zigzags[i] as number) >>> rice;
      bits += quotient < QUOTIENT_MAX ? quotient + 1 + rice : QUOTIENT_MAX + 32;
    }
    if (bits >= bestBits) continue;
    best = rice;
    bestBits = bits;
  }
  return { rice: best, bits: bestBits };
}

function writeRice(out: BitWriter, value: number, rice: number): void {
  const quotient = value >>> rice;
  if (quotient >= QUOTIENT_MAX) {
    out.ones(QUOTIENT_MAX);
    out.write(value, 32);
    return;
  }
  out.ones(quotient);
  out.write(0, 1);
  out.write(value, rice);
}

function readRiced(bits: BitReader, count: number): Float64Array {
  const rice = bits.read(RICE_BITS);
  if (rice > RICE_MAX) throw new TocsinError('DATA_CORRUPT', `Rice parameter ${rice}`);
  const numbers = new Float64Array(count);
  let number = 0;
  for (let i = 0; i < count; i += 1) {
    const zigzag = i === 0 ? bits.read(32) : readRice(bits, rice);
    number += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    numbers[i] = number;
  }
  return numbers;
}

function readRice(bits: BitReader, rice: number): number {
  const quotient = bits.ones(QUOTIENT_MAX);
  if (quotient === QUOTIENT_MAX) return bits.read(32);
  return quotient * 2 ** rice + bits.read(rice);
}

const scratch = new DataView(new ArrayBuffer(8));
const LEADING_BITS = 5;
const LENGTH_BITS = 6;

/** Per value: 0 = the same; 10 = fits the window of the one before; 11 = a window of its own (leading zeros, length). */
function writeXor(out: BitWriter, values: Float64Array): void {
  let high = 0;
  let low = 0;
  let leading = -1;
  let trailing = 0;
  for (const value of values) {
    scratch.setFloat64(0, value);
    const xorHigh = (scratch.getUint32(0) ^ high) >>> 0;
    const xorLow = (scratch.getUint32(4) ^ low) >>> 0;
    high = scratch.getUint32(0);
    low = scratch.getUint32(4);
    if (xorHigh === 0 && xorLow === 0) {
      out.write(0, 1);
      continue;
    }
    const zeros = Math.min(31, xorHigh === 0 ? 32 + Math.clz32(xorLow) : Math.clz32(xorHigh));
    const tail = xorLow === 0 ? 32 + trailingZeros(xorHigh) : trailingZeros(xorLow);
    if (leading >= 0 && zeros >= leading && tail >= trailing) out.write(0b10, 2);
    else {
      leading = zeros;
      trailing = tail;
      out.write(0b11, 2);
      out.write(leading, LEADING_BITS);
      out.write(64 - leading - trailing - 1, LENGTH_BITS);
    }
    writeWindow(out, xorHigh, xorLow, leading, trailing);
  }
}

const trailingZeros = (word: number): number => 31 - Math.clz32(word & -word);

/** The bits between the leading and the trailing zeros, the high word's first. */
function writeWindow(
  out: BitWriter,
  high: number,
  low: number,
  leading: number,
  trailing: number,
): void {
  const highFrom = Math.max(0, trailing - 32);
  if (leading < 32) out.write(high >>> highFrom, 32 - leading - highFrom);
  if (trailing < 32) out.write(low >>> trailing, Math.min(32, 64 - leading) - trailing);
}

function readXor(bits: BitReader, count: number): Float64Array {
  const values = new Float64Array(count);
  let high = 0;
  let low = 0;
  let leading = -1;
  let trailing = 0;
  for (let i = 0; i < count; i += 1) {
    if (bits.read(1) === 1) {
      if (bits.read(1) === 1) {
        leading = bits.read(LEADING_BITS);
        trailing = 64 - leading - bits.read(LENGTH_BITS) - 1;
      }
      if (leading < 0 || trailing < 0) throw new TocsinError('DATA_CORRUPT', 'a float window');
      const highFrom = Math.max(0, trailing - 32);
      if (leading < 32) high ^= bits.read(32 - leading - highFrom) << highFrom;
      if (trailing < 32) low ^= bits.read(Math.min(32, 64 - leading) - trailing) << trailing;
    }
    scratch.setUint32(0, high >>> 0);
    scratch.setUint32(4, low >>> 0);
    values[i] = scratch.getFloat64(0);
  }
  return values;
}
