import type { Loaded } from '../common/load.ts';
import type { Ask, Outgoing } from '../machine/http.ts';

/** The groups of a Confluence Data Center, as its REST API lists them. */

/** How to reach Confluence, and who asks. */
export type Access = Pick<Outgoing, 'address' | 'port' | 'tls' | 'name' | 'authority' | 'ca'> & {
  /** The context path, such as `/confluence`, or nothing. */
  readonly base: string;
  /** A personal access token. */
  readonly token: string;
};

/** Why Confluence's answer is of no use; it never contains the token. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

interface Page {
  readonly results: readonly { readonly name?: unknown; readonly username?: unknown; readonly userKey?: unknown }[];
  readonly limit?: unknown;
  readonly _links?: { readonly next?: unknown };
}

/** Confluence may give fewer. */
const PER_PAGE = 200;
const MOST_PAGES = 1000;
const LARGEST_PAGE = 4 * 1024 * 1024;

function pageOf(text: string): Page | undefined {
  try {
    const page = JSON.parse(text) as Page | null;
    return Array.isArray(page?.results) ? page! : undefined;
  } catch {
    return undefined;
  }
}

async function fetchPage(ask: Ask, { base, token, ...address }: Access, path: string, start: number): Promise<Page> {
  const answer = await ask({
    ...{ ...address, method: 'GET', target: `${base}${path}?start=${start}&limit=${PER_PAGE}`, maxBody: LARGEST_PAGE },
    headers: { Accept: 'application/json', Authorization: `Bearer ${token}` },
  });
  if ('error' in answer) {
    const { tls, authority } = address;
    throw new NoAnswer(`${tls ? 'https' : 'http'}://${authority}${base}${path}: no answer: ${answer.error}`);
  }
  // A token that is not valid makes an anonymous caller.
  if (answer.headers['x-ausername'] === 'anonymous' || answer.status === 401) {
    throw new NoAnswer(`${path}: ${answer.status}: Confluence does not know the token`);
  }
  if (answer.status !== 200) throw new NoAnswer(`${path}: ${answer.status}: use the token of an administrator`);
  const page = pageOf(answer.body);
  if (page === undefined) throw new NoAnswer(`${path}: the answer is not a list: is this the address of Confluence?`);
  return page;
}

/** All elements of a list. A page may be shorter than asked: the next one begins where this one ends. */
async function fetchAll(ask: Ask, access: Access, path: string): Promise<Page['results']> {
  const all: Page['results'][number][] = [];
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const { results, limit, _links } = await fetchPage(ask, access, path, all.length);
    all.push(...results);
    const isFull = typeof limit === 'number' && results.length >= limit;
    if (results.length === 0 || !(isFull || typeof _links?.next === 'string')) return all;
  }
  throw new NoAnswer(`${path}: more than ${MOST_PAGES} pages`);
}

/** The names of all groups. */
export async function groupsOf(ask: Ask, access: Access): Promise<readonly string[]> {
  const all = await fetchAll(ask, access, '/rest/api/group');
  return all.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}

/** How many accounts are in a group. */
export async function membersOf(ask: Ask, access: Access, group: string): Promise<number> {
  return (await fetchAll(ask, access, `/rest/api/group/${encodeURIComponent(group)}/member`)).length;
}

/** Ends of the names of roles that the profile `confluence` makes for itself. They are no groups of Confluence. */
const OWN = /-(?:console|break-glass|links)$/;

/** The names of groups that rules of a host name as roles. */
export function groupNames({ policy, rules }: Loaded, host: string): readonly string[] {
  const named = rules.flatMap(({ host: at, who }) => (at === host && who.kind === 'role' ? [who.role] : []));
  const groups = named.map((role) => {
    const group = role.replace(OWN, '');
    return Object.hasOwn(policy.roles, group) ? group : role;
  });
  return [...new Set(groups)].sort();
}

export interface Drift {
  /** Groups that policy and Confluence have. */
  readonly both: readonly string[];
  /** Roles of the policy that are no group of Confluence. */
  readonly missing: readonly string[];
  /** Groups of Confluence that no role of the policy gives. */
  readonly notGiven: readonly string[];
}

/** Compares names. Confluence's groups have no upper case. */
export function compareGroups(roles: readonly string[], groups: readonly string[]): Drift {
  const known = new Set(groups.map((it) => it.toLowerCase()));
  const given = new Set(roles.map((it) => it.toLowerCase()));
  return {
    both: roles.filter((it) => known.has(it.toLowerCase())),
    missing: roles.filter((it) => !known.has(it.toLowerCase())),
    notGiven: [...groups.filter((it) => !given.has(it.toLowerCase()))].sort(),
  };
}
