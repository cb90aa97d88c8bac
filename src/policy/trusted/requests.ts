/** Headers that say where a request comes from, what kind of request it is, or what a mesh does with it. */
export const REQUESTS = `
Linkerd: https://linkerd.io/2-edge/reference/authorization-policy/
  l5d-client-id l5d-dst-override l5d-dst-canonical l5d-remote-ip l5d-server-id
Envoy, for requests from an internal address such as the address of nginx: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
  x-envoy-attempt-count x-envoy-decorator-operation x-envoy-downstream-service-cluster x-envoy-downstream-service-node
  x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace x-envoy-hedge-on-per-try-timeout
  x-envoy-internal x-envoy-ip-tags x-envoy-max-retries x-envoy-original-dst-host x-envoy-original-host
  x-envoy-original-path x-envoy-peer-metadata x-envoy-peer-metadata-id x-envoy-retriable-header-names
  x-envoy-retriable-status-codes x-envoy-retry-grpc-on x-envoy-retry-on x-envoy-upstream-alt-stat-name
  x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms
tracers: only traceparent may name the trace: https://opentelemetry.io/docs/specs/otel/context/api-propagators/
  b3 x-b3-flags x-b3-parentspanid x-b3-sampled x-b3-spanid x-b3-traceid x-client-trace-id x-ot-span-context
  x-cloud-trace-context
frameworks and proxies: another path, host, scheme or method than the gateway checked: https://portswigger.net/kb/issues/006000a0_request-url-override
  X-Original-Host X-Original-Method X-Original-Path X-Original-Uri X-Original-Url X-Rewrite-Url X-Override-URL
  X-Real-URL X-Proxy-URL X-Host X-Forwarded-Method X-Forwarded-Path X-Forwarded-Prefix X-Forwarded-Base-Path
  X-Forwarded-Context X-Forwarded-Scheme X-Forwarded-Protocol X-Forwarded-Server X-Forwarded-Ssl X-Forwarded-Uri
  X-Http-Method X-Http-Method-Override X-Http-Verb X-Method X-Method-Override X-Requested-Method HTTP-Method
  X-Url-Scheme X-Scheme X-Script-Name X-Ingress-Path X-Path-Info Front-End-Https X-Sendfile-Type X-Accel-Mapping
applications that take the host of links from a header: https://portswigger.net/web-security/host-header/exploiting
  X-HTTP-Host-Override
Plack: the path below which the application is: https://metacpan.org/pod/Plack::Middleware::ReverseProxyPath
  X-Forwarded-Script-Name X-Traversal-Path
Apache httpd, mod_rpaf: another scheme and port: https://github.com/gnif/mod_rpaf
  X-HTTPS X-Forwarded-HTTPS X-Port
Apache NiFi and Artifactory: the URL that links are made of: https://nifi.apache.org/docs/nifi-docs/html/administration-guide.html#proxy_configuration
  X-ProxyScheme X-ProxyHost X-ProxyPort X-ProxyContextPath X-JFrog-Override-Base-Url X-Artifactory-Override-Base-Url
WebDAV, S3 and Swift: COPY and MOVE name a second path, which the rules do not check: https://www.rfc-editor.org/rfc/rfc4918#section-10.3
  Destination X-Copy-From X-Amz-Copy-Source
Azure Storage: a second path: https://learn.microsoft.com/en-us/rest/api/storageservices/copy-blob
  x-ms-copy-source x-ms-rename-source x-ms-file-rename-source
Google Cloud Storage and Alibaba Cloud OSS: a second path: https://cloud.google.com/storage/docs/xml-api/reference-headers
  x-goog-copy-source x-oss-copy-source
OpenStack Swift: a second path, now or when the object is read, and a second account: https://docs.openstack.org/api-ref/object-store/
  X-Symlink-Target X-Symlink-Target-Account X-Object-Manifest X-Copy-From-Account Destination-Account
applications and frameworks: another address of the client: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Forwarded
  Forwarded Forwarded-For Client-IP X-Client-IP X-Client-Real-IP X-Cluster-Client-IP X-Forwarded X-Forwarded-Client-Ip
  X-Original-Forwarded-For X-Originally-Forwarded-For X-Original-Remote-Addr X-Originating-IP X-ProxyUser-Ip
  X-Remote-Addr X-Remote-IP True-Client-IP X-True-Client-IP
platforms: another address of the client: https://adam-p.ca/blog/2022/03/x-forwarded-for/
  CF-Connecting-IP CF-Connecting-IPv6 CF-Pseudo-IPv4 Fastly-Client-IP Fly-Client-IP Fly-Forwarded-For DO-Connecting-IP
  X-NF-Client-Connection-IP X-Vercel-Forwarded-For X-Real-Client-IP X-Appengine-User-Ip X-Azure-Clientip
  X-Azure-Socketip CloudFront-Viewer-Address
Oracle WebLogic: https://docs.oracle.com/middleware/1213/webtier/develop-plugin/plugin_params.htm
  WL-Proxy-Client-IP WL-Proxy-Client-Port WL-Proxy-SSL Proxy-Client-IP
the gateway itself (its credential and proof); proxies; CGI (CVE-2016-5385): https://httpoxy.org/
  Authorization DPoP Proxy-Authorization Proxy-Connection Proxy
`;
