import { answerNames, givenNames, responseNames } from '../check-answer.ts';
import {
  type CheckInput,
  closedNames,
  erasedBy,
  fileOf,
  GATEWAY_PATH,
  type IngressFiles,
  METADATA_PATH,
  urlOf,
} from './kit.ts';

/** The placeholder for a header of the answer. Caddy knows headers by Go's spelling of their names. */
const from = (name: string): string =>
  `{rp.header.${name.toLowerCase().replace(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase())}}`;

/** A file for Caddy, with snippets to import. Caddy erases the names before it asks; the answer replaces the others. */
export function caddyFiles({ context, sidecar }: CheckInput): IngressFiles {
  const erased = erasedBy(context);
  const to = urlOf(sidecar);
  const removals = answerNames(context).map((name) => `\t\t\t\trequest_header -${name}\n`);
  const given = givenNames(context).map((name, i) => {
    return `\t\t\t\t@given_${i} not vars ${from(name)} ""\n\t\t\t\trequest_header @given_${i} ${name} ${from(name)}\n`;
  });
  const beside = responseNames(context).map(
    (name, i) => `\t\t\t\t@beside_${i} not vars ${from(name)} ""\n\t\t\t\theader @beside_${i} +${name} ${from(name)}\n`,
  );
  const text = `# Three snippets for a Caddyfile; docs/ext-authz.md shows where they belong. Rendered by meshgate from the policy; do not edit.

# The gateway's own endpoints: the sign-in, and what clients read before they have a token.
(meshgate_own) {
	@meshgate_own path ${GATEWAY_PATH}* ${METADATA_PATH} ${METADATA_PATH}/*
	handle @meshgate_own {
		reverse_proxy ${to}
	}
}

# The check. What follows it in the same route block runs only if the check allows the request.
(meshgate_check) {
	# Caddy would remove the headers that Connection names, also those of the gateway.
	@meshgate_connection header_regexp Connection (?i)(^|[\\s,])(${givenNames(context).join('|')})([\\s,]|$)
	respond @meshgate_connection 400
	reverse_proxy ${to} {
		method GET
		rewrite /forward-auth
		header_up X-Forwarded-Method {method}
		header_up X-Forwarded-Uri {uri}
		@allowed status 200
		handle_response @allowed {
			route {
${removals.join('')}${given.join('')}${beside.join('')}			}
		}
	}
}

# In the reverse_proxy of a service: headers of clients that no service receives, and of services that no browser does.
(meshgate_headers) {
${erased.map((name) => `\theader_up -${name}\n`).join('')}${closedNames(context)
  .map((name) => `\theader_down -${name}\n`)
  .join('')}}
`;
  return {
    files: { [fileOf('Caddyfile')]: text },
    gaps: [
      {
        part: 'ingress.caddy',
        text: 'only handlers that import meshgate_check are checked, and only services whose reverse_proxy imports meshgate_headers receive none of the headers that applications trust, such as X-Remote-User',
      },
    ],
  };
}
