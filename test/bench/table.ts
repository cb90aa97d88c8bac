import { ablationRows } from './ablation.ts';
import { type Bound, bounds, type Numbers, verdictOf } from './bounds.ts';
import { sizes as offlineSizes, offlineTargets, proveKey, renderKey } from './offline.ts';
import { systems } from './systems.ts';

/** Rows of cells as text: the first column to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

/** CPU per request: each system, and its cost relative to the hop. */
function cpuRows(numbers: Numbers, spreads: Numbers): string[][] {
  const hop = numbers['hop.cpu_us'];
  return systems.flatMap((system) => {
    const { key, label } = system;
    if ('part' in system) return [];
    const value = numbers[`${key}.cpu_us`];
    if (value === undefined) return [];
    const beside = hop === undefined ? ['', ''] : [(value / hop).toFixed(2), signed(value - hop)];
    return [[label, value.toFixed(1), ...beside, `${(spreads[key]! * 100).toFixed(0)} %`]];
  });
}

function signed(value: number): string {
  return value < 0 ? value.toFixed(1) : `+${value.toFixed(1)}`;
}

const sizes = [
  ['inflight.kb', 'a slow request in flight, over bare', 'KB'],
  ['streams.kb', 'an open event stream, over bare', 'KB'],
  ['sockets.kb', 'an open WebSocket, over bare', 'KB'],
  ['worker_10k.mb', 'worker with 10,000 tokens seen (RSS with dictionaries)', 'MB'],
  ['growth_500k.kb', 'growth of the worker over 500,000 requests', 'KB'],
  ['identities100.mb', 'worker with 100 identities, over one', 'MB'],
  ['bundle.kb', 'the bundle', 'KB'],
] as const;

function sizeRows(numbers: Numbers): string[][] {
  return sizes.flatMap(([key, label, unit]) => (key in numbers ? [[label, `${numbers[key]} ${unit}`]] : []));
}

/** The commands on large policies: seconds of CPU. */
function offlineRows(numbers: Numbers): string[][] {
  return offlineSizes.flatMap(({ rules }) =>
    offlineTargets.flatMap((target) => {
      const [render, prove] = [numbers[renderKey(target, rules)], numbers[proveKey(target, rules)]];
      if (render === undefined || prove === undefined) return [];
      return [[`200 routes, 50 roles, ${rules} rules: ${target}`, render.toFixed(2), prove.toFixed(2)]];
    }),
  );
}

function boundRow(bound: Bound, numbers: Numbers): string[] {
  const value = bound.measured(numbers);
  return [bound.text, value?.toFixed(bound.digits) ?? '-', `<= ${bound.limit}`, verdictOf(bound, numbers)];
}

/**
 * All results of a run, as text.
 *
 * @param spreads distance of the extremes of a system's rounds, as a part of its median
 */
export function table(numbers: Numbers, spreads: Numbers): string {
  const cpu = cpuRows(numbers, spreads);
  const ablation = ablationRows(numbers);
  const offline = offlineRows(numbers);
  const sizes = sizeRows(numbers);
  const parts = [
    ...(cpu.length > 0 ? [[['CPU of the worker per request', 'µs', 'x hop', 'over hop', 'spread'], ...cpu]] : []),
    ...(ablation.length > 0 ? [ablation] : []),
    [['memory and size', ''], ...sizes],
    ...(offline.length > 0 ? [[['the command, CPU', 'render, s', 'prove, s'], ...offline]] : []),
    [['bound', 'measured', 'limit', 'holds'], ...bounds.map((bound) => boundRow(bound, numbers))],
  ];
  return parts.map(columns).join('\n\n');
}
