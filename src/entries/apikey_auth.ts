/** API keys for NGINX Ingress Controller. Its own file with this name loads `crypto` in a way that QuickJS does not have,
 * and then no handler of a server with QuickJS runs. This file does the same in both engines, and is mounted over it.
 *
 * NIC sets three variables: `header_query_value` is the key that the client sent, `apikey_auth_local_map` is the name of
 * the variable with the client of the key, and `apikey_client_name` receives this client. */
import crypto from 'crypto';

interface Request {
  readonly variables: Record<string, string | undefined>;
  return(status: number, text?: string): void;
}

// njs's own engine has no destructuring and no "??", so this file has none.

/** The SHA-256 digest of the key in hexadecimal form, by which NIC's map finds the client. */
function hash(r: Request): string {
  return crypto
    .createHash('sha256')
    .update(r.variables.header_query_value || '')
    .digest('hex');
}

/** Answers the subrequest of `auth_request`: 401 without a key, 403 for an unknown one, 204 for that of a client. */
function validate(r: Request): void {
  const client = r.variables[r.variables.apikey_auth_local_map || ''] || '';
  r.variables.apikey_client_name = client;
  const status = !r.variables.header_query_value ? 401 : client === '' ? 403 : 204;
  r.return(status, String(status));
}

export default { validate: validate, hash: hash };
