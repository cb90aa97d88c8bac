import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const from = (network: string) => ({ network });
const url = (host: string) => `https://${host}.example.com/`;

export const sample: Sample = {
  shape:
    'manifests that restrict access by address alone: an allow list with single addresses and ranges, a deny list, both together, and the allow list of the ConfigMap, which an annotation replaces',
  command: 'ingress-nginx',
  files: {
    'ingress.yaml': [
      ingress('office', { 'whitelist-source-range': '192.0.2.0/24, 198.51.100.7' }, [
        ['office.example.com', '/', 'wiki'],
      ]),
      ingress('noisy', { 'denylist-source-range': '203.0.113.0/24', 'whitelist-source-range': '0.0.0.0/0' }, [
        ['noisy.example.com', '/', 'blog'],
      ]),
      ingress('mixed', { 'whitelist-source-range': '192.0.2.0/24', 'denylist-source-range': '192.0.2.66' }, [
        ['mixed.example.com', '/', 'wiki'],
      ]),
      ingress('usual', {}, [['usual.example.com', '/', 'wiki']]),
      `---
apiVersion: v1
kind: ConfigMap
metadata: { name: ingress-nginx-controller, namespace: ingress-nginx }
data: { whitelist-source-range: "10.9.0.0/16", hsts: "false", worker-processes: "4" }
`,
    ].join(''),
  },
  cases: [
    { as: from('192.0.2.9'), url: url('office'), before: 'passes' },
    { as: from('198.51.100.7'), url: url('office'), before: 'passes' },
    { as: from('198.51.100.8'), url: url('office'), before: 'refused' },
    { as: from('10.9.1.1'), url: url('office'), before: 'refused' },
    { as: from('198.51.100.8'), url: url('noisy'), before: 'passes' },
    { as: from('203.0.113.7'), url: url('noisy'), before: 'refused' },
    { as: from('192.0.2.65'), url: url('mixed'), before: 'passes' },
    { as: from('192.0.2.66'), url: url('mixed'), before: 'refused' },
    { as: from('198.51.100.8'), url: url('mixed'), before: 'refused' },
    { as: from('10.9.1.1'), url: url('usual'), before: 'passes' },
    { as: from('192.0.2.9'), url: url('usual'), before: 'refused' },
  ],
  lists: [
    ['apps/office whitelist-source-range', /origin/],
    ['ConfigMap worker-processes', /setting of the controller/],
  ],
};
