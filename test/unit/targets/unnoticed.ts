import type { MeshKind } from '../../../src/policy/checked/types.ts';

/** A change of one field that means the same to the mesh, so that `prove` still says yes. */
export interface Unnoticed {
  /** The field, as docs/prove.md names it. */
  readonly field: string;
  /** Matches the file and the path of the field. */
  readonly at: RegExp;
  /** Matches the old value as JSON; absent: any. */
  readonly was?: RegExp;
  readonly why: string;
}

const ANNOTATION: Unnoticed = {
  field: 'metadata.annotations',
  at: /\/metadata\/annotations\/meshgate\/rules$/,
  why: 'it names rules of the policy for people who read the object',
};

/** A tool of a rule that also has a shorter beginning of the same names. */
const NARROWER = 'the same rule has a shorter beginning of the same names, so the longer one allows nothing more';

/** Every field that may change without a "no" or "not proven", with the reason. Written by hand. */
export const UNNOTICED: Readonly<Record<MeshKind, readonly Unnoticed[]>> = {
  istio: [
    ANNOTATION,
    {
      field: 'AuthorizationPolicy.spec.rules[].to[].operation.notPaths[]',
      at: /\/spec\/rules\/1\/to\/0\/operation\/notPaths\/1$/,
      was: /^"\/in\/\*"$/,
      why: 'another rule allows the same callers the same requests at the excluded path',
    },
    {
      field: 'AuthorizationPolicy.spec.rules[].when[].values[]',
      at: /\/spec\/rules\/\d+\/when\/\d+\/values\/\d+$/,
      was: /^"search_\*"$/,
      why: NARROWER,
    },
  ],
  envoy: [
    {
      field: 'RBAC.rules.policies.*.permissions[]…header.string_match.prefix',
      at: /\/policies\/w\.test\/\*#3\.2\/permissions\/.*\/or_rules\/rules\/1(\/and_rules\/rules\/0\/header\/string_match\/prefix)?$/,
      was: /^("search_"$|\{"and_rules":\{"rules":\[\{"header":\{"name":"mcp-name","string_match":\{"prefix":"se)/,
      why: NARROWER,
    },
  ],
  linkerd: [
    {
      field: 'AuthorizationPolicy.metadata.name',
      at: /\/metadata\/name$/,
      was: /^"meshgate-[\w-]+\.(allow\.ingress|refuse)"$/,
      why: 'the name of a policy, or of a route that denies requests, decides nothing',
    },
  ],
  consul: [
    {
      field: 'service-defaults Meta',
      at: /^service-defaults\.\w+\.json.*\/Meta(\/managed-by)?$/,
      why: 'it is for people',
    },
  ],
};
