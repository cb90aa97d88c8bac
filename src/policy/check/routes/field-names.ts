/* Names of HTTP header fields, as data. A name that stands here and that no list of `response-headers.ts` allows never
 * passes from a service to a browser. So a new name is closed as soon as it stands here. */

const names = (text: string): readonly string[] => text.trim().split(/\s+/);

/** All names of the HTTP field name registry of IANA (28 August 2026), the obsoleted and provisional ones included. Left
 * out is only the reserved name `*`, which no message can have. */
export const REGISTERED = names(`
  A-IM Accept Accept-Additions Accept-CH Accept-Charset Accept-Datetime Accept-Encoding Accept-Features Accept-Language
  Accept-Patch Accept-Post Accept-Query Accept-Ranges Accept-Signature Access-Control Access-Control-Allow-Credentials
  Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin Access-Control-Expose-Headers
  Access-Control-Max-Age Access-Control-Request-Headers Access-Control-Request-Method Activate-Storage-Access Age Allow
  ALPN Alt-Svc Alt-Used Alternates AMP-Cache-Transform Apply-To-Redirect-Ref Authentication-Control Authentication-Info
  Authorization Available-Dictionary C-Ext C-Man C-Opt C-PEP C-PEP-Info Cache-Control Cache-Group-Invalidation
  Cache-Groups Cache-Status Cal-Managed-ID CalDAV-Timezones Capsule-Protocol CDN-Cache-Control CDN-Loop Cert-Not-After
  Cert-Not-Before Clear-Site-Data Client-Cert Client-Cert-Chain Close CMCD-Object CMCD-Request CMCD-Session CMCD-Status
  CMSD-Dynamic CMSD-Static Concealed-Auth-Export Configuration-Context Connect-UDP-Bind Connection Content-Base
  Content-Digest Content-Disposition Content-Encoding Content-ID Content-Language Content-Length Content-Location
  Content-MD5 Content-Range Content-Script-Type Content-Security-Policy Content-Security-Policy-Report-Only
  Content-Style-Type Content-Type Content-Version Cookie Cookie2 Cross-Origin-Embedder-Policy
  Cross-Origin-Embedder-Policy-Report-Only Cross-Origin-Opener-Policy Cross-Origin-Opener-Policy-Report-Only
  Cross-Origin-Resource-Policy CTA-Common-Access-Token DASL Date DAV Default-Style Delta-Base Deprecation Depth
  Derived-From Destination Detached-JWS Differential-ID Dictionary-ID Digest DPoP DPoP-Nonce Early-Data EDIINT-Features
  ETag Expect Expect-CT Expires Ext Forwarded From GetProfile Hobareg Host HTTP2-Settings If If-Match If-Modified-Since
  If-None-Match If-Range If-Schedule-Tag-Match If-Unmodified-Since IM Include-Referred-Token-Binding-ID Incremental
  Isolation Keep-Alive Label Last-Event-ID Last-Modified Link Link-Template Location Lock-Token Man Max-Forwards
  Memento-Datetime Meter Method-Check Method-Check-Expires MIME-Version Negotiate NEL OData-EntityId OData-Isolation
  OData-MaxVersion OData-Version Opt Optional-WWW-Authenticate Ordering-Type Origin Origin-Agent-Cluster OSCORE
  OSLC-Core-Version Overwrite P3P PEP PEP-Info Permissions-Policy PICS-Label Ping-From Ping-To Position Pragma Prefer
  Preference-Applied Priority ProfileObject Protocol Protocol-Info Protocol-Query Protocol-Request Proxy-Authenticate
  Proxy-Authentication-Info Proxy-Authorization Proxy-Features Proxy-Instruction Proxy-Public-Address Proxy-Status
  Public Public-Key-Pins Public-Key-Pins-Report-Only Range Redirect-Ref Referer Referer-Root Referrer-Policy Refresh
  Repeatability-Client-ID Repeatability-First-Sent Repeatability-Request-ID Repeatability-Result Replay-Nonce
  Reporting-Endpoints Repr-Digest Retry-After Safe Schedule-Reply Schedule-Tag Sec-Fetch-Dest Sec-Fetch-Mode
  Sec-Fetch-Site Sec-Fetch-Storage-Access Sec-Fetch-User Sec-GPC Sec-Purpose Sec-Token-Binding Sec-WebSocket-Accept
  Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version Security-Scheme Server
  Server-Timing Set-Cookie Set-Cookie2 Set-Txn SetProfile Signature Signature-Input SLUG SoapAction Status-URI
  Strict-Transport-Security Sunset Surrogate-Capability Surrogate-Control TCN TE Timeout Timing-Allow-Origin Topic
  Traceparent Tracestate Trailer Transfer-Encoding TTL Unencoded-Digest Upgrade Urgency URI Use-As-Dictionary User-Agent
  Variant-Vary Vary Via Want-Content-Digest Want-Digest Want-Repr-Digest Want-Unencoded-Digest Warning WWW-Authenticate
  X-Content-Type-Options X-Frame-Options
`);

/** Names that IANA has not registered: those of the specifications and drafts of WHATWG, W3C, WICG and IETF, of MDN's
 * compatibility data, and others that Chromium, Firefox or WebKit read or once read. */
export const UNREGISTERED = names(`
  Accept-CH-Lifetime Access-Control-Allow-Private-Network Access-Control-Request-Private-Network
  Ad-Auction-Additional-Bid Ad-Auction-Allowed Ad-Auction-Only Ad-Auction-Result Ad-Auction-Result-Nonce
  Ad-Auction-Signals Attribution-Reporting-Eligible Attribution-Reporting-Info Attribution-Reporting-Register-OS-Source
  Attribution-Reporting-Register-OS-Trigger Attribution-Reporting-Register-Source
  Attribution-Reporting-Register-Trigger Attribution-Reporting-Support Avail-Format Avail-Language
  Connection-Allowlist Connection-Allowlist-Report-Only Content-DPR Cookie-Indices Critical-CH Critical-Origin-Trial
  Delegate-CH Device-Memory DNT Document-Isolation-Policy Document-Isolation-Policy-Report-Only Document-Policy
  Document-Policy-Report-Only Downlink DPR ECT Expect-Staple Feature-Policy Google-Accounts-SignIn
  Google-Accounts-SignOut Idempotency-Key IdP-SignIn-Status Integrity-Policy Integrity-Policy-Report-Only No-Vary-Search
  Observe-Browsing-Topics Origin-Isolation Origin-Policy Origin-Trial Permissions-Policy-Report-Only
  Private-Network-Access-ID Private-Network-Access-Name Proxy-Connection Report-To Require-Document-Policy RTT Save-Data
  Sec-Browsing-Topics Sec-CH-Device-Memory Sec-CH-DPR Sec-CH-Prefers-Color-Scheme Sec-CH-Prefers-Reduced-Motion
  Sec-CH-Prefers-Reduced-Transparency Sec-CH-UA Sec-CH-UA-Arch Sec-CH-UA-Bitness Sec-CH-UA-Form-Factors
  Sec-CH-UA-Full-Version Sec-CH-UA-Full-Version-List Sec-CH-UA-Mobile Sec-CH-UA-Model Sec-CH-UA-Platform
  Sec-CH-UA-Platform-Version Sec-CH-UA-WoW64 Sec-CH-Viewport-Height Sec-CH-Viewport-Width Sec-CH-Width
  Sec-Origin-Policy Sec-Private-State-Token Sec-Private-State-Token-Crypto-Version Sec-Private-State-Token-Lifetime
  Sec-Redemption-Record Sec-Secure-Session-Id Sec-Session-Challenge Sec-Session-GoogleChallenge
  Sec-Session-GoogleResponse Sec-Session-Id Sec-Session-Registration Sec-Session-Response Sec-Shared-Storage-Data-Origin
  Sec-Shared-Storage-Writable Sec-Speculation-Tags Sec-Trust-Token Secure-Session-Challenge Secure-Session-Registration
  Secure-Session-Response Secure-Session-Skipped Service-Worker Service-Worker-Allowed Service-Worker-Navigation-Preload
  Set-Login Shared-Storage-Cross-Origin-Worklet-Allowed Shared-Storage-Write Snapshot-Content-Location SourceMap
  Speculation-Rules Supports-Loading-Mode Tk Traceresponse Upgrade-Insecure-Requests Variant-Key Variants Viewport-Width
  Width X-Allow-FLEDGE X-Auto-Login X-Chrome-ID-Consistency-Response X-Chrome-Manage-Accounts X-Content-Security-Policy
  X-DNS-Prefetch-Control X-Download-Options X-Permitted-Cross-Domain-Policies X-Robots-Tag X-SourceMap X-UA-Compatible
  X-WebKit-CSP X-XSS-Protection
`);
