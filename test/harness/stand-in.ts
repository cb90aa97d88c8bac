import type { Files } from './policy.ts';

/**
 * JavaScript that replaces the gateway's, so that a test sees how nginx itself handles a request. The check answers as
 * the request's `Authorization` says, in JSON: `{"Status":"401","Signin":"in"}` are its `X-Meshgate-` headers or fields
 * of `X-Meshgate-Caller`, and without a status it allows the request. The service receives the check's input as
 * `X-Forwarded-User`. Handlers of the sign-in answer with their input; that of the back-channel makes a call if the body
 * is JSON.
 */
export interface Told {
  readonly handler: string;
  readonly uri: string;
  readonly args?: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Characters of the body. */
  readonly length: number;
  readonly body?: string;
}

const check = `
function told(headers) {
  return encodeURIComponent(JSON.stringify(headers));
}

function check(r) {
  const headers = Object.assign({}, r.headersIn);
  delete headers['Content-Length'];
  // The credentials: Authorization and, if the policy has sessions, the cookies of the gateway in a second line.
  const [authorization, cookies] = (r.requestText || '').split('\\n');
  if (cookies) headers.Cookie = cookies;
  const say = authorization ? JSON.parse(authorization) : {};
  const out = r.headersOut;
  const { Rule = '', As = '', User = told(headers), Provider = '', Roles = '', Agent = '', Actors = '', ...others } = say;
  for (const name in others) out['X-Meshgate-' + name] = others[name];
  if (say.Status === '401') out['WWW-Authenticate'] = 'Bearer realm="wiki.test"';
  const rule = say.Status === undefined ? r.uri.slice('/.meshgate/check/'.length) + '#1' : Rule;
  out['X-Meshgate-Caller'] = ['.', rule, As, User, Provider, Roles, Agent, Actors, '', '', '', '.'].join('\\t');
  r.return(say.Status === undefined ? 204 : 401);
}

const whoami = (r) => r.return(200, JSON.stringify({ handler: 'whoami', headers: r.headersIn }));

export default { check, whoami, keys: async () => {} };
`;

const signin = `
const answers = {};
for (const handler of ['signin', 'callback', 'handover', 'signout', 'backchannel', 'frontchannel', 'page', 'assets', 'renew']) {
  answers[handler] = (r) => {
    const query = r.headersIn['X-Meshgate-Query'] || '';
    if (query.includes('throw')) throw new Error('the stand-in throws');
    // More than nginx takes of an answer's headers.
    if (query.includes('large')) r.headersOut['X-Large'] = 'x'.repeat(40000);
    const body = r.requestBuffer === undefined ? '' : r.requestBuffer.toString();
    if (handler === 'signin') r.headersOut['Set-Cookie'] = ['__Host-Http-meshgate-a-1=x; Path=/', '__Host-Http-meshgate-a-2=y; Path=/'];
    if (handler === 'signout') r.headersOut['Referrer-Policy'] = 'same-origin';
    if (handler === 'assets') r.headersOut['Cache-Control'] = 'public, max-age=60';
    r.headersOut['Content-Type'] = 'text/html';
    const told = { handler, uri: r.uri, args: r.variables.args, method: r.method, headers: r.headersIn, length: body.length, body: body.slice(0, 200) };
    r.return(Number(r.headersIn['X-Meshgate-Status'] || 200), JSON.stringify(told));
  };
}
/** A call through the egress server, as the body says in JSON. */
const told = answers.backchannel;
answers.backchannel = async (r) => {
  if (r.headersIn['Content-Type'] !== 'application/json') return told(r);
  const { path, method, headers, body } = JSON.parse(r.requestText);
  const request = { method, headers: Object.assign({ Host: 'meshgate' }, headers), body };
  const answer = await ngx.fetch('http://unix:/run/meshgate/egress.sock:' + path, request);
  const text = await answer.text();
  r.return(200, JSON.stringify({ status: answer.status, type: answer.headers.get('Content-Type'), text }));
};
answers.revocations = async () => {};

export default answers;
`;

/** Rendered files with the stand-in. */
export const standIn = (rendered: Files): Files => ({ ...rendered, 'meshgate.js': check, 'signin.js': signin });

/** The answer that the check is to give, as headers of a request. */
export const saying = (answer: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  Authorization: JSON.stringify(answer),
});

/** The input of the check, as the service received it in the caller's name. */
export const checkedRequest = (user: string): Readonly<Record<string, string>> => JSON.parse(decodeURIComponent(user));
