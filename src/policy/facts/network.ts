import { isMappedRange, isWithin, type Range, rangeText, readRange } from '../../base/cidr.ts';
import { cidr } from '../forms/addresses.ts';
import { optional } from '../forms/mapping.ts';
import { list } from '../forms/scalars.ts';
import { ADDRESS, type Evaluation, type Operator, REQUEST, type Valued } from './operator.ts';

type Network = Valued<'network', readonly string[]>;

export const evaluation: Evaluation<Network> = {
  on: REQUEST | ADDRESS,
  truth: (fact, context) => context.request?.within(fact.value),
};

/** The ranges of a fact as one text. The table lists these texts, and indexes identify them. */
export const networkName = (ranges: readonly string[]): string => ranges.join(' ');

const keys = () => ({
  network: optional(
    { decides: 'request', team: { may: 'networks' } },
    list(cidr, '[10.9.0.0/24]'),
    'The client’s address is in one of these ranges.',
  ),
});

export const operator: Operator<Network, typeof keys> = {
  keys,
  text: ({ value }) => `network ${value.join(', ')}`,
  unsaid: () => 'the address is not given',
  never: ({ network = [] }) => {
    const ranges = network.map((range) => (range === undefined ? undefined : readRange(range)));
    return network.flatMap((range, index) => {
      const message = range && rangeMistake(range, ranges[index], ranges.slice(0, index));
      return message === undefined ? [] : [{ path: ['network', index], message }];
    });
  },
};

function rangeMistake(written: string, range: Range | undefined, before: readonly (Range | undefined)[]) {
  if (range === undefined) return `"${written}" is not a range of addresses; write 10.9.0.0/24 or fd00::/8`;
  if (isMappedRange(range)) {
    const plain = rangeText({ bytes: range.bytes.slice(12), length: range.length - 96 });
    return `no client has such an address; write ${plain}`;
  }
  const address = readRange(written.replace(/\/[\s\S]*$/, range.bytes.length === 4 ? '/32' : '/128'));
  if (address?.bytes.some((byte, i) => byte !== range.bytes[i])) {
    return `the bits after the first ${range.length} have no effect; write ${rangeText(range)}`;
  }
  const around = before.find((it) => it !== undefined && isWithin(range.bytes, it, range.length));
  return around === undefined ? undefined : `no effect: ${rangeText(around)} contains this range; remove it`;
}
