import { TocsinError } from '../../src/base/errors.ts';

/** The words of a line as a POSIX shell splits them: quotes and backslashes, nothing else. @throws TocsinError USAGE */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === undefined && (char === "'" || char === '"')) {
      quote = char;
      word ??= '';
    } else if (char === quote) {
      quote = undefined;
    } else if (char === '\\' && quote !== "'") {
      at += 1;
      if (at >= line.length) throw new TocsinError('USAGE', 'the line ends with a backslash');
      word = (word ?? '') + line.charAt(at);
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== undefined) throw new TocsinError('USAGE', `there is no second ${quote}`);
  if (word !== undefined) words.push(word);
  return words;
}
