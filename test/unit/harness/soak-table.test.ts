import { expect, test } from 'vitest';
import { HEADER, nextLoad, passedBefore, type Row, rowOf, table } from '../../harness/soak-table.ts';

const row: Row = {
  started: new Date('2026-01-02T03:04:05Z'),
  commit: '0123456789',
  parts: 'warm',
  load: 'none',
  prepare: 3,
  suite: 400,
  passed: 7000,
  failed: [],
  skipped: 0,
};

test('a row has one cell for each column', () => {
  expect(rowOf(row).split('\t')).toEqual([
    '2026-01-02T03:04Z',
    '0123456789',
    'warm',
    'none',
    '3',
    '400',
    '7000',
    '0',
    '0',
    '',
  ]);
  expect(HEADER.split('\t').length).toBe(rowOf(row).split('\t').length);
});

test('names of failed tests stay in one cell', () => {
  const cells = rowOf({ ...row, failed: ['a\tb\nc', 'd'] }).split('\t');
  expect([cells[7], cells[9]]).toEqual(['2', 'a b c; d']);
});

test('quiet and busy runs alternate, over calls as well', () => {
  expect(nextLoad('')).toBe('none');
  expect(nextLoad(`${HEADER}\n`)).toBe('none');
  expect(nextLoad(`${HEADER}\n${rowOf(row)}\n`)).toBe('busy');
  expect(nextLoad(`${HEADER}\n${rowOf(row)}\n${rowOf({ ...row, load: 'busy' })}\n`)).toBe('none');
});

test('the table has the names of failed tests below their row', () => {
  const lines = table(`${HEADER}\n${rowOf({ ...row, failed: ['a > b'] })}\n${rowOf(row)}\n`).split('\n');
  expect(lines.length).toBe(4);
  expect(lines[2]).toBe('    a > b');
});

test('runs of a commit are compared with the last good one', () => {
  const rows = [row, { ...row, passed: 6999, failed: ['a'] }, { ...row, commit: 'another', passed: 1 }];
  const text = [HEADER, ...rows.map(rowOf), ''].join('\n');
  expect(passedBefore(text, row.commit)).toBe(7000);
  expect(passedBefore(text, 'none')).toBeUndefined();
  expect(passedBefore(`${HEADER}\n`, row.commit)).toBeUndefined();
});
