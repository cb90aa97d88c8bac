import { type Path, quote } from '../../forms/path.ts';
import type { Report } from '../../read/report.ts';
import { MAX_PARAMETERS, PARAMETER } from '../../schema/signin-parameters.ts';

const GATEWAY = 'the gateway sets it for each sign-in; remove it';
const TOKEN = 'it belongs to the token endpoint, and the browser must not see it; remove it';
const SECRET = 'it is a secret, and the browser must not see it; remove it';
const KEY = (key: string) => `write ${key} next to parameters instead`;
const REQUEST = 'it would replace the request of the gateway; remove it (par: true pushes the request to the provider)';

/** Why a policy may not set a parameter, by its name in lower case. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['response_type', 'client_id', 'redirect_uri', 'state', 'nonce'].map((name) => [name, GATEWAY] as const),
  ...['code_challenge', 'code_challenge_method', 'login_hint'].map((name) => [name, GATEWAY] as const),
  ...['code', 'code_verifier', 'grant_type', 'refresh_token', 'client_secret'].map((name) => [name, TOKEN] as const),
  ...['client_assertion', 'client_assertion_type'].map((name) => [name, TOKEN] as const),
  ...['password', 'assertion', 'token', 'access_token', 'id_token'].map((name) => [name, SECRET] as const),
  ...['request', 'request_uri', 'registration'].map((name) => [name, REQUEST] as const),
  ['scope', KEY('scopes: […]')],
  ['prompt', KEY('prompt')],
  ['max_age', KEY('max_age')],
  ['acr_values', KEY('acr_values: […]')],
  ['response_mode', 'the gateway reads the answer of the provider in the query only; remove it'],
  ['iss', 'it belongs to signed requests, which the gateway does not send; remove it'],
  ['id_token_hint', 'it is a token of one person; remove it'],
  ['dpop_jkt', 'the gateway has no DPoP key at the provider, so no code could be redeemed; remove it'],
]);

/** Checks the names of parameters. Some providers compare names without case, so the check does, too. */
export function checkParameters(report: Report, path: Path, written: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(written);
  if (names.length > MAX_PARAMETERS)
    report.key(path, `more than ${MAX_PARAMETERS} parameters; keep those that the provider needs`);
  const seen = new Set<string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    const why = REFUSED.get(lower);
    if (why !== undefined) report.key([...path, name], `no policy can set ${quote(name)}: ${why}`);
    else if (!PARAMETER.test(name)) {
      report.key([...path, name], 'not the name of a parameter; write letters, digits and . _ : -, a letter first');
    } else if (seen.has(lower)) {
      report.key([...path, name], 'another parameter has this name in another case; keep one of the two');
    }
    seen.add(lower);
  }
}
