import { expect } from 'vitest';
import { formatError, type Policy, parsePolicy } from '../../../src/policy/index.ts';

/** A small policy that tests give overlays and variables. */
export const BASE = `version: 1
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki], subject: { prefix: okta- } }
roles:
  staff: { group: staff, provider: okta }
  editor: { group: editors }
services:
  wiki: { url: https://wiki.internal:8443, ca_file: /run/wiki/ca.pem }
headers:
  X-User: subject
  X-Role: { first_role: { editor: Editor, staff: Staff }, else: Viewer }
hosts:
  wiki.example.com:
    /*:
      service: wiki
      allow: [staff, editor]
    /rest/*:
      service: wiki
      allow: [editor]
`;

/** What a stage sets: the texts of its overlays, by name, and its variables. */
export interface Given {
  readonly overlays?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

const read = (text: string, { overlays = {}, variables = {} }: Given) =>
  parsePolicy(text, 'm.yaml', {
    overlays: Object.entries(overlays).map(([name, it]) => ({ name, text: it })),
    variables: new Map(Object.entries(variables)),
  });

export function policyOf(text: string, given: Given): Policy {
  const { policy, errors } = read(text, given);
  expect(errors.map(formatError)).toEqual([]);
  return policy as Policy;
}

export function errorsOf(text: string, given: Given): readonly string[] {
  return read(text, given).errors.map(formatError);
}
