/** What is wrong, of a message of the YAML reader: below it comes the place, drawn. */
export const firstLine = (message: string): string =>
  message.split('\n', 1)[0]?.replace(/:$/, '') ?? '';
