/** Headers with which applications sign in a user, and headers that gateways set in front of applications. */
export const IDENTITY = `
oauth2-proxy: https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview
  X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username X-Forwarded-Access-Token
  X-Auth-Request-User X-Auth-Request-Email X-Auth-Request-Groups X-Auth-Request-Roles X-Auth-Request-Preferred-Username
  X-Auth-Request-Access-Token X-Auth-Request-Redirect
Grafana, auth proxy: https://grafana.com/docs/grafana/latest/setup-grafana/configure-security/configure-authentication/auth-proxy/
  X-WEBAUTH-USER X-WEBAUTH-NAME X-WEBAUTH-EMAIL X-WEBAUTH-LOGIN X-WEBAUTH-GROUPS X-WEBAUTH-ROLE X-WEBAUTH-ROLES
  X-WEBAUTH-ORGS X-WEBAUTH-*
Gitea and Forgejo, reverse proxy authentication: https://docs.gitea.com/administration/config-cheat-sheet
  X-WEBAUTH-USER X-WEBAUTH-EMAIL X-WEBAUTH-FULLNAME X-WEBAUTH-*
Grafana Mimir, Loki and Tempo: https://grafana.com/docs/mimir/latest/manage/secure/authentication-and-authorization/
  X-Scope-OrgID
Thanos, tenants: https://thanos.io/tip/components/receive.md/
  THANOS-TENANT
Kubernetes, request header authentication: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
  X-Remote-User X-Remote-Uid X-Remote-Group X-Remote-Groups X-Remote-Extra-Scopes X-Remote-Extra-*
Kubernetes, Rancher and Kiali, impersonation: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
  Impersonate-User Impersonate-Group Impersonate-Uid Impersonate-Extra-Scopes Impersonate-Extra-Dn Impersonate-Extra-*
Dex, authproxy connector (Argo CD): https://dexidp.io/docs/connectors/authproxy/
  X-Remote-User X-Remote-User-Id X-Remote-User-Name X-Remote-User-Email X-Remote-Group
Argo CD, proxy extensions: https://argo-cd.readthedocs.io/en/stable/developer-guide/extensions/proxy-extensions/
  Argocd-Username Argocd-User-Id Argocd-User-Groups Argocd-Application-Name Argocd-Project-Name
  Argocd-Target-Cluster-Name Argocd-Target-Cluster-URL
Kibana and Elasticsearch, run as: https://www.elastic.co/docs/deploy-manage/users-roles/cluster-or-deployment-auth/submitting-requests-on-behalf-of-other-users
  es-security-runas-user
OpenSearch, proxy authentication: https://docs.opensearch.org/latest/security/authentication-backends/proxy/
  X-Proxy-User X-Proxy-Roles X-Proxy-Ext-*
OpenSearch and Search Guard, impersonation (written with _): https://docs.opensearch.org/latest/security/access-control/impersonation/
  opendistro-security-impersonate-as opensearch-security-impersonate-as sg-impersonate-as
CloudBeaver, reverse proxy header authentication: https://dbeaver.com/docs/cloudbeaver/23.3/Reverse-proxy-header-authentication
  X-User X-Role X-First-Name X-Last-Name
Etherpad, header authentication: https://npmjs.com/package/ep_headerauth
  X-Authenticated-User X-Authenticated-Name
apps of Home Assistant, behind its ingress: https://github.com/home-assistant/core/pull/88472
  X-Remote-User-Id X-Remote-User-Name X-Remote-User-Display-Name
Jenkins, Reverse Proxy Auth: https://plugins.jenkins.io/reverse-proxy-auth-plugin/
  X-Forwarded-User X-Forwarded-Groups X-Forwarded-Mail X-Forwarded-DisplayName
SonarQube, HTTP header authentication: https://docs.sonarsource.com/sonarqube-server/instance-administration/authentication/http-header
  X-Forwarded-Login X-Forwarded-Name X-Forwarded-Email X-Forwarded-Groups
Sonatype Nexus, remote user token: https://help.sonatype.com/en/authentication-via-remote-user-token.html
  X-SSO-USER Remote-User
JFrog Artifactory, HTTP SSO: https://jfrog.com/help/r/jfrog-platform-administration-documentation/http-sso
  Remote-User
GitLab, Workhorse: https://docs.gitlab.com/development/workhorse/
  Gitlab-Workhorse Gitlab-Workhorse-Api-Request Gitlab-Workhorse-Proxy-Start
Apache Airflow and Superset, remote user: https://flask-appbuilder.readthedocs.io/en/latest/security.html
  Remote-User X-Remote-User
Django, RemoteUserMiddleware: https://docs.djangoproject.com/en/stable/howto/auth-remote-user/
  Remote-User Authuser
NetBox and Nautobot, remote authentication: https://netboxlabs.com/docs/netbox/configuration/remote-authentication
  Remote-User Remote-User-Group Remote-User-Email Remote-User-First-Name Remote-User-Last-Name
Redash, remote user: https://redash.io/help/open-source/admin-guide/env-vars-settings/
  X-Forwarded-Remote-User
Rundeck, preauthenticated mode: https://docs.rundeck.com/docs/administration/security/sso.html
  X-Forwarded-Uuid X-Forwarded-Roles X-Forwarded-User-FirstName X-Forwarded-User-LastName X-Forwarded-User-Email
Apache NiFi: https://nifi.apache.org/docs/nifi-docs/html/administration-guide.html#proxy_configuration
  X-ProxiedEntitiesChain X-ProxiedEntityGroups
AKHQ, header authentication: https://akhq.io/docs/configuration/authentifications/header.html
  X-AKHQ-USER X-AKHQ-GROUP
Apache Guacamole, header authentication: https://guacamole.apache.org/doc/gug/header-auth.html
  Remote-User
Alfresco, external authentication: https://docs.alfresco.com/content-services/latest/admin/auth-sync/
  X-Alfresco-Remote-User
CouchDB, proxy authentication: https://docs.couchdb.org/en/stable/api/server/authn.html
  X-Auth-CouchDB-UserName X-Auth-CouchDB-Roles X-Auth-CouchDB-Token
OpenStack services behind keystonemiddleware: https://docs.openstack.org/keystonemiddleware/latest/middlewarearchitecture.html
  X-Identity-Status X-User X-User-Id X-User-Name X-User-Domain-Id X-User-Domain-Name X-Project-Id X-Project-Name
  X-Project-Domain-Id X-Project-Domain-Name X-Domain-Id X-Domain-Name X-Tenant X-Tenant-Id X-Tenant-Name X-Role X-Roles
  X-Is-Admin-Project X-Service-Identity-Status X-Service-User-Id X-Service-User-Name X-Service-User-Domain-Id
  X-Service-User-Domain-Name X-Service-Project-Id X-Service-Project-Name X-Service-Project-Domain-Id
  X-Service-Project-Domain-Name X-Service-Domain-Id X-Service-Domain-Name X-Service-Roles X-Service-Catalog
Trino and Presto: https://trino.io/docs/current/develop/client-protocol.html
  X-Trino-User X-Trino-Original-User X-Presto-User
Kubeflow: https://github.com/kubeflow/manifests
  Kubeflow-Userid Kubeflow-Groups
Spinnaker, between its services: https://github.com/spinnaker/kork
  X-SPINNAKER-USER X-SPINNAKER-ACCOUNTS X-SPINNAKER-USER-ORIGIN X-SPINNAKER-*
Spring Security, RequestHeaderAuthenticationFilter; SiteMinder: https://docs.spring.io/spring-security/reference/servlet/authentication/preauth.html
  SM-User SM-UserDN SM-UniversalId SM-Groups SMUSER
SiteMinder, default headers: https://techdocs.broadcom.com/us/en/symantec-security-software/identity-security/siteminder/12-8/configuring/web-agent-configuration/web-application-protection/default-http-headers-used-by-the-product.html
  SM-AuthType SM-AuthReason SM-AuthDirName SM-AuthDirNamespace SM-AuthDirOid SM-AuthDirServer SM-DominoCN SM-Realm
  SM-RealmOid SM-ServerSessionID SM-ServerSessionSpec SM-ServerIdentitySpec SM-TimeToExpire SM-TransactionID
IBM WebSEAL and Verify Identity Access: https://www.ibm.com/docs/en/sva
  iv-user iv-user-l iv-groups iv-creds iv-remote-address iv-server-name iv-qop
Oracle Access Manager and WebLogic: https://docs.oracle.com/en/middleware/idm/access-manager/
  OAM-Remote-User OAM-Remote-User-Groups OAM-Remote-User-Email OAM-Identity-Domain OAM-Last-Reauthentication-Time
  OAM-User-Assertion Proxy-Remote-User WL-Proxy-Client-Cert WL-Proxy-Client-Keysize WL-Proxy-Client-Secretkeysize
Oracle Single Sign-On, mod_osso: https://docs.oracle.com/cd/E52734_01/oam/AIAAG/GUID-72676FDC-4BDE-42E4-9765-67BF7401509C.htm
  Osso-User-Dn Osso-User-Guid Osso-Subscriber Osso-Subscriber-Dn Osso-Subscriber-Guid
Shibboleth, attributes as headers: https://shibboleth.atlassian.net/wiki/spaces/SP3/pages/2065334723/SpoofChecking
  Shib-Session-ID Shib-Identity-Provider Shib-Application-ID Shib-Session-Index Shib-Authentication-Method
  Shib-Authentication-Instant Shib-AuthnContext-Class Shib-AuthnContext-Decl Shib-Assertion-Count Shib-Handler
  Shib-Cookie-Name eppn persistent-id targeted-id pairwise-id subject-id affiliation unscoped-affiliation entitlement
  assurance displayName givenName surname sn mail uid cn eduPersonPrincipalName eduPersonAffiliation
  eduPersonEntitlement
mod_auth_mellon and mod_auth_cas: https://github.com/latchset/mod_auth_mellon
  CAS-User X-CAS-User Mellon-NAME-ID Mellon-Idp Mellon-Session CAS-Auth-Type Cas-Userdn
mod_auth_openidc: https://github.com/OpenIDC/mod_auth_openidc/blob/master/auth_openidc.conf
  OIDC-Claim-Sub OIDC-Claim-Email OIDC-Claim-Name OIDC-Claim-Preferred-Username OIDC-Claim-Groups OIDC-Claim-Roles
  OIDC-Claim-Upn OIDC-Claim-Given-Name OIDC-Claim-Family-Name OIDC-Claim-Iss OIDC-Claim-Aud
  OIDC-Access-Token-Expires OIDC-Refresh-Token OIDC-Userinfo-Jwt OIDC-Session
  OIDC-Access-Token OIDC-Id-Token OIDC-Id-Token-Payload OIDC-Userinfo-Json OIDC-Claim-*
Vouch Proxy: https://github.com/vouch/vouch-proxy
  X-Vouch-User X-Vouch-Success X-Vouch-IdP-AccessToken X-Vouch-IdP-IdToken X-Vouch-IdP-Claims-Groups
  X-Vouch-IdP-Claims-Email X-Vouch-IdP-Claims-Name X-Vouch-IdP-Claims-*
Authelia: https://www.authelia.com/integration/trusted-header-sso/introduction/
  Remote-User Remote-Name Remote-Email Remote-Groups
Pangolin, forwarded headers: https://docs.pangolin.net/manage/access-control/forwarded-headers
  Remote-User Remote-Email Remote-Name Remote-Role
Rauthy, forward authentication: https://sebadob.github.io/rauthy/config/forward_auth.html
  X-Forwarded-User X-Forwarded-User-Roles X-Forwarded-User-Groups X-Forwarded-User-Email X-Forwarded-User-Email-Verified
  X-Forwarded-User-Family-Name X-Forwarded-User-Given-Name X-Forwarded-User-Mfa
MCP servers behind ContextForge, identity propagation: https://github.com/IBM/mcp-context-forge/blob/main/docs/docs/manage/identity-propagation.md
  X-Forwarded-User-Id X-Forwarded-User-Email X-Forwarded-User-Admin X-Forwarded-User-Groups X-Forwarded-User-Teams
  X-Forwarded-User-Roles X-Forwarded-User-Auth-Method X-Forwarded-User-Team-Id X-Forwarded-User-Service-Account
  X-Forwarded-User-Delegation-Chain X-Forwarded-User-Claims-Signature X-Forwarded-User-*
authentik, proxy provider: https://docs.goauthentik.io/add-secure-apps/providers/proxy/
  X-Authentik-Username X-Authentik-Groups X-Authentik-Entitlements X-Authentik-Email X-Authentik-Name X-Authentik-Uid
  X-Authentik-Jwt X-Authentik-Meta-Jwks X-Authentik-Meta-Outpost X-Authentik-Meta-Provider X-Authentik-Meta-App
  X-Authentik-Meta-Version
Kong: https://developer.konghq.com/plugins/key-auth/
  X-Consumer-Id X-Consumer-Username X-Consumer-Custom-Id X-Consumer-Groups X-Credential-Identifier X-Credential-Username
  X-Anonymous-Consumer X-Authenticated-Scope X-Authenticated-Userid X-Authenticated-User X-Authenticated-Groups
  X-Userinfo X-Id-Token X-Access-Token
Pomerium: https://www.pomerium.com/docs/reference/jwt-claim-headers
  X-Pomerium-Jwt-Assertion X-Pomerium-Claim-Email X-Pomerium-Claim-User X-Pomerium-Claim-Name X-Pomerium-Claim-Groups
  X-Pomerium-Claim-*
Caddy, security plugin: https://docs.authcrunch.com/docs/authorize/headers
  X-Token-Subject X-Token-User-Email X-Token-User-Name X-Token-User-Roles
Ory Oathkeeper: https://www.ory.sh/docs/oathkeeper/pipeline/mutator
  X-User X-User-Id X-User-Email
Teleport: https://goteleport.com/docs/enroll-resources/application-access/jwt/introduction/
  Teleport-Jwt-Assertion
Tailscale Serve: https://tailscale.com/kb/1312/serve
  Tailscale-User-Login Tailscale-User-Name Tailscale-User-Profile-Pic Tailscale-App-Capabilities
Tailscale, nginx-auth: https://pkg.go.dev/tailscale.com/cmd/nginx-auth
  Tailscale-User Tailscale-Name Tailscale-Login Tailscale-Tailnet Tailscale-Profile-Picture X-WEBAUTH-USER
  X-WEBAUTH-NAME X-WEBAUTH-LOGIN X-WEBAUTH-TAILNET X-WEBAUTH-PROFILE-PICTURE X-WEBAUTH-*
AWS load balancers and Verified Access: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
  X-Amzn-Oidc-Accesstoken X-Amzn-Oidc-Data X-Amzn-Oidc-Identity X-Amzn-Ava-User-Context
AWS Lambda Web Adapter: https://github.com/awslabs/aws-lambda-web-adapter
  X-Amzn-Request-Context X-Amzn-Lambda-Context
Google Identity-Aware Proxy, API Gateway: https://cloud.google.com/iap/docs/identity-howto
  X-Goog-Authenticated-User-Email X-Goog-Authenticated-User-Id X-Goog-Iap-Jwt-Assertion X-Apigateway-Api-Userinfo
  X-Endpoint-API-UserInfo X-Forwarded-Authorization X-Appengine-User-Email X-Appengine-User-Id X-Appengine-User-Is-Admin
  X-Appengine-Inbound-Appid X-Appengine-Cron X-Appengine-QueueName X-Appengine-Taskname X-CloudScheduler
  X-Cloudtasks-QueueName
Cloudflare Access: https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
  Cf-Access-Jwt-Assertion Cf-Access-Authenticated-User-Email Cf-Access-Client-Id Cf-Access-Client-Secret
  Cf-Access-Token Cf-Worker
Azure App Service and Container Apps: https://learn.microsoft.com/en-us/azure/app-service/configure-authentication-user-identities
  X-MS-CLIENT-PRINCIPAL X-MS-CLIENT-PRINCIPAL-ID X-MS-CLIENT-PRINCIPAL-IDP X-MS-CLIENT-PRINCIPAL-NAME
  X-MS-CLIENT-PRINCIPAL-EMAIL X-MS-TOKEN-AAD-ACCESS-TOKEN X-MS-TOKEN-AAD-ID-TOKEN X-MS-TOKEN-AAD-REFRESH-TOKEN
  X-MS-TOKEN-AAD-EXPIRES-ON X-MS-TOKEN-GOOGLE-ACCESS-TOKEN X-MS-TOKEN-GOOGLE-ID-TOKEN X-MS-TOKEN-FACEBOOK-ACCESS-TOKEN
  X-MS-TOKEN-GITHUB-ACCESS-TOKEN X-MS-TOKEN-TWITTER-ACCESS-TOKEN X-MS-AUTH-TOKEN X-MS-Proxy X-ZUMO-AUTH
Open WebUI, trusted header: https://docs.openwebui.com/features/auth/sso/
  X-User-Email X-User-Name X-User-Groups X-User-Role X-User-Roles
LiteLLM and other services behind Open WebUI: https://docs.litellm.ai/docs/tutorials/openweb_ui
  X-OpenWebUI-User-Id X-OpenWebUI-User-Email X-OpenWebUI-User-Role X-OpenWebUI-User-Name
Posit Connect, proxied authentication: https://docs.posit.co/connect/admin/authentication/proxied/
  X-Auth-Username X-Auth-Id X-Auth-Email X-Auth-Groups X-Auth-First-Name X-Auth-Last-Name X-Auth-RSC-Role X-Auth-*
Posit Workbench (RStudio), proxied authentication: https://docs.posit.co/ide/server-pro/authenticating_users/proxied_authentication.html
  X-RStudio-Username
Apache Atlas, header authentication: https://docs.cloudera.com/cdp-private-cloud-base/7.3.2/atlas-securing/topics/atlas-configure-header-authentication.html
  X-Awc-Username X-Awc-Roles X-Awc-*
Louketo and Gogatekeeper: https://github.com/gogatekeeper/gatekeeper
  X-Auth-Audience X-Auth-ExpiresIn X-Auth-Given-Name X-Auth-Family-Name
Sandstorm: https://docs.sandstorm.io/en/latest/developing/auth/
  X-Sandstorm-User-Id X-Sandstorm-Username X-Sandstorm-Permissions X-Sandstorm-Preferred-Handle
Replit: https://docs.replit.com/additional-resources/repl-auth
  X-Replit-User-Id X-Replit-User-Name X-Replit-User-Roles
Domino, users of apps: https://docs.dominodatalab.com/en/5.10/user_guide/cb9195/app-security-and-identity
  domino-username
CARTO, header authentication: https://github.com/CartoDB/cartodb/blob/v4.11.9/doc/manual/source/operations/http_headers_authentication.rst
  sso-user-email
wwwhisper: https://github.com/wrr/wwwhisper
  User
YunoHost: https://github.com/YunoHost/SSOwat
  Ynh-User YNH-User-Email YNH-User-Fullname Ssowat-User Auth-User
Dapr, callers and callbacks: https://docs.dapr.io/reference/api/service_invocation_api/
  X-Dapr-Callback dapr-caller-app-id
Knative, Red Hat consoles and IBM Cloud Pak: https://github.com/RedHatInsights/identity
  Knative-Serving-Userid X-Rh-Identity X-Rh-Auth-Identity Cpd-User
Vercel: https://vercel.com/docs/headers/request-headers
  X-Vercel-Oidc-Token X-Vercel-Sc-Headers
Hasura, session variables: https://hasura.io/docs/latest/auth/authentication/admin-secret-access
  X-Hasura-User-Id X-Hasura-Allowed-Roles
Ping, OpenIDM, Okta and others, headers of agents: https://docs.pingidentity.com/pingaccess/
  PA-User Ping-User OpenAM-User Trusted-User PF-Auth-Subject X-OpenIDM-RunAs X-Okta-Identity X-Trusted-Client X-Authenticated-By X-Apm-Session
Grafana, user of a request to a data source: https://grafana.com/docs/grafana/latest/
  X-Grafana-Id
Nexus and Elastic Cloud, behind their proxies: https://help.sonatype.com/en/authentication-via-remote-user-token.html
  Rut-Auth X-Found-Cluster
internal requests, as applications tell them apart: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/headers/
  X-Internal X-Internal-Request X-Superuser X-Forwarded-Claim-Sub Nginx-User
Envoy and Istio, verified tokens: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter
  X-Jwt-Payload X-Jwt-Assertion
other proxies, as in the guides of nginx and Traefik: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/
  X-Auth-User X-Auth-Username X-Auth-User-Id X-Auth-Userid X-Auth-Id X-Auth-Subject X-Auth-Name X-Auth-Email
  X-Auth-Group X-Auth-Groups X-Auth-Role X-Auth-Roles X-Auth-Claims X-Auth-Scopes X-Auth-Tenant X-Real-User X-Real-Email
  X-Username X-Email X-Group X-Groups X-Role X-Login X-Logged-In-User X-Remote-Name X-Remote-Email X-Remote-Roles
  X-Forwarded-UserName X-Forwarded-User-Id X-Forwarded-Group X-Forwarded-Role X-Forwarded-Id-Token X-Forwarded-Claims
  X-Auth-*
`;
