/** One text for the ranges of a fact. The list of networks in the table has a place for it. */
export const networkName = (ranges: readonly string[]): string => ranges.join(' ');
