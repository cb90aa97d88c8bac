/** The zone of revocations in real nginx: full of entries of several sizes, and written by several workers at once. */
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { bareImage, send, startContainer, testStage } from '../harness/index.ts';

const stage = await testStage('revocation zone');

const { outputFiles } = await build({
  ...{ entryPoints: ['test/gateway/revocation-zone.ts'], bundle: true, write: false, format: 'esm', target: 'es2022' },
  ...{ platform: 'neutral', external: ['fs', 'crypto'], inject: ['src/njs/repairs.ts'] },
});

const box = await startContainer(stage, {
  image: bareImage,
  alias: 'zone',
  files: {
    '/zone/zone.js': outputFiles[0]!.text,
    '/zone/nginx.conf': `
load_module modules/ngx_http_js_module.so;
worker_processes 4;
error_log /tmp/error.log error;
pid /tmp/nginx.pid;
events {}
http {
  access_log off;
  js_engine qjs;
  js_path /zone;
  js_import zone from zone.js;
  js_shared_dict_zone zone=meshgate_keys:64k type=string;
  js_shared_dict_zone zone=meshgate_locks:64k type=number timeout=60s;
  js_shared_dict_zone zone=meshgate_revoked:256k type=string timeout=24h;
  server {
    listen 8080 reuseport;
    location = /fill { js_content zone.fill; }
    location = /end { js_content zone.end; }
    location = /ended { js_content zone.ended; }
    location = /psids { js_content zone.psids; }
  }
}
`,
  },
  command: ['sh', '-c', 'nginx -c /zone/nginx.conf && echo nginx runs && exec tail -f /dev/null'],
  ready: /nginx runs/,
});

const ask = async (path: string) => {
  const { status, body } = await send({ host: box.host, port: 8080, tls: false, name: 'zone' }, { path });
  expect(status, body.toString()).toBeLessThan(300);
  return body.toString();
};

test('keeps all sign-outs of one person that arrive at several workers at once', async () => {
  const sessions = Array.from({ length: 12 }, (_, sid) => sid);
  for (let person = 0; person < 100; person++) {
    await Promise.all(sessions.map((sid) => ask(`/end?person=p${person}&sid=${sid}`)));
    expect([person, await ask(`/ended?person=p${person}&sessions=12`)]).toEqual([person, '12']);
  }
});

test('gives sign-outs without a person at most a fifth of the zone, and all of them stay in force', async () => {
  const before = JSON.parse(await ask('/psids?count=0'));
  const { taken, passing } = JSON.parse(await ask('/psids?count=3000'));
  expect(passing).toEqual([]);
  expect(taken - before.taken).toBeLessThan(0.25);
});

test('loses no revocation when it overflows with entries of mixed sizes, and never that of a key', async () => {
  const { failed, passing, key, newcomer } = JSON.parse(await ask('/fill?count=4000'));
  expect(failed).toEqual([]);
  expect(passing).toEqual([]);
  expect(key).toBe(true);
  expect(newcomer).toBe(false);
});
