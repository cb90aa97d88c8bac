import { describe, expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { inspectNginx } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { goldenPolicy, render } from './golden.ts';

const DIR = '/etc/nginx/meshgate';

const dumped = (parts: Readonly<Record<string, string>>): string =>
  Object.entries(parts)
    .map(([name, content]) => `# configuration file ${name}:\n${content}\n`)
    .join('');

describe('the inner listener', () => {
  const agents = goldenPolicy('agents');
  const made = render(agents).files;
  const told = (inner: string) => {
    const server = (port: number, include: string) =>
      `server { listen ${port} ssl; server_name dashboard.example.com; ${include} }`;
    const conf = `http { include meshgate/http.conf;
server { listen 443 ssl; server_name wiki.example.com; include meshgate/hosts/wiki*; }
${server(443, 'include meshgate/hosts/dashboard*;')}
${inner === '' ? '' : server(8444, inner)} }`;
    const rendered = Object.entries(made).filter(([file]) => /\.conf$/.test(file) && file !== 'servers.conf');
    const dump = dumped({
      '/etc/nginx/nginx.conf': conf,
      ...Object.fromEntries(rendered.map(([file, content]) => [`${DIR}/${file}`, content])),
    });
    const found = inspectNginx(dump, agents, compile(agents), (file) => made[file.slice(DIR.length + 1)]);
    return found?.warnings.map(({ text }) => text);
  };

  test('has no warning in a server of its own with its file', () => {
    expect(told('include meshgate/inner/dashboard*;')).toEqual([]);
  });

  test('has warnings if it is missing, skips the check, or answers in its place', () => {
    const none = 'hosts."dashboard.example.com": no server of this nginx includes inner/dashboard.example.com.conf';
    expect(told('')).toEqual([none]);
    expect(told('proxy_pass http://x;')).toEqual(
      expect.arrayContaining([none, expect.stringMatching(/without the policy/)]),
    );
    const include = 'include meshgate/inner/dashboard*;';
    expect(told(`if ($uri ~ "^/.meshgate/hop/") { return 200; } ${include}`)).toEqual([
      expect.stringMatching(/lets the client's request pass unchecked/),
    ]);
    expect(told(`rewrite ^/.meshgate/hop /x; ${include}`)).toEqual([
      expect.stringMatching(/matches the check's own request/),
    ]);
  });
});
