import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMappedRange, isWithin, rangeText, readAddress, readRange } from '../../src/base/cidr.ts';
import { holds } from '../harness/property.ts';

const within = (address: string, range: string) => isWithin(readAddress(address)!, readRange(range)!);

describe('addresses and ranges', () => {
  test.each([
    ['10.9.0.7', '10.9.0.0/24', true],
    ['10.9.1.7', '10.9.0.0/24', false],
    ['10.9.0.7', '10.9.0.7/32', true],
    ['255.255.255.255', '128.0.0.0/1', true],
    ['fd00::7', 'fd00::/8', true],
    ['fe80::7', 'fd00::/8', false],
    ['::ffff:10.9.0.7', '10.9.0.0/24', true],
    ['::1', '0.0.0.0/1', false],
    ['10.0.0.1', 'fd00::/8', false],
  ])('%s in %s: %s', (address, range, wanted) => {
    expect(within(address, range)).toBe(wanted);
  });

  test.each([
    '10.9.0',
    '10.9.0.256',
    '01.2.3.4',
    '::1::',
    ':::',
    'fd00:',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    '',
  ])('%s is not an address', (text) => expect(readAddress(text)).toBeUndefined());

  test.each(['10.9.0.0', '10.9.0.0/33', 'fd00::/129', '10.9.0.0/x', '10.9.0.0/8/8'])('%s is not a range', (text) =>
    expect(readRange(text)).toBeUndefined(),
  );

  test.each([
    ['10.9.0.7/24', '10.9.0.0/24'],
    ['FD00:0:0::5/16', 'fd00::/16'],
    ['2001:db8:1:2:3:4:5:6/128', '2001:db8:1:2:3:4:5:6/128'],
    ['2001:db8:0:0:1::/80', '2001:db8:0:0:1::/80'],
    ['1:2:3:4:5:6:7::/112', '1:2:3:4:5:6:7:0/112'],
  ])('%s is %s', (text, plain) => {
    expect(rangeText(readRange(text)!)).toBe(plain);
    expect(readRange(plain)).toEqual(readRange(text));
  });

  test('a range of mapped addresses', () => {
    expect(isMappedRange(readRange('::ffff:10.0.0.0/104')!)).toBe(true);
    expect(isMappedRange(readRange('::/8')!)).toBe(false);
  });

  test('as Node has it', () => {
    const length = fc.integer({ min: 1, max: 32 });
    holds(
      fc.property(fc.ipV4(), fc.ipV4(), length, (address, net, bits) => {
        const list = new BlockList();
        list.addSubnet(net, bits, 'ipv4');
        expect(within(address, `${net}/${bits}`)).toBe(list.check(address, 'ipv4'));
      }),
    );
    holds(
      fc.property(fc.ipV6(), fc.ipV6(), fc.integer({ min: 1, max: 128 }), (address, net, bits) => {
        const list = new BlockList();
        list.addSubnet(net, bits, 'ipv6');
        const read = readAddress(address)!;
        if (read.length === 16) expect(isWithin(read, readRange(`${net}/${bits}`)!)).toBe(list.check(address, 'ipv6'));
      }),
    );
  });
});
