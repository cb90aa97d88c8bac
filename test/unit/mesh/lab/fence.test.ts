import { describe, expect, test } from 'vitest';
import { LogBuffer } from '../../../harness/logs.ts';
import { Fences } from '../../../mesh/lab/fence.ts';
import type { Istiod, Kube, KubeObject } from '../../../mesh/lab/index.ts';

/** An API server that records the written objects, and an istiod whose log the test writes. */
function mesh() {
  const written: string[] = [];
  const logs = new LogBuffer();
  const kube = { apply: async ({ kind }: KubeObject) => written.push(kind) };
  const fences = new Fences(kube as unknown as Kube, { box: { logs } } as unknown as Istiod);
  const says = (kind: string) =>
    logs.add(`debug\tpush\tpush triggered configs=[${kind}/lab-fence/fence] reasons=[config]\n`);
  return { written, fences, says };
}

const object = (kind: string, apiVersion = 'security.istio.io/v1'): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'one', namespace: 'wiki' },
});

/** Waits until everything is done that does not need istiod. */
const soon = () => new Promise((resolve) => setImmediate(resolve));

async function isOver(passed: Promise<unknown>): Promise<boolean> {
  await soon();
  return Promise.race([passed.then(() => true), soon().then(() => false)]);
}

describe('a fence', () => {
  test('is passed once istiod reports each kind that changed', async () => {
    const { fences, says, written } = mesh();
    const passed = fences.pass([object('AuthorizationPolicy'), object('PeerAuthentication')]);
    expect(await isOver(passed)).toBe(false);
    expect(written).toEqual(['AuthorizationPolicy', 'PeerAuthentication']);
    says('PeerAuthentication');
    expect(await isOver(passed)).toBe(false);
    says('AuthorizationPolicy');
    await passed;
  });

  test('that was passed says nothing about later changes', async () => {
    const { fences, says, written } = mesh();
    const first = fences.pass([object('AuthorizationPolicy')]);
    await soon();
    const [second, third] = [1, 2].map(() => fences.pass([object('AuthorizationPolicy')]));
    says('AuthorizationPolicy');
    await first;
    expect(await isOver(second!)).toBe(false);
    // One for both: neither was written before both asked.
    expect(written).toHaveLength(2);
    says('AuthorizationPolicy');
    await Promise.all([second, third]);
  });

  test('is not needed for objects that istiod does not read as its own, nor for the kind of the mark', async () => {
    const { fences, written } = mesh();
    await fences.pass([object('Secret', 'v1'), object('EnvoyFilter', 'networking.istio.io/v1alpha3')]);
    expect(written).toEqual([]);
  });

  test('for a kind without one is an error', async () => {
    await expect(mesh().fences.pass([object('WasmPlugin')])).rejects.toThrow('fence.ts has no fence for a WasmPlugin');
  });
});
