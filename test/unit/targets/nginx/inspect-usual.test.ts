/** Usual configurations of nginx, with the rendered files in the server of a host. None of them weakens the gateway. */
import { expect, test } from 'vitest';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { readFolder } from '../../../../src/targets/nginx/inspect/folder.ts';
import { inspectFiles } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { render } from './golden.ts';

const { policy, errors } = parsePolicy(
  `version: 1
providers:
  idp: { issuer: https://idp.test, audiences: [wiki] }
services:
  wiki: { url: https://wiki.internal:8443 }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [authenticated] }
`,
  'meshgate.yaml',
);
if (policy === undefined) throw new Error(JSON.stringify(errors));
const rendered = render(policy).files;
const include = 'include /etc/nginx/meshgate/hosts/wiki.test.conf;';
const http = 'include /etc/nginx/meshgate/http.conf;';

const DEBIAN = `user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 768; }
http {
	sendfile on; tcp_nopush on; types_hash_max_size 2048;
	include /etc/nginx/mime.types; default_type application/octet-stream;
	ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers off;
	access_log /var/log/nginx/access.log;
	gzip on;
	include /etc/nginx/conf.d/*.conf;
	include /etc/nginx/sites-enabled/*;
}
`;
const DEFAULT_SITE = `server {
	listen 80 default_server;
	listen [::]:80 default_server;
	root /var/www/html;
	index index.html index.htm index.nginx-debian.html;
	server_name _;
	location / { try_files $uri $uri/ =404; }
}
`;
const base = {
  'nginx.conf': DEBIAN,
  'mime.types': 'types { text/html html htm shtml; image/svg+xml svg svgz; }',
  'modules-enabled/50-mod-http-js.conf': 'load_module modules/ngx_http_js_module.so;',
  'conf.d/meshgate.conf': http,
};

const CERTBOT = `server {
    server_name wiki.test; # managed by Certbot
    ${include}

    listen [::]:443 ssl ipv6only=on; # managed by Certbot
    listen 443 ssl; # managed by Certbot
    ssl_certificate /etc/letsencrypt/live/wiki.test/fullchain.pem; # managed by Certbot
    ssl_certificate_key /etc/letsencrypt/live/wiki.test/privkey.pem; # managed by Certbot
    include /etc/letsencrypt/options-ssl-nginx.conf; # managed by Certbot
    ssl_dhparam /etc/letsencrypt/ssl-dhparams.pem; # managed by Certbot
    location ^~ /.well-known/acme-challenge/ { auth_request off; root /var/www/letsencrypt; }
}
server {
    if ($host = wiki.test) {
        return 301 https://$host$request_uri;
    } # managed by Certbot

	listen 80 ;
	listen [::]:80 ;
    server_name wiki.test;
    return 404; # managed by Certbot
}
`;

const WORDPRESS = `upstream php { server unix:/run/php/php8.4-fpm.sock; }
server {
	listen 443 ssl http2; server_name blog.test www.blog.test;
	root /var/www/wordpress; index index.php; client_max_body_size 64m;
	ssl_certificate /c; ssl_certificate_key /k;
	location = /favicon.ico { log_not_found off; access_log off; }
	location = /robots.txt { allow all; log_not_found off; access_log off; }
	location / { try_files $uri $uri/ /index.php?$args; }
	location ~ \\.php$ { include fastcgi_params; fastcgi_intercept_errors on; fastcgi_pass php; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }
	location ~* \\.(js|css|png|jpg|jpeg|gif|ico)$ { expires max; log_not_found off; }
	location ~ /\\.(?!well-known) { deny all; }
}
server { listen 443 ssl; server_name wiki.test; ssl_certificate /c; ssl_certificate_key /k; ${include} }
`;

const CORPORATE = `log_format main '$remote_addr - $remote_user [$time_local] "$request" $status "$http_user_agent"';
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
limit_req_zone $binary_remote_addr zone=perip:10m rate=10r/s;
proxy_cache_path /var/cache/nginx levels=1:2 keys_zone=static:10m max_size=1g inactive=60m;
proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
proxy_read_timeout 300s; proxy_buffer_size 16k; proxy_buffers 8 16k;
set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For;
upstream jira { zone jira 64k; server jira1.internal:8080 max_fails=3; server jira2.internal:8080 backup; keepalive 32; }
upstream git { least_conn; server git.internal:3000; }
${Array.from(
  { length: 60 },
  (_, i) => `server { listen 443 ssl; server_name app${i}.corp.test; ssl_certificate /c; ssl_certificate_key /k;
  add_header Strict-Transport-Security "max-age=63072000" always; access_log /var/log/nginx/app${i}.log main;
  location / { proxy_pass http://app${i}.internal:8080; limit_req zone=perip burst=20 nodelay; }
  location /static/ { proxy_cache static; proxy_pass http://app${i}.internal:8080; }
  location /ws { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_pass http://jira; } }`,
).join('\n')}
server { listen 8443 ssl; server_name admin.corp.test; auth_basic "admin"; auth_basic_user_file /etc/nginx/htpasswd;
  ssl_certificate /c; ssl_certificate_key /k; allow 10.0.0.0/8; deny all; location / { proxy_pass http://git; } }
server { listen 443 ssl; server_name wiki.test; ssl_certificate /c; ssl_certificate_key /k; add_header X-Frame-Options DENY; ${include} }
server { listen 80 default_server; server_name _; location /nginx_status { stub_status; allow 127.0.0.1; deny all; } location / { return 301 https://$host$request_uri; } }
`;

const INGRESS = `map $http_x_forwarded_proto $pass_access_scheme { default $http_x_forwarded_proto; '' $scheme; }
map $request_uri $path { ~^(?<meth>[^?]*) $meth; }
underscores_in_headers off; server_tokens off; large_client_header_buffers 4 32k;
upstream default-shop-80 { zone default-shop-80 256k; random two least_conn; server 10.1.2.3:8080 max_fails=1; server 10.1.2.4:8080 max_fails=1; }
server { listen 80 default_server; listen 443 ssl default_server; server_name _; ssl_reject_handshake on; access_log off; return 404; }
server { listen 80; listen 443 ssl; server_name shop.test; ssl_certificate /c; ssl_certificate_key /k; set $service shop;
  if ($scheme = http) { return 301 https://$host:443$request_uri; }
  location / { set $location_path "/"; proxy_http_version 1.1; client_max_body_size 1m; proxy_buffering on; proxy_pass http://default-shop-80; } }
server { listen 80; listen 443 ssl; server_name wiki.test; ssl_certificate /c; ssl_certificate_key /k;
  if ($scheme = http) { return 301 https://$host:443$request_uri; }
  ${include} }
server { listen 8081; location /healthz { return 200; } }
`;

test.each<[string, Readonly<Record<string, string>>]>([
  [
    'Debian’s own, with a site',
    {
      'sites-enabled/default': DEFAULT_SITE,
      'sites-enabled/wiki': `server { listen 443 ssl; server_name wiki.test; ssl_certificate /c; ssl_certificate_key /k; ${include} }`,
    },
  ],
  ['certbot’s', { 'sites-enabled/wiki': CERTBOT }],
  [
    'WordPress by php-fpm',
    {
      'sites-enabled/default': DEFAULT_SITE,
      'sites-enabled/blog': WORDPRESS,
      fastcgi_params: 'fastcgi_param QUERY_STRING $query_string;',
    },
  ],
  ['a large proxy of a company', { 'sites-enabled/all': CORPORATE }],
  ['as an ingress controller writes it', { 'sites-enabled/all': INGRESS }],
])('no warning about a usual configuration: %s', (_, own) => {
  const files: Record<string, string> = {
    ...Object.fromEntries(Object.entries({ ...base, ...own }).map(([name, text]) => [`/etc/nginx/${name}`, text])),
    ...Object.fromEntries(Object.entries(rendered).map(([name, text]) => [`/etc/nginx/meshgate/${name}`, text])),
    '/etc/letsencrypt/options-ssl-nginx.conf': 'ssl_session_timeout 1440m; ssl_session_tickets off;',
  };
  const read = readFolder('/etc/nginx', '/etc/nginx', {
    read: (path) => files[path] ?? expect.fail(path),
    names: (folder) => [
      ...new Set(
        Object.keys(files)
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).split('/')[0] as string),
      ),
    ],
    reason: String,
  });
  expect(inspectFiles(read, policy, compile(policy), (path) => files[path])).toEqual({ warnings: [] });
});
