/** The model of Linkerd in test/mesh/linkerd against the answers of Linkerd's own controller, webhook and proxies. */
import { expect, test } from 'vitest';
import { describeWith } from '../../harness/needs.ts';
import { takenIn } from '../../mesh/linkerd/admission.ts';
import {
  admissions,
  answerSet,
  lacksAnswers,
  realOf,
  type SvidAnswer,
  svidAnswers,
} from '../../mesh/linkerd/answers.ts';
import { type Verdict, verdictOf } from '../../mesh/linkerd/evaluate.ts';
import { type Connection, meshTls } from '../../mesh/linkerd/tls.ts';

/** The sets, with the number of their requests. */
const SETS: Readonly<Record<string, number>> = {
  agents: 793,
  'agents-ingress': 500,
  authorization: 2400,
  demo: 500,
  'exact-beside-prefix': 800,
  'forty-hosts': 800,
  hosts: 1900,
  identities: 1500,
  'ingress-mode': 800,
  'long-names': 800,
  'many-routes': 1000,
  networks: 1300,
  'one-route': 291,
  paths: 2300,
  precedence: 1800,
  protocols: 1500,
  'shared-workloads': 800,
  siblings: 1200,
  wiki: 800,
};

/** Linkerd's name for the workload of the connections. */
const WORKLOAD = 'default.svid.serviceaccount.identity.linkerd.cluster.local';

/** Server names that the answers describe in words. Any other name is not that of the workload. */
const SERVER_NAMES: Readonly<Record<string, string>> = {
  workload: WORKLOAD,
  'workload in upper case': WORKLOAD.toUpperCase(),
  'workload with a final dot': `${WORKLOAD}.`,
};

/** Whether the certificates that were sent lead to a trust anchor. */
function isTrusted({ trust_anchors: anchors, certificate }: SvidAnswer): boolean {
  if (certificate?.ca === "the trust anchor's intermediate") return certificate.intermediate_sent;
  if (certificate?.ca === 'a second CA') return anchors.includes('a second CA');
  return certificate?.ca === 'the trust anchor itself';
}

function mostTls({ max_tls: most, proxy_ssl_protocols: protocols }: SvidAnswer): number {
  // The nginx of the answers enables TLS 1.3 only if it is named.
  const last = protocols === 'the default' ? '1.2' : protocols?.split('TLSv').at(-1);
  return Number(last ?? most);
}

function connectionOf(answer: SvidAnswer): Connection {
  const { certificate, sni, group } = answer;
  return {
    workload: WORKLOAD,
    ...(sni !== null && { sni: SERVER_NAMES[sni] ?? sni }),
    maxTls: mostTls(answer),
    ...(group !== undefined && { group }),
    ...(certificate !== null && {
      certificate: {
        sans: certificate.sans,
        key: certificate.key,
        isTrusted: isTrusted(answer),
        isValidNow: (certificate.valid_days?.[0] ?? 0) <= 0 && (certificate.valid_days?.[1] ?? 1) > 0,
        ...(certificate.eku !== null && { eku: certificate.eku.split(', ') }),
      },
    }),
  };
}

const REAL: Readonly<Record<string, Verdict>> = {
  200: 'allowed',
  403: 'refused: not authorized',
  closed: 'refused: connection',
  // nginx: the proxy closed the connection.
  502: 'refused: connection',
};

describeWith(lacksAnswers(), 'the model of Linkerd', () => {
  test.each(Object.entries(SETS))('decides each request of %s as real proxies do', (name, count) => {
    const { cluster, requests } = answerSet(name);
    expect(requests).toHaveLength(count);
    const differs = requests.flatMap(({ requested, answered }) => {
      const reported = verdictOf(cluster, requested);
      return reported === realOf(answered) ? [] : [{ reported, answered }];
    });
    expect(differs).toEqual([]);
  });

  test('admits each object that the API server and the webhook accept, and no other', () => {
    const all = admissions();
    expect(all).toHaveLength(297);
    const differs = all.filter(({ object, accepted }) => {
      try {
        takenIn(object);
        return !accepted;
      } catch {
        return accepted;
      }
    });
    expect(differs).toEqual([]);
  });

  test('knows the identity in each certificate, and which connections a proxy closes', () => {
    const { cluster } = answerSet('svid');
    const pod = { namespace: 'svid', labels: { app: 'web' }, port: 8001 };
    const all = svidAnswers();
    // A resumed TLS session keeps the identity of the first certificate.
    const first = all.find((it) => it.proxy_ssl_session_reuse === 'on');
    const differs = all.flatMap((answer) => {
      const sent = answer.proxy_ssl_session_reuse === 'on' ? first : answer;
      const found = answer.no_tls ? {} : meshTls(connectionOf(sent as SvidAnswer));
      const identity = found === 'closed' ? undefined : found.identity;
      const paths = Object.entries(answer.answers).filter(([path, real]) => {
        const requested = { pod, method: 'GET', authority: 'web.test', path };
        const reported =
          found === 'closed'
            ? 'refused: connection'
            : verdictOf(cluster, { ...requested, ...(identity !== undefined && { client: identity }) });
        return reported !== REAL[real];
      });
      const isKnown = (identity ?? null) === answer.identified;
      return paths.length === 0 && isKnown ? [] : [{ answer, found, paths }];
    });
    expect(all.flatMap(({ answers }) => Object.keys(answers))).toHaveLength(995);
    expect(differs).toEqual([]);
  });
});
