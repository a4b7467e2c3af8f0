import { Document, isScalar, visit } from 'yaml';
import { isPrintable, printableJson } from './escape.ts';

/** A YAML document, safe for a terminal: texts with characters that nobody sees are double-quoted and escaped as in JSON. */
export function toSafeYaml(value: unknown): string {
  const document = new Document(JSON.parse(JSON.stringify(value)), {
    aliasDuplicateObjects: false,
  });
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && typeof node.value === 'string' && !isPrintable(node.value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return printableJson(document.toString({ lineWidth: 0 }));
}
