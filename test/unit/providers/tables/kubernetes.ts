import { claims, common, type KindTable } from './table.ts';

const issuer = 'https://kubernetes.default.svc.cluster.local';

const bound = {
  namespace: 'ci',
  node: { name: 'node-7', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
  pod: { name: 'deployer-6b8f4d9c7-x2x9p', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
  serviceaccount: { name: 'deployer', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
};

export const kubernetes: KindTable = {
  provider: { issuer, audiences: ['wiki'] },
  role: {
    all: [
      { claim: 'kubernetes.io.namespace', is: 'ci' },
      { claim: 'kubernetes.io.serviceaccount.name', is: 'deployer' },
    ],
  },
  header: {},
  claims: (now) => ({
    aud: ['wiki'],
    exp: now + 3540,
    iat: now - 60,
    iss: issuer,
    jti: 'ea28ed49-2e11-4280-9ec5-bc3d1d84661a',
    'kubernetes.io': bound,
    nbf: now - 60,
    sub: 'system:serviceaccount:ci:deployer',
  }),
  passes: [
    {
      name: 'of kubectl create token',
      claims: { 'kubernetes.io': { namespace: 'ci', serviceaccount: bound.serviceaccount } },
    },
    { name: 'for several', claims: { aud: ['https://kubernetes.default.svc', 'wiki'] } },
  ],
  misses: [
    ...common(),
    claims('of another cluster', 'issuer_unknown', {
      iss: 'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633',
    }),
    claims('of an issuer by its short name', 'issuer_unknown', { iss: 'https://kubernetes.default.svc' }),
    claims(
      'for the API server',
      'audience_mismatch',
      { aud: ['https://kubernetes.default.svc'] },
      'a projected volume',
    ),
    claims(
      'of a Secret',
      'issuer_unknown',
      {
        ...{ iss: 'kubernetes/serviceaccount', exp: undefined, aud: undefined, 'kubernetes.io': undefined },
        ...{
          'kubernetes.io/serviceaccount/namespace': 'ci',
          'kubernetes.io/serviceaccount/service-account.name': 'deployer',
        },
      },
      'stored in a Secret and never expires',
    ),
    claims(
      'of a Secret with a new issuer',
      'claim_absent',
      { exp: undefined, aud: undefined },
      'a token that is stored in a Secret never expires',
    ),
    claims('of another namespace', 'role_missing', {
      'kubernetes.io': { ...bound, namespace: 'default' },
      sub: 'system:serviceaccount:default:deployer',
    }),
    claims('of another service account', 'role_missing', {
      'kubernetes.io': { ...bound, serviceaccount: { ...bound.serviceaccount, name: 'default' } },
    }),
    claims('that is bound to nothing', 'role_missing', { 'kubernetes.io': undefined }),
    claims('that is bound to a text', 'role_missing', { 'kubernetes.io': 'ci' }),
    claims('with what is bound one level deeper', 'role_missing', { 'kubernetes.io': { bound } }),
    claims('with the names of old', 'role_missing', {
      'kubernetes.io': undefined,
      'kubernetes.io/serviceaccount/namespace': 'ci',
    }),
    claims('with a namespace in parts of the name', 'role_missing', {
      'kubernetes.io': undefined,
      kubernetes: { io: { namespace: 'ci-2', serviceaccount: bound.serviceaccount } },
    }),
  ],
};
