import fc from 'fast-check';

/** Code points with a meaning for most readers of text: controls, ASCII, the rest of Latin, line ends. */
const TELLING = [
  ...Array.from({ length: 0x180 }, (_, point) => point),
  ...[0x2028, 0x2029, 0xfeff, 0xfffd, 0xffff, 0x10000, 0x10ffff],
];

/** Every code point but half surrogates, which no UTF-8 has. */
const point = fc.oneof(
  fc.constantFrom(...TELLING),
  fc.integer({ min: 0, max: 0xd7ff }),
  fc.integer({ min: 0xe000, max: 0x10ffff }),
);

/**
 * Any text, as from `fc.string({ unit: 'binary' })`, which first builds a table of a million code points and takes
 * longer than most tests do.
 */
export const anyText = (constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.array(point, constraints).map((points) => String.fromCodePoint(...points));
