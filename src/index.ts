/** The public surface of the package: today what `tocsin/client` is. */
export * from './client/index.ts';
