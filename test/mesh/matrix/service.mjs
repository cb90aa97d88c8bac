/** Services that report their name and the received request in headers, so that HEAD reports it as well. */
import { createServer } from 'node:http';
import { connect } from 'node:net';

/** Envoy keeps its connections for an hour, and a request on a connection that is being closed is lost. */
const options = { keepAliveTimeout: 0 };

const shown = ['x-forwarded-client-cert', 'x-meshgate-assertion', 'x-meshgate-rule', 'host'];

for (const [name, port] of Object.entries(JSON.parse(process.env.SERVICES ?? '{}'))) {
  createServer(options, (request, response) => {
    request.resume();
    const seen = Object.fromEntries(shown.map((header) => [header, request.headersDistinct[header] ?? []]));
    response.writeHead(200, {
      'x-answered': name,
      'x-seen': Buffer.from(JSON.stringify(seen)).toString('base64'),
      'content-length': 0,
    });
    response.end();
  }).listen(Number(port), '0.0.0.0');
}

/** Access to the network for ports that are not open outside: CONNECT HOST:PORT. */
createServer()
  .on('connect', (request, client) => {
    const [host, port] = request.url.split(':');
    const target = connect(Number(port), host, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    target.pipe(client).pipe(target);
    for (const socket of [client, target]) {
      socket.on('error', () => {});
      socket.on('close', () => (socket === client ? target : client).destroy());
    }
  })
  .listen(Number(process.env.TUNNEL), '0.0.0.0');

/**
 * Discovery for Envoys, by node and kind: each document is served once; who put it, to /put/NODE/KIND, learns which
 * version Envoy stands at afterwards.
 */
const kinds = new Map();
const kindOf = (name) => {
  if (!kinds.has(name)) kinds.set(name, { document: undefined, polled: undefined, told: undefined });
  return kinds.get(name);
};

function serve(kind) {
  if (kind.document === undefined || kind.polled === undefined) return;
  kind.polled.response.end(kind.document);
  kind.document = kind.polled = undefined;
}

async function discovery(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const [, put, resources] = /^\/put\/(.*)|\/discovery:(\w+)$/.exec(request.url);
  const kind = kindOf(put ?? `${JSON.parse(body).node.id}/${resources}`);
  response.setHeader('content-type', 'application/json');
  if (request.method === 'PUT') {
    kind.document = body;
    kind.told = response;
  } else {
    kind.polled = { response };
    if (kind.document === undefined) kind.told?.end(JSON.stringify({ version: JSON.parse(body).version_info ?? '' }));
  }
  serve(kind);
}
createServer(options, discovery).listen(Number(process.env.DISCOVERY), '0.0.0.0');
console.log('services listen');
