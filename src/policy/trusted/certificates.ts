/** Headers in which proxies pass on the certificate of a client. */
export const CERTIFICATES = `
RFC 9440: https://www.rfc-editor.org/rfc/rfc9440
  Client-Cert Client-Cert-Chain
Envoy, Istio: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
  X-Forwarded-Client-Cert
Traefik: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/passtlsclientcert/
  X-Forwarded-Tls-Client-Cert X-Forwarded-Tls-Client-Cert-Info
AWS load balancers, mutual TLS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
  X-Amzn-Mtls-Clientcert X-Amzn-Mtls-Clientcert-Serial-Number X-Amzn-Mtls-Clientcert-Issuer
  X-Amzn-Mtls-Clientcert-Subject X-Amzn-Mtls-Clientcert-Validity X-Amzn-Mtls-Clientcert-Leaf
AWS CloudFront, mutual TLS: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/viewer-mtls-headers.html
  CloudFront-Viewer-Cert-Serial-Number CloudFront-Viewer-Cert-Issuer CloudFront-Viewer-Cert-Subject
  CloudFront-Viewer-Cert-Present CloudFront-Viewer-Cert-Sha256 CloudFront-Viewer-Cert-Validity CloudFront-Viewer-Cert-Pem
AWS API Gateway and Application Load Balancer, TLS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html
  X-Amzn-Tls-Version X-Amzn-Tls-Cipher-Suite
F5 BIG-IP, SSL proxies: https://techdocs.f5.com/kb/en-us/archived_products/big-ip/manuals/product/bigip4_5features/BIGip_certserialnumber.html
  SSLClientCert SSLClientCertStatus SSLClientCertVersion SSLClientCertSubject SSLClientCertIssuer SSLClientCertHash
  SSLClientCertSN SSLClientCertSerial SSLClientCertSerialNumber SSLClientCipher SSLClientSessionID
Google load balancers, mutual TLS: https://cloud.google.com/load-balancing/docs/mtls
  X-Client-Cert-Present X-Client-Cert-Chain-Verified X-Client-Cert-Error X-Client-Cert-Hash X-Client-Cert-Serial-Number
  X-Client-Cert-Spiffe X-Client-Cert-Spiffe-Id X-Client-Cert-Uri-Sans X-Client-Cert-Dnsname-Sans
  X-Client-Cert-Valid-Not-Before X-Client-Cert-Valid-Not-After X-Client-Cert-Subject-DN X-Client-Cert-Issuer-DN
  X-Client-Cert-Leaf X-Client-Cert-Chain
Cloudflare: https://developers.cloudflare.com/ssl/client-certificates/forward-a-client-certificate/
  Cf-Client-Cert-Verified Cf-Client-Cert-Der-Base64 Cf-Client-Cert-Sha256 Cf-Client-Cert-Subject-DN Cf-Client-Cert-Issuer-DN
Azure App Service: https://learn.microsoft.com/en-us/azure/app-service/app-service-web-configure-tls-mutual-auth
  X-ARR-ClientCert X-ARR-SSL
ingress-nginx: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#client-certificate-authentication
  SSL-Client-Cert SSL-Client-Verify SSL-Client-Subject-DN SSL-Client-Issuer-DN
Apache httpd, mod_ssl: https://httpd.apache.org/docs/current/mod/mod_ssl.html#envvars
  SSL-Client-S-DN SSL-Client-S-DN-CN SSL-Client-S-DN-Email SSL-Client-I-DN SSL-Client-M-Serial SSL-Client-V-Start
  SSL-Client-V-End SSL-Client-Cert-Chain-0 SSL-Client-Cert-Chain-1 SSL-Client-Cert-Rfc4523-CEA SSL-Client-SAN-Email-0
  SSL-Client-SAN-DNS-0 SSL-Client-SAN-OTHER-msUPN-0 SSL-Client-S-DN-x509 SSL-Server-S-DN
HAProxy, OpenShift router: https://www.haproxy.com/documentation/haproxy-configuration-tutorials/security/ssl-tls/client-certificate-authentication/
  X-SSL X-SSL-Client-Verify X-SSL-Client-Session-ID X-SSL-Client-DN X-SSL-Client-CN X-SSL-Client-Der X-SSL-Issuer
  X-SSL-Client-NotBefore X-SSL-Client-NotAfter X-SSL-Client-SHA1 X-SSL-Client-Sha256 X-SSL-Client-Used
Keycloak, X.509 behind a proxy: https://www.keycloak.org/server/reverseproxy
  SSL-Client-Cert Cert-Chain-0 Cert-Chain-1 X-SSL-Client-Cert-Chain-0
Apache Tomcat, SSLValve: https://tomcat.apache.org/tomcat-11.0-doc/config/valve.html#SSL_Authenticator_Valve
  SSL-Client-Cert SSL-Client-Escaped-Cert SSL-Cipher SSL-Session-Id SSL-Cipher-Usekeysize
GitLab, smart cards: https://docs.gitlab.com/administration/auth/smartcard/
  X-SSL-Client-Certificate
Puppet: https://www.puppet.com/docs/puppet/latest/server/external_ssl_termination.html
  X-Client-DN X-Client-Verify X-Client-Cert X-SSL-Subject X-SSL-Issuer
Kong, mutual TLS: https://developer.konghq.com/plugins/mtls-auth/
  X-Client-Cert-DN X-Client-Cert-SAN
SPIFFE behind a proxy: https://spiffe.io/docs/latest/microservices/envoy/
  X-Spiffe-Id X-Spiffe
other configurations, as in the guides of nginx and F5: https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables
  X-SSL-Client-Cert-Subject ClientCert Client-Certificate X-Client-SSL-Cert NSSSLClientCert CN Subject-DN Issuer-DN
  X-Forwarded-SSL-Client-Cert X-Forwarded-Client-Certificate X-Forwarded-Client-Cert-Chain X-Forwarded-Cert
  X-Nginx-Client-Cert X-Certificate X-Certificate-Subject X-Certificate-Issuer X-Certificate-Serial
  X-Certificate-Fingerprint X-Cert X-Cert-Chain X-Mtls-Client-Cert X-Mutual-Tls-Client-Cert
  X-Client-Certificate X-Client-Certificate-Subject X-Client-Certificate-Verify X-Client-S-DN X-Client-I-DN X-Client-CN
  X-Client-Serial X-Client-Fingerprint X-SSL-Cert X-SSL-Verify X-SSL-User X-SSL-Subject-DN X-SSL-Client-Cert
  X-SSL-Client-S-DN X-SSL-Client-I-DN X-SSL-Client-S-DN-CN X-SSL-Client-Subject X-SSL-Client-Subject-DN
  X-SSL-Client-Issuer X-SSL-Client-Issuer-DN X-SSL-Client-Serial X-SSL-Client-Fingerprint X-TLS-Client-Cert
  X-TLS-Client-Subject X-TLS-Client-Issuer X-TLS-Client-Verify X-TLS-Client-Fingerprint X-TLS-Client-DN X-Subject-DN
  X-Cert-Subject X-Cert-Issuer X-Cert-Serial X-Cert-Fingerprint X-Client-Cert-CN X-Client-Cert-Subject
  X-Client-Cert-Issuer X-Client-Cert-Serial X-Client-Cert-Fingerprint X-Client-Cert-Verified X-Client-Cert-Verify
`;
