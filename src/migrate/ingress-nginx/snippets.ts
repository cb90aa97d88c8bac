/** Directives of nginx that cannot keep a request from a service, nor let one pass that was kept from it. */
const HARMLESS = new Set(
  `
  more_set_headers more_clear_headers add_header add_trailer expires etag charset default_type gzip gzip_types
  gzip_vary gzip_min_length gzip_comp_level gzip_proxied brotli brotli_types client_max_body_size
  client_body_buffer_size client_body_timeout client_header_timeout send_timeout large_client_header_buffers
  client_header_buffer_size keepalive_timeout keepalive_requests tcp_nodelay proxy_buffering proxy_buffers
  proxy_buffer_size proxy_busy_buffers_size proxy_request_buffering proxy_connect_timeout proxy_send_timeout
  proxy_read_timeout proxy_http_version proxy_cache_bypass proxy_hide_header proxy_pass_header proxy_cookie_path
  proxy_cookie_domain proxy_redirect proxy_set_header access_log error_log log_not_found sub_filter
  sub_filter_once sub_filter_types underscores_in_headers open_file_cache sendfile chunked_transfer_encoding
  proxy_ignore_headers proxy_ssl_server_name
`.match(/\w+/g),
);

/** A part of a snippet, as nginx splits it. Only at its beginning, a quote begins a text, and # a comment. */
const PART =
  /[ \t\r\n]+|#[^\n]*|[;{}]|(?:"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|(?:[^ \t\r\n;{}"'#\\]|\\[\s\S])(?:[^ \t\r\n;{}\\]|\\[\s\S])*)/y;

/** The first word of each directive; undefined if the snippet has a block, or is no configuration of nginx. */
function directives(snippet: string): readonly string[] | undefined {
  const names: string[] = [];
  let isFirst = true;
  for (let at = 0; at < snippet.length; at = PART.lastIndex) {
    PART.lastIndex = at;
    const part = PART.exec(snippet)?.[0];
    if (part === undefined || part === '{' || part === '}') return undefined;
    if (/^[ \t\r\n#]/.test(part)) continue;
    if (part !== ';' && isFirst) names.push(part);
    isFirst = part === ';';
  }
  return names;
}

/** Whether no line of a snippet can decide who passes. A block, such as `if`, always can. */
export const isHarmless = (snippet: string): boolean =>
  directives(snippet)?.every((name) => HARMLESS.has(name.toLowerCase())) === true;

/** Whether a snippet sets headers, which the asked service of an auth-snippet may decide by. */
export const setsHeaders = (snippet: string): boolean =>
  directives(snippet)?.some((name) => name.toLowerCase() === 'proxy_set_header') === true;

export const ASKED_HEADERS =
  'it sets headers of the request to the service that decides: if they keep people out, as an empty Cookie does, the policy lets them pass';
