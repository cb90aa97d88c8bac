import { MAX_ROLE_LEVELS } from '../../forms/bounds.ts';
import type { Path } from '../../forms/path.ts';
import type { DraftPolicy } from '../../read/draft.ts';
import { allFacts, type FactAt, roleFacts } from '../../read/draft-facts.ts';
import type { Report } from '../../read/report.ts';
import { find, hole, replace } from '../../read/tree.ts';

/** A place where a role's fact names another role. */
interface Step {
  readonly to: string;
  readonly path: Path;
  readonly around: number;
}

interface Own {
  /** The roles that the fact names. A wrong reference is removed here and from the tree. */
  readonly steps: readonly Step[];
  readonly levels: number;
}

type Roles = Map<string, Own>;

/** Checks that no role depends on itself or is nested too deeply. It removes wrong references: code that follows them
 * might never end. */
export function checkRoleSteps(report: Report, draft: DraftPolicy): void {
  const roles: Roles = new Map(roleFacts(draft).map((fact) => [fact.role, ownOf(fact)]));
  checkCycles(report, roles, sorted(roles).others);
  checkLevels(report, roles, sorted(roles).order);
}

/** The number of levels around a fact of a role. `any` and the index after it are one level. */
const levelsAround = (path: Path): number => (path.length - 2) / 2;

/** The steps of one role. Its own levels are few, because a file is not nested so deeply. */
function ownOf(role: FactAt): Own {
  const steps: Step[] = [];
  let levels = 0;
  for (const { fact, path } of allFacts(role)) {
    const around = levelsAround(path);
    levels = Math.max(levels, around);
    if (typeof fact === 'string') steps.push({ to: fact, path, around });
  }
  return { steps, levels };
}

function takeOut(report: Report, path: Path): void {
  // The reference counts as a use of this name, because another role may have been meant.
  report.mention(find(report.tree, path) ?? hole(0));
  report.lack('role');
  replace(report.tree, path, hole(0));
}

/** Sorts roles so that each comes after those that it names. `others` depend on themselves, or on such a role. */
function sorted(roles: Roles): { readonly order: readonly string[]; readonly others: readonly string[] } {
  const waiting = new Map<string, number>();
  const naming = new Map<string, string[]>();
  for (const [role, { steps }] of roles) {
    const named = new Set(steps.map(({ to }) => to).filter((to) => roles.has(to)));
    waiting.set(role, named.size);
    for (const to of named) {
      const by = naming.get(to) ?? [];
      by.push(role);
      naming.set(to, by);
    }
  }
  const order = [...roles.keys()].filter((role) => waiting.get(role) === 0);
  // The loop adds roles to this list and visits them, too.
  for (const role of order) {
    for (const other of naming.get(role) ?? []) {
      const left = (waiting.get(other) as number) - 1;
      waiting.set(other, left);
      if (left === 0) order.push(other);
    }
  }
  return { order, others: [...roles.keys()].filter((role) => waiting.get(role) !== 0) };
}

/** Reports a cycle at its first role, at the place where this role names the next one. */
function checkCycles(report: Report, roles: Roles, names: readonly string[]): void {
  const through = new Set(names);
  for (const name of names) {
    for (let next = checkCycle(report, roles, through, name); next; next = checkCycle(report, roles, through, name)) {
      const { steps, levels } = roles.get(name) as Own;
      roles.set(name, { steps: steps.filter(({ to }) => to !== next), levels });
    }
    through.delete(name);
  }
}

/** Returns the role whose reference is wrong. */
function checkCycle(report: Report, roles: Roles, through: ReadonlySet<string>, name: string): string | undefined {
  const cycle = findCycle(roles, through, name);
  const wrong = roles.get(name)?.steps.filter(({ to }) => to === cycle?.[1]) ?? [];
  if (cycle === undefined || wrong[0] === undefined) return undefined;
  report.add(wrong[0].path, `the role depends on itself: ${inWords(cycle)}; remove one of these steps`);
  for (const { path } of wrong) takeOut(report, path);
  return cycle[1];
}

/** The shortest way from a role back to itself that uses only the given roles. */
function findCycle(roles: Roles, through: ReadonlySet<string>, start: string): readonly string[] | undefined {
  const before = new Map<string, string>();
  const reached = [start];
  for (const role of reached) {
    for (const { to } of roles.get(role)?.steps ?? []) {
      if (to === start) return wayTo(role, start, before);
      if (!through.has(to) || before.has(to)) continue;
      before.set(to, role);
      reached.push(to);
    }
  }
  return undefined;
}

function wayTo(last: string, start: string, before: ReadonlyMap<string, string>): readonly string[] {
  const way = [start, last];
  for (let role = last; role !== start; ) {
    role = before.get(role) as string;
    way.push(role);
  }
  return last === start ? [start, start] : way.reverse();
}

/** Checks the depth of roles: a role is evaluated inside the role that names it. Reports only the innermost role. */
function checkLevels(report: Report, roles: Roles, order: readonly string[]): void {
  const levels = new Map<string, number>();
  const next = new Map<string, string>();
  const tooDeep = new Set<string>();
  for (const role of order) {
    const { steps, levels: nested } = roles.get(role) as Own;
    let deepest = nested;
    for (const { to, path, around } of steps) {
      const own = around + 1 + (levels.get(to) ?? 0);
      const known = tooDeep.has(to);
      if (known || own > MAX_ROLE_LEVELS) tooDeep.add(role);
      if (own > MAX_ROLE_LEVELS) {
        const way = inWords([role, ...wayFrom(to, next)]);
        const message = `the role depends on ${own} levels of roles, any, all and none, but at most ${MAX_ROLE_LEVELS} are allowed: ${way}`;
        if (!known) report.add(path, message);
        takeOut(report, path);
      } else if (own > deepest) {
        deepest = own;
        next.set(role, to);
      }
    }
    levels.set(role, deepest);
  }
}

/** The longest chain of references that begins at a role. */
function wayFrom(role: string, next: ReadonlyMap<string, string>): readonly string[] {
  const way = [role];
  for (let to = next.get(role); to !== undefined; to = next.get(to)) way.push(to);
  return way;
}

/** The text for a chain of roles. Of a long chain it contains only both ends. */
const inWords = (way: readonly string[]): string =>
  (way.length > 12 ? [...way.slice(0, 6), '…', ...way.slice(-5)] : way).join(' → ');
