/** One text for the ranges of a fact: what the vector of networks has a place for. */
export const networkName = (ranges: readonly string[]): string => ranges.join(' ');
